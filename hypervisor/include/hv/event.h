/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels: 2-level and FIFO ABIs. */
#ifndef HV_EVENT_H
#define HV_EVENT_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <xen/xen.h>

struct vcpu;
struct domain;

int event_space_create(struct domain *d, u32 max_ports) must_check;
/* Closes every port; -ERESTART until done. */
int event_space_close(struct domain *d) must_check;
void event_space_free(struct domain *d);
int event_vcpu_init(struct vcpu *v) must_check;
void event_vcpu_free(struct vcpu *v);

/* Raises a VIRQ: per-vCPU kinds on v; global kinds at whoever bound it (dom0 unless delegated). Any context below LOCK_EVENT. */
void event_send_virq(struct vcpu *v, u32 virq);
void event_send_global_virq(u32 virq);
/* Delivers a physical interrupt to the domain that bound the pirq. Interrupt context. */
void event_send_pirq(struct domain *d, u32 pirq);
/* Unmasks the port bound to pirq as EVTCHNOP_unmask does; nothing if there is none. No lock of LOCK_EVENT or above held. */
void event_unmask_pirq(struct domain *d, u32 pirq);
/* Guest-side send on one of d's own ports (used by the hypervisor for ports it allocated, e.g. xenstore, console). */
int event_send(struct domain *d, u32 port) must_check;
/* For domctl / domain builder: allocate an unbound port in d for remote; port or -errno. */
int event_alloc_unbound(struct domain *d, domid_t remote);
/* True when v has an event to be told of (upcall pending and not masked). Inline in the exit path: info->evtchn_upcall_pending && !mask. */
bool event_pending(const struct vcpu *v);
/* For SCHEDOP_poll: 1 when port is pending, 0 when it is not or is closed, -EINVAL when there is no such number. */
int event_port_pending(struct domain *d, u32 port);
/* vcpu_info is about to move (register_vcpu_info): carry pending state over, mark all selectors pending. */
void event_vcpu_info_moved(struct vcpu *v);
/* Notes in d's log that the pages of the FIFO ABI may be written at any time. */
void event_pages_hold(struct domain *d);
/* Debug key: dump. */
void event_dump(struct domain *d);

/* Sends a global VIRQ to d from now on (XEN_DOMCTL_set_virq_handler): 0 or -EINVAL / forgets that, at teardown of d. */
int event_set_virq_handler(struct domain *d, u32 virq) must_check;
void event_drop_virq_handler(struct domain *d);

/* Physical interrupts (arch/x86/irq): event/ calls these through the table that boot installs. */
struct pirq_ops {
	int (*bind)(struct domain *d, u32 pirq, bool share);	/* guest binds: enables the interrupt; 0 or -errno */
	void (*unbind)(struct domain *d, u32 pirq);
	void (*retarget)(struct domain *d, u32 pirq, u32 cpu);	/* EVTCHNOP_bind_vcpu: rather interrupt this CPU; may be ignored */
};
extern const struct pirq_ops *pirq_ops;

#endif
