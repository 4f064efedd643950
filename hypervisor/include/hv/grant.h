/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant tables: v1 and v2. */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include <hv/types.h>
#include <hv/compiler.h>

struct vcpu;
struct domain;

/*
 * Limits of UINT32_MAX stand for those of the boot options; -EINVAL for higher ones, and for versions that there are not.
 * Version 0: the domain can use grants of others, but has none itself.
 */
int grant_table_create(struct domain *d, u32 max_frames, u32 max_maptrack, u32 max_version) must_check;
/* Drops all mappings that d holds; -ERESTART until done. */
int grant_table_relinquish(struct vcpu *actor, struct domain *d) must_check;
void grant_table_free(struct domain *d);
/* Frame idx of the (status when `status`) table for add_to_physmap and acquire_resource, growing it if need be; INVALID_MFN on error. */
mfn_t grant_table_frame(struct domain *d, u32 idx, bool status);
/* How many frames that table may have at most. */
u32 grant_table_frames_max(struct domain *d, bool status);
/*
 * Marks the frames of d that others may write at present through entries [from, from + count) of its table in d's log. Returns from where
 * to go on, 0 at the end.
 */
u32 grant_writers_mark(struct domain *d, u32 from, u32 count);
void grant_dump(struct domain *d);

/* Mappings into a PV address space: pv/ provides these (installed by boot). */
struct grant_host_ops {
	/* Makes the L1 entry at host_addr (a linear address, or with GNTMAP_contains_pte the machine address of a PTE) map the frame. */
	int (*map)(struct vcpu *v, u64 host_addr, mfn_t frame, u32 flags);
	/* Checks that it maps that frame and replaces it: by nothing, or (unmap_and_replace) by the entry of new_addr, which is cleared. */
	int (*unmap)(struct vcpu *v, u64 host_addr, u64 new_addr, mfn_t frame, u32 flags);
};
extern const struct grant_host_ops *grant_host_ops;

#endif
