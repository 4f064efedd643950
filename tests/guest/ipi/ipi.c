/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts between vCPUs: timers of each, moving ports, per-vCPU virtual interrupts, storms, waking one that blocks. */
#include <guest/guest.h>
#include <xen/vcpu.h>

static int timer_port[2], ipi_port, moving;
static volatile unsigned int ticks[2], ipis, moved_on[2], ready, stop, blocks;

static void tick(evtchn_port_t port, void *arg)
{
	(void)arg;
	ticks[vcpu_this()->id] += port == (evtchn_port_t)timer_port[vcpu_this()->id];
}

static void ipi(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ipis += vcpu_this()->id == 1;
}

static void moved(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	moved_on[vcpu_this()->id]++;
}

static void second(void *arg)
{
	(void)arg;
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL);
	/* On a slow machine it has gone off before that. */
	ticks[1] = 0;
	event_unmask((evtchn_port_t)timer_port[1]);
	event_unmask((evtchn_port_t)ipi_port);
	timer_set(time_now() + 5 * MS);
	upcalls_unmask();
	ready = 1;
	while (!stop) {
		HYPERVISOR_sched_op(SCHEDOP_block, NULL);
		blocks++;
	}
	upcalls_mask();
}

static void test_timers(void)
{
	test_begin("each its own timer");
	timer_set(time_now() + 5 * MS);
	expect(spin_until(ticks[0] && ticks[1], 5 * S));
	time_spin(10 * MS);
	expect_eq(ticks[0], 1);
	expect_eq(ticks[1], 1);
	/* One for each vCPU; a second time it is taken. */
	expect_eq(event_bind_virq(VIRQ_TIMER, 1), -XEN_EEXIST);
	/* Its timer is its own to set. */
	expect(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 1, &(struct vcpu_set_singleshot_timer){ 0 }) < 0);
}

static void test_wake(void)
{
	unsigned int i;

	test_begin("waking one that blocks");
	for (i = 1; i <= 50; i++) {
		unsigned int before = ipis;

		time_spin(200 * US);
		expect_eq(event_send((evtchn_port_t)ipi_port), 0);
		if (!expect(spin_until(ipis > before, 2 * S)))
			break;
	}
	expect(blocks > 10);
}

static void test_storm(void)
{
	unsigned int i, before;

	test_begin("a storm of them");
	for (i = 0; i < 20000; i++)
		event_send((evtchn_port_t)ipi_port);
	before = ipis;
	event_send((evtchn_port_t)ipi_port);
	expect(spin_until(ipis > before, 2 * S) || ipis > 1000);
}

static void test_move(void)
{
	struct evtchn_bind_vcpu op = { .vcpu = 1 };
	unsigned int i;
	int other = event_alloc_unbound(DOMID_SELF, DOMID_SELF);

	test_begin("a port that moves");
	if (!require(other))
		return;
	moving = event_bind_interdomain(DOMID_SELF, (evtchn_port_t)other);
	if (!require(moving))
		return;
	op.port = (evtchn_port_t)moving;
	event_clear(op.port);
	event_handler_set(op.port, moved, NULL);
	event_unmask(op.port);
	for (i = 0; i < 20; i++) {
		unsigned int vcpu = i % 2, before = moved_on[vcpu];

		op.vcpu = vcpu;
		expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &op), 0);
		expect_eq(event_send((evtchn_port_t)other), 0);
		expect(spin_until(moved_on[vcpu] == before + 1, 2 * S));
	}
	/* An IPI port cannot be moved, and no port to a vCPU that there is not. */
	op.vcpu = 7;
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &op) < 0);
	op.port = (evtchn_port_t)ipi_port;
	op.vcpu = 0;
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &op) < 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (vcpus_max() < 2) {
		test_skip("there is one vCPU");
		return;
	}
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	timer_port[0] = event_bind_virq(VIRQ_TIMER, 0);
	timer_port[1] = event_bind_virq(VIRQ_TIMER, 1);
	ipi_port = event_bind_ipi(1);
	if (!require(timer_port[0]) || !require(timer_port[1]) || !require(ipi_port))
		return;
	event_handler_set((evtchn_port_t)timer_port[0], tick, NULL);
	event_handler_set((evtchn_port_t)timer_port[1], tick, NULL);
	event_handler_set((evtchn_port_t)ipi_port, ipi, NULL);
	event_unmask((evtchn_port_t)timer_port[0]);
	upcalls_unmask();
	if (!require(vcpu_start(1, second, NULL)) || !expect(spin_until(ready, 5 * S)))
		return;
	test_timers();
	test_wake();
	test_storm();
	test_move();
	stop = 1;
	event_send((evtchn_port_t)ipi_port);
	expect(spin_until(vcpu_is_up(1) == 0, 5 * S));
	upcalls_mask();
}
