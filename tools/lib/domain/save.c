/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains to and from files. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/domctl.h>

#include "argon/domain_move.h"
#include "argon/reason.h"
#include "internal.h"
#include "move.h"

/* ---- The configuration that goes along ---- */

int move_config_text(struct host *host, uint32_t domid, const struct domain_config *given, char **text)
{
	struct domain_config dc;
	struct json_object *json;
	int err;

	domain_config_init(&dc);
	err = given == NULL ? domain_config_get(host, domid, &dc) : 0;
	if (err == 0 && given == NULL && dc.nomigrate)
		err = reason_set(EPERM, "the domain's configuration forbids it (nomigrate)");
	json = err == 0 ? domain_config_json(given != NULL ? given : &dc) : NULL;
	*text = json != NULL ? strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY)) : NULL;
	if (err == 0 && *text == NULL)
		err = reason_set(ENOMEM, "out of memory");
	json_object_put(json);
	domain_config_free(&dc);
	return err;
}

int move_config_parse(const char *text, struct domain_config *dc)
{
	struct json_object *json = json_tokener_parse(text);
	int err;

	if (json == NULL)
		return reason_set(EBADMSG, "the configuration in the file is damaged");
	err = domain_config_read_json(dc, json);
	json_object_put(json);
	return err != 0 ? reason_prefix(err, "the configuration in the file: ") : 0;
}

/* ---- Saving ---- */

int mover_open(struct mover *m, struct host *host, uint32_t domid, const struct domain_move_options *options)
{
	struct ctrl_cpupool_info pool;
	struct ctrl_domain_info info;
	int err;

	*m = (struct mover){ .host = host, .domid = domid, .options = options };
	err = host_ctrl(host, &m->ctrl);
	if (err == 0)
		err = ctrl_domain_info(m->ctrl, domid, &info);
	if (err != 0)
		return err;
	if (domid == 0)
		return reason_set(EINVAL, "dom0 cannot be saved or moved");
	m->vcpus = info.max_vcpu_id + 1;
	if (ctrl_cpupool_info(m->ctrl, info.cpupool, &pool, NULL) == 0)
		m->scheduler = pool.scheduler;
	m->can_throttle = ctrl_sched_get_credit(m->ctrl, domid, m->scheduler, &m->credit) == 0;
	reason_clear();
	return 0;
}

static void stage(const struct mover *m, const char *name)
{
	if (m->options->stage != NULL)
		m->options->stage(m->options->context, name);
}

static int suspend(void *context)
{
	struct mover *m = context;

	stage(m, "stop-and-copy");
	m->suspended = true;
	return domain_suspend(m->host, m->domid);
}

static int progress(void *context, const struct migrate_progress *p)
{
	const struct mover *m = context;

	return m->options->progress != NULL ? m->options->progress(m->options->context, p) : 0;
}

/* Slows the domain by the scheduler's cap. */
static int throttle(void *context, unsigned int percent)
{
	const struct mover *m = context;
	struct ctrl_sched_credit slow = { .weight = 0, .cap = (uint16_t)(percent * m->vcpus) };

	if (!m->can_throttle)
		return 0;
	if (percent >= 100)
		slow.cap = m->credit.cap;
	else if (m->credit.cap != 0 && m->credit.cap < slow.cap)
		slow.cap = m->credit.cap;
	return ctrl_sched_set_credit(m->ctrl, m->domid, m->scheduler, &slow);
}

int mover_write(struct mover *m, int fd, struct migrate_progress *result)
{
	const struct domain_move_options *o = m->options;
	const struct migrate_save save = {
		.domid = m->domid, .fd = fd, .live = o->live, .bandwidth = o->bandwidth, .start_rate = o->start_rate,
		.max_downtime = o->max_downtime, .max_rounds = o->max_rounds, .timeout = o->timeout, .policy = o->policy,
		.suspend = suspend, .progress = progress, .throttle = throttle, .context = m,
	};
	int err;

	if (o->live)
		stage(m, "iterative pre-copy");
	err = migrate_save(m->ctrl, &save, result);
	/* As if nothing had been; the first reason is the one to tell. */
	if (err != 0)
		mover_resume(m);
	return err;
}

void mover_resume(struct mover *m)
{
	char *why = strdup(reason_get());

	if (m->suspended && domain_resume(m->host, m->domid) != 0)
		host_warn(m->host, "the domain cannot go on: %s", reason_get());
	m->suspended = false;
	reason_set(EINVAL, "%s", why != NULL ? why : "out of memory");
	free(why);
}

static int after(struct mover *m)
{
	int err;

	switch (m->options->after) {
	case AFTER_CONTINUE:
		return domain_resume(m->host, m->domid);
	case AFTER_PAUSE:
		err = ctrl_domain_pause(m->ctrl, m->domid);
		return err == 0 ? domain_resume(m->host, m->domid) : err;
	case AFTER_DESTROY:
	default:
		return domain_destroy(m->host, m->domid);
	}
}

int domain_save(struct host *host, uint32_t domid, int fd, const struct domain_move_options *options,
		struct migrate_progress *result)
{
	struct mover m;
	char *text = NULL;
	int err = mover_open(&m, host, domid, options);

	if (err == 0)
		err = move_config_text(host, domid, options->config, &text);
	if (err == 0)
		err = migrate_header_write(fd, text, strlen(text));
	free(text);
	if (err == 0)
		err = mover_write(&m, fd, result);
	return err == 0 ? after(&m) : err;
}

/* ---- Restoring ---- */

int move_create(struct host *host, int fd, const struct domain_config *dc, const struct domain_create_options *options,
		uint32_t *domid)
{
	struct domain_create_options with_stream = *options;
	int err;

	/* Number 0 stands for "no stream" there. */
	with_stream.stream_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (with_stream.stream_fd < 0)
		return reason_set(errno, "the stream cannot be opened again: %s", strerror(errno));
	err = domain_create(host, dc, &with_stream, domid);
	close(with_stream.stream_fd);
	return err;
}

int domain_restore(struct host *host, int fd, const struct domain_config *config, const struct domain_create_options *options,
		   uint32_t *domid)
{
	struct domain_config dc;
	char *text = NULL;
	size_t bytes;
	int err = migrate_header_read(fd, &text, &bytes);

	domain_config_init(&dc);
	if (err == 0 && config == NULL)
		err = move_config_parse(text, &dc);
	free(text);
	if (err == 0)
		err = move_create(host, fd, config != NULL ? config : &dc, options, domid);
	domain_config_free(&dc);
	return err;
}
