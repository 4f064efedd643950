/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_version, all its forms, and calls that do not exist. */
#include <guest/guest.h>
#include <xen/version.h>

static struct {
	xen_extraversion_t extra;
	xen_capabilities_info_t caps;
	xen_changeset_info_t changeset;
	xen_commandline_t cmdline;
	xen_domain_handle_t handle;
	struct xen_compile_info compile;
} v;

static bool ends(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (!text[i])
			return true;
	return false;
}

static void test_strings(void)
{
	long ret;

	test_begin("version and strings");
	ret = HYPERVISOR_xen_version(XENVER_version, NULL);
	expect_eq(ret, 4 << 16 | 17);
	expect_eq(HYPERVISOR_xen_version(XENVER_extraversion, v.extra), 0);
	expect(ends(v.extra, sizeof(v.extra)));
	expect_eq(HYPERVISOR_xen_version(XENVER_compile_info, &v.compile), 0);
	expect(v.compile.compiler[0] && ends(v.compile.compiler, sizeof(v.compile.compiler)));
	expect(ends(v.compile.compile_date, sizeof(v.compile.compile_date)));
	expect_eq(HYPERVISOR_xen_version(XENVER_capabilities, v.caps), 0);
	expect_msg(memcmp(v.caps, "xen-3.0-x86_64 ", 15) == 0, "capabilities '%s'", v.caps);
	expect_eq(HYPERVISOR_xen_version(XENVER_changeset, v.changeset), 0);
	expect(ends(v.changeset, sizeof(v.changeset)));
	expect_eq(HYPERVISOR_xen_version(XENVER_commandline, v.cmdline), 0);
	expect(ends(v.cmdline, sizeof(v.cmdline)));
	expect_eq(HYPERVISOR_xen_version(XENVER_guest_handle, v.handle), 0);
	print("%ld.%ld%s, %s, built by %s\n", ret >> 16, ret & 0xffff, v.extra, v.changeset, v.compile.compiler);
}

static void test_features(void)
{
	struct xen_feature_info info = { .submap_idx = 0 };
	struct xen_platform_parameters pp;

	test_begin("features and parameters");
	expect_eq(HYPERVISOR_xen_version(XENVER_get_features, &info), 0);
	expect(info.submap >> XENFEAT_mmu_pt_update_preserve_ad & 1);
	expect(info.submap >> XENFEAT_pae_pgdir_above_4gb & 1);
	expect(info.submap >> XENFEAT_gnttab_map_avail_bits & 1);
	expect(!(info.submap >> XENFEAT_auto_translated_physmap & 1));
	expect(!(info.submap >> XENFEAT_writable_page_tables & 1));
	expect_eq(info.submap >> XENFEAT_dom0 & 1, !!(start_info->flags & SIF_INITDOMAIN));
	info.submap_idx = XENFEAT_NR_SUBMAPS;
	expect_eq(HYPERVISOR_xen_version(XENVER_get_features, &info), -XEN_EINVAL);
	expect_eq(HYPERVISOR_xen_version(XENVER_platform_parameters, &pp), 0);
	expect_eq(pp.virt_start, HYPERVISOR_VIRT_START);
	expect_eq(HYPERVISOR_xen_version(XENVER_pagesize, NULL), 4096);
}

static void test_build_id(void)
{
	static struct { u32 len; u8 buf[64]; } id = { .len = sizeof(id.buf) };
	long n = HYPERVISOR_xen_version(XENVER_build_id, NULL);

	test_begin("build id");
	if (n == -XEN_ENODATA) {
		test_skip("the hypervisor has none");
		return;
	}
	expect_msg(n > 0 && n <= (long)sizeof(id.buf), "length %ld", n);
	expect_eq(HYPERVISOR_xen_version(XENVER_build_id, &id), n);
	id.len = 1;
	expect_eq(HYPERVISOR_xen_version(XENVER_build_id, &id), -XEN_ENOBUFS);
}

static void test_errors(void)
{
	test_begin("calls that do not exist");
	expect_eq(HYPERVISOR_xen_version(99, NULL), -XEN_ENOSYS);
	expect_eq(hypercall_direct(63, 0, 0, 0, 0, 0), -XEN_ENOSYS);
	expect_eq(hypercall_direct(64, 0, 0, 0, 0, 0), -XEN_ENOSYS);
	expect_eq(hypercall_direct(0xffffffff, 0, 0, 0, 0, 0), -XEN_ENOSYS);
	expect_eq(hypercall_direct(11, 0, 0, 0, 0, 0), -XEN_ENOSYS);
	/* The number is %eax: the upper half of %rax does not count. */
	expect_eq(HYPERVISOR_xen_version(XENVER_extraversion, (void *)0x10), -XEN_EFAULT);
	expect_eq(HYPERVISOR_xen_version(XENVER_extraversion, (void *)HYPERVISOR_VIRT_START), -XEN_EFAULT);
}

void guest_main(void)
{
	test_strings();
	test_features();
	test_build_id();
	test_errors();
}
