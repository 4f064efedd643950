/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit maps of written pages. */
#include <hv/cpu.h>
#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/smp.h>
#include <hv/softirq.h>

#define LEAF_LIMIT (1u << 16)	/* 8 TiB of a domain's pages; 1 MiB of pointers */
#define AT_ONCE 16u

u32 dirty_logs;

static int leaf_make(struct dirty_log_leaf *leaf)
{
	leaf->dirty = page_alloc();
	leaf->held = page_alloc();
	if (leaf->dirty && leaf->held)
		return 0;
	page_free(leaf->dirty);
	page_free(leaf->held);
	*leaf = (struct dirty_log_leaf){ NULL, NULL };
	return -ENOMEM;
}

int dirty_log_open(struct domain *d, u64 pages)
{
	struct dirty_log *l = d->log;

	if (!l) {
		l = d->log = hv_alloc(sizeof(*l));
		if (!l)
			return -ENOMEM;
	}
	if (!l->leaf) {
		l->leaves = (u32)MIN((pages + DIRTY_LOG_LEAF_BITS - 1) / DIRTY_LOG_LEAF_BITS, LEAF_LIMIT);
		l->leaf = hv_alloc(l->leaves * sizeof(*l->leaf));
		if (!l->leaf)
			return -ENOMEM;
	}
	while (l->made < l->leaves) {
		if (leaf_make(&l->leaf[l->made]))
			return -ENOMEM;
		if (++l->made % AT_ONCE == 0 && preempt_needed())
			return -ERESTART;
	}
	return 0;
}

static void nothing(void *arg)
{
	(void)arg;
}

void dirty_log_start(struct domain *d)
{
	struct dirty_log *l = d->log;

	l->dirty_count = l->fault_count = 0;
	__atomic_fetch_add(&dirty_logs, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&l->pages, (u64)l->leaves * DIRTY_LOG_LEAF_BITS, __ATOMIC_SEQ_CST);
	__atomic_store_n(&d->logging, true, __ATOMIC_SEQ_CST);
	/* Who looked before has finished by now: nobody answers between the look and the write that it was about. */
	smp_call(&cpu_online_map, nothing, NULL);
}

void dirty_log_stop(struct domain *d)
{
	if (!d->logging)
		return;
	__atomic_store_n(&d->logging, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&d->log->pages, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&dirty_logs, 1, __ATOMIC_SEQ_CST);
	smp_call(&cpu_online_map, nothing, NULL);
}

int dirty_log_close(struct domain *d)
{
	struct dirty_log *l = d->log;

	if (!l)
		return 0;
	while (l->made) {
		struct dirty_log_leaf *leaf = &l->leaf[--l->made];

		page_free(leaf->dirty);
		page_free(leaf->held);
		if (l->made % AT_ONCE == 0 && preempt_needed())
			return -ERESTART;
	}
	hv_free(l->leaf);
	l->leaf = NULL;
	l->leaves = 0;
	return 0;
}

static void mark(struct dirty_log *l, u64 pfn)
{
	u64 bit = 1UL << (pfn % 64), *word;

	if (pfn >= READ_ONCE(l->pages))
		return;
	word = &l->leaf[pfn / DIRTY_LOG_LEAF_BITS].dirty[pfn / 64 % 512];
	if (!(READ_ONCE(*word) & bit) && !(__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST) & bit))
		__atomic_fetch_add(&l->dirty_count, 1, __ATOMIC_RELAXED);
}

void dirty_log_pfn_slow(const struct domain *d, u64 pfn)
{
	if (READ_ONCE(d->logging))
		mark(d->log, pfn);
}

void dirty_log_mark_slow(const struct frame *f)
{
	const struct domain *d = frame_owner(f);

	if (d && READ_ONCE(d->logging))
		mark(d->log, m2p_get(frame_mfn(f)));
}

void dirty_log_hold_slow(const struct frame *f)
{
	const struct domain *d = frame_owner(f);
	u64 pfn = m2p_get(frame_mfn(f));

	if (!d || !READ_ONCE(d->logging))
		return;
	mark(d->log, pfn);
	if (pfn < READ_ONCE(d->log->pages))
		__atomic_fetch_or(&d->log->leaf[pfn / DIRTY_LOG_LEAF_BITS].held[pfn / 64 % 512], 1UL << (pfn % 64), __ATOMIC_SEQ_CST);
}

static u32 bits_count(u64 word)
{
	u32 n = 0;

	for (; word; word &= word - 1)
		n++;
	return n;
}

u64 dirty_log_word(struct dirty_log *l, u64 n, bool held, bool clear, u64 mask)
{
	struct dirty_log_leaf *leaf;
	u64 word;

	if (n * 64 >= l->pages)
		return ~0UL;
	leaf = &l->leaf[n / 512];
	word = READ_ONCE(leaf->dirty[n % 512]);
	if (clear && (word & mask)) {
		word = __atomic_fetch_and(&leaf->dirty[n % 512], ~mask, __ATOMIC_SEQ_CST);
		__atomic_fetch_sub(&l->dirty_count, bits_count(word & mask), __ATOMIC_RELAXED);
	}
	return held ? word | READ_ONCE(leaf->held[n % 512]) : word;
}
