/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading microcode: all CPUs stop, and load one after the other, so that no thread runs while its sibling is being changed. */
#include <hv/microcode.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/msr.h>
#include <hv/smp.h>
#include <hv/string.h>
#include <hv/x86.h>

#define INTEL_HEADER 48u

struct load {
	const u8 *patch;
	struct cpumask left;	/* CPUs that have not loaded yet; they do in ascending order */
	u32 failed;
};

static struct microcode_cpu this_microcode(void)
{
	struct microcode_cpu c = { .signature = cpuid_host(1, 0).a };

	if (cpu_has(CPU_INTEL)) {
		c.platform = 1u << (rdmsr(MSR_PLATFORM_ID) >> 50 & 7);
		/* The revision appears when CPUID is executed after a write of 0. */
		wrmsr(MSR_UCODE_REV, 0);
		cpuid_host(1, 0);
		c.revision = (u32)(rdmsr(MSR_UCODE_REV) >> 32);
	} else {
		c.revision = (u32)rdmsr(MSR_UCODE_REV);
	}
	return c;
}

static void load_this(void *arg)
{
	struct load *l = arg;
	unsigned int cpu = this_cpu();
	bool intel = cpu_has(CPU_INTEL);

	for (unsigned int turn; (turn = cpumask_next(&l->left, 0)) != cpu;) {
		/* One that went offline after it was counted does not take its turn. */
		if (!cpu_online(turn))
			cpumask_clear(&l->left, turn);
		cpu_relax();
	}
	if (wrmsr_safe(intel ? MSR_UCODE_WRITE : MSR_AMD_PATCH_LOADER, (u64)l->patch + (intel ? INTEL_HEADER : 0)))
		__atomic_fetch_add(&l->failed, 1, __ATOMIC_RELAXED);
	cpumask_clear(&l->left, cpu);
}

int microcode_update(const u8 *data, u32 size)
{
	struct microcode_cpu cpu = this_microcode();
	struct load l = { .left = cpu_online_map };
	struct microcode_patch patch;
	struct cpumask all = cpu_online_map;
	unsigned int order;
	struct frame *f;
	u8 *copy;
	int rc;

	if (cpu_has(CPU_INTEL))
		rc = microcode_find_intel(data, size, &cpu, &patch);
	else if (cpu_has(CPU_AMD))
		rc = microcode_find_amd(data, size, &cpu, &patch);
	else
		rc = -ENODEV;
	if (rc)
		return rc;
	/* The CPU wants it aligned. */
	for (order = 0; PAGE_SIZE << order < patch.size; order++)
		continue;
	f = frames_alloc(order, 0);
	if (!f)
		return -ENOMEM;
	copy = frame_map(frame_mfn(f));
	memcpy(copy, data + patch.offset, patch.size);
	l.patch = copy;
	smp_call(&all, load_this, &l);
	cpu = this_microcode();
	rc = l.failed || cpu.revision != patch.revision ? -EIO : 0;
	log_info("microcode: %s revision %#x, now %#x", rc ? "cannot load" : "loaded", patch.revision, cpu.revision);
	frame_unmap(copy);
	frames_free(f, order);
	return rc;
}
