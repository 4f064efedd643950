/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs the firmware lists, and what their APIC ids say about threads, cores and sockets. */
#include <hv/acpi.h>
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/features.h>
#include <hv/log.h>

#include "boot.h"

#define TOPOLOGY_LEAF 0xb
#define TOPOLOGY_LEVEL_THREAD 1
#define TOPOLOGY_LEVEL_CORE 2
#define APIC_ID_NONE 0xffffffff

static u64 opt_maxcpus = MAX_CPUS;
static bool opt_nosmp, opt_smt = true;
BOOT_OPTION_U64("maxcpus", opt_maxcpus, "Number of CPUs to bring up at boot.");
BOOT_OPTION_BOOL("nosmp", opt_nosmp, "Use the boot CPU only.");
BOOT_OPTION_BOOL("smt", opt_smt, "Use all hardware threads of a core; no-smt: one only.");

/* Bits of the APIC id that number a thread in its core, and a thread in its socket. */
static unsigned int thread_bits, socket_bits;

static unsigned int bits_for(u32 count)
{
	unsigned int bits = 0;

	while (bits < 31 && (1u << bits) < count)
		bits++;
	return bits;
}

static bool bits_from_leaf_b(void)
{
	if (cpuid_host(0, 0).a < TOPOLOGY_LEAF || cpuid_host(TOPOLOGY_LEAF, 0).b == 0)
		return false;
	for (u32 i = 0; i < 8; i++) {
		struct cpuid_leaf r = cpuid_host(TOPOLOGY_LEAF, i);

		switch (r.c >> 8 & 0xff) {
		case TOPOLOGY_LEVEL_THREAD:
			thread_bits = socket_bits = r.a & 0x1f;
			break;
		case TOPOLOGY_LEVEL_CORE:
			socket_bits = r.a & 0x1f;
			break;
		default:
			return true;
		}
	}
	return true;
}

static void bits_find(void)
{
	struct cpuid_leaf r = cpuid_host(1, 0);
	u32 threads = r.d & 1u << 28 ? r.b >> 16 & 0xff : 1;

	if (bits_from_leaf_b())
		return;
	if (cpu_has(CPU_AMD) && cpuid_host(0x80000000, 0).a >= 0x80000008) {
		r = cpuid_host(0x80000008, 0);
		socket_bits = r.c >> 12 & 0xf ? r.c >> 12 & 0xf : bits_for((r.c & 0xff) + 1);
		return;
	}
	socket_bits = bits_for(threads);
	if (cpu_has(CPU_INTEL) && cpuid_host(0, 0).a >= 4) {
		u32 cores = (cpuid_host(4, 0).a >> 26) + 1;

		thread_bits = socket_bits - MIN(socket_bits, bits_for(cores));
	}
}

static void cpu_place(unsigned int cpu, u32 apic_id, u32 acpi_id, u32 node)
{
	struct cpu_topology *t = &cpu_topology[cpu];

	t->apic_id = apic_id;
	t->acpi_id = acpi_id;
	t->node = node;
	t->core = (apic_id & ((1u << socket_bits) - 1)) >> thread_bits;
	t->socket = apic_id >> socket_bits;
	cpumask_set(&cpu_present_map, cpu);
}

/* CPU 0 is the one that boots; the others follow in the firmware's order. */
void topology_init(u32 boot_apic_id)
{
	unsigned int cpu = 1;

	bits_find();
	cpu_place(0, boot_apic_id, 0, 0);
	for (u32 i = 0; i < acpi_info.cpus; i++) {
		const struct acpi_cpu *c = &acpi_info.cpu[i];

		if (!c->enabled || c->apic_id == APIC_ID_NONE)
			continue;
		if (c->apic_id == boot_apic_id)
			cpu_place(0, c->apic_id, c->acpi_id, c->node);
		else if (cpu < MAX_CPUS)
			cpu_place(cpu++, c->apic_id, c->acpi_id, c->node);
	}
}

bool topology_wanted(unsigned int cpu)
{
	return opt_smt || (cpu_topology[cpu].apic_id & ((1u << thread_bits) - 1)) == 0;
}

unsigned int topology_max(void)
{
	if (opt_nosmp || opt_maxcpus == 0)
		return 1;
	return (unsigned int)MIN(opt_maxcpus, (u64)MAX_CPUS);
}
