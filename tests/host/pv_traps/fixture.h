/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain with a vCPU that runs, a trap table, callbacks and stacks. */
#ifndef PV_TRAPS_FIXTURE_H
#define PV_TRAPS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/guest.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/string.h>
#include <hv/x86.h>
#include "machine.h"

#define HANDLER(n) (0xffffffff81000000UL + (n) * 0x40UL)
#define EVENT_CALLBACK 0xffffffff81100000UL
#define FAILSAFE_CALLBACK 0xffffffff81100100UL
#define SYSCALL_CALLBACK 0xffffffff81100200UL
#define TYPICAL_FLAGS 0x246

extern struct domain *d;
extern struct vcpu *v;
extern struct regs *r;
extern gva_t kernel_stack, user_stack, code, scratch;

/* Set-up of a test, in an ordinary domain or in dom0, and its end. */
int start(void **state);
int start_dom0(void **state);
int stop(void **state);
/* A word of guest memory. */
u64 word(gva_t va);
/* The guest is about to execute at `code`; in kernel or in user mode. */
void guest_at(bool kernel);
void raise_vector(u32 vector, u32 error);
/* Puts an instruction at `code`. */
void execute(bool kernel, const char *bytes, u32 len);
/* It raises #GP: true when the guest gets that, false when it goes on behind the instruction. */
bool faulted(u32 len);

/* The tests of test_emulate.c. */
int emulate_tests(void);

#endif
