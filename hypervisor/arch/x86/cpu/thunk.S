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
	movl $MSR_SPEC_CTRL, %ecx
	movl INFO_spec_ctrl - REGS_rdi + 8(%rsp), %eax
	xorl %edx, %edx
	wrmsr
	cmpl $TRAP_SYSCALL, REGS_vector - REGS_rdi + 8(%rsp)
	ret

/* To a guest by SYSRET, in place of loading r11; rsp was &regs.rcx. VERW with a memory operand clears the buffers. */
	.globl verw_exit
verw_exit:
	verw REGS_ss - REGS_rcx + 8(%rsp)
	movq REGS_rflags - REGS_rcx + 8(%rsp), %r11
	ret

	.section .note.GNU-stack, "", @progbits
