/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables and segment bases of PV guests. Each CPU has a window of 16 pages for its GDT (14 of the guest, the last two
 * the hypervisor's) and of 16 for its LDT; their page-table entries follow the vCPU that runs there. What a window maps
 * always is the frame that its entry says, since a change of an entry flushes the page, so comparing entries is enough to
 * skip the change.
 */
#include "segment.h"

#include <hv/compiler.h>
#include <hv/cpu.h>
#include <hv/dirty_log.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/tlb.h>

#define GDT_GUEST_PAGES 14u
#define LDT_PAGES 16u
#define LDT_ENTRIES_MAX 8192u

/* ---- references ---- */

static int must_check segdesc_get(struct vcpu *actor, struct domain *d, mfn_t m)
{
	struct frame *f;
	int rc;

	if (!frame_valid(m))
		return -EINVAL;
	f = frame_of(m);
	if (!frame_get(f, d))
		return -EINVAL;
	rc = frame_type_get(actor, f, FRAME_SEGDESC);
	if (rc)
		frame_put(f);
	return rc;
}

static void segdesc_put(struct vcpu *actor, mfn_t m)
{
	struct frame *f = frame_of(m);

	frame_type_put(actor, f, FRAME_SEGDESC);
	frame_put(f);
}

/* ---- windows ---- */

static void window_entry_set(u32 cpu, u32 page, u64 pte)
{
	u64 *slot = percpu_window_ptes(cpu) + page;

	if (*slot == pte)
		return;
	WRITE_ONCE(*slot, pte);
	tlb_flush_page_local(percpu_window(cpu) + page * PAGE_SIZE);
}

static void gdt_window_load(const struct vcpu *v)
{
	const struct pv_vcpu *pv = v->pv;
	u32 pages = descriptor_pages(pv->gdt_entries);

	for (u32 i = 0; i < GDT_GUEST_PAGES; i++)
		window_entry_set(v->cpu, WINDOW_GDT_PAGE + i,
				 i < pages ? percpu_window_pte(pv->gdt_frame[i], true) : 0);
}

static void ldt_window_load(const struct vcpu *v)
{
	const struct pv_vcpu *pv = v->pv;

	for (u32 i = 0; i < LDT_PAGES; i++)
		window_entry_set(v->cpu, WINDOW_LDT_PAGE + i,
				 pv->ldt_mapped & 1u << i ? percpu_window_pte(pv->ldt_frame[i], true) : 0);
	cpu_ldt_load(pv->ldt_entries);
}

bool pv_window_selector(u32 cpu, gva_t addr, u16 *selector)
{
	u64 offset = addr - percpu_window(cpu);

	if (offset >= (WINDOW_LDT_PAGE + WINDOW_LDT_PAGES) * PAGE_SIZE)
		return false;
	*selector = (u16)(offset & 0xfff8);
	if (offset >= WINDOW_LDT_PAGE * PAGE_SIZE)
		*selector |= 4;
	return true;
}

/* ---- GDT ---- */

int pv_gdt_set(struct vcpu *actor, struct vcpu *v, const mfn_t *frames, u32 entries)
{
	struct pv_vcpu *pv = v->pv;
	u32 pages = descriptor_pages(entries), old = descriptor_pages(pv->gdt_entries), n;
	mfn_t dropped[GDT_GUEST_PAGES];
	int rc = 0;

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	for (n = 0; n < pages && !rc; n++)
		rc = segdesc_get(actor, v->domain, frames[n]);
	if (rc) {
		for (n--; n > 0; n--)
			segdesc_put(actor, frames[n - 1]);
		return rc;
	}
	for (n = 0; n < old; n++)
		dropped[n] = pv->gdt_frame[n];
	for (n = 0; n < pages; n++)
		pv->gdt_frame[n] = frames[n];
	pv->gdt_entries = entries;
	if (v == actor)
		gdt_window_load(v);
	for (n = 0; n < old; n++)
		segdesc_put(actor, dropped[n]);
	return 0;
}

long do_set_gdt(struct vcpu *v, u64 *args)
{
	mfn_t frames[GDT_GUEST_PAGES];
	u32 entries = (u32)args[1];

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	if (guest_copy_in(v, frames, args[0], descriptor_pages(entries) * sizeof(frames[0])))
		return -EFAULT;
	return pv_gdt_set(v, v, frames, entries);
}

long do_update_descriptor(struct vcpu *v, u64 *args)
{
	mfn_t m = paddr_mfn(paddr(args[0]));
	u64 desc = args[1], *page;
	enum frame_type type;
	struct frame *f;
	int rc;

	if ((args[0] & 7) || !frame_valid(m) || !pv_descriptor_fix(&desc))
		return -EINVAL;
	f = frame_of(m);
	if (!frame_get(f, v->domain))
		return -EINVAL;
	type = frame_type(f) == FRAME_SEGDESC ? FRAME_SEGDESC : FRAME_WRITABLE;
	rc = frame_type_get(v, f, type);
	if (!rc) {
		page = frame_map(m);
		WRITE_ONCE(page[(args[0] & ~PAGE_MASK) / 8], desc);
		frame_unmap(page);
		dirty_log_mark(f);
		frame_type_put(v, f, type);
	}
	frame_put(f);
	return rc;
}

/* ---- LDT ---- */

/* Tables are read without a lock: if the guest changes them meanwhile the result is some frame number, which nobody trusts. */
bool pv_kernel_frame(const struct vcpu *v, gva_t va, mfn_t *out)
{
	mfn_t m = v->pv->kernel_root;

	for (unsigned int shift = 39; shift >= PAGE_SHIFT; shift -= 9) {
		const u64 *table;
		u64 entry;

		if (!frame_valid(m))
			return false;
		table = frame_map(m);
		entry = READ_ONCE(table[va >> shift & 511]);
		frame_unmap(table);
		if (!(entry & 1))
			return false;
		m = mfn((entry & 0x000ffffffffff000UL) >> PAGE_SHIFT);
	}
	*out = m;
	return true;
}

/* Takes the reference for page n of the LDT and notes it; false when there is no valid page. */
static bool ldt_page_get(struct vcpu *v, u32 n)
{
	struct pv_vcpu *pv = v->pv;
	mfn_t m;

	if (!pv_kernel_frame(v, pv->ldt_base + n * PAGE_SIZE, &m) || segdesc_get(v, v->domain, m))
		return false;
	pv->ldt_frame[n] = m;
	pv->ldt_mapped |= 1u << n;
	return true;
}

/* What is not there yet (or not valid) is tried again at the next switch, and when it is used: pv_ldt_fault. */
static void ldt_pages_get(struct vcpu *v)
{
	for (u32 n = 0; n < descriptor_pages(v->pv->ldt_entries); n++)
		if (!(v->pv->ldt_mapped & 1u << n))
			(void)ldt_page_get(v, n);
}

void pv_windows_load(struct vcpu *v)
{
	gdt_window_load(v);
	if (v->pv->ldt_entries)
		ldt_pages_get(v);
	ldt_window_load(v);
}

int pv_ldt_set(struct vcpu *v, gva_t base, u32 entries)
{
	struct pv_vcpu *pv = v->pv;
	u32 mapped = pv->ldt_mapped;
	mfn_t dropped[LDT_PAGES];

	if (entries > LDT_ENTRIES_MAX || (base & ~PAGE_MASK) || !guest_range_ok(base, entries * 8UL))
		return -EINVAL;
	if (!entries && !pv->ldt_entries)
		return 0;
	for (u32 n = 0; n < LDT_PAGES; n++)
		dropped[n] = pv->ldt_frame[n];
	pv->ldt_base = base;
	pv->ldt_entries = entries;
	pv->ldt_mapped = 0;
	ldt_pages_get(v);
	ldt_window_load(v);
	for (u32 n = 0; n < LDT_PAGES; n++)
		if (mapped & 1u << n)
			segdesc_put(v, dropped[n]);
	return 0;
}

bool pv_ldt_fault(struct vcpu *v, gva_t addr)
{
	u64 offset = addr - (percpu_window(v->cpu) + WINDOW_LDT_PAGE * PAGE_SIZE);
	u32 n = (u32)(offset >> PAGE_SHIFT);

	if (offset >= WINDOW_LDT_PAGES * PAGE_SIZE || n >= descriptor_pages(v->pv->ldt_entries))
		return false;
	if (!(v->pv->ldt_mapped & 1u << n) && !ldt_page_get(v, n))
		return false;
	window_entry_set(v->cpu, WINDOW_LDT_PAGE + n, percpu_window_pte(v->pv->ldt_frame[n], true));
	return true;
}

void pv_ldt_drop(struct vcpu *actor, struct vcpu *v)
{
	struct pv_vcpu *pv = v->pv;

	for (u32 n = 0; n < LDT_PAGES; n++)
		if (pv->ldt_mapped & 1u << n)
			segdesc_put(actor, pv->ldt_frame[n]);
	pv->ldt_mapped = 0;
	pv->ldt_entries = 0;
}

void pv_descriptors_drop(struct vcpu *actor, struct vcpu *v)
{
	struct pv_vcpu *pv = v->pv;

	pv_ldt_drop(actor, v);
	for (u32 n = 0; n < descriptor_pages(pv->gdt_entries); n++)
		segdesc_put(actor, pv->gdt_frame[n]);
	pv->gdt_entries = 0;
}

/* ---- bases ---- */

long do_set_segment_base(struct vcpu *v maybe_unused, u64 *args)
{
	u64 base = args[1];
	int bad;

	if ((u32)args[0] != SEGBASE_GS_USER_SEL && !is_canonical(base))
		return -EINVAL;
	switch ((u32)args[0]) {
	case SEGBASE_FS:
		fs_base_write(base);
		return 0;
	case SEGBASE_GS_USER:
		gs_other_write(base);
		return 0;
	case SEGBASE_GS_KERNEL:
		gs_base_write(base);
		return 0;
	case SEGBASE_GS_USER_SEL:
		/* The base that comes with the selector is for user mode; the kernel's stays. */
		swapgs();
		bad = sel_load_gs((u16)base | ((u16)base & 0xfffc ? 3 : 0));
		swapgs();
		return bad ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}
