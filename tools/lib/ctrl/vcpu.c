/* SPDX-License-Identifier: BSD-2-Clause */
/* State of vCPUs, CPUID policies, and where vCPUs run. */
#include <errno.h>

#include "ctrl_private.h"

#define XSTATE_LIMIT (1u << 20)
#define MSR_LIMIT    4096u
#define POLICY_LIMIT 65536u /* leaves, MSRs */

int ctrl_vcpu_info(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct ctrl_vcpu_info *out)
{
	struct xen_domctl op = { .u.getvcpuinfo.vcpu = vcpu };
	int rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_getvcpuinfo, domid);

	if (rc < 0)
		return reason_set(-rc, "vCPU %u of domain %u cannot be looked at: %s", vcpu, domid,
				  rc == -EINVAL ? "it has no such vCPU" : ctrl_explain(-rc));
	*out = (struct ctrl_vcpu_info){
		.online = op.u.getvcpuinfo.online,
		.blocked = op.u.getvcpuinfo.blocked,
		.running = op.u.getvcpuinfo.running,
		.cpu = op.u.getvcpuinfo.cpu,
		.cpu_time = op.u.getvcpuinfo.cpu_time,
	};
	return 0;
}

int ctrl_vcpu_set_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const struct vcpu_guest_context *context)
{
	struct xen_domctl op = { .u.vcpucontext.vcpu = vcpu };
	void *buffer = NULL;
	int rc;

	if (context) {
		buffer = dev_buffer_get(ctrl->dev, sizeof(*context));
		if (!buffer)
			return -ENOMEM;
		memcpy(buffer, context, sizeof(*context));
	}
	set_xen_guest_handle(op.u.vcpucontext.ctxt, buffer);
	rc = domctl(ctrl, &op, XEN_DOMCTL_setvcpucontext, domid, "cannot be given the registers of a vCPU");
	dev_buffer_put(ctrl->dev, buffer, sizeof(*context));
	return rc;
}

int ctrl_vcpu_get_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct vcpu_guest_context *out)
{
	struct xen_domctl op = { .u.vcpucontext.vcpu = vcpu };
	void *buffer = dev_buffer_get(ctrl->dev, sizeof(*out));
	int rc;

	if (!buffer)
		return -ENOMEM;
	set_xen_guest_handle(op.u.vcpucontext.ctxt, buffer);
	rc = domctl(ctrl, &op, XEN_DOMCTL_getvcpucontext, domid, "does not tell the registers of a vCPU");
	if (rc == 0)
		memcpy(out, buffer, sizeof(*out));
	dev_buffer_put(ctrl->dev, buffer, sizeof(*out));
	return rc;
}

int ctrl_vcpu_set_ext_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const struct xen_domctl_ext_vcpucontext *context)
{
	struct xen_domctl op = { .u.ext_vcpucontext = *context };

	op.u.ext_vcpucontext.vcpu = vcpu;
	op.u.ext_vcpucontext.size = sizeof(*context);
	return domctl(ctrl, &op, XEN_DOMCTL_set_ext_vcpucontext, domid, "cannot be given the callbacks of a vCPU");
}

int ctrl_vcpu_get_ext_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct xen_domctl_ext_vcpucontext *out)
{
	struct xen_domctl op = { .u.ext_vcpucontext = { .vcpu = vcpu, .size = sizeof(*out) } };
	int rc = domctl(ctrl, &op, XEN_DOMCTL_get_ext_vcpucontext, domid, "does not tell the callbacks of a vCPU");

	if (rc == 0)
		*out = op.u.ext_vcpucontext;
	return rc;
}

static int xstate(struct ctrl *ctrl, struct xen_domctl *op, uint32_t cmd, uint32_t domid)
{
	return domctl(ctrl, op, cmd, domid, "cannot have the extended state of a vCPU read or set");
}

int ctrl_vcpu_get_xstate(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, void **out, size_t *bytes)
{
	struct xen_domctl op = { .u.vcpuextstate.vcpu = vcpu };
	int rc = xstate(ctrl, &op, XEN_DOMCTL_getvcpuextstate, domid);
	uint64_t size = op.u.vcpuextstate.size;
	void *buffer;

	*out = NULL;
	*bytes = 0;
	if (rc < 0 || size == 0)
		return rc;
	if (size > XSTATE_LIMIT)
		return reason_set(E2BIG, "domain %u has an extended state of %llu bytes", domid, (unsigned long long)size);
	buffer = dev_buffer_get(ctrl->dev, size);
	if (!buffer)
		return -ENOMEM;
	set_xen_guest_handle(op.u.vcpuextstate.buffer, buffer);
	rc = xstate(ctrl, &op, XEN_DOMCTL_getvcpuextstate, domid);
	if (rc == 0) {
		*bytes = op.u.vcpuextstate.size < size ? op.u.vcpuextstate.size : size;
		*out = malloc(*bytes);
		if (*out)
			memcpy(*out, buffer, *bytes);
		else
			rc = reason_set(ENOMEM, "out of memory");
	}
	dev_buffer_put(ctrl->dev, buffer, size);
	return rc;
}

int ctrl_vcpu_set_xstate(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const void *area, size_t bytes)
{
	struct xen_domctl op = { .u.vcpuextstate = { .vcpu = vcpu, .size = bytes } };
	void *buffer = dev_buffer_get(ctrl->dev, bytes);
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, area, bytes);
	set_xen_guest_handle(op.u.vcpuextstate.buffer, buffer);
	rc = xstate(ctrl, &op, XEN_DOMCTL_setvcpuextstate, domid);
	dev_buffer_put(ctrl->dev, buffer, bytes);
	return rc;
}

int ctrl_vcpu_get_msrs(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct xen_domctl_vcpu_msr **out, uint32_t *count)
{
	static const char what[] = "does not tell the MSRs of a vCPU";
	struct xen_domctl op = { .u.vcpu_msrs.vcpu = vcpu };
	int rc = domctl(ctrl, &op, XEN_DOMCTL_get_vcpu_msrs, domid, what);
	uint32_t room = op.u.vcpu_msrs.msr_count;
	void *buffer;

	*out = NULL;
	*count = 0;
	if (rc < 0 || room == 0)
		return rc;
	if (room > MSR_LIMIT)
		return reason_set(E2BIG, "domain %u has %u MSRs", domid, room);
	buffer = dev_buffer_get(ctrl->dev, room * sizeof(**out));
	*out = malloc(room * sizeof(**out));
	rc = buffer && *out ? 0 : reason_set(ENOMEM, "out of memory");
	if (rc == 0) {
		set_xen_guest_handle(op.u.vcpu_msrs.msrs, buffer);
		rc = domctl(ctrl, &op, XEN_DOMCTL_get_vcpu_msrs, domid, what);
	}
	if (rc == 0) {
		*count = op.u.vcpu_msrs.msr_count < room ? op.u.vcpu_msrs.msr_count : room;
		memcpy(*out, buffer, *count * sizeof(**out));
	}
	dev_buffer_put(ctrl->dev, buffer, room * sizeof(**out));
	if (rc < 0) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

int ctrl_vcpu_set_msrs(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const struct xen_domctl_vcpu_msr *msrs, uint32_t count)
{
	struct xen_domctl op = { .u.vcpu_msrs = { .vcpu = vcpu, .msr_count = count } };
	void *buffer = dev_buffer_get(ctrl->dev, count * sizeof(*msrs));
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, msrs, count * sizeof(*msrs));
	set_xen_guest_handle(op.u.vcpu_msrs.msrs, buffer);
	rc = domctl(ctrl, &op, XEN_DOMCTL_set_vcpu_msrs, domid, "cannot be given the MSRs of a vCPU");
	dev_buffer_put(ctrl->dev, buffer, count * sizeof(*msrs));
	return rc;
}

void ctrl_policy_free(struct ctrl_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
	memset(policy, 0, sizeof(*policy));
}

/* Room for a policy in buffers, and the arrays to return. */
struct policy_space {
	struct xen_cpuid_leaf *leaves;
	struct xen_msr_entry *msrs;
	uint32_t leaf_room, msr_room;
};

static void space_put(struct ctrl *ctrl, struct policy_space *space)
{
	dev_buffer_put(ctrl->dev, space->leaves, space->leaf_room * sizeof(*space->leaves));
	dev_buffer_put(ctrl->dev, space->msrs, space->msr_room * sizeof(*space->msrs));
}

static int space_get(struct ctrl *ctrl, uint32_t leaves, uint32_t msrs, struct policy_space *space)
{
	memset(space, 0, sizeof(*space));
	if (leaves > POLICY_LIMIT || msrs > POLICY_LIMIT)
		return reason_set(E2BIG, "a CPUID policy of %u leaves and %u MSRs", leaves, msrs);
	space->leaf_room = leaves;
	space->msr_room = msrs;
	space->leaves = dev_buffer_get(ctrl->dev, leaves * sizeof(*space->leaves));
	space->msrs = dev_buffer_get(ctrl->dev, msrs * sizeof(*space->msrs));
	if (space->leaves && space->msrs)
		return 0;
	space_put(ctrl, space);
	return -ENOMEM;
}

/* @param leaves, msrs how many are filled in */
static int space_copy(const struct policy_space *space, uint32_t leaves, uint32_t msrs, struct ctrl_policy *out)
{
	if (leaves > space->leaf_room || msrs > space->msr_room)
		return reason_set(EPROTO, "the hypervisor tells more leaves than there is room for");
	out->leaf_count = leaves;
	out->msr_count = msrs;
	out->leaves = malloc(leaves ? leaves * sizeof(*out->leaves) : 1);
	out->msrs = malloc(msrs ? msrs * sizeof(*out->msrs) : 1);
	if (!out->leaves || !out->msrs) {
		ctrl_policy_free(out);
		return reason_set(ENOMEM, "out of memory");
	}
	memcpy(out->leaves, space->leaves, leaves * sizeof(*out->leaves));
	memcpy(out->msrs, space->msrs, msrs * sizeof(*out->msrs));
	return 0;
}

int ctrl_machine_policy(struct ctrl *ctrl, uint32_t index, struct ctrl_policy *out)
{
	static const char what[] = "the CPUID policy cannot be read";
	struct xen_sysctl op = { .u.cpu_policy.index = index };
	struct policy_space space;
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_get_cpu_policy, what);

	memset(out, 0, sizeof(*out));
	if (rc < 0)
		return rc;
	rc = space_get(ctrl, op.u.cpu_policy.nr_leaves, op.u.cpu_policy.nr_msrs, &space);
	if (rc < 0)
		return rc;
	set_xen_guest_handle(op.u.cpu_policy.leaves, space.leaves);
	set_xen_guest_handle(op.u.cpu_policy.msrs, space.msrs);
	rc = sysctl(ctrl, &op, XEN_SYSCTL_get_cpu_policy, what);
	if (rc == 0)
		rc = space_copy(&space, op.u.cpu_policy.nr_leaves, op.u.cpu_policy.nr_msrs, out);
	space_put(ctrl, &space);
	return rc;
}

int ctrl_domain_get_policy(struct ctrl *ctrl, uint32_t domid, struct ctrl_policy *out)
{
	struct xen_sysctl size = { .u.cpu_policy.index = XEN_SYSCTL_cpu_policy_host };
	struct xen_domctl op = { 0 };
	struct policy_space space;
	int rc = sysctl(ctrl, &size, XEN_SYSCTL_get_cpu_policy, "the size of CPUID policies cannot be read");

	memset(out, 0, sizeof(*out));
	if (rc < 0)
		return rc;
	rc = space_get(ctrl, size.u.cpu_policy.nr_leaves, size.u.cpu_policy.nr_msrs, &space);
	if (rc < 0)
		return rc;
	op.u.cpu_policy.nr_leaves = space.leaf_room;
	op.u.cpu_policy.nr_msrs = space.msr_room;
	set_xen_guest_handle(op.u.cpu_policy.leaves, space.leaves);
	set_xen_guest_handle(op.u.cpu_policy.msrs, space.msrs);
	rc = domctl(ctrl, &op, XEN_DOMCTL_get_cpu_policy, domid, "does not tell its CPUID policy");
	if (rc == 0)
		rc = space_copy(&space, op.u.cpu_policy.nr_leaves, op.u.cpu_policy.nr_msrs, out);
	space_put(ctrl, &space);
	return rc;
}

int ctrl_domain_set_policy(struct ctrl *ctrl, uint32_t domid, const struct ctrl_policy *policy)
{
	struct xen_domctl op = { .u.cpu_policy = { .nr_leaves = policy->leaf_count, .nr_msrs = policy->msr_count } };
	struct policy_space space;
	int rc = space_get(ctrl, policy->leaf_count, policy->msr_count, &space);

	if (rc < 0)
		return rc;
	if (policy->leaf_count)
		memcpy(space.leaves, policy->leaves, policy->leaf_count * sizeof(*policy->leaves));
	if (policy->msr_count)
		memcpy(space.msrs, policy->msrs, policy->msr_count * sizeof(*policy->msrs));
	set_xen_guest_handle(op.u.cpu_policy.leaves, space.leaves);
	set_xen_guest_handle(op.u.cpu_policy.msrs, space.msrs);
	rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_set_cpu_policy, domid);
	space_put(ctrl, &space);
	if (rc < 0)
		return reason_set(-rc, "domain %u cannot be given its CPUID policy (leaf %#x.%#x, MSR %#x): %s", domid,
				  op.u.cpu_policy.err_leaf, op.u.cpu_policy.err_subleaf, op.u.cpu_policy.err_msr,
				  ctrl_explain(-rc));
	return 0;
}

/* ---- Bitmaps of CPUs and nodes ---- */
static size_t bitmap_bytes(const struct ctrl_bitmap *map)
{
	return ((size_t)map->bits + 7) / 8;
}

/* A buffer with a copy of map, NULL for none. @return 0 or -ENOMEM */
static int bitmap_get(struct ctrl *ctrl, const struct ctrl_bitmap *map, struct xenctl_bitmap *out)
{
	void *buffer = NULL;

	out->nr_bits = map ? map->bits : 0;
	if (map) {
		buffer = dev_buffer_get(ctrl->dev, bitmap_bytes(map));
		if (!buffer)
			return -ENOMEM;
		memcpy(buffer, map->bytes, bitmap_bytes(map));
	}
	set_xen_guest_handle(out->bitmap, buffer);
	return 0;
}

/* Copies the answer out when there is one, and gives the buffer back. */
static void bitmap_put(struct ctrl *ctrl, void *buffer, struct ctrl_bitmap *map, bool answer)
{
	if (!map || !buffer)
		return;
	if (answer)
		memcpy(map->bytes, buffer, bitmap_bytes(map));
	dev_buffer_put(ctrl->dev, buffer, bitmap_bytes(map));
}

static int affinity(struct ctrl *ctrl, uint32_t cmd, uint32_t domid, uint32_t vcpu, struct ctrl_bitmap *hard,
		    struct ctrl_bitmap *soft, bool force)
{
	struct xen_domctl op = { .u.vcpuaffinity.vcpu = vcpu };
	struct xen_domctl_vcpuaffinity *a = &op.u.vcpuaffinity;
	void *hard_buffer, *soft_buffer;
	int rc;

	a->flags = (hard ? XEN_VCPUAFFINITY_HARD : 0) | (soft ? XEN_VCPUAFFINITY_SOFT : 0) | (force ? XEN_VCPUAFFINITY_FORCE : 0);
	rc = bitmap_get(ctrl, hard, &a->cpumap_hard);
	hard_buffer = a->cpumap_hard.bitmap.p;
	if (rc == 0)
		rc = bitmap_get(ctrl, soft, &a->cpumap_soft);
	soft_buffer = rc == 0 ? a->cpumap_soft.bitmap.p : NULL;
	if (rc == 0)
		rc = domctl(ctrl, &op, cmd, domid, "has no such affinity for its vCPU");
	bitmap_put(ctrl, hard_buffer, hard, rc == 0);
	bitmap_put(ctrl, soft_buffer, soft, rc == 0);
	return rc;
}

int ctrl_vcpu_set_affinity(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct ctrl_bitmap *hard, struct ctrl_bitmap *soft,
			   bool force)
{
	return affinity(ctrl, XEN_DOMCTL_setvcpuaffinity, domid, vcpu, hard, soft, force);
}

int ctrl_vcpu_get_affinity(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct ctrl_bitmap *hard, struct ctrl_bitmap *soft)
{
	return affinity(ctrl, XEN_DOMCTL_getvcpuaffinity, domid, vcpu, hard, soft, false);
}

int ctrl_domain_set_node_affinity(struct ctrl *ctrl, uint32_t domid, const struct ctrl_bitmap *nodes)
{
	struct xen_domctl op = { 0 };
	void *buffer;
	int rc = bitmap_get(ctrl, nodes, &op.u.nodeaffinity.nodemap);

	if (rc < 0)
		return rc;
	buffer = op.u.nodeaffinity.nodemap.bitmap.p;
	rc = domctl(ctrl, &op, XEN_DOMCTL_setnodeaffinity, domid, "cannot be given its NUMA nodes");
	dev_buffer_put(ctrl->dev, buffer, bitmap_bytes(nodes));
	return rc;
}

int ctrl_domain_get_node_affinity(struct ctrl *ctrl, uint32_t domid, struct ctrl_bitmap *nodes)
{
	struct xen_domctl op = { 0 };
	void *buffer;
	int rc = bitmap_get(ctrl, nodes, &op.u.nodeaffinity.nodemap);

	if (rc < 0)
		return rc;
	buffer = op.u.nodeaffinity.nodemap.bitmap.p;
	rc = domctl(ctrl, &op, XEN_DOMCTL_getnodeaffinity, domid, "does not tell its NUMA nodes");
	bitmap_put(ctrl, buffer, nodes, rc == 0);
	return rc;
}
