/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the hypervisor enters the kernel: at the start, on exceptions, events and system calls. Each entry saves the
 * registers as a struct trap_frame, calls C, restores them and leaves through the iret hypercall.
 */
#include <xen/elfnote.h>
#include <xen/xen.h>

	/* Bytes of struct trap_frame (trap.h). */
	.equ	TRAP_FRAME_SIZE, 22 * 8

	.macro note type, value:vararg
	.pushsection .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f, 4f - 3f, \type
1:	.asciz "Xen"
2:	.balign 4
3:	\value
4:	.balign 4
	.popsection
	.endm

	note XEN_ELFNOTE_GUEST_OS, .asciz "argon-guest"
	note XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
	note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	note XEN_ELFNOTE_LOADER, .asciz "generic"
	note XEN_ELFNOTE_VIRT_BASE, .quad VIRT_BASE
	note XEN_ELFNOTE_PADDR_OFFSET, .quad 0
	note XEN_ELFNOTE_ENTRY, .quad guest_entry
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
	note XEN_ELFNOTE_L1_MFN_VALID, .quad 1, 1
	note XEN_ELFNOTE_PAE_MODE, .asciz "yes"
	note XEN_ELFNOTE_FEATURES, .asciz "pae_pgdir_above_4gb"
	note XEN_ELFNOTE_SUSPEND_CANCEL, .long 1

	.section .text.entry, "ax"
	.globl guest_entry, guest_entry_vcpu, hypercall_page

	/* First vCPU: %rsi has the address of start_info. */
guest_entry:
	cld
	lea	guest_boot_stack_top(%rip), %rsp
	xor	%ebp, %ebp
	mov	%rsi, %rdi
	call	guest_start
	ud2

	/* Other vCPUs: %rdi has their struct vcpu_data, %rsp their stack. */
guest_entry_vcpu:
	cld
	xor	%ebp, %ebp
	call	guest_start_vcpu
	ud2

	.balign 4096
hypercall_page:
	.skip	4096

	.text
	/*
	 * The hypervisor's frame has rcx and r11 below the error code (where there is one), rip, cs, rflags, rsp, ss.
	 * They are put back, and the vector takes their place.
	 */
	.macro entry vector, has_error
	mov	(%rsp), %rcx
	mov	8(%rsp), %r11
	.if \has_error
	add	$8, %rsp
	.else
	movq	$0, 8(%rsp)
	.endif
	movq	$\vector, (%rsp)
	jmp	trap_common
	.endm

	.macro exception vector, has_error=0
	.balign 32
trap_entry_\vector:
	entry	\vector, \has_error
	.pushsection .rodata
	.quad	\vector, trap_entry_\vector
	.popsection
	.endm

	/* Pairs (vector, address), for the trap table. */
	.pushsection .rodata
	.balign	8
	.globl	trap_entries
trap_entries:
	.popsection
	exception 0
	exception 1
	exception 2
	exception 3
	exception 4
	exception 5
	exception 6
	exception 7
	exception 8, 1
	exception 9
	exception 10, 1
	exception 11, 1
	exception 12, 1
	exception 13, 1
	exception 14, 1
	exception 16
	exception 17, 1
	exception 18
	exception 19
	exception 21, 1
	exception 0x80
	.pushsection .rodata
	.quad	0, 0
	.popsection

	/* Callbacks: numbers above the vectors, see trap.h. */
	.macro callback name, number
	.globl	\name
\name:
	entry	\number, 0
	.endm
	callback trap_entry_event, 256
	callback trap_entry_syscall, 257
	callback trap_entry_nmi, 259

	/* Failsafe: rcx, r11, then the four selectors that could not be loaded, then rip and so on. */
	.globl	trap_entry_failsafe
trap_entry_failsafe:
	mov	(%rsp), %rcx
	mov	8(%rsp), %r11
	add	$4 * 8, %rsp
	movq	$0, 8(%rsp)
	movq	$258, (%rsp)

trap_common:
	cld
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp

	/* %rsp: a struct trap_frame. Its last slots before rip become rax, r11, rcx and flags of the iret context. */
trap_return:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	mov	%rcx, (%rsp)
	movq	$0, 8(%rsp)
	push	%r11
	push	%rax
	mov	$__HYPERVISOR_iret, %eax
	syscall
	ud2

	/* void trap_frame_enter(const struct trap_frame *f): continues there; does not return. */
	.globl	trap_frame_enter
trap_frame_enter:
	sub	$TRAP_FRAME_SIZE, %rsp
	and	$-16, %rsp
	mov	%rdi, %rsi
	mov	%rsp, %rdi
	mov	$TRAP_FRAME_SIZE / 8, %ecx
	rep movsq
	jmp	trap_return

	/* int context_save(struct context *c): 0 when called, 1 when context_restore comes back to it. */
	.globl	context_save, context_restore
context_save:
	mov	(%rsp), %rax
	mov	%rax, 0(%rdi)
	lea	8(%rsp), %rax
	mov	%rax, 8(%rdi)
	mov	%rbx, 16(%rdi)
	mov	%rbp, 24(%rdi)
	mov	%r12, 32(%rdi)
	mov	%r13, 40(%rdi)
	mov	%r14, 48(%rdi)
	mov	%r15, 56(%rdi)
	xor	%eax, %eax
	ret

	/* void context_restore(const struct context *c) */
context_restore:
	mov	8(%rdi), %rsp
	mov	16(%rdi), %rbx
	mov	24(%rdi), %rbp
	mov	32(%rdi), %r12
	mov	40(%rdi), %r13
	mov	48(%rdi), %r14
	mov	56(%rdi), %r15
	mov	$1, %eax
	jmp	*0(%rdi)

	.bss
	.balign	4096
	.skip	16384
guest_boot_stack_top:

	.section .note.GNU-stack, "", @progbits
