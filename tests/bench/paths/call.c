/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls that do next to nothing: what it takes to get in and out. */
#include "paths.h"

#include <xen/vcpu.h>
#include <xen/version.h>

#define CALLS 16

static u64 run_version(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= IS_ERROR(ENTER(xen_version, XENVER_version, 0, 0, 0));
	return bad;
}

static struct multicall_entry calls[CALLS];

static bool setup_multicall(void)
{
	for (unsigned int i = 0; i < CALLS; i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { XENVER_version } };
	return true;
}

static u64 run_multicall(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(multicall, calls, CALLS, 0, 0);
	return bad | IS_ERROR(calls[CALLS - 1].result);
}

static u64 run_stack_switch(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(stack_switch, FLAT_KERNEL_SS, vcpu_this()->trap_stack, 0, 0);
	return bad;
}

static u64 run_segment_base(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(set_segment_base, SEGBASE_FS, n << 12, 0, 0);
	return bad;
}

static u64 run_taskswitch(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(fpu_taskswitch, n & 1, 0, 0, 0);
	return bad;
}

static void finish_taskswitch(void)
{
	HYPERVISOR_fpu_taskswitch(0);
}

static u64 run_yield(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(sched_op, SCHEDOP_yield, 0, 0, 0);
	return bad;
}

/* Far enough not to come, and a different time on each call. */
static u64 run_timer(unsigned int n)
{
	u64 bad = 0, when = time_now() + 10 * S;

	while (n--)
		bad |= ENTER(set_timer_op, when + n * MS, 0, 0, 0);
	return bad;
}

static void finish_timer(void)
{
	timer_set(0);
}

/* What a kernel does from tick to tick: each time is later than the one before. */
static u64 run_timer_next(unsigned int n)
{
	u64 bad = 0, when = time_now() + 10 * S;

	while (n--) {
		when += MS;
		bad |= ENTER(set_timer_op, when, 0, 0, 0);
	}
	return bad;
}

static u64 run_vcpu_op(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= IS_ERROR(ENTER(vcpu_op, VCPUOP_is_up, 0, 0, 0));
	return bad;
}

static u64 run_runstate(unsigned int n)
{
	static struct vcpu_runstate_info state;
	u64 bad = 0;

	while (n--)
		bad |= ENTER(vcpu_op, VCPUOP_get_runstate_info, 0, &state, 0);
	return bad;
}

static u64 run_debugreg(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(set_debugreg, 0, n << 3, 0, 0);
	return bad;
}

static void finish_debugreg(void)
{
	HYPERVISOR_set_debugreg(0, 0);
}

const struct path paths_call[] = {
	{ "hypercall", .table = true, .run = run_version },
	{ "multicall_16", .table = true, .per = CALLS, .setup = setup_multicall, .run = run_multicall },
	{ "stack_switch", .table = true, .run = run_stack_switch },
	{ "set_segment_base", .table = true, .run = run_segment_base },
	{ "fpu_taskswitch", .table = true, .run = run_taskswitch, .finish = finish_taskswitch },
	{ "yield", .table = true, .run = run_yield },
	{ "set_timer_op", .table = true, .run = run_timer, .finish = finish_timer },
	{ "set_timer_later", .run = run_timer_next, .finish = finish_timer },
	{ "vcpu_is_up", .run = run_vcpu_op },
	{ "vcpu_runstate", .run = run_runstate },
	{ "set_debugreg", .run = run_debugreg, .finish = finish_debugreg },
	{ 0 },
};
