/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains until there is no memory left: the last one is refused cleanly, and all memory comes back. */
#include <guest/domain.h>
#include <guest/guest.h>

#define MANY 96

static domid_t ids[MANY];
static struct domain d;

static unsigned int fill(unsigned int pages)
{
	unsigned int n;

	for (n = 0; n < MANY; n++) {
		int ret = domain_create(&d, &(struct domain_config){ .pages = pages, .vcpus = 4 });

		if (ret) {
			expect_msg(ret == -XEN_ENOMEM || ret == -XEN_EINVAL, "refused with %d", ret);
			break;
		}
		ids[n] = d.id;
	}
	return n;
}

static void empty(unsigned int n)
{
	static struct xen_domctl op;
	unsigned int i;

	for (i = 0; i < n; i++)
		expect_eq(domain_control(XEN_DOMCTL_destroydomain, ids[i], &op), 0);
	for (i = 0; i < n; i++)
		expect(yield_until(!domain_exists(ids[i]), 5 * S));
}

void guest_main(void)
{
	unsigned int n, last;
	u64 before;

	test_begin("until memory is used up");
	n = fill(4096);
	expect_msg(n > 3 && n < MANY, "%u domains", n);
	/* What is left goes to small ones. */
	empty(n);
	before = free_pages();
	last = fill(4096);
	expect_eq(last, n);
	expect(free_pages() < 8192);
	expect_eq(HYPERVISOR_xen_version(0, NULL), 4 << 16 | 17);
	empty(last);
	expect_msg(yield_until(free_pages() >= before, 5 * S), "%lu pages free before, %lu after", before, free_pages());
	test_begin("again");
	expect_eq(fill(4096), n);
	empty(n);
}
