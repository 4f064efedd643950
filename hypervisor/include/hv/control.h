/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control lock (LOCK_CONTROL) serialises what changes the machine as a whole: domctl, sysctl, cpupools, CPUs going on and
 * off line. Its holder may wait for other CPUs, so it is never waited for: a hypercall that does not get it returns -ERESTART.
 */
#ifndef HV_CONTROL_H
#define HV_CONTROL_H

#include <hv/compiler.h>
#include <hv/types.h>

/* Returns whether the lock was taken. Called with no lock held. */
bool control_lock(void) must_check;
void control_unlock(void);

#endif
