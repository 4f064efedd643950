/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the firmware of an HVM domain finds its memory map, and the hole below 4 GiB. */
#ifndef XEN_PUBLIC_HVM_E820_H
#define XEN_PUBLIC_HVM_E820_H

#include "../xen.h"

#define HVM_E820_PAGE	   0x00090000
#define HVM_E820_NR_OFFSET 0x000001E8 /* number of entries, one byte */
#define HVM_E820_OFFSET	   0x000002D0 /* entries */

#define HVM_BELOW_4G_RAM_END	 0xF0000000
#define HVM_BELOW_4G_MMIO_START	 HVM_BELOW_4G_RAM_END
#define HVM_BELOW_4G_MMIO_LENGTH ((xen_mk_ullong(1) << 32) - HVM_BELOW_4G_MMIO_START)

#endif
