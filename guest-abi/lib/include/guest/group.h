/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several domains that make one test: each knows its role, the domains of the others, and a page that all of them see
 * (the "board", which belongs to the domain that made them).
 */
#ifndef GUEST_GROUP_H
#define GUEST_GROUP_H

#include <guest/types.h>
#include <xen/xen.h>

#define GROUP_MAX 4

/* The number behind NAME= on the command line, its n-th if there is a list; `otherwise` if there is none. */
u64 cmdline_number(const char *name, unsigned int n, u64 otherwise);

/* Maps the board. 0, or a negative number. Roles count from 0. */
int group_join(void);
unsigned int group_role(void);
unsigned int group_size(void);
domid_t group_domain(unsigned int role);

/* Words of the board, 0 at first. group_wait gives the CPU away until a word is no more 0, and returns it; 0: too late. */
void group_post(unsigned int word, u64 value);
u64 group_look(unsigned int word);
u64 group_wait(unsigned int word);
/* The last words are for what the domains ask of their maker: to end, pause or resume one of them. */
#define GROUP_REQUEST 511
enum group_request { GROUP_DESTROY = 1, GROUP_PAUSE, GROUP_UNPAUSE };
/* Returns when it is done (false: too late). */
bool group_ask(enum group_request what, unsigned int role);
/* Gives the CPU away until cond holds, up to so long. */
#define yield_until(cond, ns)                                                                      \
	__extension__({                                                                            \
		u64 __end = time_now() + (ns);                                                     \
		while (!(cond) && time_now() < __end)                                              \
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);                                  \
		(cond);                                                                            \
	})

#endif
