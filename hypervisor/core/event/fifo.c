/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FIFO ABI: an array of event words in guest pages, and for each vCPU a control block with the heads of sixteen queues.
 * A queue is a linked list through the event words; the guest unlinks at the head, we link at the tail. The guest
 * may write any of it at any time, so every index read back is checked and every retry is bounded.
 */
#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <hv/cpu.h>
#include "event.h"

#define WORDS_PER_PAGE ((u32)(PAGE_SIZE / sizeof(event_word_t)))
#define ARRAY_PAGES (MAX_PORTS_FIFO / WORDS_PER_PAGE)
#define W_PENDING (1u << EVTCHN_FIFO_PENDING)
#define W_MASKED (1u << EVTCHN_FIFO_MASKED)
#define W_LINKED (1u << EVTCHN_FIFO_LINKED)
#define W_BUSY (1u << EVTCHN_FIFO_BUSY)
/* Attempts at changing a word that the guest keeps changing, before it is told to stand off, and after. */
#define LINK_TRIES 8

struct fifo_domain {
	struct spinlock lock;		/* LOCK_EVENT, nested inside the space's: queue tails and all linking */
	u32 nr_pages;
	event_word_t *page[ARRAY_PAGES];
	mfn_t frame[ARRAY_PAGES];
	struct event_fifo_vcpu *gone;	/* control blocks of a domain that leaves the ABI */
};

struct event_fifo_vcpu {
	struct evtchn_fifo_control_block *control;
	mfn_t control_mfn;
	struct event_fifo_vcpu *next;	/* in fifo_domain.gone */
	u32 tail[EVTCHN_FIFO_MAX_QUEUES];	/* port linked last; 0 = none */
};

static event_word_t *word_of(const struct fifo_domain *f, u32 port)
{
	u32 page = port / WORDS_PER_PAGE;

	if (unlikely(page >= READ_ONCE(f->nr_pages)))
		return NULL;
	return &f->page[index_clamp(page, ARRAY_PAGES)][port % WORDS_PER_PAGE];
}

static bool word_test_and_set(event_word_t *w, u32 bit)
{
	return (__atomic_fetch_or(w, bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

/* One try at making the tail word point to `port`. 1: done, 0: the guest has consumed the tail, -1: it changed, try again. */
static int link_try(event_word_t *w, u32 port)
{
	event_word_t old = READ_ONCE(*w);
	event_word_t val = (old & ~(EVTCHN_FIFO_LINK_MASK | W_BUSY)) | port;

	if (!(old & W_LINKED)) {
		if (old & W_BUSY)
			__atomic_fetch_and(w, ~W_BUSY, __ATOMIC_SEQ_CST);
		return 0;
	}
	return __atomic_compare_exchange_n(w, &old, val, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED) ? 1 : -1;
}

/* Links behind the tail. False when the queue is empty by now, and `port` becomes its head. */
static bool tail_link(event_word_t *w, u32 port)
{
	int rc;

	for (u32 i = 0; i < LINK_TRIES; i++) {
		rc = link_try(w, port);
		if (rc >= 0)
			return rc == 1;
	}
	__atomic_fetch_or(w, W_BUSY, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < LINK_TRIES; i++) {
		rc = link_try(w, port);
		if (rc >= 0)
			return rc == 1;
	}
	/* A guest that ignores BUSY loses the events queued before this one; only it is hurt. */
	__atomic_fetch_and(w, ~W_BUSY, __ATOMIC_SEQ_CST);
	return false;
}

/* Forgets a tail that is about to be linked on another queue: its word no longer ends this one. */
static void old_queue_leave(struct domain *d, const struct port *p, u32 nr)
{
	struct vcpu *v = domain_vcpu(d, p->last_vcpu);

	if (v && v->fifo && v->fifo->tail[p->last_priority] == nr)
		v->fifo->tail[p->last_priority] = 0;
}

/* Puts a pending port on its queue. True: the queue was empty and the vCPU is to be told. */
static bool port_link(struct domain *d, struct vcpu *v, u32 nr, struct port *p, event_word_t *word)
{
	struct fifo_domain *f = d->events->fifo;
	struct event_fifo_vcpu *q = v->fifo;
	bool linked = false, tell = false;
	event_word_t *tail;

	spin_lock_nested(&f->lock);
	if (word_test_and_set(word, W_LINKED))
		goto out;
	if (p->last_vcpu != v->id || p->last_priority != p->priority) {
		old_queue_leave(d, p, nr);
		p->last_vcpu = (u16)v->id;
		p->last_priority = p->priority;
	}
	if (q->tail[p->priority]) {
		tail = word_of(f, q->tail[p->priority]);
		linked = q->tail[p->priority] != nr && tail && tail_link(tail, nr);
	}
	if (!linked)
		WRITE_ONCE(q->control->head[p->priority], nr);
	q->tail[p->priority] = nr;
	if (!linked)
		tell = !word_test_and_set(&q->control->ready, 1u << p->priority);
out:
	spin_unlock(&f->lock);
	return tell;
}

static void set_pending(struct domain *d, struct vcpu *v, u32 nr, struct port *p)
{
	event_word_t *word = word_of(d->events->fifo, nr);
	bool was;

	if (unlikely(!word)) {
		if (!__atomic_exchange_n(&p->pending, true, __ATOMIC_SEQ_CST))
			port_wake_pollers(d, nr);
		/* The word may have come just now: whoever clears the mark goes on with it. */
		word = word_of(d->events->fifo, nr);
		if (!word || !__atomic_exchange_n(&p->pending, false, __ATOMIC_SEQ_CST))
			return;
	}
	was = word_test_and_set(word, W_PENDING);
	/* Without a control block there is no queue; the guest finds the bit when it unmasks or polls. */
	if (likely(v->fifo) && !(READ_ONCE(*word) & (W_MASKED | W_LINKED)) && port_link(d, v, nr, p, word))
		vcpu_upcall_mark(v);
	if (!was)
		port_wake_pollers(d, nr);
}

static void clear_pending(struct domain *d, u32 nr, struct port *p)
{
	event_word_t *word = word_of(d->events->fifo, nr);

	p->pending = false;
	/* The guest unlinks it in its own time. */
	if (word)
		__atomic_fetch_and(word, ~W_PENDING, __ATOMIC_SEQ_CST);
}

static void unmask(struct domain *d, u32 nr, struct port *p)
{
	event_word_t *word = word_of(d->events->fifo, nr);

	if (!word)
		return;
	__atomic_fetch_and(word, ~W_MASKED, __ATOMIC_SEQ_CST);
	if (READ_ONCE(*word) & W_PENDING)
		port_raise(d, nr, p);
}

static bool is_pending(struct domain *d, u32 nr, struct port *p)
{
	event_word_t *word = word_of(d->events->fifo, nr);

	return word ? (READ_ONCE(*word) & W_PENDING) != 0 : p->pending;
}

static bool is_masked(struct domain *d, u32 nr, struct port *p)
{
	event_word_t *word = word_of(d->events->fifo, nr);

	(void)p;
	return !word || (READ_ONCE(*word) & W_MASKED);
}

const struct event_abi event_abi_fifo = {
	.set_pending = set_pending,
	.clear_pending = clear_pending,
	.unmask = unmask,
	.is_pending = is_pending,
	.is_masked = is_masked,
};

/* A page of the guest that we write to for as long as it is registered; NULL when it may not have that. */
static void *guest_page_take(struct vcpu *actor, u64 gfn_nr, mfn_t *out)
{
	mfn_t m = mfn(gfn_nr);
	void *page;

	if (!frame_valid(m) || !frame_get_writable(actor, frame_of(m), actor->domain))
		return NULL;
	*out = m;
	page = frame_map_keep(m);
	if (!page)
		frame_put_writable(frame_of(m));
	else
		dirty_log_hold(frame_of(m));
	return page;
}

static void guest_page_drop(void *page)
{
	frame_put_writable(frame_of(frame_unmap_keep(page)));
}

static void nothing(void *arg)
{
	(void)arg;
}

/*
 * Pending bits of the 2-level ABI become pending ports; they are linked when the guest adds their event words. Done twice: a sender
 * that had read the old ABI finishes within its hypercall, and smp_call returns after every CPU has left such a stretch.
 */
static void pending_carry_over(struct domain *d)
{
	struct event_space *s = d->events;

	for (u32 nr = 1; nr < MIN(s->nr_ports, MAX_PORTS_2L); nr++) {
		struct port *p = port_find(s, nr);

		if (event_abi_2l.is_pending(d, nr, p)) {
			event_abi_2l.clear_pending(d, nr, p);
			p->pending = true;
		}
	}
}

static int fifo_start(struct domain *d)
{
	struct event_space *s = d->events;
	struct fifo_domain *f;

	f = hv_alloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	spin_init(&f->lock, LOCK_EVENT);
	s->fifo = f;
	pending_carry_over(d);
	__atomic_store_n(&s->abi, &event_abi_fifo, __ATOMIC_RELEASE);
	smp_call(&cpu_online_map, nothing, NULL);
	pending_carry_over(d);
	return 0;
}

int fifo_init_control(struct vcpu *actor, struct evtchn_init_control *op)
{
	struct domain *d = actor->domain;
	struct event_space *s = d->events;
	struct vcpu *v = domain_vcpu(d, op->vcpu);
	struct event_fifo_vcpu *q;
	mfn_t m = INVALID_MFN;
	void *page;
	int rc = 0;

	if (!v)
		return -ENOENT;
	if (op->offset % 8 || op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block))
		return -EINVAL;
	q = hv_alloc(sizeof(*q));
	if (!q)
		return -ENOMEM;
	page = guest_page_take(actor, op->control_gfn, &m);
	if (!page) {
		hv_free(q);
		return -EINVAL;
	}
	q->control = (void *)((char *)page + op->offset);
	q->control_mfn = m;

	spin_lock(&s->lock);
	if (v->fifo)
		rc = -EINVAL;
	else if (s->dying)
		rc = -EINVAL;
	else if (!s->fifo)
		rc = fifo_start(d);
	if (!rc)
		__atomic_store_n(&v->fifo, q, __ATOMIC_RELEASE);
	spin_unlock(&s->lock);
	if (rc) {
		guest_page_drop(page);
		hv_free(q);
		return rc;
	}
	op->link_bits = EVTCHN_FIFO_LINK_BITS;
	return 0;
}

int fifo_expand_array(struct vcpu *actor, const struct evtchn_expand_array *op)
{
	struct domain *d = actor->domain;
	struct event_space *s = d->events;
	mfn_t m = INVALID_MFN;
	void *page = guest_page_take(actor, op->array_gfn, &m);
	struct fifo_domain *f;
	int rc = 0;

	if (!page)
		return -EINVAL;
	spin_lock(&s->lock);
	f = s->fifo;
	if (!f || s->dying)
		rc = f ? -EINVAL : -EOPNOTSUPP;
	else if (f->nr_pages == ARRAY_PAGES ||
		 f->nr_pages * WORDS_PER_PAGE >= ROUND_UP(s->max_ports, WORDS_PER_PAGE))
		rc = -ENOSPC;
	if (!rc) {
		u32 first = f->nr_pages * WORDS_PER_PAGE;

		f->page[f->nr_pages] = page;
		f->frame[f->nr_pages] = m;
		__atomic_store_n(&f->nr_pages, f->nr_pages + 1, __ATOMIC_RELEASE);
		for (u32 nr = MAX(first, 1u); nr < first + WORDS_PER_PAGE && nr < s->nr_ports; nr++) {
			struct port *p = port_find(s, nr);

			if (__atomic_exchange_n(&p->pending, false, __ATOMIC_SEQ_CST))
				port_raise(d, nr, p);
		}
	}
	spin_unlock(&s->lock);
	if (rc)
		guest_page_drop(page);
	return rc;
}

static void control_block_free(struct event_fifo_vcpu *q)
{
	guest_page_drop((void *)((uintptr_t)q->control & PAGE_MASK));
	hv_free(q);
}

void fifo_vcpu_free(struct vcpu *v)
{
	struct event_fifo_vcpu *q = v->fifo;

	v->fifo = NULL;
	if (q)
		control_block_free(q);
}

struct fifo_domain *fifo_detach(struct domain *d)
{
	struct event_space *s = d->events;
	struct fifo_domain *f = s->fifo;
	struct vcpu *v;

	if (!f)
		return NULL;
	s->abi = &event_abi_2l;
	s->fifo = NULL;
	for_each_vcpu(d, v)
		if (v->fifo) {
			v->fifo->next = f->gone;
			f->gone = v->fifo;
			v->fifo = NULL;
		}
	return f;
}

void fifo_free(struct fifo_domain *f)
{
	if (!f)
		return;
	while (f->gone) {
		struct event_fifo_vcpu *q = f->gone;

		f->gone = q->next;
		control_block_free(q);
	}
	for (u32 i = 0; i < f->nr_pages; i++)
		guest_page_drop(f->page[i]);
	hv_free(f);
}

void event_pages_hold(struct domain *d)
{
	struct event_space *s = d->events;
	struct vcpu *v;

	spin_lock(&s->lock);
	for (u32 i = 0; s->fifo && i < s->fifo->nr_pages; i++)
		dirty_log_hold(frame_of(s->fifo->frame[i]));
	for_each_vcpu(d, v)
		if (v->fifo)
			dirty_log_hold(frame_of(v->fifo->control_mfn));
	spin_unlock(&s->lock);
}
