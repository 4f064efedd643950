/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What most tests over the full machine begin with: dom0 (two vCPUs, on CPUs 0 and 1) and a guest, domain 1 (two vCPUs, on CPUs 2 and
 * 3), and short forms of hypercalls. Arguments are put into a few pages of the caller's memory, in turn.
 */
#ifndef KIT_H
#define KIT_H

#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/string.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include "full.h"

#define KIT_FRAMES 2048u
#define KIT_DOM0_PAGES 160u
#define KIT_GUEST_PAGES 96u
/* An address that no domain has mapped, and one of the hypervisor. */
#define KIT_UNMAPPED 0x1000UL
#define KIT_FORBIDDEN 0xffff808000001000UL

extern struct domain *kit_guest;
extern struct vcpu *kit_v0, *kit_v1;	/* vCPU 0 of dom0, and of the guest */

/* The machine with these two domains; all four vCPUs run. */
void kit_start(void);
/* Copies what a hypercall is to be given into v's memory: its address there. */
gva_t kit_put(struct vcpu *v, const void *what, size_t size);
/* Room for what a hypercall gives back, filled with 0x5a; and what is there now. */
gva_t kit_room(struct vcpu *v, size_t size);
void kit_get(struct vcpu *v, void *to, gva_t from, size_t size);
/* A page of d's memory that no other call uses: its number (sim_va, sim_mfn). */
u32 kit_page(struct domain *d);

/* Hypercalls: the argument is copied to the guest, and back after the call. */
long kit_op(struct vcpu *v, unsigned int nr, u64 cmd, void *arg, size_t size);
#define kit_call(v, nr, a0, a1, a2) full_hypercall(v, __HYPERVISOR_##nr, (u64)(a0), (u64)(a1), (u64)(a2), 0, 0)
long kit_domctl(struct vcpu *v, u32 cmd, domid_t domain, struct xen_domctl *op);
long kit_sysctl(struct vcpu *v, u32 cmd, struct xen_sysctl *op);
static inline long kit_vcpu_op(struct vcpu *v, u32 cmd, u32 id, gva_t arg)
{
	return full_hypercall(v, __HYPERVISOR_vcpu_op, cmd, id, arg, 0, 0);
}
static inline long kit_event(struct vcpu *v, u32 cmd, void *arg, size_t size)
{
	return kit_op(v, __HYPERVISOR_event_channel_op, cmd, arg, size);
}
static inline long kit_sched(struct vcpu *v, u32 cmd, void *arg, size_t size)
{
	return kit_op(v, __HYPERVISOR_sched_op, cmd, arg, size);
}
static inline long kit_memory(struct vcpu *v, u32 cmd, void *arg, size_t size)
{
	return kit_op(v, __HYPERVISOR_memory_op, cmd, arg, size);
}
static inline long kit_grant(struct vcpu *v, u32 cmd, void *arg, size_t size)
{
	gva_t at = kit_put(v, arg, size);
	long rc = full_hypercall(v, __HYPERVISOR_grant_table_op, cmd, at, 1, 0, 0);

	kit_get(v, arg, at, size);
	return rc;
}

/* Ports. Each fails the test when it is refused. */
u32 kit_port_unbound(struct vcpu *v, domid_t remote);
u32 kit_port_bind(struct vcpu *v, domid_t remote, u32 remote_port);
u32 kit_port_ipi(struct vcpu *v, u32 vcpu);
u32 kit_port_virq(struct vcpu *v, u32 virq, u32 vcpu);
bool kit_port_pending(const struct domain *d, u32 port);
/* Makes entry `ref` of d's table, version 1, grant a page of d to `to`; the table is set up with the first. */
void kit_grant_entry(struct domain *d, u32 ref, domid_t to, u32 pfn, bool readonly);

#endif
