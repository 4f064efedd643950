/* SPDX-License-Identifier: BSD-2-Clause */
/* Which domains there are: the store says when to look, the hypervisor what is true. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <unistd.h>

#include <argon/reason.h>

#include "daemon.h"

static const char *const special[] = { "@introduceDomain", "@releaseDomain" };

/* Compares our guests with the hypervisor's domains. */
static void domains_list(struct daemon *d)
{
	struct ctrl_domain_info *list = NULL;
	int count = ctrl_domain_list_all(d->ctrl, &list);
	struct guest *g, *next;

	if (count < 0) {
		say(d, LOG_WARNING, "cannot list the domains: %s", reason_get());
		return;
	}
	d->list_wanted = false;
	for (g = d->guests; g; g = next) {
		int i = 0;

		next = g->next;
		while (i < count && list[i].domid != g->domid)
			i++;
		if (i == count || list[i].dying)
			guest_end(g);
	}
	for (int i = 0; i < count; i++) {
		if (list[i].domid && !list[i].dying && !guest_find(d, list[i].domid))
			guest_add(d, list[i].domid);
	}
	free(list);
}

void domains_pump(struct daemon *d)
{
	struct store_event event;
	int more;

	for (;;) {
		more = store_event_next(d->store, &event);
		if (more <= 0)
			break;
		if (event.token[0] == '@') {
			d->list_wanted = true;
		} else {
			struct guest *g = guest_find(d, (uint32_t)strtoul(event.token, NULL, 10));

			if (g)
				guest_update(g);
		}
		store_event_free(&event);
	}
	if (more < 0) {
		/* The handle connects again by itself when it can. */
		say(d, LOG_WARNING, "xenstore: %s", reason_get());
		d->tick_wanted = true;
	}
	if (d->list_wanted)
		domains_list(d);
}

static void store_ready(struct source *source, uint32_t events)
{
	(void)events;
	domains_pump((struct daemon *)((char *)source - offsetof(struct daemon, store_source)));
}

/* Spools of domains that went while no daemon ran. */
static void spools_sweep(struct daemon *d)
{
	DIR *dir = opendir(CONSOLE_STATE_DIR);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		char *end;
		unsigned long domid = strtoul(entry->d_name, &end, 10);

		if (end != entry->d_name && !*end && !guest_find(d, (uint32_t)domid))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

int domains_open(struct daemon *d)
{
	int error = store_open(&d->store);

	for (unsigned int i = 0; !error && i < 2; i++)
		error = store_watch(d->store, special[i], special[i], -1);
	if (error)
		return error;
	d->store_source = (struct source){ .fd = store_fd(d->store), .ready = store_ready };
	error = loop_add(&d->loop, &d->store_source, EPOLLIN);
	if (error)
		return error;
	d->list_wanted = true;
	domains_list(d);
	spools_sweep(d);
	domains_pump(d);
	return 0;
}

void domains_close(struct daemon *d)
{
	while (d->guests)
		guest_free(d->guests);
	store_close(d->store);
}
