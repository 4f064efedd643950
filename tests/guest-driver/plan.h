/* SPDX-License-Identifier: BSD-2-Clause */
/* What to run: the archive that the machine was booted with. */
#ifndef TESTS_GUEST_PLAN_H
#define TESTS_GUEST_PLAN_H

#include <guest/types.h>

struct test_plan {
	char name[32];
	unsigned int domains, vcpus, pages, seconds;
	bool pin; /* all of them on one CPU */
	bool mortal; /* domains but the first may end without a verdict */
	char args[128]; /* more for the command line */
	const void *kernel;
	size_t kernel_size;
};

/* False: there is no archive, or no plan in it. */
bool plan_open(void);
/* The next test whose kernel is there; false: that was all. */
bool plan_next(struct test_plan *t);

#endif
