/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First process of the migrated guest: writes memory with a pattern that it checks all the while, maps and unmaps, forks, and says
 * how far it is. A page that a migration lost, or that is older than the rest, is seen at once.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGES 4096u
#define WORDS 512u
#define STEPS 3000u		/* pages written between two lines */

static uint64_t (*memory)[WORDS];
static uint32_t version[PAGES];
static uint64_t seed = 88172645463325252u;

static uint32_t random_next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

static uint64_t word(uint32_t page, uint32_t i)
{
	return (uint64_t)page << 48 | (uint64_t)i << 32 | version[page];
}

static void page_write(uint32_t page)
{
	version[page]++;
	for (uint32_t i = 0; i < WORDS; i += 64)
		memory[page][i] = word(page, i);
}

static void page_check(uint32_t page)
{
	for (uint32_t i = 0; i < WORDS; i += 64)
		if (memory[page][i] != word(page, i)) {
			printf("GUEST-BAD page %u word %u: %#lx, not %#lx\n", page, i, (unsigned long)memory[page][i],
			       (unsigned long)word(page, i));
			exit(1);
		}
}

/* A child with page tables of its own sees what the parent sees, and leaves it alone. */
static void child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (uint32_t n = 0; n < 64; n++) {
			uint32_t page = random_next() % PAGES;

			page_check(page);
			page_write(page);
			page_check(page);
		}
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		printf("GUEST-BAD child: %d\n", (int)pid);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(void)
{
	int64_t before = 0;
	int out;

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	out = open("/dev/hvc0", O_RDWR);
	if (out >= 0) {
		dup2(out, 0);
		dup2(out, 1);
		dup2(out, 2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	memory = mmap(NULL, PAGES * sizeof(*memory), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	for (uint32_t page = 0; page < PAGES; page++)
		page_write(page);
	printf("GUEST-UP %ld CPUs\n", sysconf(_SC_NPROCESSORS_ONLN));
	for (unsigned int round = 1;; round++) {
		int64_t time;

		for (uint32_t n = 0; n < STEPS; n++) {
			uint32_t page = random_next() % PAGES;

			page_check(page);
			page_write(page);
		}
		for (uint32_t page = 0; page < PAGES; page++)
			page_check(page);
		child();
		time = now();
		if (time < before)
			printf("GUEST-BAD time went back\n");
		before = time;
		printf("GUEST-ROUND %u\n", round);
		usleep(200000);
	}
}
