/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Against Meltdown: guests run on page tables that lack the hypervisor. Each CPU has an L4 of its own, a copy of the guest's, in
 * which the hypervisor's part maps the machine-to-physical table, the entry code with its data, and this CPU's window (stack,
 * descriptors, TSS), and nothing else. Entry code leaves it before the first access to anything more (thunk.S). Addresses
 * are the same in both, so nothing else has to know.
 */
#include <hv/compiler.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/image.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/smp.h>
#include <hv/string.h>

#include "mmu.h"

#define L3_M2P_ENTRIES (M2P_SIZE >> 30)
#define IMAGE_L1_TABLES 4	/* 2 MiB each: code, and data, which may begin in the third part of the image */

/* Links of tables: rights are those of the leaf entries. */
#define LINK (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

struct xpti_cpu {
	u64 *l4;
	u64 *l3[2];		/* slot 256; the second one without the machine-to-physical table */
	u64 *l2;		/* of the windows */
};

static struct xpti_cpu cpus[MAX_CPUS];
static u64 *image_l2, *image_l1[IMAGE_L1_TABLES];	/* shared by all CPUs */

static u64 link_to(const u64 *table)
{
	return mfn_paddr(virt_mfn(table)).v | LINK;
}

/* Maps the pages of the image from start to end, as part of `image_l2`. */
static int image_pages_map(const u8 *start, const u8 *end, u64 flags)
{
	for (const u8 *p = start; p < end; p += PAGE_SIZE) {
		unsigned int i = pte_index((u64)p, 2);

		if (i >= IMAGE_L1_TABLES)
			return -ENOMEM;
		if (!image_l1[i]) {
			image_l1[i] = page_alloc();
			if (!image_l1[i])
				return -ENOMEM;
			image_l2[i] = link_to(image_l1[i]);
		}
		image_l1[i][pte_index((u64)p, 1)] = image_paddr(p).v | flags;
	}
	return 0;
}

static int image_init(void)
{
	int rc;

	if (image_l2)
		return 0;
	image_l2 = page_alloc();
	if (!image_l2)
		return -ENOMEM;
	rc = image_pages_map(entry_text_start, entry_text_end, PTE_PRESENT | PTE_ACCESSED);
	if (rc == 0)
		rc = image_pages_map(entry_data_start, entry_data_end,
				     PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_NX);
	return rc;
}

static void l3_fill(u64 *l3, const struct xpti_cpu *x, bool m2p)
{
	const u64 *full = frame_map(pte_mfn(hv_l4_template()[HV_L4_FIRST]));

	if (m2p)
		memcpy(l3, full, L3_M2P_ENTRIES * sizeof(u64));
	l3[pte_index(WINDOWS_START, 3)] = link_to(x->l2);
	l3[pte_index(IMAGE_START, 3)] = link_to(image_l2);
	frame_unmap(full);
}

int xpti_cpu_init(unsigned int cpu)
{
	struct xpti_cpu *x = &cpus[cpu];
	int rc;

	if (!cpu_has(CPU_DO_XPTI) || x->l4)
		return 0;
	rc = image_init();
	if (rc)
		return rc;
	x->l2 = page_alloc();
	x->l3[0] = page_alloc();
	x->l3[1] = page_alloc();
	x->l4 = page_alloc();
	if (!x->l2 || !x->l3[0] || !x->l3[1] || !x->l4)
		return -ENOMEM;
	x->l2[pte_index(percpu_window(cpu), 2)] = link_to(percpu_window_ptes(cpu));
	l3_fill(x->l3[0], x, true);
	l3_fill(x->l3[1], x, false);
	return 0;
}

/* This CPU's L4 becomes that of the guest's root. */
static void root_copy(struct xpti_cpu *x, mfn_t root)
{
	const u64 *from = frame_map(root);
	bool strict = from[HV_L4_FIRST] == hv_l4_strict_entry();

	memcpy(x->l4, from, HV_L4_FIRST * sizeof(u64));
	memcpy(x->l4 + HV_L4_LAST + 1, from + HV_L4_LAST + 1, (PTES - HV_L4_LAST - 1) * sizeof(u64));
	x->l4[HV_L4_FIRST] = link_to(x->l3[strict]);
	frame_unmap(from);
}

void xpti_load(const struct vcpu *v, mfn_t root)
{
	struct cpu_info *info = cpu_info_of(v->cpu);
	struct xpti_cpu *x = &cpus[v->cpu];

	info->shadow_cr3 = 0;
	if (!cpu_has(v->domain->privileged ? CPU_DO_XPTI_DOM0 : CPU_DO_XPTI_DOMU))
		return;
	root_copy(x, root);
	info->guest_cr3 = mfn_paddr(root).v;
	info->shadow_cr3 = mfn_paddr(virt_mfn(x->l4)).v;
}

static void root_refresh(void *arg)
{
	const mfn_t *root = arg;
	unsigned int cpu = this_cpu();
	struct cpu_info *info = cpu_info_of(cpu);

	if (info->shadow_cr3 != 0 && info->guest_cr3 == mfn_paddr(*root).v)
		root_copy(&cpus[cpu], *root);
}

void xpti_slot_refresh(unsigned int index)
{
	const struct cpu_info *info = cpu_info();
	const u64 *from;

	if (!info->shadow_cr3 || l4_slot_reserved(index))
		return;
	from = frame_map(paddr_mfn(paddr(info->guest_cr3)));
	cpus[this_cpu()].l4[index] = from[index];
	frame_unmap(from);
}

void xpti_root_changed(const struct domain *d, mfn_t root)
{
	smp_call(&d->dirty_cpus, root_refresh, &root);
}
