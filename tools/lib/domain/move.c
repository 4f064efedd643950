/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a domain to another host, over a pair of descriptors. Both sides are state machines that can be cut off anywhere:
 *
 *   sender                           receiver
 *                                    READY   "send"
 *   file header          ----------> looks whether it has the memory, and the name
 *                                    READY   again
 *   stream               ----------> makes NAME--incoming, paused
 *   domain suspended                 BUILT   "it is whole"
 *   takes NAME--outgoing
 *   GO      "yours"      ----------> takes NAME, goes on
 *   domain destroyed     <---------- RUNS, or FAILED
 *
 * Before GO the sender's copy is the domain, and whoever loses the other gives up: the sender lets it go on, the receiver destroys
 * what it has. After GO the receiver's copy is. A sender that does not hear RUNS or FAILED then keeps its copy suspended, since
 * the other may run.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argon/reason.h"
#include "internal.h"
#include "move.h"

/* Messages have one length; a word and its meaning at the end of a line, so that a person who looks at the wire understands. */
#define MESSAGE_BYTES 32
static const char ready[MESSAGE_BYTES + 1] = "argon-migrate 1: send           ";
static const char built[MESSAGE_BYTES + 1] = "argon-migrate 1: built          ";
static const char go[MESSAGE_BYTES + 1] = "argon-migrate 1: go             ";
static const char runs[MESSAGE_BYTES + 1] = "argon-migrate 1: runs           ";
static const char failed[MESSAGE_BYTES + 1] = "argon-migrate 1: failed         ";

#define INCOMING "--incoming"
#define OUTGOING "--outgoing"
#define READY_MS 120000 /* a person may have to give a password */
#define BUILT_MS 120000
#define REPORT_MS 60000
#define GO_MS	  300000

static int message_put(int fd, const char *message)
{
	size_t at = 0;

	while (at < MESSAGE_BYTES) {
		ssize_t n = write(fd, message + at, MESSAGE_BYTES - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return reason_set(EPIPE, "the connection to the other host broke");
		at += (size_t)n;
	}
	return 0;
}

static int message_get(int fd, char message[MESSAGE_BYTES + 1], int milliseconds)
{
	size_t at = 0;

	while (at < MESSAGE_BYTES) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int rc = poll(&p, 1, milliseconds);
		ssize_t n;

		if (rc == 0)
			return reason_set(ETIMEDOUT, "the other host does not answer");
		if (rc < 0 && errno == EINTR)
			continue;
		n = rc < 0 ? -1 : read(fd, message + at, MESSAGE_BYTES - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return reason_set(EPIPE, "the connection to the other host broke");
		at += (size_t)n;
	}
	message[at] = '\0';
	return 0;
}

static int message_expect(int fd, const char *wanted, int milliseconds)
{
	char message[MESSAGE_BYTES + 1];
	int err = message_get(fd, message, milliseconds);

	if (err == 0 && strcmp(message, failed) == 0)
		return reason_set(EREMOTE, "the other host refuses; its messages say why");
	if (err == 0 && strcmp(message, wanted) != 0)
		return reason_set(EPROTO, "the other host does not run Argon's xl, or another version of it");
	return err;
}

/* ---- Sending ---- */

static void stage(const struct domain_move_options *o, const char *name)
{
	if (o->stage != NULL)
		o->stage(o->context, name);
}

/* The name is free for the other side, which may be on this host. */
static int name_leave(struct mover *m, char **name)
{
	char *outgoing = NULL;
	int err = domain_name(m->host, m->domid, name);

	if (err == 0 && asprintf(&outgoing, "%s%s", *name, OUTGOING) < 0)
		err = reason_set(ENOMEM, "out of memory");
	if (err == 0)
		err = domain_rename(m->host, m->domid, outgoing);
	free(outgoing);
	return err;
}

/* It stays: with its name, and running. Keeps the reason. */
static void stay(struct mover *m, const char *name)
{
	char *why = strdup(reason_get());

	if (name != NULL && domain_rename(m->host, m->domid, name) != 0)
		host_warn(m->host, "the domain cannot have its name back: %s", reason_get());
	reason_set(EINVAL, "%s", why != NULL ? why : "out of memory");
	free(why);
	mover_resume(m);
}

/* After GO. */
static int outcome_await(struct mover *m, int in, const char *name)
{
	char message[MESSAGE_BYTES + 1];
	int err = message_get(in, message, REPORT_MS);

	if (err == 0 && strcmp(message, runs) == 0)
		return 0;
	if (err == 0 && strcmp(message, failed) == 0) {
		reason_set(EREMOTE, "the other host could not start the domain; its messages say why");
		stay(m, name);
		return -EREMOTE;
	}
	return reason_set(EREMOTEIO, "the connection broke after the other host was told to go ahead. If the domain does not run there: "
			  "xl unpause %u; if it does: xl destroy %u", m->domid, m->domid);
}

/* The domain is suspended, and written. */
static int commit(struct mover *m, int in, int out)
{
	char *name = NULL;
	int err = message_expect(in, built, BUILT_MS);

	if (err == 0) {
		stage(m->options, "commitment");
		err = name_leave(m, &name);
	}
	if (err == 0)
		err = message_put(out, go);
	if (err != 0)
		stay(m, name);
	else
		err = outcome_await(m, in, name);
	free(name);
	return err;
}

int domain_send(struct host *host, uint32_t domid, int in, int out, const struct domain_move_options *options,
		struct migrate_progress *result)
{
	struct mover m;
	char *text = NULL;
	int err;

	stage(options, "pre-migration");
	err = mover_open(&m, host, domid, options);
	if (err == 0)
		err = move_config_text(host, domid, options->config, &text);
	if (err == 0)
		err = message_expect(in, ready, READY_MS);
	if (err == 0) {
		stage(options, "reservation");
		err = migrate_header_write(out, text, strlen(text));
	}
	free(text);
	/* The other side says that it has the memory, and the name, before the first page is sent. */
	if (err == 0)
		err = message_expect(in, ready, READY_MS);
	if (err == 0)
		err = mover_write(&m, out, result);
	if (err != 0)
		return err;
	err = commit(&m, in, out);
	if (err != 0)
		return err;
	stage(options, "activation");
	return domain_destroy(host, domid);
}

/* ---- Receiving ---- */

/* Refusals that are known before memory moves. The domain itself, if it comes from this host, is no other. */
static int reserve(struct host *host, const struct domain_config *dc)
{
	struct ctrl_domain_info info = { .domid = 0 };
	struct ctrl *ctrl;
	uint32_t other;
	int err = domain_find(host, dc->name, &other);

	if (err == 0 && (host_ctrl(host, &ctrl) != 0 || ctrl_domain_info(ctrl, other, &info) != 0 ||
			 memcmp(info.uuid, dc->uuid, sizeof(info.uuid)) != 0))
		return reason_set(EEXIST, "a domain named \"%s\" exists already on the other host (domain %u)", dc->name, other);
	return err == -ESRCH || err == 0 ? host_memory_free(host, dc->memory_kib + 4096, 2) : err;
}

static int name_change(struct domain_config *dc, char **real)
{
	char *incoming;

	*real = dc->name;
	if (asprintf(&incoming, "%s%s", dc->name, INCOMING) < 0) {
		*real = NULL;
		return reason_set(ENOMEM, "out of memory");
	}
	dc->name = incoming;
	return 0;
}

static int activate(struct host *host, uint32_t domid, const char *name, bool paused)
{
	struct ctrl *ctrl;
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = domain_rename(host, domid, name);
	return err == 0 && !paused ? ctrl_domain_unpause(ctrl, domid) : err;
}

/* Makes the domain, and gives it to its name once the sender says so. */
static int take(struct host *host, int in, int out, struct domain_config *dc, const struct domain_create_options *options,
		uint32_t *domid)
{
	struct domain_create_options paused = *options;
	char *name = NULL;
	int err = name_change(dc, &name);

	paused.paused = true;
	if (err == 0)
		err = message_put(out, ready);
	if (err == 0)
		err = move_create(host, in, dc, &paused, domid);
	if (err != 0) {
		free(name);
		return err;
	}
	err = message_put(out, built);
	if (err == 0)
		err = message_expect(in, go, GO_MS);
	if (err == 0)
		err = activate(host, *domid, name, options->paused);
	free(name);
	if (err != 0) {
		char *why = strdup(reason_get());

		(void)domain_destroy(host, *domid);
		reason_set(-err, "%s", why != NULL ? why : "out of memory");
		free(why);
	}
	return err;
}

int domain_receive(struct host *host, int in, int out, const struct domain_create_options *options, uint32_t *domid)
{
	struct domain_config dc;
	char *text = NULL;
	size_t bytes;
	int err = message_put(out, ready);

	domain_config_init(&dc);
	if (err == 0)
		err = migrate_header_read(in, &text, &bytes);
	if (err == 0)
		err = move_config_parse(text, &dc);
	free(text);
	if (err == 0)
		err = reserve(host, &dc);
	if (err == 0)
		err = take(host, in, out, &dc, options, domid);
	domain_config_free(&dc);
	/* The domain is here and runs, whether or not the sender hears of it. */
	(void)message_put(out, err == 0 ? runs : failed);
	return err;
}
