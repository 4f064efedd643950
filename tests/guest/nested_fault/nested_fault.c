/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions inside of exception handlers and of event callbacks: each is delivered, and everything is returned to. */
#include <guest/guest.h>

#define DEPTH 6

static unsigned int depth, returned, events, in_event;
static u64 *gone;

/* Faults again in its own handler, at the next address down, until it is deep enough; then the page is there. */
static bool fault(struct trap_frame *f)
{
	u64 cr2 = vcpu_this()->info->arch.cr2;

	expect_eq(cr2, (u64)(gone + depth));
	if (++depth < DEPTH)
		(void)READ_ONCE(gone[depth]);
	else
		require(va_map(gone, mfn_pte(va_mfn(gone), PTE_KERNEL)));
	returned++;
	(void)f;
	return true;
}

static bool undefined(struct trap_frame *f)
{
	f->rip += 2;
	in_event++;
	return true;
}

static void event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	events++;
	__asm__ volatile("ud2");
	__asm__ volatile("ud2");
	/* With upcalls masked, as they are in here: this one waits. */
	if (events < 3)
		expect_eq(event_send(port), 0);
}

void guest_main(void)
{
	int port = event_bind_ipi(0);

	test_begin("page faults in the page-fault handler");
	gone = page_alloc();
	gone[0] = 0x77;
	trap_handler_set(TRAP_PAGE_FAULT, fault);
	require(va_map(gone, 0));
	expect_eq(READ_ONCE(gone[0]), 0x77);
	expect_eq(depth, DEPTH);
	expect_eq(returned, DEPTH);
	trap_handler_set(TRAP_PAGE_FAULT, NULL);
	test_begin("exceptions in the event callback");
	trap_handler_set(TRAP_INVALID_OP, undefined);
	if (!require(port))
		return;
	event_handler_set((evtchn_port_t)port, event, NULL);
	event_unmask((evtchn_port_t)port);
	upcalls_unmask();
	expect_eq(event_send((evtchn_port_t)port), 0);
	expect(spin_until(events == 3, S));
	upcalls_mask();
	expect_eq(in_event, 6);
	expect_eq(events, 3);
}
