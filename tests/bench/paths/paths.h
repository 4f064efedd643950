/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path into the hypervisor and back, to be timed. Each is run twice: for real, and dry, with the instruction that enters the
 * hypervisor jumped over; the difference is what the hypervisor costs, whatever the kernel's own loop does.
 */
#ifndef PATHS_H
#define PATHS_H

#include <guest/guest.h>

struct path {
	const char *name;
	bool table;		/* one of the paths of the table in the design */
	unsigned int per;	/* what run() does n times counts for so many operations (0: one) */
	unsigned int handler;	/* instructions of the kernel's own that a dry run leaves out of each of the n rounds */
	bool (*setup)(void);	/* false: cannot be measured here */
	/* Makes n rounds. Returns the results of all hypercalls, or-ed: 0 is success. */
	u64 (*run)(unsigned int n);
	void (*finish)(void);
};

/* The paths, ended by one without a name. */
extern const struct path paths_call[], paths_mmu[], paths_trap[], paths_event[], paths_memory[];

/* True while the instruction that enters the hypervisor is left out. */
extern u8 dry;

/* Only the SYSCALL itself is left out in a dry run. */
static inline __attribute__((always_inline)) u64 enter(u64 number, u64 a1, u64 a2, u64 a3, u64 a4)
{
	register u64 r10 __asm__("r10") = a4;

	__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\tsyscall\n1:"
			 : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10)
			 :
			 : "memory", "rcx", "r11", "r8", "cc");
	return number;
}

#define ENTER(name, a, b, c, d) enter(__HYPERVISOR_##name, (u64)(a), (u64)(b), (u64)(c), (u64)(d))
/* For errors in what run() collects, where results other than 0 are good. */
#define IS_ERROR(ret) ((s64)(ret) < 0)

/* The page that run() maps this and that at, and two frames to map there. */
extern u64 *window;
extern u64 window_pte[2];

#endif
