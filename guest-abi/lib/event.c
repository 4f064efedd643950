/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/event.h>
#include <guest/hypercall.h>
#include <guest/start.h>

#define WORD_BITS 64
#define PORTS	  4096

static struct { event_handler_t handler; void *arg; } ports[PORTS];
volatile u64 event_upcalls;

static void bit_set(volatile u64 *words, unsigned int bit)
{
	__asm__ volatile("lock bts %1, %0" : "+m"(*words) : "r"((u64)bit) : "memory");
}

static void bit_clear(volatile u64 *words, unsigned int bit)
{
	__asm__ volatile("lock btr %1, %0" : "+m"(*words) : "r"((u64)bit) : "memory");
}

static volatile u64 *pending_words(void)
{
	return (volatile u64 *)shared_info->evtchn_pending;
}

static volatile u64 *mask_words(void)
{
	return (volatile u64 *)shared_info->evtchn_mask;
}

void event_mask(evtchn_port_t port)
{
	bit_set(mask_words(), port);
}

int event_unmask(evtchn_port_t port)
{
	struct evtchn_unmask op = { .port = port };

	return (int)HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &op);
}

bool event_pending(evtchn_port_t port)
{
	return pending_words()[port / WORD_BITS] >> (port % WORD_BITS) & 1;
}

void event_clear(evtchn_port_t port)
{
	bit_clear(pending_words(), port);
}

int event_bind_virq(unsigned int virq, unsigned int vcpu)
{
	struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &op);

	if (ret)
		return (int)ret;
	event_mask(op.port);
	return (int)op.port;
}

int event_bind_ipi(unsigned int vcpu)
{
	struct evtchn_bind_ipi op = { .vcpu = vcpu };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &op);

	if (ret)
		return (int)ret;
	event_mask(op.port);
	return (int)op.port;
}

int event_alloc_unbound(domid_t dom, domid_t remote)
{
	struct evtchn_alloc_unbound op = { .dom = dom, .remote_dom = remote };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &op);

	if (ret)
		return (int)ret;
	/* Another domain's port is not in our mask. */
	if (dom == DOMID_SELF)
		event_mask(op.port);
	return (int)op.port;
}

int event_bind_interdomain(domid_t remote, evtchn_port_t port)
{
	struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = port };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &op);

	if (ret)
		return (int)ret;
	event_mask(op.local_port);
	return (int)op.local_port;
}

int event_close(evtchn_port_t port)
{
	struct evtchn_close op = { .port = port };

	ports[port].handler = NULL;
	return (int)HYPERVISOR_event_channel_op(EVTCHNOP_close, &op);
}

int event_send(evtchn_port_t port)
{
	struct evtchn_send op = { .port = port };

	return (int)HYPERVISOR_event_channel_op(EVTCHNOP_send, &op);
}

void event_handler_set(evtchn_port_t port, event_handler_t handler, void *arg)
{
	ports[port].arg = arg;
	ports[port].handler = handler;
}

bool upcalls_mask(void)
{
	volatile struct vcpu_info *info = vcpu_this()->info;
	bool was = info->evtchn_upcall_mask;

	info->evtchn_upcall_mask = 1;
	__asm__ volatile("" ::: "memory");
	return was;
}

void upcalls_unmask(void)
{
	volatile struct vcpu_info *info = vcpu_this()->info;

	__asm__ volatile("" ::: "memory");
	info->evtchn_upcall_mask = 0;
	/* Whatever came while it was set made no upcall: any hypercall delivers it now. */
	if (info->evtchn_upcall_pending)
		HYPERVISOR_xen_version(0, NULL);
}

static void word_dispatch(unsigned int word)
{
	for (;;) {
		u64 bits = pending_words()[word] & ~mask_words()[word];
		unsigned int port;

		if (!bits)
			return;
		port = word * WORD_BITS + (unsigned int)__builtin_ctzll(bits);
		bit_clear(pending_words(), port);
		if (port < PORTS && ports[port].handler)
			ports[port].handler(port, ports[port].arg);
		else
			event_mask(port);
	}
}

void event_dispatch(void)
{
	volatile struct vcpu_info *info = vcpu_this()->info;

	event_upcalls++;
	while (info->evtchn_upcall_pending) {
		u64 words = 0;

		info->evtchn_upcall_pending = 0;
		__asm__ volatile("xchg %0, %1" : "+r"(words), "+m"(info->evtchn_pending_sel) : : "memory");
		for (; words; words &= words - 1)
			word_dispatch((unsigned int)__builtin_ctzll(words));
	}
}
