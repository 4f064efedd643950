/* SPDX-License-Identifier: BSD-2-Clause */
/* Long multicalls: they are interrupted by events and go on, each call is made once, and a call inside may itself be long. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define CALLS 5000

static struct multicall_entry calls[CALLS];
static struct mmu_update reqs[2000];
static volatile unsigned int ticks;

static void tick(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ticks++;
	timer_set(time_now() + 200 * US);
}

static void test_once(void)
{
	static struct evtchn_bind_ipi binds[500];
	unsigned int i, same = 0;

	test_begin("each call once");
	for (i = 0; i < 500; i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_event_channel_op,
						     .args = { EVTCHNOP_bind_ipi, (u64)&binds[i] } };
	expect_eq(HYPERVISOR_multicall(calls, 500), 0);
	for (i = 0; i < 500; i++) {
		expect_eq(calls[i].result, 0);
		same += i && binds[i].port <= binds[i - 1].port;
	}
	/* Ports are given in order: none is missing in between. */
	expect_eq(same, 0);
	expect_eq(binds[499].port - binds[0].port, 499);
	for (i = 0; i < 500; i++)
		expect_eq(event_close(binds[i].port), 0);
}

static void test_interrupted(void)
{
	unsigned int i, wrong = 0;

	test_begin("interrupted");
	for (i = 0; i < CALLS; i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { 0 }, .result = 1 };
	upcalls_unmask();
	require(timer_set(time_now() + 200 * US));
	for (i = 0; i < 10; i++)
		expect_eq(HYPERVISOR_multicall(calls, CALLS), 0);
	expect(spin_until(ticks >= 3, 5 * S));
	upcalls_mask();
	timer_set(0);
	for (i = 0; i < CALLS; i++)
		wrong += (s64)calls[i].result != HYPERVISOR_xen_version(0, NULL);
	expect_eq(wrong, 0);
}

static void test_long_inside(void)
{
	static unsigned int done[3];
	u64 *page = page_alloc();
	unsigned int i;

	test_begin("long calls inside");
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		reqs[i] = (struct mmu_update){ pte_maddr(page), mfn_pte(va_mfn(page), i % 2 ? PTE_KERNEL : PTE_READONLY) };
	for (i = 0; i < 3; i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_mmu_update,
						     .args = { (u64)reqs, ARRAY_SIZE(reqs), (u64)&done[i], DOMID_SELF },
						     .result = 77 };
	expect_eq(HYPERVISOR_multicall(calls, 3), 0);
	for (i = 0; i < 3; i++) {
		expect_eq(calls[i].result, 0);
		expect_eq(done[i], ARRAY_SIZE(reqs));
	}
	page_free(page);
}

static void test_counts(void)
{
	test_begin("counts that lie");
	/* 32 bits of the count are used; the list ends where it cannot be read. */
	expect(HYPERCALL2(multicall, HYPERVISOR_VIRT_START - 64, 0xffffffff) < 0);
	expect(HYPERCALL2(multicall, 0x800000000000UL - 64, 10) < 0);
	expect(HYPERCALL2(multicall, -64UL, 0xffffffff) < 0);
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
	test_once();
	test_interrupted();
	test_long_inside();
	test_counts();
}
