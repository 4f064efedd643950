/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to arch/x86/irq: what else the local APIC does. All for the executing CPU. */
#ifndef ARCH_X86_IRQ_LAPIC_H
#define ARCH_X86_IRQ_LAPIC_H

#include <hv/types.h>

/* True if the timer takes a TSC value as its deadline. Constant after lapic_init_bsp. */
extern bool lapic_timer_deadline_mode;
static inline bool lapic_timer_is_deadline(void)
{
	return lapic_timer_deadline_mode;
}
/* Count-down form: from `ticks` to 0, once; 0 stops it. */
void lapic_timer_start(u32 ticks);
u32 lapic_timer_count(void);
/* Deadline form: 0 disarms. */
void lapic_timer_deadline(u64 tsc);
/* The timer's interrupt is on, or held back (while it is calibrated). */
void lapic_timer_enable(bool on);
/* Is an interrupt of this vector waiting / being served? */
bool lapic_requested(unsigned int vector);
bool lapic_in_service(unsigned int vector);
/* Reads and clears the error status. */
u32 lapic_error(void);

#endif
