/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels that take their own ground away: code unmapped, an empty root, a stack for traps from user mode that is not there. */
#include <guest/guest.h>

enum { ALIVE = 1, SURVIVED = 8 };

static void code_unmapped(void)
{
	/* The page that this code is in. */
	va_map((void *)((u64)code_unmapped & PAGE_MASK), 0);
	va_map((void *)((u64)&HYPERVISOR_xen_version & PAGE_MASK), 0);
}

static void root_empty(void)
{
	u64 *root = page_alloc();

	require(table_pin(root, 4));
	mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(root));
}

static void user_without_stack(void)
{
	static const u8 code[] = { 0x0f, 0x0b };
	struct trap_frame f;

	require(user_init());
	require(user_load(code, sizeof(code)));
	HYPERVISOR_stack_switch(FLAT_KERNEL_SS, 0x5000);
	user_frame(&f, 0, 0);
	user_run(&f);
}

static void victim(void)
{
	group_post(ALIVE + group_role(), 1);
	if (group_role() == 1)
		code_unmapped();
	else if (group_role() == 2)
		root_empty();
	else
		user_without_stack();
	group_post(SURVIVED + group_role(), 1);
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
