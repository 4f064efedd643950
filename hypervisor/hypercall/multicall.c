/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of hypercalls. Entries are copied in a few at a time and each once; a result is written as soon as it is known.
 * A handler works on our copy of the arguments; if it is preempted, the copy goes back to the guest's entry, and the list
 * is restarted with that entry as its first one.
 */
#include "hypercall_private.h"
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/softirq.h>
#include <xen/xen.h>

#define BATCH 8u
_Static_assert(sizeof(struct multicall_entry) == 64, "struct multicall_entry");
_Static_assert((HYPERCALLS & (HYPERCALLS - 1)) == 0, "mask of hypercall numbers");

/* The entry at guest address `at`. Returns 0, -EFAULT, or -ERESTART: it was preempted and is as far as it got. */
static inline long multicall_one(struct vcpu *v, struct multicall_entry *e, gva_t at, u64 *counters)
{
	u64 op = e->op;
	long result = -ENOSYS;

	if (likely(op < HYPERCALLS)) {
		/* Also under speculation. The compiler knows that it is in range and must not drop this. */
		__asm__("andl %1, %k0" : "+r"(op) : "i"(HYPERCALLS - 1) : "cc");
		counters[op]++;
		result = hypercall_table[op](v, e->args);
		if (unlikely(result == -ERESTART)) {
			gva_t args = at + offsetof(struct multicall_entry, args);

			return guest_copy_out(v, args, e->args, sizeof(e->args)) ? -EFAULT : -ERESTART;
		}
	}
	return guest_write64(v, at + offsetof(struct multicall_entry, result), (u64)result);
}

long do_multicall(struct vcpu *v, u64 *args)
{
	struct cpu_info *info = cpu_info_of(v->cpu);
	struct multicall_entry batch[BATCH];
	gva_t at = args[0];
	u64 left = (u32)args[1];
	long rc = 0;

	if (v->in_multicall)
		return -EINVAL;
	v->in_multicall = true;
	while (left && !rc) {
		u64 n = MIN(left, BATCH);

		/* The end of the list may lie beside memory that is not there: then one by one. */
		if (guest_copy_in(v, batch, at, n * sizeof(batch[0]))) {
			n = 1;
			rc = guest_copy_in(v, batch, at, sizeof(batch[0]));
		}
		for (u64 i = 0; i < n && !rc; i++) {
			rc = multicall_one(v, &batch[i], at, info->hypercalls);
			if (rc)
				break;
			at += sizeof(batch[0]);
			left--;
			/* An entry may have blocked the vCPU: this shows here at once. */
			if (left && unlikely(READ_ONCE(info->softirq)))
				rc = -ERESTART;
		}
		if (left && !rc && unlikely(preempt_needed()))
			rc = -ERESTART;
	}
	v->in_multicall = false;
	if (rc == -ERESTART) {
		args[0] = at;
		args[1] = left;
	}
	return rc;
}
