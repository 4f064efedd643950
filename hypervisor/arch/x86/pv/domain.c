/* SPDX-License-Identifier: BSD-2-Clause */
/* PV domains: what a domain of this kind is made of, and how its address spaces are taken apart. */
#include "mmu_mirror.h"

#include <hv/errno.h>
#include <hv/pv.h>
#include <hv/softirq.h>

/* Frames looked at between preemption points. */
#define FRAMES_AT_ONCE 256u

/* Progress of the teardown. No lock: domain_kill is the only caller, and LOCK_CONTROL stands around it. */
struct pv_domain {
	u32 vcpus_done;
	u32 frame;		/* frame number that the walk stands on, with a reference; 0 = at the start */
	bool walked;
};

static int domain_init(struct domain *d, const void *config)
{
	(void)config;
	mmu_direct_frames = MIN(frame_limit, DIRECT_MAP_FRAMES);
	d->pv = hv_alloc(sizeof(*d->pv));
	return d->pv ? 0 : -ENOMEM;
}

static void domain_free(struct domain *d)
{
	pv_log_free(d);
	hv_free(d->pv);
	d->pv = NULL;
}

/*
 * Drops every pin and every half done validation. Later ones cannot be: whoever pins, or is preempted, looks at d->life
 * afterwards. Page tables without references that this makes are listed and invalidated by the drain at the end; no
 * cycle is possible, since an entry holds a type reference only of a table one level lower.
 */
static int frames_abandon(struct vcpu *actor, struct domain *d)
{
	struct pv_domain *pd = d->pv;

	for (u32 n = 1;; n++) {
		u32 next = domain_frame_next(d, pd->frame);

		if (pd->frame)
			frame_put(frame_of(mfn(pd->frame)));
		pd->frame = 0;
		if (!next)
			return 0;
		/* If the frame is just going, the walk starts again. */
		if (frame_get(frame_of(mfn(next)), d)) {
			(void)frame_type_abandon(actor, frame_of(mfn(next)));
			pd->frame = next;
		}
		if (n % FRAMES_AT_ONCE == 0 && preempt_needed())
			return -ERESTART;
	}
}

static int domain_relinquish(struct vcpu *actor, struct domain *d)
{
	struct pv_domain *pd = d->pv;
	int rc = pv_log_relinquish(d);

	if (rc)
		return rc;
	for (; pd->vcpus_done < d->max_vcpus; pd->vcpus_done++) {
		struct vcpu *v = d->vcpu[pd->vcpus_done];

		if (!v)
			continue;
		pv_descriptors_drop(actor, v);
		rc = pv_roots_drop(actor, v);
		if (rc)
			return rc;
	}
	if (!pd->walked) {
		rc = frames_abandon(actor, d);
		if (rc)
			return rc;
		pd->walked = true;
	}
	return frame_type_drain(actor, d);
}

static bool access_fault(struct vcpu *v, gva_t addr, u32 error)
{
	return mirror_fault(v, addr, &error);
}

const struct guest_ops pv_guest_ops = {
	.domain_init = domain_init,
	.domain_free = domain_free,
	.domain_relinquish = domain_relinquish,
	.vcpu_init = pv_vcpu_init,
	.vcpu_free = pv_vcpu_free,
	.context_save = pv_context_save,
	.context_load = pv_context_load,
	.context_set = pv_context_set,
	.context_get = pv_context_get,
	.exit_work = pv_exit_work,
	.access_fault = access_fault,
	.shadow_op = pv_shadow_op,
	.pool_set = pv_pool_set,
	.pool_get = pv_pool_get,
};
