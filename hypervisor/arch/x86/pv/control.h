/* SPDX-License-Identifier: BSD-2-Clause */
/* CR0 and CR4 as a guest sees them. Private to arch/x86/pv. */
#ifndef PV_CONTROL_H
#define PV_CONTROL_H

#include <hv/types.h>

struct vcpu;

u64 pv_cr0_guest(const struct vcpu *v);
u64 pv_cr4_guest(const struct vcpu *v);
/* Bits of CR4 that the guest may change. */
u64 pv_cr4_allowed(const struct vcpu *v);
/* RDTSC faults in v, which runs here, as its domain's TSC mode and its CR4.TSD want. */
void pv_tsc_trap_load(const struct vcpu *v);
/* CR0.TS of v, which runs here. */
void pv_ts_set(struct vcpu *v, bool ts);

#endif
