/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects. Each size class has a list of pages with free objects in them. What is to know about such a page lies in its
 * struct frame, whose type word and links the hypervisor's own frames do not need: objects fill the page and are aligned.
 * Larger objects are frames in a row.
 */
#include <hv/bug.h>
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/string.h>

/* frame->aux of the first page of an allocation: its class, or LARGE and the number of pages. Others have 0. */
#define SLAB_CLASS(n) ((n) + 1u)
#define SLAB_LARGE 0x80000000u
#define LARGE_MAX (1UL << 20)

/* frame->type of a slab page: first free object (its offset in 16-byte units + 1; 0 = none), and objects in use. */
#define SLAB_FREE_MASK 0xffffUL
#define SLAB_USED_SHIFT 32
#define SLAB_USED_ONE (1UL << SLAB_USED_SHIFT)

struct slab_class {
	struct spinlock lock;	/* LOCK_SLAB: the list, and type, next, prev of the class's pages */
	u32 size;
	u32 partial;		/* pages with free objects: frame numbers, 0 = none */
};

#define CLASS(bytes) { .lock = SPINLOCK(LOCK_SLAB), .size = (bytes) }
static struct slab_class slab_class[] = {
	CLASS(16), CLASS(32), CLASS(48), CLASS(64), CLASS(128), CLASS(192), CLASS(256), CLASS(384), CLASS(512),
	CLASS(768), CLASS(1024), CLASS(1344), CLASS(2048),
};

static struct frame *frame_at(u32 n)
{
	return frame_of(mfn(n));
}

static void partial_add(struct slab_class *c, struct frame *f)
{
	f->prev = 0;
	f->next = c->partial;
	if (f->next != 0)
		frame_at(f->next)->prev = (u32)frame_mfn(f).v;
	c->partial = (u32)frame_mfn(f).v;
}

static void partial_remove(struct slab_class *c, struct frame *f)
{
	if (f->next != 0)
		frame_at(f->next)->prev = f->prev;
	if (f->prev != 0)
		frame_at(f->prev)->next = f->next;
	else
		c->partial = f->next;
	f->next = 0;
	f->prev = 0;
}

/* The link in a free object. */
static u16 *object_link(struct frame *f, u64 at)
{
	return (u16 *)(void *)((u8 *)mfn_virt(frame_mfn(f)) + (at - 1) * 16);
}

/* Cuts a page into objects; nobody else knows the page yet. */
static void slab_page_init(struct frame *f, unsigned int class)
{
	u32 size = slab_class[class].size, count = (u32)PAGE_SIZE / size;

	for (u32 i = 0; i < count; i++)
		*object_link(f, i * size / 16 + 1) = (u16)(i + 1 < count ? (i + 1) * size / 16 + 1 : 0);
	f->type = 1;
	f->aux = SLAB_CLASS(class);
}

static void *object_take(struct slab_class *c)
{
	struct frame *f = frame_at(c->partial);
	u16 *object = object_link(f, f->type & SLAB_FREE_MASK);

	f->type = ((f->type & ~SLAB_FREE_MASK) | *object) + SLAB_USED_ONE;
	if ((f->type & SLAB_FREE_MASK) == 0)
		partial_remove(c, f);
	return object;
}

static void *slab_alloc(unsigned int class)
{
	struct slab_class *c = &slab_class[class];
	struct frame *fresh = NULL;
	void *object;

	spin_lock(&c->lock);
	if (unlikely(c->partial == 0)) {
		/* The heap's lock comes first. */
		spin_unlock(&c->lock);
		fresh = frames_alloc(0, 0);
		if (fresh == NULL)
			return NULL;
		slab_page_init(fresh, class);
		spin_lock(&c->lock);
		partial_add(c, fresh);
	}
	object = object_take(c);
	spin_unlock(&c->lock);
	return memset(object, 0, c->size);
}

static void slab_free(void *p, struct frame *f)
{
	struct slab_class *c = &slab_class[f->aux - 1];
	u64 offset = (u64)p & ~PAGE_MASK;
	bool idle;

	BUG_ON(f->aux > ARRAY_SIZE(slab_class) || offset % c->size != 0);
	spin_lock(&c->lock);
	*(u16 *)p = (u16)(f->type & SLAB_FREE_MASK);
	if ((f->type & SLAB_FREE_MASK) == 0)
		partial_add(c, f);
	f->type = ((f->type & ~SLAB_FREE_MASK) | (offset / 16 + 1)) - SLAB_USED_ONE;
	idle = f->type >> SLAB_USED_SHIFT == 0;
	if (idle)
		partial_remove(c, f);
	spin_unlock(&c->lock);
	if (idle) {
		f->type = 0;
		f->aux = 0;
		frames_free(f, 0);
	}
}

/* Gives back the frames [from, to) of a block of the order, in the largest aligned parts. */
static void frames_trim(struct frame *f, u32 from, u32 to)
{
	while (from < to) {
		unsigned int part = (unsigned int)__builtin_ctz(from);

		while (from + (1u << part) > to)
			part--;
		frames_free(f + from, part);
		from += 1u << part;
	}
}

static void *large_alloc(size_t size)
{
	u32 pages = (u32)(ROUND_UP(size, PAGE_SIZE) >> PAGE_SHIFT);
	unsigned int order = pages == 1 ? 0 : 32 - (unsigned int)__builtin_clz(pages - 1);
	struct frame *f;

	if (size > LARGE_MAX)
		return NULL;
	f = frames_alloc(order, ALLOC_ZERO);
	if (f == NULL)
		return NULL;
	frames_trim(f, pages, 1u << order);
	f->aux = SLAB_LARGE | pages;
	return mfn_virt(frame_mfn(f));
}

static void large_free(struct frame *f)
{
	u32 pages = f->aux & ~SLAB_LARGE;

	f->aux = 0;
	if (pages > 1)
		frames_trim(f, 1, pages);
	frames_free(f, 0);
}

void *hv_alloc(size_t size)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(slab_class); i++)
		if (size <= slab_class[i].size)
			return slab_alloc(i);
	return large_alloc(size);
}

void hv_free(void *p)
{
	struct frame *f;

	if (p == NULL)
		return;
	f = frame_of(virt_mfn(p));
	BUG_ON(f->aux == 0);
	if (f->aux & SLAB_LARGE)
		large_free(f);
	else
		slab_free(p, f);
}

void *page_alloc(void)
{
	struct frame *f = frames_alloc(0, ALLOC_ZERO);

	return f == NULL ? NULL : mfn_virt(frame_mfn(f));
}

void page_free(void *p)
{
	if (p != NULL)
		frames_free(frame_of(virt_mfn(p)), 0);
}
