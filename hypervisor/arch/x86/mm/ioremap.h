/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by address_space.c and ioremap.c. */
#ifndef MM_IOREMAP_H
#define MM_IOREMAP_H

#include <hv/lock.h>
#include <hv/ptab.h>

extern struct ptab hv_ptab;
extern struct spinlock hv_ptab_lock;	/* LOCK_MAP: hv_ptab after boot, and the areas of ioremap */

/* Brings the strict form of slot 256 (hv_l4_strict_entry) up to date; hv_ptab_lock held, or at boot. */
void strict_m2p_refresh(void);

#endif
