/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs: which there are, starting them, taking them offline. A CPU that goes offline first loses its vCPUs (scheduler), then leaves
 * the online map by itself, from its idle loop, and halts until it is started again like at boot.
 */
#include <hv/acpi.h>
#include <hv/boot.h>
#include <hv/cpu.h>
#include <hv/cpu_boot.h>
#include <hv/domain.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/image.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/time.h>
#include <hv/timer.h>
#include <hv/tlb.h>
#include <hv/x86.h>
#include <xen/arch-x86/xen.h>

#include "boot.h"

#define US(n) ((ns_t)(n) * 1000)
#define MS(n) ((ns_t)(n) * 1000000)

/* Where a CPU stands; written by itself and by who starts or stops it, under LOCK_HOTPLUG. */
enum cpu_state {
	CPU_STATE_OFF,		/* never started, or halted for good */
	CPU_STATE_STARTING,	/* has been sent for; has not answered */
	CPU_STATE_ALIVE,	/* runs C code */
	CPU_STATE_ONLINE,
	CPU_STATE_LEAVING,	/* asked to go offline at its next idle */
};

static u32 states[MAX_CPUS] = { CPU_STATE_ONLINE };
static struct spinlock hotplug_lock = SPINLOCK(LOCK_HOTPLUG);

/* For the entry code of a CPU that starts. */
u64 cpu_start_root, cpu_start_stack;
static unsigned int cpu_starting;

static void state_set(unsigned int cpu, enum cpu_state s)
{
	__atomic_store_n(&states[cpu], s, __ATOMIC_RELEASE);
}

static bool state_wait(unsigned int cpu, enum cpu_state s, ns_t timeout)
{
	ns_t end = time_now() + timeout;

	do {
		if (__atomic_load_n(&states[cpu], __ATOMIC_ACQUIRE) == s)
			return true;
		spin_poll();
	} while (time_now() < end);
	return false;
}

static void delay(ns_t time)
{
	ns_t end = time_now() + time;

	while (time_now() < end)
		spin_poll();
}

/* --- what a CPU has of its own --- */

static struct cpu_info *window_info(unsigned int cpu)
{
	return (struct cpu_info *)(percpu_window(cpu) + WINDOW_STACK_PAGE * PAGE_SIZE + STACK_SIZE) - 1;
}

static void window_map(unsigned int cpu, unsigned int page, mfn_t m)
{
	u64 *pte = &percpu_window_ptes(cpu)[page];

	WRITE_ONCE(*pte, percpu_window_pte(m, true));
}

void cpu_window_init_boot(void)
{
	if (percpu_window_create(0) != 0)
		panic("no memory for the first CPU");
	for (unsigned int i = 0; i < STACK_PAGES; i++)
		if (i != STACK_GUARD_PAGE)
			window_map(0, WINDOW_STACK_PAGE + i, paddr_mfn(image_paddr(boot_stack + i * PAGE_SIZE)));
	window_map(0, WINDOW_GDT_PAGE + FIRST_RESERVED_GDT_PAGE, paddr_mfn(image_paddr(boot_gdt_page)));
	window_map(0, WINDOW_TSS_PAGE, paddr_mfn(image_paddr(boot_tss_page)));
	descriptors_fill(0, boot_gdt_page, boot_tss_page);
	cpu_info_set(0, window_info(0));
}

/* Stack, descriptor page and TSS; kept when the CPU goes offline. 0 or -ENOMEM. */
static int cpu_memory_create(unsigned int cpu)
{
	void *pages[STACK_PAGES + 2] = { NULL };
	struct cpu_info *info;

	if (cpu_info_of(cpu))
		return 0;
	if (percpu_window_create(cpu) != 0)
		return -ENOMEM;
	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = page_alloc();
		if (!pages[i])
			goto no_memory;
	}
	for (unsigned int i = 0; i < STACK_PAGES; i++)
		if (i != STACK_GUARD_PAGE)
			window_map(cpu, WINDOW_STACK_PAGE + i, virt_mfn(pages[i]));
	window_map(cpu, WINDOW_GDT_PAGE + FIRST_RESERVED_GDT_PAGE, virt_mfn(pages[STACK_PAGES]));
	window_map(cpu, WINDOW_TSS_PAGE, virt_mfn(pages[STACK_PAGES + 1]));
	descriptors_fill(cpu, pages[STACK_PAGES], pages[STACK_PAGES + 1]);
	page_free(pages[STACK_GUARD_PAGE]);
	info = window_info(cpu);
	info->cpu = cpu;
	cpu_info_set(cpu, info);
	return 0;

no_memory:
	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i])
			page_free(pages[i]);
	return -ENOMEM;
}

/* --- on the CPU that starts --- */

void cpu_start(void)
{
	unsigned int cpu = cpu_starting;

	descriptors_load(cpu);
	state_set(cpu, CPU_STATE_ALIVE);
	boot_cpu();
	cpumask_set(&cpu_online_map, cpu);
	if (sched_cpu_up(cpu) != 0)
		panic("no memory for the run queue of CPU %u", cpu);
	watchdog_init_cpu();
	state_set(cpu, CPU_STATE_ONLINE);
	cpu_run();
}

/* --- start and stop --- */

static int cpu_wake(unsigned int cpu)
{
	u32 apic_id = cpu_topology[cpu].apic_id;
	u8 page = trampoline_place();

	cpu_starting = cpu;
	cpu_start_root = hv_root().v;
	cpu_start_stack = (u64)cpu_info_of(cpu);
	state_set(cpu, CPU_STATE_STARTING);
	lapic_send_init(apic_id);
	delay(MS(10));
	for (unsigned int i = 0; i < 2; i++) {
		lapic_send_startup(apic_id, page);
		if (state_wait(cpu, CPU_STATE_ALIVE, i == 0 ? MS(10) : MS(1000)))
			return 0;
		/* It may have gone on meanwhile. */
		if (__atomic_load_n(&states[cpu], __ATOMIC_ACQUIRE) != CPU_STATE_STARTING)
			return 0;
	}
	lapic_send_init(apic_id);
	return -EIO;
}

static int cpu_up_locked(unsigned int cpu)
{
	int rc;

	if (cpu_online(cpu))
		return 0;
	rc = cpu_memory_create(cpu);
	if (rc == 0)
		rc = xpti_cpu_init(cpu);
	if (rc == 0)
		rc = timer_cpu_init(cpu);
	if (rc != 0)
		return rc;
	cpu_info_of(cpu)->current = idle_vcpu(cpu);
	if (!cpu_info_of(cpu)->current)
		return -ENOMEM;
	rc = cpu_wake(cpu);
	if (rc == 0 && !state_wait(cpu, CPU_STATE_ONLINE, MS(5000)))
		rc = -EIO;
	if (rc != 0) {
		state_set(cpu, CPU_STATE_OFF);
		log_err("CPU %u (APIC id %u) does not start", cpu, cpu_topology[cpu].apic_id);
	}
	return rc;
}

int cpu_up(unsigned int cpu)
{
	int rc;

	if (cpu >= MAX_CPUS || !cpumask_test(&cpu_present_map, cpu))
		return -EINVAL;
	spin_lock(&hotplug_lock);
	rc = cpu_up_locked(cpu);
	spin_unlock(&hotplug_lock);
	return rc;
}

static int cpu_down_locked(unsigned int cpu)
{
	unsigned int other = this_cpu() == cpu ? 0 : this_cpu();
	int rc;

	if (!cpu_online(cpu))
		return 0;
	rc = sched_cpu_down(cpu);
	if (rc != 0)
		return rc;
	watchdog_stop_cpu(cpu);
	state_set(cpu, CPU_STATE_LEAVING);
	softirq_raise(cpu, SOFTIRQ_SCHEDULE);
	if (!state_wait(cpu, CPU_STATE_OFF, MS(2000))) {
		log_err("CPU %u does not go offline", cpu);
		return -EBUSY;
	}
	timer_cpu_drain(cpu, other);
	softirq_cpu_drain(cpu, other);
	return 0;
}

int cpu_down(unsigned int cpu)
{
	int rc;

	if (cpu == 0 || cpu >= MAX_CPUS || cpu == this_cpu() || !cpumask_test(&cpu_present_map, cpu))
		return -EINVAL;
	spin_lock(&hotplug_lock);
	rc = cpu_down_locked(cpu);
	spin_unlock(&hotplug_lock);
	return rc;
}

void cpu_offline_check(unsigned int cpu)
{
	if (likely(READ_ONCE(states[cpu]) != CPU_STATE_LEAVING))
		return;
	cpumask_clear(&cpu_online_map, cpu);
	irq_cpu_drain(cpu);
	/* Who asked before the map changed is answered; who asks now sees that this CPU is gone. */
	smp_answer();
	lapic_disable();
	wbinvd();
	state_set(cpu, CPU_STATE_OFF);
	smp_park_forever();
}

void cpus_start(void)
{
	unsigned int cpu;

	for_each_cpu(cpu, &cpu_present_map)
		if (!cpu_online(cpu) && topology_wanted(cpu) && cpumask_weight(&cpu_online_map) < topology_max() &&
		    cpu_up(cpu) != 0)
			log_warn("going on without CPU %u", cpu);
	log_info("%u of %u CPUs are online", cpumask_weight(&cpu_online_map), cpumask_weight(&cpu_present_map));
}
