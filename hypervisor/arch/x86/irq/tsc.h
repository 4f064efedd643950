/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to arch/x86/irq: measuring the TSC and the APIC timer. */
#ifndef ARCH_X86_IRQ_TSC_H
#define ARCH_X86_IRQ_TSC_H

#include <hv/types.h>
#include <hv/compiler.h>
#include "clocksource.h"

/*
 * Measures against a clock for about 40 ms: *tsc_hz, and the frequency of the APIC timer, which counts down. 0, or -EIO if the clock
 * does not run.
 */
int tsc_measure(const struct clock_source *clock, u64 *tsc_hz, u64 *apic_hz) must_check;

/* count in `ticks` ticks of a clock of hz: the frequency, rounded. */
u64 frequency(u64 count, u64 ticks, u64 hz);

#endif
