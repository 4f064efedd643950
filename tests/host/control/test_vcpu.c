/* SPDX-License-Identifier: BSD-2-Clause */
/* domctl about single vCPUs, and about scheduling. */
#include <hv/frame.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include "tests.h"

static long domctl(u32 cmd, struct xen_domctl *op)
{
	return kit_domctl(kit_v0, cmd, 1, op);
}

static void test_context(void **state)
{
	struct vcpu_guest_context *c = calloc(1, sizeof(*c));
	struct xen_domctl op = { .u.vcpucontext.vcpu = 7 };
	gva_t at = sim_alloc(dom0, 2 * PAGE_SIZE);

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpucontext, &op), -ESRCH);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, &op), -ESRCH);
	kit_guest->vcpu[1]->regs->rbx = 0x1234567;
	kit_guest->vcpu[1]->pv->fs_base = 0x7000;
	op.u.vcpucontext.vcpu = 1;
	op.u.vcpucontext.ctxt.p = (void *)KIT_UNMAPPED;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpucontext, &op), -EFAULT);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, &op), -EFAULT);
	op.u.vcpucontext.ctxt.p = (void *)at;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpucontext, &op), 0);
	kit_get(kit_v0, c, at, sizeof(*c));
	assert_int_equal(c->user_regs.rbx, 0x1234567);
	assert_int_equal(c->ctrlreg[3], mfn_paddr(kit_v1->pv->kernel_root).v);
	assert_true(c->flags & VGCF_online);
	/* The same again is taken. */
	c->user_regs.rbx = 0x99;
	kit_get(kit_v0, c, at, 0);
	memcpy(sim_ptr(dom0, at), c, PAGE_SIZE);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, &op), 0);
	assert_int_equal(kit_guest->vcpu[1]->regs->rbx, 0x99);
	assert_true(full_current(3) == kit_guest->vcpu[1]);
	/* Down with a context that is not online, and with none at all. */
	((struct vcpu_guest_context *)sim_ptr(dom0, at))->flags &= ~(u64)VGCF_online;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, &op), 0);
	assert_null(full_current(3));
	assert_int_equal(domctl(XEN_DOMCTL_getvcpucontext, &op), 0);
	op.u.vcpucontext.ctxt.p = NULL;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, &op), 0);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpucontext, &op), -ENODATA);
	free(c);
}

static void test_info(void **state)
{
	struct xen_domctl op = { .u.getvcpuinfo.vcpu = 5 };

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuinfo, &op), -ESRCH);
	op.u.getvcpuinfo.vcpu = 1;
	full_time(3000000);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuinfo, &op), 0);
	assert_int_equal(op.u.getvcpuinfo.online, 1);
	assert_int_equal(op.u.getvcpuinfo.running, 1);
	assert_int_equal(op.u.getvcpuinfo.blocked, 0);
	assert_int_equal(op.u.getvcpuinfo.cpu, 3);
	assert_true(op.u.getvcpuinfo.cpu_time >= 3000000);
}

static void test_affinity(void **state)
{
	struct xen_domctl op = { 0 };
	struct xen_domctl_vcpuaffinity *a = &op.u.vcpuaffinity;

	(void)state;
	a->vcpu = 3;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, &op), -ESRCH);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuaffinity, &op), -ESRCH);
	a->vcpu = 1;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, &op), -EINVAL);
	a->flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
	a->cpumap_hard.bitmap.p = a->cpumap_soft.bitmap.p = (void *)KIT_UNMAPPED;
	a->cpumap_hard.nr_bits = a->cpumap_soft.nr_bits = 64;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, &op), -EFAULT);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuaffinity, &op), -EFAULT);
	/* No CPU that there is. */
	a->cpumap_hard = bitmap_of(0xf00);
	a->cpumap_soft = bitmap_of(2);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, &op), -EINVAL);
	assert_true(full_current(3) == kit_guest->vcpu[1]);
	/* What is in effect comes back: the CPUs that there are. */
	a->cpumap_hard = bitmap_of(0xff2);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, &op), 0);
	assert_int_equal(bitmap_value(&a->cpumap_hard), 2);
	assert_int_equal(bitmap_value(&a->cpumap_soft), 2);
	full_settle();
	assert_null(full_current(3));
	a->cpumap_hard = bitmap_of(0);
	a->cpumap_soft = bitmap_of(0);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuaffinity, &op), 0);
	assert_int_equal(bitmap_value(&a->cpumap_hard), 0xff2);
	assert_int_equal(bitmap_value(&a->cpumap_soft), 2);
}

static void test_ext_context(void **state)
{
	struct xen_domctl op = { .u.ext_vcpucontext.vcpu = 9 };
	struct xen_domctl_ext_vcpucontext *e = &op.u.ext_vcpucontext;

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_set_ext_vcpucontext, &op), -ESRCH);
	assert_int_equal(domctl(XEN_DOMCTL_get_ext_vcpucontext, &op), -ESRCH);
	e->vcpu = 0;
	e->size = 16;
	assert_int_equal(domctl(XEN_DOMCTL_set_ext_vcpucontext, &op), -EINVAL);
	e->size = sizeof(*e);
	e->sysenter_callback_eip = 0xffffffff81001000UL;
	e->syscall32_callback_eip = 0xffffffff81002000UL;
	e->sysenter_disables_events = 1;
	assert_int_equal(domctl(XEN_DOMCTL_set_ext_vcpucontext, &op), 0);
	memset(e, 0, sizeof(*e));
	assert_int_equal(domctl(XEN_DOMCTL_get_ext_vcpucontext, &op), 0);
	assert_int_equal(e->sysenter_callback_eip, 0xffffffff81001000UL);
	assert_int_equal(e->syscall32_callback_eip, 0xffffffff81002000UL);
	assert_int_equal(e->sysenter_disables_events, 1);
	assert_int_equal(e->syscall32_disables_events, 0);
}

/* Where the guest's kernel is entered is under the same rule whoever says so. */
static void test_ext_context_canonical(void **state)
{
	struct xen_domctl op = { .u.ext_vcpucontext = { .size = sizeof(struct xen_domctl_ext_vcpucontext),
							.sysenter_callback_eip = 1UL << 62 } };

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_set_ext_vcpucontext, &op), -EINVAL);
	op.u.ext_vcpucontext.sysenter_callback_eip = 0;
	op.u.ext_vcpucontext.syscall32_callback_eip = 1UL << 62;
	assert_int_equal(domctl(XEN_DOMCTL_set_ext_vcpucontext, &op), -EINVAL);
	assert_int_equal(kit_v1->pv->syscall32_callback, 0);
}

static void test_xstate(void **state)
{
	struct xen_domctl op = { .u.vcpuextstate.vcpu = 9 };
	struct xen_domctl_vcpuextstate *x = &op.u.vcpuextstate;
	gva_t at = sim_alloc(dom0, PAGE_SIZE);
	u64 size;

	(void)state;
	sim_stop();
	full_xsave = true;
	kit_start();
	at = sim_alloc(dom0, PAGE_SIZE);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, &op), -ESRCH);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, &op), -ESRCH);
	x->vcpu = 0;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, &op), 0);
	size = x->size;
	assert_true(size > 592);
	assert_int_equal(x->xfeature_mask, 7);
	x->buffer.p = (void *)at;
	x->size = size - 8;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, &op), -EINVAL);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, &op), -EINVAL);
	x->size = size;
	x->buffer.p = (void *)KIT_UNMAPPED;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, &op), -EFAULT);
	x->size = size;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, &op), -EFAULT);
	x->buffer.p = (void *)at;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, &op), 0);
	x->size = size;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, &op), 0);
	*(u64 *)sim_ptr(dom0, at) = 0x100;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, &op), -EINVAL);
	x->size = 16;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, &op), 0);
	x->size = 0;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, &op), -EINVAL);
}

static void test_msrs(void **state)
{
	struct xen_domctl op = { .u.vcpu_msrs = { .vcpu = 9, .msr_count = 4 } };

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_get_vcpu_msrs, &op), -ESRCH);
	assert_int_equal(domctl(XEN_DOMCTL_set_vcpu_msrs, &op), -ESRCH);
	op.u.vcpu_msrs.vcpu = 0;
	assert_int_equal(domctl(XEN_DOMCTL_get_vcpu_msrs, &op), 0);
	assert_int_equal(op.u.vcpu_msrs.msr_count, 0);
	assert_int_equal(domctl(XEN_DOMCTL_set_vcpu_msrs, &op), 0);
	op.u.vcpu_msrs.msr_count = 3;
	assert_int_equal(domctl(XEN_DOMCTL_set_vcpu_msrs, &op), -EINVAL);
	assert_int_equal(op.u.vcpu_msrs.msr_count, 0);
}

static void test_sched(void **state)
{
	struct xen_domctl op = { .u.scheduler_op = { .sched_id = XEN_SCHEDULER_NULL } };
	struct xen_domctl_scheduler_op *s = &op.u.scheduler_op;
	xen_domctl_schedparam_vcpu_t list[2] = { { .vcpuid = 0 }, { .vcpuid = 1 } };

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), -EINVAL);
	s->sched_id = XEN_SCHEDULER_CREDIT2;
	s->cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), 0);
	assert_int_equal(s->u.credit2.weight, 256);
	assert_int_equal(s->u.credit2.cap, 0);
	s->cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	s->u.credit2.weight = 512;
	s->u.credit2.cap = 201;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), -EINVAL);
	s->u.credit2.cap = 150;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), 0);
	/* 0 and 65535 leave things. */
	s->u.credit2.weight = 0;
	s->u.credit2.cap = 0xffff;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), 0);
	s->cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo;
	s->u.v.nr_vcpus = 2;
	s->u.v.vcpus.p = (void *)KIT_UNMAPPED;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), -EFAULT);
	s->u.v.nr_vcpus = 2;
	s->u.v.vcpus.p = (void *)kit_put(kit_v0, list, sizeof(list));
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), 0);
	assert_int_equal(s->u.v.nr_vcpus, 2);
	kit_get(kit_v0, list, (gva_t)s->u.v.vcpus.p, sizeof(list));
	assert_int_equal(list[1].u.credit2.weight, 512);
	assert_int_equal(list[1].u.credit2.cap, 150);
	list[1].vcpuid = 2;
	s->u.v.nr_vcpus = 2;
	s->u.v.vcpus.p = (void *)kit_put(kit_v0, list, sizeof(list));
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), -EINVAL);
	s->cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), -EOPNOTSUPP);
	s->cmd = 9;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, &op), -EINVAL);
}

int vcpu_tests(void)
{
	const struct CMUnitTest tests[] = {
		T(test_context), T(test_info), T(test_affinity), T(test_ext_context), T(test_ext_context_canonical), T(test_xstate),
		T(test_msrs), T(test_sched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
