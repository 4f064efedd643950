/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLBs that keep every translation and every table they have walked until flushed, as a processor may, and guest access through
 * them. A flush stamp is a clock that goes up with each full flush anywhere.
 */
#include <stdlib.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/regs.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <hv/x86.h>
#include "sim_private.h"

#define PTE_P 1u
#define PTE_W 2u
#define PTE_U 4u
#define PTE_A 0x20u
#define PTE_D 0x40u
#define PTE_ADDR 0x000ffffffffff000UL

struct tlb_counters tlb_counters[MAX_CPUS];
static u32 stamp_clock;

void sim_tlb_start(void)
{
	stamp_clock = 1;
	memset(tlb_counters, 0, sizeof(tlb_counters));
	for (unsigned int i = 0; i < SIM_CPUS; i++)
		sim_cpu[i].flushed_at = 1;
}

static void flush_cpu(unsigned int cpu)
{
	struct sim_cpu *c = &sim_cpu[cpu];

	for (u32 i = 0; i < SIM_TLB_ENTRIES; i++)
		c->tlb[i].valid = c->walk[i].valid = false;
	c->flushed_at = __atomic_add_fetch(&stamp_clock, 1, __ATOMIC_SEQ_CST);
}

/* INVLPG drops the address's entry, and all of the paging-structure caches. */
static void flush_cpu_page(unsigned int cpu, gva_t va)
{
	struct sim_cpu *c = &sim_cpu[cpu];

	for (u32 i = 0; i < SIM_TLB_ENTRIES; i++) {
		if (c->tlb[i].page == (va & PAGE_MASK))
			c->tlb[i].valid = false;
		c->walk[i].valid = false;
	}
}

void tlb_flush_local(void)
{
	sim_counts.flush_full++;
	tlb_counters[sim_cpu_nr].full++;
	flush_cpu(sim_cpu_nr);
}

void tlb_flush_page_local(gva_t va)
{
	sim_counts.flush_page++;
	tlb_counters[sim_cpu_nr].page++;
	flush_cpu_page(sim_cpu_nr, va);
}

void tlb_flush_mask(const struct cpumask *mask)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask) {
		if (!cpu_online(cpu))
			continue;
		sim_counts.flush_full++;
		tlb_counters[cpu].full++;
		if (cpu != sim_cpu_nr) {
			sim_counts.ipis++;
			tlb_counters[sim_cpu_nr].shootdowns++;
		}
		flush_cpu(cpu);
	}
}

void tlb_flush_page_mask(const struct cpumask *mask, gva_t va)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask) {
		if (!cpu_online(cpu))
			continue;
		sim_counts.flush_page++;
		tlb_counters[cpu].page++;
		if (cpu != sim_cpu_nr) {
			sim_counts.ipis++;
			tlb_counters[sim_cpu_nr].shootdowns++;
		}
		flush_cpu_page(cpu, va);
	}
}

u32 tlb_stamp_now(void)
{
	return __atomic_load_n(&stamp_clock, __ATOMIC_SEQ_CST);
}

void tlb_stamp_filter(struct cpumask *mask, u32 stamp)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask)
		if (cpu >= SIM_CPUS || sim_cpu[cpu].flushed_at > stamp)
			cpumask_clear(mask, cpu);
}

bool tlb_stamp_clean(u32 stamp)
{
	struct cpumask mask = cpu_online_map;

	if (stamp == 0)
		return true;
	tlb_stamp_filter(&mask, stamp);
	return cpumask_empty(&mask);
}

void tlb_stamp_flush(u32 stamp)
{
	struct cpumask mask = cpu_online_map;

	if (stamp == 0)
		return;
	tlb_stamp_filter(&mask, stamp);
	tlb_flush_mask(&mask);
}

void tlb_cpu_init(unsigned int cpu)
{
	flush_cpu(cpu);
}

void cr3_write(u64 cr3)
{
	sim_cpu[sim_cpu_nr].cr3 = cr3;
	sim_counts.cr3_loads++;
	tlb_counters[sim_cpu_nr].cr3++;
	flush_cpu(sim_cpu_nr);
}

u64 cr3_read(void)
{
	return sim_cpu[sim_cpu_nr].cr3;
}

static u64 root_table[512];

paddr_t hv_root(void)
{
	return paddr(0);
}

const u64 *hv_l4_template(void)
{
	/* Entries that no guest may make: their frames are the hypervisor's, and never walked by the simulated processor. */
	for (u32 i = HV_L4_FIRST; i <= HV_L4_LAST; i++)
		root_table[i] = (u64)(SIM_HOLE_LAST - 15 + i - HV_L4_FIRST) << PAGE_SHIFT | PTE_P | PTE_W | PTE_A | PTE_D;
	return root_table;
}

/* --- the processor's walk --- */

static u64 *table_entry(mfn_t table, gva_t va, unsigned int level)
{
	u64 *t = (u64 *)(void *)(sim_direct_map + (table.v << PAGE_SHIFT));

	return &t[va >> (PAGE_SHIFT + 9 * (level - 1)) & 511];
}

static gva_t walk_prefix(gva_t va, unsigned int level)
{
	return va >> (PAGE_SHIFT + 9 * level);
}

static void walk_remember(struct sim_cpu *c, gva_t va, unsigned int level, mfn_t table, bool writable)
{
	struct sim_walk_entry *w = &c->walk[(walk_prefix(va, level) * 3 + level) % SIM_TLB_ENTRIES];

	*w = (struct sim_walk_entry){ .valid = true, .level = (u8)level, .prefix = walk_prefix(va, level), .table = table,
		.owner = frame_of(table)->owner, .writable = writable };
}

/* The lowest table for va that the paging-structure cache knows; its level, or 4 and the root. */
static unsigned int walk_begin(const struct sim_cpu *c, gva_t va, mfn_t *table, bool *writable)
{
	for (unsigned int level = 1; level <= 3; level++) {
		const struct sim_walk_entry *w = &c->walk[(walk_prefix(va, level) * 3 + level) % SIM_TLB_ENTRIES];

		if (w->valid && w->level == level && w->prefix == walk_prefix(va, level)) {
			*table = w->table;
			*writable = w->writable;
			return level;
		}
	}
	*table = mfn(c->cr3 >> PAGE_SHIFT);
	*writable = true;
	return 4;
}

static bool walk(struct sim_cpu *c, gva_t va, bool write, mfn_t *where, bool *writable, bool from_root)
{
	mfn_t table = mfn(c->cr3 >> PAGE_SHIFT);
	unsigned int level = 4;
	bool rw = true;

	if (!from_root)
		level = walk_begin(c, va, &table, &rw);
	for (;; level--) {
		u64 *e = table_entry(table, va, level);
		u64 pte = __atomic_load_n(e, __ATOMIC_RELAXED);

		if (!(pte & PTE_P))
			return false;
		if (!(pte & PTE_U))
			sim_fail("present guest entry %#lx at level %u without the user bit", (unsigned long)pte, level);
		rw = rw && (pte & PTE_W);
		table = mfn((pte & PTE_ADDR) >> PAGE_SHIFT);
		if (level == 1) {
			if (write && !rw)
				return false;
			__atomic_fetch_or(e, PTE_A | (write ? PTE_D : 0), __ATOMIC_RELAXED);
			*where = table;
			*writable = rw;
			return true;
		}
		__atomic_fetch_or(e, PTE_A, __ATOMIC_RELAXED);
		if (pte & 0x80)
			sim_fail("large page in a guest's table of level %u", level);
		if (!frame_valid(table))
			sim_fail("table entry %#lx of level %u points outside of memory", (unsigned long)pte, level);
		walk_remember(c, va, level - 1, table, rw);
	}
}

bool sim_access(struct vcpu *v, gva_t va, bool write, mfn_t *where)
{
	struct sim_cpu *c = &sim_cpu[v->cpu];
	struct sim_tlb_entry *t = &c->tlb[(va >> PAGE_SHIFT) % SIM_TLB_ENTRIES];
	bool writable;
	mfn_t m;

	if (!v->running || c->info.current != v)
		sim_fail("guest access by vCPU %u of domain %u, which does not run", v->id, v->domain->id);
	if (!guest_range_ok(va, 1) || c->cr3 == 0)
		return false;
	if (t->valid && t->page == (va & PAGE_MASK) && (!write || t->writable)) {
		*where = t->frame;
		return true;
	}
	/* Before it faults, the processor walks again from the root. */
	if (!walk(c, va, write, &m, &writable, false) && !walk(c, va, write, &m, &writable, true))
		return false;
	*t = (struct sim_tlb_entry){ .valid = true, .writable = writable, .page = va & PAGE_MASK, .frame = m,
		.io = !frame_valid(m) };
	if (!t->io)
		t->owner = frame_of(m)->owner;
	*where = m;
	return true;
}

/* What the hypervisor does when the processor faults at the address of a guest whose writes are logged. */
static bool retry(struct vcpu *v, gva_t va, bool write, u32 tries)
{
	if (!v->domain->logging || !v->domain->ops->access_fault(v, va, PFEC_PRESENT | (write ? PFEC_WRITE : 0)))
		return false;
	if (tries > 100)
		sim_fail("domain %u faults at %#lx for ever", v->domain->id, (unsigned long)va);
	return true;
}

/* I/O memory reads as ones and ignores writes. */
static int copy(struct vcpu *v, void *buf, gva_t va, size_t len, bool write)
{
	u8 *p = buf;

	if (!guest_range_ok(va, len))
		return -EFAULT;
	while (len) {
		size_t n = MIN(len, PAGE_SIZE - (va & ~PAGE_MASK));
		mfn_t m;
		u8 *at;

		for (u32 tries = 0; !sim_access(v, va, write, &m); tries++)
			if (!retry(v, va, write, tries))
				return -EFAULT;
		at = sim_direct_map + (m.v << PAGE_SHIFT) + (va & ~PAGE_MASK);
		if (!frame_valid(m)) {
			if (!write)
				memset(p, 0xff, n);
		} else if (write) {
			memcpy(at, p, n);
		} else {
			memcpy(p, at, n);
		}
		p += n;
		va += n;
		len -= n;
	}
	return 0;
}

int guest_copy_in(struct vcpu *v, void *dst, gva_t src, size_t len)
{
	return copy(v, dst, src, len, false);
}

int guest_copy_out(struct vcpu *v, gva_t dst, const void *src, size_t len)
{
	return copy(v, (void *)(uintptr_t)src, dst, len, true);
}

int guest_clear(struct vcpu *v, gva_t dst, size_t len)
{
	static const u8 zero[256];

	while (len) {
		size_t n = MIN(len, sizeof(zero));
		int rc = guest_copy_out(v, dst, zero, n);

		if (rc)
			return rc;
		dst += n;
		len -= n;
	}
	return 0;
}

int guest_read64(struct vcpu *v, u64 *val, gva_t src)
{
	return copy(v, val, src, sizeof(*val), false);
}

int guest_write64(struct vcpu *v, gva_t dst, u64 val)
{
	return copy(v, &val, dst, sizeof(val), true);
}

int guest_write32(struct vcpu *v, gva_t dst, u32 val)
{
	return copy(v, &val, dst, sizeof(val), true);
}

bool sim_load(struct vcpu *v, gva_t va, u64 *val)
{
	return guest_read64(v, val, va) == 0;
}

bool sim_store(struct vcpu *v, gva_t va, u64 val)
{
	return guest_write64(v, va, val) == 0;
}
