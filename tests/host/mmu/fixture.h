/* SPDX-License-Identifier: BSD-2-Clause */
/* Two domains on two CPUs, and short forms of the hypercalls. */
#ifndef MMU_FIXTURE_H
#define MMU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include "../sim/sim.h"
#include "../../../hypervisor/arch/x86/pv/mmu.h"
#include "tests.h"

#define RW 0x67UL
#define RO 0x25UL
#define PAGES 128u

/* d is unprivileged with two vCPUs: v on CPU 0, which executes, w on CPU 1. control is dom0, its vCPU c runs on CPU 2. */
extern struct domain *d, *control;
extern struct vcpu *v, *w, *c;

int start(void **state);
int stop(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

/* Frame of page pfn of d; entry that maps it. */
struct frame *frame_at(u32 pfn);
static inline u64 entry(const struct domain *of, u32 pfn, u64 flags)
{
	return sim_mfn(of, pfn).v << PAGE_SHIFT | flags;
}

/* The present contents of the entry of d's tables that maps page pfn, and its machine address. */
u64 *entry_of(const struct domain *of, u32 pfn);
u64 entry_address(const struct domain *of, u32 pfn);

/* One request each; foreign DOMID_SELF unless given. */
long update(struct vcpu *actor, u64 ptr, u64 val);
long update_foreign(struct vcpu *actor, u64 ptr, u64 val, u32 foreign);
long va_set(struct vcpu *actor, u32 pfn, u64 val, u64 flags);
long ext(struct vcpu *actor, u32 cmd, u64 arg1, u64 arg2);
long ext_foreign(struct vcpu *actor, u32 cmd, u64 arg1, u64 arg2, u32 foreign);

/* A page of d that is not mapped writable any more, filled as a table: entries are (index, value) pairs, ended by index -1. */
u32 table_page(const s64 *entries);
/* mfn of a page of d. */
u64 mfn_of(u32 pfn);
enum frame_state state_of(u32 pfn);

#endif
