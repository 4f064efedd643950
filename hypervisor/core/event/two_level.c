/* SPDX-License-Identifier: BSD-2-Clause */
/* The 2-level ABI: bitmaps of pending and masked ports in the shared info page, a selector word per vCPU. */
#include <hv/guest.h>
#include "event.h"

#define BITS 64u

static bool bit_test_and_set(xen_ulong_t *word, u32 bit)
{
	xen_ulong_t m = 1UL << (bit % BITS);

	return (__atomic_fetch_or(word, m, __ATOMIC_SEQ_CST) & m) != 0;
}

static bool bit_test(const xen_ulong_t *word, u32 bit)
{
	return (__atomic_load_n(word, __ATOMIC_SEQ_CST) >> (bit % BITS)) & 1;
}

void event_2l_set_pending(struct domain *d, struct vcpu *v, u32 port, struct port *p)
{
	struct shared_info *si = d->shared;

	(void)p;
	if (bit_test_and_set(&si->evtchn_pending[port / BITS], port))
		return;
	if (!bit_test(&si->evtchn_mask[port / BITS], port) &&
	    !bit_test_and_set(&v->info->evtchn_pending_sel, port / BITS))
		vcpu_upcall_mark(v);
	port_wake_pollers(d, port);
}

static void clear_pending(struct domain *d, u32 port, struct port *p)
{
	(void)p;
	if (d->shared && port < MAX_PORTS_2L)
		__atomic_fetch_and(&d->shared->evtchn_pending[port / BITS], ~(1UL << (port % BITS)), __ATOMIC_SEQ_CST);
}

static void unmask(struct domain *d, u32 port, struct port *p)
{
	struct shared_info *si = d->shared;
	struct vcpu *v = d->vcpu[p->notify_vcpu];
	xen_ulong_t bit = 1UL << (port % BITS);

	if ((__atomic_fetch_and(&si->evtchn_mask[port / BITS], ~bit, __ATOMIC_SEQ_CST) & bit) &&
	    bit_test(&si->evtchn_pending[port / BITS], port) &&
	    !bit_test_and_set(&v->info->evtchn_pending_sel, port / BITS))
		vcpu_upcall_mark(v);
}

static bool is_pending(struct domain *d, u32 port, struct port *p)
{
	(void)p;
	return port < MAX_PORTS_2L && bit_test(&d->shared->evtchn_pending[port / BITS], port);
}

static bool is_masked(struct domain *d, u32 port, struct port *p)
{
	(void)p;
	return port >= MAX_PORTS_2L || bit_test(&d->shared->evtchn_mask[port / BITS], port);
}

const struct event_abi event_abi_2l = {
	.set_pending = event_2l_set_pending,
	.clear_pending = clear_pending,
	.unmask = unmask,
	.is_pending = is_pending,
	.is_masked = is_masked,
};
