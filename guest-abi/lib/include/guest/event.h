/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels: ports, their handlers, and waiting. */
#ifndef GUEST_EVENT_H
#define GUEST_EVENT_H

#include <guest/hypercall.h>
#include <guest/types.h>
#include <xen/event_channel.h>

typedef void (*event_handler_t)(evtchn_port_t port, void *arg);

/* Ports bound for the given vCPU, masked. Each returns a port or a negated error. */
int event_bind_virq(unsigned int virq, unsigned int vcpu);
int event_bind_ipi(unsigned int vcpu);
int event_alloc_unbound(domid_t dom, domid_t remote);
int event_bind_interdomain(domid_t remote, evtchn_port_t port);
int event_close(evtchn_port_t port);
int event_send(evtchn_port_t port);

/* Handlers run in the upcall, with upcalls masked. Setting one does not unmask the port. */
void event_handler_set(evtchn_port_t port, event_handler_t handler, void *arg);
void event_mask(evtchn_port_t port);
int event_unmask(evtchn_port_t port);
bool event_pending(evtchn_port_t port);
void event_clear(evtchn_port_t port);

/* Upcalls of this vCPU. Unmasking handles what became pending meanwhile. The first returns what the mask was. */
bool upcalls_mask(void);
void upcalls_unmask(void);

/*
 * Blocks until cond holds, which is looked at again after each event, with upcalls masked; they are unmasked meanwhile
 * and afterwards. Blocking unmasks and waits in one step, so that nothing is missed in between.
 */
#define event_wait_for(cond)                                                                       \
	do {                                                                                       \
		upcalls_mask();                                                                    \
		while (!(cond)) {                                                                  \
			HYPERVISOR_sched_op(SCHEDOP_block, NULL);                                  \
			upcalls_mask();                                                            \
		}                                                                                  \
		upcalls_unmask();                                                                  \
	} while (0)

/* Handles what is pending: called from the upcall. */
void event_dispatch(void);
/* How many upcalls this domain has had. */
extern volatile u64 event_upcalls;

#endif
