/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/event.h>
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/print.h>
#include <guest/smp.h>
#include <guest/start.h>
#include <guest/test.h>
#include <guest/trap.h>
#include <xen/vcpu.h>

#define TRAP_STACK_SIZE 8192

struct start_info *start_info;
static u8 shared_info_page[PAGE_SIZE] PAGE_ALIGNED;
volatile struct shared_info *shared_info = (volatile struct shared_info *)shared_info_page;

static struct vcpu_data vcpus[VCPUS_MAX];
static u8 trap_stacks[VCPUS_MAX][TRAP_STACK_SIZE] PAGE_ALIGNED;

void guest_start(struct start_info *info);
void guest_start_vcpu(struct vcpu_data *v);

struct vcpu_data *vcpu_data(unsigned int id)
{
	struct vcpu_data *v = &vcpus[id];

	v->self = v;
	v->id = id;
	v->info = &shared_info->vcpu_info[id];
	v->trap_stack = trap_stacks[id] + TRAP_STACK_SIZE;
	return v;
}

void guest_shutdown(unsigned int reason)
{
	struct sched_shutdown arg = { .reason = reason };

	HYPERVISOR_sched_op(SCHEDOP_shutdown, &arg);
	for (;;)
		cpu_relax();
}

void guest_panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
	guest_shutdown(SHUTDOWN_crash);
}

/* The first C code: %gs, then the shared page, since everything else leans on them. */
void guest_start(struct start_info *info)
{
	struct vcpu_data *v = vcpu_data(0);

	start_info = info;
	HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (u64)v);
	if (HYPERVISOR_update_va_mapping((u64)shared_info_page, info->shared_info | PTE_KERNEL, UVMF_INVLPG))
		guest_panic("cannot map the shared page\n");
	trap_init();
	mm_init();
	/* Nobody waits for the console: print looks at its ring. */
	if (!(info->flags & SIF_INITDOMAIN))
		event_mask(info->console.domU.evtchn);
	HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (u64)v->trap_stack);
	guest_main();
	test_finish();
}

void guest_start_vcpu(struct vcpu_data *v)
{
	v->start(v->arg);
	HYPERVISOR_vcpu_op(VCPUOP_down, v->id, NULL);
	for (;;)
		cpu_relax();
}
