/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to core/event. */
#ifndef CORE_EVENT_EVENT_H
#define CORE_EVENT_EVENT_H

#include <hv/domain.h>
#include <hv/event.h>
#include <hv/guest.h>
#include <xen/event_channel.h>

enum port_state {
	PORT_FREE,
	PORT_RESERVED,		/* never handed out: port 0 */
	PORT_UNBOUND,		/* waits for remote_id to bind */
	PORT_INTERDOMAIN,
	PORT_PIRQ,
	PORT_VIRQ,
	PORT_IPI,
};

/* One event channel end. All fields under the domain's event lock, except `pending` and last_* (FIFO lock). */
struct port {
	u8 state;		/* enum port_state */
	u8 priority;		/* FIFO queue, 0 (first) to 15 */
	u8 last_priority;	/* queue it was linked on last */
	bool pending;		/* FIFO: pending while its event word does not exist yet */
	u16 notify_vcpu;
	u16 last_vcpu;
	struct domain *remote;	/* PORT_INTERDOMAIN; a reference is held */
	union {
		u32 remote_port;	/* PORT_INTERDOMAIN */
		u32 remote_id;		/* PORT_UNBOUND: domid allowed to bind */
		u32 pirq;
		u32 virq;
	};
};
_Static_assert(sizeof(struct port) == 24, "struct port");

#define PORTS_PER_PAGE 128u
#define MAX_PORTS_2L 4096u
#define MAX_PORTS_FIFO (1u << 17)
/* Physical interrupts that one domain may bind. */
#define MAX_PIRQS 4096u

struct fifo_domain;

/* How an ABI marks, masks and queries ports. Called with a valid port. */
struct event_abi {
	void (*set_pending)(struct domain *d, struct vcpu *v, u32 port, struct port *p);
	void (*clear_pending)(struct domain *d, u32 port, struct port *p);
	void (*unmask)(struct domain *d, u32 port, struct port *p);
	bool (*is_pending)(struct domain *d, u32 port, struct port *p);
	bool (*is_masked)(struct domain *d, u32 port, struct port *p);
};
extern const struct event_abi event_abi_2l, event_abi_fifo;
/* set_pending of event_abi_2l, which most events are sent by. */
void event_2l_set_pending(struct domain *d, struct vcpu *v, u32 nr, struct port *p);

struct event_space {
	struct spinlock lock;		/* LOCK_EVENT: everything here */
	const struct event_abi *abi;
	u32 max_ports;			/* limit of the domain's configuration */
	u32 nr_ports;			/* ports that have a struct port */
	u32 free_hint;			/* no free port below this */
	u32 active;			/* ports not free */
	u32 close_next;			/* progress of event_space_close and reset */
	bool dying;			/* no new ports */
	struct port **page;		/* PORTS_PER_PAGE ports each */
	u32 *pirq_port;			/* MAX_PIRQS entries, allocated with the first PIRQ */
	struct fifo_domain *fifo;
};

/* The port, or NULL when it is out of range. Event lock held. */
static inline struct port *port_find(const struct event_space *s, u32 nr)
{
	if (unlikely(nr >= s->nr_ports))
		return NULL;
	nr = (u32)index_clamp(nr, s->nr_ports);
	return &s->page[nr / PORTS_PER_PAGE][nr % PORTS_PER_PAGE];
}
/* Takes a free port (growing the table): its number or -ENOSPC, -ENOMEM. Event lock held. */
int port_alloc(struct event_space *s);
/* Back to free: clears pending state. Event lock held. */
void port_free(struct domain *d, u32 nr, struct port *p);
/* Closes a port that the guest names; -EINVAL when it is not open. No lock held. */
int port_close(struct domain *d, u32 nr);
/* Locks two domains' event spaces in domid order (a == b: once). */
void event_lock_pair(struct domain *a, struct domain *b);
void event_unlock_pair(struct domain *a, struct domain *b);
/* Marks a bound port of d pending and tells its vCPU. d's port cannot be closed meanwhile (some lock of the two ends is held). */
void port_raise(struct domain *d, u32 nr, struct port *p);
/* Sets evtchn_upcall_pending and wakes or kicks the vCPU. */
void vcpu_upcall_mark(struct vcpu *v);
/* A port became pending: lets SCHEDOP_poll callers see it. */
void port_wake_pollers(struct domain *d, u32 nr);
/* Send on a port of d as the guest does; the event lock is taken inside. */
int port_send(struct domain *d, u32 nr);
static inline bool virq_is_global(u32 virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

/* Closes every port of d and leaves the FIFO ABI (EVTCHNOP_reset); -ERESTART: call again with `again`. */
int event_reset(struct vcpu *actor, struct domain *d, bool again);

/* --- fifo.c --- */
int fifo_init_control(struct vcpu *actor, struct evtchn_init_control *op);
int fifo_expand_array(struct vcpu *actor, const struct evtchn_expand_array *op);
/*
 * Goes back to the 2-level ABI; event lock held, no port in use. What is left of the FIFO ABI (NULL: nothing) is given to fifo_free when the
 * lock has been dropped: the guest's pages may go with their last references.
 */
struct fifo_domain *fifo_detach(struct domain *d) must_check;
void fifo_free(struct fifo_domain *f);
void fifo_vcpu_free(struct vcpu *v);

#endif
