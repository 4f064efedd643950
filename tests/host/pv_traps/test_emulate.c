/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulated instructions and port I/O. */
#include "fixture.h"

static void test_emulate_kernel(void **state)
{
	(void)state;
	execute(true, "\x0f\x32", 2);		/* rdmsr */
	msr_value = 0x1234567890abcdef;
	assert_false(faulted(2));
	assert_int_equal(r->rax, 0x90abcdef);
	assert_int_equal(r->rdx, 0x12345678);
	msr_refused = true;
	execute(true, "\x0f\x32", 2);
	assert_true(faulted(2));
	execute(true, "\x0f\x30", 2);		/* wrmsr */
	assert_true(faulted(2));
	msr_refused = false;
	execute(true, "\x0f\x30", 2);
	r->rcx = 0x10a;
	r->rax = 0xffffffff00000001;
	r->rdx = 2;
	assert_false(faulted(2));
	assert_int_equal(msr_written, 0x10a);
	assert_int_equal(msr_value, 0x200000001);
	execute(false, "\x0f\x32", 2);
	assert_true(faulted(2));
	/* Kernels without a handler yet. */
	msr_refused = true;
	v->pv->traps[TRAP_GP].address = 0;
	execute(true, "\x0f\x32", 2);
	assert_false(faulted(2));
	assert_int_equal(r->rax, 0);
	v->pv->traps[TRAP_GP].address = HANDLER(TRAP_GP);
	execute(true, "\xf4", 1);		/* hlt: kernels block by hypercall */
	assert_true(faulted(1));
	execute(true, "\x0f\x09", 2);		/* wbinvd: no devices, no effect */
	assert_false(faulted(2));
	assert_int_equal(sim_counts.wbinvd, 0);
	assert_int_equal(rangeset_add(d->iomem, 0xfee00, 0xfee00), 0);
	execute(true, "\x0f\x09", 2);
	assert_false(faulted(2));
	assert_int_equal(sim_counts.wbinvd, 1);
	execute(true, "\x0f\x01\xd1", 3);	/* xsetbv */
	r->rcx = 0;
	r->rax = 7;
	r->rdx = 0;
	assert_false(faulted(3));
	execute(true, "\x0f\x01\xd1", 3);
	r->rcx = 0;
	r->rax = 0x207;
	r->rdx = 0;
	assert_true(faulted(3));
	execute(true, "\x90", 1);
	assert_true(faulted(1));
	/* fetched over a page boundary */
	assert_int_equal(guest_copy_out(v, code + PAGE_SIZE - 1, "\x0f\x32", 2), 0);
	msr_refused = false;
	guest_at(true);
	r->rip = code + PAGE_SIZE - 1;
	raise_vector(TRAP_GP, 0);
	assert_int_equal(r->rip, code + PAGE_SIZE + 1);
}

static void test_emulate_registers(void **state)
{
	(void)state;
	execute(true, "\x0f\x20\xc0", 3);	/* mov rax, cr0 */
	assert_false(faulted(3));
	assert_int_equal(r->rax, 0x80050033);
	execute(true, "\x0f\x22\xc0", 3);	/* mov cr0, rax */
	r->rax = 0x8005003b;
	assert_false(faulted(3));
	assert_true(v->pv->ts);
	assert_true(cr0_read() & CR0_TS);
	execute(true, "\x0f\x06", 2);		/* clts */
	assert_false(faulted(2));
	assert_false(v->pv->ts);
	execute(true, "\x0f\x22\xc0", 3);
	r->rax = 0x33;
	assert_true(faulted(3));
	/* #NM clears TS by itself. */
	assert_int_equal(sim_call(v, do_fpu_taskswitch, 1, 0, 0, 0, 0, 0), 0);
	assert_true(cr0_read() & CR0_TS);
	guest_at(true);
	raise_vector(TRAP_NM, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_NM));
	assert_false(cr0_read() & CR0_TS);
	execute(true, "\x0f\x22\xe1", 3);	/* mov cr4, rcx: what is not the guest's is left out */
	r->rcx = CR4_TSD | CR4_PGE | CR4_SMAP | CR4_PAE;
	assert_false(faulted(3));
	assert_int_equal(v->pv->cr4_guest, CR4_TSD);
	assert_true(cr4_read() & CR4_TSD);
	execute(true, "\x0f\x20\xe2", 3);	/* mov rdx, cr4 */
	assert_false(faulted(3));
	assert_int_equal(r->rdx, CR4_TSD | CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT);
	execute(false, "\x0f\x31", 2);		/* rdtsc */
	assert_true(faulted(2));
	execute(true, "\x0f\x31", 2);
	assert_false(faulted(2));
	d->vtsc = true;
	execute(true, "\x0f\x31", 2);
	assert_false(faulted(2));
	assert_int_equal(r->rdx, 0x11223344);
	execute(true, "\x0f\x20\xdb", 3);	/* mov rbx, cr3 */
	assert_false(faulted(3));
	assert_int_equal(r->rbx, v->pv->kernel_root.v << PAGE_SHIFT);
	execute(true, "\x0f\x01\xe0", 3);	/* smsw eax */
	assert_false(faulted(3));
	assert_int_equal(r->rax, 0x80050033);
	execute(false, "\x0f\x20\xc0", 3);
	assert_true(faulted(3));
}

static void test_debug_registers(void **state)
{
	(void)state;
	assert_int_equal(sim_call(v, do_set_debugreg, 0, 0x401000, 0, 0, 0, 0), 0);
	assert_int_equal(sim_call(v, do_set_debugreg, 1, HV_VIRT_START + 64, 0, 0, 0, 0), -EPERM);
	assert_int_equal(sim_call(v, do_set_debugreg, 1, 1UL << 60, 0, 0, 0, 0), -EPERM);
	assert_int_equal(sim_call(v, do_set_debugreg, 4, 0, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_debugreg, 8, 0, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_debugreg, 7, 0x20001, 0, 0, 0, 0), -EINVAL);	/* a port */
	assert_int_equal(sim_call(v, do_set_debugreg, 7, 1UL << 32, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_debugreg, 7, 0x10001 | DR7_GD, 0, 0, 0, 0), 0);
	assert_int_equal(dr_read(7), 0x10401);
	assert_int_equal(dr_read(0), 0x401000);
	assert_int_equal(sim_call(v, do_get_debugreg, 0, 0, 0, 0, 0, 0), 0x401000);
	assert_int_equal(sim_call(v, do_get_debugreg, 5, 0, 0, 0, 0, 0), -EINVAL);
	pv_context_save(v);
	assert_int_equal(dr_read(7), DR7_INIT);
	pv_context_load(v, NULL);
	assert_int_equal(dr_read(7), 0x10401);
	guest_at(true);
	dr_write(6, DR6_INIT | 1);
	raise_vector(TRAP_DB, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_DB));
	assert_int_equal(v->pv->dr[6], DR6_INIT | 1);
	assert_int_equal(dr_read(6), DR6_INIT);
	execute(true, "\x0f\x21\xf0", 3);	/* mov rax, dr6 */
	assert_false(faulted(3));
	assert_int_equal(r->rax, DR6_INIT | 1);
	/* Single-stepping over an emulated instruction. */
	execute(true, "\x0f\x06", 2);
	r->rflags |= FLAG_TF;
	raise_vector(TRAP_GP, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_DB));
	assert_int_equal(word(r->rsp + 16), code + 2);
	assert_true(v->pv->dr[6] & DR6_BS);
	v->pv->dr[7] = 0;
}

static void test_cpuid(void **state)
{
	(void)state;
	assert_int_equal(guest_copy_out(v, code, "\x0f\x0bxen\x0f\xa2", 7), 0);
	guest_at(true);
	r->rax = 0xffffffff00000007;
	r->rcx = 1;
	raise_vector(TRAP_UD, 0);
	assert_int_equal(r->rip, code + 7);
	assert_int_equal(r->rax, 8);
	assert_int_equal(r->rbx, 3);
	/* Anything else is the guest's. */
	assert_int_equal(guest_copy_out(v, code, "\x0f\x0bxem\x0f\xa2", 7), 0);
	guest_at(false);
	raise_vector(TRAP_UD, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_UD));
	execute(false, "\x0f\xa2", 2);		/* CPUID faulting of the machine */
	assert_false(faulted(2));
	v->pv->cpuid_faults = true;
	execute(false, "\x0f\xa2", 2);
	assert_true(faulted(2));
	execute(true, "\x0f\xa2", 2);
	assert_false(faulted(2));
}

static void test_ports(void **state)
{
	u8 map[0x2000];

	(void)state;
	/* The kernel needs virtual privilege 1. */
	execute(true, "\xed", 1);
	r->rdx = 0x3f8;
	assert_true(faulted(1));
	v->pv->iopl = 1;
	port_value = 0x12345678;
	execute(true, "\xed", 1);
	r->rdx = 0x3f8;
	assert_false(faulted(1));
	assert_int_equal(r->rax, 0xffffffff);
	assert_int_equal(port_accesses, 0);
	assert_int_equal(rangeset_add(d->ioports, 0x3f8, 0x3ff), 0);
	execute(true, "\xed", 1);
	r->rdx = 0x3f8;
	assert_false(faulted(1));
	assert_int_equal(r->rax, 0x12345678);
	execute(true, "\xec", 1);		/* the rest of rax stays */
	r->rdx = 0x3f8;
	r->rax = 0xaaaaaaaaaaaaaaaa;
	assert_false(faulted(1));
	assert_int_equal(r->rax, 0xaaaaaaaaaaaaaa78);
	execute(true, "\x66\xef", 2);
	r->rdx = 0x3fc;
	r->rax = 0xdeadbeef;
	assert_false(faulted(2));
	assert_int_equal(port_written, 0xbeef);
	assert_int_equal(port_size, 2);
	/* Part of the access lies outside. */
	port_accesses = 0;
	execute(true, "\xef", 1);
	r->rdx = 0x3fe;
	assert_false(faulted(1));
	assert_int_equal(port_accesses, 0);
	/* User mode: privilege 3, or the bitmap. */
	execute(false, "\xee", 1);
	r->rdx = 0x3f8;
	assert_true(faulted(1));
	memset(map, 0xff, sizeof(map));
	map[0x3f8 / 8] = 0xfe;
	assert_int_equal(guest_copy_out(v, scratch, map, sizeof(map)), 0);
	v->pv->iobmp_va = scratch;
	v->pv->iobmp_limit = 0x3f9;
	execute(false, "\xee", 1);
	r->rdx = 0x3f8;
	assert_false(faulted(1));
	execute(false, "\xee", 1);
	r->rdx = 0x3f9;
	assert_true(faulted(1));
	execute(false, "\xef", 1);
	r->rdx = 0x3f8;
	assert_true(faulted(1));
	v->pv->iopl = 3;
	execute(false, "\xef", 1);
	r->rdx = 0x3f8;
	assert_false(faulted(1));
	/* CLI and STI: allowed, without effect. */
	execute(true, "\xfa", 1);
	assert_false(faulted(1));
	assert_int_equal(v->info->evtchn_upcall_mask, 0);
	execute(true, "\xfb", 1);
	v->info->evtchn_upcall_mask = 1;
	assert_false(faulted(1));
	assert_int_equal(v->info->evtchn_upcall_mask, 1);
	v->pv->iopl = 0;
	execute(true, "\xfa", 1);
	assert_true(faulted(1));
	d->vm_assist = 1UL << VMASST_TYPE_architectural_iopl;
	execute(true, "\xfa", 1);
	assert_false(faulted(1));
}

static void test_string_ports(void **state)
{
	u8 data[0x40];

	(void)state;
	v->pv->iopl = 1;
	assert_int_equal(rangeset_add(d->ioports, 0x1f0, 0x1f7), 0);
	port_value = 0xabcd;
	execute(true, "\xf3\x66\x6d", 3);	/* rep insw */
	r->rdx = 0x1f0;
	r->rdi = scratch + 0x10;
	r->rcx = 4;
	assert_false(faulted(3));
	assert_int_equal(r->rcx, 0);
	assert_int_equal(r->rdi, scratch + 0x18);
	assert_int_equal(word(scratch + 0x10), 0xabcdabcdabcdabcd);
	assert_int_equal(word(scratch + 0x18), 0);
	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)i;
	assert_int_equal(guest_copy_out(v, scratch, data, sizeof(data)), 0);
	execute(true, "\xf3\x6f", 2);		/* rep outsl, downwards */
	r->rdx = 0x1f0;
	r->rsi = scratch + 8;
	r->rcx = 3;
	r->rflags |= FLAG_DF;
	assert_false(faulted(2));
	assert_int_equal(r->rsi, scratch - 4);
	assert_int_equal(port_written, 0x03020100);
	/* A long one stops in between, and goes on. */
	sim_preempt_every(0);
	port_accesses = 0;
	execute(true, "\xf3\x6c", 2);
	r->rdx = 0x1f0;
	r->rdi = scratch;
	r->rcx = 3000;
	raise_vector(TRAP_GP, 0);
	assert_int_equal(r->rip, code);
	assert_int_equal(r->rcx, 3000 - 1024);
	sim_preempt_every(1);
	raise_vector(TRAP_GP, 0);
	assert_int_equal(r->rip, code);
	assert_int_equal(r->rcx, 3000 - 1024 - 31);
	sim_preempt_every(0);
	for (u32 i = 0; i < 3 && r->rip == code; i++)
		raise_vector(TRAP_GP, 0);
	assert_int_equal(r->rip, code + 2);
	assert_int_equal(port_accesses, 3000);
	/* Memory that is not there: a page fault, and no access. */
	port_accesses = 0;
	execute(true, "\xf3\x6d", 2);
	r->rdx = 0x1f0;
	r->rdi = 0x5000;
	r->rcx = 2;
	raise_vector(TRAP_GP, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_PF));
	assert_int_equal(v->info->arch.cr2, 0x5000);
	assert_int_equal(word(r->rsp + 16), PFEC_WRITE);
	assert_int_equal(port_accesses, 0);
	execute(true, "\x6e", 1);
	r->rdx = 0x1f0;
	r->rsi = HV_VIRT_START;
	raise_vector(TRAP_GP, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_PF));
}

static void test_dom0_ports(void **state)
{
	(void)state;
	v->pv->iopl = 1;
	execute(true, "\xef", 1);
	r->rdx = 0xcf8;
	r->rax = 0x81001a34;
	assert_false(faulted(1));
	assert_int_equal(port_accesses, 0);
	pci_value = 0x8086;
	execute(true, "\x66\xed", 2);
	r->rdx = 0xcfe;
	assert_false(faulted(2));
	assert_int_equal((u16)r->rax, 0x8086);
	assert_int_equal(pci_sbdf, 0x001a);
	assert_int_equal(pci_reg, 0x136);
	assert_int_equal(pci_size, 2);
	execute(true, "\xed", 1);
	r->rdx = 0xcf8;
	assert_false(faulted(1));
	assert_int_equal(r->rax, 0x81001a34);
	/* The CMOS index is kept and written in front of each access. */
	execute(true, "\xe6\x70", 2);
	r->rax = 0x0b;
	assert_false(faulted(2));
	assert_int_equal(port_accesses, 0);
	port_value = 0x55;
	execute(true, "\xe4\x71", 2);
	assert_false(faulted(2));
	assert_int_equal(port_accesses, 2);
	assert_int_equal(port_written, 0x0b);
	/* The PIT: channel 2 alone. */
	port_accesses = 0;
	execute(true, "\xe6\x43", 2);
	r->rax = 0x34;
	assert_false(faulted(2));
	assert_int_equal(port_accesses, 0);
	execute(true, "\xe6\x43", 2);
	r->rax = 0xb6;
	assert_false(faulted(2));
	assert_int_equal(port_written, 0xb6);
	port_accesses = 0;
	execute(true, "\xe6\x40", 2);
	assert_false(faulted(2));
	assert_int_equal(port_accesses, 0);
}

/* Random code in both modes: never a crash of the hypervisor, and the guest always gets somewhere. */
static void test_random_code(void **state)
{
	static const u8 likely_bytes[] = { 0x0f, 0x01, 0x66, 0x67, 0xf3, 0x48, 0x6c, 0x6f, 0xec, 0xe4, 0x20, 0x22, 0x30, 0x32 };
	u8 bytes[15];

	(void)state;
	srandom(3);
	v->pv->iopl = 1;
	assert_int_equal(rangeset_add(d->ioports, 0, 0xffff), 0);
	for (u32 n = 0; n < 20000; n++) {
		u64 *gpr;

		for (u32 k = 0; k < sizeof(bytes); k++)
			bytes[k] = random() & 1 ? (u8)random() : likely_bytes[(size_t)random() % sizeof(likely_bytes)];
		assert_int_equal(guest_copy_out(v, code, bytes, sizeof(bytes)), 0);
		guest_at(random() & 1);
		gpr = (u64 *)r;
		for (u32 k = 0; k < 15; k++)
			if (random() % 3 == 0)
				gpr[k] = random() & 1 ? (u64)random() : scratch + (u64)random() % 8192;
		raise_vector(random() % 4 ? TRAP_GP : TRAP_UD, 0);
		assert_true(r->rip != code || r->rcx != 0);
		v->pv->dr[7] = 0;
		v->pv->cr4_guest = 0;
	}
	sim_check();
}

int emulate_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_emulate_kernel, start, stop),
		cmocka_unit_test_setup_teardown(test_emulate_registers, start, stop),
		cmocka_unit_test_setup_teardown(test_debug_registers, start, stop),
		cmocka_unit_test_setup_teardown(test_cpuid, start, stop),
		cmocka_unit_test_setup_teardown(test_ports, start, stop),
		cmocka_unit_test_setup_teardown(test_string_ports, start, stop),
		cmocka_unit_test_setup_teardown(test_dom0_ports, start_dom0, stop),
		cmocka_unit_test_setup_teardown(test_random_code, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
