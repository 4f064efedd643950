/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls. A handler gets the actor and its six arguments, in place in the actor's registers (or in a copy of a multicall
 * entry). It returns the result, or -ERESTART after storing its progress in args[]; the dispatcher then lets softirqs run and
 * repeats the hypercall with those arguments (rewinding rip over SYSCALL, so that a switch of vCPUs in between is fine).
 * Handlers have this signature, and are named do_NAME:
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/types.h>
#include <hv/compiler.h>

struct vcpu;
struct regs;

typedef long hypercall_fn(struct vcpu *v, u64 *args);

hypercall_fn do_set_trap_table, do_mmu_update, do_set_gdt, do_stack_switch, do_set_callbacks, do_fpu_taskswitch;
hypercall_fn do_platform_op, do_set_debugreg, do_get_debugreg, do_update_descriptor, do_memory_op, do_multicall;
hypercall_fn do_update_va_mapping, do_set_timer_op, do_xen_version, do_console_io, do_grant_table_op, do_vm_assist;
hypercall_fn do_update_va_mapping_otherdomain, do_iret, do_vcpu_op, do_set_segment_base, do_mmuext_op, do_xsm_op, do_hypfs_op;
hypercall_fn do_nmi_op, do_sched_op, do_callback_op, do_event_channel_op, do_physdev_op, do_hvm_op, do_sysctl, do_domctl;
hypercall_fn do_event_channel_op_compat, do_sched_op_compat, do_physdev_op_compat, do_mca, do_kexec_op;

/*
 * do_iret replaces the whole register frame, rax included, and its result is not used; it cannot be part of a multicall.
 *
 * Entry code calls this: looks up regs->rax and runs the handler with regs->args.
 */
void hypercall_dispatch(struct vcpu *v, struct regs *r);

/* Boot: debug keys of the counters. */
void hypercall_init(void);

/* Numbers 0 to HYPERCALLS - 1 may be handled. */
#define HYPERCALLS 64u
/* How often a hypercall was made, summed over CPUs; for perf counters and debug keys. nr < HYPERCALLS. */
u64 hypercall_count(unsigned int nr);
/* Sets the counters back to 0. */
void hypercall_count_reset(void);

#endif
