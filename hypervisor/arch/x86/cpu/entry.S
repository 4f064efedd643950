/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways into the hypervisor and back to the guest. Every entry builds struct regs on the stack and calls one C function
 * with (struct vcpu *, struct regs *). The guest owns FS and GS, so nothing here uses them: SYSCALL has a stub per CPU, which
 * finds its stack relative to RIP; everything else arrives on a stack that the TSS names.
 */
#include <hv/alternative.h>
#include <hv/asm_offsets.h>
#include <hv/descriptors.h>
#include <hv/extable.h>

#define GUEST_CS64 0xe033
#define GUEST_CS32 0xe023
#define GUEST_SS 0xe02b
#define FLAG_IF 0x200
#define KEPT_SIZE 48	/* r15 to rbx at the start of struct regs */

/* Inside strings the preprocessor does not replace. */
.set info_current, INFO_current
.set regs_vector, REGS_vector
.set trap_syscall, TRAP_SYSCALL
.set kept_size, KEPT_SIZE

/* Must follow struct regs. */
.macro SAVE_REGS
	pushq %r11
	pushq %rcx
	pushq %rax
	pushq %r9
	pushq %r8
	pushq %r10
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

/* The registers that C functions keep. */
.macro RESTORE_KEPT
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
.endm

/* All others but rcx and r11, which the caller deals with. */
.macro RESTORE_ARGS
	popq %rdi
	popq %rsi
	popq %rdx
	popq %r10
	popq %r8
	popq %r9
	popq %rax
.endm

/* They were left out of a frame that needs them after all. */
.macro SAVE_KEPT
	movq %rbx, 40(%rsp)
	movq %rbp, 32(%rsp)
	movq %r12, 24(%rsp)
	movq %r13, 16(%rsp)
	movq %r14, 8(%rsp)
	movq %r15, (%rsp)
.endm

/* rdi = the vCPU that was interrupted; and what protects the hypervisor from what it did to the predictors, if anything. */
.macro LOAD_CURRENT
	ALTERNATIVE("movq info_current(%rsp), %rdi", "call spec_entry", CPU_DO_SPEC_ENTRY)
.endm

	.section .entry.text, "ax", @progbits

/* --- SYSCALL: 64 bytes of stubs and 64 bytes of data for each CPU --- */

.macro SYSCALL_STUB target
	.balign 32
	movq %rsp, syscall_slots + slot(%rip)
	movq syscall_slots + slot + 8(%rip), %rsp
	pushq $GUEST_SS
	pushq syscall_slots + slot(%rip)
	jmp \target
.endm

	.balign 64
	.globl syscall_stubs
syscall_stubs:
.set slot, 0
.rept MAX_CPUS
	SYSCALL_STUB entry_syscall
	SYSCALL_STUB entry_syscall32
	.set slot, slot + 64
.endr

	.balign 8
syscall_word:	.long 0, TRAP_SYSCALL
syscall32_word:	.long 0, TRAP_SYSCALL32
sysenter_word:	.long 0, TRAP_SYSENTER

	.balign 64
entry_syscall:
	pushq %r11
	pushq $GUEST_CS64
	pushq %rcx
	pushq syscall_word(%rip)
	pushq %r11
	pushq %rcx
	pushq %rax
	pushq %r9
	pushq %r8
	pushq %r10
	pushq %rdx
	pushq %rsi
	pushq %rdi
	/* The rest is not saved before it must be: hypercalls have no use for it, and C functions keep it. */
	subq $KEPT_SIZE, %rsp
	LOAD_CURRENT
	movq %rsp, %rsi
	movq VCPU_pv(%rdi), %rax
	cmpb $0, PV_kernel_mode(%rax)
	je guest_syscall
	call hypercall_dispatch
	cmpl $0, INFO_softirq(%rsp)
	jne exit_syscall_slow
	movq INFO_current(%rsp), %rax
	movq VCPU_info(%rax), %rax
	cmpb $0, (%rax)				/* evtchn_upcall_pending */
	jne exit_syscall_upcall
exit_syscall:
	addq $KEPT_SIZE, %rsp

	/* To the guest; rsp = &info->regs.rdi. */
exit_args:
	ALTERNATIVE("cmpl $trap_syscall, regs_vector - kept_size(%rsp)", "call spec_exit", CPU_DO_SPEC_EXIT)
	jne exit_iret
	movq REGS_rip - KEPT_SIZE(%rsp), %rcx
	/* Where SYSRET to an address that is not canonical would fault in the hypervisor. */
	ALTERNATIVE("movq %rcx, %rax; sarq $47, %rax; incl %eax; cmpl $1, %eax; ja exit_iret", "", CPU_AMD)
	RESTORE_ARGS
	ALTERNATIVE("movq 40(%rsp), %r11", "call verw_exit", CPU_DO_VERW_EXIT)
	movq REGS_rsp - REGS_rcx(%rsp), %rsp
	sysretq

exit_iret:
	RESTORE_ARGS
	popq %rcx
	popq %r11
	addq $8, %rsp
	ALTERNATIVE("", "verw 32(%rsp)", CPU_DO_VERW_EXIT)
1:	iretq
	EXTABLE(1b, entry_iret_fault)

exit_syscall_upcall:
	cmpb $0, 1(%rax)			/* evtchn_upcall_mask */
	jne exit_syscall
exit_syscall_slow:
	SAVE_KEPT
	jmp exit_slow

guest_syscall:
	SAVE_KEPT
	call pv_syscall

	/* The way out, for everything that came from a guest and has saved all registers. rsp = &info->regs. */
exit_to_guest:
	cmpl $0, INFO_softirq(%rsp)
	jne exit_slow
	movq INFO_current(%rsp), %rax
	movq VCPU_info(%rax), %rcx
	cmpb $0, (%rcx)
	jne exit_upcall
exit_nmi:
	cmpb $0, VCPU_nmi_pending(%rax)
	jne exit_slow
exit_restore:
	RESTORE_KEPT
	jmp exit_args

exit_upcall:
	cmpb $0, 1(%rcx)
	jne exit_nmi
exit_slow:
	call exit_work
	jmp exit_restore

/* The IRETQ faulted: the registers are the guest's again, rsp points to what is left of its frame. */
entry_iret_fault:
	pushq $0
	SAVE_REGS
	movq INFO_fault(%rsp), %rax
	movq %rax, REGS_error(%rsp)
	movq INFO_current(%rsp), %rdi
	movq %rsp, %rsi
	call pv_iret_fault
	jmp exit_to_guest

/* noreturn: gives this CPU to info->current; rdi = &info->regs. */
	.globl guest_enter
guest_enter:
	movq %rdi, %rsp
	jmp exit_to_guest

entry_syscall32:
	pushq %r11
	pushq $GUEST_CS32
	pushq %rcx
	pushq syscall32_word(%rip)
	SAVE_REGS
	LOAD_CURRENT
	movq %rsp, %rsi
	call pv_syscall32
	jmp exit_to_guest

/* Leaves TF, NT and AC as the guest had them, and forgets where it came from. */
	.globl entry_sysenter
entry_sysenter:
	pushq $GUEST_SS
	pushq $0
	pushfq
	orl $FLAG_IF, (%rsp)
	pushq $GUEST_CS32
	pushq $0
	pushq sysenter_word(%rip)
	pushq $2
	popfq
	SAVE_REGS
	LOAD_CURRENT
	movq %rsp, %rsi
	call pv_sysenter
	jmp exit_to_guest

/* --- interrupts and exceptions: 16 bytes of stub for each vector --- */

	.balign 16
	.globl entry_stubs
entry_stubs:
.set vector, 0
.rept 256
	.balign 16
	/* 8, 10-14, 17, 21, 29, 30 push an error code. */
	.if vector >= 32 || !((0x60227d00 >> (vector & 31)) & 1)
	pushq $0
	.endif
	movl $vector, 4(%rsp)
	.if vector == 1 || vector == 2 || vector == 8 || vector == 18
	jmp entry_ist
	.elseif vector < 32
	jmp entry_exception
	.elseif vector == VECTOR_SYSCALL_COMPAT || vector == VECTOR_HYPERCALL
	jmp entry_software
	.else
	jmp entry_interrupt
	.endif
	.set vector, vector + 1
.endr

entry_exception:
	ALTERNATIVE("", "clac", CPU_SMAP)
	cld
	SAVE_REGS
	testb $3, REGS_cs(%rsp)
	jz 1f
exception_guest:
	LOAD_CURRENT
	movq %rsp, %rsi
	call pv_exception
	jmp exit_to_guest
1:	ALTERNATIVE("", "call xpti_fault_enter", CPU_DO_XPTI)
	movq %rsp, %rdi
	call exception_hypervisor
	jmp exit_hypervisor

entry_interrupt:
	ALTERNATIVE("", "clac", CPU_SMAP)
	cld
	SAVE_REGS
	testb $3, REGS_cs(%rsp)
	jz 1f
	LOAD_CURRENT
	movq %rsp, %rdi
	movl REGS_vector(%rsp), %esi
	call irq_handle
	jmp exit_to_guest
1:	movq %rsp, %rdi
	movl REGS_vector(%rsp), %esi
	call irq_handle

/* Back to hypervisor code that was interrupted. */
exit_hypervisor:
	RESTORE_KEPT
	RESTORE_ARGS
	popq %rcx
	popq %r11
	addq $8, %rsp
	iretq

entry_software:
	ALTERNATIVE("", "clac", CPU_SMAP)
	cld
	SAVE_REGS
	LOAD_CURRENT
	movq %rsp, %rsi
	call software_interrupt
	jmp exit_to_guest

/* #DB, NMI, #DF, #MC, on stacks of their own. What came from the guest moves to the common stack and may reschedule. */
entry_ist:
	ALTERNATIVE("", "clac", CPU_SMAP)
	cld
	SAVE_REGS
	testb $3, REGS_cs(%rsp)
	jnz 1f
	movq %rsp, %rdi
	ALTERNATIVE("", "call xpti_ist_enter", CPU_DO_XPTI)
	call exception_ist
	ALTERNATIVE("", "call xpti_ist_leave", CPU_DO_XPTI)
	jmp exit_hypervisor
1:	movq %rsp, %rsi
	movq %rsp, %rdi
	orq $(STACK_SIZE - 1), %rdi
	subq $(CPU_INFO_SIZE - CPU_INFO_regs - 1), %rdi
	movq %rdi, %rax
	movl $(REGS_SIZE / 8), %ecx
	rep movsq
	movq %rax, %rsp
	cmpl $1, REGS_vector(%rsp)
	je exception_guest
	LOAD_CURRENT
	movq %rsp, %rdi
	call exception_ist
	/* An NMI stays blocked until an IRET, and the vCPU that runs next may leave by SYSRET. */
	movq %rsp, %rax
	pushq $0
	pushq %rax
	pushfq
	pushq $HV_CS
	leaq exit_to_guest(%rip), %rax
	pushq %rax
	iretq

	.section .entry.bss, "aw", @nobits
	.balign 64
	.globl syscall_slots
syscall_slots:	.skip MAX_CPUS * 64

	.section .note.GNU-stack, "", @progbits
