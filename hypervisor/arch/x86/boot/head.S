/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry from the boot loader (Multiboot2 1.6+): 32-bit protected mode without paging, on BIOS and on UEFI machines alike, with the
 * image at any multiple of 2 MiB. Builds the first page tables, turns long mode on and calls boot_main at the linked address.
 */
#include <hv/asm_offsets.h>
#include <hv/memory_map.h>

#define LOADER_MAGIC 0x36d76289
#define SERIAL 0x3f8
#define CR0_BOOT 0x80050033		/* PG AM WP NE ET MP PE */
#define CR4_BOOT 0x20			/* PAE */
#define EFER 0xc0000080
#define PTE_TABLE 0x03			/* present, writable */
#define PTE_LARGE 0xe3			/* the same, accessed, dirty, large */

	.section .head, "ax", @progbits
	.balign 8
boot_image:
	.globl boot_header
boot_header:
	.long 0xe85250d6, 0, boot_header_end - boot_header
	.long -(0xe85250d6 + boot_header_end - boot_header)
	/* Information request: memory map. */
	.balign 8
	.short 1, 0
	.long 12, 6
	/* Entry address. */
	.balign 8
	.short 3, 0
	.long 12, boot_entry_paddr
	/* Framebuffer: any, or text. */
	.balign 8
	.short 4, 1
	.long 12, 2
	.balign 8
	.short 5, 1
	.long 20, 0, 0, 0
	/* Modules at page boundaries. */
	.balign 8
	.short 6, 0
	.long 8
	/* Relocatable: 2 MiB to 4 GiB, multiples of 2 MiB, low rather than high. */
	.balign 8
	.short 10, 0
	.long 24, 0x200000, 0xffffffff, 0x200000, 1
	.balign 8
	.short 0, 0
	.long 8
boot_header_end:

	.code32
	.globl boot_entry
boot_entry:
	cli
	cld
	cmpl $LOADER_MAGIC, %eax
	je 1f
	movl $0x7bf8, %ebx			/* another loader: somewhere in low memory, to say so */
	/* There is no stack: the return address goes to the reserved word of the loader's information. */
1:	leal 8(%ebx), %esp
	call 1f
1:	popl %ebp
	subl $(1b - boot_image), %ebp		/* ebp: physical address of the image */
	leal (boot_stack - boot_image + STACK_SIZE - CPU_INFO_SIZE)(%ebp), %esp
	movl %ebx, %edi				/* edi: the loader's information */

	leal (message_loader - boot_image)(%ebp), %esi
	cmpl $LOADER_MAGIC, %eax
	jne boot_fail
	leal (message_alignment - boot_image)(%ebp), %esi
	testl $0x1fffff, %ebp
	jnz boot_fail
	leal (message_cpu - boot_image)(%ebp), %esi
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb boot_fail
	movl $0x80000001, %eax
	cpuid
	andl $0x20100000, %edx			/* long mode, no-execute */
	cmpl $0x20100000, %edx
	jne boot_fail

	/* Low 4 GiB at 0 and at the start of the direct map. */
	leal (boot_l3_low - boot_image)(%ebp), %eax
	addl $PTE_TABLE, %eax
	movl %eax, (boot_l4 - boot_image)(%ebp)
	movl %eax, (boot_l4 - boot_image + HV_L4_DIRECT_MAP * 8)(%ebp)
	leal (boot_l2_low - boot_image)(%ebp), %eax
	addl $PTE_TABLE, %eax
	xorl %ecx, %ecx
1:	movl %eax, (boot_l3_low - boot_image)(%ebp, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $4, %ecx
	jb 1b
	movl $PTE_LARGE, %eax
	xorl %ecx, %ecx
1:	movl %eax, (boot_l2_low - boot_image)(%ebp, %ecx, 8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $2048, %ecx
	jb 1b
	/* The image, in the last GiB of slot 256. */
	leal (boot_l3_image - boot_image)(%ebp), %eax
	addl $PTE_TABLE, %eax
	movl %eax, (boot_l4 - boot_image + HV_L4_FIRST * 8)(%ebp)
	leal (boot_l2_image - boot_image)(%ebp), %eax
	addl $PTE_TABLE, %eax
	movl %eax, (boot_l3_image - boot_image + 511 * 8)(%ebp)
	leal PTE_LARGE(%ebp), %eax
	xorl %ecx, %ecx
1:	movl %eax, (boot_l2_image - boot_image)(%ebp, %ecx, 8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $image_large_pages, %ecx
	jb 1b

	movl $CR4_BOOT, %eax
	movl %eax, %cr4
	leal (boot_l4 - boot_image)(%ebp), %eax
	movl %eax, %cr3
	movl $EFER, %ecx
	rdmsr
	orl $0x901, %eax			/* SCE LME NXE */
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0

	leal (boot_gdt - boot_image)(%ebp), %eax
	movl %eax, (boot_gdt_pointer - boot_image + 2)(%ebp)
	lgdt (boot_gdt_pointer - boot_image)(%ebp)
	leal (boot_entry64 - boot_image)(%ebp), %eax
	pushl $8
	pushl %eax
	lretl

/* esi: text for the first serial port and for VGA text memory. Stops. */
boot_fail:
	movl $0xb8000, %edi
1:	lodsb
	testb %al, %al
	jz 4f
	movb $0x4f, %ah
	stosw
	movb %al, %bl
	movw $(SERIAL + 5), %dx
	movl $100000, %ecx
2:	inb %dx, %al
	testb $0x20, %al
	jnz 3f
	loop 2b
3:	movb %bl, %al
	movw $SERIAL, %dx
	outb %al, %dx
	jmp 1b
4:	hlt
	jmp 4b

message_loader:
	.asciz "Argon: the boot loader does not speak Multiboot2: in GRUB use the commands multiboot2 and module2.\r\n"
message_alignment:
	.asciz "Argon: the boot loader did not place the image at a multiple of 2 MiB.\r\n"
message_cpu:
	.asciz "Argon: this CPU has no 64-bit mode, or no-execute is disabled in the firmware setup.\r\n"

	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff		/* 0x08: 64-bit code */
	.quad 0x00cf93000000ffff		/* 0x10: data */
boot_gdt_pointer:
	.short boot_gdt_pointer - boot_gdt - 1
	.long 0

	.code64
boot_entry64:
	movabsq $1f, %rax
	jmpq *%rax
1:	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	leaq boot_stack + STACK_SIZE - CPU_INFO_SIZE(%rip), %rsp
	movl %ebp, %esi				/* the upper half is zero from here on */
	movl %edi, %edi
	movq %rsi, image_phys(%rip)
	call boot_main
	ud2

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl boot_l4
boot_l4:	.skip 4096
boot_l3_low:	.skip 4096
boot_l3_image:	.skip 4096
boot_l2_image:	.skip 4096
boot_l2_low:	.skip 4 * 4096
	.bss
	.balign 8
	.globl image_phys
image_phys:	.skip 8

	.section .note.GNU-stack, "", @progbits
