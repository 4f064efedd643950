/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers: a binary heap per CPU. The lock of a queue protects the heap and the timers that belong to it; a timer's
 * `cpu` changes only with both queues' locks held, so that it names the lock to take.
 */
#include <hv/timer.h>
#include <hv/time.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/cpu.h>
#include <hv/console.h>
#include <hv/frame.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/errno.h>

#define FIRST_CAPACITY 62u
/* timer->slot of a timer on the overflow list. */
#define SLOT_OVERFLOW 0xffffffffu

struct timer_queue {
	struct spinlock lock;		/* LOCK_TIMER */
	u32 count, capacity;
	struct timer **heap;		/* heap[0] expires first */
	struct timer *overflow;		/* armed, but there was no memory to make the heap larger */
	struct timer *running;		/* its fn is being called */
	ns_t programmed;		/* what the hardware was set to; 0: nothing */
	bool processing;		/* expired timers are being run: the hardware is set at the end of that */
} aligned_to(64);

static struct timer_queue timer_queue[MAX_CPUS];

static inline void heap_put(struct timer_queue *q, u32 at, struct timer *t)
{
	q->heap[at] = t;
	t->slot = at + 1;
}

/* Lets t rise from the hole at `at` to where it belongs. */
static void heap_rise(struct timer_queue *q, u32 at, struct timer *t)
{
	while (at) {
		u32 up = (at - 1) / 2;

		if (q->heap[up]->expires <= t->expires)
			break;
		heap_put(q, at, q->heap[up]);
		at = up;
	}
	heap_put(q, at, t);
}

/* Lets t sink from the hole at `at`. */
static void heap_sink(struct timer_queue *q, u32 at, struct timer *t)
{
	for (;;) {
		u32 down = 2 * at + 1;

		if (down >= q->count)
			break;
		if (down + 1 < q->count && q->heap[down + 1]->expires < q->heap[down]->expires)
			down++;
		if (q->heap[down]->expires >= t->expires)
			break;
		heap_put(q, at, q->heap[down]);
		at = down;
	}
	heap_put(q, at, t);
}

/* t, which is or was at `at`, has another time. */
static inline void heap_place(struct timer_queue *q, u32 at, struct timer *t)
{
	if (at && q->heap[(at - 1) / 2]->expires > t->expires)
		heap_rise(q, at, t);
	else
		heap_sink(q, at, t);
}

/* Cold: doubles the heap. False when there is no memory. */
static bool heap_grow(struct timer_queue *q)
{
	u32 capacity = q->capacity ? 2 * q->capacity + 2 : FIRST_CAPACITY;
	struct timer **heap = hv_alloc(capacity * sizeof(*heap));

	if (!heap)
		return false;
	if (q->count)
		memcpy(heap, q->heap, q->count * sizeof(*heap));
	hv_free(q->heap);
	q->heap = heap;
	q->capacity = capacity;
	return true;
}

static void queue_insert(struct timer_queue *q, struct timer *t)
{
	if (unlikely(q->count == q->capacity) && !heap_grow(q)) {
		t->slot = SLOT_OVERFLOW;
		t->next = q->overflow;
		q->overflow = t;
		return;
	}
	heap_rise(q, q->count++, t);
}

static void queue_remove(struct timer_queue *q, struct timer *t)
{
	u32 at = t->slot - 1;

	if (unlikely(t->slot == SLOT_OVERFLOW)) {
		struct timer **link = &q->overflow;

		while (*link != t)
			link = &(*link)->next;
		*link = t->next;
	} else if (at != --q->count) {
		heap_place(q, at, q->heap[q->count]);
	}
	t->slot = 0;
}

/* Cold: the first one when some are on the overflow list. */
static cold_fn struct timer *overflow_first(const struct timer_queue *q, struct timer *first)
{
	for (struct timer *t = q->overflow; t; t = t->next)
		if (!first || t->expires < first->expires)
			first = t;
	return first;
}

/* The timer that expires first, or NULL. */
static inline struct timer *queue_first(const struct timer_queue *q)
{
	struct timer *first = q->count ? q->heap[0] : NULL;

	return likely(!q->overflow) ? first : overflow_first(q, first);
}

/* After a change: sets the hardware if the earliest time is another one now. Queue of that CPU, locked. */
static inline void queue_program(struct timer_queue *q, unsigned int cpu)
{
	struct timer *first = queue_first(q);
	ns_t when = first ? first->expires : 0;

	if (when == q->programmed || q->processing)
		return;
	if (likely(cpu == this_cpu())) {
		q->programmed = when;
		timer_hw_set(when);
	} else if (when && (!q->programmed || when < q->programmed)) {
		/* Only a CPU itself sets its timer. One that fires too early is harmless, so a later time can wait. */
		q->programmed = when;
		softirq_raise(cpu, SOFTIRQ_TIMER);
	}
}

/* The timer moved to another CPU before its queue was locked: tries again. */
static cold_fn struct timer_queue *timer_lock_again(const struct timer *t, struct timer_queue *q)
{
	do {
		spin_unlock(&q->lock);
		q = &timer_queue[READ_ONCE(t->cpu)];
		spin_lock(&q->lock);
	} while (q != &timer_queue[t->cpu]);
	return q;
}

static inline struct timer_queue *timer_lock(const struct timer *t)
{
	struct timer_queue *q = &timer_queue[READ_ONCE(t->cpu)];

	spin_lock(&q->lock);
	return likely(q == &timer_queue[READ_ONCE(t->cpu)]) ? q : timer_lock_again(t, q);
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg, unsigned int cpu)
{
	*t = (struct timer){ .fn = fn, .arg = arg, .cpu = cpu };
}

/* Arms t, or gives it another time. Queue locked. */
static noinline_fn void queue_arm(struct timer_queue *q, struct timer *t, ns_t expires)
{
	if (t->slot && t->slot != SLOT_OVERFLOW) {
		t->expires = expires;
		heap_place(q, t->slot - 1, t);
		return;
	}
	if (t->slot)
		queue_remove(q, t);
	t->expires = expires;
	queue_insert(q, t);
}

void timer_set(struct timer *t, ns_t expires)
{
	struct timer_queue *q = timer_lock(t);

	/* 0 would mean "off" to the hardware. */
	expires += !expires;
	/* Most CPUs have hardly any timer but that of the vCPU that runs. */
	if (likely(t->slot == 1 && q->count == 1))
		t->expires = expires;
	else
		queue_arm(q, t, expires);
	queue_program(q, t->cpu);
	spin_unlock(&q->lock);
}

void timer_stop(struct timer *t)
{
	struct timer_queue *q = timer_lock(t);

	if (t->slot) {
		queue_remove(q, t);
		queue_program(q, t->cpu);
	}
	spin_unlock(&q->lock);
}

/* Is fn of t being called on some CPU? A timer may have been moved since its call began. */
static bool timer_running(const struct timer *t)
{
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (__atomic_load_n(&timer_queue[cpu].running, __ATOMIC_ACQUIRE) == t)
			return true;
	return false;
}

void timer_kill(struct timer *t)
{
	/* fn may arm it again while we wait. */
	do {
		timer_stop(t);
		while (timer_running(t))
			spin_poll();
	} while (READ_ONCE(t->slot));
}

static void queues_lock(struct timer_queue *a, struct timer_queue *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	spin_lock_nested(a < b ? &b->lock : &a->lock);
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	for (;;) {
		unsigned int from = READ_ONCE(t->cpu);
		struct timer_queue *a = &timer_queue[from], *b = &timer_queue[cpu];
		bool done;

		if (from == cpu)
			return;
		queues_lock(a, b);
		done = t->cpu == from;
		if (done) {
			bool armed = t->slot != 0;

			if (armed)
				queue_remove(a, t);
			t->cpu = cpu;
			if (armed) {
				queue_insert(b, t);
				queue_program(a, from);
				queue_program(b, cpu);
			}
		}
		spin_unlock(&a->lock);
		spin_unlock(&b->lock);
		if (done)
			return;
	}
}

void timer_cpu_drain(unsigned int from, unsigned int to)
{
	struct timer_queue *a = &timer_queue[from], *b = &timer_queue[to];
	struct timer *t;

	queues_lock(a, b);
	while ((t = queue_first(a)) != NULL) {
		queue_remove(a, t);
		t->cpu = to;
		queue_insert(b, t);
	}
	a->programmed = 0;
	queue_program(b, to);
	spin_unlock(&a->lock);
	spin_unlock(&b->lock);
}

static void timer_softirq(unsigned int cpu)
{
	struct timer_queue *q = &timer_queue[cpu];
	struct timer *t;
	ns_t now;
	u32 budget;

	spin_lock(&q->lock);
	now = time_now();
	/* What is armed again for the past meanwhile waits for the next round, so that other work gets its turn. */
	budget = q->count + 1;
	q->processing = true;
	while ((t = queue_first(q)) != NULL && t->expires <= now && budget--) {
		queue_remove(q, t);
		__atomic_store_n(&q->running, t, __ATOMIC_RELAXED);
		spin_unlock(&q->lock);
		t->fn(t->arg);
		spin_lock(&q->lock);
		__atomic_store_n(&q->running, NULL, __ATOMIC_RELEASE);
	}
	q->processing = false;
	/* The hardware has fired, or was never told (a time set by another CPU): not "as programmed" in any case. */
	t = queue_first(q);
	q->programmed = t ? t->expires : 0;
	timer_hw_set(q->programmed);
	spin_unlock(&q->lock);
}

int timer_cpu_init(unsigned int cpu)
{
	static bool registered;
	struct timer_queue *q = &timer_queue[cpu];

	if (!registered) {
		registered = true;
		softirq_register(SOFTIRQ_TIMER, timer_softirq);
	}
	if (q->heap)
		return 0;
	spin_init(&q->lock, LOCK_TIMER);
	return heap_grow(q) ? 0 : -ENOMEM;
}

void timer_dump(void)
{
	unsigned int cpu;
	ns_t now = time_now();

	for_each_cpu(cpu, &cpu_online_map) {
		struct timer_queue *q = &timer_queue[cpu];

		spin_lock(&q->lock);
		log_always("CPU%u: %u timers, hardware set to %lld us from now", cpu, q->count,
			   q->programmed ? (long long)(q->programmed - now) / 1000 : -1LL);
		for (u32 i = 0; i < q->count && i < 16; i++)
			log_always("  %lld us, function %p, argument %p", (long long)(q->heap[i]->expires - now) / 1000,
				   (void *)(uintptr_t)q->heap[i]->fn, q->heap[i]->arg);
		spin_unlock(&q->lock);
	}
}
