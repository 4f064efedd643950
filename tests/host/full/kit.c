/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/frame.h>
#include <hv/hypercall.h>
#include "kit.h"
#include "../../../hypervisor/core/event/event.h"
#include "../../../hypervisor/core/grant/grant.h"

#define ROOM_PAGES 12u

struct domain *kit_guest;
struct vcpu *kit_v0, *kit_v1;

static struct {
	gva_t base, next;
} room[2];

void kit_start(void)
{
	sim_frames = KIT_FRAMES;
	sim_start(4);
	(void)sim_domain(0, true, 2, KIT_DOM0_PAGES);
	kit_guest = sim_domain(1, false, 2, KIT_GUEST_PAGES);
	for (u32 i = 0; i < 2; i++) {
		sim_run(dom0->vcpu[i], i);
		sim_run(kit_guest->vcpu[i], 2 + i);
	}
	kit_v0 = dom0->vcpu[0];
	kit_v1 = kit_guest->vcpu[0];
	for (u32 i = 0; i < 2; i++) {
		struct domain *d = i ? kit_guest : dom0;

		room[i].base = room[i].next = sim_alloc(d, ROOM_PAGES * PAGE_SIZE);
		for (u32 k = 0; k < ROOM_PAGES; k++)
			full_hash_skip(sim_mfn(d, (u32)((room[i].base - SIM_GUEST_BASE) >> PAGE_SHIFT) + k));
	}
}

gva_t kit_room(struct vcpu *v, size_t size)
{
	u32 i = v->domain != dom0;
	gva_t at;

	size = ROUND_UP(size, 64UL);
	if (size > ROOM_PAGES * PAGE_SIZE || (v->domain != dom0 && v->domain != kit_guest))
		sim_fail("no room for %zu bytes", size);
	if (room[i].next + size > room[i].base + ROOM_PAGES * PAGE_SIZE)
		room[i].next = room[i].base;
	at = room[i].next;
	room[i].next += size;
	for (size_t k = 0; k < size; k++)
		*(u8 *)sim_ptr(v->domain, at + k) = 0x5a;
	return at;
}

gva_t kit_put(struct vcpu *v, const void *what, size_t size)
{
	gva_t at = kit_room(v, size);

	for (size_t k = 0; k < size; k++)
		*(u8 *)sim_ptr(v->domain, at + k) = ((const u8 *)what)[k];
	return at;
}

void kit_get(struct vcpu *v, void *to, gva_t from, size_t size)
{
	for (size_t k = 0; k < size; k++)
		((u8 *)to)[k] = *(u8 *)sim_ptr(v->domain, from + k);
}

u32 kit_page(struct domain *d)
{
	return sim_alloc_page(d);
}

long kit_op(struct vcpu *v, unsigned int nr, u64 cmd, void *arg, size_t size)
{
	gva_t at = kit_put(v, arg, size);
	long rc = full_hypercall(v, nr, cmd, at, 0, 0, 0);

	kit_get(v, arg, at, size);
	return rc;
}

long kit_domctl(struct vcpu *v, u32 cmd, domid_t domain, struct xen_domctl *op)
{
	gva_t at;
	long rc;

	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = domain;
	at = kit_put(v, op, sizeof(*op));
	rc = full_hypercall(v, __HYPERVISOR_domctl, at, 0, 0, 0, 0);
	kit_get(v, op, at, sizeof(*op));
	return rc;
}

long kit_sysctl(struct vcpu *v, u32 cmd, struct xen_sysctl *op)
{
	gva_t at;
	long rc;

	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	at = kit_put(v, op, sizeof(*op));
	rc = full_hypercall(v, __HYPERVISOR_sysctl, at, 0, 0, 0, 0);
	kit_get(v, op, at, sizeof(*op));
	return rc;
}

/* --- ports and grants --- */

static u32 port_of(long rc, u32 port)
{
	if (rc)
		sim_fail("event channel refused: %ld", rc);
	return port;
}

u32 kit_port_unbound(struct vcpu *v, domid_t remote)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = remote };
	long rc = kit_event(v, EVTCHNOP_alloc_unbound, &op, sizeof(op));

	return port_of(rc, op.port);
}

u32 kit_port_bind(struct vcpu *v, domid_t remote, u32 remote_port)
{
	struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = remote_port };
	long rc = kit_event(v, EVTCHNOP_bind_interdomain, &op, sizeof(op));

	return port_of(rc, op.local_port);
}

u32 kit_port_ipi(struct vcpu *v, u32 vcpu)
{
	struct evtchn_bind_ipi op = { .vcpu = vcpu };
	long rc = kit_event(v, EVTCHNOP_bind_ipi, &op, sizeof(op));

	return port_of(rc, op.port);
}

u32 kit_port_virq(struct vcpu *v, u32 virq, u32 vcpu)
{
	struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
	long rc = kit_event(v, EVTCHNOP_bind_virq, &op, sizeof(op));

	return port_of(rc, op.port);
}

bool kit_port_pending(const struct domain *d, u32 port)
{
	struct port *p = port_find(d->events, port);

	return p && d->events->abi->is_pending((struct domain *)(uintptr_t)d, port, p);
}

void kit_grant_entry(struct domain *d, u32 ref, domid_t to, u32 pfn, bool readonly)
{
	grant_entry_v1_t *e;

	spin_lock(&d->grants->lock);
	if (!d->grants->nr_frames && grant_table_grow(d, 1))
		sim_fail("grant_table_grow");
	spin_unlock(&d->grants->lock);
	e = grant_v1(d->grants, ref);
	e->frame = (u32)sim_mfn(d, pfn).v;
	e->domid = to;
	e->flags = GTF_permit_access | (readonly ? GTF_readonly : 0);
}
