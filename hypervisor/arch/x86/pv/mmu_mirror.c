/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mirrors of a logged domain's page tables.
 *
 * Why no write is lost: an entry of a mirror is writable only if the page's bit was found set after the entry's mirror had been put on the
 * list of those that have such entries. A clean first clears bits, then takes the right from all that are on the list, then flushes.
 * Of the two, the one that comes second sees what the other did.
 *
 * Why no mirror is used too long: entries of mirrors name only mirrors whose tables the guest's own entries name, which hold references of
 * them, so a table without references has a mirror that nothing names. Processors may remember it: a page that comes out of the pool again
 * waits for their flush, as frames do (tlb_stamp).
 */
#include "mmu_mirror.h"

#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/pv.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/tlb.h>

/* The type word of a mirror's frame: bit 47 is clear. */
#define MIRROR_LIST_MASK 3UL
#define MIRROR_LEVEL_SHIFT 4
#define MIRROR_OWNER_SHIFT 16
#define POOL_AT_ONCE 32u
#define PTE_USED (PTE_PRESENT | PTE_ACCESSED)

/* --- the pool --- */

static u64 *mirror_page(u32 n)
{
	return mfn_virt(mfn(n));
}

static enum mirror_list list_of(u32 n)
{
	return (enum mirror_list)(READ_ONCE(frame_of(mfn(n))->type) & MIRROR_LIST_MASK);
}

/* m->lock held. */
static void list_append(struct pv_mirror *m, u32 n, enum mirror_list to)
{
	struct frame *f = frame_of(mfn(n));
	u32 last = m->list[to].last;

	f->next = 0;
	f->prev = last;
	if (last)
		frame_of(mfn(last))->next = n;
	else
		m->list[to].first = n;
	m->list[to].last = n;
	m->list[to].count++;
	WRITE_ONCE(f->type, (f->type & ~MIRROR_LIST_MASK) | to);
}

/* m->lock held. */
static void list_remove(struct pv_mirror *m, u32 n)
{
	const struct frame *f = frame_of(mfn(n));
	enum mirror_list from = list_of(n);

	if (f->prev)
		frame_of(mfn(f->prev))->next = f->next;
	else
		m->list[from].first = f->next;
	if (f->next)
		frame_of(mfn(f->next))->prev = f->prev;
	else
		m->list[from].last = f->prev;
	m->list[from].count--;
}

static bool pool_grow(struct pv_mirror *m)
{
	void *page = page_alloc();
	struct frame *f;

	if (!page)
		return false;
	f = frame_of(virt_mfn(page));
	f->type = 0;
	f->tlb_stamp = 0;
	m->total++;
	spin_lock(&m->lock);
	list_append(m, (u32)frame_mfn(f).v, MIRROR_FREE);
	spin_unlock(&m->lock);
	return true;
}

/* A free page, that no processor remembers as a mirror of something else; 0: none is left. m->lock held, and dropped. */
static u32 pool_take(struct pv_mirror *m)
{
	u32 n = m->list[MIRROR_FREE].first;

	if (n)
		list_remove(m, n);
	spin_unlock(&m->lock);
	if (n)
		tlb_stamp_flush(frame_of(mfn(n))->tlb_stamp);
	return n;
}

static bool pool_shrink(struct pv_mirror *m)
{
	struct frame *f;
	u32 n;

	spin_lock(&m->lock);
	n = pool_take(m);
	if (!n)
		return false;
	f = frame_of(mfn(n));
	f->type = 0;
	f->next = f->prev = f->aux = 0;
	f->tlb_stamp = 0;
	m->total--;
	page_free(mirror_page(n));
	return true;
}

int mirror_pool_resize(struct pv_mirror *m, u64 pages)
{
	u32 work = 0;

	while (m->total != pages) {
		if (m->total < pages) {
			if (!pool_grow(m))
				return -ENOMEM;
		} else if (!pool_shrink(m)) {
			return -EBUSY;
		}
		if (++work % POOL_AT_ONCE == 0 && preempt_needed())
			return -ERESTART;
	}
	return 0;
}

/* --- entries --- */

/* True when the frame of a writable L1 entry need not be marked, or has been. */
static bool frame_marked(const struct domain *d, u64 e)
{
	mfn_t m = pte_mfn(e);

	if (!frame_valid(m) || frame_of(m)->owner != d->id)
		return true;
	return dirty_log_test(d->log, m2p_get(m));
}

/* What a mirror has for the entry e of a table. The mirror of a table below stays while e is there. */
static u64 entry_make(const struct domain *d, unsigned int level, u64 e)
{
	u32 below;

	if ((e & PTE_USED) != PTE_USED)
		return 0;
	if (level > 1) {
		below = READ_ONCE(frame_of(pte_mfn(e))->aux);
		return below ? (e & ~PTE_ADDRESS) | mfn_paddr(mfn(below)).v : 0;
	}
	if (!(e & PTE_WRITE) || ((e & PTE_DIRTY) && frame_marked(d, e)))
		return e;
	return e & ~PTE_WRITE;
}

/* The mirror has got writable entries: it must be on the list before their pages are looked at for the last time. */
static void hot_add(struct pv_mirror *m, u32 n)
{
	if (list_of(n) == MIRROR_HOT)
		return;
	spin_lock(&m->lock);
	if (list_of(n) == MIRROR_COLD) {
		list_remove(m, n);
		list_append(m, n, MIRROR_HOT);
	}
	spin_unlock(&m->lock);
}

/* Entry `index` of the table f, locked, which may have a mirror. True when that has changed. */
static bool entry_sync(const struct domain *d, struct frame *f, unsigned int level, unsigned int index)
{
	u32 n = f->aux;
	u64 *at, now, e;
	const u64 *table;

	if (!n)
		return false;
	table = frame_map(frame_mfn(f));
	e = READ_ONCE(table[index]);
	frame_unmap(table);
	now = entry_make(d, level, e);
	at = mirror_page(n) + index;
	/* The processor changes nothing here: bits that it could set are set, or entries that it could set them in not writable. */
	if (READ_ONCE(*at) == now)
		return false;
	(void)__atomic_exchange_n(at, now, __ATOMIC_SEQ_CST);
	if (level == 1 && (now & PTE_WRITE)) {
		hot_add(d->mirror, n);
		if (!frame_marked(d, e))
			(void)__atomic_exchange_n(at, now & ~PTE_WRITE, __ATOMIC_SEQ_CST);
	}
	return true;
}

/* Takes the right to write from all entries of an L1's mirror. */
static void rights_take(u32 n)
{
	u64 *page = mirror_page(n);

	for (u32 i = 0; i < PTES; i++)
		if (READ_ONCE(page[i]) & PTE_WRITE)
			__atomic_fetch_and(&page[i], ~PTE_WRITE, __ATOMIC_SEQ_CST);
}

/* --- making and dropping mirrors --- */

/* f is locked, and a valid table of d without mirror. 0; -ENOMEM: the pool is empty; -EAGAIN: mirrors are not in use any more. */
static int mirror_make(struct domain *d, struct frame *f, unsigned int level)
{
	struct pv_mirror *m = d->mirror;
	u32 n, epoch = __atomic_load_n(&m->epoch, __ATOMIC_SEQ_CST);
	u64 *page, writable = 0;
	const u64 *table;

	spin_lock(&m->lock);
	/* A drain that has seen the lock free and all pages in the pool is not followed by one more mirror. */
	if (!READ_ONCE(m->use)) {
		spin_unlock(&m->lock);
		return -EAGAIN;
	}
	n = pool_take(m);
	if (!n)
		return -ENOMEM;
	page = mirror_page(n);
	table = frame_map(frame_mfn(f));
	for (u32 i = 0; i < PTES; i++) {
		u64 e = READ_ONCE(table[i]);

		if (level < 4 || !l4_slot_reserved(i))
			e = e & PTE_PRESENT ? entry_make(d, level, e) : 0;
		writable |= e;
		page[i] = e;
	}
	frame_unmap(table);
	frame_of(mfn(n))->aux = (u32)frame_mfn(f).v;
	frame_of(mfn(n))->type = (u64)d->id << MIRROR_OWNER_SHIFT | (u64)level << MIRROR_LEVEL_SHIFT;
	spin_lock(&m->lock);
	list_append(m, n, level == 1 && (writable & PTE_WRITE) ? MIRROR_HOT : MIRROR_COLD);
	spin_unlock(&m->lock);
	/* If pages became clean meanwhile, that may have been before the mirror was on the list. */
	if (level == 1 && unlikely(__atomic_load_n(&m->epoch, __ATOMIC_SEQ_CST) != epoch))
		rights_take(n);
	__atomic_store_n(&f->aux, n, __ATOMIC_RELEASE);
	return 0;
}

static void mirror_free(struct pv_mirror *m, u32 n)
{
	spin_lock(&m->lock);
	list_remove(m, n);
	frame_of(mfn(n))->tlb_stamp = tlb_stamp_now();
	list_append(m, n, MIRROR_FREE);
	spin_unlock(&m->lock);
}

void mirror_retire(struct frame *f)
{
	u32 n;

	/* Who saw the table valid with its lock held has finished when we have it. */
	frame_lock(f);
	n = f->aux;
	f->aux = 0;
	frame_unlock(f);
	if (n)
		mirror_free(domain_peek((domid_t)(frame_of(mfn(n))->type >> MIRROR_OWNER_SHIFT))->mirror, n);
}

/* The frame is a table, and its aux the number of a mirror. No lock, so only a hint, unless the caller holds the frame's. */
static bool table_valid(const struct frame *f)
{
	u64 word = READ_ONCE(f->type);

	return (word & FRAME_TYPE_MARK) && frame_word_state(word) == FRAME_STATE_VALID && frame_type_is_table(frame_word_type(word));
}

int mirror_drain(struct domain *d)
{
	struct pv_mirror *m = d->mirror;

	for (u32 work = 1;; work++) {
		struct frame *f;
		u32 n;
		bool ours = false, done;

		spin_lock(&m->lock);
		n = m->list[MIRROR_COLD].first ? m->list[MIRROR_COLD].first : m->list[MIRROR_HOT].first;
		f = n ? frame_of(mfn(frame_of(mfn(n))->aux)) : NULL;
		done = m->list[MIRROR_FREE].count == m->total;
		spin_unlock(&m->lock);
		if (done)
			return 0;
		if (f) {
			frame_lock(f);
			ours = table_valid(f) && f->aux == n;
			if (ours)
				f->aux = 0;
			frame_unlock(f);
		}
		/* Else another CPU is about to free it, or to put one that it has just taken on a list. */
		if (ours)
			mirror_free(m, n);
		else
			spin_poll();
		if (work % POOL_AT_ONCE == 0 && preempt_needed())
			return -ERESTART;
	}
}

void mirror_epoch_next(struct pv_mirror *m)
{
	__atomic_fetch_add(&m->epoch, 1, __ATOMIC_SEQ_CST);
}

int mirror_clean(struct domain *d, u64 *count)
{
	struct pv_mirror *m = d->mirror;

	while (*count) {
		u32 n;

		spin_lock(&m->lock);
		n = m->list[MIRROR_HOT].first;
		if (n) {
			list_remove(m, n);
			list_append(m, n, MIRROR_COLD);
			/* Whoever makes an entry writable from here on sees that the mirror is not on the list. */
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			rights_take(n);
		}
		spin_unlock(&m->lock);
		*count = n ? *count - 1 : 0;
		if (*count && preempt_needed())
			return -ERESTART;
	}
	return 0;
}

/* --- running on mirrors --- */

static mfn_t real_root(const struct vcpu *v)
{
	return v->pv->kernel_mode ? v->pv->kernel_root : v->pv->user_root;
}

/* On each CPU, whatever it does: if it runs a vCPU of this domain, then on the guest's own tables. Takes no locks. */
static void root_reload(void *arg)
{
	const struct domain *d = arg;
	const struct vcpu *v = cpu_info()->current;

	if (v->domain != d || READ_ONCE(d->mirror->use) || mfn_eq(real_root(v), INVALID_MFN))
		return;
	if (unlikely(cpu_has(CPU_DO_XPTI)))
		xpti_load(v, real_root(v));
	cr3_write(mfn_paddr(real_root(v)).v);
}

void mirror_use(struct domain *d)
{
	domain_pause(d);
	__atomic_store_n(&d->mirror->use, true, __ATOMIC_SEQ_CST);
	domain_unpause(d);
}

void mirror_leave(struct domain *d)
{
	__atomic_store_n(&d->mirror->use, false, __ATOMIC_SEQ_CST);
	smp_call(&cpu_online_map, root_reload, d);
}

/* The pool is used up: the guest goes on with its own tables, and everything counts as dirty. */
static noinline_fn void overflow(struct domain *d)
{
	__atomic_store_n(&d->mirror->overflow, true, __ATOMIC_SEQ_CST);
	mirror_leave(d);
}

mfn_t mirror_root(struct vcpu *v, mfn_t root)
{
	struct domain *d = v->domain;
	struct pv_mirror *m = d->mirror;
	struct frame *f = frame_of(root);
	int rc = 0;
	u32 n;

	if (!READ_ONCE(m->use))
		return root;
	if (unlikely(!READ_ONCE(f->aux))) {
		frame_lock(f);
		if (!f->aux)
			rc = mirror_make(d, f, 4);
		frame_unlock(f);
		if (rc == -ENOMEM)
			overflow(d);
	}
	/* This CPU answers nobody from here until CR3 is loaded: if mirrors are left now, it is told afterwards. */
	n = __atomic_load_n(&f->aux, __ATOMIC_ACQUIRE);
	return n && READ_ONCE(m->use) ? mfn(n) : root;
}

void mirror_root_changed(const struct domain *d, const struct frame *f)
{
	u32 n = READ_ONCE(f->aux);

	if (n)
		xpti_root_changed(d, mfn(n));
}

void mirror_changed(struct domain *d, struct frame *f, unsigned int level, unsigned int index)
{
	dirty_log_pfn_slow(d, m2p_get(frame_mfn(f)));
	(void)entry_sync(d, f, level, index);
}

/* --- faults --- */

struct fault {
	struct vcpu *v;
	struct domain *d;
	gva_t addr;
	bool write;
	bool changed;			/* something was: else the processor has an old translation */
	struct frame *table[5];		/* by level */
};

enum access { ACCESS_OK, ACCESS_REFUSED, ACCESS_ABSENT, ACCESS_AGAIN };

static u64 entry_read(const struct frame *f, unsigned int index)
{
	const u64 *table = frame_map(frame_mfn(f));
	u64 e = READ_ONCE(table[index]);

	frame_unmap(table);
	return e;
}

/* What the guest's tables say. Tables may change under us, but what is a table of the domain at this moment can be read. */
static enum access fault_walk(struct fault *w, u32 error)
{
	bool writable = true, nx = false;
	mfn_t m = real_root(w->v);

	for (unsigned int level = 4;; level--) {
		struct frame *f = frame_of(m);
		u64 e;

		if (m.v >= frame_limit || !frame_type_has_key(f, frame_type_key(table_type(level), w->d->id)))
			return ACCESS_AGAIN;
		w->table[level] = f;
		e = entry_read(f, pte_index(w->addr, level));
		if (!(e & PTE_PRESENT))
			return ACCESS_ABSENT;
		writable &= (e & PTE_WRITE) != 0;
		nx |= (e & PTE_NX) != 0;
		if (level == 1)
			break;
		m = pte_mfn(e);
	}
	return (w->write && !writable) || ((error & PFEC_FETCH) && nx) ? ACCESS_REFUSED : ACCESS_OK;
}

/* Sets accessed and dirty bits in the guest's entry; the table is locked. */
static void entry_bits_set(struct frame *f, unsigned int index, u64 e, u64 bits)
{
	u64 *table;

	if ((e & bits) == bits)
		return;
	table = frame_map(frame_mfn(f));
	__atomic_fetch_or(&table[index], bits, __ATOMIC_SEQ_CST);
	frame_unmap(table);
	dirty_log_mark(f);
}

/* The table of `level` for this address gets a mirror. */
static enum access table_mirror(const struct fault *w, unsigned int level)
{
	struct frame *f = w->table[level];
	int rc = 0;

	if (likely(READ_ONCE(f->aux)))
		return ACCESS_OK;
	if (!frame_lock_as(f, frame_type_key(table_type(level), w->d->id)))
		return ACCESS_AGAIN;
	if (!f->aux)
		rc = mirror_make(w->d, f, level);
	frame_unlock(f);
	if (rc == -ENOMEM)
		overflow(w->d);
	return rc ? ACCESS_AGAIN : ACCESS_OK;
}

/* The mirror of the table of `level` leads to that of the table below. */
static enum access table_link(struct fault *w, unsigned int level)
{
	struct frame *f = w->table[level], *below = w->table[level - 1];
	unsigned int index = pte_index(w->addr, level);
	u32 n = READ_ONCE(f->aux), to = READ_ONCE(below->aux);
	enum access rc;
	u64 e;

	/* A table that is not one any more keeps other numbers there; nothing worse than one fault more comes of that. */
	if (likely(n && to && n < mmu_direct_frames && frame_valid(mfn(n)))) {
		e = READ_ONCE(mirror_page(n)[index]);
		if (likely((e & PTE_PRESENT) && pte_mfn(e).v == to))
			return ACCESS_OK;
	}
	rc = table_mirror(w, level - 1);
	if (rc != ACCESS_OK)
		return rc;
	if (!frame_lock_as(f, frame_type_key(table_type(level), w->d->id)))
		return ACCESS_AGAIN;
	e = entry_read(f, index);
	if ((e & PTE_PRESENT) && mfn_eq(pte_mfn(e), frame_mfn(below))) {
		entry_bits_set(f, index, e, PTE_ACCESSED);
		w->changed |= entry_sync(w->d, f, level, index);
	} else {
		rc = ACCESS_AGAIN;
	}
	frame_unlock(f);
	return rc;
}

/* The page itself: the guest's entry is accessed, and if written dirty, and the page marked. */
static void page_open(struct fault *w)
{
	struct frame *f = w->table[1];
	unsigned int index = pte_index(w->addr, 1);
	u64 e;

	if (!frame_lock_as(f, frame_type_key(FRAME_L1, w->d->id))) {
		w->changed = true;
		return;
	}
	e = entry_read(f, index);
	if ((e & PTE_PRESENT) && (!w->write || (e & PTE_WRITE))) {
		entry_bits_set(f, index, e, w->write ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED);
		if (w->write && frame_valid(pte_mfn(e)) && frame_of(pte_mfn(e))->owner == w->d->id)
			dirty_log_mark(frame_of(pte_mfn(e)));
		w->changed |= entry_sync(w->d, f, 1, index);
	} else {
		w->changed = true;
	}
	frame_unlock(f);
}

/* The mirrors let the access through that the guest's tables permit. What changes meanwhile is seen at the next fault. */
static void access_open(struct fault *w)
{
	struct frame *root = w->table[4];

	/* The root gets its mirror when it is loaded: on this CPU that was before mirrors were in use. */
	if (unlikely(!READ_ONCE(root->aux))) {
		pv_cr3_load(w->v);
		return;
	}
	for (unsigned int level = 4; level > 1; level--)
		if (table_link(w, level) != ACCESS_OK)
			return;
	page_open(w);
	if (!w->changed)
		tlb_flush_page_local(w->addr);
	if (unlikely(cpu_has(CPU_DO_XPTI)))
		xpti_slot_refresh(pte_index(w->addr, 4));
}

bool mirror_fault(struct vcpu *v, gva_t addr, u32 *error)
{
	struct fault w = { .v = v, .d = v->domain, .addr = addr, .write = (*error & PFEC_WRITE) != 0 };

	if ((*error & PFEC_RESERVED) || !guest_range_ok(addr, 1))
		return false;
	switch (fault_walk(&w, *error)) {
	case ACCESS_ABSENT:
		*error &= ~PFEC_PRESENT;
		return false;
	case ACCESS_REFUSED:
		*error |= PFEC_PRESENT;
		return false;
	case ACCESS_AGAIN:
		return true;
	case ACCESS_OK:
		break;
	}
	__atomic_fetch_add(&w.d->log->fault_count, 1, __ATOMIC_RELAXED);
	if (READ_ONCE(w.d->mirror->use))
		access_open(&w);
	else
		tlb_flush_page_local(addr);
	return true;
}
