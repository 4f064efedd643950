/* SPDX-License-Identifier: BSD-2-Clause */
/* What a 64-bit program may do, and must not. Prints a line for each thing that is wrong, and the number of them. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int failed;

#define CHECK(what) \
	do { \
		if (!(what)) { \
			printf("line %d: %s\n", __LINE__, #what); \
			failed++; \
		} \
	} while (0)

/* ---- exceptions ---- */

static sigjmp_buf back;
static volatile int sig_code;
static void *volatile sig_addr;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sig_code = info->si_code;
	sig_addr = info->si_addr;
	siglongjmp(back, sig);
}

/* The signal that fn(arg) raises, 0 when none. */
static int caught(void (*fn)(void *), void *arg)
{
	int sig = sigsetjmp(back, 1);

	if (sig == 0)
		fn(arg);
	return sig;
}

static void do_read(void *p) { *(volatile char *)p; }
static void do_write(void *p) { *(volatile char *)p = 1; }
static void do_jump(void *p) { ((void (*)(void))p)(); }
static void do_divide(void *p) { __asm__ volatile("div %0" : : "r"((int)(intptr_t)p), "a"(1), "d"(0)); }
static void do_ud(void *p) { (void)p; __asm__ volatile("ud2"); }
static void do_hlt(void *p) { (void)p; __asm__ volatile("hlt"); }
static void do_cli(void *p) { (void)p; __asm__ volatile("cli"); }
static void do_rdmsr(void *p) { __asm__ volatile("rdmsr" : : "c"((int)(intptr_t)p) : "eax", "edx"); }
static void do_cr3(void *p) { (void)p; __asm__ volatile("mov %%cr3, %%rax" : : : "rax"); }
static void do_out(void *p) { __asm__ volatile("outb %%al, %%dx" : : "d"((int)(intptr_t)p), "a"(0)); }
static void do_int3(void *p) { (void)p; __asm__ volatile("int3"); }
static void do_int82(void *p) { (void)p; __asm__ volatile("int $0x82"); }
static void do_fs(void *p) { __asm__ volatile("mov %0, %%es" : : "r"((int)(intptr_t)p)); }
static void do_step(void *p)
{
	(void)p;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc");
}

static void test_exceptions(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(caught(do_read, (void *)8) == SIGSEGV && sig_addr == (void *)8);
	CHECK(caught(do_write, (void *)0xffffffff81000000) == SIGSEGV && sig_addr == (void *)0xffffffff81000000);
	CHECK(caught(do_read, (void *)0xffff808000000000) == SIGSEGV);
	CHECK(caught(do_read, (void *)0xffff804000000000) == SIGSEGV);
	CHECK(caught(do_write, (void *)0xffff800000000000) == SIGSEGV);
	CHECK(caught(do_read, (void *)0x800000000000) == SIGSEGV);
	CHECK(caught(do_jump, (void *)0xffff807fc0000000) == SIGSEGV);
	CHECK(caught(do_jump, (void *)(1UL << 60)) == SIGSEGV);
	CHECK(caught(do_divide, NULL) == SIGFPE && sig_code == FPE_INTDIV);
	CHECK(caught(do_ud, NULL) == SIGILL);
	CHECK(caught(do_hlt, NULL) == SIGSEGV);
	CHECK(caught(do_cli, NULL) == SIGSEGV);
	CHECK(caught(do_rdmsr, (void *)0x10) == SIGSEGV);
	CHECK(caught(do_cr3, NULL) == SIGSEGV);
	CHECK(caught(do_out, (void *)0x80) == SIGSEGV);
	CHECK(caught(do_int3, NULL) == SIGTRAP);
	CHECK(caught(do_int82, NULL) == SIGSEGV);
	CHECK(caught(do_step, NULL) == SIGTRAP);
	CHECK(caught(do_fs, (void *)0xfff3) == SIGSEGV);
	CHECK(caught(do_fs, (void *)0xe008) == SIGSEGV);
	CHECK(caught(do_fs, (void *)7) == SIGSEGV);
	CHECK(caught(do_write, page) == 0);
	mprotect(page, 4096, PROT_READ);
	CHECK(caught(do_write, page) == SIGSEGV && sig_code == SEGV_ACCERR);
	CHECK(caught(do_jump, page + 4096) == SIGSEGV && sig_code == SEGV_ACCERR);
	munmap(page, 8192);
	CHECK(caught(do_read, page) == SIGSEGV && sig_code == SEGV_MAPERR);
}

/* ---- returning to what does not exist ---- */

static int bad_reg;
static long bad_value;

static void on_usr1(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	if (bad_reg == REG_CSGSFS)
		g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffL) | bad_value;
	else
		g[bad_reg] = bad_value;
}

static void do_bad_return(void *p)
{
	(void)p;
	raise(SIGUSR1);
}

static int returned(int reg, long value)
{
	bad_reg = reg;
	bad_value = value;
	return caught(do_bad_return, NULL);
}

static void test_bad_returns(void)
{
	struct sigaction sa = { .sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaction(SIGUSR1, &sa, NULL);
	CHECK(returned(REG_CSGSFS, 0x1233) == SIGSEGV);
	CHECK(returned(REG_CSGSFS, 0x3) == SIGSEGV);
	CHECK(returned(REG_CSGSFS, 0xe00b) == SIGSEGV);
	CHECK(returned(REG_CSGSFS, 0x2b) == SIGSEGV);
	CHECK(returned(REG_RIP, 1L << 55) == SIGSEGV);
	CHECK(returned(REG_RIP, 0x800000000000) == SIGSEGV);
	CHECK(returned(REG_RIP, 0) == SIGSEGV);
	CHECK(returned(REG_RSP, 1L << 62) != 0);
}

/* ---- descriptor tables and bases ---- */

static int ldt_set(unsigned int n, void *base, int present)
{
	struct user_desc d = { .entry_number = n, .base_addr = (uint32_t)(uintptr_t)base, .limit = 0xfff, .seg_32bit = 1,
			       .contents = 0, .useable = 1, .seg_not_present = !present };

	return (int)syscall(SYS_modify_ldt, 1, &d, sizeof(d));
}

static unsigned int read_fs_at(unsigned int selector)
{
	unsigned int val;

	__asm__ volatile("mov %%fs, %%r8d; mov %1, %%fs; mov %%fs:0, %0; mov %%r8d, %%fs" : "=&r"(val) : "r"(selector) : "r8");
	return val;
}

static void test_segments(void)
{
	unsigned int *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	unsigned long fs, gs = 0;

	syscall(SYS_arch_prctl, ARCH_GET_FS, &fs);
	low[0] = 0x1234;
	for (unsigned int n = 0; n < 1200; n += 400) {
		CHECK(ldt_set(n, low, 1) == 0);
		CHECK(read_fs_at(n * 8 + 7) == 0x1234);
		syscall(SYS_arch_prctl, ARCH_SET_FS, fs);
	}
	/* Over a switch to other processes. */
	__asm__ volatile("mov %0, %%es" : : "r"(400 * 8 + 7));
	usleep(20000);
	{
		unsigned int es;

		__asm__ volatile("mov %%es, %0" : "=r"(es));
		CHECK(es == 400 * 8 + 7);
		__asm__ volatile("mov %0, %%es" : : "r"(0));
	}
	CHECK(ldt_set(0, low, 0) == 0);
	CHECK(caught(do_fs, (void *)7) == SIGBUS || sig_code);
	CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123456789000) == 0);
	usleep(1000);
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs) == 0 && gs == 0x123456789000);
	if (getauxval(AT_HWCAP2) & 2) {
		__asm__ volatile("wrgsbase %0" : : "r"(0x7654321000UL));
		usleep(1000);
		__asm__ volatile("rdgsbase %0" : "=r"(gs));
		CHECK(gs == 0x7654321000);
	}
	CHECK(fork() != 0 || (_exit(read_fs_at(400 * 8 + 7) != 0x1234), 1));
	{
		int status = -1;

		wait(&status);
		CHECK(status == 0);
	}
}

/* ---- extended state ---- */

static int avx;

static void *crunch(void *arg)
{
	uint64_t seed = (uintptr_t)arg, got[4], want[4] = { seed, ~seed, seed * 3, seed * 5 };
	long bad = 0;

	for (int i = 0; i < 300; i++) {
		if (avx)
			__asm__ volatile("vmovdqu %0, %%ymm7" : : "m"(want) : "xmm7");
		else
			__asm__ volatile("movdqu %0, %%xmm7" : : "m"(want) : "xmm7");
		for (volatile int k = 0; k < 20000; k++)
			;
		if (i % 16 == 0)
			syscall(SYS_sched_yield);
		memcpy(got, want, sizeof(got));
		if (avx)
			__asm__ volatile("vmovdqu %%ymm7, %0" : "=m"(got));
		else
			__asm__ volatile("movdqu %%xmm7, %0" : "=m"(got));
		bad += memcmp(got, want, sizeof(got)) != 0;
	}
	return (void *)bad;
}

static void test_state(void)
{
	pthread_t t[4];
	void *bad;

	avx = __builtin_cpu_supports("avx2");
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, crunch, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		CHECK(bad == NULL);
	}
}

/* ---- debug registers, single steps, of a child ---- */

static volatile int watched;

static long debugreg(pid_t child, int n, unsigned long val)
{
	return ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[n]), val);
}

static void test_ptrace(void)
{
	struct user_regs_struct regs;
	int status, steps = 0;
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		watched = 1;
		_exit(5);
	}
	waitpid(child, &status, 0);
	CHECK(debugreg(child, 0, (unsigned long)&watched) == 0);
	CHECK(debugreg(child, 7, 0xd0001) == 0);
	CHECK(debugreg(child, 1, 0xffff808000000000) != 0);
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	CHECK(ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, u_debugreg[6]), 0) & 1);
	CHECK(debugreg(child, 7, 0) == 0);
	for (; steps < 50; steps++) {
		ptrace(PTRACE_SINGLESTEP, child, 0, 0);
		waitpid(child, &status, 0);
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			break;
		ptrace(PTRACE_GETREGS, child, 0, &regs);
	}
	CHECK(steps > 3);
	while (WIFSTOPPED(status)) {
		ptrace(PTRACE_CONT, child, 0, 0);
		waitpid(child, &status, 0);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

/* ---- ports, clocks, identification ---- */

static void test_machine(void)
{
	struct timespec a, b;
	uint64_t t0, t1;
	unsigned int eax = 0, ebx, ecx, edx;

	CHECK(ioperm(0x80, 1, 1) == 0);
	CHECK(caught(do_out, (void *)0x80) == 0);
	CHECK(caught(do_out, (void *)0x81) == SIGSEGV);
	ioperm(0x80, 1, 0);
	CHECK(caught(do_out, (void *)0x80) == SIGSEGV);
	CHECK(iopl(3) == 0);
	CHECK(caught(do_out, (void *)0x80) == 0);
	CHECK(iopl(0) == 0);
	t0 = __builtin_ia32_rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 100000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec)) {
			CHECK(!"time goes backwards");
			break;
		}
		a = b;
	}
	t1 = __builtin_ia32_rdtsc();
	CHECK(t1 > t0);
	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	CHECK(eax >= 1);
	/* The vsyscall page, which this kernel does not emulate. */
	CHECK(caught(do_jump, (void *)0xffffffffff600400) == SIGSEGV);
}

static void *shuffle(void *arg)
{
	for (int i = 0; i < 400; i++) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(p, i, 65536);
		mprotect(p, 32768, PROT_READ);
		if (p[100] != (char)i || p[40000] != (char)i)
			return arg;
		munmap(p, 65536);
	}
	return NULL;
}

static void test_memory(void)
{
	pthread_t t[3];
	void *bad;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, shuffle, (void *)1);
	for (int i = 0; i < 60; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &bad);
		CHECK(bad == NULL);
	}
}

int main(void)
{
	static char stack[65536];
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	setvbuf(stdout, NULL, _IONBF, 0);
	sigaltstack(&ss, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	test_exceptions();
	test_bad_returns();
	test_segments();
	test_state();
	test_ptrace();
	test_machine();
	test_memory();
	printf("USER64: %d failed\n", failed);
	return failed != 0;
}
