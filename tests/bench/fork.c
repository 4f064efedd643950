/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Init of a Linux kernel: marks the end of the boot, then prints what 200 times fork, exec and wait cost, and some more; with the
 * argument "child" it is the program that is executed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS 200
#define CALLS 2000
#define PAGES 512

static uint64_t ticks(void)
{
	return __builtin_ia32_rdtsc();
}

/* Marks for tests/bench/count.c. */
static void mark_begin(void)
{
	__asm__ volatile("nopl 0x4b4e4542(%%rax)" : : : "memory");
}

static void mark_end(void)
{
	__asm__ volatile("nopl 0x454e4542(%%rax)" : : : "memory");
}

static void forks(void)
{
	char *argv[] = { "/init", "child", NULL }, *env[] = { NULL };

	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execve("/init", argv, env);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
}

static void calls(void)
{
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
}

static void pages(void)
{
	char *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < PAGES; i++)
		p[i * 4096] = 1;
	munmap(p, PAGES * 4096);
}

/* From one process to another and back through two pipes. */
static void switches(void)
{
	int there[2], back[2];
	char c = 0;

	if (pipe(there) || pipe(back))
		return;
	if (fork() == 0) {
		for (int i = 0; i < FORKS; i++)
			if (read(there[0], &c, 1) != 1 || write(back[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < FORKS; i++)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			break;
	waitpid(-1, NULL, 0);
}

static void report(const char *name, void (*fn)(void))
{
	uint64_t start;

	/* Once for nothing: what is done at the first time only. */
	fn();
	mark_begin();
	start = ticks();
	fn();
	start = ticks() - start;
	mark_end();
	printf("\ndom0 %s %llu\n", name, (unsigned long long)start);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	/* The kernel hands over options that it does not know. */
	if (argc > 1 && !strcmp(argv[1], "child"))
		return 0;
	/* The end of the boot. */
	mark_end();
	report("fork_exec_wait", forks);
	report("system_calls", calls);
	report("page_faults", pages);
	report("pipe_switches", switches);
	printf("\ndom0 end\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
