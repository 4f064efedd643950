/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_op: bringing vCPUs up and down, their shared areas, their timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/frame.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include "../full/kit.h"
#include "tests.h"

#define MS 1000000UL

static int start(void **state)
{
	(void)state;
	kit_start();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_check();
	sim_stop();
	return 0;
}

static struct vcpu_guest_context *context(void)
{
	struct vcpu_guest_context *c = calloc(1, sizeof(*c));

	c->flags = VGCF_in_kernel;
	c->ctrlreg[3] = mfn_paddr(kit_v1->pv->kernel_root).v;
	c->user_regs.cs = c->user_regs.ss = FLAT_KERNEL_CS;
	c->user_regs.rip = 0xffffffff81000000UL;
	return c;
}

/* --- up and down --- */

static void test_down_up(void **state)
{
	(void)state;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_is_up, 1, 0), 1);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_down, 1, 0), 0);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_is_up, 1, 0), 0);
	assert_null(full_current(3));
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_up, 1, 0), 0);
	assert_true(full_current(3) == kit_guest->vcpu[1]);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_up, 1, 0), 0);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_up, 2, 0), -ENOENT);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_down, 0xffffffff, 0), -ENOENT);
	assert_int_equal(kit_vcpu_op(kit_v1, 99, 0, 0), -ENOSYS);
}

/* The last one that goes down takes the domain with it: nobody could bring it up again. */
static void test_last_down(void **state)
{
	(void)state;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_down, 1, 0), 0);
	assert_false(kit_guest->is_shutting_down);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_down, 0, 0), 0);
	assert_true(kit_guest->is_shut_down);
	assert_int_equal(kit_guest->shutdown_code, SHUTDOWN_poweroff);
	assert_null(full_current(2));
}

static void test_initialise(void **state)
{
	struct vcpu_guest_context *c = context();
	struct vcpu *v = kit_guest->vcpu[1];
	gva_t at;

	(void)state;
	at = kit_put(kit_v1, c, sizeof(*c));
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_initialise, 1, at), -EEXIST);
	/* The toolstack takes the state away. */
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_setvcpucontext, 1, &(struct xen_domctl){ .u.vcpucontext.vcpu = 1 }), 0);
	assert_false(v->initialised);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_up, 1, 0), -EINVAL);
	assert_null(full_current(3));
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_initialise, 1, KIT_UNMAPPED), -EFAULT);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_initialise, 1, KIT_FORBIDDEN), -EFAULT);
	/* A page that is no root, and frames that are not the guest's. */
	c->ctrlreg[3] = mfn_paddr(sim_mfn(kit_guest, 3)).v;
	at = kit_put(kit_v1, c, sizeof(*c));
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_initialise, 1, at), -EINVAL);
	c->ctrlreg[3] = mfn_paddr(dom0->vcpu[0]->pv->kernel_root).v;
	at = kit_put(kit_v1, c, sizeof(*c));
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_initialise, 1, at), -EINVAL);
	assert_false(v->initialised);
	sim_check();
	free(c);
	c = context();
	at = kit_put(kit_v1, c, sizeof(*c));
	sim_preempt_every(1);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_initialise, 1, at), 0);
	sim_preempt_every(0);
	assert_true(v->initialised);
	/* Down until it is brought up. */
	assert_null(full_current(3));
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_up, 1, 0), 0);
	assert_true(full_current(3) == v);
	assert_int_equal(v->regs->rip, c->user_regs.rip);
	free(c);
}

/* --- areas --- */

static void test_runstate(void **state)
{
	struct vcpu_register_runstate_memory_area area = { 0 };
	struct vcpu_runstate_info rs, *seen;
	gva_t at = kit_room(kit_v1, sizeof(rs));

	(void)state;
	full_time(5 * MS);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_get_runstate_info, 0, at), 0);
	kit_get(kit_v1, &rs, at, sizeof(rs));
	assert_int_equal(rs.state, RUNSTATE_running);
	assert_in_range(rs.time[RUNSTATE_running], 5 * MS - MS, 20 * MS);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_get_runstate_info, 0, KIT_UNMAPPED), -EFAULT);
	area.addr.p = KIT_FORBIDDEN;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_runstate_memory_area, 0, kit_put(kit_v1, &area, sizeof(area))), -EFAULT);
	area.addr.p = KIT_UNMAPPED;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_runstate_memory_area, 0, kit_put(kit_v1, &area, sizeof(area))), -EFAULT);
	assert_int_equal(kit_v1->runstate_guest, 0);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_runstate_memory_area, 0, KIT_UNMAPPED), -EFAULT);
	area.addr.p = sim_va(kit_page(kit_guest));
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_runstate_memory_area, 0, kit_put(kit_v1, &area, sizeof(area))), 0);
	seen = sim_ptr(kit_guest, area.addr.p);
	assert_int_equal(seen->state, RUNSTATE_running);
	/* Pausing and going on is seen there. */
	vcpu_pause_nosync(kit_v1);
	full_settle();
	full_time(7 * MS);
	vcpu_unpause(kit_v1);
	full_settle();
	assert_true(full_current(2) == kit_v1);
	assert_int_equal(seen->state, RUNSTATE_running);
	assert_true(seen->time[RUNSTATE_offline] >= 7 * MS);
	/* With the flag, the guest can tell that an update is under way. */
	kit_guest->vm_assist |= 1UL << VMASST_TYPE_runstate_update_flag;
	vcpu_pause_nosync(kit_v1);
	full_settle();
	assert_false(seen->state_entry_time & XEN_RUNSTATE_UPDATE);
	vcpu_unpause(kit_v1);
	full_settle();
	assert_false(seen->state_entry_time & XEN_RUNSTATE_UPDATE);
	area.addr.p = 0;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_runstate_memory_area, 0, kit_put(kit_v1, &area, sizeof(area))), 0);
	assert_int_equal(kit_v1->runstate_guest, 0);
}

static void test_time_area(void **state)
{
	struct vcpu_register_time_memory_area area = { 0 };
	struct vcpu_time_info *seen;

	(void)state;
	area.addr.p = KIT_FORBIDDEN;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_time_memory_area, 0, kit_put(kit_v1, &area, sizeof(area))), -EFAULT);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_time_memory_area, 0, KIT_UNMAPPED), -EFAULT);
	area.addr.p = sim_va(kit_page(kit_guest));
	seen = sim_ptr(kit_guest, area.addr.p);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_time_memory_area, 0, kit_put(kit_v1, &area, sizeof(area))), 0);
	assert_true(seen->version != 0 && !(seen->version & 1));
	assert_int_equal(seen->tsc_to_system_mul, kit_v1->info->time.tsc_to_system_mul);
	/* Another vCPU's is written when that one is next switched to. */
	area.addr.p += 64;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_time_memory_area, 1, kit_put(kit_v1, &area, sizeof(area))), 0);
	assert_int_equal(kit_guest->vcpu[1]->time_guest, area.addr.p);
}

static void test_info(void **state)
{
	u32 pfn = kit_page(kit_guest), table = sim_table(kit_guest, 1, sim_va(0));
	struct vcpu_register_vcpu_info op = { .mfn = sim_mfn(kit_guest, pfn).v, .offset = 64 };
	struct vcpu *other = kit_guest->vcpu[1];
	u32 port = kit_port_ipi(kit_v1, 0);

	(void)state;
	kit_v1->info->arch.cr2 = 0x123456;
	for (u32 i = 0; i < 7; i++) {
		struct vcpu_register_vcpu_info bad = op;

		switch (i) {
		case 0: bad.offset = PAGE_SIZE - 56; break;
		case 1: bad.offset = 12; break;
		case 2: bad.mfn = ~0UL; break;
		case 3: bad.mfn = sim_mfn(dom0, 3).v; break;
		case 4: bad.mfn = sim_mfn(kit_guest, table).v; break;
		case 5: bad.mfn = 0; break;
		default: bad.offset = 0xffffffff; break;
		}
		assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_info, 0, kit_put(kit_v1, &bad, sizeof(bad))), -EINVAL);
		assert_true(mfn_eq(kit_v1->info_mfn, INVALID_MFN));
	}
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_info, 0, KIT_UNMAPPED), -EFAULT);
	/* One that runs elsewhere cannot be moved. */
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_info, 1, kit_put(kit_v1, &op, sizeof(op))), -EINVAL);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_info, 0, kit_put(kit_v1, &op, sizeof(op))), 0);
	assert_ptr_equal(kit_v1->info, sim_ptr(kit_guest, sim_va(pfn) + 64));
	assert_int_equal(kit_v1->info->arch.cr2, 0x123456);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_info, 0, kit_put(kit_v1, &op, sizeof(op))), -EINVAL);
	/* Events are noted there. */
	kit_v1->info->evtchn_pending_sel = 0;
	kit_v1->info->evtchn_upcall_pending = 0;
	kit_v1->info->evtchn_upcall_mask = 1;
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_send, &(struct evtchn_send){ port }, 4), 0);
	assert_int_equal(kit_v1->info->evtchn_upcall_pending, 1);
	/* One that is down can be moved by others. */
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_down, 1, 0), 0);
	op.offset = 256;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_info, 1, kit_put(kit_v1, &op, sizeof(op))), 0);
	assert_ptr_equal(other->info, sim_ptr(kit_guest, sim_va(pfn) + 256));
	sim_check();
}

static void test_physid(void **state)
{
	struct vcpu_get_physid op;
	gva_t at = kit_room(kit_v1, sizeof(op));
	struct cpumask all = cpu_online_map;

	(void)state;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_get_physid, 0, at), 0);
	kit_get(kit_v1, &op, at, sizeof(op));
	assert_int_equal(op.phys_id, 2UL << 32 | 2);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_get_physid, 0, KIT_UNMAPPED), -EFAULT);
	assert_int_equal(vcpu_affinity_set_hard(kit_v1, &all), 0);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_get_physid, 0, at), -EINVAL);
}

static void test_nmi(void **state)
{
	(void)state;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_send_nmi, 1, 0), 0);
	/* Without a handler it is dropped or pending; either way nobody crashes. */
	assert_false(kit_guest->is_shutting_down);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_send_nmi, 9, 0), -ENOENT);
}

/* --- timers --- */

static void test_singleshot(void **state)
{
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = sim_clock + 3 * MS };
	u32 port = kit_port_virq(kit_v1, VIRQ_TIMER, 0);

	(void)state;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_singleshot_timer, 1, kit_put(kit_v1, &op, sizeof(op))), -EINVAL);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_stop_singleshot_timer, 1, 0), -EINVAL);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_singleshot_timer, 0, KIT_UNMAPPED), -EFAULT);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_singleshot_timer, 0, kit_put(kit_v1, &op, sizeof(op))), 0);
	full_time(3 * MS - 1);
	assert_false(kit_port_pending(kit_guest, port));
	full_time(1);
	assert_true(kit_port_pending(kit_guest, port));
	/* The past: refused if it is to be the future, and fires at once otherwise. */
	op.flags = VCPU_SSHOTTMR_future;
	op.timeout_abs_ns = sim_clock - 1;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_singleshot_timer, 0, kit_put(kit_v1, &op, sizeof(op))), -ETIME);
	op.flags = 0;
	op.timeout_abs_ns = 1;
	kit_guest->shared->evtchn_pending[0] = 0;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_singleshot_timer, 0, kit_put(kit_v1, &op, sizeof(op))), 0);
	full_time(1);
	assert_true(kit_port_pending(kit_guest, port));
	op.timeout_abs_ns = sim_clock + MS;
	kit_guest->shared->evtchn_pending[0] = 0;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_singleshot_timer, 0, kit_put(kit_v1, &op, sizeof(op))), 0);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_stop_singleshot_timer, 0, 0), 0);
	full_time(5 * MS);
	assert_false(kit_port_pending(kit_guest, port));
}

static u32 ticks_in(ns_t time, u32 port)
{
	u32 n = 0;

	for (ns_t t = 0; t < time; t += MS / 4) {
		full_time(MS / 4);
		n += kit_port_pending(kit_guest, port);
		kit_guest->shared->evtchn_pending[port / 64] &= ~(1UL << port % 64);
	}
	return n;
}

static void test_periodic(void **state)
{
	struct vcpu_set_periodic_timer op = { .period_ns = 10 * MS };
	u32 port = kit_port_virq(kit_v1, VIRQ_TIMER, 0);

	(void)state;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_periodic_timer, 0, KIT_UNMAPPED), -EFAULT);
	op.period_ns = MS - 1;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_periodic_timer, 0, kit_put(kit_v1, &op, sizeof(op))), -EINVAL);
	op.period_ns = (1UL << 60) + 1;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_periodic_timer, 0, kit_put(kit_v1, &op, sizeof(op))), -EINVAL);
	op.period_ns = 10 * MS;
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_set_periodic_timer, 0, kit_put(kit_v1, &op, sizeof(op))), 0);
	assert_in_range(ticks_in(500 * MS, port), 49, 51);
	/* Time that it misses while paused is not made up for. */
	domain_pause_nosync(kit_guest);
	full_settle();
	full_time(500 * MS);
	kit_guest->shared->evtchn_pending[port / 64] = 0;
	domain_unpause(kit_guest);
	full_settle();
	assert_in_range(ticks_in(100 * MS, port), 9, 11);
	assert_int_equal(kit_vcpu_op(kit_v1, VCPUOP_stop_periodic_timer, 0, 0), 0);
	(void)ticks_in(20 * MS, port);
	assert_int_equal(ticks_in(100 * MS, port), 0);
}

static void test_set_timer_op(void **state)
{
	u32 port = kit_port_virq(kit_v1, VIRQ_TIMER, 0);

	(void)state;
	assert_int_equal(kit_call(kit_v1, set_timer_op, sim_clock + 2 * MS, 0, 0), 0);
	full_time(MS);
	assert_false(kit_port_pending(kit_guest, port));
	/* The VIRQ goes to the vCPU wherever it runs by then. */
	sim_run(kit_v1, 1);
	full_time(2 * MS);
	assert_true(kit_port_pending(kit_guest, port));
	assert_int_equal(kit_call(kit_v1, set_timer_op, 0, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
		T(test_down_up), T(test_last_down), T(test_initialise), T(test_runstate), T(test_time_area), T(test_info),
		T(test_physid), T(test_nmi), T(test_singleshot), T(test_periodic), T(test_set_timer_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) + sched_op_tests();
}
