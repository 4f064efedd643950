/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC (AMD APM volume 2 chapter 16, Intel SDM volume 3 chapter 11), through memory or, as x2APIC, through MSRs. */
#include <hv/irq.h>
#include <hv/acpi.h>
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/log.h>
#include <hv/x86.h>
#include "lapic.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC (1UL << 10)
#define APIC_BASE_ENABLE (1UL << 11)
#define APIC_BASE_ADDRESS 0x000ffffffffff000UL
#define MSR_X2APIC 0x800
#define MSR_TSC_DEADLINE 0x6e0
#define LAPIC_DEFAULT_ADDRESS 0xfee00000UL

enum lapic_register {
	LAPIC_ID = 0x20, LAPIC_VERSION = 0x30, LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_LDR = 0xd0, LAPIC_DFR = 0xe0,
	LAPIC_SPURIOUS = 0xf0, LAPIC_ISR = 0x100, LAPIC_IRR = 0x200, LAPIC_ESR = 0x280, LAPIC_CMCI = 0x2f0, LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310, LAPIC_LVT_TIMER = 0x320, LAPIC_LVT_THERMAL = 0x330, LAPIC_LVT_PERF = 0x340,
	LAPIC_LVT_LINT0 = 0x350, LAPIC_LVT_LINT1 = 0x360, LAPIC_LVT_ERROR = 0x370, LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390, LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE (1u << 8)
#define LVT_MASKED (1u << 16)
#define LVT_LEVEL (1u << 15)
#define LVT_ACTIVE_LOW (1u << 13)
#define LVT_NMI (4u << 8)
#define TIMER_DEADLINE (2u << 17)
#define TIMER_DIVIDE_BY_1 0xbu
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_BUSY (1u << 12)
#define ICR_ASSERT (1u << 14)

static bool x2apic;
static volatile u8 *lapic_base;		/* xAPIC's registers; the same address on every CPU */
bool lapic_timer_deadline_mode;

static bool option_x2apic = true;
BOOT_OPTION_BOOL("x2apic", option_x2apic, "Use the x2APIC where the CPU has it (default: yes).");
static bool option_tdt = true;
BOOT_OPTION_BOOL("tdt", option_tdt, "Use the TSC deadline timer where the CPU has it (default: yes).");

static u32 lapic_read(enum lapic_register reg)
{
	if (x2apic)
		return (u32)rdmsr(MSR_X2APIC + (reg >> 4));
	return mmio_read32(lapic_base + reg);
}

static inline void lapic_write(enum lapic_register reg, u32 val)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + (reg >> 4), val);
	else
		mmio_write32(lapic_base + reg, val);
}

bool lapic_is_x2apic(void)
{
	return x2apic;
}

u32 lapic_id(void)
{
	return x2apic ? lapic_read(LAPIC_ID) : lapic_read(LAPIC_ID) >> 24;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

static void icr_write(u32 apic_id, u32 command)
{
	if (x2apic) {
		/* The write does not wait for earlier stores, which the receiver is to see. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC + (LAPIC_ICR >> 4), (u64)apic_id << 32 | command);
		return;
	}
	while (lapic_read(LAPIC_ICR) & ICR_BUSY)
		cpu_relax();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, command);
}

void lapic_send_ipi(unsigned int cpu, u8 vector)
{
	icr_write(cpu_topology[cpu].apic_id, vector);
}

void lapic_send_nmi(unsigned int cpu)
{
	icr_write(cpu_topology[cpu].apic_id, ICR_NMI | ICR_ASSERT);
}

void lapic_send_init(u32 apic_id)
{
	icr_write(apic_id, ICR_INIT | ICR_ASSERT);
}

void lapic_send_startup(u32 apic_id, u8 page)
{
	icr_write(apic_id, ICR_STARTUP | ICR_ASSERT | page);
}

static bool bitmap_bit(enum lapic_register first, unsigned int vector)
{
	enum lapic_register reg = (enum lapic_register)(first + (vector / 32) * 0x10);

	return lapic_read(reg) >> (vector % 32) & 1;
}

bool lapic_requested(unsigned int vector)
{
	return bitmap_bit(LAPIC_IRR, vector);
}

bool lapic_in_service(unsigned int vector)
{
	return bitmap_bit(LAPIC_ISR, vector);
}

u32 lapic_error(void)
{
	lapic_write(LAPIC_ESR, 0);
	return lapic_read(LAPIC_ESR);
}

void lapic_timer_start(u32 ticks)
{
	lapic_write(LAPIC_TIMER_INITIAL, ticks);
}

u32 lapic_timer_count(void)
{
	return lapic_read(LAPIC_TIMER_CURRENT);
}

void lapic_timer_deadline(u64 tsc)
{
	wrmsr(MSR_TSC_DEADLINE, tsc);
}

void lapic_timer_enable(bool on)
{
	u32 lvt = VECTOR_LAPIC_TIMER | (on ? 0 : LVT_MASKED);

	lapic_write(LAPIC_LVT_TIMER, on && lapic_timer_deadline_mode ? lvt | TIMER_DEADLINE : lvt);
	/* xAPIC: the mode must have been set before a deadline is written (SDM 11.5.4.1). */
	if (on && lapic_timer_deadline_mode)
		__asm__ volatile("mfence" : : : "memory");
}

/* LINT pins as the MADT says; without it LINT1 is NMI, as on every PC. */
static u32 lint_value(unsigned int lint, u32 acpi_id)
{
	for (u32 i = 0; i < acpi_info.lapic_nmis; i++) {
		const struct acpi_lapic_nmi *nmi = &acpi_info.lapic_nmi[i];

		if (nmi->lint != lint || (nmi->acpi_id != ~0u && nmi->acpi_id != acpi_id))
			continue;
		return LVT_NMI | (nmi->polarity == ACPI_POLARITY_LOW ? LVT_ACTIVE_LOW : 0);
	}
	if (lint == 1 && !acpi_info.lapic_nmis)
		return LVT_NMI;
	return LVT_MASKED;
}

/* Interrupts that firmware left in service would block all of lower priority. */
static void in_service_clear(void)
{
	for (unsigned int tries = 0; tries < 256; tries++) {
		u32 any = 0;

		for (u32 reg = LAPIC_ISR; reg < LAPIC_ISR + 0x80; reg += 0x10)
			any |= lapic_read((enum lapic_register)reg);
		if (!any)
			return;
		lapic_eoi();
	}
}

void lapic_init_cpu(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 acpi_id = cpu_topology[this_cpu()].acpi_id;
	u32 lvts;

	/* From xAPIC to x2APIC in two steps: off to x2APIC is not a legal transition. */
	if (!(base & APIC_BASE_ENABLE)) {
		base |= APIC_BASE_ENABLE;
		wrmsr(MSR_APIC_BASE, base);
	}
	if (x2apic && !(base & APIC_BASE_X2APIC))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);

	lvts = (lapic_read(LAPIC_VERSION) >> 16 & 0xff) + 1;
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_LAPIC_TIMER);
	lapic_timer_start(0);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED | VECTOR_LAPIC_ERROR);
	if (lvts > 4)
		lapic_write(LAPIC_LVT_PERF, LVT_MASKED);
	if (lvts > 5)
		lapic_write(LAPIC_LVT_THERMAL, LVT_MASKED);
	if (lvts > 6)
		lapic_write(LAPIC_CMCI, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	in_service_clear();
	lapic_write(LAPIC_LVT_LINT0, lint_value(0, acpi_id));
	lapic_write(LAPIC_LVT_LINT1, lint_value(1, acpi_id));
	lapic_error();
	lapic_write(LAPIC_LVT_ERROR, VECTOR_LAPIC_ERROR);
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	lapic_timer_enable(true);
}

void lapic_disable(void)
{
	lapic_timer_start(0);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_LAPIC_TIMER);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED | VECTOR_LAPIC_ERROR);
	lapic_write(LAPIC_SPURIOUS, VECTOR_SPURIOUS);
}

void lapic_init_bsp(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	/* Firmware's choice of x2APIC stands: it may have had to, for ids above 254. */
	x2apic = cpu_has(CPU_X2APIC) && (option_x2apic || (base & APIC_BASE_X2APIC));
	lapic_timer_deadline_mode = cpu_has(CPU_TSC_DEADLINE) && option_tdt;
	if (!x2apic) {
		u64 address = base & APIC_BASE_ADDRESS;

		if (!address)
			address = acpi_info.lapic_address.v ? acpi_info.lapic_address.v : LAPIC_DEFAULT_ADDRESS;
		lapic_base = ioremap(paddr(address), PAGE_SIZE);
		if (!lapic_base)
			panic("no memory to map the local APIC at %#lx", (unsigned long)address);
	}
	/* Once without knowing the MADT's name of this CPU, so that the id can be read and the timer measured. */
	lapic_init_cpu();
	log_info("local APIC: %s, timer %s", x2apic ? "x2APIC" : "xAPIC",
		 lapic_timer_deadline_mode ? "by TSC deadline" : "one-shot");
}
