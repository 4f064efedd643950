/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment bases and descriptor windows of the executing CPU. Private to arch/x86/pv. */
#ifndef PV_SEGMENT_H
#define PV_SEGMENT_H

#include <hv/types.h>
#include <hv/features.h>
#include <hv/msr.h>
#include <hv/x86.h>

struct vcpu;
struct pv_vcpu;

/* Bases of the vCPU that runs here; addresses are canonical. gs: of the present mode; gs_other: of the other one. */
static inline u64 fs_base_read(void)
{
	return cpu_has(CPU_FSGSBASE) ? rdfsbase() : rdmsr(MSR_FS_BASE);
}

static inline void fs_base_write(u64 base)
{
	if (cpu_has(CPU_FSGSBASE))
		wrfsbase(base);
	else
		wrmsr(MSR_FS_BASE, base);
}

static inline u64 gs_base_read(void)
{
	return cpu_has(CPU_FSGSBASE) ? rdgsbase() : rdmsr(MSR_GS_BASE);
}

static inline void gs_base_write(u64 base)
{
	if (cpu_has(CPU_FSGSBASE))
		wrgsbase(base);
	else
		wrmsr(MSR_GS_BASE, base);
}

static inline u64 gs_other_read(void)
{
	u64 base;

	swapgs();
	base = gs_base_read();
	swapgs();
	return base;
}

static inline void gs_other_write(u64 base)
{
	swapgs();
	gs_base_write(base);
	swapgs();
}

/* Number of pages that hold n descriptors. */
static inline u32 descriptor_pages(u32 n)
{
	return (n + 511) / 512;
}

/* Puts GDT and LDT of v into the windows of this CPU, and LDTR. */
void pv_windows_load(struct vcpu *v);
/*
 * Frame number behind a linear address in the address space of v's kernel, whatever mode it is in; false when there is none. It may be
 * stale, or not the guest's: take a reference for the owner before it is used.
 */
bool pv_kernel_frame(const struct vcpu *v, gva_t va, mfn_t *out);
/* True when addr is in this CPU's GDT or LDT window; *selector gets the selector (index and table bits) of the entry there. */
bool pv_window_selector(u32 cpu, gva_t addr, u16 *selector);

#endif
