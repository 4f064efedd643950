/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

struct domain *d;
struct vcpu *v;
struct regs *r;
gva_t kernel_stack, user_stack, code, scratch;

u64 word(gva_t va)
{
	u64 val;

	assert_int_equal(guest_read64(v, &val, va), 0);
	return val;
}

static void machine_reset(void)
{
	port_last = selector_bad = 0;
	port_size = port_value = port_written = port_accesses = 0;
	hypercalls = fxsaves = 0;
	msr_refused = false;
	cr2_now = 0;
	memset(window_ptes, 0, sizeof(window_ptes));
}

static int start_privileged(bool privileged)
{
	struct trap_info traps[257];
	gva_t table;

	sim_start(2);
	machine_reset();
	d = sim_domain(1, privileged, 2, 256);
	v = sim_run_vcpu(d, 0);
	r = v->regs;
	kernel_stack = sim_alloc(d, 4 * PAGE_SIZE) + 4 * PAGE_SIZE;
	user_stack = sim_alloc(d, PAGE_SIZE) + PAGE_SIZE;
	code = sim_alloc(d, 2 * PAGE_SIZE);
	scratch = sim_alloc(d, 4 * PAGE_SIZE);
	memset(traps, 0, sizeof(traps));
	for (u32 i = 0; i < 256; i++)
		traps[i] = (struct trap_info){ .vector = (u8)i, .flags = (i == 14 ? 4 : 0) | (i == 0x80 ? 3 : i == 0x81 ? 1 : 0),
					       .cs = FLAT_KERNEL_CS64, .address = HANDLER(i) };
	table = sim_alloc(d, sizeof(traps));
	assert_int_equal(guest_copy_out(v, table, traps, sizeof(traps)), 0);
	assert_int_equal(sim_call(v, do_set_trap_table, table, 0, 0, 0, 0, 0), 0);
	assert_int_equal(sim_call(v, do_set_callbacks, EVENT_CALLBACK, FAILSAFE_CALLBACK, SYSCALL_CALLBACK, 0, 0, 0), 0);
	assert_int_equal(sim_call(v, do_stack_switch, FLAT_KERNEL_SS64, kernel_stack, 0, 0, 0, 0), 0);
	assert_int_equal(pv_root_set(v, v, v->pv->kernel_root, true), 0);
	return 0;
}

int start(void **state)
{
	(void)state;
	return start_privileged(false);
}

int start_dom0(void **state)
{
	(void)state;
	return start_privileged(true);
}

int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

void guest_at(bool kernel)
{
	u64 *gpr = (u64 *)r;

	for (u32 i = 0; i < 15; i++)
		gpr[i] = 0x1111111111111111UL * (i + 1);
	r->rip = code;
	r->cs = kernel ? FLAT_KERNEL_CS64 : 0x33;
	r->ss = kernel ? FLAT_KERNEL_SS64 : 0x2b;
	r->rsp = (kernel ? kernel_stack - 0x808 : user_stack - 0x88);
	r->rflags = TYPICAL_FLAGS;
	r->error = 0;
	v->info->evtchn_upcall_mask = 0;
	assert_true(pv_mode_set(v, kernel));
}

void raise_vector(u32 vector, u32 error)
{
	r->vector = vector;
	r->error = error;
	pv_exception(v, r);
}

void execute(bool kernel, const char *bytes, u32 len)
{
	assert_int_equal(guest_copy_out(v, code, bytes, len), 0);
	guest_at(kernel);
}

bool faulted(u32 len)
{
	raise_vector(TRAP_GP, 0);
	if (r->rip == code + len)
		return false;
	assert_int_equal(r->rip, HANDLER(TRAP_GP));
	return true;
}
