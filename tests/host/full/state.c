/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The variables of the hypervisor (section hv_state, see state.ld), small objects, and copies of the whole machine. What this file
 * has itself is not part of that state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "full_private.h"

extern u8 __start_hv_state[], __stop_hv_state[];

#define POOL_SIZE (256UL << 20)
#define MAGIC 0x6f626a656374UL

/* In front of each small object. */
struct object {
	u64 magic, size;
	const void *caller;
	u64 pad[5];
	u8 data[];
} aligned_to(64);

static u8 *pool, *power_on;
u64 full_pool_used, full_objects, full_domain_structs, full_objects_kept;
static size_t domain_size;

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
void __asan_poison_memory_region(const volatile void *p, size_t size);
void __asan_unpoison_memory_region(const volatile void *p, size_t size);
#define poison __asan_poison_memory_region
#define unpoison __asan_unpoison_memory_region
#define SHADOW(p) ((u8 *)((u64)(p) / 8 + 0x7fff8000))
#else
static void poison(const volatile void *p, size_t size)
{
	(void)p;
	(void)size;
}
#define unpoison poison
#endif

/* Copies what has parts that the sanitizer forbids. */
static void raw_copy(void *to, const void *from, size_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		sim_fail("out of memory");
	return p;
}

/* --- small objects: never used twice, so that a stale pointer is always noticed --- */

void *full_object_alloc(size_t size, const void *caller)
{
	size_t whole = ROUND_UP(sizeof(struct object) + size + 64, 64UL);
	struct object *o;

	if (full_pool_used + whole > POOL_SIZE)
		sim_fail("small objects used up");
	o = (struct object *)(void *)(pool + full_pool_used);
	full_pool_used += whole;
	unpoison(o, sizeof(*o) + size);
	o->magic = MAGIC;
	o->size = size;
	o->caller = caller;
	__builtin_memset(o->data, 0, size);
	poison(o, sizeof(*o));
	full_objects++;
	full_domain_structs += size == domain_size;
	return o->data;
}

void full_object_free(void *p)
{
	struct object *o;

	if (!p)
		return;
	o = container_of(p, struct object, data);
	unpoison(o, sizeof(*o));
	if (o->magic != MAGIC)
		sim_fail("%p is freed twice, or is no object", p);
	o->magic = 0;
	full_objects--;
	full_domain_structs -= o->size == domain_size;
	poison(o, sizeof(*o) + o->size);
}

void full_objects_list(u64 from)
{
	for (u64 at = from; at < full_pool_used;) {
		struct object *o = (struct object *)(void *)(pool + at);
		u64 size;

		unpoison(o, sizeof(*o));
		size = o->size;
		if (o->magic == MAGIC)
			fprintf(stderr, "  object of %lu bytes made by %p\n", (unsigned long)size, o->caller);
		poison(o, sizeof(*o));
		at += ROUND_UP(sizeof(*o) + size + 64, 64UL);
	}
}

/* --- the variables --- */

void full_power_on(size_t size_of_domain)
{
	size_t size = (size_t)(__stop_hv_state - __start_hv_state);

	domain_size = size_of_domain;
	if (!pool) {
		pool = reserve(POOL_SIZE);
		power_on = reserve(size);
		raw_copy(power_on, __start_hv_state, size);
	} else {
		raw_copy(__start_hv_state, power_on, size);
		unpoison(pool, full_pool_used);
		madvise(pool, full_pool_used, MADV_DONTNEED);
	}
	poison(pool, POOL_SIZE);
	full_pool_used = full_objects = full_domain_structs = 0;
}

/* --- copies of everything --- */

static struct {
	u8 *state, *memory, *frames, *m2p, *pool, *shadow;
	u64 nr_frames, used, objects, structs;
} saved;

static u8 *again(u8 *old, size_t size)
{
	free(old);
	return malloc(size + 1);
}

void full_save(void)
{
	size_t size = (size_t)(__stop_hv_state - __start_hv_state);

	saved.nr_frames = sim_frames;
	saved.used = full_pool_used;
	saved.objects = full_objects;
	saved.structs = full_domain_structs;
	saved.state = again(saved.state, size);
	saved.memory = again(saved.memory, sim_frames * PAGE_SIZE);
	saved.frames = again(saved.frames, sim_frames * sizeof(struct frame));
	saved.m2p = again(saved.m2p, sim_frames * sizeof(u64));
	saved.pool = again(saved.pool, full_pool_used);
	saved.shadow = again(saved.shadow, full_pool_used / 8);
	raw_copy(saved.state, __start_hv_state, size);
	raw_copy(saved.memory, sim_direct_map, sim_frames * PAGE_SIZE);
	raw_copy(saved.frames, sim_frame_table, sim_frames * sizeof(struct frame));
	raw_copy(saved.m2p, sim_m2p, sim_frames * sizeof(u64));
	raw_copy(saved.pool, pool, full_pool_used);
#ifdef SANITIZED
	raw_copy(saved.shadow, SHADOW(pool), full_pool_used / 8);
#endif
}

void full_restore(void)
{
	if (saved.nr_frames != sim_frames)
		sim_fail("nothing saved");
	raw_copy(__start_hv_state, saved.state, (size_t)(__stop_hv_state - __start_hv_state));
	raw_copy(sim_direct_map, saved.memory, sim_frames * PAGE_SIZE);
	raw_copy(sim_frame_table, saved.frames, sim_frames * sizeof(struct frame));
	raw_copy(sim_m2p, saved.m2p, sim_frames * sizeof(u64));
	raw_copy(pool, saved.pool, saved.used);
	if (full_pool_used > saved.used)
		poison(pool + saved.used, full_pool_used - saved.used);
#ifdef SANITIZED
	raw_copy(SHADOW(pool), saved.shadow, saved.used / 8);
#endif
	full_pool_used = saved.used;
	full_objects = saved.objects;
	full_domain_structs = saved.structs;
}
