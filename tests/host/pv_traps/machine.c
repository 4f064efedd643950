/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <hv/errno.h>
#include <hv/features.h>
#include <hv/hypercall.h>
#include <hv/io.h>
#include <hv/mm.h>
#include <hv/pci.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/x86.h>

/* The real modules take over when they are linked. */
#define STAND_IN __attribute__((weak))

u16 port_last, selector_bad;
u32 port_size, port_value, port_written, port_accesses, pci_sbdf, pci_reg, pci_size, pci_value, hypercalls;
u32 ldt_entries_loaded, fxsaves, msr_written;
u64 cr2_now, msr_value, window_ptes[SIM_CPUS][256];
bool msr_refused;
STAND_IN bool cpu_feature[CPU_FEATURES];

STAND_IN void spec_ctrl_load(u32 guest)
{
	wrmsr(0x48, guest);
}

static u32 port_note(u16 port, u32 size)
{
	port_last = port;
	port_size = size;
	port_accesses++;
	return port_value;
}

u8 inb(u16 port) { return (u8)port_note(port, 1); }
u16 inw(u16 port) { return (u16)port_note(port, 2); }
u32 inl(u16 port) { return port_note(port, 4); }
void outb(u16 port, u8 val) { port_note(port, 1); port_written = val; }
void outw(u16 port, u16 val) { port_note(port, 2); port_written = val; }
void outl(u16 port, u32 val) { port_note(port, 4); port_written = val; }

u32 pci_config_read_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size)
{
	(void)d;
	pci_sbdf = sbdf;
	pci_reg = reg;
	pci_size = size;
	return pci_value;
}

void pci_config_write_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size, u32 val)
{
	(void)pci_config_read_guarded(d, sbdf, reg, size);
	pci_value = val;
}

u64 cr2_read(void) { return cr2_now; }

void hypercall_dispatch(struct vcpu *v, struct regs *r)
{
	(void)v;
	(void)r;
	hypercalls++;
}

struct cpuid_leaf cpuid_guest(struct vcpu *v, u32 leaf, u32 subleaf)
{
	(void)v;
	if (leaf == 0xd)
		return (struct cpuid_leaf){ 7, 0, 0, 0 };
	return (struct cpuid_leaf){ leaf + 1, subleaf + 2, 3, 4 };
}

int msr_guest_read(struct vcpu *v, u32 msr, u64 *val)
{
	(void)v;
	(void)msr;
	*val = msr_value;
	return msr_refused ? -EPERM : 0;
}

int msr_guest_write(struct vcpu *v, u32 msr, u64 val)
{
	(void)v;
	msr_written = msr;
	msr_value = val;
	return msr_refused ? -EPERM : 0;
}

int xcr0_set(struct vcpu *v, u32 index, u64 val)
{
	(void)v;
	return index == 0 && (val & 1) ? 0 : -EINVAL;
}

void fpu_get_fxsave(struct vcpu *v, void *out512)
{
	(void)v;
	memset(out512, 0x5a, 512);
}

void fpu_set_fxsave(struct vcpu *v, const void *in512)
{
	(void)v;
	(void)in512;
	fxsaves++;
}

u64 tsc_guest_read(const struct domain *d)
{
	(void)d;
	return 0x1122334455667788;
}

u64 *percpu_window_tables[MAX_CPUS] = { window_ptes[0], window_ptes[1], window_ptes[2], window_ptes[3] };

u64 percpu_window_pte(mfn_t m, bool writable)
{
	return m.v << PAGE_SHIFT | 1 | (writable ? 2 : 0);
}

void cpu_ldt_load(u32 entries)
{
	ldt_entries_loaded = entries;
}

/* In place of the simulated machine's, which never fail. */
static u16 selectors[4];
static int selector_load(unsigned int n, u16 sel)
{
	selectors[n] = sel == selector_bad && sel ? 0 : sel;
	return selectors[n] == sel ? 0 : -EFAULT;
}

u16 sel_read_ds(void) { return selectors[0]; }
u16 sel_read_es(void) { return selectors[1]; }
u16 sel_read_fs(void) { return selectors[2]; }
u16 sel_read_gs(void) { return selectors[3]; }
int sel_load_ds(u16 s) { return selector_load(0, s); }
int sel_load_es(u16 s) { return selector_load(1, s); }
int sel_load_fs(u16 s) { return selector_load(2, s); }
int sel_load_gs(u16 s) { return selector_load(3, s); }
