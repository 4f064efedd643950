/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sysctl.h>
#include <xen/version.h>

#include "fake.h"

#define PAGE 4096u

void *fake_page(struct fake *f, uint64_t mfn)
{
	return f->memory + mfn * PAGE;
}

/* ---- Mappings: real ones, with the rights that were asked for ---- */

#define M2P_PAGES (FAKE_FRAMES * sizeof(uint64_t) / PAGE)
#define M2P_HOLE  (FAKE_FRAMES + M2P_PAGES) /* a page of entries of frames that do not exist */
#define GRANTS	  (M2P_HOLE + 1)
#define ALL_PAGES (GRANTS + 1)

static bool frame_ok(const struct fake *f, uint32_t domid, uint64_t mfn)
{
	return mfn < FAKE_FRAMES && (f->owner[mfn] == domid || f->domain[domid].shared_info == mfn);
}

static void *map(void *context, uint32_t domid, int prot, size_t pages, const uint64_t *frames, int *errors)
{
	struct fake *f = context;
	uint8_t *at;

	if (!f->fail_map_after) {
		errno = ENOMEM;
		return NULL;
	}
	f->fail_map_after--;
	at = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < pages; i++) {
		uint64_t page = domid == DOMID_XEN ? (i < M2P_PAGES ? FAKE_FRAMES + i : M2P_HOLE) : frames[i];

		errors[i] = domid == DOMID_XEN || frame_ok(f, domid, frames[i]) ? 0 : -EINVAL;
		if (!errors[i] && mmap(at + i * PAGE, PAGE, prot, MAP_SHARED | MAP_FIXED, f->fd, (off_t)(page * PAGE)) == MAP_FAILED)
			abort();
	}
	f->mapped++;
	return at;
}

static void *map_resource(void *context, uint32_t domid, uint32_t type, uint32_t id, uint64_t first, size_t pages, int prot)
{
	struct fake *f = context;

	(void)domid, (void)type, (void)id, (void)first;
	f->mapped++;
	return mmap(NULL, pages * PAGE, prot, MAP_SHARED, f->fd, (off_t)(GRANTS * PAGE));
}

static void unmap(void *context, void *address, size_t pages)
{
	struct fake *f = context;

	if (munmap(address, pages * PAGE))
		abort();
	f->mapped--;
}

/* ---- Hypercalls ---- */

static int64_t info_get(struct fake *f, uint32_t domid, struct xen_domctl_getdomaininfo *i)
{
	memset(i, 0, sizeof(*i));
	i->domain = (domid_t)domid;
	i->tot_pages = f->domain[domid].owned;
	i->max_pages = f->domain[domid].max_pages;
	i->shared_info_frame = f->domain[domid].shared_info;
	i->max_vcpu_id = FAKE_VCPUS - 1;
	i->nr_online_vcpus = FAKE_VCPUS;
	return 0;
}

static int64_t types_get(struct fake *f, uint32_t domid, struct xen_domctl_getpageframeinfo3 *p)
{
	uint64_t *list = (void *)p->array.p;

	for (uint64_t i = 0; i < p->num; i++) {
		uint64_t mfn = list[i];

		list[i] = mfn < FAKE_FRAMES && f->owner[mfn] == domid ? (uint64_t)f->type[mfn] << 28 : XEN_DOMCTL_PFINFO_XTAB;
	}
	return 0;
}

static int64_t shadow(struct fake *f, struct fake_domain *d, struct xen_domctl_shadow_op *op)
{
	switch (op->op) {
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		d->logging = true;
		memset(d->dirty, 0, sizeof(d->dirty));
		return 0;
	case XEN_DOMCTL_SHADOW_OP_OFF:
		d->logging = false;
		return 0;
	default:
		if (!d->logging)
			return -EINVAL;
		if (f->running && !(op->mode & XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL))
			f->running(f);
		memcpy((void *)op->dirty_bitmap.p, d->dirty, (op->pages + 7) / 8);
		if (op->op == XEN_DOMCTL_SHADOW_OP_CLEAN) {
			memset(d->dirty, 0, sizeof(d->dirty));
			f->reads++;
		}
		return 0;
	}
}

static int64_t context_op(struct fake *f, uint32_t domid, struct xen_domctl *op, bool set)
{
	struct xen_domctl_vcpucontext *c = &op->u.vcpucontext;
	struct fake_vcpu *v = &f->domain[domid].vcpu[c->vcpu];

	if (set) {
		memcpy(&v->context, (void *)c->ctxt.p, sizeof(v->context));
		v->online = true;
	} else {
		memcpy((void *)c->ctxt.p, &v->context, sizeof(v->context));
	}
	return 0;
}

static int64_t xstate_op(struct fake *f, uint32_t domid, struct xen_domctl_vcpuextstate *x, bool set)
{
	struct fake_vcpu *v = &f->domain[domid].vcpu[x->vcpu];

	if (set) {
		if (x->size > sizeof(v->xstate))
			return -EINVAL;
		memcpy(v->xstate, (void *)x->buffer.p, x->size);
		v->xstate_bytes = (uint32_t)x->size;
		return 0;
	}
	if (x->buffer.p)
		memcpy((void *)x->buffer.p, v->xstate, v->xstate_bytes);
	x->size = v->xstate_bytes;
	x->xfeature_mask = 3;
	return 0;
}

static int64_t policy_op(struct fake *f, uint32_t domid, struct xen_domctl_cpu_policy *p, bool set)
{
	if (set) {
		f->domain[domid].policies_set++;
		return 0;
	}
	p->nr_leaves = p->leaves.p ? 1 : 4;
	p->nr_msrs = p->msrs.p ? 1 : 4;
	if (p->leaves.p)
		memset((void *)p->leaves.p, 0x11, sizeof(xen_cpuid_leaf_t));
	if (p->msrs.p)
		memset((void *)p->msrs.p, 0x22, sizeof(xen_msr_entry_t));
	return 0;
}

static int64_t domctl_more(struct fake *f, uint32_t domid, struct xen_domctl *op)
{
	struct fake_domain *d = &f->domain[domid];

	switch (op->cmd) {
	case XEN_DOMCTL_get_ext_vcpucontext:
		op->u.ext_vcpucontext = d->vcpu[op->u.ext_vcpucontext.vcpu].extended;
		return 0;
	case XEN_DOMCTL_set_ext_vcpucontext:
		if (op->u.ext_vcpucontext.vcpu >= FAKE_VCPUS)
			return -ESRCH;
		d->vcpu[op->u.ext_vcpucontext.vcpu].extended = op->u.ext_vcpucontext;
		return 0;
	case XEN_DOMCTL_get_vcpu_msrs:
		op->u.vcpu_msrs.msr_count = 0;
		return 0;
	case XEN_DOMCTL_set_vcpu_msrs:
		return 0;
	case XEN_DOMCTL_gettscinfo:
		op->u.tsc_info = (struct xen_domctl_tsc_info){ d->tsc.mode, d->tsc.khz, d->tsc.incarnation, 0, d->tsc.elapsed };
		return 0;
	case XEN_DOMCTL_settscinfo:
		d->tsc = (struct ctrl_tsc){ op->u.tsc_info.tsc_mode, op->u.tsc_info.gtsc_khz, op->u.tsc_info.incarnation,
					    op->u.tsc_info.elapsed_nsec };
		return 0;
	case XEN_DOMCTL_getvcpuinfo:
		op->u.getvcpuinfo.online = d->vcpu[op->u.getvcpuinfo.vcpu].online;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int64_t domctl_do(struct fake *f, struct xen_domctl *op)
{
	uint32_t domid = op->domain;

	if (domid < FAKE_SOURCE || domid > FAKE_TARGET)
		return -ESRCH;
	switch (op->cmd) {
	case XEN_DOMCTL_getdomaininfo:
		return info_get(f, domid, &op->u.getdomaininfo);
	case XEN_DOMCTL_getpageframeinfo3:
		return types_get(f, domid, &op->u.getpageframeinfo3);
	case XEN_DOMCTL_shadow_op:
		return shadow(f, &f->domain[domid], &op->u.shadow_op);
	case XEN_DOMCTL_setvcpucontext:
	case XEN_DOMCTL_getvcpucontext:
		return context_op(f, domid, op, op->cmd == XEN_DOMCTL_setvcpucontext);
	case XEN_DOMCTL_setvcpuextstate:
	case XEN_DOMCTL_getvcpuextstate:
		return xstate_op(f, domid, &op->u.vcpuextstate, op->cmd == XEN_DOMCTL_setvcpuextstate);
	case XEN_DOMCTL_set_cpu_policy:
	case XEN_DOMCTL_get_cpu_policy:
		return policy_op(f, domid, &op->u.cpu_policy, op->cmd == XEN_DOMCTL_set_cpu_policy);
	default:
		return domctl_more(f, domid, op);
	}
}

static int64_t populate(struct fake *f, struct xen_memory_reservation *r)
{
	uint64_t *list = (void *)r->extent_start.p;
	struct fake_domain *d = &f->domain[r->domid];
	uint64_t mfn = FAKE_FIRST, done;

	/* From above, so that the target's frames are in another order than its pfns. */
	for (done = 0; done < r->nr_extents && d->owned < d->max_pages; done++) {
		for (mfn = FAKE_FRAMES - 1; mfn >= FAKE_FIRST && f->owner[mfn]; mfn--)
			;
		if (mfn < FAKE_FIRST)
			break;
		f->owner[mfn] = r->domid;
		f->type[mfn] = 0;
		f->m2p[mfn] = list[done];
		memset(fake_page(f, mfn), 0, PAGE);
		d->owned++;
		list[done] = mfn;
	}
	return (int64_t)done;
}

static int64_t decrease(struct fake *f, struct xen_memory_reservation *r)
{
	uint64_t *list = (void *)r->extent_start.p, done;

	for (done = 0; done < r->nr_extents; done++) {
		if (list[done] >= FAKE_FRAMES || f->owner[list[done]] != r->domid)
			break;
		f->owner[list[done]] = 0;
		f->m2p[list[done]] = UINT64_MAX;
		f->domain[r->domid].owned--;
	}
	return (int64_t)done;
}

static int64_t memory_do(struct fake *f, uint64_t cmd, void *argument)
{
	struct xen_machphys_mfn_list *l = argument;

	switch (cmd & 63) {
	case XENMEM_maximum_ram_page:
		return FAKE_FRAMES - 1;
	case XENMEM_machphys_mfn_list:
		((uint64_t *)l->extent_start.p)[0] = 0x10000;
		l->nr_extents = 1;
		return 0;
	case XENMEM_populate_physmap:
		return populate(f, argument);
	case XENMEM_decrease_reservation:
		return decrease(f, argument);
	default:
		return -ENOSYS;
	}
}

/* Pinning: what a real hypervisor would refuse is refused here, as far as the tests need. */
static int64_t pin(struct fake *f, const struct mmuext_op *list, uint64_t count, uint32_t domid)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t mfn = list[i].arg1.mfn, *table = fake_page(f, mfn);
		uint8_t level = (uint8_t)(list[i].cmd - MMUEXT_PIN_L1_TABLE + 1);

		if (mfn >= FAKE_FRAMES || f->owner[mfn] != domid)
			return -EINVAL;
		for (unsigned int e = 0; e < 512; e++)
			if (table[e] & 1 && f->owner[table[e] >> 12 & 0xfffffff] != domid)
				return -EINVAL;
		f->type[mfn] = level | 8;
	}
	return 0;
}

static int64_t hypercall(void *context, uint32_t number, const uint64_t a[5])
{
	struct fake *f = context;

	switch (number) {
	case __HYPERVISOR_domctl:
		return domctl_do(f, (void *)a[0]);
	case __HYPERVISOR_memory_op:
		return memory_do(f, a[0], (void *)a[1]);
	case __HYPERVISOR_mmuext_op:
		return pin(f, (void *)a[0], a[1], (uint32_t)a[3]);
	case __HYPERVISOR_xen_version:
		return a[0] == XENVER_version ? 4 << 16 | 17 : -EPERM;
	case __HYPERVISOR_sysctl: {
		struct xen_sysctl *op = (void *)a[0];

		if (op->cmd != XEN_SYSCTL_get_cpu_policy)
			return -ENOSYS;
		op->u.cpu_policy.nr_leaves = op->u.cpu_policy.nr_msrs = 4;
		return 0;
	}
	default:
		return -ENOSYS;
	}
}

static void *buffer_get(void *context, size_t pages)
{
	void *p = aligned_alloc(PAGE, pages * PAGE);

	(void)context;
	return memset(p, 0, pages * PAGE);
}

static void buffer_put(void *context, void *buffer, size_t pages)
{
	(void)context, (void)pages;
	free(buffer);
}

static void ops_close(void *context)
{
	(void)context;
}

static const struct dev_ops ops = {
	.hypercall = hypercall, .map = map, .map_resource = map_resource, .unmap = unmap, .buffer_get = buffer_get,
	.buffer_put = buffer_put, .close = ops_close,
};

/* ---- The source domain ---- */

uint64_t fake_source_frame(struct fake *f, uint64_t pfn)
{
	uint64_t *p2m = fake_page(f, FAKE_FIRST + f->p2m_pfn[pfn / 512]);

	return p2m[pfn % 512];
}

void fake_write(struct fake *f, uint64_t pfn, unsigned int word, uint64_t value)
{
	uint64_t *page = fake_page(f, fake_source_frame(f, pfn));

	page[word] = value;
	f->domain[FAKE_SOURCE].dirty[pfn / 8] |= (uint8_t)(1 << pfn % 8);
}

static void table_make(struct fake *f, uint64_t pfn, uint8_t type)
{
	f->type[FAKE_FIRST + pfn] = type;
	memset(fake_page(f, FAKE_FIRST + pfn), 0, PAGE);
}

static void entry_set(struct fake *f, uint64_t pfn, unsigned int index, uint64_t target, uint64_t flags)
{
	((uint64_t *)fake_page(f, FAKE_FIRST + pfn))[index] = (FAKE_FIRST + target) << 12 | flags;
}

/* Pages 1 to 5 are tables: 1 = L4, 2 = L3, 3 = L2, 4 = L1 of all low pages, 5 = user L4; the P2M is at 0x8000000000 by the same. */
static void tables_make(struct fake *f)
{
	table_make(f, 1, 4 | 8);
	table_make(f, 2, 3);
	table_make(f, 3, 2);
	table_make(f, 4, 1);
	table_make(f, 5, 4 | 8);
	entry_set(f, 1, 1, 2, 7);
	entry_set(f, 2, 0, 3, 7);
	entry_set(f, 3, 0, 4, 7);
	((uint64_t *)fake_page(f, FAKE_FIRST + 1))[256] = UINT64_C(0x8000000000000067); /* the hypervisor's */
	for (unsigned int i = 0; i < FAKE_PAGES / 512 + 1; i++)
		entry_set(f, 4, i, f->p2m_pfn[i], UINT64_C(0x8000000000000063));
	for (unsigned int i = 8; i < 500; i++)
		if (i % 100 != 77)
			entry_set(f, 4, i, i, 0x65);
	((uint64_t *)fake_page(f, FAKE_FIRST + 4))[500] = 0x123450; /* not present: a swap entry */
	f->root_pfn = 1;
	f->user_root_pfn = 5;
}

static void memory_make(struct fake *f, bool linear)
{
	struct fake_domain *d = &f->domain[FAKE_SOURCE];
	struct shared_info *si = fake_page(f, d->shared_info);

	for (uint64_t pfn = 0; pfn < FAKE_PAGES; pfn++) {
		uint64_t *page = fake_page(f, FAKE_FIRST + pfn), *p2m;

		p2m = fake_page(f, FAKE_FIRST + f->p2m_pfn[pfn / 512]);
		p2m[pfn % 512] = pfn % 100 == 77 ? UINT64_MAX : FAKE_FIRST + pfn;
		if (pfn % 100 == 77)
			continue;
		f->owner[FAKE_FIRST + pfn] = FAKE_SOURCE;
		f->m2p[FAKE_FIRST + pfn] = pfn;
		d->owned++;
		if (pfn > 5 && pfn != f->p2m_pfn[0] && pfn != f->p2m_pfn[1])
			for (unsigned int i = 0; i < 512; i++)
				page[i] = pfn << 32 | i;
	}
	tables_make(f);
	si->arch.max_pfn = FAKE_PAGES;
	if (linear) {
		si->arch.p2m_cr3 = (FAKE_FIRST + f->root_pfn) << 12;
		si->arch.p2m_vaddr = 0x8000000000;
	} else {
		uint64_t *top = fake_page(f, FAKE_FIRST + 30), *list = fake_page(f, FAKE_FIRST + 31);

		si->arch.pfn_to_mfn_frame_list_list = FAKE_FIRST + 30;
		top[0] = FAKE_FIRST + 31;
		list[0] = FAKE_FIRST + f->p2m_pfn[0];
		list[1] = FAKE_FIRST + f->p2m_pfn[1];
	}
}

static void state_make(struct fake *f)
{
	struct fake_domain *d = &f->domain[FAKE_SOURCE];
	struct start_info *start = fake_page(f, FAKE_FIRST + f->start_info_pfn);

	start->store_mfn = f->store_pfn;
	start->console.domU.mfn = f->console_pfn;
	d->tsc = (struct ctrl_tsc){ 1, 2000000, 3, 12345678 };
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		struct fake_vcpu *v = &d->vcpu[i];

		v->online = true;
		v->context.ctrlreg[3] = (FAKE_FIRST + f->root_pfn) << 12;
		v->context.ctrlreg[1] = (FAKE_FIRST + f->user_root_pfn) << 12 | 1;
		v->context.gdt_frames[0] = FAKE_FIRST + f->gdt_pfn;
		v->context.gdt_ents = 512;
		v->context.user_regs.rip = 0xffffffff81000000 + i;
		v->context.user_regs.rdx = i ? 99 : FAKE_FIRST + f->start_info_pfn;
		v->extended.vcpu = i;
		v->extended.syscall32_callback_eip = 0x1234;
		v->extended.size = sizeof(v->extended);
		memset(v->xstate, 0x40 + (int)i, sizeof(v->xstate));
		v->xstate_bytes = sizeof(v->xstate);
	}
}

struct fake *fake_make(bool linear)
{
	struct fake *f = calloc(1, sizeof(*f));

	f->fd = memfd_create("memory", MFD_CLOEXEC);
	if (f->fd < 0 || ftruncate(f->fd, (off_t)(ALL_PAGES * PAGE)))
		abort();
	f->memory = mmap(NULL, ALL_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	f->m2p = fake_page(f, FAKE_FRAMES);
	memset(f->m2p, 0xff, (M2P_PAGES + 1) * PAGE);
	f->grant_table = fake_page(f, GRANTS);
	f->fail_map_after = -1;
	f->domain[FAKE_SOURCE] = (struct fake_domain){ .max_pages = FAKE_PAGES, .shared_info = 0x10 };
	f->domain[FAKE_TARGET] = (struct fake_domain){ .max_pages = FAKE_PAGES, .shared_info = 0x11 };
	f->p2m_pfn[0] = 6;
	f->p2m_pfn[1] = 7;
	f->start_info_pfn = 20;
	f->store_pfn = 21;
	f->console_pfn = 22;
	f->gdt_pfn = 23;
	memory_make(f, linear);
	state_make(f);
	if (dev_open_ops(&ops, f, &f->dev) || ctrl_open_dev(f->dev, &f->ctrl))
		abort();
	return f;
}

void fake_target_reset(struct fake *f)
{
	struct fake_domain *d = &f->domain[FAKE_TARGET];

	for (uint64_t mfn = 0; mfn < FAKE_FRAMES; mfn++) {
		if (f->owner[mfn] != FAKE_TARGET)
			continue;
		f->owner[mfn] = 0;
		f->m2p[mfn] = UINT64_MAX;
	}
	memset(fake_page(f, d->shared_info), 0, PAGE);
	*d = (struct fake_domain){ .max_pages = FAKE_PAGES, .shared_info = d->shared_info };
}

void fake_free(struct fake *f)
{
	ctrl_close(f->ctrl);
	dev_close(f->dev);
	munmap(f->memory, ALL_PAGES * PAGE);
	close(f->fd);
	free(f);
}
