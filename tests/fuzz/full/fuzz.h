/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz targets over the full machine (tests/host/full): dom0 and domain 1 with two vCPUs each, on four CPUs. An input is a list of steps; each
 * is one of the target's areas: a hypercall with arguments that are mostly sensible, something that a guest does to memory it
 * shares, or the passing of time. When the input is used up, pseudo-random bytes made from it follow, so that a run is always long
 * enough to be worth the set-up. Afterwards everything is checked, and sometimes all domains are ended and nothing may be left.
 */
#ifndef FUZZ_FULL_H
#define FUZZ_FULL_H

#include <hv/guest.h>
#include <hv/string.h>
#include "../../host/full/full.h"

#define FUZZ_PAGES 44u
/* Guest memory: pages 0 and 1 hold arguments, 2 is for answers; the rest is what the steps are about. */
#define FUZZ_ARGS 2u

struct fuzz {
	const u8 *p, *end;
	u64 random;
	struct vcpu *v;		/* actor of this step: it runs */
	u32 d;			/* its domain */
	gva_t next;		/* where the next argument goes */
	u64 calls;
};

typedef void fuzz_step(struct fuzz *f);

/* One step of an area. */
fuzz_step fuzz_grant, fuzz_event, fuzz_memory, fuzz_vcpu, fuzz_control, fuzz_mmu, fuzz_descriptor, fuzz_misc;

/* Runs an input: steps of these areas, in turn as the input says. To be called by LLVMFuzzerTestOneInput. */
int fuzz_run(const u8 *data, size_t size, fuzz_step *const areas[], u32 count);

/* --- for the areas --- */
u8 f8(struct fuzz *f);
u32 f32(struct fuzz *f);
u64 f64(struct fuzz *f);
static inline u32 below(struct fuzz *f, u32 n) { return f8(f) % n; }
static inline bool one_in(struct fuzz *f, u32 n) { return f8(f) % n == 0; }
/* Numbers: small, of a limit, or anything. */
u64 some_number(struct fuzz *f);
domid_t some_domid(struct fuzz *f);
/* Frames: mostly of domain d (0 or 1), often of its page tables, the other's, the hypervisor's, none at all. */
u64 some_frame(struct fuzz *f, u32 d);
gva_t some_address(struct fuzz *f);
/* A page-table entry for an address of domain d. */
u64 some_entry(struct fuzz *f, u32 d);
u32 some_port(struct fuzz *f);
u32 some_vcpu(struct fuzz *f);
/* Puts something into the actor's memory: its address (sometimes a bad one). */
gva_t argument(struct fuzz *f, const void *what, size_t size);
/* Room for an answer. */
gva_t answer(struct fuzz *f);
long call(struct fuzz *f, unsigned int nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);
/* Hypercall with a command and the address of a structure. */
long call_op(struct fuzz *f, unsigned int nr, u64 cmd, const void *what, size_t size);

#endif
