/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls, through the page of stubs that the hypervisor fills in. Each returns the hypercall's result: 0 or more, or
 * a negated XEN_E* error number.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <guest/types.h>
#include <xen/errno.h>
#include <xen/sched.h>
#include <xen/xen.h>

extern char hypercall_page[];

/* Any hypercall whose number is known when compiling. The stub keeps all registers but the arguments'. */
static inline __attribute__((always_inline)) long hypercall(unsigned int number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	register u64 r10 __asm__("r10") = a4;
	register u64 r8 __asm__("r8") = a5;
	long ret;

	__asm__ volatile("call hypercall_page + %c[offset]"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 : [offset] "i"(number * 32)
			 : "memory", "rcx", "r11");
	return ret;
}

/* The same by number at run time, with the instruction itself. */
static inline long hypercall_direct(u64 number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	register u64 r10 __asm__("r10") = a4;
	register u64 r8 __asm__("r8") = a5;

	__asm__ volatile("syscall"
			 : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 :
			 : "memory", "rcx", "r11");
	return (long)number;
}

#define HYPERCALL0(name)	     hypercall(__HYPERVISOR_##name, 0, 0, 0, 0, 0)
#define HYPERCALL1(name, a)	     hypercall(__HYPERVISOR_##name, (u64)(a), 0, 0, 0, 0)
#define HYPERCALL2(name, a, b)	     hypercall(__HYPERVISOR_##name, (u64)(a), (u64)(b), 0, 0, 0)
#define HYPERCALL3(name, a, b, c)    hypercall(__HYPERVISOR_##name, (u64)(a), (u64)(b), (u64)(c), 0, 0)
#define HYPERCALL4(name, a, b, c, d) hypercall(__HYPERVISOR_##name, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0)

static inline long HYPERVISOR_set_trap_table(const struct trap_info *traps)
{
	return HYPERCALL1(set_trap_table, traps);
}

static inline long HYPERVISOR_mmu_update(const struct mmu_update *reqs, unsigned int count, unsigned int *done,
					 unsigned int foreigndom)
{
	return HYPERCALL4(mmu_update, reqs, count, done, foreigndom);
}

static inline long HYPERVISOR_mmuext_op(const struct mmuext_op *ops, unsigned int count, unsigned int *done,
					unsigned int foreigndom)
{
	return HYPERCALL4(mmuext_op, ops, count, done, foreigndom);
}

static inline long HYPERVISOR_update_va_mapping(u64 va, u64 pte, u64 flags)
{
	return HYPERCALL3(update_va_mapping, va, pte, flags);
}

static inline long HYPERVISOR_set_gdt(const xen_pfn_t *frames, unsigned int entries)
{
	return HYPERCALL2(set_gdt, frames, entries);
}

static inline long HYPERVISOR_update_descriptor(u64 maddr, u64 desc)
{
	return HYPERCALL2(update_descriptor, maddr, desc);
}

static inline long HYPERVISOR_stack_switch(u64 ss, u64 sp)
{
	return HYPERCALL2(stack_switch, ss, sp);
}

static inline long HYPERVISOR_fpu_taskswitch(int set)
{
	return HYPERCALL1(fpu_taskswitch, set);
}

static inline long HYPERVISOR_set_debugreg(int reg, u64 value)
{
	return HYPERCALL2(set_debugreg, reg, value);
}

static inline u64 HYPERVISOR_get_debugreg(int reg)
{
	return (u64)HYPERCALL1(get_debugreg, reg);
}

static inline long HYPERVISOR_set_segment_base(unsigned int which, u64 base)
{
	return HYPERCALL2(set_segment_base, which, base);
}

static inline long HYPERVISOR_memory_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(memory_op, cmd, arg);
}

static inline long HYPERVISOR_multicall(struct multicall_entry *calls, unsigned int n)
{
	return HYPERCALL2(multicall, calls, n);
}

static inline long HYPERVISOR_set_timer_op(u64 deadline)
{
	return HYPERCALL1(set_timer_op, deadline);
}

static inline long HYPERVISOR_xen_version(unsigned int cmd, void *arg)
{
	return HYPERCALL2(xen_version, cmd, arg);
}

static inline long HYPERVISOR_console_io(unsigned int cmd, unsigned int count, const char *buffer)
{
	return HYPERCALL3(console_io, cmd, count, buffer);
}

static inline long HYPERVISOR_grant_table_op(unsigned int cmd, void *ops, unsigned int count)
{
	return HYPERCALL3(grant_table_op, cmd, ops, count);
}

static inline long HYPERVISOR_vm_assist(unsigned int cmd, unsigned int type)
{
	return HYPERCALL2(vm_assist, cmd, type);
}

static inline long HYPERVISOR_vcpu_op(unsigned int cmd, unsigned int vcpu, void *arg)
{
	return HYPERCALL3(vcpu_op, cmd, vcpu, arg);
}

static inline long HYPERVISOR_sched_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(sched_op, cmd, arg);
}

static inline long HYPERVISOR_callback_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(callback_op, cmd, arg);
}

static inline long HYPERVISOR_event_channel_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(event_channel_op, cmd, arg);
}

static inline long HYPERVISOR_physdev_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(physdev_op, cmd, arg);
}

static inline long HYPERVISOR_nmi_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(nmi_op, cmd, arg);
}

static inline long HYPERVISOR_platform_op(void *op)
{
	return HYPERCALL1(platform_op, op);
}

static inline long HYPERVISOR_hvm_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(hvm_op, cmd, arg);
}

static inline long HYPERVISOR_sysctl(void *op)
{
	return HYPERCALL1(sysctl, op);
}

static inline long HYPERVISOR_domctl(void *op)
{
	return HYPERCALL1(domctl, op);
}

#endif
