/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 32-bit program: makes getpid by INT 0x80, and by SYSENTER or SYSCALL as the kernel's vDSO does (AT_SYSINFO), far
 * returns to 64-bit code and back, and exits with 1 for each of the three that worked.
 */
#define NR_EXIT 1
#define NR_GETPID 20
#define AT_SYSINFO 32
#define CS64 0x33
#define CS32 0x23

	.code32
	.globl _start
_start:
	movl %esp, %ebp
	xorl %esi, %esi			/* successes */
	movl $NR_GETPID, %eax
	int $0x80
	movl %eax, %edi
	testl %eax, %eax
	jle 1f
	incl %esi
	/* The auxiliary vector lies behind arguments and environment. */
1:	movl (%ebp), %eax
	leal 8(%ebp, %eax, 4), %ebx
2:	movl (%ebx), %eax
	addl $4, %ebx
	testl %eax, %eax
	jnz 2b
3:	movl (%ebx), %eax
	testl %eax, %eax
	jz 5f
	cmpl $AT_SYSINFO, %eax
	je 4f
	addl $8, %ebx
	jmp 3b
4:	movl 4(%ebx), %edx
	movl $NR_GETPID, %eax
	call *%edx
	cmpl %eax, %edi
	jne 5f
	incl %esi
5:	ljmp $CS64, $6f
	.code64
6:	leaq 7f(%rip), %rax
	addl $1, %esi
	pushq $CS32
	pushq %rax
	lretq
	.code32
7:	movl %esi, %ebx
	movl $NR_EXIT, %eax
	int $0x80
	.section .note.GNU-stack, "", @progbits
