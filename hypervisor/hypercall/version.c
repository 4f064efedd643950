/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_version: what the hypervisor is and can do. */
#include <hv/boot.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/string.h>
#include <xen/features.h>
#include <xen/version.h>
#include "hypercall_private.h"

/* What a domain gets that may not know: it is about the host, not about the interface. */
#define DENIED "<denied>"

static long text_out(struct vcpu *v, gva_t to, const char *text, size_t size)
{
	char buf[128] = "";

	/* The structure is larger than any text that we have: the rest is zeroes. */
	strlcpy(buf, text, sizeof(buf));
	if (guest_copy_out(v, to, buf, MIN(size, sizeof(buf))))
		return -EFAULT;
	return size > sizeof(buf) ? guest_clear(v, to + sizeof(buf), size - sizeof(buf)) : 0;
}

static long version_compile_info(struct vcpu *v, gva_t arg)
{
	/* Builds are reproducible: who made it, where and when are not in it. */
	struct xen_compile_info info = { .compile_by = "argon" };

	strlcpy(info.compiler, VERSION_COMPILER, sizeof(info.compiler));
	return guest_copy_out(v, arg, &info, sizeof(info));
}

static long version_features(struct vcpu *v, gva_t arg)
{
	struct xen_feature_info info;

	if (guest_copy_in(v, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	info.submap = 1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_gnttab_map_avail_bits |
		      1u << XENFEAT_memory_op_vnode_supported | 1u << XENFEAT_pae_pgdir_above_4gb;
	if (v->domain == dom0)
		info.submap |= 1u << XENFEAT_dom0;
	return guest_copy_out(v, arg, &info, sizeof(info));
}

static long version_platform_parameters(struct vcpu *v, gva_t arg)
{
	struct xen_platform_parameters p = { .virt_start = HV_VIRT_START };

	return guest_copy_out(v, arg, &p, sizeof(p));
}

static long version_commandline(struct vcpu *v, gva_t arg)
{
	xen_commandline_t line = "";

	strlcpy(line, !is_privileged(v) ? DENIED : boot_info.cmdline ? boot_info.cmdline : "", sizeof(line));
	return guest_copy_out(v, arg, line, sizeof(line));
}

static noinline_fn long version_rest(struct vcpu *v, const u64 *args)
{
	gva_t arg = args[1];

	switch ((u32)args[0]) {
	case XENVER_extraversion:
		return text_out(v, arg, VERSION_EXTRA, XEN_EXTRAVERSION_LEN);
	case XENVER_compile_info:
		return version_compile_info(v, arg);
	case XENVER_capabilities:
		return text_out(v, arg, "xen-3.0-x86_64 ", XEN_CAPABILITIES_INFO_LEN);
	case XENVER_changeset:
		return text_out(v, arg, is_privileged(v) ? "" : DENIED, XEN_CHANGESET_INFO_LEN);
	case XENVER_platform_parameters:
		return version_platform_parameters(v, arg);
	case XENVER_get_features:
		return version_features(v, arg);
	case XENVER_pagesize:
		return PAGE_SIZE;
	case XENVER_guest_handle:
		return guest_copy_out(v, arg, v->domain->handle, sizeof(v->domain->handle));
	case XENVER_commandline:
		return version_commandline(v, arg);
	case XENVER_build_id:
		/* The image carries none. */
		return is_privileged(v) ? -ENODATA : -EPERM;
	default:
		return -ENOSYS;
	}
}

/* The number of the version is what kernels ask for when they want nothing but to enter the hypervisor. */
long do_xen_version(struct vcpu *v, u64 *args)
{
	if (likely((u32)args[0] == XENVER_version))
		return VERSION_MAJOR << 16 | VERSION_MINOR;
	return version_rest(v, args);
}
