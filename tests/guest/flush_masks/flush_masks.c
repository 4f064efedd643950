/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB flushes on request: masks of vCPUs that do not exist, masks that cannot be read, addresses that are nobody's; from four vCPUs. */
#include <guest/guest.h>

#define ROUNDS 15

static volatile unsigned int ended;

static long flush(unsigned int cmd, void *mask, u64 address)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.linear_addr = address };

	set_xen_guest_handle(op.arg2.vcpumask, mask);
	return HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static void work(void *arg)
{
	static const u64 addresses[] = { VIRT_BASE, 0, 0x7ffffffff000UL, HYPERVISOR_VIRT_START, 0xffffffffffffffffUL,
					 0x800000000000UL, 0x123456789abcUL };
	u64 mask[2] = { 0 };
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		u64 address = addresses[i % ARRAY_SIZE(addresses)];

		mask[0] = i % 5 ? ~0UL : 1UL << (i % 64);
		flush(MMUEXT_TLB_FLUSH_MULTI, mask, 0);
		flush(MMUEXT_INVLPG_MULTI, mask, address);
		flush(MMUEXT_TLB_FLUSH_ALL, NULL, 0);
		flush(MMUEXT_INVLPG_ALL, NULL, address);
		flush(MMUEXT_INVLPG_LOCAL, NULL, address);
		flush(MMUEXT_TLB_FLUSH_LOCAL, NULL, 0);
	}
	(void)arg;
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

void guest_main(void)
{
	u64 all = ~0UL, *page = page_alloc();
	unsigned int i;

	test_begin("masks and addresses");
	expect(flush(MMUEXT_TLB_FLUSH_MULTI, (void *)0x800000000000UL, 0) < 0);
	expect(flush(MMUEXT_TLB_FLUSH_MULTI, (void *)(HYPERVISOR_VIRT_END - 8), 0) < 0);
	expect(flush(MMUEXT_TLB_FLUSH_MULTI, NULL, 0) < 0);
	expect(flush(MMUEXT_INVLPG_MULTI, (void *)0x800000000000UL, VIRT_BASE) < 0);
	expect_eq(flush(MMUEXT_TLB_FLUSH_MULTI, &all, 0), 0);
	expect_eq(flush(MMUEXT_INVLPG_MULTI, &all, VIRT_BASE), 0);
	/* Caches: for those who have devices. */
	flush(MMUEXT_FLUSH_CACHE, NULL, 0);
	flush(MMUEXT_FLUSH_CACHE_GLOBAL, NULL, 0);
	test_begin("from four vCPUs");
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, work, NULL));
	work(NULL);
	expect(yield_until(ended == 4, 25 * S));
	WRITE_ONCE(*page, 5);
	expect_eq(READ_ONCE(*page), 5);
	/* With masks on update_va_mapping too. */
	HYPERVISOR_update_va_mapping((u64)page, mfn_pte(va_mfn(page), PTE_KERNEL), UVMF_INVLPG | UVMF_MULTI | 0x800000000000UL);
	expect_eq(READ_ONCE(*page), 5);
	expect_eq(HYPERVISOR_update_va_mapping((u64)page, mfn_pte(va_mfn(page), PTE_KERNEL), UVMF_TLB_FLUSH | UVMF_MULTI | (u64)&all), 0);
}
