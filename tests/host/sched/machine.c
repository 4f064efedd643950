/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/time.h>
#include "machine.h"

#define DOMAINS 256u

ns_t clock_now;
bool check_always;
static unsigned int here, cpus_made;
static struct cpu_info infos[MAX_CPUS];
static struct domain *domains[DOMAINS];
static struct tasklet *tasklets;
struct domain *idle_domain;
struct cpumask cpu_online_map, cpu_present_map;
struct cpu_topology cpu_topology[MAX_CPUS];
static u64 random_state;

static noreturn_fn void fail(const char *fmt, ...) format_like(1, 2);
static noreturn_fn void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "at %.6f s: ", (double)clock_now / 1e9);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	abort();
}

void random_seed(u64 seed)
{
	random_state = seed * 2 + 1;
}

u32 random_below(u32 n)
{
	random_state = random_state * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)((random_state >> 33) % n);
}

/* --- what stands in for the rest of the hypervisor --- */

struct cpu_info *cpu_info(void) { return &infos[here]; }
struct cpu_info *cpu_info_of(unsigned int cpu) { return &infos[cpu]; }
ns_t time_now(void) { return clock_now; }
void time_update_vcpu(struct vcpu *v) { (void)v; }
bool event_pending(const struct vcpu *v) { (void)v; return false; }
void *hv_alloc(size_t size) { return calloc(1, size); }
void hv_free(void *p) { free(p); }
int guest_copy_out(struct vcpu *v, gva_t dst, const void *src, size_t len) { (void)v; (void)dst; (void)src; (void)len; return 0; }
int guest_write64(struct vcpu *v, gva_t dst, u64 val) { (void)v; (void)dst; (void)val; return 0; }
void smp_kick(unsigned int cpu) { (void)cpu; }
void softirq_run(unsigned int cpu) { (void)cpu; }
u32 softirq_pending(unsigned int cpu) { return infos[cpu].softirq; }
void softirq_raise(unsigned int cpu, enum softirq nr) { infos[cpu].softirq |= 1u << nr; }
void cpu_idle(unsigned int cpu) { fail("CPU %u idles inside of the scheduler", cpu); }
void context_switch(struct vcpu *prev, struct vcpu *next) { (void)prev; (void)next; }
void log_print(enum log_level level, const char *fmt, ...) { (void)level; (void)fmt; }
void log_always(const char *fmt, ...) { (void)fmt; }
noreturn_fn void panic(const char *fmt, ...) { fail("panic: %s", fmt); }
noreturn_fn void bug_report(const char *what, const char *file, unsigned int line) { fail("%s:%u: %s", file, line, what); }

void spin_lock(struct spinlock *l)
{
	if (l->holder)
		fail("lock of level %u taken twice", l->level);
	l->holder = 1;
}

void spin_lock_nested(struct spinlock *l) { spin_lock(l); }

void spin_unlock(struct spinlock *l)
{
	if (!l->holder)
		fail("lock of level %u is not held", l->level);
	l->holder = 0;
}

void tasklet_schedule(struct tasklet *t, unsigned int cpu)
{
	(void)cpu;
	if (t->queued)
		return;
	t->queued = true;
	t->next = tasklets;
	tasklets = t;
}

static void settle_one(unsigned int cpu);

void spin_poll(void)
{
	unsigned int was = here;

	/* The other CPUs go on. */
	for (unsigned int cpu = 0; cpu < cpus_made; cpu++)
		if (cpu != was && cpu_online(cpu) && (infos[cpu].softirq & (1u << SOFTIRQ_SCHEDULE)))
			settle_one(cpu);
	here = was;
}

struct vcpu *idle_vcpu(unsigned int cpu)
{
	struct vcpu *v = idle_domain->vcpu[cpu];

	if (v)
		return v;
	v = calloc(1, sizeof(*v));
	v->domain = idle_domain;
	v->is_idle = true;
	v->id = v->cpu = cpu;
	idle_domain->vcpu[cpu] = v;
	return v;
}

struct domain *domain_next(domid_t from)
{
	for (u32 i = from; i < DOMAINS; i++)
		if (domains[i])
			return domains[i];
	return NULL;
}

void domain_put(struct domain *d) { (void)d; }

void domain_pause(struct domain *d)
{
	unsigned int was = here;
	struct vcpu *v;

	/* Whoever asks, it is on no CPU that the domain runs on. */
	here = MAX_CPUS - 1;
	d->pause_count++;
	for_each_vcpu(d, v)
		vcpu_sleep_sync(v);
	here = was;
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	if (--d->pause_count == 0)
		for_each_vcpu(d, v)
			vcpu_wake(v);
}

/* --- timers: one heap --- */

static struct timer **heap;
static u32 heap_count, heap_size;

static void heap_at(u32 i, struct timer *t)
{
	heap[i] = t;
	t->slot = i + 1;
}

static void heap_fix(u32 i)
{
	struct timer *t = heap[i];

	while (i && heap[(i - 1) / 2]->expires > t->expires) {
		heap_at(i, heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		u32 c = 2 * i + 1;

		if (c >= heap_count)
			break;
		if (c + 1 < heap_count && heap[c + 1]->expires < heap[c]->expires)
			c++;
		if (heap[c]->expires >= t->expires)
			break;
		heap_at(i, heap[c]);
		i = c;
	}
	heap_at(i, t);
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg, unsigned int cpu)
{
	*t = (struct timer){ .fn = fn, .arg = arg, .cpu = cpu };
}

void timer_set(struct timer *t, ns_t expires)
{
	t->expires = expires;
	if (!t->slot) {
		if (heap_count == heap_size)
			heap = realloc(heap, (heap_size = heap_size * 2 + 64) * sizeof(*heap));
		heap_at(heap_count, t);
		heap_count++;
	}
	heap_fix(t->slot - 1);
}

void timer_stop(struct timer *t)
{
	u32 i = t->slot - 1;

	if (!t->slot)
		return;
	t->slot = 0;
	if (i != --heap_count) {
		heap_at(i, heap[heap_count]);
		heap_fix(i);
	}
}

void timer_kill(struct timer *t) { timer_stop(t); }
void timer_migrate(struct timer *t, unsigned int cpu) { t->cpu = cpu; }

/* --- guests --- */

struct load *load_of(const struct vcpu *v)
{
	return (struct load *)(uintptr_t)v->pv;
}

static ns_t drawn(const struct load *l, ns_t mean)
{
	return l->jitter ? mean * (1 + random_below(2000)) / 1000 : mean;
}

static void load_off(struct load *l)
{
	ns_t ran = clock_now - l->since;

	l->on_cpu = false;
	l->used += ran;
	l->left -= MIN(ran, l->left);
	timer_stop(&l->done);
	l->waits = vcpu_runnable(l->v) || (l->v->pause_flags & VPF_PARKED) ? clock_now : 0;
}

static void load_on(struct load *l, unsigned int cpu)
{
	if (!cpumask_test(&l->v->hard_affinity, cpu) && cpumask_test(&l->v->sched->allowed, cpu) == 0)
		fail("d%uv%u runs on CPU %u against its affinity", l->v->domain->id, l->v->id, cpu);
	l->on_cpu = true;
	l->since = clock_now;
	l->switches++;
	if (l->waits && !(l->v->pause_flags & VPF_PARKED) && clock_now - l->waits > l->wait_max)
		l->wait_max = clock_now - l->waits;
	l->waits = 0;
	if (l->woken) {
		ns_t latency = clock_now - l->woken;

		l->latency_max = MAX(l->latency_max, latency);
		l->latency_sum += latency;
		l->latency_count++;
		l->woken = 0;
	}
	l->done.cpu = cpu;
	if (l->sleep)
		timer_set(&l->done, clock_now + l->left);
}

/* The run is over: it blocks. */
static void load_done(void *arg)
{
	struct load *l = arg;

	if (!l->on_cpu)
		return;
	timer_set(&l->wake, clock_now + drawn(l, l->sleep));
	vcpu_block(l->v);
}

static void load_wake(void *arg)
{
	struct load *l = arg;

	l->left = drawn(l, l->run);
	if (l->left == 0)
		l->left = 1;
	/* The event may come from anywhere. */
	here = cpumask_next(&cpu_online_map, random_below(cpumask_weight(&cpu_online_map)));
	if (!(l->v->pause_flags & VPF_BLOCKED))
		return;
	l->woken = clock_now;
	vcpu_unblock(l->v);
	if (!l->v->domain->pause_count && !l->v->pause_count && !l->on_cpu)
		l->waits = clock_now;
	else
		l->woken = l->on_cpu ? 0 : l->woken;
}

struct load *load_start(struct domain *d, unsigned int n, ns_t run, ns_t sleep, bool jitter)
{
	struct vcpu *v = d->vcpu[n];
	struct load *l = load_of(v);

	l->run = run;
	l->sleep = sleep;
	l->jitter = jitter;
	l->left = run;
	v->pause_flags &= ~VPF_DOWN;
	l->waits = clock_now;
	vcpu_wake(v);
	return l;
}

struct domain *domain_new(unsigned int vcpus, u32 pool)
{
	struct domain *d = calloc(1, sizeof(*d));
	u32 id;

	for (id = 0; domains[id]; id++)
		;
	d->id = (domid_t)id;
	d->max_vcpus = vcpus;
	d->vcpu = calloc(vcpus, sizeof(struct vcpu *));
	if (sched_domain_init(d, pool))
		fail("sched_domain_init");
	for (u32 i = 0; i < vcpus; i++) {
		struct vcpu *v = calloc(1, sizeof(*v));
		struct load *l = calloc(1, sizeof(*l));

		v->domain = d;
		v->id = i;
		v->cpu = sched_first_cpu(d, id + i);
		v->pause_flags = VPF_DOWN;
		v->pv = (struct pv_vcpu *)l;
		l->v = v;
		timer_init(&v->singleshot, load_done, l, 0);
		timer_init(&v->periodic, load_done, l, 0);
		timer_init(&v->poll, load_done, l, 0);
		timer_init(&l->done, load_done, l, 0);
		timer_init(&l->wake, load_wake, l, 0);
		if (sched_vcpu_init(v))
			fail("sched_vcpu_init");
		d->vcpu[i] = v;
	}
	domains[id] = d;
	return d;
}

static void notice(unsigned int cpu, struct sched_vcpu *was);

void domain_drop(struct domain *d)
{
	domain_pause(d);
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (sched_cpus[cpu])
			notice(cpu, NULL);
	domains[d->id] = NULL;
	for (u32 i = 0; i < d->max_vcpus; i++) {
		struct load *l = load_of(d->vcpu[i]);

		timer_stop(&l->done);
		timer_stop(&l->wake);
		sched_vcpu_free(d->vcpu[i]);
		free(l);
		free(d->vcpu[i]);
	}
	sched_domain_free(d);
	free(d->vcpu);
	free(d);
}

/* --- the run of things --- */

static struct sched_vcpu *seen[MAX_CPUS];

/* What runs on the CPU may have changed. */
static void notice(unsigned int cpu, struct sched_vcpu *was)
{
	struct sched_vcpu *curr = sched_cpus[cpu]->curr;

	(void)was;
	if (seen[cpu] == curr)
		return;
	if (seen[cpu])
		load_off(load_of(seen[cpu]->vcpu));
	seen[cpu] = curr;
	if (curr)
		load_on(load_of(curr->vcpu), cpu);
}

static void settle_one(unsigned int cpu)
{
	here = cpu;
	schedule_try(cpu);
	notice(cpu, NULL);
}

static void settle(void)
{
	bool again;

	do {
		again = false;
		while (tasklets) {
			struct tasklet *t = tasklets;

			tasklets = t->next;
			t->queued = false;
			t->fn(t->arg);
			again = true;
		}
		for (unsigned int cpu = 0; cpu < cpus_made; cpu++)
			if (infos[cpu].softirq & (1u << SOFTIRQ_SCHEDULE)) {
				settle_one(cpu);
				again = true;
			}
	} while (again);
	if (check_always)
		machine_check();
}

void machine_cpu(unsigned int cpu) { here = cpu; }

static void check_vcpu(const struct vcpu *v)
{
	const struct sched_vcpu *sv = v->sched;
	const struct sched_cpu *sc = sched_cpus[v->cpu];

	if (sv->state == SCHED_RUNNING && (!v->running || sc->curr != sv || !vcpu_runnable(v)))
		fail("d%uv%u is said to run", v->domain->id, v->id);
	if (sv->state == SCHED_QUEUED && (v->running || !vcpu_runnable(v) || !sv->rq->nr_cpus))
		fail("d%uv%u is queued and should not be", v->domain->id, v->id);
	if (sv->state == SCHED_OFF && vcpu_runnable(v) && sv->rq->pool->policy != &sched_policy_null)
		fail("d%uv%u is forgotten", v->domain->id, v->id);
	if (sv->state == SCHED_RUNNING && v->runstate.state != RUNSTATE_running)
		fail("d%uv%u run state", v->domain->id, v->id);
	if (sv->state == SCHED_QUEUED && v->runstate.state != RUNSTATE_runnable)
		fail("d%uv%u run state", v->domain->id, v->id);
	if (sv->state == SCHED_QUEUED && sv->rq->pool->policy != &sched_policy_null) {
		struct cpumask m = cpumask_and(&sv->rq->pool->cpus, &sv->allowed);
		unsigned int cpu;

		for_each_cpu(cpu, &m)
			if (!sched_cpus[cpu]->curr)
				fail("CPU %u idles while d%uv%u waits", cpu, v->domain->id, v->id);
	}
}

void machine_check(void)
{
	struct vcpu *v;

	for (u32 i = 0; i < DOMAINS; i++)
		if (domains[i])
			for_each_vcpu(domains[i], v)
				check_vcpu(v);
	for (unsigned int cpu = 0; cpu < cpus_made; cpu++) {
		struct sched_cpu *sc = sched_cpus[cpu];
		u32 waiting = 0, running = 0;
		struct run_queue *rq;
		u64 weight = 0;

		if (!sc || !sc->rq || cpumask_next(&sc->rq->cpus, 0) != cpu)
			continue;
		rq = sc->rq;
		for (u32 i = 0; i < DOMAINS; i++)
			if (domains[i])
				for_each_vcpu(domains[i], v) {
					if (v->sched->rq != rq)
						continue;
					waiting += v->sched->state == SCHED_QUEUED;
					running += v->sched->state == SCHED_RUNNING;
					weight += v->sched->state == SCHED_OFF ? 0 : v->sched->weight;
				}
		if (rq->nr_waiting != waiting || rq->nr_running != running || rq->weight != weight)
			fail("run queue %u has wrong sums", rq->id);
	}
}

void machine_run(ns_t time)
{
	ns_t end = clock_now + time;

	settle();
	while (heap_count && heap[0]->expires <= end) {
		struct timer *t = heap[0];

		clock_now = MAX(clock_now, t->expires);
		timer_stop(t);
		here = t->cpu;
		t->fn(t->arg);
		settle();
	}
	clock_now = end;
}

void machine_measure(void)
{
	struct vcpu *v;

	for (u32 i = 0; i < DOMAINS; i++)
		if (domains[i])
			for_each_vcpu(domains[i], v) {
				struct load *l = load_of(v);

				l->used = 0;
				if (l->on_cpu)
					l->since = clock_now;
				l->latency_max = l->latency_sum = l->wait_max = 0;
				l->latency_count = l->switches = 0;
				l->woken = 0;
				if (l->waits)
					l->waits = clock_now;
			}
}

static const struct sched_policy *policy_wanted;

void machine_start(unsigned int cpus, unsigned int per_socket, const char *policy)
{
	clock_now = SEC;
	cpus_made = cpus;
	memset(infos, 0, sizeof(infos));
	memset(seen, 0, sizeof(seen));
	tasklets = NULL;
	cpu_online_map = cpumask_none();
	idle_domain = calloc(1, sizeof(*idle_domain));
	idle_domain->vcpu = calloc(MAX_CPUS, sizeof(struct vcpu *));
	policy_wanted = sched_policy_named(policy);
	cpupool_init(policy_wanted);
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		infos[cpu].cpu = cpu;
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		cpu_topology[cpu] = (struct cpu_topology){ .apic_id = cpu, .core = cpu, .socket = cpu / per_socket,
							   .node = cpu / per_socket };
		cpumask_set(&cpu_online_map, cpu);
		here = cpu;
		if (sched_cpu_up(cpu))
			fail("sched_cpu_up");
	}
}

void machine_stop(void)
{
	for (u32 i = 0; i < DOMAINS; i++)
		if (domains[i])
			domain_drop(domains[i]);
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (sched_cpus[cpu])
			timer_stop(&sched_cpus[cpu]->slice);
		free(sched_cpus[cpu]);
		sched_cpus[cpu] = NULL;
		free(idle_domain->vcpu[cpu]);
	}
	while (cpupools) {
		struct cpupool *next = cpupools->next;

		free(cpupools);
		cpupools = next;
	}
	free(idle_domain->vcpu);
	free(idle_domain);
	free(heap);
	heap = NULL;
	heap_count = heap_size = 0;
}
