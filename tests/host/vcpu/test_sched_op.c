/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op: giving up the CPU, waiting for events, shutting down, watchdogs, pinning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/sched.h>
#include "../full/kit.h"
#include "tests.h"

#define MS 1000000UL
#define SEC 1000000000UL

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

static void test_block(void **state)
{
	u32 port = kit_port_unbound(kit_v1, 0);
	u32 far = kit_port_bind(kit_v0, 1, port);

	(void)state;
	kit_v1->info->evtchn_upcall_pending = 0;
	kit_v1->info->evtchn_upcall_mask = 1;
	kit_guest->shared->evtchn_pending[0] = 0;
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_block, 0, 0), 0);
	/* Blocking lets events in. */
	assert_int_equal(kit_v1->info->evtchn_upcall_mask, 0);
	assert_null(full_current(2));
	full_time(50 * MS);
	assert_null(full_current(2));
	assert_int_equal(kit_event(kit_v0, EVTCHNOP_send, &(struct evtchn_send){ far }, 4), 0);
	assert_true(full_current(2) == kit_v1);
	/* With one pending it does not block; nor by the old form. */
	kit_v1->info->evtchn_upcall_pending = 1;
	kit_v1->info->evtchn_upcall_mask = 1;
	assert_int_equal(kit_call(kit_v1, sched_op_compat, SCHEDOP_block, 0, 0), 0);
	assert_true(full_current(2) == kit_v1);
}

static void test_yield(void **state)
{
	struct cpumask two = cpumask_of(2);

	(void)state;
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_yield, 0, 0), 0);
	assert_true(full_current(2) == kit_v1);
	assert_int_equal(kit_call(kit_v1, sched_op_compat, SCHEDOP_yield, 0, 0), 0);
	/* With another one waiting, that one is next. */
	assert_int_equal(vcpu_affinity_set_hard(kit_guest->vcpu[1], &two), 0);
	full_settle();
	for (u32 i = 0; full_current(2) != kit_v1; i++) {
		assert_true(i < 100);
		full_time(MS);
	}
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_yield, 0, 0), 0);
	assert_true(full_current(2) == kit_guest->vcpu[1]);
}

static long poll(struct vcpu *v, const u32 *ports, u32 n, u64 timeout)
{
	struct sched_poll op = { .nr_ports = n, .timeout = timeout };

	op.ports.p = (void *)kit_put(v, ports, n * sizeof(*ports));
	return kit_sched(v, SCHEDOP_poll, &op, sizeof(op));
}

static void events_clear(void)
{
	memset(kit_guest->shared->evtchn_pending, 0, sizeof(kit_guest->shared->evtchn_pending));
	kit_v1->info->evtchn_pending_sel = 0;
	kit_v1->info->evtchn_upcall_pending = 0;
	kit_v1->info->evtchn_upcall_mask = 1;
}

static void test_poll(void **state)
{
	u32 ports[2] = { kit_port_unbound(kit_v1, 0), kit_port_ipi(kit_v1, 0) }, wrong[2] = { ports[0], 3000 };
	u32 far = kit_port_bind(kit_v0, 1, ports[0]);
	struct sched_poll op = { .nr_ports = 129 };

	(void)state;
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_poll, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_poll, &op, sizeof(op)), -EINVAL);
	op.nr_ports = 1;
	op.ports.p = (void *)KIT_UNMAPPED;
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_poll, &op, sizeof(op)), -EFAULT);
	events_clear();
	assert_int_equal(poll(kit_v1, wrong, 2, 0), -EINVAL);
	assert_true(full_current(2) == kit_v1);
	assert_int_equal(kit_guest->poll_mask_count, 0);
	/* It ends by an event on one of the ports, although events are masked ... */
	for (u32 n = 1; n <= 2; n++) {
		events_clear();
		assert_int_equal(poll(kit_v1, ports, n, 0), 0);
		assert_null(full_current(2));
		assert_int_equal(kit_guest->poll_mask_count, 1);
		assert_int_equal(kit_event(kit_v0, EVTCHNOP_send, &(struct evtchn_send){ far }, 4), 0);
		assert_true(full_current(2) == kit_v1);
		assert_int_equal(kit_guest->poll_mask_count, 0);
	}
	/* ... or at once when it is pending already ... */
	assert_int_equal(poll(kit_v1, ports, 1, 0), 0);
	assert_true(full_current(2) == kit_v1);
	/* ... or by the time. */
	events_clear();
	assert_int_equal(poll(kit_v1, ports, 2, sim_clock + 4 * MS), 0);
	full_time(3 * MS);
	assert_null(full_current(2));
	full_time(2 * MS);
	assert_true(full_current(2) == kit_v1);
	assert_int_equal(kit_guest->poll_mask_count, 0);
	events_clear();
	assert_int_equal(poll(kit_v1, ports, 0, sim_clock + MS), 0);
	full_time(2 * MS);
	assert_true(full_current(2) == kit_v1);
}

/* Two polls in one multicall: the vCPU waits at the first one, and comes back to the second later. */
static void test_poll_twice(void **state)
{
	u32 port = kit_port_unbound(kit_v1, 0), far = kit_port_bind(kit_v0, 1, port);
	struct sched_poll op = { .nr_ports = 1 };
	struct multicall_entry call[2] = { 0 };

	(void)state;
	events_clear();
	op.ports.p = (void *)kit_put(kit_v1, &port, sizeof(port));
	for (u32 i = 0; i < 2; i++)
		call[i] = (struct multicall_entry){ .op = __HYPERVISOR_sched_op,
						    .args = { SCHEDOP_poll, kit_put(kit_v1, &op, sizeof(op)) } };
	assert_int_equal(kit_call(kit_v1, multicall, kit_put(kit_v1, call, sizeof(call)), 2, 0), -ERESTART);
	assert_int_equal(kit_v1->regs->args[1], 1);
	assert_null(full_current(2));
	assert_int_equal(kit_guest->poll_mask_count, 1);
	assert_int_equal(kit_event(kit_v0, EVTCHNOP_send, &(struct evtchn_send){ far }, 4), 0);
	assert_true(full_current(2) == kit_v1);
	assert_int_equal(kit_guest->poll_mask_count, 0);
}

static void test_shutdown(void **state)
{
	struct sched_shutdown op = { SHUTDOWN_MAX + 1 };

	(void)state;
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_shutdown, &op, sizeof(op)), -EINVAL);
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_shutdown_code, &op, sizeof(op)), -EINVAL);
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_shutdown, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_shutdown_code, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(kit_call(kit_v1, sched_op_compat, SCHEDOP_shutdown, SHUTDOWN_MAX + 1, 0), -EINVAL);
	assert_int_equal(kit_call(kit_v1, sched_op_compat, SCHEDOP_poll, 0, 0), -ENOSYS);
	assert_int_equal(kit_call(kit_v1, sched_op, 77, 0, 0), -ENOSYS);
	assert_false(kit_guest->is_shutting_down);
	/* A code that was set before is the one that counts. */
	op.reason = SHUTDOWN_crash;
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_shutdown_code, &op, sizeof(op)), 0);
	assert_int_equal(kit_call(kit_v1, sched_op_compat, SCHEDOP_shutdown, SHUTDOWN_reboot, 0), 0);
	assert_true(kit_guest->is_shut_down);
	assert_int_equal(kit_guest->shutdown_code, SHUTDOWN_crash);
	assert_null(full_current(2));
	assert_null(full_current(3));
}

static void test_remote_shutdown(void **state)
{
	struct sched_remote_shutdown op = { .domain_id = 0, .reason = SHUTDOWN_reboot };

	(void)state;
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_remote_shutdown, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_remote_shutdown, &op, sizeof(op)), -EPERM);
	op.domain_id = 1;
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_remote_shutdown, &op, sizeof(op)), -EPERM);
	op.domain_id = 44;
	assert_int_equal(kit_sched(kit_v0, SCHEDOP_remote_shutdown, &op, sizeof(op)), -ESRCH);
	op.domain_id = 0;
	assert_int_equal(kit_sched(kit_v0, SCHEDOP_remote_shutdown, &op, sizeof(op)), -EPERM);
	op.domain_id = 1;
	op.reason = 99;
	assert_int_equal(kit_sched(kit_v0, SCHEDOP_remote_shutdown, &op, sizeof(op)), -EINVAL);
	assert_false(kit_guest->is_shutting_down);
	op.reason = SHUTDOWN_reboot;
	assert_int_equal(kit_sched(kit_v0, SCHEDOP_remote_shutdown, &op, sizeof(op)), 0);
	assert_int_equal(kit_guest->shutdown_code, SHUTDOWN_reboot);
	assert_null(full_current(2));
}

static long watchdog(u32 id, u32 timeout)
{
	struct sched_watchdog op = { .id = id, .timeout = timeout };

	return kit_sched(kit_v1, SCHEDOP_watchdog, &op, sizeof(op));
}

static void test_watchdog(void **state)
{
	(void)state;
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_watchdog, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(watchdog(0, 0), -EINVAL);
	assert_int_equal(watchdog(1, 5), -EINVAL);
	assert_int_equal(watchdog(3, 5), -EINVAL);
	assert_int_equal(watchdog(0xffffffff, 5), -EINVAL);
	assert_int_equal(watchdog(0, 5), 1);
	assert_int_equal(watchdog(0, 50), 2);
	assert_int_equal(watchdog(0, 5), -ENOSPC);
	for (u32 i = 0; i < 4; i++) {
		full_time(4 * SEC);
		assert_int_equal(watchdog(1, 5), 0);
	}
	assert_false(kit_guest->is_shutting_down);
	assert_int_equal(watchdog(2, 0), 0);
	assert_int_equal(watchdog(2, 1), -EINVAL);
	full_time(6 * SEC);
	assert_true(kit_guest->is_shut_down);
	assert_int_equal(kit_guest->shutdown_code, SHUTDOWN_watchdog);
}

static long pin(struct vcpu *v, s32 cpu)
{
	struct sched_pin_override op = { cpu };

	return kit_sched(v, SCHEDOP_pin_override, &op, sizeof(op));
}

static void test_pin_override(void **state)
{
	struct cpumask all = cpu_online_map;

	(void)state;
	assert_int_equal(pin(kit_v1, 0), -EPERM);
	assert_int_equal(kit_call(kit_v0, sched_op, SCHEDOP_pin_override, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(vcpu_affinity_set_hard(kit_v0, &all), 0);
	assert_int_equal(pin(kit_v0, -1), -EINVAL);
	assert_int_equal(pin(kit_v0, 4), -EINVAL);
	assert_int_equal(pin(kit_v0, 0x7fffffff), -EINVAL);
	assert_int_equal(pin(kit_v0, 0), 0);
	assert_int_equal(cpumask_weight(&kit_v0->hard_affinity), 1);
	assert_int_equal(pin(kit_v0, 0), 0);
	assert_int_equal(pin(kit_v0, -1), 0);
	assert_int_equal(cpumask_weight(&kit_v0->hard_affinity), 4);
	assert_int_equal(pin(kit_v0, -1), -EINVAL);
}

int sched_op_tests(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
		T(test_block), T(test_yield), T(test_poll), T(test_poll_twice), T(test_shutdown), T(test_remote_shutdown),
		T(test_watchdog), T(test_pin_override),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
