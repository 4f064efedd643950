/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of CPUs. */
#ifndef HV_CPUMASK_H
#define HV_CPUMASK_H

#include <hv/types.h>

/* Hardware threads supported. */
#define MAX_CPUS 256u

struct cpumask {
	u64 bits[MAX_CPUS / 64];
};

static inline bool cpumask_test(const struct cpumask *m, unsigned int cpu)
{
	return (__atomic_load_n(&m->bits[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64)) & 1;
}

/* Atomic. */
static inline void cpumask_set(struct cpumask *m, unsigned int cpu)
{
	__atomic_fetch_or(&m->bits[cpu / 64], 1UL << (cpu % 64), __ATOMIC_SEQ_CST);
}

/* Atomic. */
static inline void cpumask_clear(struct cpumask *m, unsigned int cpu)
{
	__atomic_fetch_and(&m->bits[cpu / 64], ~(1UL << (cpu % 64)), __ATOMIC_SEQ_CST);
}

/* Atomic: clears the bit and returns its old value. */
static inline bool cpumask_test_and_clear(struct cpumask *m, unsigned int cpu)
{
	u64 bit = 1UL << (cpu % 64);

	return (__atomic_fetch_and(&m->bits[cpu / 64], ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

static inline struct cpumask cpumask_none(void)
{
	return (struct cpumask){ { 0 } };
}

static inline struct cpumask cpumask_of(unsigned int cpu)
{
	struct cpumask m = cpumask_none();

	m.bits[cpu / 64] = 1UL << (cpu % 64);
	return m;
}

static inline struct cpumask cpumask_and(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask m;

	for (unsigned int i = 0; i < MAX_CPUS / 64; i++)
		m.bits[i] = a->bits[i] & b->bits[i];
	return m;
}

static inline struct cpumask cpumask_or(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask m;

	for (unsigned int i = 0; i < MAX_CPUS / 64; i++)
		m.bits[i] = a->bits[i] | b->bits[i];
	return m;
}

static inline bool cpumask_empty(const struct cpumask *m)
{
	u64 any = 0;

	for (unsigned int i = 0; i < MAX_CPUS / 64; i++)
		any |= m->bits[i];
	return any == 0;
}

static inline unsigned int cpumask_weight(const struct cpumask *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MAX_CPUS / 64; i++)
		for (u64 w = m->bits[i]; w; w &= w - 1)
			n++;
	return n;
}

/* The first CPU in the set at or after `from`; MAX_CPUS when there is none. */
static inline unsigned int cpumask_next(const struct cpumask *m, unsigned int from)
{
	while (from < MAX_CPUS) {
		u64 w = m->bits[from / 64] >> (from % 64);

		if (w)
			return from + (unsigned int)__builtin_ctzll(w);
		from = (from / 64 + 1) * 64;
	}
	return MAX_CPUS;
}

#define for_each_cpu(cpu, mask) \
	for ((cpu) = cpumask_next((mask), 0); (cpu) < MAX_CPUS; (cpu) = cpumask_next((mask), (cpu) + 1))

#endif
