/* SPDX-License-Identifier: BSD-2-Clause */
/* All of a domain's memory made into page tables and back, twice: types and pins, and long operations that can be interrupted. */
#include <guest/guest.h>

#define TABLES 1000

static u64 list[TABLES];
static struct mmuext_op ops[TABLES];
static volatile unsigned int ticks;

static void tick(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ticks++;
	timer_set(time_now() + MS);
}

static unsigned int pin_all(unsigned int cmd)
{
	unsigned int i, done = 0;

	for (i = 0; i < TABLES; i++)
		ops[i] = (struct mmuext_op){ .cmd = cmd, .arg1.mfn = list[i] };
	expect_eq(HYPERVISOR_mmuext_op(ops, TABLES, &done, DOMID_SELF), 0);
	return done;
}

void guest_main(void)
{
	u64 *window = page_alloc(), first = start_info->nr_pages - TABLES;
	unsigned int i, round;
	int port = event_bind_virq(VIRQ_TIMER, 0);

	test_begin("set up");
	if (!require(port))
		return;
	event_handler_set((evtchn_port_t)port, tick, NULL);
	event_unmask((evtchn_port_t)port);
	/* Pages that nothing maps, each full of entries for one page. */
	for (i = 0; i < TABLES; i++) {
		unsigned int k;

		list[i] = pfn_mfn(first + i);
		if (!require(va_map(window, mfn_pte(list[i], PTE_KERNEL))))
			return;
		for (k = 0; k < 512; k++)
			window[k] = mfn_pte(va_mfn(list), PTE_READONLY);
	}
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
	upcalls_unmask();
	timer_set(time_now() + MS);
	for (round = 0; round < 2; round++) {
		test_begin(round ? "again" : "all of them tables");
		expect_eq(pin_all(MMUEXT_PIN_L1_TABLE), TABLES);
		for (i = 0; i < TABLES; i += 77)
			expect(va_map(window, mfn_pte(list[i], PTE_KERNEL)) < 0);
		expect_eq(pin_all(MMUEXT_UNPIN_TABLE), TABLES);
		for (i = 0; i < TABLES; i += 77)
			expect_eq(va_map(window, mfn_pte(list[i], PTE_KERNEL)), 0);
		require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
	}
	upcalls_mask();
	expect_msg(ticks > 2, "%u ticks meanwhile", ticks);
}
