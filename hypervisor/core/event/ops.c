/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_event_channel_op. */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/frame.h>
#include "event.h"

static int alloc_unbound(struct vcpu *v, void *arg)
{
	struct evtchn_alloc_unbound *op = arg;
	struct domain *d = domain_get_by_any_id(v, op->dom);
	int rc;

	if (!d)
		return -ESRCH;
	if (d != v->domain && !is_privileged(v)) {
		rc = -EPERM;
		goto out;
	}
	rc = event_alloc_unbound(d, op->remote_dom == DOMID_SELF ? v->domain->id : op->remote_dom);
	if (rc >= 0) {
		op->port = (u32)rc;
		rc = 0;
	}
out:
	domain_put(d);
	return rc;
}

int event_alloc_unbound(struct domain *d, domid_t remote)
{
	struct event_space *s = d->events;
	struct port *p;
	int nr;

	spin_lock(&s->lock);
	nr = port_alloc(s);
	if (nr >= 0) {
		p = port_find(s, (u32)nr);
		p->state = PORT_UNBOUND;
		p->remote_id = remote;
	}
	spin_unlock(&s->lock);
	return nr;
}

static int bind_interdomain(struct vcpu *v, void *arg)
{
	struct evtchn_bind_interdomain *op = arg;
	struct domain *d = v->domain, *far = domain_get_by_any_id(v, op->remote_dom);
	struct port *p, *q;
	int nr, rc = 0;

	if (!far)
		return -ESRCH;
	event_lock_pair(d, far);
	q = port_find(far->events, op->remote_port);
	if (far->events->dying || !q || q->state != PORT_UNBOUND || q->remote_id != d->id) {
		rc = -EINVAL;
		goto out;
	}
	nr = port_alloc(d->events);
	if (nr < 0) {
		rc = nr;
		goto out;
	}
	p = port_find(d->events, (u32)nr);
	domain_get(far);
	p->remote = far;
	p->remote_port = op->remote_port;
	domain_get(d);
	q->remote = d;
	q->remote_port = (u32)nr;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	p->state = PORT_INTERDOMAIN;
	q->state = PORT_INTERDOMAIN;
	/* An event sent before binding is not lost: the new end starts pending. */
	port_raise(d, (u32)nr, p);
	op->local_port = (u32)nr;
out:
	event_unlock_pair(d, far);
	domain_put(far);
	return rc;
}

static int bind_virq(struct vcpu *v, void *arg)
{
	struct evtchn_bind_virq *op = arg;
	struct domain *d = v->domain;
	struct event_space *s = d->events;
	struct vcpu *target;
	struct port *p;
	u32 virq;
	int nr;

	if (op->virq >= NR_VIRQS || (virq_is_global(op->virq) && op->vcpu != 0))
		return -EINVAL;
	virq = (u32)index_clamp(op->virq, NR_VIRQS);
	target = domain_vcpu(d, op->vcpu);
	if (!target)
		return -ENOENT;
	spin_lock(&s->lock);
	nr = target->virq_port[virq] ? -EEXIST : port_alloc(s);
	if (nr >= 0) {
		p = port_find(s, (u32)nr);
		p->state = PORT_VIRQ;
		p->virq = virq;
		p->notify_vcpu = (u16)op->vcpu;
		target->virq_port[virq] = (u32)nr;
		op->port = (u32)nr;
	}
	spin_unlock(&s->lock);
	return nr < 0 ? nr : 0;
}

static int bind_ipi(struct vcpu *v, void *arg)
{
	struct evtchn_bind_ipi *op = arg;
	struct event_space *s = v->domain->events;
	struct port *p;
	int nr;

	if (!domain_vcpu(v->domain, op->vcpu))
		return -ENOENT;
	spin_lock(&s->lock);
	nr = port_alloc(s);
	if (nr >= 0) {
		p = port_find(s, (u32)nr);
		p->state = PORT_IPI;
		p->notify_vcpu = (u16)op->vcpu;
		op->port = (u32)nr;
	}
	spin_unlock(&s->lock);
	return nr < 0 ? nr : 0;
}

static int pirq_table_ensure(struct event_space *s)
{
	u32 *table;

	if (READ_ONCE(s->pirq_port))
		return 0;
	table = hv_alloc(MAX_PIRQS * sizeof(*table));
	if (!table)
		return -ENOMEM;
	spin_lock(&s->lock);
	if (!s->pirq_port) {
		s->pirq_port = table;
		table = NULL;
	}
	spin_unlock(&s->lock);
	hv_free(table);
	return 0;
}

static int bind_pirq(struct vcpu *v, void *arg)
{
	struct evtchn_bind_pirq *op = arg;
	struct domain *d = v->domain;
	struct event_space *s = d->events;
	struct port *p;
	u32 pirq;
	int nr, rc;

	if (op->pirq >= MAX_PIRQS || (op->flags & ~(u32)BIND_PIRQ__WILL_SHARE))
		return -EINVAL;
	pirq = (u32)index_clamp(op->pirq, MAX_PIRQS);
	rc = pirq_table_ensure(s);
	if (rc)
		return rc;
	spin_lock(&s->lock);
	if (s->pirq_port[pirq]) {
		rc = -EEXIST;
		goto out;
	}
	nr = port_alloc(s);
	if (nr < 0) {
		rc = nr;
		goto out;
	}
	p = port_find(s, (u32)nr);
	/* The interrupt may come at once. */
	p->state = PORT_PIRQ;
	p->pirq = pirq;
	p->notify_vcpu = 0;
	s->pirq_port[pirq] = (u32)nr;
	rc = pirq_ops->bind(d, pirq, op->flags & BIND_PIRQ__WILL_SHARE);
	if (rc) {
		s->pirq_port[pirq] = 0;
		port_free(d, (u32)nr, p);
		goto out;
	}
	op->port = (u32)nr;
out:
	spin_unlock(&s->lock);
	return rc;
}

static int do_close(struct vcpu *v, void *arg)
{
	const struct evtchn_close *op = arg;

	return port_close(v->domain, op->port);
}

static void status_fill(struct evtchn_status *op, const struct port *p)
{
	op->vcpu = p->notify_vcpu;
	switch ((enum port_state)p->state) {
	case PORT_FREE:
	case PORT_RESERVED:
		op->status = EVTCHNSTAT_closed;
		break;
	case PORT_UNBOUND:
		op->status = EVTCHNSTAT_unbound;
		op->u.unbound.dom = (domid_t)p->remote_id;
		break;
	case PORT_INTERDOMAIN:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = p->remote->id;
		op->u.interdomain.port = p->remote_port;
		break;
	case PORT_PIRQ:
		op->status = EVTCHNSTAT_pirq;
		op->u.pirq = p->pirq;
		break;
	case PORT_VIRQ:
		op->status = EVTCHNSTAT_virq;
		op->u.virq = p->virq;
		break;
	case PORT_IPI:
		op->status = EVTCHNSTAT_ipi;
		break;
	}
}

static int do_status(struct vcpu *v, void *arg)
{
	struct evtchn_status *op = arg;
	struct domain *d = domain_get_by_any_id(v, op->dom);
	struct port *p;
	int rc = 0;

	if (!d)
		return -ESRCH;
	if (d != v->domain && !is_privileged(v)) {
		rc = -EPERM;
		goto out;
	}
	spin_lock(&d->events->lock);
	p = port_find(d->events, op->port);
	if (p)
		status_fill(op, p);
	else
		rc = -EINVAL;
	spin_unlock(&d->events->lock);
out:
	domain_put(d);
	return rc;
}

static int do_bind_vcpu(struct vcpu *v, void *arg)
{
	const struct evtchn_bind_vcpu *op = arg;
	struct domain *d = v->domain;
	struct port *p;
	int rc = 0;

	if (!domain_vcpu(d, op->vcpu))
		return -ENOENT;
	spin_lock(&d->events->lock);
	p = port_find(d->events, op->port);
	if (p && p->state == PORT_PIRQ)
		pirq_ops->retarget(d, p->pirq, READ_ONCE(domain_vcpu(d, op->vcpu)->cpu));
	if (!p)
		rc = -EINVAL;
	else if (p->state == PORT_VIRQ ? virq_is_global(p->virq) :
		 p->state == PORT_UNBOUND || p->state == PORT_INTERDOMAIN || p->state == PORT_PIRQ)
		p->notify_vcpu = (u16)op->vcpu;
	else
		rc = -EINVAL;
	spin_unlock(&d->events->lock);
	return rc;
}

static int port_unmask(struct domain *d, u32 nr)
{
	struct port *p;
	int rc = 0;

	spin_lock(&d->events->lock);
	p = port_find(d->events, nr);
	if (p && domain_vcpu(d, p->notify_vcpu))
		d->events->abi->unmask(d, nr, p);
	else
		rc = -EINVAL;
	spin_unlock(&d->events->lock);
	return rc;
}

static int do_set_priority(struct vcpu *v, void *arg)
{
	const struct evtchn_set_priority *op = arg;
	struct event_space *s = v->domain->events;
	struct port *p;
	int rc = 0;

	spin_lock(&s->lock);
	p = port_find(s, op->port);
	if (s->abi != &event_abi_fifo)
		rc = -ENOSYS;
	else if (!p || op->priority > EVTCHN_FIFO_PRIORITY_MIN)
		rc = -EINVAL;
	else
		p->priority = (u8)index_clamp(op->priority, EVTCHN_FIFO_MAX_QUEUES);
	spin_unlock(&s->lock);
	return rc;
}

static int do_init_control(struct vcpu *v, void *arg)
{
	return fifo_init_control(v, arg);
}

static int do_expand_array(struct vcpu *v, void *arg)
{
	return fifo_expand_array(v, arg);
}

struct op_desc {
	int (*fn)(struct vcpu *v, void *arg);
	u8 size;	/* of the argument */
	bool out;	/* written back on success */
};

static const struct op_desc ops[] = {
	[EVTCHNOP_bind_interdomain] = { bind_interdomain, sizeof(struct evtchn_bind_interdomain), true },
	[EVTCHNOP_bind_virq] = { bind_virq, sizeof(struct evtchn_bind_virq), true },
	[EVTCHNOP_bind_pirq] = { bind_pirq, sizeof(struct evtchn_bind_pirq), true },
	[EVTCHNOP_close] = { do_close, sizeof(struct evtchn_close), false },
	[EVTCHNOP_status] = { do_status, sizeof(struct evtchn_status), true },
	[EVTCHNOP_alloc_unbound] = { alloc_unbound, sizeof(struct evtchn_alloc_unbound), true },
	[EVTCHNOP_bind_ipi] = { bind_ipi, sizeof(struct evtchn_bind_ipi), true },
	[EVTCHNOP_bind_vcpu] = { do_bind_vcpu, sizeof(struct evtchn_bind_vcpu), false },
	[EVTCHNOP_init_control] = { do_init_control, sizeof(struct evtchn_init_control), true },
	[EVTCHNOP_expand_array] = { do_expand_array, sizeof(struct evtchn_expand_array), false },
	[EVTCHNOP_set_priority] = { do_set_priority, sizeof(struct evtchn_set_priority), false },
};

static long do_reset(struct vcpu *v, u64 *args)
{
	bool again = args[0] == EVTCHNOP_reset_cont;
	struct evtchn_reset op;
	struct domain *d;
	int rc;

	if (guest_copy_in(v, &op, args[1], sizeof(op)))
		return -EFAULT;
	d = domain_get_by_any_id(v, op.dom);
	if (!d)
		return -ESRCH;
	rc = d != v->domain && !is_privileged(v) ? -EPERM : event_reset(v, d, again);
	if (rc == -ERESTART)
		args[0] = EVTCHNOP_reset_cont;
	domain_put(d);
	return rc;
}

/* Closes a port that was just opened for a guest that cannot be told its number. */
static void undo(struct vcpu *v, u64 cmd, const void *arg)
{
	u32 port = 0;

	if (cmd == EVTCHNOP_bind_interdomain)
		port = ((const struct evtchn_bind_interdomain *)arg)->local_port;
	else if (cmd == EVTCHNOP_bind_virq)
		port = ((const struct evtchn_bind_virq *)arg)->port;
	else if (cmd == EVTCHNOP_bind_pirq)
		port = ((const struct evtchn_bind_pirq *)arg)->port;
	else if (cmd == EVTCHNOP_bind_ipi)
		port = ((const struct evtchn_bind_ipi *)arg)->port;
	if (port)
		(void)port_close(v->domain, port);
}

long do_event_channel_op(struct vcpu *v, u64 *args)
{
	const struct op_desc *op;
	u64 buf[4];
	u64 cmd = (u32)args[0];
	int rc;

	if (likely(cmd == EVTCHNOP_send || cmd == EVTCHNOP_unmask)) {
		struct evtchn_send s;

		_Static_assert(sizeof(struct evtchn_unmask) == sizeof(s), "a port alone");

		if (guest_copy_in(v, &s, args[1], sizeof(s)))
			return -EFAULT;
		return cmd == EVTCHNOP_send ? port_send(v->domain, s.port) : port_unmask(v->domain, s.port);
	}
	if (cmd == EVTCHNOP_reset || cmd == EVTCHNOP_reset_cont)
		return do_reset(v, args);
	if (cmd >= ARRAY_SIZE(ops))
		return -ENOSYS;
	op = &ops[index_clamp(cmd, ARRAY_SIZE(ops))];
	if (!op->fn)
		return -ENOSYS;
	_Static_assert(sizeof(struct evtchn_status) <= sizeof(buf), "event op buffer");
	if (guest_copy_in(v, buf, args[1], op->size))
		return -EFAULT;
	rc = op->fn(v, buf);
	if (!rc && op->out && guest_copy_out(v, args[1], buf, op->size)) {
		undo(v, cmd, buf);
		rc = -EFAULT;
	}
	return rc;
}
