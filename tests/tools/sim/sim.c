/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim.h"
#include "sim_private.h"

#define ENTRY_FRAME 0x000ffffffffff000ull
#define PRESENT	    1u
#define WRITABLE    2u

uint8_t *sim_page(struct sim *sim, uint64_t mfn)
{
	if (mfn < SIM_FIRST_MFN || mfn - SIM_FIRST_MFN >= sim->frames)
		return NULL;
	return sim->base + (mfn - SIM_FIRST_MFN) * DEV_PAGE_SIZE;
}

struct sim_domain *sim_domain(struct sim *sim, uint32_t domid)
{
	return domid < SIM_DOMAINS && sim->domain[domid].exists ? &sim->domain[domid] : NULL;
}

bool sim_owned(struct sim *sim, uint64_t mfn, uint32_t domid)
{
	return sim_page(sim, mfn) && sim->owner[mfn - SIM_FIRST_MFN] == domid;
}

/* 2^order free frames in a row. Single frames come from the top, larger pieces from the bottom. */
uint64_t sim_take(struct sim *sim, uint32_t domid, unsigned int order)
{
	uint64_t n = 1ull << order, at, free_frames = 0;

	if (order == 0) {
		for (at = sim->frames; at-- > 0;)
			if (sim->owner[at] == SIM_FREE)
				break;
	} else {
		for (at = 0; at + n <= sim->frames; at += n) {
			for (free_frames = 0; free_frames < n && sim->owner[at + free_frames] == SIM_FREE; free_frames++)
				;
			if (free_frames == n)
				break;
		}
		if (at + n > sim->frames)
			return 0;
	}
	if (at >= sim->frames)
		return 0;
	for (uint64_t i = 0; i < n; i++) {
		sim->owner[at + i] = (uint16_t)domid;
		sim->m2p[at + i] = UINT64_MAX;
	}
	sim->used += n;
	memset(sim->base + at * DEV_PAGE_SIZE, SIM_RUBBISH, n * DEV_PAGE_SIZE);
	return SIM_FIRST_MFN + at;
}

void sim_give_back(struct sim *sim, uint64_t mfn)
{
	if (sim->owner[mfn - SIM_FIRST_MFN] != SIM_FREE)
		sim->used--;
	sim->owner[mfn - SIM_FIRST_MFN] = SIM_FREE;
}

uint64_t sim_walk(struct sim *sim, uint32_t domid, uint64_t address, uint64_t *entry)
{
	uint64_t at = sim->domain[domid].root, e = 0;

	for (unsigned int shift = 39; at && shift >= 12; shift -= 9) {
		e = ((uint64_t *)sim_page(sim, at))[address >> shift & 511];
		at = e & PRESENT ? (e & ENTRY_FRAME) >> 12 : 0;
	}
	if (entry)
		*entry = e;
	return at;
}

/* ---- Page tables as a hypervisor validates them ---- */
struct validation {
	struct sim *sim;
	uint32_t domid;
	uint8_t *level; /* of each frame: 1 to 4 as a table, 0x80: mapped writable */
};

static bool table_validate(struct validation *v, uint64_t mfn, unsigned int level)
{
	uint64_t index = mfn - SIM_FIRST_MFN, *table = (uint64_t *)sim_page(v->sim, mfn);

	if (!sim_owned(v->sim, mfn, v->domid) || v->sim->mapped[index])
		return false;
	if (v->level[index])
		return v->level[index] == level;
	v->level[index] = (uint8_t)level;
	v->sim->domain[v->domid].tables++;
	for (unsigned int i = 0; i < 512; i++) {
		uint64_t to = (table[i] & ENTRY_FRAME) >> 12;

		if (!(table[i] & PRESENT))
			continue;
		if (level == 4 && i >= 256 && i < 272)
			return false; /* the hypervisor's own */
		if (level > 1 ? !table_validate(v, to, level - 1) : !sim_owned(v->sim, to, v->domid))
			return false;
	}
	return true;
}

/* No table may be mapped writable by the domain. */
static bool mappings_validate(struct validation *v, uint64_t mfn, unsigned int level)
{
	const uint64_t *table = (uint64_t *)sim_page(v->sim, mfn);

	for (unsigned int i = 0; i < 512; i++) {
		uint64_t to = (table[i] & ENTRY_FRAME) >> 12;

		if (!(table[i] & PRESENT))
			continue;
		if (level > 1 && !mappings_validate(v, to, level - 1))
			return false;
		if (level == 1 && (table[i] & WRITABLE) && v->level[to - SIM_FIRST_MFN])
			return false;
	}
	return true;
}

int sim_pin(struct sim *sim, uint32_t domid, uint64_t mfn)
{
	struct validation v = { .sim = sim, .domid = domid, .level = calloc(sim->frames, 1) };
	bool ok = v.level && table_validate(&v, mfn, 4) && mappings_validate(&v, mfn, 4);

	free(v.level);
	if (ok)
		sim->domain[domid].root = mfn;
	return ok ? 0 : -EINVAL;
}

/* ---- Operations of the handle ---- */
static bool fails(uint64_t *counter)
{
	return *counter && --*counter == 0;
}

static int64_t op_hypercall(void *context, uint32_t number, const uint64_t a[5])
{
	struct sim *sim = context;

	sim->hypercalls++;
	return fails(&sim->fail_hypercall) ? -ENOMEM : sim_hypercall(sim, number, a);
}

static void *op_map(void *context, uint32_t domid, int prot, size_t pages, const uint64_t *frames, int *errors)
{
	struct sim *sim = context;
	char *address;

	sim->map_calls++;
	if (fails(&sim->fail_map)) {
		errno = ENOMEM;
		return NULL;
	}
	address = mmap(NULL, pages * DEV_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (address == MAP_FAILED)
		abort();
	for (size_t i = 0; i < pages;) {
		size_t run = 1;

		errors[i] = sim_owned(sim, frames[i], domid) ? 0 : -EINVAL;
		while (!errors[i] && i + run < pages && frames[i + run] == frames[i] + run && sim_owned(sim, frames[i] + run, domid))
			errors[i + run++] = 0;
		if (!errors[i] && mmap(address + i * DEV_PAGE_SIZE, run * DEV_PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED, sim->memory,
				       (off_t)((frames[i] - SIM_FIRST_MFN) * DEV_PAGE_SIZE)) == MAP_FAILED)
			abort();
		for (size_t k = 0; !errors[i] && k < run; k++)
			sim->mapped[frames[i] + k - SIM_FIRST_MFN]++;
		i += run;
	}
	sim_mapping_add(sim, address, pages, frames, errors);
	return address;
}

static void *op_map_resource(void *context, uint32_t domid, uint32_t type, uint32_t id, uint64_t first, size_t pages, int prot)
{
	struct sim *sim = context;
	struct sim_domain *d = sim_domain(sim, domid);
	int error;

	if (sim->no_resources || !d || type != 1 || id || first || pages != 1) {
		errno = d ? EOPNOTSUPP : ESRCH;
		return NULL;
	}
	return op_map(context, domid, prot, 1, &d->grant_mfn, &error);
}

static void op_unmap(void *context, void *address, size_t pages)
{
	sim_mapping_remove(context, address, pages);
	munmap(address, pages * DEV_PAGE_SIZE);
}

static int op_dm_op(void *context, uint32_t domid, unsigned int count, const struct dev_dm_buffer *buffers)
{
	(void)domid;
	(void)buffers;
	return sim_domain(context, domid) && count ? 0 : -ESRCH;
}

static int op_restrict(void *context, uint32_t domid)
{
	return sim_domain(context, domid) ? 0 : -ESRCH;
}

static void *op_buffer_get(void *context, size_t pages)
{
	struct sim *sim = context;
	void *buffer;

	if (fails(&sim->fail_buffer)) {
		errno = ENOMEM;
		return NULL;
	}
	if (posix_memalign(&buffer, DEV_PAGE_SIZE, pages * DEV_PAGE_SIZE))
		abort();
	sim->buffers++;
	return memset(buffer, 0, pages * DEV_PAGE_SIZE);
}

static void op_buffer_put(void *context, void *buffer, size_t pages)
{
	struct sim *sim = context;

	(void)pages;
	sim->buffers--;
	free(buffer);
}

static void op_close(void *context)
{
	(void)context;
}

struct dev *sim_dev(struct sim *sim)
{
	static const struct dev_ops ops = {
		.hypercall = op_hypercall, .map = op_map, .map_resource = op_map_resource, .unmap = op_unmap, .dm_op = op_dm_op,
		.restrict_to = op_restrict, .buffer_get = op_buffer_get, .buffer_put = op_buffer_put, .close = op_close,
	};
	struct dev *dev;

	return dev_open_ops(&ops, sim, &dev) ? NULL : dev;
}

struct sim *sim_new(uint64_t frames)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	sim->frames = frames;
	sim->memory = memfd_create("frames", MFD_CLOEXEC);
	if (sim->memory < 0 || ftruncate(sim->memory, (off_t)(frames * DEV_PAGE_SIZE)))
		abort();
	sim->base = mmap(NULL, frames * DEV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, sim->memory, 0);
	sim->owner = malloc(frames * sizeof(*sim->owner));
	sim->m2p = malloc(frames * sizeof(*sim->m2p));
	sim->mapped = calloc(frames, sizeof(*sim->mapped));
	if (sim->base == MAP_FAILED)
		abort();
	memset(sim->owner, 0xff, frames * sizeof(*sim->owner));
	sim->domain[0].exists = true;
	return sim;
}

void sim_free(struct sim *sim)
{
	sim_mappings_free(sim);
	munmap(sim->base, sim->frames * DEV_PAGE_SIZE);
	close(sim->memory);
	free(sim->owner);
	free(sim->m2p);
	free(sim->mapped);
	free(sim);
}
