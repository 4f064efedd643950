/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to arch/x86/irq: clocks of known frequency, to measure others with. */
#ifndef ARCH_X86_IRQ_CLOCKSOURCE_H
#define ARCH_X86_IRQ_CLOCKSOURCE_H

#include <hv/types.h>

struct clock_source {
	const char *name;
	u64 hz;
	u64 mask;		/* it counts up and wraps after this value */
	u64 (*read)(void);
};

/* The n-th best clock of this machine (0: the best), or NULL. Prepares it for reading. Boot. */
const struct clock_source *clock_source_find(unsigned int n);

#endif
