/* SPDX-License-Identifier: BSD-2-Clause */
/* Raising events: from guests, virtual and physical interrupts; pollers; what the exit path asks. */
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/sched.h>
#include "event.h"

/* Domain that gets a global VIRQ instead of dom0; LOCK_DOMLIST is not needed: written by domctl, read once. A reference is held. */
static struct domain *virq_handler[NR_VIRQS];
static struct spinlock virq_handler_lock = SPINLOCK(LOCK_EVENT);

void vcpu_upcall_mark(struct vcpu *v)
{
	if (__atomic_exchange_n(&v->info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
		return;
	if (READ_ONCE(v->pause_flags) & (VPF_BLOCKED | VPF_POLL))
		vcpu_unblock(v);
	else
		vcpu_kick(v);
}

void port_wake_pollers(struct domain *d, u32 nr)
{
	struct vcpu *v;

	if (likely(!READ_ONCE(d->poll_mask_count)))
		return;
	for_each_vcpu(d, v)
		if ((READ_ONCE(v->pause_flags) & VPF_POLL) && (v->poll_port == 0 || v->poll_port == nr))
			vcpu_unblock(v);
}

void port_raise(struct domain *d, u32 nr, struct port *p)
{
	/* Bound to a vCPU that there is, or to the first. */
	struct vcpu *v = READ_ONCE(d->vcpu[p->notify_vcpu]);

	if (unlikely(!v))
		return;
	if (likely(d->events->abi == &event_abi_2l))
		event_2l_set_pending(d, v, nr, p);
	else
		d->events->abi->set_pending(d, v, nr, p);
}

int port_send(struct domain *d, u32 nr)
{
	struct event_space *s = d->events;
	struct port *p;
	int rc = 0;

	spin_lock(&s->lock);
	p = port_find(s, nr);
	if (unlikely(!p))
		rc = -EINVAL;
	else if (p->state == PORT_INTERDOMAIN)
		/* The far end stays open: closing it takes our lock too. */
		port_raise(p->remote, p->remote_port, port_find(p->remote->events, p->remote_port));
	else if (p->state == PORT_IPI)
		port_raise(d, nr, p);
	else if (p->state != PORT_UNBOUND)
		rc = -EINVAL;
	spin_unlock(&s->lock);
	return rc;
}

int event_send(struct domain *d, u32 port)
{
	return port_send(d, port);
}

static void virq_raise(struct vcpu *v, u32 virq)
{
	struct event_space *s = v->domain->events;
	u32 nr;

	spin_lock(&s->lock);
	nr = v->virq_port[virq];
	if (nr)
		port_raise(v->domain, nr, port_find(s, nr));
	spin_unlock(&s->lock);
}

void event_send_virq(struct vcpu *v, u32 virq)
{
	if (v->virq_port[virq])
		virq_raise(v, virq);
}

static struct domain *virq_handler_get(u32 virq)
{
	struct domain *d;

	spin_lock(&virq_handler_lock);
	d = virq_handler[virq] ? virq_handler[virq] : dom0;
	if (d)
		domain_get(d);
	spin_unlock(&virq_handler_lock);
	return d;
}

void event_send_global_virq(u32 virq)
{
	struct domain *d = virq_handler_get(virq);
	struct vcpu *v;

	if (!d)
		return;
	v = domain_vcpu(d, 0);
	if (v && d->events)
		event_send_virq(v, virq);
	domain_put(d);
}

int event_set_virq_handler(struct domain *d, u32 virq)
{
	struct domain *old;

	if (virq >= NR_VIRQS || !virq_is_global(virq))
		return -EINVAL;
	domain_get(d);
	spin_lock(&virq_handler_lock);
	old = virq_handler[virq];
	virq_handler[virq] = d;
	spin_unlock(&virq_handler_lock);
	if (old)
		domain_put(old);
	return 0;
}

void event_drop_virq_handler(struct domain *d)
{
	u32 dropped = 0;

	spin_lock(&virq_handler_lock);
	for (u32 i = 0; i < NR_VIRQS; i++)
		if (virq_handler[i] == d) {
			virq_handler[i] = NULL;
			dropped++;
		}
	spin_unlock(&virq_handler_lock);
	while (dropped--)
		domain_put(d);
}

void event_send_pirq(struct domain *d, u32 pirq)
{
	struct event_space *s = d->events;
	u32 nr;

	spin_lock(&s->lock);
	nr = s->pirq_port && pirq < MAX_PIRQS ? s->pirq_port[pirq] : 0;
	if (nr)
		port_raise(d, nr, port_find(s, nr));
	spin_unlock(&s->lock);
}

void event_unmask_pirq(struct domain *d, u32 pirq)
{
	struct event_space *s = d->events;
	u32 nr;

	spin_lock(&s->lock);
	nr = s->pirq_port && pirq < MAX_PIRQS ? s->pirq_port[pirq] : 0;
	if (nr)
		s->abi->unmask(d, nr, port_find(s, nr));
	spin_unlock(&s->lock);
}

bool event_pending(const struct vcpu *v)
{
	const struct vcpu_info *i = v->info;

	return READ_ONCE(i->evtchn_upcall_pending) && !READ_ONCE(i->evtchn_upcall_mask);
}

int event_port_pending(struct domain *d, u32 nr)
{
	struct event_space *s = d->events;
	int rc = -EINVAL;
	struct port *p;

	spin_lock(&s->lock);
	p = port_find(s, nr);
	if (p)
		rc = p->state != PORT_FREE && s->abi->is_pending(d, nr, p);
	spin_unlock(&s->lock);
	return rc;
}

void event_vcpu_info_moved(struct vcpu *v)
{
	/* Selectors set in the old place may not have been seen: let the guest look at every one. */
	WRITE_ONCE(v->info->evtchn_pending_sel, ~0UL);
	WRITE_ONCE(v->info->evtchn_upcall_pending, 0);
	vcpu_upcall_mark(v);
}

static const char *const state_name[] = {
	[PORT_FREE] = "free", [PORT_RESERVED] = "reserved", [PORT_UNBOUND] = "unbound",
	[PORT_INTERDOMAIN] = "interdomain", [PORT_PIRQ] = "pirq", [PORT_VIRQ] = "virq", [PORT_IPI] = "ipi",
};

void event_dump(struct domain *d)
{
	struct event_space *s = d->events;

	spin_lock(&s->lock);
	log_info("d%u: %u of %u ports in use, %s\n", d->id, s->active, s->max_ports,
		 s->abi == &event_abi_fifo ? "fifo" : "2-level");
	for (u32 nr = 1; nr < s->nr_ports; nr++) {
		struct port *p = port_find(s, nr);

		if (p->state == PORT_FREE)
			continue;
		log_info("  %4u [%u/%u] %s v%u %s d%u x%u\n", nr, s->abi->is_pending(d, nr, p),
			 s->abi->is_masked(d, nr, p), state_name[p->state], p->notify_vcpu,
			 p->state == PORT_INTERDOMAIN ? "->" : "  ",
			 p->remote ? p->remote->id : d->id, p->remote_port);
	}
	spin_unlock(&s->lock);
}
