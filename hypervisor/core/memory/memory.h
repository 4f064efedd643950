/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of memory_op. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <hv/dirty_log.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/types.h>
#include <xen/memory.h>

/* cmd of memory_op: the operation in the low bits, progress of a preempted one above. A guest that makes progress up gets its own mess. */
#define MEMORY_OP_BITS 6
#define MEMORY_OP_MASK ((1UL << MEMORY_OP_BITS) - 1)
#define MEMORY_PROGRESS_MAX (~0UL >> MEMORY_OP_BITS)

/*
 * One operation. arg: address of its structure. *progress is 0 at first; before -ERESTART is returned it is set to what the
 * repeated call shall get. Returns a result or -errno.
 */
typedef long memory_op_fn(struct vcpu *v, gva_t arg, u64 *progress);

memory_op_fn memory_populate, memory_increase, memory_decrease, memory_exchange;
memory_op_fn memory_add_to_physmap, memory_add_to_physmap_batch, memory_remove_from_physmap;
memory_op_fn memory_map_get, memory_map_set, memory_machine_map;
memory_op_fn memory_acquire_resource;

/*
 * The domain that an operation is about: the actor's own (DOMID_SELF or its number) or, for privileged actors, any. 0, -EPERM or -ESRCH;
 * ends with memory_target_put.
 */
int memory_target_get(struct vcpu *v, domid_t id, struct domain **d) must_check;
static inline void memory_target_put(struct vcpu *v, struct domain *d)
{
	if (unlikely(d != v->domain))
		domain_put(d);
}

/* Page pfn of d is frame m from now on. */
static inline void page_number_set(const struct domain *d, mfn_t m, u64 pfn)
{
	m2p_set(m, pfn);
	dirty_log_pfn(d, pfn);
}

/* Largest order that the actor may ask for in one extent. */
unsigned int memory_order_max(const struct vcpu *v);
/* As frames_alloc's flags, from XENMEMF_*; false when they ask for what cannot be. */
bool memory_flags_decode(const struct domain *d, u32 mem_flags, u32 *flags);
/*
 * Clearing a large extent takes long: this does it step by step, while the frames are still free. 0, -ERESTART (go on after
 * a preemption), or -ENOMEM.
 */
long memory_prepare(const struct domain *d, unsigned int order, u32 flags);
/*
 * Takes the frame from d as far as it has a say: the domain's reference and a pin. Others may keep it until they unmap it.
 * False when the frame is not d's to give.
 */
bool memory_frame_remove(struct vcpu *v, struct domain *d, mfn_t m);

#endif
