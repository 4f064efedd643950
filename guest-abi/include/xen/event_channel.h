/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_channel_op(cmd, argument): ports that carry one bit each, from another domain, another vCPU, a virtual or a
 * physical interrupt.
 *
 * Ports start in the two-level layout of shared_info. A domain that calls EVTCHNOP_init_control switches to the FIFO
 * layout: an array of event words, and per vCPU a control block with the heads of queues of linked words.
 * DOMID_SELF is accepted wherever a domain is named; another domain as `dom` needs privilege.
 */
#ifndef XEN_PUBLIC_EVENT_CHANNEL_H
#define XEN_PUBLIC_EVENT_CHANNEL_H

#include "xen.h"

#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq	  1
#define EVTCHNOP_bind_pirq	  2
#define EVTCHNOP_close		  3
#define EVTCHNOP_send		  4
#define EVTCHNOP_status		  5
#define EVTCHNOP_alloc_unbound	  6
#define EVTCHNOP_bind_ipi	  7
#define EVTCHNOP_bind_vcpu	  8
#define EVTCHNOP_unmask		  9
#define EVTCHNOP_reset		  10
#define EVTCHNOP_init_control	  11
#define EVTCHNOP_expand_array	  12
#define EVTCHNOP_set_priority	  13
#ifdef __XEN__
#define EVTCHNOP_reset_cont 14 /* how a preempted reset continues */
#endif

#define BIND_PIRQ__WILL_SHARE 1 /* the interrupt line may have other users */

#define EVTCHNSTAT_closed      0
#define EVTCHNSTAT_unbound     1 /* waits for its remote domain */
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq	       3
#define EVTCHNSTAT_virq	       4
#define EVTCHNSTAT_ipi	       5

/* Queues of the FIFO layout; a smaller number goes first. */
#define EVTCHN_FIFO_PRIORITY_MAX     0
#define EVTCHN_FIFO_PRIORITY_DEFAULT 7
#define EVTCHN_FIFO_PRIORITY_MIN     15
#define EVTCHN_FIFO_MAX_QUEUES	     (EVTCHN_FIFO_PRIORITY_MIN + 1)

/* Bits of an event word; its low bits are the port of the next word of the queue. */
#define EVTCHN_FIFO_PENDING	31
#define EVTCHN_FIFO_MASKED	30
#define EVTCHN_FIFO_LINKED	29
#define EVTCHN_FIFO_BUSY	28
#define EVTCHN_FIFO_LINK_BITS	17
#define EVTCHN_FIFO_LINK_MASK	((1 << EVTCHN_FIFO_LINK_BITS) - 1)
#define EVTCHN_FIFO_NR_CHANNELS (1 << EVTCHN_FIFO_LINK_BITS)

#ifndef __ASSEMBLY__

#define EVTCHN_2L_NR_CHANNELS (sizeof(xen_ulong_t) * sizeof(xen_ulong_t) * 64)

typedef uint32_t evtchn_port_t;
DEFINE_XEN_GUEST_HANDLE(evtchn_port_t);
typedef uint32_t event_word_t;

/* A new port of dom that remote_dom may connect to. */
typedef struct evtchn_alloc_unbound {
	domid_t dom, remote_dom; /* IN */
	evtchn_port_t port; /* OUT */
} evtchn_alloc_unbound_t;

/* Connect a new local port to an unbound port that waits for the caller. It starts pending. */
typedef struct evtchn_bind_interdomain {
	domid_t remote_dom; /* IN */
	evtchn_port_t remote_port; /* IN */
	evtchn_port_t local_port; /* OUT */
} evtchn_bind_interdomain_t;

/* One port for a VIRQ_*, per vCPU or (bound on vCPU 0) per domain; -EEXIST if there is one. */
typedef struct evtchn_bind_virq {
	uint32_t virq; /* IN */
	uint32_t vcpu; /* IN */
	evtchn_port_t port; /* OUT */
} evtchn_bind_virq_t;

/* One port for a physical interrupt that the domain has been given. */
typedef struct evtchn_bind_pirq {
	uint32_t pirq; /* IN */
	uint32_t flags; /* IN: BIND_PIRQ__* */
	evtchn_port_t port; /* OUT */
} evtchn_bind_pirq_t;

/* A port that the domain sends to its own vCPU with; it stays with that vCPU. */
typedef struct evtchn_bind_ipi {
	uint32_t vcpu; /* IN */
	evtchn_port_t port; /* OUT */
} evtchn_bind_ipi_t;

/* Free a port; the far end of an interdomain one becomes unbound. */
typedef struct evtchn_close {
	evtchn_port_t port; /* IN */
} evtchn_close_t;

/* Make the far end pending. */
typedef struct evtchn_send {
	evtchn_port_t port; /* IN */
} evtchn_send_t;

typedef struct evtchn_status {
	domid_t dom; /* IN */
	evtchn_port_t port; /* IN */
	uint32_t status; /* OUT: EVTCHNSTAT_* */
	uint32_t vcpu; /* OUT: which vCPU it notifies */
	union { /* OUT */
		struct {
			domid_t dom;
		} unbound;
		struct {
			domid_t dom;
			evtchn_port_t port;
		} interdomain;
		uint32_t pirq;
		uint32_t virq;
	} u;
} evtchn_status_t;

/* Let another vCPU be notified. A new port notifies vCPU 0. Not for IPIs and per-vCPU VIRQs. */
typedef struct evtchn_bind_vcpu {
	evtchn_port_t port; /* IN */
	uint32_t vcpu; /* IN */
} evtchn_bind_vcpu_t;

/* Clear the mask bit, and notify if the port is pending. */
typedef struct evtchn_unmask {
	evtchn_port_t port; /* IN */
} evtchn_unmask_t;

/* Close all ports of a domain and, for the caller itself, go back to the two-level layout. */
typedef struct evtchn_reset {
	domid_t dom; /* IN */
} evtchn_reset_t;

/* Give a vCPU its FIFO control block; the first call switches the domain over, losing what is pending. */
typedef struct evtchn_init_control {
	uint64_t control_gfn; /* IN */
	uint32_t offset; /* IN: of the block in the frame */
	uint32_t vcpu; /* IN */
	uint8_t link_bits; /* OUT: width of the link in an event word */
	uint8_t _pad[7];
} evtchn_init_control_t;

/* Add a frame of event words. */
typedef struct evtchn_expand_array {
	uint64_t array_gfn; /* IN */
} evtchn_expand_array_t;

typedef struct evtchn_set_priority {
	evtchn_port_t port; /* IN */
	uint32_t priority; /* IN: EVTCHN_FIFO_PRIORITY_* */
} evtchn_set_priority_t;

/* Argument of event_channel_op_compat. */
typedef struct evtchn_op {
	uint32_t cmd; /* EVTCHNOP_* */
	union {
		evtchn_alloc_unbound_t alloc_unbound;
		evtchn_bind_interdomain_t bind_interdomain;
		evtchn_bind_virq_t bind_virq;
		evtchn_bind_pirq_t bind_pirq;
		evtchn_bind_ipi_t bind_ipi;
		evtchn_close_t close;
		evtchn_send_t send;
		evtchn_status_t status;
		evtchn_bind_vcpu_t bind_vcpu;
		evtchn_unmask_t unmask;
	} u;
} evtchn_op_t;
DEFINE_XEN_GUEST_HANDLE(evtchn_op_t);

/* FIFO layout, one for each vCPU: bit q of ready says that queue q, which begins at port head[q], is not empty. */
typedef struct evtchn_fifo_control_block {
	uint32_t ready;
	uint32_t _rsvd;
	uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
} evtchn_fifo_control_block_t;

#endif /* __ASSEMBLY__ */
#endif
