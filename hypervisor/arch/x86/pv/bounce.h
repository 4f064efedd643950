/* SPDX-License-Identifier: BSD-2-Clause */
/* Entering the guest kernel: exception frames on its stack. Private to arch/x86/pv. */
#ifndef PV_BOUNCE_H
#define PV_BOUNCE_H

#include <hv/types.h>
#include <hv/regs.h>

struct vcpu;

/* Flags that a guest may have in rflags of its own will; IF is always set while it runs, IOPL is virtual. */
#define GUEST_FLAGS (FLAG_CF | 1u << 2 | 1u << 4 | 1u << 6 | 1u << 7 | FLAG_TF | FLAG_DF | 1u << 11 | FLAG_NT | FLAG_RF | \
		     FLAG_AC | FLAG_ID)
#define FLAGS_FIXED 2u

/* What lies between r11 and rip in the frame. */
enum bounce_extra { BOUNCE_PLAIN, BOUNCE_ERROR, BOUNCE_SEGMENTS };

/*
 * Enters the guest kernel of v (which runs here) at `handler`, a canonical address: changes to kernel mode and the kernel's
 * stack if it was in user mode, pushes the frame and sets r up. mask: no events until the guest says so. The
 * domain is crashed when the frame cannot be written.
 */
void pv_bounce(struct vcpu *v, struct regs *r, u64 handler, bool mask, enum bounce_extra extra, u32 error);

/* Failsafe callback: selectors that could not be loaded are in v->pv->ds to gs. */
void pv_failsafe(struct vcpu *v, struct regs *r);

/* rflags as the guest sees them: IF tells whether events are unmasked, IOPL is the virtual one (when it asked for that). */
u64 pv_flags_to_guest(const struct vcpu *v, u64 flags, u8 upcall_mask);

#endif
