/* SPDX-License-Identifier: BSD-2-Clause */
/* Two hundred domains, one after the other and a dozen at a time: numbers are not used twice at once, nothing is lost. */
#include <guest/domain.h>
#include <guest/guest.h>

#define AT_ONCE 12
#define ROUNDS	16

static struct domain d[AT_ONCE];

void guest_main(void)
{
	unsigned int round, i, k;
	u64 before = 0;

	if (!(start_info->flags & SIF_INITDOMAIN))
		guest_shutdown(SHUTDOWN_poweroff);
	test_begin("many domains");
	for (round = 0; round < ROUNDS; round++) {
		if (round == 1)
			before = free_pages();
		for (i = 0; i < AT_ONCE; i++) {
			if (!expect_eq(child_start(&d[i], &(struct domain_config){ .pages = 2048, .vcpus = 1 + i % 3 }, ""), 0))
				return;
			for (k = 0; k < i; k++)
				expect(d[k].id != d[i].id);
		}
		for (i = 0; i < AT_ONCE; i++) {
			expect_eq(child_wait(&d[i], 10 * S), SHUTDOWN_poweroff);
			expect_eq(domain_destroy(&d[i]), 0);
		}
		for (i = 0; i < AT_ONCE; i++)
			expect(yield_until(!domain_exists(d[i].id), 5 * S));
	}
	expect_msg(yield_until(free_pages() >= before, 5 * S), "%lu pages free before, %lu after", before, free_pages());
}
