/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel was started with, and how it ends. */
#ifndef GUEST_START_H
#define GUEST_START_H

#include <guest/types.h>
#include <xen/sched.h>
#include <xen/xen.h>

#define VCPUS_MAX XEN_LEGACY_MAX_VCPUS

extern struct start_info *start_info;
extern volatile struct shared_info *shared_info;

/* The library calls this, with events and traps set up and upcalls still masked. */
void guest_main(void);

/* Each vCPU's own part; %gs leads to it while the kernel runs. */
struct vcpu_data {
	struct vcpu_data *self;
	unsigned int id;
	volatile struct vcpu_info *info;
	struct context *catcher; /* of trap_catch, or null */
	struct trap_record *record;
	struct context *user_caller; /* of user_run, or null */
	struct trap_frame *user_frame;
	void (*start)(void *arg);
	void *arg;
	u8 *trap_stack; /* top of the stack for traps from user mode */
};

static inline struct vcpu_data *vcpu_this(void)
{
	struct vcpu_data *v;

	__asm__("mov %%gs:0, %0" : "=r"(v));
	return v;
}

/* Ends the domain; SHUTDOWN_*. */
_Noreturn void guest_shutdown(unsigned int reason);
/* Prints and ends the domain as crashed. */
_Noreturn void guest_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
