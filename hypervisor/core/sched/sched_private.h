/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to core/sched.
 *
 * A run queue serves one or more CPUs of a pool. Its lock (LOCK_SCHED) protects the queue, the scheduling state of every vCPU
 * that belongs to it (sv->rq), and the fields of its CPUs' struct sched_cpu. A vCPU changes its queue only under the lock of
 * the old one and while it is neither queued nor running. Queues are shared by CPUs of a socket rather than owned by one CPU
 * each: then the fairness among those CPUs needs no messages, and a wake-up finds an idle CPU under one lock.
 */
#ifndef CORE_SCHED_PRIVATE_H
#define CORE_SCHED_PRIVATE_H

#include <hv/cpumask.h>
#include <hv/domain.h>
#include <hv/list.h>
#include <hv/lock.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/tree.h>

struct sched_policy;
struct run_queue;

enum sched_state {
	SCHED_OFF,		/* not to be run, or on its way between queues */
	SCHED_QUEUED,		/* waits in its run queue */
	SCHED_RUNNING,		/* chosen by vcpu->cpu */
};

struct sched_vcpu {
	struct vcpu *vcpu;
	struct run_queue *rq;
	u8 state;			/* enum sched_state */
	bool yielded;			/* rather run another one next */
	bool parked;			/* on its domain's list of those over the cap; the domain's cap_lock */
	bool any_cpu;			/* allowed is all CPUs of the pool */
	u32 single;			/* the only CPU allowed, or MAX_CPUS */
	u32 home;			/* null policy: CPU that is its own, or MAX_CPUS */
	struct cpumask allowed;		/* hard affinity among the CPUs of the pool; never empty */
	struct cpumask preferred;	/* soft affinity (or NUMA placement) among allowed; allowed when it says nothing */
	struct tree_node node;		/* in the run queue */
	u64 vtime;			/* service received, divided by weight */
	u64 rate;			/* growth of vtime per ns, in 1/256 */
	u64 weight;			/* of the domain */
	ns_t charged;			/* RUNNING: service is accounted for up to here */
	ns_t slept;			/* OFF: since when */
	struct list parked_link;
};

struct sched_domain {
	struct domain *domain;
	struct cpupool *pool;
	u32 weight;
	u32 cap;			/* percent of one CPU; 0 = none */
	s64 budget;			/* ns left in this period; atomic, may be negative */
	u32 nr_running;			/* atomic */
	struct spinlock cap_lock;	/* LOCK_SCHED, taken with a run queue's lock held: the fields below */
	struct list parked;
	bool refill_idle;		/* timer is not armed because the budget is full */
	struct timer refill;
};

struct cpupool {
	struct cpupool *next;
	u32 id;
	u32 nr_domains;			/* atomic; those whose memory is not all gone included */
	const struct sched_policy *policy;
	struct cpumask cpus;
	struct cpumask idle;		/* CPUs with nothing to run; atomic bits, claimed by clearing */
	u32 nr_queues;			/* run queues in use */
	u32 nr_cpus;
	u64 ratelimit;			/* ns a vCPU may run before one that wakes up takes its place */
	u64 slice;			/* ns, the longest turn while others wait */
};

struct run_queue {
	struct spinlock lock;		/* LOCK_SCHED */
	u32 id;				/* CPU whose struct holds it */
	u32 nr_cpus;			/* 0: not in use */
	u32 nr_waiting;			/* queued vCPUs */
	u32 nr_running;
	u64 weight;			/* of queued and running ones */
	struct cpupool *pool;
	struct cpumask cpus;
	struct tree shared;		/* vCPUs that more than one CPU may run, by vtime */
	u64 vtime_max;			/* largest virtual time of its CPUs */
	u64 base;			/* vtime_max - base is its progress, to compare with other queues' */
	ns_t refreshed;			/* when the CPUs' virtual times were brought up to date */
	ns_t balanced;			/* when last compared with the other queues */
};

/* Scheduling state of a CPU. Allocated when it first comes up, never freed. */
struct sched_cpu {
	u32 cpu;
	struct run_queue *rq;		/* NULL: in no pool */
	struct vcpu *loaded;		/* whose state the CPU holds; only that CPU changes it */
	struct sched_vcpu *curr;	/* running, NULL when idle */
	bool tickled;			/* was asked to look again, and has not yet */
	bool preempt;			/* a vCPU that woke up should have curr's place as soon as curr has had its least time */
	ns_t run_since;			/* when curr was switched to */
	u64 vtime;			/* virtual time: that of the last vCPU chosen */
	struct tree pinned;		/* waiting vCPUs that only this CPU may run */
	struct timer slice;		/* end of curr's turn */
	struct run_queue queue;		/* for the group this CPU founds; see group_find */
};

extern struct sched_cpu *sched_cpus[MAX_CPUS];

/*
 * What distinguishes schedulers. "locked": the lock of the vCPU's (CPU's) run queue is held.
 */
struct sched_policy {
	const char *name;
	u32 id;				/* XEN_SCHEDULER_* */
	bool shared_queues;		/* CPUs of a socket share a run queue */
	/* Queue for a vCPU that is about to be queued; NULL: it cannot run for now. Locked (its present queue); looks at others without. */
	struct run_queue *(*place)(struct sched_vcpu *sv);
	/* Queues a runnable vCPU that is in state OFF, and tells a CPU that should look. Locked. */
	void (*enqueue)(struct run_queue *rq, struct sched_vcpu *sv, ns_t now);
	void (*dequeue)(struct run_queue *rq, struct sched_vcpu *sv);
	/* sv runs on sc: accounts for its service up to now. Locked. */
	void (*charge)(struct sched_cpu *sc, struct sched_vcpu *sv, ns_t now);
	/*
	 * Chooses among cur (NULL, or runnable and not queued; state RUNNING or, if it was blocked with its state still loaded, OFF) and the queue.
	 * The result is not queued any more. *until: when to look again; 0 = need not. Locked.
	 */
	struct sched_vcpu *(*pick)(struct sched_cpu *sc, struct sched_vcpu *cur, ns_t now, ns_t *until);
	/* sv has become OFF. Locked. */
	void (*stopped)(struct run_queue *rq, struct sched_vcpu *sv, ns_t now);
	/* Nothing to run on sc: brings a waiting vCPU over from elsewhere. True: look again. No lock. May be NULL. */
	bool (*steal)(struct sched_cpu *sc);
	/* From time to time, on a CPU that runs. No lock. May be NULL. */
	void (*balance)(struct sched_cpu *sc, ns_t now);
	/* sv leaves the policy (end, or move to another pool). Not running. Locked. */
	void (*leave)(struct run_queue *rq, struct sched_vcpu *sv);
	/* Relation to a new queue: sv OFF, old queue's lock held. May be NULL. */
	void (*requeue)(struct run_queue *from, struct run_queue *to, struct sched_vcpu *sv);
};

extern const struct sched_policy sched_policy_credit2, sched_policy_credit, sched_policy_null;
extern struct cpupool *cpupools;

/* Locks the run queue of a vCPU (of a CPU; NULL when that is in no pool). */
struct run_queue *sched_lock(struct sched_vcpu *sv);
struct run_queue *sched_cpu_lock(struct sched_cpu *sc);
/* Queues sv, which is OFF, if it is runnable and not loaded somewhere. Called with its queue locked; returns with no lock. */
void sched_enqueue_unlock(struct run_queue *rq, struct sched_vcpu *sv, ns_t now);
/* Makes a CPU look at its queue again. */
void sched_tickle(struct sched_cpu *sc);
/* Recomputes allowed, preferred and what follows from them. Locked, sv not queued. */
void sched_allowed_update(struct sched_vcpu *sv);
/* After a change of affinity or of the pool's CPUs: takes sv to where it may be. No lock. */
void sched_vcpu_reconsider(struct sched_vcpu *sv);
/* One step of schedule() without idling: true when a vCPU was chosen (and switched to), false when there is nothing to run. */
bool schedule_once(unsigned int cpu);
/* Writes v's run state to where the guest wants it; v is loaded on this CPU. */
void runstate_publish(struct vcpu *v);
struct cpupool *cpupool_find(u32 id);
/* Creates the pool that CPUs join as they come up. */
void cpupool_init(const struct sched_policy *policy);
/* The policy of that XEN_SCHEDULER_* number, or of that name; NULL. */
const struct sched_policy *sched_policy_find(u32 id);
const struct sched_policy *sched_policy_named(const char *name);

/* ns, as the option says. */
u64 sched_ratelimit_default(void);
/* Puts a CPU that is in no pool into one, / takes it out: -EBUSY, or -ERESTART when called on that CPU. Control lock held. */
int cpupool_cpu_insert(struct cpupool *pool, unsigned int cpu);
int cpupool_cpu_take(struct cpupool *pool, unsigned int cpu);

/* --- weighted-fair policy --- */
/* Virtual time that a vCPU competes with in a run queue. */
u64 fair_reference(const struct run_queue *rq, const struct sched_vcpu *sv);
void fair_dequeue(struct run_queue *rq, struct sched_vcpu *sv);
void fair_refresh(struct run_queue *rq, ns_t now);
void fair_enqueue(struct run_queue *rq, struct sched_vcpu *sv, ns_t now);
void fair_charge(struct sched_cpu *sc, struct sched_vcpu *sv, ns_t now);
struct run_queue *fair_place(struct sched_vcpu *sv);
bool fair_steal(struct sched_cpu *sc);
void fair_balance(struct sched_cpu *sc, ns_t now);
void fair_requeue(struct run_queue *from, struct run_queue *to, struct sched_vcpu *sv);
static inline struct sched_vcpu *fair_vcpu(const struct tree_node *n)
{
	return n ? tree_entry((struct tree_node *)(uintptr_t)n, struct sched_vcpu, node) : NULL;
}
/* Order on a circle: virtual times wrap round. */
static inline s64 vtime_diff(u64 a, u64 b)
{
	return (s64)(a - b);
}
/* ns of real time on one CPU, as virtual time of a vCPU. */
static inline u64 vtime_of(const struct sched_vcpu *sv, ns_t ns)
{
	return ns * sv->rate >> 8;
}

/* --- caps --- */
void cap_init(struct sched_domain *sd);
void cap_destroy(struct sched_domain *sd);
void cap_set(struct sched_domain *sd, u32 percent);
/* Time a capped vCPU that is chosen may run; 0: its domain has used up its share, and sv was parked. Run queue locked. */
ns_t cap_allowance(struct sched_vcpu *sv);
void cap_charge(struct sched_domain *sd, ns_t used);
/* Takes sv off the list of parked ones. */
void cap_forget(struct sched_vcpu *sv);

#endif
