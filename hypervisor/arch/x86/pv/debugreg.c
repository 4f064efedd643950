/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug registers. The CPU holds them only while break points are enabled; the hypervisor runs with them enabled too, so
 * no break point may lie in its range, general detect must stay off, and a #DB in its own context is ignored.
 */
#include "debugreg.h"

#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/x86.h>

/* Writable bits: B0 to B3, BD, BS, BT. */
#define DR6_WRITABLE 0xe00fUL
/* L0 to G3, LE, GE, and the four condition fields. */
#define DR7_WRITABLE 0xffff03ffUL
#define DR7_CONDITION_IO 2u

u64 pv_dr6_make(u64 val)
{
	return (val & DR6_WRITABLE) | DR6_INIT;
}

int pv_dr7_make(u64 val, u64 *out)
{
	if (val >> 32)
		return -EINVAL;
	for (unsigned int i = 0; i < 4; i++)
		/* Port accesses are emulated, so the CPU would see them in the hypervisor. */
		if ((val >> (2 * i) & 3) && (val >> (16 + 4 * i) & 3) == DR7_CONDITION_IO)
			return -EINVAL;
	*out = (val & DR7_WRITABLE) | DR7_INIT;
	return 0;
}

bool pv_dr_address_ok(u64 val)
{
	return is_canonical(val) && guest_range_ok(val, 8);
}

static bool in_use(const struct pv_vcpu *pv)
{
	return (pv->dr[7] & DR7_ENABLE_MASK) != 0;
}

void pv_dr_load(const struct pv_vcpu *pv)
{
	if (!in_use(pv))
		return;
	for (unsigned int i = 0; i < 4; i++)
		dr_write(i, pv->dr[i]);
	dr_write(6, DR6_INIT);
	dr_write(7, pv->dr[7]);
}

void pv_dr_off(const struct pv_vcpu *pv)
{
	if (in_use(pv))
		dr_write(7, DR7_INIT);
}

int pv_dr_set(struct vcpu *v, u32 n, u64 val)
{
	struct pv_vcpu *pv = v->pv;
	u64 dr7;

	switch (n) {
	case 0: case 1: case 2: case 3:
		if (!pv_dr_address_ok(val))
			return -EPERM;
		pv->dr[n] = val;
		if (in_use(pv))
			dr_write(n, val);
		return 0;
	case 6:
		if (val >> 32)
			return -EINVAL;
		pv->dr[6] = pv_dr6_make(val);
		return 0;
	case 7:
		if (pv_dr7_make(val, &dr7))
			return -EINVAL;
		pv_dr_off(pv);
		pv->dr[7] = dr7;
		pv_dr_load(pv);
		return 0;
	default:
		return -EINVAL;
	}
}

long do_set_debugreg(struct vcpu *v, u64 *args)
{
	return pv_dr_set(v, args[0] > 7 ? 8 : (u32)args[0], args[1]);
}

long do_get_debugreg(struct vcpu *v, u64 *args)
{
	u64 n = args[0];

	if (n > 7 || n == 4 || n == 5)
		return -EINVAL;
	return (long)v->pv->dr[n];
}
