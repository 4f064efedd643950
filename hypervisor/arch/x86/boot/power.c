/* SPDX-License-Identifier: BSD-2-Clause */
/* Reboot, power-off and halt of the machine. */
#include <hv/acpi.h>
#include <hv/boot.h>
#include <hv/cmdline.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/io.h>
#include <hv/log.h>
#include <hv/ioremap.h>
#include <hv/smp.h>

#define KEYBOARD_STATUS 0x64
#define KEYBOARD_INPUT_FULL 2
#define KEYBOARD_RESET 0xfe
#define RESET_CONTROL 0xcf9	/* of PCI chipsets */
#define RESET_HARD 0x02
#define RESET_FULL 0x06
#define PM1_SLEEP_ENABLE (1u << 13)
#define PM1_SLEEP_STATUS (1u << 15)
#define SLEEP_TYPE_MASK 7u
#define SLEEP_CONTROL_ENABLE 0x20u
#define SLEEP_STATUS_WAKE 0x80u

/* Each access to port 0x80 takes about a microsecond; no clock is needed. */
static void delay_us(unsigned int us)
{
	while (us--)
		outb(0x80, 0);
}

/* One of them may have been printing: what it held up goes out without its lock. */
static void others_stop(void)
{
	smp_stop_others();
	console_take_over();
	console_flush();
}

void machine_halt(void)
{
	others_stop();
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

static void reset_acpi(void)
{
	const struct acpi_fadt *f = &acpi_info.fadt;
	const struct acpi_address *reg = &f->reset_register;

	if (!f->present || !f->reset_supported || reg->address == 0)
		return;
	if (reg->space == ACPI_SPACE_IO) {
		outb((u16)reg->address, f->reset_value);
	} else if (reg->space == ACPI_SPACE_MEMORY) {
		volatile void *p = ioremap(paddr(reg->address), 1);

		if (p)
			mmio_write8(p, f->reset_value);
	}
	delay_us(100000);
}

static void reset_keyboard(void)
{
	for (unsigned int i = 0; i < 10000 && (inb(KEYBOARD_STATUS) & KEYBOARD_INPUT_FULL); i++)
		delay_us(1);
	outb(KEYBOARD_STATUS, KEYBOARD_RESET);
	delay_us(100000);
}

static void reset_chipset(void)
{
	outb(RESET_CONTROL, RESET_HARD);
	delay_us(50);
	outb(RESET_CONTROL, RESET_FULL);
	delay_us(100000);
}

static void reset_triple_fault(void)
{
	struct {
		u16 limit;
		u64 base;
	} packed_struct none = { 0, 0 };

	__asm__ volatile("lidt %0\n\tint3" : : "m"(none));
}

void machine_restart(void)
{
	others_stop();
	reset_acpi();
	reset_keyboard();
	reset_chipset();
	reset_triple_fault();
	machine_halt();
}

static u16 acpi_port(const struct acpi_address *a)
{
	return a->space == ACPI_SPACE_IO ? (u16)a->address : 0;
}

static bool sleep_values_valid;
static u16 sleep_pm1a, sleep_pm1b;
static bool sleep_type_valid;
static u8 sleep_type;

void machine_sleep_values(u16 pm1a, u16 pm1b)
{
	sleep_pm1a = pm1a;
	sleep_pm1b = pm1b;
	sleep_values_valid = true;
}

void machine_sleep_type(u16 type)
{
	sleep_type = type & SLEEP_TYPE_MASK;
	sleep_type_valid = true;
}

static void register_write8(const struct acpi_address *a, u8 val)
{
	volatile void *p;

	if (a->space == ACPI_SPACE_IO) {
		outb((u16)a->address, val);
	} else if (a->space == ACPI_SPACE_MEMORY) {
		p = ioremap(paddr(a->address), 1);
		if (p)
			mmio_write8(p, val);
	}
}

/* Reduced hardware (ACPI specification 6.4, 4.8.3.7). */
static void poweroff_extended(void)
{
	const struct acpi_fadt *f = &acpi_info.fadt;

	if (!sleep_type_valid || !f->sleep_control.address)
		return;
	if (f->sleep_status.address)
		register_write8(&f->sleep_status, SLEEP_STATUS_WAKE);
	register_write8(&f->sleep_control, (u8)(sleep_type << 2 | SLEEP_CONTROL_ENABLE));
	delay_us(1000000);
}

void machine_poweroff(void)
{
	u16 a = acpi_port(&acpi_info.fadt.pm1a_control), b = acpi_port(&acpi_info.fadt.pm1b_control);
	u16 status = acpi_port(&acpi_info.fadt.pm1a_event);

	others_stop();
	if (sleep_values_valid && a != 0) {
		if (status != 0)
			outw(status, PM1_SLEEP_STATUS);
		outw(a, (u16)(sleep_pm1a | PM1_SLEEP_ENABLE));
		if (b != 0)
			outw(b, (u16)(sleep_pm1b | PM1_SLEEP_ENABLE));
		delay_us(1000000);
	}
	poweroff_extended();
	log_always("The machine may be switched off now.");
	machine_halt();
}
