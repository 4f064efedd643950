/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLB shoot-down. Each frame remembers when it last lost a mapping that a TLB may still hold (frame->tlb_stamp), each CPU when
 * it last flushed everything; a flush before a frame changes type or owner goes only to the CPUs that need it.
 */
#ifndef HV_TLB_H
#define HV_TLB_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/cpumask.h>

/*
 * Flushes this CPU's TLB of everything but the hypervisor's global entries (guests have none) / of one page, global or not. Of the
 * hypervisor's own mappings only I/O and windows ever change; they are not global.
 */
void tlb_flush_local(void);
void tlb_flush_page_local(gva_t va);
/* The same on every CPU of the mask (this one included, if in it); returns when all have flushed. Locks may be held. */
void tlb_flush_mask(const struct cpumask *mask);
void tlb_flush_page_mask(const struct cpumask *mask, gva_t va);
/*
 * Stamp for a frame that loses a mapping now. Never 0; very old stamps look younger, never older, than they are. The page-table entry was cleared by an atomic
 * (locked) instruction, or a fence stands between.
 */
u32 tlb_stamp_now(void);
/* Removes from the mask the CPUs that have flushed everything since `stamp`. */
void tlb_stamp_filter(struct cpumask *mask, u32 stamp);
/* True when every online CPU has flushed everything since `stamp` (0: the frame never lost a mapping). */
bool tlb_stamp_clean(u32 stamp);
/* Flushes what is needed before a frame with this stamp gets a new owner or type. Locks may be held. */
void tlb_stamp_flush(u32 stamp);
/* A CPU comes up: its TLB is empty, and it counts from now on. On that CPU, before it is online. */
void tlb_cpu_init(unsigned int cpu);
/* Loads CR3 (which flushes non-global entries) and notes the flush time. */
void cr3_write(u64 cr3);
/* What each CPU really did, for tests and benchmarks. */
struct tlb_counters {
	u64 full, page, cr3;	/* flushes of everything, of one page, loads of CR3 */
	u64 shootdowns;		/* requests sent to other CPUs */
	u64 time;		/* flush clock when this CPU last flushed everything; its owner writes, others read */
	u64 ticks;
} aligned_to(64);
extern struct tlb_counters tlb_counters[];

#endif
