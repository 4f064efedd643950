/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercalls of the simulated machine. Handles are plain pointers. */
#include <errno.h>
#include <string.h>

#include <xen/domctl.h>
#include <xen/features.h>
#include <xen/hypfs.h>
#include <xen/memory.h>
#include <xen/sysctl.h>
#include <xen/version.h>

#include "sim_private.h"

#define KIB_PER_PAGE 4u

/* ---- domctl ---- */
static int64_t domain_create(struct sim *sim, struct xen_domctl *op)
{
	uint32_t id = op->domain;
	struct sim_domain *d;

	if (op->u.createdomain.flags & XEN_DOMCTL_CDF_hvm)
		return -EOPNOTSUPP;
	if (id == 0)
		for (id = 1; id < SIM_DOMAINS && sim->domain[id].exists; id++)
			;
	if (id >= SIM_DOMAINS)
		return -ENOMEM;
	if (sim->domain[id].exists)
		return -EEXIST;
	d = &sim->domain[id];
	memset(d, 0, sizeof(*d));
	d->exists = d->paused = true;
	d->max_vcpus = op->u.createdomain.max_vcpus;
	memcpy(d->uuid, op->u.createdomain.handle, sizeof(d->uuid));
	d->shared_mfn = sim_take(sim, id, 0);
	d->grant_mfn = sim_take(sim, id, 0);
	if (!d->shared_mfn || !d->grant_mfn) {
		d->exists = false;
		return -ENOMEM;
	}
	memset(sim_page(sim, d->shared_mfn), 0, DEV_PAGE_SIZE);
	memset(sim_page(sim, d->grant_mfn), 0, DEV_PAGE_SIZE);
	op->domain = (domid_t)id;
	return 0;
}

static int64_t domain_destroy(struct sim *sim, uint32_t id)
{
	for (uint64_t i = 0; i < sim->frames; i++)
		if (sim->owner[i] == id)
			sim_give_back(sim, SIM_FIRST_MFN + i);
	sim->domain[id].exists = false;
	return 0;
}

static void info_fill(const struct sim *sim, uint32_t id, struct xen_domctl_getdomaininfo *info)
{
	const struct sim_domain *d = &sim->domain[id];

	memset(info, 0, sizeof(*info));
	info->domain = (domid_t)id;
	info->flags = (d->paused ? XEN_DOMINF_paused : 0u) | (d->dying ? XEN_DOMINF_dying : 0u);
	info->tot_pages = d->pages;
	info->max_pages = d->max_pages;
	info->outstanding_pages = d->claim;
	info->shared_info_frame = d->shared_mfn;
	info->max_vcpu_id = d->vcpus ? d->vcpus - 1 : XEN_INVALID_MAX_VCPU_ID;
	memcpy(info->handle, d->uuid, sizeof(info->handle));
}

static int64_t domain_info(const struct sim *sim, struct xen_domctl *op)
{
	for (uint32_t id = op->domain; id < SIM_DOMAINS; id++)
		if (sim->domain[id].exists) {
			info_fill(sim, id, &op->u.getdomaininfo);
			op->domain = (domid_t)id;
			return 0;
		}
	return -ESRCH;
}

static int64_t context_set(struct sim *sim, uint32_t id, const struct xen_domctl *op)
{
	struct sim_domain *d = &sim->domain[id];

	if (op->u.vcpucontext.vcpu >= d->vcpus)
		return -EINVAL;
	if (xen_cr3_to_pfn(op->u.vcpucontext.ctxt.p->ctrlreg[3]) != d->root || !d->root)
		return -EINVAL;
	d->context = *op->u.vcpucontext.ctxt.p;
	d->context_set = true;
	return 0;
}

static int64_t domain_op(struct sim *sim, uint32_t id, struct xen_domctl *op)
{
	struct sim_domain *d = sim_domain(sim, id);

	if (!d)
		return -ESRCH;
	switch (op->cmd) {
	case XEN_DOMCTL_destroydomain:
		return domain_destroy(sim, id);
	case XEN_DOMCTL_pausedomain:
		d->paused = true;
		return 0;
	case XEN_DOMCTL_unpausedomain:
		d->paused = false;
		return 0;
	case XEN_DOMCTL_max_mem:
		d->max_pages = op->u.max_mem.max_memkb / KIB_PER_PAGE;
		return 0;
	case XEN_DOMCTL_max_vcpus:
		d->vcpus = op->u.max_vcpus.max;
		return d->vcpus > d->max_vcpus ? -EINVAL : 0;
	case XEN_DOMCTL_setvcpucontext:
		return context_set(sim, id, op);
	case XEN_DOMCTL_getvcpucontext:
		if (op->u.vcpucontext.vcpu >= d->vcpus || !d->context_set)
			return -EINVAL;
		*op->u.vcpucontext.ctxt.p = d->context;
		return 0;
	case XEN_DOMCTL_hypercall_init:
		if (!sim_owned(sim, op->u.hypercall_init.gmfn, id))
			return -EACCES;
		d->hypercall_mfn = op->u.hypercall_init.gmfn;
		memset(sim_page(sim, d->hypercall_mfn), 0xcc, DEV_PAGE_SIZE);
		return 0;
	case XEN_DOMCTL_settscinfo:
	case XEN_DOMCTL_set_cpu_policy:
		return 0;
	default:
		return -ENOSYS;
	}
}

static int64_t do_domctl(struct sim *sim, struct xen_domctl *op)
{
	if (op->interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op->cmd == XEN_DOMCTL_createdomain)
		return domain_create(sim, op);
	if (op->cmd == XEN_DOMCTL_getdomaininfo)
		return domain_info(sim, op);
	return domain_op(sim, op->domain, op);
}

/* ---- sysctl ---- */
static int64_t domain_list(const struct sim *sim, struct xen_sysctl *op)
{
	uint32_t n = 0;

	for (uint32_t id = op->u.getdomaininfolist.first_domain; id < SIM_DOMAINS && n < op->u.getdomaininfolist.max_domains; id++)
		if (sim->domain[id].exists)
			info_fill(sim, id, &op->u.getdomaininfolist.buffer.p[n++]);
	op->u.getdomaininfolist.num_domains = n;
	return 0;
}

static const char console_text[] = "(argon) first line\n(argon) second line\n";

static int64_t console_read(struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint32_t at = r->incremental ? r->index : 0, n = 0;

	while (n < r->count && at < sizeof(console_text) - 1)
		r->buffer.p[n++] = console_text[at++];
	r->count = n;
	r->index = at;
	return 0;
}

static int64_t counters(struct xen_sysctl *op)
{
	struct xen_sysctl_perfc_op *p = &op->u.perfc_op;

	for (uint32_t i = 0; p->desc.p && i < 2; i++) {
		strcpy(p->desc.p[i].name, i ? "exits" : "hypercalls");
		p->desc.p[i].nr_vals = i + 1;
	}
	for (uint32_t i = 0; p->val.p && i < 3; i++)
		p->val.p[i] = 10 * i;
	p->nr_counters = 2;
	p->nr_vals = 3;
	return 0;
}

static int64_t topology(struct xen_sysctl *op)
{
	for (uint32_t i = 0; op->u.cputopoinfo.cputopo.p && i < 4 && i < op->u.cputopoinfo.num_cpus; i++)
		op->u.cputopoinfo.cputopo.p[i] = (struct xen_sysctl_cputopo){ .core = i / 2, .socket = i / 2, .node = 0 };
	op->u.cputopoinfo.num_cpus = 4;
	return 0;
}

static int64_t policy(struct xen_sysctl *op)
{
	struct xen_sysctl_cpu_policy *p = &op->u.cpu_policy;

	if (p->leaves.p) {
		if (p->nr_leaves < 2 || p->nr_msrs < 1)
			return -ENOBUFS;
		p->leaves.p[0] = (struct xen_cpuid_leaf){ .leaf = 0, .a = 13 };
		p->leaves.p[1] = (struct xen_cpuid_leaf){ .leaf = 1, .a = 0x800f12 };
		p->msrs.p[0] = (struct xen_msr_entry){ .idx = 0xce, .val = 1 };
	}
	p->nr_leaves = 2;
	p->nr_msrs = 1;
	return 0;
}

static int64_t do_sysctl(struct sim *sim, struct xen_sysctl *op)
{
	if (op->interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	switch (op->cmd) {
	case XEN_SYSCTL_physinfo:
		memset(&op->u.physinfo, 0, sizeof(op->u.physinfo));
		op->u.physinfo.total_pages = sim->frames;
		op->u.physinfo.free_pages = sim->frames - sim->used;
		op->u.physinfo.nr_cpus = 4;
		op->u.physinfo.max_cpu_id = 3;
		op->u.physinfo.capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
		return 0;
	case XEN_SYSCTL_getdomaininfolist:
		return domain_list(sim, op);
	case XEN_SYSCTL_readconsole:
		return console_read(op);
	case XEN_SYSCTL_perfc_op:
		return counters(op);
	case XEN_SYSCTL_cputopoinfo:
		return topology(op);
	case XEN_SYSCTL_get_cpu_policy:
		return policy(op);
	default:
		return -ENOSYS;
	}
}

/* ---- memory ---- */
static int64_t populate(struct sim *sim, const struct xen_memory_reservation *r)
{
	struct sim_domain *d = sim_domain(sim, r->domid);
	uint64_t n = 1ull << r->extent_order;

	if (!d)
		return -ESRCH;
	for (uint64_t i = 0; i < r->nr_extents; i++) {
		uint64_t pfn = r->extent_start.p[i], mfn = 0;

		if (d->pages + n <= d->max_pages && !(sim->no_large && r->extent_order))
			mfn = sim_take(sim, r->domid, r->extent_order);
		if (!mfn)
			return (int64_t)i;
		for (uint64_t k = 0; k < n; k++)
			sim->m2p[mfn - SIM_FIRST_MFN + k] = pfn + k;
		d->pages += n;
		d->claim = d->claim > n ? d->claim - n : 0;
		r->extent_start.p[i] = mfn;
	}
	return (int64_t)r->nr_extents;
}

static int64_t decrease(struct sim *sim, const struct xen_memory_reservation *r)
{
	for (uint64_t i = 0; i < r->nr_extents; i++) {
		if (!sim_owned(sim, r->extent_start.p[i], r->domid))
			return (int64_t)i;
		sim_give_back(sim, r->extent_start.p[i]);
		sim->domain[r->domid].pages--;
	}
	return (int64_t)r->nr_extents;
}

static int64_t claim(struct sim *sim, const struct xen_memory_reservation *r)
{
	struct sim_domain *d = sim_domain(sim, r->domid);

	if (!d)
		return -ESRCH;
	if (r->nr_extents > sim->frames - sim->used)
		return -ENOMEM;
	d->claim = r->nr_extents;
	return 0;
}

static int64_t memory_map(struct sim *sim, const struct xen_foreign_memory_map *map)
{
	struct sim_domain *d = sim_domain(sim, map->domid);

	if (!d)
		return -EPERM;
	memcpy(&d->map_bytes, (const char *)map->map.buffer.p + 8, sizeof(d->map_bytes));
	return map->map.nr_entries == 1 ? 0 : -EINVAL;
}

static int64_t do_memory(struct sim *sim, uint64_t cmd, void *argument)
{
	switch (cmd) {
	case XENMEM_populate_physmap:
		return populate(sim, argument);
	case XENMEM_decrease_reservation:
		return decrease(sim, argument);
	case XENMEM_claim_pages:
		return claim(sim, argument);
	case XENMEM_set_memory_map:
		return memory_map(sim, argument);
	case XENMEM_maximum_ram_page:
		return (int64_t)(SIM_FIRST_MFN + sim->frames - 1);
	default:
		return -ENOSYS;
	}
}

static int64_t do_mmuext(struct sim *sim, const struct mmuext_op *list, uint64_t count, uint32_t domid)
{
	int64_t rc = 0;

	for (uint64_t i = 0; !rc && i < count; i++) {
		uint64_t mfn = list[i].arg1.mfn;

		if (!sim_owned(sim, mfn, domid))
			rc = -EINVAL;
		else if (list[i].cmd == MMUEXT_CLEAR_PAGE)
			memset(sim_page(sim, mfn), 0, DEV_PAGE_SIZE);
		else if (list[i].cmd == MMUEXT_PIN_L4_TABLE)
			rc = sim_pin(sim, domid, mfn);
		else
			rc = -ENOSYS;
	}
	return rc;
}

static int64_t do_version(uint64_t cmd, void *argument)
{
	struct xen_feature_info *info = argument;

	switch (cmd) {
	case XENVER_version:
		return 4 << 16 | 17;
	case XENVER_pagesize:
		return DEV_PAGE_SIZE;
	case XENVER_extraversion:
		strcpy(argument, ".5-sim");
		return 0;
	case XENVER_get_features:
		info->submap = info->submap_idx ? 0 : 1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_dom0;
		return 0;
	default:
		return -EPERM;
	}
}

static int64_t do_evtchn(struct sim *sim, uint64_t cmd, struct evtchn_alloc_unbound *argument)
{
	struct sim_domain *d = sim_domain(sim, argument->dom);

	if (cmd != EVTCHNOP_alloc_unbound)
		return -ENOSYS;
	if (!d)
		return -ESRCH;
	if (d->ports + 1 == sizeof(d->remote) / sizeof(d->remote[0]))
		return -ENOSPC;
	argument->port = ++d->ports;
	d->remote[d->ports] = argument->remote_dom;
	return 0;
}

static int64_t do_grant(struct sim *sim, uint64_t cmd, void *argument)
{
	struct gnttab_setup_table *setup = argument;
	struct gnttab_query_size *size = argument;
	struct sim_domain *d;

	if (cmd == GNTTABOP_setup_table) {
		d = sim_domain(sim, setup->dom);
		setup->status = d ? GNTST_okay : GNTST_bad_domain;
		if (d)
			setup->frame_list.p[0] = d->grant_mfn;
		return 0;
	}
	if (cmd != GNTTABOP_query_size)
		return -ENOSYS;
	d = sim_domain(sim, size->dom);
	size->status = d ? GNTST_okay : GNTST_bad_domain;
	size->nr_frames = 1;
	size->max_nr_frames = 64;
	return 0;
}

/* Three parameters: text, a number of 4 bytes, a truth. */
static int64_t do_hypfs(struct sim *sim, uint64_t cmd, const char *path, void *data, uint64_t bytes)
{
	static const uint8_t types[] = { XEN_HYPFS_TYPE_STRING, XEN_HYPFS_TYPE_UINT, XEN_HYPFS_TYPE_BOOL };
	static const char *const names[] = { "/params/text", "/params/number", "/params/truth" };
	static const uint8_t sizes[] = { 8, 4, 1 };
	struct xen_hypfs_direntry entry = { 0 };
	unsigned int i;

	for (i = 0; i < 3 && strcmp(path, names[i]) != 0; i++)
		;
	if (i == 3)
		return -ENOENT;
	if (cmd == XEN_HYPFS_OP_read) {
		entry.type = types[i];
		entry.content_len = entry.max_write_len = sizes[i];
		memcpy(data, &entry, sizeof(entry));
		return bytes < sizeof(entry) + sizes[i] ? -ENOBUFS : 0;
	}
	if (cmd != XEN_HYPFS_OP_write_contents)
		return -EOPNOTSUPP;
	if (i ? bytes != sizes[i] : bytes > sizes[i] || ((char *)data)[bytes - 1])
		return -EINVAL;
	memset(sim->parameter[i], 0, sizeof(sim->parameter[i]));
	memcpy(sim->parameter[i], data, bytes);
	return 0;
}

int64_t sim_hypercall(struct sim *sim, uint32_t number, const uint64_t a[5])
{
	switch (number) {
	case __HYPERVISOR_domctl:
		return do_domctl(sim, (void *)a[0]);
	case __HYPERVISOR_sysctl:
		return do_sysctl(sim, (void *)a[0]);
	case __HYPERVISOR_memory_op:
		return do_memory(sim, a[0], (void *)a[1]);
	case __HYPERVISOR_mmuext_op:
		return do_mmuext(sim, (void *)a[0], a[1], (uint32_t)a[3]);
	case __HYPERVISOR_xen_version:
		return do_version(a[0], (void *)a[1]);
	case __HYPERVISOR_event_channel_op:
		return do_evtchn(sim, a[0], (void *)a[1]);
	case __HYPERVISOR_grant_table_op:
		return do_grant(sim, a[0], (void *)a[1]);
	case __HYPERVISOR_hypfs_op:
		return do_hypfs(sim, a[0], (const char *)a[1], (void *)a[3], a[4]);
	default:
		return -ENOSYS;
	}
}
