/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels that leave the hypervisor no place to deliver an exception or an event: each dies alone. */
#include <guest/guest.h>
#include <xen/callback.h>

enum { ALIVE = 1, SURVIVED = 8 };

static void callback_set(u16 type, u64 address)
{
	struct callback_register cb = { .type = type, .address = address };

	require(HYPERVISOR_callback_op(CALLBACKOP_register, &cb));
}

/* An exception in the kernel with a stack that is not there. */
static void stack_unmapped(void)
{
	__asm__ volatile("mov %0, %%rsp; ud2" : : "r"(0x5000UL) : "memory");
}

/* An event callback where no code is. */
static void callback_unmapped(void)
{
	int port = event_bind_ipi(0);

	callback_set(CALLBACKTYPE_event, 0x6000);
	event_unmask((evtchn_port_t)port);
	trap_handler_set(TRAP_PAGE_FAULT, NULL);
	vcpu_this()->info->evtchn_upcall_mask = 0;
	/* The page fault there has a handler, which unmasks: over and over, until the stack is used up. */
	event_send((evtchn_port_t)port);
}

/* A stack in the hypervisor's memory, or not canonical. */
static void stack_hypervisor(void)
{
	__asm__ volatile("mov %0, %%rsp; ud2" : : "r"(HYPERVISOR_VIRT_START + 0x1000) : "memory");
}

static void victim(void)
{
	group_post(ALIVE + group_role(), 1);
	if (group_role() == 1)
		stack_unmapped();
	else if (group_role() == 2)
		callback_unmapped();
	else
		stack_hypervisor();
	group_post(SURVIVED + group_role(), 1);
	test_finish();
}

void guest_main(void)
{
	unsigned int role;

	test_begin("deaths");
	if (!require(group_join()))
		return;
	if (group_role() != 0) {
		victim();
		return;
	}
	for (role = 1; role < 4; role++) {
		expect(group_wait(ALIVE + role));
		expect_msg(yield_until(event_bind_interdomain(group_domain(role), 1) == -XEN_ESRCH, 30 * S), "domain %u lives", role);
		expect_msg(!group_look(SURVIVED + role), "domain %u survived", role);
	}
}
