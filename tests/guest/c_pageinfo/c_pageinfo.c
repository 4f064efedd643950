/* SPDX-License-Identifier: BSD-2-Clause */
/* getpageframeinfo3 and getmemlist-like questions: types of a domain's frames, and lists that lie. */
#include <guest/domain.h>
#include <guest/guest.h>

#define MANY 1025

static struct domain d;
static struct xen_domctl op;
static xen_pfn_t list[MANY];

static long info(u64 n, xen_pfn_t *array)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.getpageframeinfo3.num = n;
	set_xen_guest_handle(op.u.getpageframeinfo3.array, array);
	return domain_control(XEN_DOMCTL_getpageframeinfo3, d.id, &op);
}

void guest_main(void)
{
	const void *image;
	size_t size;

	if (!(start_info->flags & SIF_INITDOMAIN))
		guest_shutdown(SHUTDOWN_poweroff);
	test_begin("types");
	image = boot_module(&size);
	if (!expect_eq(domain_create(&d, &(struct domain_config){ 0 }), 0) || !expect_eq(domain_load(&d, image, size, ""), 0) ||
	    !expect_eq(domain_context_set(&d), 0))
		return;
	list[0] = d.frames[d.root_pfn];
	list[1] = d.frames[d.root_pfn + 1];
	list[2] = d.frames[d.root_pfn + 2];
	list[3] = d.frames[d.root_pfn + 3];
	list[4] = d.frames[d.stack_pfn];
	list[5] = 0xfffffff;
	list[6] = va_mfn(list);
	list[7] = ~0UL;
	if (expect_eq(info(8, list), 0)) {
		expect_eq(list[0] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK, XEN_DOMCTL_PFINFO_L4TAB);
		expect_eq(list[1] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK, XEN_DOMCTL_PFINFO_L3TAB);
		expect_eq(list[2] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK, XEN_DOMCTL_PFINFO_L2TAB);
		expect_eq(list[3] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK, XEN_DOMCTL_PFINFO_L1TAB);
		expect_eq(list[4] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_NOTAB);
		/* Not of this domain. */
		expect_eq(list[5] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_XTAB);
		expect_eq(list[6] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_XTAB);
		expect_eq(list[7] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_XTAB);
	}
	test_begin("lists that lie");
	memset(list, 0, sizeof(list));
	expect_eq(info(1024, list), 0);
	expect(info(MANY, list) < 0);
	expect(info(1UL << 32, list) < 0);
	expect(info(~0UL, list) < 0);
	expect(info(16, (xen_pfn_t *)HYPERVISOR_VIRT_START) < 0);
	expect(info(16, (xen_pfn_t *)0x800000000000UL) < 0);
	expect_eq(domain_destroy(&d), 0);
}
