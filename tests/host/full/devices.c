/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine around the hypervisor: ports, an IO-APIC, PCI, firmware, the clock's hardware, FPU state as plain memory. */
#include <hv/acpi.h>
#include <hv/boot.h>
#include <hv/efi.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/features.h>
#include <hv/grant.h>
#include <hv/image.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/microcode.h>
#include <hv/mm.h>
#include <hv/mtrr.h>
#include <hv/pci.h>
#include <hv/pirq.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/time.h>
#include "../../../hypervisor/arch/x86/irq/lapic.h"
#include "../../../hypervisor/drivers/console/internal.h"
#include "full_private.h"

/* What boot installs. */
const struct grant_host_ops *grant_host_ops = &pv_grant_host_ops;
const struct pirq_ops *pirq_ops = &irq_pirq_ops;
struct boot_info boot_info;
struct efi_info efi_info;
u64 image_phys;
/* There is no image: its entry code and data are empty. */
const u8 entry_text_start[1], entry_data_start[1];
__asm__(".globl entry_text_end, entry_data_end\n\t.set entry_text_end, entry_text_start\n\t"
	".set entry_data_end, entry_data_start");

u32 full_port, full_port_size, full_port_value, full_port_writes;
int full_pci_error;

/* --- ports and device memory --- */

static u32 port_note(u16 port, u32 size)
{
	full_port = port;
	full_port_size = size;
	return full_port_value;
}

u8 inb(u16 port) { return (u8)port_note(port, 1); }
u16 inw(u16 port) { return (u16)port_note(port, 2); }
u32 inl(u16 port) { return port_note(port, 4); }
void outb(u16 port, u8 val) { port_note(port, 1); full_port_value = val; full_port_writes++; }
void outw(u16 port, u16 val) { port_note(port, 2); full_port_value = val; full_port_writes++; }
void outl(u16 port, u32 val) { port_note(port, 4); full_port_value = val; full_port_writes++; }

/* The IO-APIC: register select at 0, window at 0x10. */
static struct {
	u8 window[32];
	u32 index, low[FULL_PINS], high[FULL_PINS];
} ioapic;

void *ioremap(paddr_t p, size_t size)
{
	return p.v == 0xfec00000 && size <= sizeof(ioapic.window) ? ioapic.window : NULL;
}

void *ioremap_wc(paddr_t p, size_t size) { return ioremap(p, size); }
void iounmap(const volatile void *p, size_t size) { (void)p; (void)size; }
u8 mmio_read8(const volatile void *p) { (void)p; return 0xff; }
void mmio_write8(volatile void *p, u8 val) { (void)p; (void)val; }
void mmio_write16(volatile void *p, u16 val) { (void)p; (void)val; }

static u32 *ioapic_register(void)
{
	u32 pin = (ioapic.index - 0x10) / 2;

	if (ioapic.index < 0x10 || pin >= FULL_PINS)
		return NULL;
	return ioapic.index & 1 ? &ioapic.high[pin] : &ioapic.low[pin];
}

u32 mmio_read32(const volatile void *p)
{
	const u32 *r = ioapic_register();

	if (p != ioapic.window + 0x10)
		return ~0u;
	if (ioapic.index == 1)
		return (FULL_PINS - 1) << 16 | 0x20;
	return r ? *r : 0;
}

void mmio_write32(volatile void *p, u32 val)
{
	u32 *r = ioapic_register();

	if (p == ioapic.window)
		ioapic.index = val;
	else if (p == ioapic.window + 0x10 && r)
		*r = val;
}

/* --- local APIC: a line that rises interrupts at once, on the CPU that it is routed to --- */

static u8 in_service[SIM_CPUS];

bool lapic_requested(unsigned int vector) { (void)vector; return false; }
bool lapic_in_service(unsigned int vector) { return in_service[this_cpu()] == vector; }
u32 lapic_error(void) { return 0; }
void lapic_eoi(void) { in_service[this_cpu()] = 0; }

void full_line_raise(unsigned int pin)
{
	unsigned int here = sim_cpu_nr;

	if (ioapic.low[pin] & 1u << 16)
		return;
	for (unsigned int cpu = 0; cpu < SIM_CPUS; cpu++) {
		if (!cpu_online(cpu) || cpu_topology[cpu].apic_id != ioapic.high[pin] >> 24)
			continue;
		sim_cpu_nr = cpu;
		in_service[cpu] = (u8)ioapic.low[pin];
		irq_handle(NULL, (u8)ioapic.low[pin]);
		if (in_service[cpu])
			sim_fail("vector %#x got no EOI", in_service[cpu]);
	}
	sim_cpu_nr = here;
}

/* --- PCI: functions are known to be there or not --- */

int pci_device_add(u32 sbdf, bool is_virtual, u32 physical) { (void)sbdf; (void)is_virtual; (void)physical; return full_pci_error; }
int pci_device_remove(u32 sbdf) { (void)sbdf; return full_pci_error; }
int pci_msi_setup(u32 sbdf, u32 count) { (void)sbdf; (void)count; return -ENODEV; }
int pci_msix_setup(u32 sbdf, u32 entry, paddr_t table) { (void)sbdf; (void)entry; (void)table; return -ENODEV; }
u32 pci_msi_count(u32 sbdf) { (void)sbdf; return 0; }
int pci_msi_restore(u32 sbdf) { (void)sbdf; return full_pci_error; }
int pci_msix_prepare(u32 sbdf) { (void)sbdf; return full_pci_error; }
int pci_msix_unprepare(u32 sbdf) { (void)sbdf; return full_pci_error; }

int pci_frames_guard(paddr_t start, u64 size, bool guard) { (void)start; (void)size; (void)guard; return 0; }

int pci_mmcfg_confirm(paddr_t address, u16 segment, u8 first, u8 last, bool reserved)
{
	(void)segment;
	(void)first;
	(void)last;
	(void)reserved;
	return address.v == 0xe0000000 ? 0 : -ENODEV;
}

u32 pci_config_read_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size)
{
	(void)d;
	(void)sbdf;
	(void)reg;
	(void)size;
	return full_port_value;
}

void pci_config_write_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size, u32 val)
{
	(void)pci_config_read_guarded(d, sbdf, reg, size);
	full_port_value = val;
}

/* --- firmware and what else is asked about --- */

int mtrr_read(u32 reg, struct mtrr_range *out)
{
	*out = (struct mtrr_range){ 0xc0000, 0x40000, 0 };
	return reg > 2 ? -EINVAL : 0;
}

int microcode_update(const u8 *data, u32 size)
{
	return size && data[0] ? -EINVAL : -ENOENT;
}

const char *symbol_get(u32 index, u64 *addr)
{
	*addr = 0x1000 + index;
	return index < 3 ? "function" : NULL;
}

void machine_sleep_values(u16 a, u16 b) { (void)a; (void)b; }
void machine_sleep_type(u16 type) { (void)type; }

struct cpuid_leaf cpuid_host(u32 leaf, u32 subleaf)
{
	switch (leaf) {
	case 0: return (struct cpuid_leaf){ 0xd, 0x68747541, 0x444d4163, 0x69746e65 };
	case 1: return (struct cpuid_leaf){ 0x00800f12, 0x00080800, 0x7ed8320b, 0x178bfbff };
	case 7: return subleaf ? (struct cpuid_leaf){ 0, 0, 0, 0 } : (struct cpuid_leaf){ 0, 0x209c01a9, 0, 0 };
	case 0xd: return subleaf ? (struct cpuid_leaf){ 0, 0, 0, 0 } : (struct cpuid_leaf){ 7, 0x340, 0x340, 0 };
	case 0x80000000: return (struct cpuid_leaf){ 0x80000008, 0x68747541, 0x444d4163, 0x69746e65 };
	case 0x80000001: return (struct cpuid_leaf){ 0x00800f12, 0, 0x35c233ff, 0x2fd3fbff };
	case 0x80000008: return (struct cpuid_leaf){ 0x3030, 0x1007, 0, 0 };
	default: return (struct cpuid_leaf){ 0, 0, 0, 0 };
	}
}

/* The machine-to-physical table in pieces of 2 MiB; not one that guests could map. */
u64 m2p_extents(void) { return 2; }
mfn_t m2p_extent(u64 n) { return mfn(n ? 0x800 : 0); }
u64 hv_l4_strict_entry(void) { return 0xe00000067UL; }

unsigned int physical_address_bits(void) { return 46; }
void spec_ctrl_load(u32 guest) { (void)guest; }

/* CPUs of this machine have no power switch. */
int cpu_up(unsigned int cpu) { return cpu < SIM_CPUS && cpu_online(cpu) ? 0 : -EINVAL; }
int cpu_down(unsigned int cpu) { return cpu_online(cpu) ? -EBUSY : -EINVAL; }

/* --- the console's texts go nowhere --- */

bool log_admit(enum log_class class, int level) { (void)class; (void)level; return true; }
void log_prefix(void) { }
bool panic_in_progress(void) { return false; }

/* --- clock --- */

void tsc_init(void) { }
void tsc_init_cpu(void) { }
u64 tsc_khz(void) { return 1000000; }
bool tsc_reliable(void) { return true; }
ns_t tsc_to_ns(u64 tsc) { return tsc; }
u64 ns_to_tsc(ns_t ns) { return ns; }
u64 rtc_read(void) { return 1700000000; }
void log_clock_set(ns_t (*now)(void)) { (void)now; }

void time_scale_get(struct time_scale *scale, bool *stable)
{
	*scale = (struct time_scale){ 0, 0, time_ratio_make(1000000000, 1000000000) };
	*stable = true;
}

/* --- per-CPU windows --- */

static u64 window_ptes[SIM_CPUS][512];
u64 *percpu_window_tables[MAX_CPUS];

u64 percpu_window_pte(mfn_t m, bool writable)
{
	return m.v << PAGE_SHIFT | 1 | (writable ? 2 : 0);
}

void cpu_ldt_load(u32 entries)
{
	if (entries > 8192)
		sim_fail("LDT of %u entries", entries);
}

/* --- FPU and extended state: memory only --- */

#define AREA 832u
#define RECORD (16u + AREA)

struct fpu_area {
	u64 xcr0, xcr0_accumulated;
	u8 state[AREA];
};

int fpu_init_vcpu(struct vcpu *v)
{
	v->fpu = hv_alloc(sizeof(*v->fpu));
	if (!v->fpu)
		return -ENOMEM;
	v->fpu->xcr0 = v->fpu->xcr0_accumulated = 1;
	return 0;
}

void fpu_free_vcpu(struct vcpu *v)
{
	hv_free(v->fpu);
	v->fpu = NULL;
}

void fpu_save(struct vcpu *v) { (void)v; }
void fpu_load(struct vcpu *v) { (void)v; }
void fpu_get_fxsave(struct vcpu *v, void *out) { memcpy(out, v->fpu->state, 512); }
void fpu_set_fxsave(struct vcpu *v, const void *in) { memcpy(v->fpu->state, in, 512); }
size_t xstate_size(struct vcpu *v) { (void)v; return AREA; }
size_t xstate_record_size(struct vcpu *v) { (void)v; return cpu_has(CPU_XSAVE) ? RECORD : 0; }
void xstate_record_get(struct vcpu *v, void *record) { memcpy(record, v->fpu, RECORD); }
u64 xcr0_get(struct vcpu *v) { return v->fpu->xcr0; }
u64 xcr0_supported(void) { return cpu_has(CPU_XSAVE) ? 7 : 0; }

int xstate_record_set(struct vcpu *v, const void *record)
{
	u64 words[2];

	memcpy(words, record, sizeof(words));
	if ((words[0] & ~7UL) || !(words[0] & 1) || (words[0] & ~words[1]))
		return -EINVAL;
	memcpy(v->fpu, record, RECORD);
	return 0;
}

int xcr0_set(struct vcpu *v, u32 index, u64 val)
{
	if (index || !cpu_has(CPU_XSAVE) || (val & ~7UL) || !(val & 1))
		return -EINVAL;
	v->fpu->xcr0 = val;
	v->fpu->xcr0_accumulated |= val;
	return 0;
}

void full_devices_start(void)
{
	for (u32 i = 0; i < FULL_PINS; i++)
		ioapic.low[i] = 1u << 16;
	for (u32 i = 0; i < SIM_CPUS; i++)
		percpu_window_tables[i] = window_ptes[i];
	acpi_info.ioapics = 1;
	acpi_info.ioapic[0] = (struct acpi_ioapic){ .id = 1, .gsi_base = 0, .address = paddr(0xfec00000) };
	cpu_feature[CPU_XSAVE] = full_xsave;
	cpu_feature[CPU_DO_XPTI] = cpu_feature[CPU_DO_XPTI_DOM0] = cpu_feature[CPU_DO_XPTI_DOMU] = full_xpti;
	cpu_feature[CPU_FSGSBASE] = true;
	boot_info.cmdline = "loglvl=all";
	boot_info.nr_e820 = 2;
	boot_info.e820[0] = (struct e820_entry){ 0, 0xa0000, E820_RAM };
	boot_info.e820[1] = (struct e820_entry){ 0x100000, sim_frames * PAGE_SIZE - 0x100000, E820_RAM };
	efi_info = (struct efi_info){ .present = true, .revision = 0x20028, .vendor = { 'V', 'e', 'n', 'd', 'o', 'r' } };
}
