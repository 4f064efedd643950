/* SPDX-License-Identifier: BSD-2-Clause */
/* nmi_op(cmd, argument): dom0's vCPU 0 takes the machine's NMIs. The cause is in shared_info.arch.nmi_reason. */
#ifndef XEN_PUBLIC_NMI_H
#define XEN_PUBLIC_NMI_H

#include "xen.h"

#define XENNMI_register_callback   0 /* xennmi_callback; -EINVAL for other vCPUs */
#define XENNMI_unregister_callback 1 /* no argument */

#define _XEN_NMIREASON_io_error 0 /* I/O check: port 0x61, bit 6 */
#define XEN_NMIREASON_io_error	(xen_mk_ulong(1) << _XEN_NMIREASON_io_error)
#define _XEN_NMIREASON_pci_serr 1 /* PCI system error: port 0x61, bit 7 */
#define XEN_NMIREASON_pci_serr	(xen_mk_ulong(1) << _XEN_NMIREASON_pci_serr)
#define _XEN_NMIREASON_unknown	2
#define XEN_NMIREASON_unknown	(xen_mk_ulong(1) << _XEN_NMIREASON_unknown)

#ifndef __ASSEMBLY__
typedef struct xennmi_callback {
	unsigned long handler_address;
	unsigned long pad;
} xennmi_callback_t;
DEFINE_XEN_GUEST_HANDLE(xennmi_callback_t);
#endif

#endif
