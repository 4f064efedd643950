/* SPDX-License-Identifier: BSD-2-Clause */
/* Weak stand-ins for arch/x86/pv: vCPU state, and address spaces that nobody validates. */
#include <stdlib.h>
#include <hv/errno.h>
#include <hv/pv.h>
#include <hv/tlb.h>
#include "sim_private.h"

#define STAND_IN __attribute__((weak))

STAND_IN int pv_vcpu_init(struct vcpu *v)
{
	v->pv = calloc(1, sizeof(*v->pv));
	v->pv->kernel_root = v->pv->user_root = INVALID_MFN;
	return 0;
}

STAND_IN void pv_vcpu_free(struct vcpu *v)
{
	free(v->pv);
}

static int stand_in_domain_init(struct domain *d, const void *config)
{
	(void)d;
	(void)config;
	return 0;
}

static void stand_in_domain_free(struct domain *d)
{
	(void)d;
}

static int stand_in_relinquish(struct vcpu *actor, struct domain *d)
{
	(void)actor;
	(void)d;
	return 0;
}

STAND_IN const struct guest_ops pv_guest_ops = {
	.domain_init = stand_in_domain_init,
	.domain_free = stand_in_domain_free,
	.domain_relinquish = stand_in_relinquish,
	.vcpu_init = pv_vcpu_init,
	.vcpu_free = pv_vcpu_free,
};

STAND_IN void pv_cr3_load(struct vcpu *v)
{
	cr3_write(v->pv->kernel_root.v << PAGE_SHIFT);
}

STAND_IN int sim_root_set(struct vcpu *v, mfn_t root)
{
	v->pv->kernel_root = root;
	return 0;
}
