/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels, FIFO layout: switching over, queues and their order, priorities, masks. */
#include <guest/guest.h>

#define PORTS 64

static struct evtchn_fifo_control_block *control;
static u32 *words;

static u32 word(evtchn_port_t port)
{
	return READ_ONCE(words[port]);
}

static void word_set(evtchn_port_t port, unsigned int bit)
{
	__asm__ volatile("lock bts %1, %0" : "+m"(words[port]) : "r"(bit) : "memory");
}

static void word_clear(evtchn_port_t port, unsigned int bit)
{
	__asm__ volatile("lock btr %1, %0" : "+m"(words[port]) : "r"(bit) : "memory");
}

/* Takes the first port of a queue off it, as a guest's upcall does; 0 when it is empty. */
static evtchn_port_t take(unsigned int queue)
{
	u32 port = READ_ONCE(control->head[queue]), w;

	if (!port)
		return 0;
	w = word(port);
	while (!__atomic_compare_exchange_n(&words[port], &w, w & ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK),
					    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	control->head[queue] = w & EVTCHN_FIFO_LINK_MASK;
	if (w >> EVTCHN_FIFO_PENDING & 1)
		word_clear(port, EVTCHN_FIFO_PENDING);
	return port;
}

static evtchn_port_t new_port(void)
{
	int port = event_bind_ipi(0);

	require(port);
	return (evtchn_port_t)port;
}

static bool set_up(void)
{
	struct evtchn_init_control init = { .vcpu = 0 };
	struct evtchn_expand_array expand;

	test_begin("switch over");
	control = page_alloc();
	words = page_alloc();
	init.control_gfn = va_mfn(control);
	if (!expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &init), 0))
		return false;
	expect_eq(init.link_bits, EVTCHN_FIFO_LINK_BITS);
	expand.array_gfn = va_mfn(words);
	return expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &expand), 0);
}

static void test_order(void)
{
	evtchn_port_t a = new_port(), b = new_port(), c = new_port();

	test_begin("order");
	word_clear(a, EVTCHN_FIFO_MASKED);
	word_clear(b, EVTCHN_FIFO_MASKED);
	word_clear(c, EVTCHN_FIFO_MASKED);
	event_send(b);
	event_send(c);
	event_send(a);
	event_send(b); /* is in the queue already */
	expect(vcpu_this()->info->evtchn_upcall_pending);
	expect_eq(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	control->ready = 0;
	expect_eq(take(EVTCHN_FIFO_PRIORITY_DEFAULT), b);
	expect_eq(take(EVTCHN_FIFO_PRIORITY_DEFAULT), c);
	expect_eq(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
	expect_eq(take(EVTCHN_FIFO_PRIORITY_DEFAULT), 0);
	expect_eq(word(a) | word(b) | word(c), 0);
	vcpu_this()->info->evtchn_upcall_pending = 0;
	event_send(a);
	expect_eq(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
	control->ready = 0;
	event_close(a);
	event_close(b);
	event_close(c);
}

static void test_priority(void)
{
	evtchn_port_t a = new_port();
	struct evtchn_set_priority op = { .port = a, .priority = 3 };

	test_begin("priorities");
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &op), 0);
	word_clear(a, EVTCHN_FIFO_MASKED);
	event_send(a);
	expect_eq(control->ready, 1u << 3);
	control->ready = 0;
	expect_eq(take(3), a);
	op.priority = 16;
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &op), -XEN_EINVAL);
	event_close(a);
}

static void test_mask(void)
{
	evtchn_port_t a = new_port();

	test_begin("masks");
	word_set(a, EVTCHN_FIFO_MASKED);
	vcpu_this()->info->evtchn_upcall_pending = 0;
	event_send(a);
	expect(word(a) >> EVTCHN_FIFO_PENDING & 1);
	expect(!(word(a) >> EVTCHN_FIFO_LINKED & 1));
	expect(!vcpu_this()->info->evtchn_upcall_pending);
	expect_eq(event_unmask(a), 0);
	expect(word(a) >> EVTCHN_FIFO_LINKED & 1);
	expect(!(word(a) >> EVTCHN_FIFO_MASKED & 1));
	expect(vcpu_this()->info->evtchn_upcall_pending);
	expect_eq(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
	control->ready = 0;
	event_close(a);
}

static void test_reset(void)
{
	struct evtchn_reset op = { .dom = DOMID_SELF };
	int port;

	test_begin("back to two levels");
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_reset, &op), 0);
	port = event_bind_ipi(0);
	require(port);
	event_send((evtchn_port_t)port);
	expect(event_pending((evtchn_port_t)port));
	event_close((evtchn_port_t)port);
	expect_eq(word((evtchn_port_t)port), 0);
}

void guest_main(void)
{
	if (!set_up())
		return;
	test_order();
	test_priority();
	test_mask();
	test_reset();
}
