/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stale translations: another vCPU writes to a page all the time, while this one takes the right to write away and makes the
 * page a table or a descriptor page. No write may arrive after that, whatever flushes the guest leaves out.
 */
#include <guest/guest.h>

static u64 *victim;
static volatile u64 writes, faults;
static volatile bool stop;
static u64 counter;

static bool fault(struct trap_frame *f)
{
	if (vcpu_this()->id != 1)
		return false;
	faults++;
	f->rip += 3; /* the store below */
	return true;
}

/* A store that is three bytes long, of entries that are not present. Stores to L1 tables would be made for the guest. */
static void writer(void *arg)
{
	(void)arg;
	while (!stop) {
		u64 v = __atomic_add_fetch(&counter, 2, __ATOMIC_SEQ_CST);

		__asm__ volatile("mov %0, (%1)" : : "r"(v), "r"(victim + 1) : "memory");
		writes++;
	}
}

static bool quiet(u64 ns)
{
	u64 before = READ_ONCE(victim[1]), count = writes;

	expect(spin_until(writes > count + 10, 5 * S));
	time_spin(ns);
	return READ_ONCE(victim[1]) == before;
}

static void writable_again(void)
{
	u64 before = READ_ONCE(victim[1]);

	expect_eq(HYPERVISOR_update_va_mapping((u64)victim, mfn_pte(va_mfn(victim), PTE_KERNEL), UVMF_TLB_FLUSH | UVMF_ALL), 0);
	expect(spin_until(READ_ONCE(victim[1]) != before, 5 * S));
}

static void test_table(void)
{
	unsigned int i;

	test_begin("a page that becomes a table");
	expect(!quiet(0));
	for (i = 0; i < 20; i++) {
		/* Without any flush: the hypervisor has to see to it. */
		expect_eq(HYPERVISOR_update_va_mapping((u64)victim, mfn_pte(va_mfn(victim), PTE_READONLY), UVMF_NONE), 0);
		expect_eq(mmuext_mfn(MMUEXT_PIN_L2_TABLE, va_mfn(victim)), 0);
		expect(quiet(200 * US));
		expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(victim)), 0);
		writable_again();
	}
	expect(faults > 0);
}

static void test_descriptors(void)
{
	xen_pfn_t frame = va_mfn(victim);
	unsigned int i;

	test_begin("a page of descriptors");
	for (i = 0; i < 20; i++) {
		expect_eq(HYPERVISOR_update_va_mapping((u64)victim, mfn_pte(va_mfn(victim), PTE_READONLY), UVMF_NONE), 0);
		/* What the other one wrote may not be a descriptor, then there is no type to keep. */
		if (HYPERVISOR_set_gdt(&frame, 512) == 0) {
			expect(quiet(200 * US));
			expect_eq(HYPERVISOR_set_gdt(&frame, 0), 0);
		}
		writable_again();
	}
}

static void test_flushed(void)
{
	static u64 both = 3;
	const u64 flags[] = { UVMF_TLB_FLUSH | UVMF_ALL, UVMF_INVLPG | UVMF_ALL, UVMF_INVLPG | UVMF_MULTI | (u64)&both,
			      UVMF_TLB_FLUSH | UVMF_MULTI | (u64)&both };
	unsigned int i;

	test_begin("flushes that are asked for");
	for (i = 0; i < 4 * ARRAY_SIZE(flags); i++) {
		expect_eq(HYPERVISOR_update_va_mapping((u64)victim, mfn_pte(va_mfn(victim), PTE_READONLY), flags[i % 4]), 0);
		expect(quiet(100 * US));
		writable_again();
	}
	/* The mmuext operations. */
	for (i = 0; i < 8; i++) {
		struct mmuext_op op = { .cmd = i % 4 == 0 ? MMUEXT_TLB_FLUSH_ALL : i % 4 == 1 ? MMUEXT_INVLPG_ALL :
					       i % 4 == 2 ? MMUEXT_TLB_FLUSH_MULTI : MMUEXT_INVLPG_MULTI,
					.arg1.linear_addr = (u64)victim };

		if (i % 4 >= 2)
			set_xen_guest_handle(op.arg2.vcpumask, &both);
		expect_eq(HYPERVISOR_update_va_mapping((u64)victim, mfn_pte(va_mfn(victim), PTE_READONLY), UVMF_NONE), 0);
		expect_eq(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF), 0);
		expect(quiet(100 * US));
		writable_again();
	}
}

void guest_main(void)
{
	test_begin("set up");
	if (vcpus_max() < 2) {
		test_skip("there is one vCPU");
		return;
	}
	victim = page_alloc();
	trap_handler_set(TRAP_PAGE_FAULT, fault);
	if (!require(vcpu_start(1, writer, NULL)) || !expect(spin_until(writes > 10, 5 * S)))
		return;
	test_table();
	test_descriptors();
	test_flushed();
	stop = true;
	expect(spin_until(vcpu_is_up(1) == 0, 5 * S));
}
