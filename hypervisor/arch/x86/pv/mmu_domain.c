/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may change whose page tables; address-space roots of vCPUs. */
#include "mmu_mirror.h"

#include <hv/errno.h>
#include <hv/features.h>
#include <hv/guest.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/tlb.h>

bool mmu_may_control(const struct vcpu *actor, const struct domain *d)
{
	return actor->domain == d || is_privileged(actor) || actor->domain->target == d;
}

int mmu_domain_get(struct vcpu *actor, domid_t id, struct domain **out)
{
	struct domain *d = domain_get_by_any_id(actor, id);
	int rc = 0;

	if (!d)
		return -ESRCH;
	if (!mmu_may_control(actor, d))
		rc = -EPERM;
	else if (d != actor->domain && READ_ONCE(d->life) != DOMAIN_LIVE)
		rc = -ESRCH;
	if (rc) {
		domain_put(d);
		return rc;
	}
	*out = d;
	return 0;
}

int mmu_rules_get(struct vcpu *actor, struct domain *d, domid_t id, struct mmu_rules *out)
{
	struct domain *data;
	int rc;

	*out = mmu_rules_own(d);
	if (id == DOMID_IO || id == DOMID_XEN) {
		if (id == DOMID_XEN && !is_privileged(actor))
			return -EPERM;
		out->io_only = id == DOMID_IO;
		data = id == DOMID_IO ? dom_io : dom_xen;
		domain_get(data);
	} else {
		rc = mmu_domain_get(actor, id, &data);
		if (rc)
			return rc;
	}
	out->data = data;
	if (data != d) {
		/* Nothing belongs to the idle domain. Read-only mappings of another domain's memory need no care. */
		out->readonly_id = id == DOMID_IO || id == DOMID_XEN ? DOMID_IDLE : data->id;
		out->writable_key = frame_type_key(FRAME_WRITABLE, DOMID_IDLE);
	}
	return 0;
}

void mmu_rules_put(struct mmu_rules *r)
{
	domain_put(r->data);
}

int mmu_drain(struct vcpu *actor, struct domain *d)
{
	int rc;

	do
		rc = frame_type_drain(actor, d);
	while (rc && READ_ONCE(d->life) != DOMAIN_LIVE);
	return rc;
}

int mmu_vcpumask(struct vcpu *v, gva_t bitmap, struct cpumask *out)
{
	const struct domain *d = v->domain;
	u8 bytes[MAX_VCPUS / 8] = { 0 };

	if (guest_copy_in(v, bytes, bitmap, (d->max_vcpus + 7) / 8))
		return -EFAULT;
	*out = cpumask_none();
	for (u32 i = 0; i < d->max_vcpus; i++) {
		const struct vcpu *other = d->vcpu[i];
		u32 cpu;

		if (!(bytes[i / 8] >> (i % 8) & 1) || !other)
			continue;
		/* If it moves meanwhile it gets an empty TLB. */
		cpu = READ_ONCE(other->cpu);
		if (cpumask_test(&d->dirty_cpus, cpu))
			out->bits[cpu / 64] |= 1UL << (cpu % 64);
	}
	return 0;
}

/* --- roots --- */

void pv_l4_init(void *l4)
{
	memcpy((u64 *)l4 + HV_L4_FIRST, hv_l4_template() + HV_L4_FIRST, (HV_L4_LAST - HV_L4_FIRST + 1) * sizeof(u64));
}

void pv_cr3_load(struct vcpu *v)
{
	mfn_t root = v->pv->kernel_mode ? v->pv->kernel_root : v->pv->user_root;

	if (unlikely(v->domain->logging))
		root = mirror_root(v, root);
	if (unlikely(cpu_has(CPU_DO_XPTI)))
		xpti_load(v, root);
	cr3_write(mfn_paddr(root).v);
}

int pv_root_set(struct vcpu *actor, struct vcpu *v, mfn_t root, bool user)
{
	struct pv_vcpu *pv = v->pv;
	mfn_t *slot = user ? &pv->user_root : &pv->kernel_root, old = *slot;
	struct frame *f;
	int rc;

	if (likely(root.v)) {
		if (unlikely(root.v >= frame_limit))
			return -EINVAL;
		f = frame_of(root);
		if (unlikely(!frame_type_try_get(f, frame_type_key(FRAME_L4, v->domain->id)))) {
			if (!frame_valid(root) || !frame_get(f, v->domain))
				return -EINVAL;
			rc = frame_type_get(actor, f, FRAME_L4);
			frame_put(f);
			if (rc)
				return rc;
		}
	} else {
		if (!user || !pv->kernel_mode)
			return -EINVAL;
		root = INVALID_MFN;
	}
	*slot = root;
	/* The processor must be off the old one before it may become something else. */
	if (v->running && pv->kernel_mode != user)
		pv_cr3_load(v);
	if (likely(!mfn_eq(old, INVALID_MFN)))
		frame_type_drop(actor, frame_of(old));
	return 0;
}

int pv_roots_drop(struct vcpu *actor, struct vcpu *v)
{
	struct pv_vcpu *pv = v->pv;
	mfn_t root[2] = { pv->kernel_root, pv->user_root };

	pv->kernel_root = pv->user_root = INVALID_MFN;
	for (u32 i = 0; i < 2; i++)
		if (!mfn_eq(root[i], INVALID_MFN))
			frame_type_drop(actor, frame_of(root[i]));
	return mmu_drain(actor, v->domain);
}

int pv_root_pin(struct vcpu *v, mfn_t root)
{
	struct frame *f;
	int rc;

	if (!frame_valid(root))
		return -EINVAL;
	f = frame_of(root);
	if (!frame_get(f, v->domain))
		return -EINVAL;
	rc = frame_type_pin(v, f, FRAME_L4);
	frame_put(f);
	return rc;
}
