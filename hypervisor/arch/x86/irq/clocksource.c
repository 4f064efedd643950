/* SPDX-License-Identifier: BSD-2-Clause */
/* HPET, ACPI power management timer and 8254, each as a counter that is only read. */
#include <hv/acpi.h>
#include <hv/cmdline.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/log.h>
#include <hv/string.h>
#include "clocksource.h"

/* HPET registers (IA-PC HPET specification 1.0a, 2.3). */
#define HPET_CAPABILITIES 0x00
#define HPET_PERIOD 0x04
#define HPET_CONFIG 0x10
#define HPET_COUNTER 0xf0
#define HPET_PERIOD_MAX 100000000u	/* femtoseconds */
#define HPET_64BIT (1u << 13)
#define HPET_ENABLE 1u
#define HPET_LEGACY 2u
#define FEMTOSECONDS 1000000000000000ULL

#define PM_TIMER_HZ 3579545u
#define PIT_HZ 1193182u
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61

static char option_clocksource[8];
BOOT_OPTION_STRING("clocksource", option_clocksource, "Clock to measure with: hpet, acpi or pit.");

static volatile u8 *hpet;
static u16 pm_timer_port;
static volatile void *pm_timer_memory;

static u64 hpet_read64(void)
{
	return mmio_read64(hpet + HPET_COUNTER);
}

static u64 hpet_read32(void)
{
	return mmio_read32(hpet + HPET_COUNTER);
}

static struct clock_source hpet_source = { .name = "HPET" };

static const struct clock_source *hpet_init(void)
{
	u32 capabilities, period, config;

	if (!acpi_info.hpet.present)
		return NULL;
	if (!hpet)
		hpet = ioremap(acpi_info.hpet.address, 0x400);
	if (!hpet)
		return NULL;
	capabilities = mmio_read32(hpet + HPET_CAPABILITIES);
	period = mmio_read32(hpet + HPET_PERIOD);
	if (capabilities == ~0u || !period || period > HPET_PERIOD_MAX) {
		log_warn("HPET: not used, it gives a period of %u fs", period);
		return NULL;
	}
	/* Legacy replacement would send the timer's interrupts in place of the 8254's. */
	config = mmio_read32(hpet + HPET_CONFIG);
	mmio_write32(hpet + HPET_CONFIG, (config & ~HPET_LEGACY) | HPET_ENABLE);
	hpet_source.hz = (FEMTOSECONDS + period / 2) / period;
	hpet_source.mask = capabilities & HPET_64BIT ? ~0ULL : 0xffffffff;
	hpet_source.read = capabilities & HPET_64BIT ? hpet_read64 : hpet_read32;
	return &hpet_source;
}

static u64 pm_timer_read(void)
{
	return pm_timer_port ? inl(pm_timer_port) : mmio_read32(pm_timer_memory);
}

static struct clock_source pm_timer_source = { .name = "ACPI timer", .hz = PM_TIMER_HZ, .read = pm_timer_read };

static const struct clock_source *pm_timer_init(void)
{
	const struct acpi_fadt *fadt = &acpi_info.fadt;

	if (!fadt->present || !fadt->pm_timer.address)
		return NULL;
	if (fadt->pm_timer.space == ACPI_SPACE_IO)
		pm_timer_port = (u16)fadt->pm_timer.address;
	else if (fadt->pm_timer.space == ACPI_SPACE_MEMORY && !pm_timer_memory)
		pm_timer_memory = ioremap(paddr(fadt->pm_timer.address), 4);
	if (!pm_timer_port && !pm_timer_memory)
		return NULL;
	pm_timer_source.mask = fadt->pm_timer_32bit ? 0xffffffff : 0xffffff;
	return &pm_timer_source;
}

/* Channel 2, whose output is not connected to an interrupt, counts down from 65536 again and again. */
static u64 pit_read(void)
{
	u8 low, high;

	outb(PIT_COMMAND, 0x80);	/* latch channel 2 */
	low = inb(PIT_CHANNEL2);
	high = inb(PIT_CHANNEL2);
	return 0xffffu - (low | (u32)high << 8);
}

static const struct clock_source pit_source = {
	.name = "8254", .hz = PIT_HZ, .mask = 0xffff, .read = pit_read,
};

static const struct clock_source *pit_init(void)
{
	outb(PIT_GATE, (u8)((inb(PIT_GATE) & ~2u) | 1));	/* gate on, speaker off */
	outb(PIT_COMMAND, 0xb4);	/* channel 2, low then high byte, mode 2, binary */
	outb(PIT_CHANNEL2, 0);
	outb(PIT_CHANNEL2, 0);
	return &pit_source;
}

const struct clock_source *clock_source_find(unsigned int n)
{
	static const struct {
		const char *name;
		const struct clock_source *(*init)(void);
	} known[] = { { "hpet", hpet_init }, { "acpi", pm_timer_init }, { "pit", pit_init } };

	/* The one asked for comes before all others; it is then tried twice, which does no harm. */
	if (option_clocksource[0]) {
		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			if (strcmp(known[i].name, option_clocksource) == 0) {
				const struct clock_source *s = known[i].init();

				if (s && n-- == 0)
					return s;
			}
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const struct clock_source *s = known[i].init();

		if (s && n-- == 0)
			return s;
	}
	return NULL;
}
