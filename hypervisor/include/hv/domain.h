/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains and vCPUs. Each module keeps its own state of a domain in a struct of its own, reached here by pointer to an
 * incomplete type (or embedded where a hot path needs it); only the module's folder looks inside.
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/cpumask.h>
#include <hv/lock.h>
#include <hv/regs.h>
#include <hv/timer.h>
#include <xen/xen.h>
#include <xen/vcpu.h>

#define MAX_VCPUS 128u
/* Domids of ordinary domains: 0 to DOMID_FIRST_RESERVED - 1. */

struct domain;
struct vcpu;
struct event_space;	/* core/event */
struct grant_table;	/* core/grant */
struct pv_domain;	/* arch/x86/pv */
struct sched_domain;	/* core/sched */
struct sched_vcpu;
struct cpu_policy;	/* arch/x86/cpu */
struct pirq_domain;	/* arch/x86/irq */
struct rangeset;	/* lib */
struct fpu_area;	/* arch/x86/cpu */
struct console_line;	/* drivers/console */
struct memory_map;	/* core/memory */
struct dirty_log;	/* arch/x86/mm */
struct pv_mirror;	/* arch/x86/pv */
struct xen_domctl_shadow_op;

/* What differs between kinds of guests (PV now, HVM later). Installed at domain creation. */
struct guest_ops {
	int (*domain_init)(struct domain *d, const void *config);	/* struct xen_domctl_createdomain */
	void (*domain_free)(struct domain *d);
	/* Gives back everything the domain's address spaces hold; -ERESTART until done. */
	int (*domain_relinquish)(struct vcpu *actor, struct domain *d);
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_free)(struct vcpu *v);
	/* This CPU stops / starts running v (see pv/context.c). `next`, `prev` may be idle. Interrupts off. */
	void (*context_save)(struct vcpu *v);
	void (*context_load)(struct vcpu *v, struct vcpu *prev);
	/* vcpu_guest_context in and out; v is paused and not running. */
	int (*context_set)(struct vcpu *actor, struct vcpu *v, const void *ctxt);
	void (*context_get)(struct vcpu *v, void *ctxt);
	/* Work on the way to the guest beside scheduling: event upcall, NMI, pending traps. True = look again. */
	bool (*exit_work)(struct vcpu *v, struct regs *r);
	/*
	 * The hypervisor itself faulted at addr when it copied from or to the memory of v, which runs here; only while v's domain is
	 * logged. True: try again. As a guest's fault: no lock of LOCK_FRAME or above held.
	 */
	bool (*access_fault)(struct vcpu *v, gva_t addr, u32 error);
	/* XEN_DOMCTL_shadow_op, d not the actor's own; *out: op goes back to the caller. Pool of memory for it, in pages. */
	long (*shadow_op)(struct vcpu *actor, struct domain *d, struct xen_domctl_shadow_op *op, bool *out);
	long (*pool_set)(struct domain *d, u64 pages);
	u64 (*pool_get)(const struct domain *d);
};

/* The kinds there are; boot installs them before the first domain is created. NULL: not supported. */
extern const struct guest_ops *guest_ops_pv;

enum domain_life {
	DOMAIN_LIVE,
	DOMAIN_DYING,		/* being torn down, domain_relinquish makes progress */
	DOMAIN_DEAD,		/* torn down; goes when the last reference goes */
};

struct domain_memory {
	struct spinlock lock;	/* LOCK_DOMFRAMES: the fields below, and owner/flags/links of this domain's frames */
	u32 first;		/* list of owned frames (frame numbers; 0 = empty) */
	u32 doomed;		/* page tables that wait for invalidation, linked by aux (mm/frame_type.c; 0 = none) */
	u64 serial;		/* of this domain alone, ever; for the heap; not 0 */
	u64 pages;		/* frames counted to the domain */
	u64 max;		/* limit on `pages` */
	u64 claim;		/* outstanding claimed frames; LOCK_HEAP, which keeps the total */
	u64 shared;		/* FRAME_SHARED pages */
	u64 mapped_foreign;	/* of foreign domains, for getdomaininfo */
	struct memory_map *map;	/* XENMEM_set_memory_map; core/memory */
	struct memory_exchange *exchange;	/* XENMEM_exchange, from the first one on; core/memory */
};

struct domain {
	domid_t id;
	u8 life;		/* enum domain_life */
	bool privileged;	/* dom0: may use every dom0-only operation */
	bool is_idle;		/* owner of the idle vCPUs */
	bool is_hvm;		/* answers "which ABI", never used to vary code: use ops */
	bool is_shutting_down, is_shut_down;
	bool debugger_attached;
	bool created;		/* builder said hypercall_init / unpause at least once */
	bool logging;		/* writes of its pages are logged (hv/dirty_log.h) */
	u32 shutdown_code;	/* SHUTDOWN_* */
	u32 refs;		/* atomic */
	u32 pause_count;	/* atomic; not 0: no vCPU runs */
	u32 controller_pause_count;
	u32 create_flags;	/* XEN_DOMCTL_CDF_* */
	u32 ssidref;
	u32 max_vcpus;
	struct vcpu **vcpu;	/* max_vcpus pointers, NULL until initialised */
	u8 handle[16];		/* UUID */
	struct spinlock lock;	/* LOCK_DOMAIN */
	const struct guest_ops *ops;

	struct shared_info *shared;	/* one frame_share()d page */
	struct domain_memory memory;
	struct event_space *events;
	struct grant_table *grants;
	struct pv_domain *pv;
	struct dirty_log *log;		/* from the first time that it was logged on */
	struct pv_mirror *mirror;
	struct sched_domain *sched;
	struct cpu_policy *policy;
	struct pirq_domain *pirqs;	/* NULL until a physical interrupt is mapped (hv/pirq.h) */
	struct rangeset *ioports, *iomem, *irqs;	/* what the domain may touch; inclusive ranges; irqs are GSIs / pirqs */
	struct cpumask dirty_cpus;	/* CPUs whose TLB may hold entries of the domain */
	struct domain *target;		/* domain this one is device model for */

	s64 wallclock_offset;	/* seconds, set by settimeoffset */
	bool vtsc;		/* RDTSC is emulated, by tsc_guest_read (hv/time.h) */
	u32 tsc_mode, tsc_incarnation, vtsc_khz;
	s64 vtsc_base;		/* system time at which the emulated TSC was 0; may be negative */
	u64 vm_assist;		/* bit n: VMASST_TYPE n */
	u32 poll_mask_count;	/* vCPUs in SCHEDOP_poll */
	u32 cpupool;
	u32 teardown_step;	/* progress of domain_kill */
	u32 suspend_port;	/* own port raised when it has shut down (XEN_DOMCTL_subscribe); 0 = none */
	u64 node_affinity;	/* NUMA nodes that memory and vCPUs are placed on, bit mask; 0 = any */
	struct { struct timer timer; bool armed; } watchdog[2];
	struct console_line *console;	/* text written and not yet printed; LOCK_DOMAIN */
	struct domain *pool_next;	/* list of unused structs; LOCK_DOMLIST */
};

/* shutdown_code of a domain that was given none. */
#define SHUTDOWN_CODE_NONE UINT32_MAX

/* Why a vCPU does not run: vcpu->pause_flags, atomic bits. */
#define VPF_BLOCKED 1u		/* waits for an event */
#define VPF_DOWN 2u		/* not brought up, or offline */
#define VPF_POLL 4u		/* SCHEDOP_poll */
#define VPF_PARKED 8u		/* over its cap */

struct vcpu {
	/* Hot: used on entry and exit. */
	struct domain *domain;
	struct vcpu_info *info;		/* where the guest sees it: shared info or a registered page, always mapped for us */
	struct regs *regs;		/* live frame while it runs, &saved_regs otherwise */
	struct pv_vcpu *pv;
	u32 id;
	u32 cpu;			/* CPU it runs on or ran on last; changes under LOCK_SCHED of that CPU */
	u32 pause_flags;		/* VPF_*; atomic */
	u32 pause_count;		/* atomic */
	bool running;			/* its state is loaded on `cpu` */
	bool initialised;		/* context set; may be brought up */
	bool is_idle;
	bool preempt_hypercall;		/* set by the dispatcher while a hypercall may be restarted (see hypercall.h) */
	u8 nmi_pending;
	u8 nmi_masked;
	u8 mce_pending;
	bool in_multicall;

	struct regs saved_regs;
	struct fpu_area *fpu;		/* xsave area */
	struct sched_vcpu *sched;

	/* runstate; LOCK_SCHED of v->cpu */
	struct vcpu_runstate_info runstate;
	gva_t runstate_guest;		/* where the guest wants a copy; 0 = nowhere */
	gva_t time_guest;		/* secondary vcpu_time_info; 0 = nowhere */
	bool time_guest_stale;		/* ... was not mapped when it should have been written */

	/* vcpu_info page (VCPUOP_register_vcpu_info); INVALID_MFN = in shared info */
	mfn_t info_mfn;

	/* timers of the guest */
	struct timer singleshot;
	struct timer periodic;
	ns_t periodic_period;		/* 0 = off */
	ns_t periodic_last;
	struct timer poll;
	u32 poll_port;			/* port polled when one; 0 = several */

	/* events: VIRQ -> port, FIFO control block; core/event's, under LOCK_EVENT */
	u32 virq_port[NR_VIRQS];
	struct event_fifo_vcpu *fifo;

	struct cpumask hard_affinity, soft_affinity, saved_affinity;
	u32 affinity_broken;		/* SCHEDOP_pin_override and CPU offline */
};

/* --- core/domain.c --- */
struct xen_domctl_createdomain;
/* Boot: the pseudo domains and the idle domain. Needs the small-object allocator. */
void domains_init(void);
/* The idle vCPU of a CPU, created by the first call (before the CPU starts); NULL when out of memory. */
struct vcpu *idle_vcpu(unsigned int cpu) must_check;
/*
 * Creates a domain, paused once by the controller. id DOMID_INVALID chooses a free one. *out has one reference. Errors: -EINVAL -EEXIST
 * -ENOMEM. cfg: grant and event limits as domctl gives them (negative grant limits: the options' defaults).
 */
int domain_create(domid_t id, const struct xen_domctl_createdomain *cfg, bool privileged, struct domain **out) must_check;
/* Creates vCPU `id` (down, not initialised), on CPU `cpu`. -EINVAL, -EEXIST, -ENOMEM. */
int vcpu_create(struct domain *d, u32 id, u32 cpu, struct vcpu **out) must_check;
/* Finds a domain and takes a reference; NULL when there is none. */
struct domain *domain_get_by_id(domid_t id) must_check;
/* As above, and resolves DOMID_SELF to the actor's. */
struct domain *domain_get_by_any_id(struct vcpu *actor, domid_t id) must_check;
/* Finds a domain, DOMID_IO and DOMID_XEN included, without a reference: for callers that know it stays, e.g. by a frame it owns. Any context. */
struct domain *domain_peek(domid_t id);
/* Takes a further reference on a domain that the caller already holds safely. */
static inline void domain_get(struct domain *d)
{
	__atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
}
void domain_put(struct domain *d);
/* Walks live domains in id order: the first with id >= from, with a reference; NULL at the end. */
struct domain *domain_next(domid_t from) must_check;
/*
 * Pauses all vCPUs and waits until none runs / resumes. Nest. The waiting forms must not be used by a vCPU on itself or its own domain, nor with
 * a lock held that a vCPU of d might take.
 */
void domain_pause(struct domain *d);
void domain_pause_nosync(struct domain *d);
void domain_unpause(struct domain *d);
void vcpu_pause(struct vcpu *v);
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/*
 * Tears down: stops, relinquishes everything; -ERESTART until done. Called with a reference. When it returns 0 the domain is in no list any
 * more; its memory that others still map is freed as they unmap it. d is not the actor's domain. No lock but LOCK_CONTROL held.
 */
int domain_kill(struct vcpu *actor, struct domain *d) must_check;
/* Teardown: gives up the frames of an exchange that was preempted (core/memory/exchange.c). 0 or -ERESTART. d is not live any more. */
int memory_exchange_end(struct vcpu *actor, struct domain *d) must_check;
/*
 * The domain stops with a SHUTDOWN_* reason (toolstack is told by VIRQ_DOM_EXC); dom0's shuts the machine down. Its vCPUs stop at their next way
 * out of the hypervisor. No lock of LOCK_EVENT or above held.
 */
void domain_shutdown(struct domain *d, u32 reason);
/* The opposite, after a SHUTDOWN_suspend. The domain is paused by the controller. */
void domain_resume(struct domain *d);
/* Guest error that cannot be reported to the guest: logs why with a register dump, and crashes the actor's domain. Context: domain_shutdown's. */
void domain_crash(struct vcpu *v, const char *fmt, ...) format_like(2, 3);
/* The registers of v, and the words on its stack if v is the actor, to the log. */
void vcpu_dump(struct vcpu *v, bool is_actor);
/* The registers only, whatever the log level. */
void vcpu_dump_always(struct vcpu *v);
/* Boot, late: registers the debug keys about domains, scheduling and memory. */
void debug_keys_init(void);

extern struct domain *dom0;
extern struct domain *idle_domain;
/* Pseudo domains that own I/O memory and the hypervisor's own frames: DOMID_IO and DOMID_XEN. */
extern struct domain *dom_io;
extern struct domain *dom_xen;

static inline bool vcpu_runnable(const struct vcpu *v)
{
	return !(READ_ONCE(v->pause_flags) | READ_ONCE(v->pause_count) | READ_ONCE(v->domain->pause_count));
}

/* vCPU by id, or NULL; clamped under speculation. */
struct vcpu *domain_vcpu(const struct domain *d, u32 id);

#define for_each_vcpu(d, v) \
	for (u32 v##_i = 0; v##_i < (d)->max_vcpus; v##_i++) \
		if (((v) = (d)->vcpu[v##_i]) != NULL)

/* True when the actor is allowed dom0-only operations. */
static inline bool is_privileged(const struct vcpu *actor)
{
	return actor->domain->privileged;
}

#endif
