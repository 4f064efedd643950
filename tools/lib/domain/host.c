/* SPDX-License-Identifier: BSD-2-Clause */
/* The handle of libdomain, and names of domains. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include "argon/reason.h"
#include "internal.h"

int host_open(struct host **out)
{
	struct host *host = calloc(1, sizeof(*host));

	if (host == NULL)
		return reason_set(ENOMEM, "out of memory");
	*out = host;
	return 0;
}

void host_close(struct host *host)
{
	if (host == NULL)
		return;
	net_close(host->net);
	store_close(host->store);
	if (host->ctrl != NULL)
		ctrl_close(host->ctrl);
	free(host);
}

int host_ctrl(struct host *host, struct ctrl **out)
{
	int err = host->ctrl != NULL ? 0 : ctrl_open(&host->ctrl);

	*out = host->ctrl;
	return err;
}

int host_store(struct host *host, struct store **out)
{
	int err = host->store != NULL ? 0 : store_open(&host->store);

	*out = host->store;
	return err;
}

int host_net(struct host *host, struct net **out)
{
	int err = host->net != NULL ? 0 : net_open(&host->net);

	*out = host->net;
	return err;
}

void host_on_warning(struct host *host, void (*fn)(void *arg, const char *text), void *arg)
{
	host->warn = fn;
	host->warn_arg = arg;
}

void host_warn(struct host *host, const char *format, ...)
{
	char text[512];
	va_list args;

	if (host->warn == NULL)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	host->warn(host->warn_arg, text);
}

/* ---- names ---- */

static void name_done(void *context, int error, const char *data, size_t bytes)
{
	char **name = context;

	*name = error == 0 ? strndup(data, bytes) : NULL;
}

int domain_names(struct host *host, const uint32_t *domids, size_t count, char **names)
{
	struct store *store;
	char path[64];
	size_t i;
	int err = host_store(host, &store);

	memset(names, 0, count * sizeof(*names));
	for (i = 0; i < count && err == 0; i++) {
		int length = snprintf(path, sizeof(path), "/local/domain/%u/name", domids[i]);

		err = store_submit(store, XS_READ, STORE_NO_TX, path, (size_t)length + 1, name_done, &names[i]);
	}
	return err == 0 ? store_drain(store) : err;
}

int domain_name(struct host *host, uint32_t domid, char **name)
{
	int err = domain_names(host, &domid, 1, name);

	if (err == 0 && *name == NULL) {
		*name = strdup("(null)");
		if (*name == NULL)
			err = reason_set(ENOMEM, "out of memory");
	}
	return err;
}

static int find_by_name(struct host *host, const char *name, uint32_t *domid)
{
	struct ctrl_domain_info *infos;
	struct ctrl *ctrl;
	uint32_t *domids;
	char **names;
	int i, count, err = host_ctrl(host, &ctrl);

	if (err != 0)
		return err;
	count = ctrl_domain_list_all(ctrl, &infos);
	if (count < 0)
		return count;
	domids = calloc((size_t)count + 1, sizeof(*domids));
	names = calloc((size_t)count + 1, sizeof(*names));
	if (domids == NULL || names == NULL)
		err = reason_set(ENOMEM, "out of memory");
	for (i = 0; i < count && err == 0; i++)
		domids[i] = infos[i].domid;
	if (err == 0)
		err = domain_names(host, domids, (size_t)count, names);
	if (err == 0)
		err = reason_set(ESRCH, "there is no domain named \"%s\"; xl list shows those that run", name);
	for (i = 0; i < count && names != NULL && domids != NULL; i++) {
		/* One that is dying is not it when another has its name. */
		if (names[i] != NULL && strcmp(names[i], name) == 0 && (err != 0 || !infos[i].dying)) {
			*domid = domids[i];
			err = 0;
		}
		free(names[i]);
	}
	free(names);
	free(domids);
	free(infos);
	return err;
}

int domain_find(struct host *host, const char *name_or_number, uint32_t *domid)
{
	struct ctrl_domain_info info;
	struct ctrl *ctrl;
	unsigned long number;
	char *end;
	int err;

	number = strtoul(name_or_number, &end, 10);
	if (!isdigit((unsigned char)*name_or_number) || *end != '\0')
		return find_by_name(host, name_or_number, domid);
	err = host_ctrl(host, &ctrl);
	if (err != 0)
		return err;
	if (number >= 0x7ff0 || ctrl_domain_info(ctrl, (uint32_t)number, &info) != 0)
		return reason_set(ESRCH, "there is no domain %s; xl list shows those that run", name_or_number);
	*domid = (uint32_t)number;
	return 0;
}

int backend_domid(struct host *host, const char *name, uint32_t *domid)
{
	*domid = 0;
	if (name == NULL || strcmp(name, "0") == 0 || strcmp(name, "Domain-0") == 0)
		return 0;
	return domain_find(host, name, domid) != 0 ? reason_prefix(-ESRCH, "backend=%s: ", name) : 0;
}

struct rename_context {
	uint32_t domid;
	const char *name;
};

static int rename_body(struct store *store, store_tx_t tx, void *context)
{
	struct rename_context *c = context;
	char path[64], *vm = NULL;
	int err;

	snprintf(path, sizeof(path), "/local/domain/%u", c->domid);
	err = store_write_at(store, tx, path, "name", "%s", c->name);
	if (err == 0 && store_read_at(store, tx, path, "vm", &vm) == 0)
		err = store_write_at(store, tx, vm, "name", "%s", c->name);
	free(vm);
	return err;
}

int domain_rename(struct host *host, uint32_t domid, const char *name)
{
	struct rename_context c = { .domid = domid, .name = name };
	struct domain_config check;
	struct domain_record record;
	struct store *store;
	uint32_t other;
	int lock, err = host_store(host, &store);

	if (err != 0)
		return err;
	domain_config_init(&check);
	check.name = (char *)(uintptr_t)name;
	err = domain_config_check(&check);
	if (err != 0)
		return err;
	lock = lock_get("lock", name, 5000);
	if (lock < 0)
		return lock;
	err = find_by_name(host, name, &other);
	if (err == 0 && other != domid)
		err = reason_set(EEXIST, "domain %u is already called \"%s\"", other, name);
	else if (err == -ESRCH || err == 0)
		err = store_transaction(store, rename_body, &c);
	if (err == 0 && domain_record_get(domid, &record) == 0) {
		char *copy = strdup(name);

		if (copy != NULL) {
			free(record.config.name);
			record.config.name = copy;
			err = domain_record_put(domid, &record);
		}
		domain_record_free(&record);
	}
	lock_put(lock, "lock", name);
	return err;
}
