/* SPDX-License-Identifier: BSD-2-Clause */
/* Small objects from the C library, so that the address sanitizer sees them; and allocations that are made to fail. */
#include <stdlib.h>
#include <hv/log.h>
#include <hv/string.h>
#include "sim_private.h"

#define STAND_IN __attribute__((weak))

static u64 objects;

STAND_IN void sim_objects_check(void)
{
	if (objects)
		sim_fail("%lu small objects were not freed", (unsigned long)objects);
}

STAND_IN void *hv_alloc(size_t size)
{
	void *p;

	size = ROUND_UP(size + !size, 64UL);
	p = aligned_alloc(64, size);
	if (!p)
		return NULL;
	__atomic_add_fetch(&objects, 1, __ATOMIC_RELAXED);
	return memset(p, 0, size);
}

STAND_IN void hv_free(void *p)
{
	if (p)
		__atomic_sub_fetch(&objects, 1, __ATOMIC_RELAXED);
	free(p);
}

/* The linker sends calls of f to __wrap_f, and calls of __real_f to f. */
void *__real_hv_alloc(size_t size);
void *__wrap_hv_alloc(size_t size);
void *__real_page_alloc(void);
void *__wrap_page_alloc(void);
struct frame *__real_frames_alloc(unsigned int order, u32 flags);
struct frame *__wrap_frames_alloc(unsigned int order, u32 flags);
struct frame *__real_domain_frames_alloc(struct domain *d, unsigned int order, u32 flags);
struct frame *__wrap_domain_frames_alloc(struct domain *d, unsigned int order, u32 flags);
struct frame *__real_domain_frames_reserve(struct domain *d, unsigned int order, u32 flags);
struct frame *__wrap_domain_frames_reserve(struct domain *d, unsigned int order, u32 flags);

STAND_IN void *page_alloc(void)
{
	struct frame *f = __real_frames_alloc(0, ALLOC_ZERO);

	return f ? mfn_virt(frame_mfn(f)) : NULL;
}

STAND_IN void page_free(void *p)
{
	if (p)
		frames_free(frame_of(virt_mfn(p)), 0);
}

const void *sim_alloc_caller;

void *__wrap_hv_alloc(size_t size)
{
	sim_alloc_caller = __builtin_return_address(0);
	return sim_alloc_fails() ? NULL : __real_hv_alloc(size);
}

void *__wrap_page_alloc(void)
{
	return sim_alloc_fails() ? NULL : __real_page_alloc();
}

struct frame *__wrap_frames_alloc(unsigned int order, u32 flags)
{
	return sim_alloc_fails() ? NULL : __real_frames_alloc(order, flags);
}

struct frame *__wrap_domain_frames_reserve(struct domain *d, unsigned int order, u32 flags)
{
	return sim_alloc_fails() ? NULL : __real_domain_frames_reserve(d, order, flags);
}

struct frame *__wrap_domain_frames_alloc(struct domain *d, unsigned int order, u32 flags)
{
	return sim_alloc_fails() ? NULL : __real_domain_frames_alloc(d, order, flags);
}
