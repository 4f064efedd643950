/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled to assembly only: the build turns each marked line into a #define of hv/asm_offsets.h. */
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/features.h>
#include <hv/irq.h>
#include <hv/pv.h>
#include <hv/regs.h>

#define VALUE(name, value) __asm__ volatile("\n.ascii \"#define " #name " %c0\"" : : "i"((long)(value)))
#define OFFSET(name, type, member) VALUE(name, offsetof(type, member))
/* Entry code addresses struct cpu_info from its register frame. */
#define INFO_OFFSET(name, member) \
	VALUE(name, (long)offsetof(struct cpu_info, member) - (long)offsetof(struct cpu_info, regs))

void asm_offsets(void);

void asm_offsets(void)
{
	VALUE(STACK_SIZE, STACK_SIZE);
	VALUE(CPU_INFO_SIZE, sizeof(struct cpu_info));
	VALUE(CPU_INFO_regs, offsetof(struct cpu_info, regs));
	VALUE(MAX_CPUS, MAX_CPUS);

	OFFSET(REGS_rdi, struct regs, rdi);
	OFFSET(REGS_r11, struct regs, r11);
	OFFSET(REGS_rcx, struct regs, rcx);
	OFFSET(REGS_rax, struct regs, rax);
	OFFSET(REGS_error, struct regs, error);
	OFFSET(REGS_vector, struct regs, vector);
	OFFSET(REGS_rip, struct regs, rip);
	OFFSET(REGS_cs, struct regs, cs);
	OFFSET(REGS_rflags, struct regs, rflags);
	OFFSET(REGS_rsp, struct regs, rsp);
	OFFSET(REGS_ss, struct regs, ss);
	VALUE(REGS_SIZE, sizeof(struct regs));
	VALUE(TRAP_SYSCALL, TRAP_SYSCALL);
	VALUE(TRAP_SYSCALL32, TRAP_SYSCALL32);
	VALUE(TRAP_SYSENTER, TRAP_SYSENTER);

	INFO_OFFSET(INFO_current, current);
	INFO_OFFSET(INFO_softirq, softirq);
	INFO_OFFSET(INFO_shadow_cr3, shadow_cr3);
	INFO_OFFSET(INFO_guest_cr3, guest_cr3);
	INFO_OFFSET(INFO_spec_ctrl, spec_ctrl);
	INFO_OFFSET(INFO_fault, fault);

	OFFSET(VCPU_info, struct vcpu, info);
	OFFSET(VCPU_pv, struct vcpu, pv);
	OFFSET(VCPU_nmi_pending, struct vcpu, nmi_pending);
	OFFSET(PV_kernel_mode, struct pv_vcpu, kernel_mode);

	VALUE(VECTOR_SYSCALL_COMPAT, VECTOR_SYSCALL_COMPAT);
	VALUE(VECTOR_HYPERCALL, VECTOR_HYPERCALL);

	VALUE(CPU_SMAP, CPU_SMAP);
	VALUE(CPU_DO_LFENCE_JUMP, CPU_DO_LFENCE_JUMP);
	VALUE(CPU_AMD, CPU_AMD);
	VALUE(CPU_DO_SPEC_ENTRY, CPU_DO_SPEC_ENTRY);
	VALUE(CPU_DO_SPEC_EXIT, CPU_DO_SPEC_EXIT);
	VALUE(CPU_DO_XPTI, CPU_DO_XPTI);
	VALUE(CPU_DO_IBRS_ENTRY, CPU_DO_IBRS_ENTRY);
	VALUE(CPU_DO_IBPB_ENTRY, CPU_DO_IBPB_ENTRY);
	VALUE(CPU_DO_RSB_ENTRY, CPU_DO_RSB_ENTRY);
	VALUE(CPU_DO_BHB_ENTRY, CPU_DO_BHB_ENTRY);
	VALUE(CPU_DO_VERW_EXIT, CPU_DO_VERW_EXIT);
}
