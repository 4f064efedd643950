/* SPDX-License-Identifier: BSD-2-Clause */
/* vm_assist, and with it page tables that are written to directly: each store is checked and made, or faults. */
#include <guest/guest.h>

static struct trap_record rec;
static u64 value, old;
static u64 *slot;

static void do_mov(void *arg)
{
	(void)arg;
	WRITE_ONCE(*slot, value);
}

static void do_xchg(void *arg)
{
	(void)arg;
	old = __atomic_exchange_n(slot, value, __ATOMIC_SEQ_CST);
}

static void do_cmpxchg(void *arg)
{
	u64 expected = old;

	(void)arg;
	if (!__atomic_compare_exchange_n(slot, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		old = expected;
}

static void do_and(void *arg)
{
	(void)arg;
	__asm__ volatile("lock andq %1, %0" : "+m"(*slot) : "r"(value) : "memory", "cc");
}

static void do_btr(void *arg)
{
	(void)arg;
	__asm__ volatile("lock btrq $1, %0" : "+m"(*slot) : : "memory", "cc");
}

static void test_modes(void)
{
	unsigned int i;

	test_begin("modes");
	expect_eq(HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
	for (i = 0; i < 64; i++) {
		long on = HYPERVISOR_vm_assist(VMASST_CMD_enable, i);

		expect_msg(on == 0 || on == -XEN_EINVAL, "mode %u: %ld", i, on);
		if (i != VMASST_TYPE_writable_pagetables)
			expect_eq(HYPERVISOR_vm_assist(VMASST_CMD_disable, i), on);
	}
	expect_eq(HYPERVISOR_vm_assist(VMASST_CMD_enable, 64), -XEN_EINVAL);
	expect_eq(HYPERVISOR_vm_assist(VMASST_CMD_enable, 0xffffffff), -XEN_EINVAL);
	expect_eq(HYPERVISOR_vm_assist(7, VMASST_TYPE_writable_pagetables), -XEN_ENOSYS);
}

static void test_stores(void)
{
	u64 *a = page_alloc(), *b = page_alloc();
	u64 mfn_a = va_mfn(a), mfn_b = va_mfn(b);

	test_begin("stores that are good");
	*b = 0xbbbb;
	slot = (u64 *)pte_find(a);
	value = mfn_pte(mfn_b, PTE_KERNEL);
	expect(!trap_catch(&rec, do_mov, NULL));
	flush_page(a);
	expect_eq(READ_ONCE(*a), 0xbbbb);
	value = mfn_pte(mfn_a, PTE_KERNEL);
	expect(!trap_catch(&rec, do_xchg, NULL));
	expect_eq(pte_mfn(old), mfn_b);
	flush_page(a);
	expect_eq(READ_ONCE(*a), 0);
	/* Compare: first the wrong value, then the right one. */
	old = 0x1234;
	value = mfn_pte(mfn_b, PTE_KERNEL);
	expect(!trap_catch(&rec, do_cmpxchg, NULL));
	expect_eq(pte_mfn(*slot), mfn_a);
	old = *slot;
	expect(!trap_catch(&rec, do_cmpxchg, NULL));
	expect_eq(pte_mfn(*slot), mfn_b);
	value = mfn_pte(mfn_a, PTE_KERNEL);
	expect(!trap_catch(&rec, do_mov, NULL));
	expect(!trap_catch(&rec, do_btr, NULL));
	expect(!(*slot & PTE_RW));
	value = ~PTE_P;
	expect(!trap_catch(&rec, do_and, NULL));
	expect(!(*slot & PTE_P));
	value = mfn_pte(mfn_a, PTE_KERNEL);
	expect(!trap_catch(&rec, do_mov, NULL));
	flush_page(a);
	WRITE_ONCE(*a, 1);
	page_free(a);
	page_free(b);
}

static void test_bad(void)
{
	u64 *page = page_alloc();
	const u64 bad[] = { mfn_pte(va_mfn(kernel_root()), PTE_KERNEL), mfn_pte(va_mfn(pte_find(page)), PTE_KERNEL),
			    mfn_pte(0xffffffffffUL, PTE_KERNEL), mfn_pte(0xfee00, PTE_KERNEL) };
	unsigned int i, level;
	u64 before;

	test_begin("stores that are not");
	slot = (u64 *)pte_find(page);
	before = *slot;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		value = bad[i];
		expect(trap_catch(&rec, do_mov, NULL));
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
		expect_eq(*slot, before);
		expect(trap_catch(&rec, do_xchg, NULL));
		expect_eq(*slot, before);
		old = before;
		expect(trap_catch(&rec, do_cmpxchg, NULL));
		expect_eq(*slot, before);
	}
	/* Tables of higher levels. */
	for (level = 2; level <= 4; level++) {
		slot = (u64 *)pte_find_in(kernel_root(), (u64)page, level);
		before = *slot;
		value = mfn_pte(va_mfn(page), PTE_TABLE);
		expect(trap_catch(&rec, do_mov, NULL));
		expect_eq(*slot, before);
	}
	page_free(page);
}

void guest_main(void)
{
	test_modes();
	test_stores();
	test_bad();
}
