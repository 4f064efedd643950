/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own address space: image, direct map, per-CPU windows. ioremap.c has the rest. */
#include <hv/boot.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <hv/x86.h>

#include "address_space.h"
#include "boot_memory.h"
#include "ioremap.h"

/* Linker script; in this order, at page boundaries. */
extern const char image_start[], image_text_end[], image_rodata_end[], image_end[];

#define MSR_ARCH_CAPABILITIES 0x10a
#define ARCH_CAPS_RDCL_NO 1u

static mfn_t table_alloc_boot(void)
{
	return boot_frames_alloc(1, 1);
}

static mfn_t table_alloc(void)
{
	struct frame *f = frames_alloc(0, ALLOC_ZERO);

	return f == NULL ? INVALID_MFN : frame_mfn(f);
}

struct ptab hv_ptab = {
	.format = &ptab_x86,
	.alloc = table_alloc_boot,
	.root = { ~0UL },
	.levels = 4,
	.leaf_levels = 2,
};
struct spinlock hv_ptab_lock = SPINLOCK(LOCK_MAP);

/* PTAB_GLOBAL, or 0 on CPUs that let user mode read what it must not (Meltdown): there a CR3 switch has to hide us. */
static u32 global_right;
/* Level 3 table of slot 256 without the machine-to-physical table. */
static u64 *strict_l3;
u64 *percpu_window_tables[MAX_CPUS];
/* Temporary maps in use, a bit each; touched by their CPU only, with interrupts off. */
static u64 window_temp_used[MAX_CPUS];
_Static_assert(WINDOW_TEMP_PAGES == 64, "one word of bits");

void boot_map(u64 va, paddr_t pa, u64 size, u32 rights)
{
	if (ptab_map(&hv_ptab, va, pa, size, rights | global_right, CACHE_WB) != 0)
		panic("Out of memory for page tables");
}

static void image_map(void)
{
	paddr_t base = boot_info.image_start;
	u64 text = (u64)(image_text_end - image_start), rodata = (u64)(image_rodata_end - image_start);
	u64 all = ROUND_UP((u64)(image_end - image_start), PAGE_SIZE);

	boot_map((u64)image_start, base, text, PTAB_READ | PTAB_EXEC);
	boot_map((u64)image_text_end, paddr(base.v + text), rodata - text, PTAB_READ);
	boot_map((u64)image_rodata_end, paddr(base.v + rodata), all - rodata, PTAB_READ | PTAB_WRITE);
	/* What is read-only in the image must not be writable through the direct map. */
	boot_map(DIRECT_MAP_START + base.v, base, rodata, PTAB_READ);
}

void address_space_init(void)
{
	if (!cpu_has(CPU_NX))
		panic("This CPU has no execute-disable (NX); Argon needs it. Is it switched off in the firmware set-up?");
	if (cpu_has(CPU_AMD) ||
	    (cpu_has(CPU_ARCH_CAPS) && (rdmsr(MSR_ARCH_CAPABILITIES) & ARCH_CAPS_RDCL_NO) != 0))
		global_right = PTAB_GLOBAL;
	hv_ptab.leaf_levels = cpu_has(CPU_1G_PAGES) ? 3 : 2;
	for (u32 i = 0; i < boot_ram.count; i++) {
		u64 start = boot_ram.range[i].start << PAGE_SHIFT;
		u64 end = MIN(boot_ram.range[i].end << PAGE_SHIFT, DIRECT_MAP_SIZE);

		if (start < end)
			boot_map(DIRECT_MAP_START + start, paddr(start), end - start, PTAB_READ | PTAB_WRITE);
	}
	image_map();
	strict_l3 = mfn_virt(table_alloc_boot());
	strict_m2p_refresh();
	cr3_write(hv_root().v);
	boot_alloc_limit = DIRECT_MAP_FRAMES;
}

void mm_early_init(void)
{
	boot_memory_init();
	address_space_init();
}

void address_space_heap_ready(void)
{
	hv_ptab.alloc = table_alloc;
}

paddr_t hv_root(void)
{
	return mfn_paddr(hv_ptab.root);
}

const u64 *hv_l4_template(void)
{
	return mfn_virt(hv_ptab.root);
}

u64 hv_l4_strict_entry(void)
{
	u64 entry = hv_l4_template()[HV_L4_FIRST];

	return (entry & ~ptab_x86.address) | mfn_paddr(virt_mfn(strict_l3)).v;
}

void strict_m2p_refresh(void)
{
	const u64 *l3 = mfn_virt(paddr_mfn(paddr(hv_l4_template()[HV_L4_FIRST] & ptab_x86.address)));

	for (unsigned int i = M2P_SIZE >> 30; i < 512; i++)
		WRITE_ONCE(strict_l3[i], l3[i]);
}

int percpu_window_create(unsigned int cpu)
{
	u64 *ptes;

	spin_lock(&hv_ptab_lock);
	ptes = ptab_entry(&hv_ptab, percpu_window(cpu));
	percpu_window_tables[cpu] = ptes;
	strict_m2p_refresh();
	spin_unlock(&hv_ptab_lock);
	return ptes == NULL ? -ENOMEM : 0;
}

u64 percpu_window_pte(mfn_t m, bool writable)
{
	return mfn_paddr(m).v | ptab_x86.leaf[1] | ptab_x86.without[2] | (writable ? ptab_x86.with[1] : 0);
}

void *frame_map_window(mfn_t m)
{
	unsigned int cpu = this_cpu(), slot;

	if (~window_temp_used[cpu] == 0)
		panic("CPU %u: all temporary maps are in use", cpu);
	slot = (unsigned int)__builtin_ctzll(~window_temp_used[cpu]);
	window_temp_used[cpu] |= 1UL << slot;
	WRITE_ONCE(percpu_window_tables[cpu][WINDOW_TEMP_PAGE + slot], percpu_window_pte(m, true));
	return (void *)(percpu_window(cpu) + (WINDOW_TEMP_PAGE + slot) * PAGE_SIZE);
}

void frame_unmap_window(const void *p)
{
	unsigned int cpu = this_cpu();
	u64 page = ((u64)p - percpu_window(cpu)) >> PAGE_SHIFT, slot = page - WINDOW_TEMP_PAGE;

	BUG_ON(slot >= WINDOW_TEMP_PAGES || !(window_temp_used[cpu] >> slot & 1));
	WRITE_ONCE(percpu_window_tables[cpu][page], 0);
	tlb_flush_page_local((u64)p);
	window_temp_used[cpu] &= ~(1UL << slot);
}
