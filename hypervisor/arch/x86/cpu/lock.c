/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticket locks. */
#include <hv/cpu.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/smp.h>

#include "lock_order.h"

static struct lock_order held[MAX_CPUS];	/* debug builds; each CPU touches its own */

static void order_check(const struct spinlock *l, bool nested)
{
	unsigned int cpu = this_cpu();

	if (panic_in_progress())
		return;
	if (l->holder == cpu + 1 && !nested)
		panic("lock of level %u taken twice", l->level);
	if (!lock_order_allows(&held[cpu], l->level, nested))
		panic("lock of level %u taken while one of level %u is held", l->level,
		      lock_order_highest(&held[cpu]));
}

static void order_take(struct spinlock *l)
{
	unsigned int cpu = this_cpu();

	l->holder = (u16)(cpu + 1);
	if (!lock_order_push(&held[cpu], l->level) && !panic_in_progress())
		panic("too many locks held");
}

/* Apart, so that a lock that is free costs no saved registers. */
static noinline_fn void ticket_spin(const struct spinlock *l, u16 ticket)
{
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		spin_poll();
}

static inline void ticket_wait(struct spinlock *l)
{
	u16 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	if (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket))
		ticket_spin(l, ticket);
}

void spin_lock(struct spinlock *l)
{
	if (ARGON_DEBUG)
		order_check(l, false);
	ticket_wait(l);
	if (ARGON_DEBUG)
		order_take(l);
}

void spin_lock_nested(struct spinlock *l)
{
	if (ARGON_DEBUG)
		order_check(l, true);
	ticket_wait(l);
	if (ARGON_DEBUG)
		order_take(l);
}

bool spin_trylock(struct spinlock *l)
{
	u16 ticket = __atomic_load_n(&l->owner, __ATOMIC_ACQUIRE);
	u16 next = ticket;

	/* next == owner: free. It stays so until someone moves next, and owner moves only after that. */
	if (!__atomic_compare_exchange_n(&l->next, &next, (u16)(ticket + 1), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	if (ARGON_DEBUG)
		order_take(l);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	if (ARGON_DEBUG) {
		if (!lock_order_pop(&held[this_cpu()], l->level) && !panic_in_progress())
			panic("unlocks a lock of level %u that it does not hold", l->level);
		l->holder = 0;
	}
	__atomic_store_n(&l->owner, (u16)(l->owner + 1), __ATOMIC_RELEASE);
}

void lock_assert_below(enum lock_level level)
{
	if (ARGON_DEBUG && !panic_in_progress() && lock_order_highest(&held[this_cpu()]) >= level)
		panic("a lock of level %u is held where only those below %u may be",
		      lock_order_highest(&held[this_cpu()]), level);
}

void spin_poll(void)
{
	cpu_relax();
	smp_answer();
}
