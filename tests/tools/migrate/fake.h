/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine behind struct dev_ops: memory of two PV domains, and just those hypercalls that saving and restoring make. */
#ifndef TEST_MIGRATE_FAKE_H
#define TEST_MIGRATE_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/domctl.h>
#include <xen/xen.h>

#include "argon/ctrl.h"

#define FAKE_FRAMES 4096u
#define FAKE_FIRST  0x100u /* first machine frame of domains */
#define FAKE_VCPUS  2u
#define FAKE_SOURCE 1u
#define FAKE_TARGET 2u
#define FAKE_PAGES  600u /* pfns of the source; some have no frame */

struct fake_vcpu {
	bool online;
	struct vcpu_guest_context context;
	struct xen_domctl_ext_vcpucontext extended;
	uint8_t xstate[832];
	uint32_t xstate_bytes;
};

struct fake_domain {
	uint64_t max_pages, owned;
	uint64_t shared_info;
	struct fake_vcpu vcpu[FAKE_VCPUS];
	struct ctrl_tsc tsc;
	bool logging;
	uint8_t dirty[FAKE_PAGES / 8 + 1];
	uint32_t policies_set;
};

struct fake {
	int fd; /* memory that can be mapped */
	uint8_t *memory; /* FAKE_FRAMES pages, from machine frame 0 */
	uint32_t owner[FAKE_FRAMES]; /* domid, 0: free */
	uint8_t type[FAKE_FRAMES]; /* TYPE_* with TYPE_PINNED */
	uint64_t *m2p; /* FAKE_FRAMES entries */
	struct fake_domain domain[3];
	struct dev *dev;
	struct ctrl *ctrl;
	/* Called at every look at the log: the domain goes on running. */
	void (*running)(struct fake *f);
	unsigned int reads; /* of the dirty bitmap that cleared it */
	int fail_map_after; /* maps that succeed before one fails; -1: all do */
	unsigned int mapped; /* mappings that were not given back */
	uint8_t *grant_table; /* the target's */
	/* Where things are in the source, by pfn. */
	uint64_t p2m_pfn[FAKE_PAGES / 512 + 1], root_pfn, user_root_pfn, start_info_pfn, store_pfn, console_pfn, gdt_pfn;
};

struct fake *fake_make(bool linear);
void fake_free(struct fake *f);
/* Frees the target's memory, for another restore. */
void fake_target_reset(struct fake *f);

void *fake_page(struct fake *f, uint64_t mfn);
/* NULL if the domain has no frame there, by its own P2M. */
uint64_t fake_source_frame(struct fake *f, uint64_t pfn);
/* Writes a word of a page as the running domain would. */
void fake_write(struct fake *f, uint64_t pfn, unsigned int word, uint64_t value);

#endif
