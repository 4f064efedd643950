/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain is destroyed at every stage of its life: nothing is left of it. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct domain d;
static struct xen_domctl op;

enum stage { CREATED, LOADED, CONTEXT, RUNNING, PAUSED, SHUT_DOWN, STAGES };

static void die_at(enum stage stage)
{
	size_t size;
	const void *image = boot_module(&size);

	if (!expect_eq(domain_create(&d, &(struct domain_config){ .vcpus = 2 }), 0))
		return;
	if (stage >= LOADED)
		expect_eq(domain_load(&d, image, size, ""), 0);
	if (stage >= CONTEXT)
		expect_eq(domain_context_set(&d), 0);
	if (stage >= RUNNING)
		expect_eq(domain_start(&d), 0);
	if (stage == PAUSED)
		expect_eq(domain_control(XEN_DOMCTL_pausedomain, d.id, &op), 0);
	if (stage == SHUT_DOWN)
		expect_eq(child_wait(&d, 5 * S), SHUTDOWN_poweroff);
	expect_eq(domain_destroy(&d), 0);
	expect_msg(yield_until(!domain_exists(d.id), 5 * S), "stage %u: the domain stays", stage);
}

void guest_main(void)
{
	enum stage stage;
	u64 before;

	if (!(start_info->flags & SIF_INITDOMAIN))
		guest_shutdown(SHUTDOWN_poweroff);
	test_begin("every stage once");
	for (stage = CREATED; stage < STAGES; stage++)
		die_at(stage);
	test_begin("and again, without loss");
	for (stage = CREATED; stage < STAGES; stage++) {
		before = free_pages();
		die_at(stage);
		expect_msg(yield_until(free_pages() >= before, 5 * S), "stage %u: %lu pages free before, %lu after", stage, before,
			   free_pages());
	}
}
