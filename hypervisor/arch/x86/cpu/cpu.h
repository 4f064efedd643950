/* SPDX-License-Identifier: BSD-2-Clause */
/* Within arch/x86/cpu. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <hv/compiler.h>
#include <hv/cpu_boot.h>
#include <hv/regs.h>
#include <hv/types.h>

/* --- exception.c: called by entry code --- */
struct vcpu;
void exception_hypervisor(struct regs *r);
void exception_ist(struct regs *r);
void software_interrupt(struct vcpu *v, struct regs *r);
/* Prints registers and what the stack says about callers. */
void registers_dump(const struct regs *r);

/* --- fpu.c --- */
/* This CPU: after CR4 is set up. */
void fpu_init_cpu(void);
/* True when XCR0 may hold val on a CPU that supports these components. Pure. */
bool xcr0_valid(u64 val, u64 supported);

/* --- speculation.c --- */
/* This CPU goes from a vCPU of one domain to one of another. */
void speculation_switch(void);
extern u32 spec_ctrl_hypervisor;
/* A branch through register reg in the 5 bytes of the call or jump it replaces; returns 5. Pure. */
unsigned int branch_build(u8 *code, bool call, unsigned int reg);
/* thunk.S: 16 thunks of 32 bytes, by register number. */
extern const u8 indirect_thunks[];

/* --- smp.c --- */
/* True once smp_stop_others was called: an NMI then ends in smp_park_forever. */
bool smp_nmi_stop(void);

/* --- context.c --- */
void exit_work(void);

/* --- nmi.c --- */
void nmi_handle(struct regs *r);
void machine_check_handle(struct regs *r);

/* --- watchdog.c --- */
/* True when the NMI was the watchdog's. */
bool watchdog_nmi(const struct regs *r);

/* --- entry.S --- */
extern const u8 entry_stubs[256][16];
extern const u8 syscall_stubs[MAX_CPUS][2][32];	/* SYSCALL from 64-bit and from 32-bit code */
struct syscall_slot {
	u64 guest_rsp;
	u64 stack;		/* end of info->regs */
	u64 pad[6];
};
extern struct syscall_slot syscall_slots[MAX_CPUS];
void entry_sysenter(void);
void guest_enter(struct regs *r) noreturn_fn;

#endif
