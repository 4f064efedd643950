/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: sent, and delivered to a handler that does no more than it must. */
#include "paths.h"

#include <xen/callback.h>

/*
 * Clears what the event set and goes back. Nothing else is pending. The frame of an event has rcx and r11 below rip; the iret
 * hypercall expects rax, r11, rcx and flags there.
 */
#define EVENT_HANDLER 12	/* its instructions, without the hypercall */
__asm__(".text\n"
	".balign 32\n"
	"event_entry:\n\t"
	"mov (%rsp), %rcx\n\t"
	"mov event_info(%rip), %r11\n\t"
	"movb $0, (%r11)\n\t"
	"movq $0, 8(%r11)\n\t"
	"mov event_word(%rip), %r11\n\t"
	"movq $0, (%r11)\n\t"
	"mov 8(%rsp), %r11\n\t"
	"mov %rcx, (%rsp)\n\t"
	"movq $0, 8(%rsp)\n\t"
	"push %r11\n\t"
	"push %rax\n\t"
	"mov $23, %eax\n\t"
	"syscall\n\t"
	"ud2\n");
extern char event_entry[];
void trap_entry_event(void);

volatile void *event_info;
volatile u64 *event_word;
static struct evtchn_send to_send;
static evtchn_port_t local, remote;

static bool setup_send(void)
{
	int a = event_alloc_unbound(DOMID_SELF, 0), b;

	if (!require(a))
		return false;
	b = event_bind_interdomain(0, (evtchn_port_t)a);
	if (!require(b))
		return false;
	local = (evtchn_port_t)a;
	remote = (evtchn_port_t)b;
	event_mask(remote);
	event_mask(local);
	event_clear(remote);
	event_clear(local);
	to_send.port = local;
	event_word = (volatile u64 *)&shared_info->evtchn_pending[remote / 64];
	event_info = vcpu_this()->info;
	return true;
}

static void finish_send(void)
{
	upcalls_mask();
	event_mask(remote);
	event_close(local);
	event_close(remote);
	*event_word = 0;
}

static u64 run_masked(unsigned int n)
{
	u64 bad = 0;

	while (n--) {
		*event_word = 0;
		bad |= ENTER(event_channel_op, EVTCHNOP_send, &to_send, 0, 0);
	}
	return bad;
}

/* As a sender that is faster than its peer has it: the port is pending already. */
static u64 run_pending(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(event_channel_op, EVTCHNOP_send, &to_send, 0, 0);
	return bad;
}

static void callback_set(const void *entry)
{
	struct callback_register cb = { .type = CALLBACKTYPE_event, .address = (u64)entry };

	require(HYPERVISOR_callback_op(CALLBACKOP_register, &cb));
}

static bool setup_upcall(void)
{
	if (!setup_send())
		return false;
	callback_set(event_entry);
	shared_info->evtchn_mask[remote / 64] &= ~(1UL << remote % 64);
	upcalls_unmask();
	return true;
}

static void finish_upcall(void)
{
	finish_send();
	callback_set((const void *)trap_entry_event);
}

/* To itself by an IPI port: what kernels send most. */
static bool setup_ipi(void)
{
	int port = event_bind_ipi(0);

	if (!require(port) || !setup_upcall())
		return false;
	to_send.port = (evtchn_port_t)port;
	event_word = (volatile u64 *)&shared_info->evtchn_pending[port / 64];
	shared_info->evtchn_mask[port / 64] &= ~(1UL << port % 64);
	return true;
}

static void finish_ipi(void)
{
	event_close(to_send.port);
	finish_upcall();
}

static u64 run_unmask(unsigned int n)
{
	struct evtchn_unmask op = { .port = remote };
	u64 bad = 0;

	while (n--)
		bad |= ENTER(event_channel_op, EVTCHNOP_unmask, &op, 0, 0);
	return bad;
}

/* Blocks with an event pending: it goes on at once. */
static bool setup_block(void)
{
	if (!setup_send())
		return false;
	callback_set(event_entry);
	return true;
}

static u64 run_block(unsigned int n)
{
	volatile struct vcpu_info *info = vcpu_this()->info;
	u64 bad = 0;

	while (n--) {
		info->evtchn_upcall_mask = 1;
		info->evtchn_upcall_pending = 1;
		bad |= ENTER(sched_op, SCHEDOP_block, 0, 0, 0);
	}
	info->evtchn_upcall_pending = 0;
	return bad;
}

const struct path paths_event[] = {
	{ "event_send_masked", .table = true, .setup = setup_send, .run = run_masked, .finish = finish_send },
	{ "event_send_pending", .setup = setup_send, .run = run_pending, .finish = finish_send },
	{ "event_send_upcall", .table = true, .handler = EVENT_HANDLER, .setup = setup_upcall, .run = run_pending,
	  .finish = finish_upcall },
	{ "event_ipi_upcall", .handler = EVENT_HANDLER, .setup = setup_ipi, .run = run_pending, .finish = finish_ipi },
	{ "event_unmask", .setup = setup_send, .run = run_unmask, .finish = finish_send },
	{ "block_with_event", .handler = EVENT_HANDLER, .setup = setup_block, .run = run_block, .finish = finish_upcall },
	{ 0 },
};
