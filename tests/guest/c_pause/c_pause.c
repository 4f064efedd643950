/* SPDX-License-Identifier: BSD-2-Clause */
/* Pausing counts; a domain that is paused does not run, whatever is sent to it; shut down and resumed it goes on. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct domain d;
static struct xen_domctl op;

static volatile u64 *beat_page;

static void child(void)
{
	/* The page after start_info is the console's: its last bytes are nobody's. */
	volatile u64 *beat = (volatile u64 *)((u64)start_info + 2 * PAGE_SIZE - 8);

	for (;;) {
		++*beat;
		if (*beat == 1000)
			HYPERVISOR_sched_op(SCHEDOP_shutdown, &(struct sched_shutdown){ .reason = SHUTDOWN_suspend });
	}
}

static u64 beat(void)
{
	return READ_ONCE(beat_page[PAGE_SIZE / 8 - 1]);
}

static bool runs(void)
{
	u64 before = beat();

	return yield_until(beat() != before, 50 * MS);
}

void guest_main(void)
{
	unsigned int i;

	if (!(start_info->flags & SIF_INITDOMAIN))
		child();
	test_begin("suspended and resumed");
	if (!expect_eq(child_start(&d, &(struct domain_config){ 0 }, ""), 0))
		return;
	beat_page = (volatile u64 *)d.console;
	expect_eq(child_wait(&d, 10 * S), SHUTDOWN_suspend);
	expect_eq(beat(), 1000);
	expect(!runs());
	expect_eq(domain_control(XEN_DOMCTL_resumedomain, d.id, &op), 0);
	expect(runs());
	expect(!(domain_state(d.id) & XEN_DOMINF_shutdown));
	test_begin("paused");
	for (i = 0; i < 5; i++)
		expect_eq(domain_control(XEN_DOMCTL_pausedomain, d.id, &op), 0);
	expect(domain_state(d.id) & XEN_DOMINF_paused);
	for (i = 0; i < 5; i++) {
		expect(!runs());
		event_send(d.console_port);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
		expect_eq(domain_control(XEN_DOMCTL_unpausedomain, d.id, &op), 0);
	}
	expect(runs());
	/* Once more than it was paused. */
	expect(domain_control(XEN_DOMCTL_unpausedomain, d.id, &op) < 0);
	expect(domain_control(XEN_DOMCTL_unpausedomain, 0, &op) < 0);
	expect(runs());
	expect_eq(domain_destroy(&d), 0);
}
