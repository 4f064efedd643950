/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated machine below libargondev: frames, domains, and the hypercalls that make and describe PV domains. Strict: frames are
 * handed out in a scrambled order and full of rubbish, page tables are checked when they are pinned, and whatever a real hypervisor
 * would refuse, it refuses too.
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include "argon/dev.h"

#define SIM_DOMAINS    64
#define SIM_RUBBISH    0xc2
#define SIM_FIRST_MFN  0x100000ull
#define SIM_FREE       0xffff

struct sim_domain {
	bool exists, dying, paused, hypercall_page;
	uint32_t max_vcpus, vcpus, ports;
	uint64_t max_pages, pages, claim;
	uint64_t shared_mfn, grant_mfn, hypercall_mfn;
	uint64_t root; /* pinned L4, 0: none */
	uint64_t tables; /* page tables that were found under it */
	uint64_t map_bytes; /* RAM in its memory map */
	uint8_t uuid[16];
	bool context_set;
	struct vcpu_guest_context context;
	uint32_t remote[16]; /* of each port */
};

struct sim {
	uint64_t frames;
	int memory; /* memfd, frame after frame */
	uint8_t *base; /* all of it */
	uint16_t *owner; /* domain of each frame, SIM_FREE */
	uint64_t *m2p;
	uint32_t *mapped; /* how often each frame is mapped */
	uint64_t used;
	struct sim_domain domain[SIM_DOMAINS];
	uint8_t parameter[3][8]; /* of the hypervisor: text, number, truth */
	bool no_large; /* no extents beyond single frames */
	bool no_resources; /* the kernel cannot map resources */
	uint64_t mappings, map_calls, hypercalls, buffers; /* mappings and buffers: outstanding */
	/* The n-th hypercall, map or buffer from now on fails; 0: none. */
	uint64_t fail_hypercall, fail_map, fail_buffer;
};

/* @param frames of the machine */
struct sim *sim_new(uint64_t frames);
void sim_free(struct sim *sim);
/* A handle on it, of which there can be several. */
struct dev *sim_dev(struct sim *sim);

/* A frame's contents; NULL when there is no such frame. */
uint8_t *sim_page(struct sim *sim, uint64_t mfn);
/* The frame that a domain sees at a virtual address under its pinned L4, or 0. @param entry may be NULL, receives the L1 entry */
uint64_t sim_walk(struct sim *sim, uint32_t domid, uint64_t address, uint64_t *entry);

#endif
