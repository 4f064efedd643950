/* SPDX-License-Identifier: BSD-2-Clause */
/* The three phases of boot: what is brought up, in which order, and which ops tables are installed. */
#include <hv/acpi.h>
#include <hv/alternative.h>
#include <hv/boot.h>
#include <hv/cmdline.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/cpu_boot.h>
#include <hv/descriptors.h>
#include <hv/domain.h>
#include <hv/features.h>
#include <hv/efi.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/format.h>
#include <hv/frame_type.h>
#include <hv/grant.h>
#include <hv/hypercall.h>
#include <hv/image.h>
#include <hv/ioremap.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/pci.h>
#include <hv/pirq.h>
#include <hv/policy.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/time.h>
#include <hv/timer.h>
#include <hv/tlb.h>
#include <hv/x86.h>

#include "boot.h"
#include "multiboot2.h"

struct boot_info boot_info;

/* Upward calls of the modules below. */
const struct pirq_ops *pirq_ops = &irq_pirq_ops;
const struct grant_host_ops *grant_host_ops = &pv_grant_host_ops;

#define VIDEO_SIZE_MAX (256UL << 20)

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
	speculation_init();
	alternatives_apply();
	thunk_sites_patch();
	mm_early_init();
	cpu_window_init_boot();
}

void boot_cpu(void)
{
	unsigned int cpu = this_cpu();

	if (cpu != 0)
		features_init();
	speculation_init_cpu();
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

static void video_init(void)
{
	const struct boot_video *b = &boot_info.video;
	struct console_video v = {
		.kind = b->text ? CONSOLE_VIDEO_TEXT : CONSOLE_VIDEO_LINEAR, .width = b->width, .height = b->height,
		.pitch = b->pitch, .bpp = b->bpp, .red_pos = b->red_pos, .red_size = b->red_size,
		.green_pos = b->green_pos, .green_size = b->green_size, .blue_pos = b->blue_pos,
		.blue_size = b->blue_size,
	};
	u64 size = (u64)b->pitch * b->height;

	if (!b->valid || size == 0 || size > VIDEO_SIZE_MAX)
		return;
	v.memory = b->text ? ioremap(b->addr, size) : ioremap_wc(b->addr, size);
	if (!v.memory || console_video_init(&v) != 0)
		log_warn("The screen cannot be used.");
}

/* What CPU 0 alone needs, in the order in which things stand on each other. */
static void cpu0_init(void)
{
	descriptors_load(0);
	acpi_init();
	mm_init();
	efi_init();
	video_init();
	lapic_init_bsp();
	topology_init(lapic_id());
	if (timer_cpu_init(0) != 0 || xpti_cpu_init(0) != 0)
		panic("no memory for CPU 0");
	time_init();
	boot_cpu();
	irq_init();
}

static void console_ring_init(void)
{
	size_t size = console_ring_size_wanted();
	struct frame *f = frames_alloc((unsigned int)__builtin_ctzl(size >> PAGE_SHIFT), 0);

	if (f)
		console_ring_move(frame_map(frame_mfn(f)), size);
	else
		log_warn("No memory for a console ring of %zu bytes.", size);
}

static void modules_release(void)
{
	for (u32 i = 0; i < boot_info.nr_modules; i++)
		mm_boot_release(boot_info.module[i].start, boot_info.module[i].size);
}

static void input_notify(void)
{
	event_send_global_virq(VIRQ_CONSOLE);
}

/* Printing happens under any lock; the event is sent from a tasklet. */
static void ring_announce(void *arg)
{
	(void)arg;
	event_send_global_virq(VIRQ_CON_RING);
}

static struct tasklet ring_tasklet = { .fn = ring_announce };

static void ring_notify(void)
{
	tasklet_schedule(&ring_tasklet, this_cpu());
}

/* The kernel's own options, and what stands behind "--" in ours. */
static const char *dom0_cmdline(void)
{
	static char line[CMDLINE_MAX];

	if (!options_rest)
		return boot_info.module[0].cmdline;
	hv_snprintf(line, sizeof(line), "%s %s", boot_info.module[0].cmdline, options_rest);
	return line;
}

static void dom0_start(void)
{
	const struct boot_module *initrd = boot_info.nr_modules > 1 ? &boot_info.module[1] : NULL;
	struct domain *d;

	if (boot_info.nr_modules == 0)
		panic("there is no kernel for dom0: add a module2 line with a Linux kernel to the boot loader's entry");
	d = dom0_build(&boot_info.module[0], initrd, dom0_cmdline());
	modules_release();
	console_receiver_set(input_notify);
	console_ring_watcher_set(ring_notify);
	console_dom0_starts();
	d->controller_pause_count = 0;
	domain_unpause(d);
}

void boot_late(void)
{
	softirq_init();
	nmi_init();
	cpu_policy_init();
	domains_init();
	sched_init();
	cpu_info()->current = idle_vcpu(0);
	if (!cpu_info()->current || sched_cpu_up(0) != 0)
		panic("no memory for the first run queue");
	watchdog_init_cpu();
	cpus_start();
	console_ring_init();
	pci_init();
	irq_init_late();
	debug_keys_init();
	hypercall_init();
	guest_ops_pv = &pv_guest_ops;
	frame_type_ops = &pv_frame_type_ops;
	dom0_start();
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
