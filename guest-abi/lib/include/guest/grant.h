/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants: giving pages of one's own (version 1 table) and using those of others. */
#ifndef GUEST_GRANT_H
#define GUEST_GRANT_H

#include <guest/types.h>
#include <xen/grant_table.h>

/* The domain's table, mapped by grant_init. */
extern volatile struct grant_entry_v1 *grant_table;

/* Returns 0 or a negated error. */
int grant_init(void);
/* Lets a domain use a frame. Returns a reference, or a negative number when there are none left. */
int grant_give(domid_t dom, u64 mfn, bool readonly);
/* Takes it back. False: it is in use. */
bool grant_take_back(grant_ref_t ref);
/* Maps a grant at the address of a page of the pool. Returns a GNTST_* status; *handle is for the unmap. */
int grant_map(domid_t dom, grant_ref_t ref, void *page, bool readonly, grant_handle_t *handle);
/* Undoes that, and gives the page its own frame back. */
int grant_unmap(void *page, grant_handle_t handle);

#endif
