/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileged registers of the simulated CPUs: values that are kept. Weak, so that a test may watch them. */
#include <hv/x86.h>
#include "sim_private.h"

#define KEPT __attribute__((weak))
#define MSRS 64

static struct {
	u32 cpu, msr;
	u64 val;
} msrs[MSRS];
static u64 cr0[SIM_CPUS], cr4[SIM_CPUS], dr[SIM_CPUS][8], fs_base[SIM_CPUS], gs_base[SIM_CPUS], gs_other[SIM_CPUS];
static u16 sel[SIM_CPUS][4];

KEPT u64 rdmsr(u32 msr)
{
	for (u32 i = 0; i < MSRS; i++)
		if (msrs[i].msr == msr && msrs[i].cpu == sim_cpu_nr)
			return msrs[i].val;
	return 0;
}

KEPT void wrmsr(u32 msr, u64 val)
{
	for (u32 i = 0; i < MSRS; i++)
		if (msrs[i].msr == 0 || (msrs[i].msr == msr && msrs[i].cpu == sim_cpu_nr)) {
			msrs[i].msr = msr;
			msrs[i].cpu = sim_cpu_nr;
			msrs[i].val = val;
			return;
		}
	sim_fail("too many MSRs");
}

KEPT int rdmsr_safe(u32 msr, u64 *val)
{
	*val = rdmsr(msr);
	return 0;
}

KEPT int wrmsr_safe(u32 msr, u64 val)
{
	wrmsr(msr, val);
	return 0;
}

KEPT u64 cr0_read(void) { return cr0[sim_cpu_nr]; }
KEPT void cr0_write_reg(u64 val) { cr0[sim_cpu_nr] = val; }
KEPT u64 cr2_read(void) { return 0; }
KEPT u64 cr4_read(void) { return cr4[sim_cpu_nr]; }
KEPT void cr4_write_reg(u64 val) { cr4[sim_cpu_nr] = val; }
KEPT void clts(void) { cr0[sim_cpu_nr] &= ~(u64)CR0_TS; }
KEPT u64 dr_read(unsigned int n) { return dr[sim_cpu_nr][n & 7]; }
KEPT void dr_write(unsigned int n, u64 val) { dr[sim_cpu_nr][n & 7] = val; }
KEPT u64 rdtsc(void) { return sim_clock; }
KEPT u16 sel_read_ds(void) { return sel[sim_cpu_nr][0]; }
KEPT u16 sel_read_es(void) { return sel[sim_cpu_nr][1]; }
KEPT u16 sel_read_fs(void) { return sel[sim_cpu_nr][2]; }
KEPT u16 sel_read_gs(void) { return sel[sim_cpu_nr][3]; }
KEPT int sel_load_ds(u16 s) { sel[sim_cpu_nr][0] = s; return 0; }
KEPT int sel_load_es(u16 s) { sel[sim_cpu_nr][1] = s; return 0; }
KEPT int sel_load_fs(u16 s) { sel[sim_cpu_nr][2] = s; return 0; }
KEPT int sel_load_gs(u16 s) { sel[sim_cpu_nr][3] = s; return 0; }
KEPT u64 rdfsbase(void) { return fs_base[sim_cpu_nr]; }
KEPT u64 rdgsbase(void) { return gs_base[sim_cpu_nr]; }
KEPT void wrfsbase(u64 base) { fs_base[sim_cpu_nr] = base; }
KEPT void wrgsbase(u64 base) { gs_base[sim_cpu_nr] = base; }

KEPT void swapgs(void)
{
	u64 t = gs_base[sim_cpu_nr];

	gs_base[sim_cpu_nr] = gs_other[sim_cpu_nr];
	gs_other[sim_cpu_nr] = t;
}

KEPT void lldt(u16 s) { (void)s; }
KEPT void wbinvd(void) { sim_counts.wbinvd++; }
