/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How another CPU starts: in real mode, at a page below 1 MiB to which this is copied. trampoline_place fills in the words at the
 * end. Goes to long mode at once, on boot's page tables, which have the low memory at its own address.
 */
#include <hv/asm_offsets.h>

#define CR0_BOOT 0x80050033		/* PG AM WP NE ET MP PE */
#define CR4_BOOT 0x20			/* PAE */
#define EFER 0xc0000080

	.section .trampoline, "a", @progbits
	.code16
	.globl trampoline_start
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt_pointer - trampoline_start
	movl $CR4_BOOT, %eax
	movl %eax, %cr4
	movl trampoline_cr3 - trampoline_start, %eax
	movl %eax, %cr3
	movl $EFER, %ecx
	rdmsr
	orl $0x901, %eax			/* SCE LME NXE */
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0
	ljmpl *(trampoline_far - trampoline_start)

	.code64
trampoline64:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movabsq $cpu_entry, %rax
	jmpq *%rax

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00af9b000000ffff		/* 0x08: 64-bit code */
	.globl trampoline_gdt_pointer
trampoline_gdt_pointer:
	.short trampoline_gdt_pointer - trampoline_gdt - 1
	.long trampoline_gdt - trampoline_start	/* the page's address is added */
	.balign 4
	.globl trampoline_far
trampoline_far:
	.long trampoline64 - trampoline_start	/* here too */
	.short 8
	.balign 4
	.globl trampoline_cr3
trampoline_cr3:	.long 0
	.globl trampoline_end
trampoline_end:

	.text
	/* The new CPU, at the linked address: takes its place in the final address space, on its own stack. */
cpu_entry:
	movq cpu_start_root(%rip), %rax
	movq %rax, %cr3
	movq cpu_start_stack(%rip), %rsp
	call cpu_start
	ud2

	.section .note.GNU-stack, "", @progbits
