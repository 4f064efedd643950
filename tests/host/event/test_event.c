/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels over the simulated machine: both ABIs, every operation, and what a hostile guest may try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/guest.h>
#include <xen/event_channel.h>
#include "../sim/sim.h"

static struct domain *a, *b;
static struct vcpu *va, *vb;
static int binds, unbinds;

static int fake_bind(struct domain *d, u32 pirq, bool share)
{
	(void)d;
	(void)share;
	if (pirq == 13)
		return -EBUSY;
	binds++;
	return 0;
}

static void fake_unbind(struct domain *d, u32 pirq)
{
	(void)d;
	(void)pirq;
	unbinds++;
}

static void fake_retarget(struct domain *d, u32 pirq, u32 cpu)
{
	(void)d;
	(void)pirq;
	(void)cpu;
}

static const struct pirq_ops fake_pirq_ops = { .bind = fake_bind, .unbind = fake_unbind, .retarget = fake_retarget };
const struct pirq_ops *pirq_ops = &fake_pirq_ops;

static int setup(void **state)
{
	(void)state;
	sim_start(4);
	a = sim_domain(1, false, 4, 64);
	b = sim_domain(2, false, 2, 64);
	if (event_space_create(a, 4096) || event_space_create(b, 4096))
		return -1;
	va = sim_run_vcpu(a, 0);
	binds = unbinds = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (event_space_close(a) || event_space_close(b))
		continue;
	event_space_free(a);
	event_space_free(b);
	sim_stop();
	return 0;
}

static long op(struct vcpu *v, u32 cmd, void *arg, size_t size)
{
	gva_t at = sim_va(2);
	long rc;

	sim_run(v, v->cpu);
	memcpy(sim_ptr(v->domain, at), arg, size);
	rc = sim_call(v, do_event_channel_op, cmd, at, 0, 0, 0, 0);
	memcpy(arg, sim_ptr(v->domain, at), size);
	return rc;
}
#define OP(v, cmd, arg) op((v), EVTCHNOP_##cmd, (arg), sizeof(*(arg)))

static u32 unbound(struct vcpu *v, domid_t remote)
{
	struct evtchn_alloc_unbound u = { .dom = DOMID_SELF, .remote_dom = remote };

	assert_int_equal(OP(v, alloc_unbound, &u), 0);
	return u.port;
}

/* Connects a and b: a's port, *far is b's. */
static u32 connect(u32 *far)
{
	u32 port = unbound(va, 2);
	struct evtchn_bind_interdomain i = { .remote_dom = 1, .remote_port = port };

	vb = sim_run(b->vcpu[0], 1);
	assert_int_equal(OP(vb, bind_interdomain, &i), 0);
	*far = i.local_port;
	return port;
}

static bool pending_2l(struct domain *d, u32 port)
{
	return (d->shared->evtchn_pending[port / 64] >> (port % 64)) & 1;
}

static void test_interdomain(void **state)
{
	u32 far, port = connect(&far);
	struct evtchn_send s = { .port = port };
	struct evtchn_status st = { .dom = DOMID_SELF, .port = port };
	struct evtchn_close c;

	(void)state;
	/* Binding itself raises the new end. */
	assert_true(pending_2l(b, far));
	b->shared->evtchn_pending[far / 64] = 0;
	b->vcpu[0]->info->evtchn_upcall_pending = 0;
	b->vcpu[0]->info->evtchn_pending_sel = 0;
	assert_int_equal(OP(va, send, &s), 0);
	assert_true(pending_2l(b, far));
	assert_int_equal(b->vcpu[0]->info->evtchn_upcall_pending, 1);
	assert_int_equal(b->vcpu[0]->info->evtchn_pending_sel, 1ul << (far / 64));
	assert_int_equal(OP(va, status, &st), 0);
	assert_int_equal(st.status, EVTCHNSTAT_interdomain);
	assert_int_equal(st.u.interdomain.dom, 2);
	assert_int_equal(st.u.interdomain.port, far);
	/* Closing one end leaves the other unbound, for the same domain. */
	c.port = far;
	assert_int_equal(OP(vb, close, &c), 0);
	assert_int_equal(OP(va, status, &st), 0);
	assert_int_equal(st.status, EVTCHNSTAT_unbound);
	assert_int_equal(st.u.unbound.dom, 2);
	assert_int_equal(OP(va, send, &s), 0);
	c.port = port;
	assert_int_equal(OP(va, close, &c), 0);
	assert_int_equal(OP(va, close, &c), -EINVAL);
	assert_int_equal(OP(va, send, &s), -EINVAL);
}

static void test_masked(void **state)
{
	u32 far, port = connect(&far);
	struct evtchn_send s = { .port = port };
	struct evtchn_unmask u = { .port = far };

	(void)state;
	memset(b->shared->evtchn_pending, 0, sizeof(b->shared->evtchn_pending));
	b->vcpu[0]->info->evtchn_upcall_pending = 0;
	b->vcpu[0]->info->evtchn_pending_sel = 0;
	b->shared->evtchn_mask[far / 64] |= 1ul << (far % 64);
	assert_int_equal(OP(va, send, &s), 0);
	assert_true(pending_2l(b, far));
	assert_int_equal(b->vcpu[0]->info->evtchn_upcall_pending, 0);
	assert_int_equal(OP(vb, unmask, &u), 0);
	assert_int_equal(b->vcpu[0]->info->evtchn_upcall_pending, 1);
}

static void test_permissions(void **state)
{
	struct evtchn_alloc_unbound u = { .dom = 2, .remote_dom = 1 };
	struct evtchn_bind_interdomain i = { .remote_dom = 1, .remote_port = 0 };
	struct evtchn_status st = { .dom = 2, .port = 1 };
	struct evtchn_reset r = { .dom = 2 };

	(void)state;
	assert_int_equal(OP(va, alloc_unbound, &u), -EPERM);
	assert_int_equal(OP(va, status, &st), -EPERM);
	assert_int_equal(OP(va, reset, &r), -EPERM);
	u.dom = 77;
	assert_int_equal(OP(va, alloc_unbound, &u), -ESRCH);
	/* A port that waits for another domain, port 0, and ports out of range cannot be bound. */
	i.remote_port = unbound(va, 3);
	vb = sim_run(b->vcpu[0], 1);
	assert_int_equal(OP(vb, bind_interdomain, &i), -EINVAL);
	i.remote_port = 0;
	assert_int_equal(OP(vb, bind_interdomain, &i), -EINVAL);
	i.remote_port = UINT32_MAX;
	assert_int_equal(OP(vb, bind_interdomain, &i), -EINVAL);
}

static void test_virq_ipi(void **state)
{
	struct evtchn_bind_virq q = { .virq = VIRQ_TIMER, .vcpu = 2 };
	struct evtchn_bind_ipi p = { .vcpu = 3 };
	struct evtchn_bind_vcpu bv;
	struct evtchn_send s;
	struct evtchn_close c;

	(void)state;
	assert_int_equal(OP(va, bind_virq, &q), 0);
	event_send_virq(a->vcpu[2], VIRQ_TIMER);
	assert_true(pending_2l(a, q.port));
	assert_int_equal(a->vcpu[2]->info->evtchn_upcall_pending, 1);
	/* Not twice, not out of range, global ones on vCPU 0 only, and a guest cannot send them itself. */
	assert_int_equal(OP(va, bind_virq, &q), -EEXIST);
	q.virq = NR_VIRQS;
	assert_int_equal(OP(va, bind_virq, &q), -EINVAL);
	q.virq = VIRQ_DOM_EXC;
	assert_int_equal(OP(va, bind_virq, &q), -EINVAL);
	q.virq = VIRQ_DEBUG;
	q.vcpu = 4;
	assert_int_equal(OP(va, bind_virq, &q), -ENOENT);
	s.port = a->vcpu[2]->virq_port[VIRQ_TIMER];
	assert_int_equal(OP(va, send, &s), -EINVAL);
	bv = (struct evtchn_bind_vcpu){ .port = s.port, .vcpu = 0 };
	assert_int_equal(OP(va, bind_vcpu, &bv), -EINVAL);
	c.port = s.port;
	assert_int_equal(OP(va, close, &c), 0);
	assert_int_equal(a->vcpu[2]->virq_port[VIRQ_TIMER], 0);
	event_send_virq(a->vcpu[2], VIRQ_TIMER);
	assert_false(pending_2l(a, c.port));

	assert_int_equal(OP(va, bind_ipi, &p), 0);
	s.port = p.port;
	assert_int_equal(OP(va, send, &s), 0);
	assert_int_equal(a->vcpu[3]->info->evtchn_upcall_pending, 1);
	p.vcpu = 99;
	assert_int_equal(OP(va, bind_ipi, &p), -ENOENT);
}

static void test_pirq(void **state)
{
	struct evtchn_bind_pirq p = { .pirq = 9 };
	struct evtchn_close c;

	(void)state;
	assert_int_equal(OP(va, bind_pirq, &p), 0);
	assert_int_equal(binds, 1);
	event_send_pirq(a, 9);
	assert_true(pending_2l(a, p.port));
	assert_int_equal(OP(va, bind_pirq, &p), -EEXIST);
	c.port = p.port;
	assert_int_equal(OP(va, close, &c), 0);
	assert_int_equal(unbinds, 1);
	event_send_pirq(a, 9);
	/* Refused by the interrupt's side: no port is left behind. */
	p.pirq = 13;
	assert_int_equal(OP(va, bind_pirq, &p), -EBUSY);
	p.pirq = 4096;
	assert_int_equal(OP(va, bind_pirq, &p), -EINVAL);
	p = (struct evtchn_bind_pirq){ .pirq = 9, .flags = 2 };
	assert_int_equal(OP(va, bind_pirq, &p), -EINVAL);
	assert_int_equal(unbound(va, 2), c.port);
}

static void test_exhaust(void **state)
{
	struct evtchn_alloc_unbound u = { .dom = DOMID_SELF, .remote_dom = 2 };
	struct evtchn_reset r = { .dom = DOMID_SELF };
	long rc;
	u32 n = 0;

	(void)state;
	while ((rc = OP(va, alloc_unbound, &u)) == 0)
		n++;
	assert_int_equal(rc, -ENOSPC);
	assert_true(n >= 127 && n <= 4095);
	sim_preempt_every(1);
	assert_int_equal(OP(va, reset, &r), 0);
	sim_preempt_every(0);
	assert_int_equal(OP(va, alloc_unbound, &u), 0);
	assert_int_equal(u.port, 1);
}

static void test_bad_memory(void **state)
{
	(void)state;
	/* Arguments in the hypervisor's range, unmapped, or read-only: -EFAULT, and no port is lost. */
	assert_int_equal(sim_call(va, do_event_channel_op, EVTCHNOP_send, HV_VIRT_START, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(sim_call(va, do_event_channel_op, EVTCHNOP_bind_ipi, 0x1000, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(sim_call(va, do_event_channel_op, 4711, sim_va(2), 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(sim_call(va, do_event_channel_op, EVTCHNOP_set_priority, sim_va(2), 0, 0, 0, 0), -ENOSYS);
}

/* --- FIFO --- */

#define W(page, port) (((u32 *)sim_page(a, (page)))[port])

static void fifo_start(void)
{
	struct evtchn_init_control c = { .control_gfn = sim_mfn(a, 10).v, .offset = 64, .vcpu = 0 };
	struct evtchn_expand_array e = { .array_gfn = sim_mfn(a, 11).v };

	assert_int_equal(OP(va, init_control, &c), 0);
	assert_int_equal(c.link_bits, EVTCHN_FIFO_LINK_BITS);
	assert_int_equal(OP(va, expand_array, &e), 0);
}

static struct evtchn_fifo_control_block *control(void)
{
	return (void *)((char *)sim_page(a, 10) + 64);
}

static u32 ipi_port(u32 vcpu)
{
	struct evtchn_bind_ipi p = { .vcpu = vcpu };

	assert_int_equal(OP(va, bind_ipi, &p), 0);
	return p.port;
}

static void test_fifo_order(void **state)
{
	u32 p[3];

	(void)state;
	fifo_start();
	for (int i = 0; i < 3; i++)
		p[i] = ipi_port(0);
	for (int i = 0; i < 3; i++) {
		struct evtchn_send s = { .port = p[i] };

		assert_int_equal(OP(va, send, &s), 0);
		assert_int_equal(OP(va, send, &s), 0);
	}
	assert_int_equal(control()->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	assert_int_equal(control()->head[EVTCHN_FIFO_PRIORITY_DEFAULT], p[0]);
	assert_int_equal(W(11, p[0]) & EVTCHN_FIFO_LINK_MASK, p[1]);
	assert_int_equal(W(11, p[1]) & EVTCHN_FIFO_LINK_MASK, p[2]);
	assert_int_equal(W(11, p[2]) & EVTCHN_FIFO_LINK_MASK, 0);
	assert_int_equal(a->vcpu[0]->info->evtchn_upcall_pending, 1);
}

static void test_fifo_priority_and_mask(void **state)
{
	struct evtchn_set_priority pr;
	struct evtchn_send s;
	struct evtchn_unmask u;

	(void)state;
	fifo_start();
	s.port = ipi_port(0);
	pr = (struct evtchn_set_priority){ .port = s.port, .priority = 2 };
	assert_int_equal(OP(va, set_priority, &pr), 0);
	pr.priority = 16;
	assert_int_equal(OP(va, set_priority, &pr), -EINVAL);
	W(11, s.port) |= 1u << EVTCHN_FIFO_MASKED;
	assert_int_equal(OP(va, send, &s), 0);
	assert_int_equal(control()->ready, 0);
	u.port = s.port;
	assert_int_equal(OP(va, unmask, &u), 0);
	assert_int_equal(control()->ready, 1u << 2);
	assert_int_equal(control()->head[2], s.port);
}

static void test_fifo_carries_over(void **state)
{
	u32 port = ipi_port(0);
	struct evtchn_send s = { .port = port };

	(void)state;
	assert_int_equal(OP(va, send, &s), 0);
	assert_true(pending_2l(a, port));
	fifo_start();
	assert_false(pending_2l(a, port));
	assert_int_equal(control()->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port);
}

static void test_fifo_hostile(void **state)
{
	struct evtchn_init_control c = { .control_gfn = sim_mfn(a, 10).v, .offset = 4, .vcpu = 0 };
	struct evtchn_expand_array e = { .array_gfn = sim_mfn(a, 12).v };
	struct evtchn_reset r = { .dom = DOMID_SELF };
	struct evtchn_send s;
	u32 p;

	(void)state;
	assert_int_equal(OP(va, expand_array, &e), -EOPNOTSUPP);
	assert_int_equal(OP(va, init_control, &c), -EINVAL);
	c.offset = 4096 - 8;
	assert_int_equal(OP(va, init_control, &c), -EINVAL);
	c.offset = 0;
	c.control_gfn = sim_mfn(b, 3).v;
	assert_int_equal(OP(va, init_control, &c), -EINVAL);
	c.control_gfn = ~0ul;
	assert_int_equal(OP(va, init_control, &c), -EINVAL);
	/* A page table may not be given as an event page: we would write to it. */
	c.control_gfn = sim_mfn(a, sim_table(a, 1, sim_va(0))).v;
	assert_int_equal(OP(va, init_control, &c), -EINVAL);
	c.control_gfn = sim_mfn(a, 10).v;
	c.vcpu = 4;
	assert_int_equal(OP(va, init_control, &c), -ENOENT);

	fifo_start();
	p = ipi_port(0);
	s.port = ipi_port(0);
	assert_int_equal(OP(va, send, &s), 0);
	/* The guest scribbles over words and heads: nothing outside its pages is touched, and sends still answer. */
	W(11, s.port) = UINT32_MAX;
	memset(control(), 0xff, sizeof(*control()));
	s.port = p;
	assert_int_equal(OP(va, send, &s), 0);
	W(11, p) = 0;
	assert_int_equal(OP(va, send, &s), 0);
	/* Pages registered are held: they become free for other use with the reset. */
	assert_int_equal(frame_type(frame_of(sim_mfn(a, 11))), FRAME_WRITABLE);
	assert_int_equal(OP(va, reset, &r), 0);
	fifo_start();
}

static void test_alloc_failures(void **state)
{
	(void)state;
	/* Each allocation of bringing up the FIFO ABI and a port table fails once; the n-th try gets further. */
	for (u32 n = 1; n < 16; n++) {
		struct evtchn_init_control c = { .control_gfn = sim_mfn(a, 10).v, .vcpu = 1 };
		long rc;

		sim_fail_alloc(n);
		rc = OP(va, init_control, &c);
		if (!sim_alloc_failed()) {
			assert_int_equal(rc, 0);
			sim_fail_alloc(0);
			return;
		}
		assert_int_equal(rc, -ENOMEM);
		assert_null(a->vcpu[1]->fifo);
		assert_int_not_equal(frame_type(frame_of(sim_mfn(a, 10))), FRAME_L1);
	}
	fail();
}

static void test_poll(void **state)
{
	u32 port = ipi_port(0), other = ipi_port(0);
	struct evtchn_send s = { .port = other };

	(void)state;
	a->shared->evtchn_mask[0] = ~0ul;
	a->vcpu[1]->pause_flags |= VPF_POLL;
	a->vcpu[1]->poll_port = port;
	a->poll_mask_count = 1;
	assert_int_equal(OP(va, send, &s), 0);
	assert_int_equal(sim_counts.unblocks, 0);
	s.port = port;
	assert_int_equal(OP(va, send, &s), 0);
	assert_int_equal(sim_counts.unblocks, 1);
	assert_true(event_port_pending(a, port));
	assert_int_equal(event_port_pending(a, 4711), -EINVAL);
	a->vcpu[1]->pause_flags &= ~VPF_POLL;
	a->poll_mask_count = 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_interdomain), T(test_masked), T(test_permissions), T(test_virq_ipi), T(test_pirq), T(test_exhaust),
		T(test_bad_memory), T(test_fifo_order), T(test_fifo_priority_and_mask), T(test_fifo_carries_over),
		T(test_fifo_hostile), T(test_alloc_failures), T(test_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
