/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/smp.h>
#include <guest/trap.h>
#include <xen/vcpu.h>

#define STACK_PAGES 4

void guest_entry_vcpu(void);
void trap_entry_event(void);
void trap_entry_failsafe(void);
void trap_entry_syscall(void);

static u8 stacks[VCPUS_MAX][STACK_PAGES * PAGE_SIZE] PAGE_ALIGNED;
static struct vcpu_guest_context context;

int vcpu_start(unsigned int id, void (*fn)(void *arg), void *arg)
{
	struct vcpu_data *v = vcpu_data(id);
	const struct trap_info *t;
	long ret;

	v->start = fn;
	v->arg = arg;
	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel;
	context.user_regs.rip = (u64)guest_entry_vcpu;
	context.user_regs.rsp = (u64)(stacks[id] + sizeof(stacks[id]) - 8);
	context.user_regs.rdi = (u64)v;
	context.user_regs.rflags = 0x1000; /* IOPL 1: the kernel's own ring */
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	for (t = trap_table(); t->address; t++)
		context.trap_ctxt[t->vector] = *t;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = (u64)v->trap_stack;
	context.event_callback_eip = (u64)trap_entry_event;
	context.failsafe_callback_eip = (u64)trap_entry_failsafe;
	context.syscall_callback_eip = (u64)trap_entry_syscall;
	context.ctrlreg[3] = xen_pfn_to_cr3(va_mfn(kernel_root()));
	context.gs_base_kernel = (u64)v;
	ret = HYPERVISOR_vcpu_op(VCPUOP_initialise, id, &context);
	/* It keeps its registers when it is started a second time: only its stack and entry would be stale. */
	if (ret)
		return (int)ret;
	return (int)HYPERVISOR_vcpu_op(VCPUOP_up, id, NULL);
}

int vcpu_is_up(unsigned int id)
{
	return (int)HYPERVISOR_vcpu_op(VCPUOP_is_up, id, NULL);
}

unsigned int vcpus_max(void)
{
	unsigned int n = 0;

	while (n < VCPUS_MAX && vcpu_is_up(n) >= 0)
		n++;
	return n;
}
