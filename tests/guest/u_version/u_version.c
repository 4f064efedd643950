/* SPDX-License-Identifier: BSD-2-Clause */
/* What a domain without privileges learns of the hypervisor: what it needs, not its command line or build. */
#include <guest/guest.h>
#include <xen/version.h>

static u8 buf[PAGE_SIZE];

static bool has(const char *text)
{
	size_t n = strlen(text), i;

	for (i = 0; i + n <= sizeof(buf); i++)
		if (memcmp(buf + i, text, n) == 0)
			return true;
	return false;
}

void guest_main(void)
{
	struct xen_feature_info features = { 0 };
	u32 i;

	test_begin("what everyone may know");
	expect_eq(HYPERVISOR_xen_version(XENVER_version, NULL), 4 << 16 | 17);
	expect_eq(HYPERVISOR_xen_version(XENVER_get_features, &features), 0);
	expect(features.submap != 0);
	expect_eq(HYPERVISOR_xen_version(XENVER_pagesize, NULL), PAGE_SIZE);
	/* Not dom0's. */
	expect(!(features.submap >> XENFEAT_dom0 & 1));
	test_begin("what is not for everyone");
	HYPERVISOR_xen_version(XENVER_commandline, buf);
	expect_msg(!has("com1") && !has("dom0_mem"), "the command line is readable: %s", (char *)buf);
	memset(buf, 0, sizeof(buf));
	expect(HYPERVISOR_xen_version(XENVER_build_id, buf) < 0);
	for (i = 12; i < 40; i++)
		expect_msg(HYPERVISOR_xen_version(i, buf) < 0, "sub-operation %u", i);
}
