/* SPDX-License-Identifier: BSD-2-Clause */
/* The three phases of boot: what is brought up, in which order, and which ops tables are installed. */
#include <hv/acpi.h>
#include <hv/alternative.h>
#include <hv/boot.h>
#include <hv/cmdline.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/descriptors.h>
#include <hv/domain.h>
#include <hv/features.h>
#include <hv/image.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/smp.h>
#include <hv/time.h>
#include <hv/timer.h>
#include <hv/tlb.h>
#include <hv/x86.h>

#include "../cpu/cpu.h"
#include "boot.h"
#include "multiboot2.h"

struct boot_info boot_info;

static struct boot_strings strings;
static struct multiboot2_report report;
static const char *options_rest;	/* of the command line, behind "--" */

/* The console's own options are among them: complaints wait until it is there. */
static void option_ignore(const char *word, const char *why)
{
	(void)word;
	(void)why;
}

static void option_report(const char *word, const char *why)
{
	log_warn("Boot option \"%s\": %s; ignored.", word, why);
}

static void loader_report(void)
{
	log_info("started by %s; image at %lx to %lx", boot_info.loader, boot_info.image_start.v, boot_info.image_end.v);
	log_info("options: %s", boot_info.cmdline);
	for (u32 i = 0; i < boot_info.nr_modules; i++)
		log_info("module at %lx, %lu KiB: %s", boot_info.module[i].start.v, boot_info.module[i].size >> 10,
			 boot_info.module[i].cmdline);
	if (report.damaged)
		log_warn("The boot loader's information is damaged; going on with what could be read.");
	if (report.modules_ignored || report.e820_ignored)
		log_warn("Too much for us from the boot loader: %u modules and %u ranges of memory ignored.",
			 report.modules_ignored, report.e820_ignored);
	if (boot_info.nr_e820 == 0)
		panic("the boot loader gave no memory map");
}

static void end_by_option(void)
{
	if (opt_noreboot)
		machine_halt();
	machine_restart();
}

static const struct panic_ops panic_ops = { .stop_others = smp_stop_others, .dump = stack_dump, .end = end_by_option };

void boot_early(void)
{
	panic_install(&panic_ops);
	options_rest = cmdline_parse(boot_info.cmdline, boot_options_start,
				     (size_t)(boot_options_end - boot_options_start), option_ignore);
	console_init();
	log_always("Argon " ARGON_VERSION);
	loader_report();
	/* Once more, now that what is wrong can be seen. */
	cmdline_parse(boot_info.cmdline, boot_options_start, (size_t)(boot_options_end - boot_options_start), option_report);
	features_init();
	alternatives_apply();
	mm_early_init();
	cpu_window_init_boot();
}

void boot_cpu(void)
{
	unsigned int cpu = this_cpu();

	if (cpu != 0)
		features_init();
	wrmsr(MSR_PAT, PAT_VALUE);
	tlb_cpu_init(cpu);
	lapic_init_cpu();
	time_init_cpu();
}

static void acpi_report(const char *text)
{
	log_warn("ACPI: %s", text);
}

static const struct acpi_access acpi_access = { .map = acpi_memory_map, .report = acpi_report };

static void acpi_init(void)
{
	int rc;

	if (boot_info.rsdp_len != 0)
		rc = acpi_parse_rsdp_copy(boot_info.rsdp_copy, boot_info.rsdp_len, &acpi_access, &acpi_info);
	else
		rc = acpi_parse(acpi_rsdp_scan(&acpi_access), &acpi_access, &acpi_info);
	if (rc != 0)
		log_err("No usable ACPI tables: going on with one CPU and legacy devices.");
}

/* What CPU 0 alone needs, in the order in which things stand on each other. */
static void cpu0_init(void)
{
	descriptors_load(0);
	acpi_init();
	mm_init();
	lapic_init_bsp();
	topology_init(lapic_id());
	if (timer_cpu_init(0) != 0)
		panic("no memory for timers");
	time_init();
	boot_cpu();
	irq_init();
}

void boot_late(void)
{
	panic("nothing more to do");
}

/* On CPU 0's stack in its window. */
static noreturn_fn void boot_rest(void)
{
	cpu0_init();
	boot_late();
	cpu_run();
}

/* Continues with fn on the same stack seen through the CPU's window, where it has a guard page. */
static noreturn_fn void stack_switch(void (*fn)(void))
{
	__asm__ volatile("movq %0, %%rsp\n\tcall *%1\n\tud2" : : "r"(cpu_info_of(0)), "r"(fn) : "memory");
	__builtin_unreachable();
}

void boot_main(u64 mbi, u64 image)
{
	const void *info = (const void *)(DIRECT_MAP_START + mbi);

	descriptors_init_boot();
	boot_info.image_start = paddr(image);
	boot_info.image_end = paddr(image + (u64)(image_end - image_start));
	multiboot2_parse(info, multiboot2_size(info), &boot_info, &strings, &report);
	boot_early();
	stack_switch(boot_rest);
}
