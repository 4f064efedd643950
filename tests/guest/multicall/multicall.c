/* SPDX-License-Identifier: BSD-2-Clause */
/* multicall: results of each call, calls that fail in the middle, and lists that cannot be read. */
#include <guest/guest.h>
#include <xen/version.h>

static struct multicall_entry calls[64];

static void test_results(void)
{
	unsigned int i;

	test_begin("results");
	for (i = 0; i < 64; i++) {
		calls[i].op = __HYPERVISOR_xen_version;
		calls[i].args[0] = i % 2 ? XENVER_pagesize : XENVER_version;
		calls[i].result = 0xdead;
	}
	expect_eq(HYPERVISOR_multicall(calls, 64), 0);
	for (i = 0; i < 64; i++)
		expect_eq(calls[i].result, i % 2 ? 4096 : HYPERVISOR_xen_version(XENVER_version, NULL));
	calls[0].result = 0xdead;
	expect_eq(HYPERVISOR_multicall(calls, 0), 0);
	expect_eq(calls[0].result, 0xdead);
}

static void test_mixed(void)
{
	u64 *a = page_alloc(), *b = page_alloc();
	struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };

	test_begin("different calls");
	*b = 0xbbbb;
	calls[0] = (struct multicall_entry){ .op = __HYPERVISOR_update_va_mapping,
					     .args = { (u64)a, mfn_pte(va_mfn(b), PTE_KERNEL), 0 } };
	calls[1] = (struct multicall_entry){ .op = __HYPERVISOR_mmuext_op, .args = { (u64)&flush, 1, 0, DOMID_SELF } };
	calls[2] = (struct multicall_entry){ .op = 63 };
	calls[3] = (struct multicall_entry){ .op = __HYPERVISOR_event_channel_op, .args = { 99, 0 } };
	calls[4] = (struct multicall_entry){ .op = __HYPERVISOR_sched_op, .args = { SCHEDOP_yield, 0 } };
	calls[5] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize, 0 } };
	expect_eq(HYPERVISOR_multicall(calls, 6), 0);
	expect_eq(calls[0].result, 0);
	expect_eq(calls[1].result, 0);
	expect_eq(calls[2].result, -XEN_ENOSYS);
	expect_eq(calls[3].result, -XEN_ENOSYS);
	expect_eq(calls[4].result, 0);
	expect_eq(calls[5].result, 4096);
	expect_eq(READ_ONCE(*a), 0xbbbb);
	require(va_map(a, mfn_pte(va_mfn(a), PTE_KERNEL)));
	page_free(a);
	page_free(b);
}

static void test_nested(void)
{
	static struct multicall_entry inner = { .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize } };

	test_begin("not inside of another");
	calls[0] = (struct multicall_entry){ .op = __HYPERVISOR_multicall, .args = { (u64)&inner, 1 } };
	expect_eq(HYPERVISOR_multicall(calls, 1), 0);
	expect((s64)calls[0].result < 0);
}

static void test_refused(void)
{
	struct multicall_entry *edge;
	u8 *page = page_alloc();

	test_begin("lists that cannot be used");
	expect_eq(HYPERVISOR_multicall(NULL, 1), -XEN_EFAULT);
	expect_eq(HYPERVISOR_multicall((void *)HYPERVISOR_VIRT_START, 1), -XEN_EFAULT);
	/* The last entry cannot be read; those before it are done. */
	edge = (struct multicall_entry *)(page + PAGE_SIZE) - 1;
	*edge = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize }, .result = 1 };
	require(va_map(page + PAGE_SIZE, 0));
	expect_eq(HYPERVISOR_multicall(edge, 2), -XEN_EFAULT);
	expect_eq(edge->result, 4096);
	/* Results cannot be written. */
	require(page_protect(page, false));
	expect_eq(HYPERVISOR_multicall(edge, 1), -XEN_EFAULT);
	require(page_protect(page, true));
}

void guest_main(void)
{
	test_results();
	test_mixed();
	test_nested();
	test_refused();
}
