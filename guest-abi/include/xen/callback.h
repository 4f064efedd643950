/* SPDX-License-Identifier: BSD-2-Clause */
/* callback_op(cmd, argument): where the hypervisor enters a PV kernel. */
#ifndef XEN_PUBLIC_CALLBACK_H
#define XEN_PUBLIC_CALLBACK_H

#include "xen.h"

#define CALLBACKOP_register   0 /* callback_register */
#define CALLBACKOP_unregister 1 /* callback_unregister; -EINVAL for those that a kernel cannot be without */

#define CALLBACKTYPE_event		 0 /* event upcall */
#define CALLBACKTYPE_failsafe		 1 /* the vCPU's segments could not be loaded */
#define CALLBACKTYPE_syscall		 2 /* SYSCALL from 64-bit user mode */
#define CALLBACKTYPE_sysenter_deprecated 3 /* only of 32-bit hypervisors */
#define CALLBACKTYPE_nmi		 4
#define CALLBACKTYPE_sysenter		 5 /* SYSENTER */
#define CALLBACKTYPE_syscall32		 7 /* SYSCALL from 32-bit user mode */

/* Enter with upcalls masked; event and NMI callbacks always do. */
#define _CALLBACKF_mask_events 0
#define CALLBACKF_mask_events  (1U << _CALLBACKF_mask_events)

#ifndef __ASSEMBLY__

typedef struct callback_register {
	uint16_t type; /* CALLBACKTYPE_* */
	uint16_t flags; /* CALLBACKF_* */
	xen_callback_t address;
} callback_register_t;
DEFINE_XEN_GUEST_HANDLE(callback_register_t);

typedef struct callback_unregister {
	uint16_t type;
	uint16_t _unused;
} callback_unregister_t;
DEFINE_XEN_GUEST_HANDLE(callback_unregister_t);

#endif /* __ASSEMBLY__ */
#endif
