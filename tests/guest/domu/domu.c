/* SPDX-License-Identifier: BSD-2-Clause */
/* An unprivileged domain: what it is started with, time, events, a second vCPU. */
#include <guest/guest.h>
#include <xen/memory.h>

static volatile unsigned int ran, ticks;

static void second(void *arg)
{
	ran = (unsigned int)(u64)arg;
}

static void tick(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ticks++;
}

static void test_start(void)
{
	unsigned int i, bad = 0;

	test_begin("start_info");
	expect(!(start_info->flags & (SIF_PRIVILEGED | SIF_INITDOMAIN)));
	expect(group_domain(0) > 0);
	expect_eq(HYPERVISOR_memory_op(XENMEM_current_reservation, &(struct xen_memory_domain){ .domid = DOMID_SELF }),
		  start_info->nr_pages);
	for (i = 0; i < start_info->nr_pages; i++)
		bad += mfn_pfn(pfn_mfn(i)) != i;
	expect_eq(bad, 0);
	expect(page_protect(kernel_root(), true) < 0);
}

static void test_life(void)
{
	u64 t = time_now();
	int port;

	test_begin("time, events, vCPUs");
	time_spin(3 * MS);
	expect(time_now() - t >= 3 * MS);
	port = event_bind_virq(VIRQ_TIMER, 0);
	if (!require(port))
		return;
	event_handler_set((evtchn_port_t)port, tick, NULL);
	event_unmask((evtchn_port_t)port);
	timer_set(time_now() + 2 * MS);
	event_wait_for(ticks);
	upcalls_mask();
	expect_eq(vcpus_max(), 2);
	expect_eq(vcpu_start(1, second, (void *)5), 0);
	expect(spin_until(ran == 5, 5 * S));
	expect(spin_until(vcpu_is_up(1) == 0, 5 * S));
}

void guest_main(void)
{
	test_start();
	test_life();
}
