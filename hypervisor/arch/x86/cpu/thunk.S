/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protections in code. Compilers send every indirect branch through a thunk; where the CPU needs no protection, boot replaces the
 * calls of the thunks by the branches themselves (speculation.c). The rest is called by entry code where it was patched in.
 */
#include <hv/alternative.h>
#include <hv/asm_offsets.h>

#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49

/* A return whose prediction leads into a loop that goes nowhere. */
.macro INDIRECT_THUNK reg
	.balign 32
	.globl __x86_indirect_thunk_\reg
__x86_indirect_thunk_\reg:
	ALTERNATIVE("call 772f", "lfence; jmpq *%\reg", CPU_DO_LFENCE_JUMP)
771:	pause
	lfence
	jmp 771b
772:	movq %\reg, (%rsp)
	ret
	int3
.endm

	.section .text.thunks, "ax", @progbits
	.balign 32
	.globl indirect_thunks
indirect_thunks:
	.irp reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	INDIRECT_THUNK \reg
	.endr
	.globl __llvm_retpoline_r11
	.set __llvm_retpoline_r11, __x86_indirect_thunk_r11

	.section .entry.text, "ax", @progbits

/* From a guest, in place of loading rdi with the current vCPU; rax, rcx, rdx are free. */
	.globl spec_entry
spec_entry:
	ALTERNATIVE("", "call xpti_enter", CPU_DO_XPTI)
	ALTERNATIVE("", "call ibrs_set", CPU_DO_IBRS_ENTRY)
	ALTERNATIVE("", "call ibpb", CPU_DO_IBPB_ENTRY)
	ALTERNATIVE("", "call rsb_fill", CPU_DO_RSB_ENTRY)
	ALTERNATIVE("", "call bhb_clear", CPU_DO_BHB_ENTRY)
	lfence
	movq INFO_current + 8(%rsp), %rdi
	ret

ibrs_set:
	movl $MSR_SPEC_CTRL, %ecx
	movl spec_ctrl_hypervisor(%rip), %eax
	xorl %edx, %edx
	wrmsr
	ret

ibpb:
	movl $MSR_PRED_CMD, %ecx
	movl $1, %eax
	xorl %edx, %edx
	wrmsr
	ret

/* Thirty-two entries of the return stack that lead nowhere. */
rsb_fill:
	movl $16, %ecx
	movq %rsp, %rax
1:	call 3f
2:	pause
	lfence
	jmp 2b
3:	call 5f
4:	pause
	lfence
	jmp 4b
5:	decl %ecx
	jnz 1b
	movq %rax, %rsp
	lfence
	ret

/* More taken branches than the longest branch history of any CPU holds (12 rounds of 7 pairs). */
bhb_clear:
	movl $12, %ecx
1:	movl $7, %eax
2:	jmp 3f
	.balign 16
3:	decl %eax
	jnz 2b
	decl %ecx
	jnz 1b
	ret

/* To a guest, in place of looking at regs.vector; rsp was &regs.rdi before the call, and rax, rcx, rdx are free. */
	.globl spec_exit
spec_exit:
	ALTERNATIVE("", "call ibrs_clear", CPU_DO_IBRS_ENTRY)
	ALTERNATIVE("", "call xpti_leave", CPU_DO_XPTI)
	cmpl $TRAP_SYSCALL, REGS_vector - REGS_rdi + 8(%rsp)
	ret

ibrs_clear:
	movl $MSR_SPEC_CTRL, %ecx
	movl INFO_spec_ctrl - REGS_rdi + 16(%rsp), %eax
	xorl %edx, %edx
	wrmsr
	ret

/* To a guest by SYSRET, in place of loading r11; rsp was &regs.rcx. VERW with a memory operand clears the buffers. */
	.globl verw_exit
verw_exit:
	verw REGS_ss - REGS_rcx + 8(%rsp)
	movq REGS_rflags - REGS_rcx + 8(%rsp), %r11
	ret

/* --- XPTI (pv/xpti.c): between the guest's page tables and the ones without the hypervisor --- */

/* From spec_entry: rsp was &info->regs. */
xpti_enter:
	cmpq $0, INFO_shadow_cr3 + 16(%rsp)
	je 1f
	movq INFO_guest_cr3 + 16(%rsp), %rax
	movq %rax, %cr3
1:	ret

/* From spec_exit: rsp was &info->regs.rdi. */
xpti_leave:
	movq INFO_shadow_cr3 - REGS_rdi + 16(%rsp), %rax
	testq %rax, %rax
	jz 1f
	movq %rax, %cr3
1:	ret

/* A fault in entry code itself, on whatever page tables: goes on with the full ones. rax, rcx, rdx are free. */
	.globl xpti_fault_enter
xpti_fault_enter:
	movq %rsp, %rax
	orq $(STACK_SIZE - 1), %rax
	movq %cr3, %rcx
	cmpq INFO_shadow_cr3 + CPU_INFO_regs - CPU_INFO_SIZE + 1(%rax), %rcx
	jne 1f
	movq INFO_guest_cr3 + CPU_INFO_regs - CPU_INFO_SIZE + 1(%rax), %rcx
	movq %rcx, %cr3
1:	ret

/* The same around an NMI or the like, after which the interrupted code must find what it had: CR3 is kept in rbx. */
	.globl xpti_ist_enter
xpti_ist_enter:
	movq %cr3, %rbx
	jmp xpti_fault_enter

	.globl xpti_ist_leave
xpti_ist_leave:
	movq %rbx, %cr3
	ret

	.section .note.GNU-stack, "", @progbits
