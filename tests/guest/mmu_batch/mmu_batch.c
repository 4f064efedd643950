/* SPDX-License-Identifier: BSD-2-Clause */
/* Long lists: mmu_update and mmuext_op with tens of thousands of requests, and counts that lie. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define REQUESTS 20000

static struct mmu_update reqs[REQUESTS];
static struct mmuext_op ops[4096];
static volatile unsigned int ticks;

static void tick(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ticks++;
}

static void test_updates(void)
{
	u64 *page = page_alloc();
	u64 mfn = va_mfn(page), slot = pte_maddr(page);
	unsigned int i, done = 0;

	test_begin("20,000 updates");
	for (i = 0; i < REQUESTS; i++) {
		reqs[i].ptr = slot;
		reqs[i].val = mfn_pte(mfn, i % 2 ? PTE_KERNEL : PTE_READONLY);
	}
	expect_eq(HYPERVISOR_mmu_update(reqs, REQUESTS, &done, DOMID_SELF), 0);
	expect_eq(done, REQUESTS);
	flush_page(page);
	WRITE_ONCE(*page, 1);
	/* With a timer going off meanwhile: the list goes on where it was. */
	upcalls_unmask();
	require(timer_set(time_now() + MS));
	done = 0;
	expect_eq(HYPERVISOR_mmu_update(reqs, REQUESTS, &done, DOMID_SELF), 0);
	expect_eq(done, REQUESTS);
	expect(spin_until(ticks, 2 * S));
	upcalls_mask();
	/* One bad request far down. */
	reqs[15000].val = mfn_pte(va_mfn(kernel_root()), PTE_KERNEL);
	done = 0;
	expect(HYPERVISOR_mmu_update(reqs, REQUESTS, &done, DOMID_SELF) < 0);
	expect_eq(done, 15000);
	flush_page(page);
	page_free(page);
}

static void test_counts(void)
{
	struct mmu_update *edge;
	u64 *page = page_alloc(), *next = page_alloc(), *target = page_alloc();
	unsigned int done = 0;

	test_begin("counts that are too high");
	if ((u8 *)next != (u8 *)page + PAGE_SIZE) {
		test_error("the pool is not contiguous");
		return;
	}
	require(va_map(next, 0));
	edge = (struct mmu_update *)next - 2;
	edge[0] = edge[1] = (struct mmu_update){ pte_maddr(target), mfn_pte(va_mfn(target), PTE_KERNEL) };
	expect_eq(HYPERVISOR_mmu_update(edge, 0x7fffffff, &done, DOMID_SELF), -XEN_EFAULT);
	expect_eq(HYPERVISOR_mmu_update(edge, 3, &done, DOMID_SELF), -XEN_EFAULT);
	expect_eq(done, 2);
	HYPERVISOR_mmu_update((void *)(HYPERVISOR_VIRT_START - 8), 0x7fffffff, &done, DOMID_SELF);
	expect(HYPERVISOR_mmuext_op((void *)next, 0x7fffffff, &done, DOMID_SELF) < 0);
	/* Where the number of those done goes cannot be written. */
	HYPERVISOR_mmu_update(edge, 2, (void *)HYPERVISOR_VIRT_START, DOMID_SELF);
	WRITE_ONCE(*target, 7);
	require(va_map(next, mfn_pte(va_mfn(next), PTE_KERNEL)));
	page_free(page);
	page_free(next);
	page_free(target);
}

static void test_operations(void)
{
	unsigned int i, done = 0;

	test_begin("4,096 operations");
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = (struct mmuext_op){ .cmd = i % 3 ? MMUEXT_INVLPG_ALL : MMUEXT_TLB_FLUSH_LOCAL,
					     .arg1.linear_addr = VIRT_BASE };
	expect_eq(HYPERVISOR_mmuext_op(ops, ARRAY_SIZE(ops), &done, DOMID_SELF), 0);
	expect_eq(done, ARRAY_SIZE(ops));
	ops[4000].cmd = 0x7777;
	expect(HYPERVISOR_mmuext_op(ops, ARRAY_SIZE(ops), &done, DOMID_SELF) < 0);
	expect_eq(done, 4000);
}

void guest_main(void)
{
	int port = event_bind_virq(VIRQ_TIMER, 0);

	test_begin("set up");
	if (!require(port))
		return;
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_handler_set((evtchn_port_t)port, tick, NULL);
	event_unmask((evtchn_port_t)port);
	test_updates();
	test_counts();
	test_operations();
}
