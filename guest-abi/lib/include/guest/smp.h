/* SPDX-License-Identifier: BSD-2-Clause */
/* Other vCPUs. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include <guest/start.h>
#include <guest/types.h>

/* Starts a vCPU, which runs fn(arg) with upcalls masked, and goes down when that returns. 0 or a negated error. */
int vcpu_start(unsigned int id, void (*fn)(void *arg), void *arg);
/* 1 or 0; negative: there is no such vCPU. */
int vcpu_is_up(unsigned int id);
/* How many vCPUs the domain may have. */
unsigned int vcpus_max(void);
struct vcpu_data *vcpu_data(unsigned int id);

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
