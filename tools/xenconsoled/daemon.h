/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon: its guests, what it shares among them, and what it was told on the command line. */
#ifndef XENCONSOLED_DAEMON_H
#define XENCONSOLED_DAEMON_H

#include <argon/ctrl.h>
#include <argon/dev.h>
#include <argon/store.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "loop.h"

#define CONSOLE_STATE_DIR "/run/argon/console"
#define CONSOLE_SOCKET	  "/run/argon/console.sock"
#define CONSOLE_LOG_DIR	  "/var/log/xen/console"

#define TICK_MS		 200 /* how often things that wait are looked at; the period of the rate limit */
#define NOTIFIES_PER_TICK 64 /* a guest is listened to that often in a tick: 128 KiB at most */
#define LINGER_TICKS	 25 /* how long clients may take to read the last words of a guest */

struct options {
	bool log_guest, log_hypervisor, stamp_guest, stamp_hypervisor, replace_escape, keep, interactive;
	int verbose;
	const char *log_dir, *pid_file;
};

struct daemon;

struct guest {
	struct guest *next;
	struct daemon *daemon;
	uint32_t domid;
	bool connected, opened; /* the ring is mapped; the console has a pty and a spool */
	bool by_grant; /* how the page was mapped */
	bool throttled, ending, log_named;
	uint64_t frame; /* the ring's, as the store gave it */
	uint32_t remote_port, port;
	struct xencons_interface *page;
	unsigned int notifies; /* in this tick */
	uint64_t tick;
	unsigned int linger;
	int watch; /* inotify's, of the pty; -1: none */
	int openings; /* how many have the pty's slave side open */
	struct console console;
};

struct daemon {
	struct options options;
	struct loop loop;
	struct ctrl *ctrl;
	struct evtchn *events;
	struct gntdev *grants; /* NULL: not offered by the kernel */
	struct store *store;
	struct source events_source, store_source, inotify_source, listen_source, signal_source;
	struct guest *guests;
	struct guest **by_port;
	uint32_t ports;
	bool tick_wanted; /* something waits */
	bool list_wanted; /* domains came or went */
	uint64_t tick; /* number of this tick */
	struct log hypervisor_log;
	int hypervisor_port; /* of VIRQ_CON_RING; 0: there is none, the ring is read with each tick */
	uint32_t hypervisor_index; /* in the hypervisor's ring */
	int hypervisor_state; /* file that remembers it */
};

/** Say something on stderr or in the system's log. @param level of syslog */
void say(struct daemon *d, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* guest.c */
struct guest *guest_find(struct daemon *d, uint32_t domid);
/** Begin to look after a domain. */
void guest_add(struct daemon *d, uint32_t domid);
/** Its console's nodes changed: connect if they are complete. */
void guest_update(struct guest *g);
/** The domain dies: take its last words, let go of its page. Clients have some time left to read. */
void guest_end(struct guest *g);
/** Its event channel was notified. @return whether it may notify again at once; else the next tick unmasks it */
bool guest_notified(struct guest *g);
/** Once in each tick. @return whether it is to be called again; the guest may be gone afterwards */
bool guest_tick(struct guest *g);
void guest_free(struct guest *g);

/* domains.c */
int domains_open(struct daemon *d);
void domains_close(struct daemon *d);
/** Handle what the store has said. */
void domains_pump(struct daemon *d);

/* hypervisor.c */
void hypervisor_open(struct daemon *d);
void hypervisor_pump(struct daemon *d);
void hypervisor_close(struct daemon *d);

/* serve.c: the socket where clients attach */
int serve_open(struct daemon *d);
void serve_close(struct daemon *d);

#endif
