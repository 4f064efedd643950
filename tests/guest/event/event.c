/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels, two-level layout: sending, masking, upcalls, loopback connections, and what is refused. */
#include <guest/guest.h>

static volatile unsigned int seen;
static volatile evtchn_port_t seen_port;

static void count_event(evtchn_port_t port, void *arg)
{
	(void)arg;
	seen++;
	seen_port = port;
}

static struct evtchn_status status(evtchn_port_t port)
{
	struct evtchn_status st = { .dom = DOMID_SELF, .port = port };

	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_status, &st), 0);
	return st;
}

static void test_ipi(void)
{
	int port = event_bind_ipi(0);
	evtchn_port_t p = (evtchn_port_t)port;

	test_begin("send to oneself");
	if (!require(port))
		return;
	seen = 0;
	event_handler_set(p, count_event, NULL);
	upcalls_unmask();
	/* Masked port: pending, no upcall. */
	expect_eq(event_send(p), 0);
	expect(event_pending(p));
	expect_eq(seen, 0);
	/* Unmasking delivers. */
	expect_eq(event_unmask(p), 0);
	expect_eq(seen, 1);
	expect_eq(seen_port, p);
	expect(!event_pending(p));
	expect_eq(event_send(p), 0);
	expect_eq(seen, 2);
	/* Upcalls masked: delivered when they are unmasked. */
	upcalls_mask();
	expect_eq(event_send(p), 0);
	expect_eq(event_send(p), 0);
	expect_eq(seen, 2);
	expect(vcpu_this()->info->evtchn_upcall_pending);
	upcalls_unmask();
	expect_eq(seen, 3);
	upcalls_mask();
	expect_eq(status(p).status, EVTCHNSTAT_ipi);
	expect_eq(event_close(p), 0);
	expect_eq(status(p).status, EVTCHNSTAT_closed);
	expect(event_send(p) < 0);
	expect(event_close(p) < 0);
}

static void test_loopback(void)
{
	int a = event_alloc_unbound(DOMID_SELF, DOMID_SELF), b;
	evtchn_port_t pa = (evtchn_port_t)a, pb;
	struct evtchn_status st;

	test_begin("connect to oneself");
	if (!require(a))
		return;
	expect_eq(status(pa).status, EVTCHNSTAT_unbound);
	b = event_bind_interdomain(DOMID_SELF, pa);
	if (!require(b))
		return;
	pb = (evtchn_port_t)b;
	/* A new connection starts with one notification. */
	expect(event_pending(pb));
	event_clear(pb);
	st = status(pa);
	expect_eq(st.status, EVTCHNSTAT_interdomain);
	expect_eq(st.u.interdomain.port, pb);
	seen = 0;
	event_handler_set(pa, count_event, NULL);
	event_handler_set(pb, count_event, NULL);
	expect_eq(event_unmask(pa), 0);
	expect_eq(event_unmask(pb), 0);
	upcalls_unmask();
	expect_eq(event_send(pa), 0);
	expect_eq(seen, 1);
	expect_eq(seen_port, pb);
	expect_eq(event_send(pb), 0);
	expect_eq(seen, 2);
	expect_eq(seen_port, pa);
	upcalls_mask();
	expect(event_bind_interdomain(DOMID_SELF, pa) < 0);
	expect_eq(event_close(pb), 0);
	expect_eq(status(pa).status, EVTCHNSTAT_unbound);
	expect_eq(event_close(pa), 0);
}

static void test_virq(void)
{
	int port = event_bind_virq(VIRQ_DEBUG, 0);
	struct evtchn_bind_vcpu op = { .port = (evtchn_port_t)port, .vcpu = 0 };
	struct evtchn_status st;

	test_begin("virtual interrupts");
	if (!require(port))
		return;
	st = status((evtchn_port_t)port);
	expect_eq(st.status, EVTCHNSTAT_virq);
	expect_eq(st.u.virq, VIRQ_DEBUG);
	expect_eq(st.vcpu, 0);
	expect_eq(event_bind_virq(VIRQ_DEBUG, 0), -XEN_EEXIST);
	expect(event_bind_virq(NR_VIRQS, 0) < 0);
	expect(event_bind_virq(VIRQ_TIMER, 127) < 0);
	/* Bound to its vCPU for good. */
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &op) < 0);
	expect_eq(event_close((evtchn_port_t)port), 0);
	port = event_bind_virq(VIRQ_DEBUG, 0);
	expect(port > 0);
	expect_eq(event_close((evtchn_port_t)port), 0);
}

static void test_poll(void)
{
	int port = event_bind_ipi(0);
	evtchn_port_t p = (evtchn_port_t)port;
	struct sched_poll poll = { .nr_ports = 1 };
	u64 before;

	test_begin("poll");
	if (!require(port))
		return;
	set_xen_guest_handle(poll.ports, &p);
	event_send(p);
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), 0);
	event_clear(p);
	before = time_now();
	poll.timeout = before + 5 * MS;
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), 0);
	expect(time_now() >= before + 5 * MS);
	poll.nr_ports = 1000;
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL);
	event_close(p);
}

static void test_many(void)
{
	static evtchn_port_t ports[200];
	unsigned int i, n = 0;

	test_begin("many ports");
	seen = 0;
	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		int port = event_bind_ipi(0);

		if (!require(port))
			break;
		ports[n++] = (evtchn_port_t)port;
		event_handler_set(ports[i], count_event, NULL);
		event_unmask(ports[i]);
	}
	for (i = 0; i < n; i++)
		event_send(ports[i]);
	upcalls_unmask();
	expect_eq(seen, n);
	upcalls_mask();
	for (i = 0; i < n; i++)
		expect_eq(event_close(ports[i]), 0);
}

static void test_refused(void)
{
	struct evtchn_alloc_unbound unbound = { .dom = 0x7e00, .remote_dom = DOMID_SELF };
	struct evtchn_status st = { .dom = DOMID_SELF, .port = 100000 };

	test_begin("refused");
	expect(event_send(0) < 0);
	expect(event_send(4000) < 0);
	expect(event_send(0xffffffff) < 0);
	expect(event_close(0) < 0);
	expect(event_bind_ipi(200) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound) < 0);
	expect(event_bind_interdomain(0x7e00, 1) < 0);
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_status, &st), -XEN_EINVAL);
	expect_eq(HYPERVISOR_event_channel_op(99, &st), -XEN_ENOSYS);
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_send, NULL), -XEN_EFAULT);
}

void guest_main(void)
{
	test_ipi();
	test_loopback();
	test_virq();
	test_poll();
	test_many();
	test_refused();
}
