/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "sim_private.h"

struct mapping {
	struct mapping *next;
	struct sim *sim;
	void *address;
	size_t pages;
	uint64_t *frames; /* 0: could not be mapped */
};

static struct mapping *mappings;

/* Not malloc, which tests make fail. */
static void *allocate(size_t bytes)
{
	void *p;

	if (posix_memalign(&p, 64, bytes))
		abort();
	return memset(p, 0, bytes);
}

void sim_mapping_add(struct sim *sim, void *address, size_t pages, const uint64_t *frames, const int *errors)
{
	struct mapping *m = allocate(sizeof(*m));

	*m = (struct mapping){ .next = mappings, .sim = sim, .address = address, .pages = pages,
			       .frames = allocate(pages * sizeof(*frames)) };
	for (size_t i = 0; i < pages; i++)
		m->frames[i] = errors[i] ? 0 : frames[i];
	mappings = m;
	sim->mappings++;
}

static void release(struct mapping **p)
{
	struct mapping *m = *p;

	for (size_t i = 0; i < m->pages; i++)
		if (m->frames[i])
			m->sim->mapped[m->frames[i] - SIM_FIRST_MFN]--;
	m->sim->mappings--;
	*p = m->next;
	free(m->frames);
	free(m);
}

void sim_mapping_remove(struct sim *sim, void *address, size_t pages)
{
	struct mapping **p = &mappings;

	while (*p && ((*p)->sim != sim || (*p)->address != address))
		p = &(*p)->next;
	if (!*p || (*p)->pages != pages)
		abort(); /* unmapped what was never mapped */
	release(p);
}

void sim_mappings_free(struct sim *sim)
{
	for (struct mapping **p = &mappings; *p;) {
		if ((*p)->sim == sim)
			release(p);
		else
			p = &(*p)->next;
	}
}
