/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of ports of a domain: allocation, closing, teardown. */
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include "event.h"

/* Ports that the domain may use under its present ABI. */
static u32 port_limit(const struct event_space *s)
{
	return MIN(s->max_ports, s->abi == &event_abi_fifo ? MAX_PORTS_FIFO : MAX_PORTS_2L);
}

static int table_grow(struct event_space *s)
{
	struct port *page;

	page = hv_alloc(PORTS_PER_PAGE * sizeof(*page));
	if (!page)
		return -ENOMEM;
	for (u32 i = 0; i < PORTS_PER_PAGE; i++)
		page[i].priority = page[i].last_priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	s->page[s->nr_ports / PORTS_PER_PAGE] = page;
	s->nr_ports += PORTS_PER_PAGE;
	return 0;
}

int port_alloc(struct event_space *s)
{
	u32 nr = s->free_hint;
	int rc;

	if (s->dying)
		return -EINVAL;
	for (; nr < s->nr_ports; nr++)
		if (port_find(s, nr)->state == PORT_FREE)
			break;
	if (nr >= port_limit(s))
		return -ENOSPC;
	if (nr >= s->nr_ports) {
		rc = table_grow(s);
		if (rc)
			return rc;
	}
	s->free_hint = nr + 1;
	s->active++;
	return (int)nr;
}

void port_free(struct domain *d, u32 nr, struct port *p)
{
	struct event_space *s = d->events;

	s->abi->clear_pending(d, nr, p);
	p->state = PORT_FREE;
	p->remote = NULL;
	p->remote_port = 0;
	p->notify_vcpu = 0;
	p->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	s->active--;
	if (nr < s->free_hint)
		s->free_hint = nr;
}

void event_lock_pair(struct domain *a, struct domain *b)
{
	if (a->id > b->id) {
		struct domain *t = a;

		a = b;
		b = t;
	}
	spin_lock(&a->events->lock);
	if (a != b)
		spin_lock_nested(&b->events->lock);
}

void event_unlock_pair(struct domain *a, struct domain *b)
{
	spin_unlock(&a->events->lock);
	if (a != b)
		spin_unlock(&b->events->lock);
}

/* The far end of a closed channel waits for us to bind again. Both locks held. */
static void remote_detach(struct domain *d, const struct port *p)
{
	struct port *far = port_find(p->remote->events, p->remote_port);

	far->state = PORT_UNBOUND;
	far->remote = NULL;
	far->remote_id = d->id;
}

static void virq_detach(struct domain *d, const struct port *p, u32 nr)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (v->virq_port[p->virq] == nr)
			v->virq_port[p->virq] = 0;
}

static void pirq_detach(struct domain *d, const struct port *p)
{
	d->events->pirq_port[p->pirq] = 0;
	pirq_ops->unbind(d, p->pirq);
}

/* Closes a port whose locks are held; drops nothing but the port. Returns the far domain whose references to put. */
static void port_close_locked(struct domain *d, u32 nr, struct port *p)
{
	switch ((enum port_state)p->state) {
	case PORT_INTERDOMAIN:
		remote_detach(d, p);
		break;
	case PORT_VIRQ:
		virq_detach(d, p, nr);
		break;
	case PORT_PIRQ:
		pirq_detach(d, p);
		break;
	case PORT_FREE:
	case PORT_RESERVED:
	case PORT_UNBOUND:
	case PORT_IPI:
		break;
	}
	port_free(d, nr, p);
}

int port_close(struct domain *d, u32 nr)
{
	struct event_space *s = d->events;
	struct domain *far;
	struct port *p;

	for (;;) {
		spin_lock(&s->lock);
		p = port_find(s, nr);
		if (!p || p->state == PORT_FREE || p->state == PORT_RESERVED) {
			spin_unlock(&s->lock);
			return -EINVAL;
		}
		if (p->state != PORT_INTERDOMAIN) {
			port_close_locked(d, nr, p);
			spin_unlock(&s->lock);
			return 0;
		}
		far = p->remote;
		domain_get(far);
		spin_unlock(&s->lock);

		event_lock_pair(d, far);
		if (p->state == PORT_INTERDOMAIN && p->remote == far)
			break;
		/* The other end was closed first: look again. */
		event_unlock_pair(d, far);
		domain_put(far);
	}
	port_close_locked(d, nr, p);
	event_unlock_pair(d, far);
	/* Ours for the lock, the port's own, and the far port's on us. */
	domain_put(far);
	domain_put(far);
	domain_put(d);
	return 0;
}

int event_space_create(struct domain *d, u32 max_ports)
{
	struct event_space *s;
	u32 pages;
	int rc;

	max_ports = MIN(MAX(max_ports, PORTS_PER_PAGE), MAX_PORTS_FIFO);
	pages = (max_ports + PORTS_PER_PAGE - 1) / PORTS_PER_PAGE;
	s = hv_alloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	spin_init(&s->lock, LOCK_EVENT);
	s->abi = &event_abi_2l;
	s->max_ports = max_ports;
	s->page = hv_alloc(pages * sizeof(s->page[0]));
	rc = s->page ? table_grow(s) : -ENOMEM;
	if (rc) {
		hv_free(s->page);
		hv_free(s);
		return rc;
	}
	port_find(s, 0)->state = PORT_RESERVED;
	s->free_hint = 1;
	d->events = s;
	return 0;
}

/* Closes ports from close_next on; -ERESTART when preempted. */
static int ports_close_all(struct domain *d)
{
	struct event_space *s = d->events;

	while (s->close_next < s->nr_ports) {
		/* A port that is free already is none of our business. */
		(void)port_close(d, s->close_next);
		s->close_next++;
		if (s->close_next % 64 == 0 && preempt_needed())
			return -ERESTART;
	}
	return 0;
}

int event_space_close(struct domain *d)
{
	struct event_space *s = d->events;
	struct fifo_domain *fifo;
	int rc;

	if (!s)
		return 0;
	if (!s->dying) {
		spin_lock(&s->lock);
		s->dying = true;
		s->close_next = 0;
		spin_unlock(&s->lock);
	}
	rc = ports_close_all(d);
	if (rc)
		return rc;
	spin_lock(&s->lock);
	fifo = fifo_detach(d);
	spin_unlock(&s->lock);
	fifo_free(fifo);
	return 0;
}

int event_reset(struct vcpu *actor, struct domain *d, bool again)
{
	struct event_space *s = d->events;
	struct fifo_domain *fifo = NULL;
	int rc;

	if (d != actor->domain && !d->controller_pause_count)
		return -EINVAL;
	spin_lock(&s->lock);
	rc = s->dying ? -EINVAL : 0;
	if (!rc && !again)
		s->close_next = 1;
	spin_unlock(&s->lock);
	if (rc)
		return rc;
	rc = ports_close_all(d);
	if (rc)
		return rc;
	spin_lock(&s->lock);
	/* Another vCPU may have opened a port meanwhile: that one keeps the ABI it was opened under. */
	if (s->active == 0)
		fifo = fifo_detach(d);
	spin_unlock(&s->lock);
	fifo_free(fifo);
	return 0;
}

void event_space_free(struct domain *d)
{
	struct event_space *s = d->events;

	if (!s)
		return;
	for (u32 i = 0; i < s->nr_ports; i += PORTS_PER_PAGE)
		hv_free(s->page[i / PORTS_PER_PAGE]);
	hv_free(s->page);
	hv_free(s->pirq_port);
	hv_free(s);
	d->events = NULL;
}

int event_vcpu_init(struct vcpu *v)
{
	memset(v->virq_port, 0, sizeof(v->virq_port));
	v->fifo = NULL;
	return 0;
}

void event_vcpu_free(struct vcpu *v)
{
	fifo_vcpu_free(v);
}
