/* SPDX-License-Identifier: BSD-2-Clause */
/* getdomaininfolist and getdomaininfo: as many as asked for, in order, and not one byte behind the buffer. */
#include <guest/domain.h>
#include <guest/guest.h>

#define DOMAINS 10
#define ROOM	32

static struct domain d;
static domid_t ids[DOMAINS];
static struct xen_domctl_getdomaininfo infos[ROOM];
static struct xen_sysctl sys;
static struct xen_domctl op;

static long list(domid_t first, u32 max, void *to)
{
	memset(infos, 0xa5, sizeof(infos));
	memset(&sys, 0, sizeof(sys));
	sys.u.getdomaininfolist.first_domain = first;
	sys.u.getdomaininfolist.max_domains = max;
	set_xen_guest_handle(sys.u.getdomaininfolist.buffer, to);
	return system_control(XEN_SYSCTL_getdomaininfolist, &sys);
}

void guest_main(void)
{
	unsigned int i, n;

	test_begin("lists");
	for (i = 0; i < DOMAINS; i++) {
		if (!expect_eq(domain_create(&d, &(struct domain_config){ .pages = 16, .vcpus = 1 + i }), 0))
			return;
		ids[i] = d.id;
	}
	expect_eq(list(0, ROOM, infos), 0);
	n = sys.u.getdomaininfolist.num_domains;
	expect_eq(n, DOMAINS + 1);
	for (i = 1; i < n; i++) {
		expect(infos[i].domain > infos[i - 1].domain);
		expect_eq(infos[i].tot_pages, 16);
		expect(infos[i].max_vcpu_id <= DOMAINS);
	}
	expect_eq(((u8 *)&infos[n])[0], 0xa5);
	expect_eq(list(ids[4], 3, infos), 0);
	expect_eq(sys.u.getdomaininfolist.num_domains, 3);
	expect_eq(infos[0].domain, ids[4]);
	expect_eq(((u8 *)&infos[3])[0], 0xa5);
	expect_eq(list(0, 0, infos), 0);
	expect_eq(sys.u.getdomaininfolist.num_domains, 0);
	expect(list(0, 5, (void *)HYPERVISOR_VIRT_START) < 0);
	expect(list(0, 0xffffffff, (void *)HYPERVISOR_VIRT_START) < 0);
	expect(list(0, 5, kernel_root()) < 0);
	for (i = 0; i < DOMAINS; i++)
		expect_eq(domain_control(XEN_DOMCTL_destroydomain, ids[i], &op), 0);
	expect(yield_until(list(0, ROOM, infos) == 0 && sys.u.getdomaininfolist.num_domains == 1, 5 * S));
}
