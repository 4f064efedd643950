/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>
#include <xen/grant_table.h>

#include <argon/reason.h>

#include "daemon.h"

struct guest *guest_find(struct daemon *d, uint32_t domid)
{
	for (struct guest *g = d->guests; g; g = g->next) {
		if (g->domid == domid && !g->ending)
			return g;
	}
	return NULL;
}

static void console_dir(const struct guest *g, char *path, size_t room)
{
	snprintf(path, room, "/local/domain/%u/console", g->domid);
}

static void spool_path(const struct guest *g, char *path, size_t room)
{
	snprintf(path, room, CONSOLE_STATE_DIR "/%u", g->domid);
}

void guest_add(struct daemon *d, uint32_t domid)
{
	struct guest *g = calloc(1, sizeof(*g));
	char path[64], token[16];

	if (!g)
		return;
	g->daemon = d;
	g->domid = domid;
	g->watch = -1;
	g->console.pty_slave = -1;
	g->next = d->guests;
	d->guests = g;
	console_dir(g, path, sizeof(path));
	snprintf(token, sizeof(token), "%u", domid);
	if (store_watch(d->store, path, token, -1))
		say(d, LOG_WARNING, "domain %u: %s", domid, reason_get());
}

static void guest_notify(void *context)
{
	struct guest *g = context;

	if (g->connected)
		evtchn_notify(g->daemon->events, g->port);
}

static int page_map(struct guest *g)
{
	uint32_t reference = GNTTAB_RESERVED_CONSOLE;
	struct daemon *d = g->daemon;

	g->by_grant = true;
	g->page = d->grants ? gntdev_map_domain(d->grants, g->domid, 1, &reference, PROT_READ | PROT_WRITE) : NULL;
	if (!g->page) {
		g->by_grant = false;
		g->page = dev_map(ctrl_dev(d->ctrl), g->domid, PROT_READ | PROT_WRITE, 1, &g->frame, NULL);
	}
	return g->page ? 0 : -errno;
}

static void page_unmap(struct guest *g)
{
	if (g->page && g->by_grant)
		gntdev_unmap(g->daemon->grants, g->page, 1);
	else if (g->page)
		dev_unmap(ctrl_dev(g->daemon->ctrl), g->page, 1);
	g->page = NULL;
}

static int port_bind(struct guest *g)
{
	struct daemon *d = g->daemon;
	int port = evtchn_bind_interdomain(d->events, g->domid, g->remote_port);

	if (port < 0)
		return port;
	if ((uint32_t)port >= d->ports) {
		uint32_t ports = ((uint32_t)port | 255) + 1;
		struct guest **table = reallocarray(d->by_port, ports, sizeof(*table));

		if (!table) {
			evtchn_unbind(d->events, (uint32_t)port);
			return -ENOMEM;
		}
		memset(table + d->ports, 0, (ports - d->ports) * sizeof(*table));
		d->by_port = table;
		d->ports = ports;
	}
	g->port = (uint32_t)port;
	d->by_port[port] = g;
	return 0;
}

static void disconnect(struct guest *g)
{
	if (!g->connected)
		return;
	g->connected = false;
	g->console.ring.shared = NULL;
	g->daemon->by_port[g->port] = NULL;
	evtchn_unbind(g->daemon->events, g->port);
	page_unmap(g);
}

static void log_start(struct guest *g)
{
	const struct options *o = &g->daemon->options;
	char path[4200], *name = NULL;

	if (!o->log_guest || g->console.logging)
		return;
	if (store_readf(g->daemon->store, STORE_NO_TX, &name, "/local/domain/%u/name", g->domid) || !*name) {
		free(name);
		if (asprintf(&name, "%u", g->domid) < 0)
			return;
	}
	for (char *c = name; *c; c++) {
		if (*c == '/')
			*c = '_';
	}
	snprintf(path, sizeof(path), "%s/guest-%s.log", o->log_dir, name);
	free(name);
	console_log_open(&g->console, path, o->stamp_guest, o->replace_escape);
	if (g->console.log.fd < 0)
		say(g->daemon, LOG_WARNING, "domain %u: cannot write %s; trying again", g->domid, path);
}

static int guest_open(struct guest *g)
{
	struct daemon *d = g->daemon;
	char path[64];
	int error;

	if (g->opened) {
		ring_attach(&g->console.ring, g->page);
		return 0;
	}
	g->console.notify = guest_notify;
	g->console.context = g;
	g->console.keep = d->options.keep;
	spool_path(g, path, sizeof(path));
	error = console_open(&g->console, &d->loop, path, g->remote_port, g->page);
	if (error)
		return error;
	g->opened = true;
	log_start(g);
	if (g->console.pty_slave >= 0)
		g->watch = inotify_add_watch(d->inotify_source.fd, g->console.pty_path, IN_OPEN | IN_CLOSE);
	/* Without inotify the pty takes what fits into it, as if somebody read it. */
	console_pty_active(&g->console, g->watch < 0);
	return 0;
}

static int guest_connect(struct guest *g)
{
	struct daemon *d = g->daemon;
	char dir[64];
	int error = page_map(g);

	if (error)
		return error;
	error = port_bind(g);
	if (error) {
		page_unmap(g);
		return error;
	}
	error = guest_open(g);
	if (error) {
		evtchn_unbind(d->events, g->port);
		d->by_port[g->port] = NULL;
		page_unmap(g);
		return error;
	}
	g->connected = true;
	console_dir(g, dir, sizeof(dir));
	if (g->console.pty_path[0] && store_write_at(d->store, STORE_NO_TX, dir, "tty", "%s", g->console.pty_path))
		say(d, LOG_WARNING, "domain %u: %s", g->domid, reason_get());
	if (d->options.verbose)
		say(d, LOG_INFO, "domain %u: console on %s, page mapped by %s", g->domid, g->console.pty_path,
		    g->by_grant ? "grant" : "frame");
	console_pump(&g->console);
	return 0;
}

void guest_update(struct guest *g)
{
	unsigned long frame;
	unsigned int port;
	char dir[64], *type = NULL;
	bool ours;
	int error;

	console_dir(g, dir, sizeof(dir));
	if (store_scan_at(g->daemon->store, STORE_NO_TX, dir, "ring-ref", "%lu", &frame) != 1 ||
	    store_scan_at(g->daemon->store, STORE_NO_TX, dir, "port", "%u", &port) != 1)
		return;
	/* Another type is the device model's console. */
	ours = store_read_at(g->daemon->store, STORE_NO_TX, dir, "type", &type) || strcmp(type, "xenconsoled") == 0;
	free(type);
	if (!ours || (g->connected && frame == g->frame && port == g->remote_port))
		return;
	disconnect(g);
	g->frame = frame;
	g->remote_port = port;
	error = guest_connect(g);
	if (error)
		say(g->daemon, LOG_WARNING, "domain %u: console is not connected: %s", g->domid,
		    *reason_get() ? reason_get() : strerror(-error));
}

void guest_end(struct guest *g)
{
	char path[64], token[16];

	if (g->ending)
		return;
	g->ending = true;
	if (g->connected && console_pump(&g->console))
		console_pump(&g->console);
	disconnect(g);
	console_dir(g, path, sizeof(path));
	snprintf(token, sizeof(token), "%u", g->domid);
	store_unwatch(g->daemon->store, path, token);
	spool_path(g, path, sizeof(path));
	unlink(path);
	g->daemon->tick_wanted = true;
}

bool guest_notified(struct guest *g)
{
	struct daemon *d = g->daemon;

	if (g->tick != d->tick) {
		g->tick = d->tick;
		g->notifies = 0;
	}
	console_pump(&g->console);
	d->tick_wanted = true;
	g->throttled = ++g->notifies >= NOTIFIES_PER_TICK;
	return !g->throttled;
}

bool guest_tick(struct guest *g)
{
	if (g->ending) {
		/* The kernel needs a moment to hand a pty's bytes over: until then nothing seems to be unread. */
		if (g->opened && g->linger++ < LINGER_TICKS &&
		    (!console_drained(&g->console) || (g->console.pty.active && g->linger < 2)))
			return true;
		guest_free(g);
		return false;
	}
	if (!g->opened)
		return false;
	console_log_retry(&g->console);
	if (g->throttled) {
		g->throttled = false;
		console_pump(&g->console);
		if (g->connected)
			evtchn_unmask(g->daemon->events, &g->port, 1);
	}
	return g->console.log_failed;
}

void guest_free(struct guest *g)
{
	disconnect(g);
	for (struct guest **at = &g->daemon->guests; *at; at = &(*at)->next) {
		if (*at == g) {
			*at = g->next;
			break;
		}
	}
	if (g->watch >= 0)
		inotify_rm_watch(g->daemon->inotify_source.fd, g->watch);
	if (g->opened)
		console_close(&g->console);
	free(g);
}
