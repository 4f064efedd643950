/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks: system time (monotonic over CPUs), wall clock, TSC, and the copies that guests see. */
#ifndef HV_TIME_H
#define HV_TIME_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/time_scale.h>

struct vcpu;
struct domain;

/* Nanoseconds since boot, monotonic over all CPUs. Any context. */
ns_t time_now(void);
/* TSC frequency, and system time at a value of this CPU's TSC. */
u64 tsc_khz(void);
ns_t tsc_to_ns(u64 tsc);
/* Differences: TSC ticks that so many nanoseconds take. */
u64 ns_to_tsc(ns_t ns);
/* System time as a function of this CPU's TSC; *stable: all CPUs have the same, so that readings on different ones are ordered. */
void time_scale_get(struct time_scale *scale, bool *stable);
/* True when the TSC is fit to be read by guests: constant in all power states and synchronous. */
bool tsc_reliable(void);
/* Programs this CPU's timer interrupt for an absolute time (the past: at once); 0 turns it off. Raises SOFTIRQ_TIMER when it fires. */
void timer_hw_set(ns_t deadline);
/* Refreshes v->info->time (and the secondary copy) if stale: on each context load, and after calibration or a wall clock change. */
void time_update_vcpu(struct vcpu *v);
/* Forced form: new version even when nothing changed. */
void time_update_vcpu_force(struct vcpu *v);
/* Wall clock: sets (platform_op settime) and copies into shared info. seconds since 1970 at system time `at`. */
void wallclock_set(u64 sec, u32 nsec, ns_t at);
void wallclock_update(struct domain *d);
void wallclock_now(u64 *sec, u32 *nsec);

/* How a domain sees the TSC (XEN_DOMCTL_settscinfo, gettscinfo): decides d->vtsc. The domain is paused. 0 or -EINVAL. */
int tsc_mode_set(struct domain *d, u32 mode, u64 elapsed_ns, u32 khz, u32 incarnation) must_check;
void tsc_mode_get(const struct domain *d, u32 *mode, u64 *elapsed_ns, u32 *khz, u32 *incarnation);
/* Frequency of the TSC that d sees, and its value now: what RDTSC gives when d->vtsc (the emulator's job then). */
u32 tsc_guest_khz(const struct domain *d);
u64 tsc_guest_read(const struct domain *d);
/* d->vtsc decides whether RDTSC must fault in the guest (CR4.TSD); context_load does that. */

/* Boot, BSP, after lapic_init_cpu: finds and calibrates the clocks, reads the wall clock. Then each CPU, the BSP too. */
void time_init(void);
void time_init_cpu(void);
/* The arch part of these two (arch/x86/irq/tsc.c). */
void tsc_init(void);
void tsc_init_cpu(void);
/* CMOS clock (arch/x86/irq/rtc.c): seconds since 1970 UTC, or 0 if there is none or it makes no sense. Takes up to a second at worst. */
u64 rtc_read(void);

#endif
