/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op(cmd, argument): give up the CPU, wait, shut down. */
#ifndef XEN_PUBLIC_SCHED_H
#define XEN_PUBLIC_SCHED_H

#include "event_channel.h"

#define SCHEDOP_yield		0 /* no argument */
#define SCHEDOP_block		1 /* no argument: unmask upcalls and wait for an event */
#define SCHEDOP_shutdown	2 /* sched_shutdown: stop the whole domain; returns only from a suspend */
#define SCHEDOP_poll		3 /* sched_poll: wait for one of some ports, without an upcall */
#define SCHEDOP_remote_shutdown 4 /* sched_remote_shutdown: for a device model's domain */
#define SCHEDOP_shutdown_code	5 /* sched_shutdown: only note the reason for a shutdown that others will do */
#define SCHEDOP_watchdog	6 /* sched_watchdog; returns the id of a new one */
#define SCHEDOP_pin_override	7 /* sched_pin_override: run on one physical CPU for a while (dom0) */

/* Reasons. */
#define SHUTDOWN_poweroff   0
#define SHUTDOWN_reboot	    1
#define SHUTDOWN_suspend    2 /* %rdx (third argument): machine frame of start_info, which the resume fills in */
#define SHUTDOWN_crash	    3
#define SHUTDOWN_watchdog   4
#define SHUTDOWN_soft_reset 5 /* start anew in the same domain, keeping its memory */
#define SHUTDOWN_MAX	    5

#ifndef __ASSEMBLY__

typedef struct sched_shutdown {
	unsigned int reason;
} sched_shutdown_t;
DEFINE_XEN_GUEST_HANDLE(sched_shutdown_t);

typedef struct sched_poll {
	XEN_GUEST_HANDLE(evtchn_port_t) ports;
	unsigned int nr_ports;
	uint64_t timeout; /* system time in ns; 0: none */
} sched_poll_t;
DEFINE_XEN_GUEST_HANDLE(sched_poll_t);

typedef struct sched_remote_shutdown {
	domid_t domain_id;
	unsigned int reason;
} sched_remote_shutdown_t;
DEFINE_XEN_GUEST_HANDLE(sched_remote_shutdown_t);

/* The domain is shut down (SHUTDOWN_watchdog) unless it calls again in time. */
typedef struct sched_watchdog {
	uint32_t id; /* 0: a new one */
	uint32_t timeout; /* seconds; 0: delete it */
} sched_watchdog_t;
DEFINE_XEN_GUEST_HANDLE(sched_watchdog_t);

typedef struct sched_pin_override {
	int32_t pcpu; /* negative: back to the affinity that it had */
} sched_pin_override_t;
DEFINE_XEN_GUEST_HANDLE(sched_pin_override_t);

#endif /* __ASSEMBLY__ */
#endif
