/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches and their events, transactions, domains. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "argon/reason.h"
#include "internal.h"

/* Somebody who is refused so often would be refused for ever. */
#define TX_ATTEMPTS 100u

/* ---- Events ---------------------------------------------------------------------------------------------------------------- */

void store_event_free(struct store_event *event)
{
	free(event->path);
	free(event->token);
	event->path = event->token = NULL;
}

static bool is_below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	return !strcmp(dir, "/") || (!strncmp(path, dir, length) && (!path[length] || path[length] == '/'));
}

void store_events_drop(struct store *store, const char *path, const char *token)
{
	struct event **link = &store->events;

	while (*link) {
		struct event *event = *link;

		if (path && (strcmp(event->event.token, token) || !is_below(event->event.path, path))) {
			link = &event->next;
			continue;
		}
		*link = event->next;
		store_event_free(&event->event);
		free(event);
	}
	store->events_tail = link;
}

static bool event_take(struct store *store, struct store_event *out)
{
	struct event *event = store->events;

	if (!event)
		return false;
	store->events = event->next;
	if (!store->events)
		store->events_tail = &store->events;
	*out = event->event;
	free(event);
	return true;
}

/* An event to hand out, if there is one and no callback to call. */
static bool event_deliver(struct store *store, struct store_event *out)
{
	while (event_take(store, out)) {
		if (!store->on_event)
			return true;
		store->on_event(store->on_event_context, out);
		store_event_free(out);
	}
	return false;
}

int store_event_next(struct store *store, struct store_event *event)
{
	int error;

	if (event_deliver(store, event))
		return 1;
	error = store_pump(store, 0);
	return event_deliver(store, event) ? 1 : error;
}

static int64_t milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int store_event_wait(struct store *store, struct store_event *event, int timeout)
{
	int64_t end = milliseconds_now() + timeout;

	for (;;) {
		bool called = store->on_event && store->events;
		int64_t left = timeout < 0 ? -1 : end - milliseconds_now();
		int error;

		if (event_deliver(store, event))
			return 1;
		if (called || (timeout >= 0 && left < 0))
			return 0;
		error = store_pump(store, (int)left);
		if (error)
			return error;
		if (timeout >= 0 && !left && !store->events)
			return 0;
	}
}

void store_event_callback(struct store *store, void (*on_event)(void *context, const struct store_event *event), void *context)
{
	store->on_event = on_event;
	store->on_event_context = context;
}

/* ---- Watches ----------------------------------------------------------------------------------------------------------------- */

static struct watch **watch_find(struct store *store, const char *path, const char *token)
{
	struct watch **link = &store->watches;

	while (*link && (strcmp((*link)->path, path) || strcmp((*link)->token, token)))
		link = &(*link)->next;
	return link;
}

static void watch_free(struct watch *watch)
{
	if (watch) {
		free(watch->path);
		free(watch->token);
	}
	free(watch);
}

int store_watch(struct store *store, const char *path, const char *token, int depth)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	int used = snprintf(payload, sizeof(payload), "%s%c%s%c", path, 0, token, 0), error;
	struct watch *watch;

	if (depth >= 0 && (size_t)used < sizeof(payload))
		used += snprintf(payload + used, sizeof(payload) - (size_t)used, "%d%c", depth, 0);
	if (used < 0 || (size_t)used >= sizeof(payload))
		return reason_set(E2BIG, "store: path and token of a watch have %d bytes", used);
	watch = calloc(1, sizeof(*watch));
	if (watch) {
		watch->path = strdup(path);
		watch->token = strdup(token);
		watch->depth = depth;
	}
	if (!watch || !watch->path || !watch->token) {
		watch_free(watch);
		return reason_set(ENOMEM, "store: out of memory");
	}
	error = store_call(store, XS_WATCH, STORE_NO_TX, payload, (size_t)used, NULL, NULL);
	/* Asked twice because the connection broke after the daemon had done it: that is what we want. */
	if (error && !(error == -EEXIST && !*watch_find(store, path, token))) {
		watch_free(watch);
		return error;
	}
	watch->next = store->watches;
	store->watches = watch;
	return 0;
}

int store_unwatch(struct store *store, const char *path, const char *token)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	int used = snprintf(payload, sizeof(payload), "%s%c%s%c", path, 0, token, 0), error;
	struct watch **link;

	if (used < 0 || (size_t)used >= sizeof(payload))
		return reason_set(E2BIG, "store: path and token of a watch have %d bytes", used);
	error = store_call(store, XS_UNWATCH, STORE_NO_TX, payload, (size_t)used, NULL, NULL);
	if (error)
		return error;
	link = watch_find(store, path, token);
	if (*link) {
		struct watch *watch = *link;

		*link = watch->next;
		watch_free(watch);
	}
	store_events_drop(store, path, token);
	return 0;
}

int store_watches_reset(struct store *store)
{
	int error = store_call(store, XS_RESET_WATCHES, STORE_NO_TX, "", 1, NULL, NULL);

	if (error)
		return error;
	while (store->watches) {
		struct watch *watch = store->watches;

		store->watches = watch->next;
		watch_free(watch);
	}
	for (struct transaction *t = store->transactions; t; t = t->next)
		t->lost = true;
	store_events_drop(store, NULL, NULL);
	return 0;
}

/* ---- Transactions ------------------------------------------------------------------------------------------------------------ */

int store_tx_start(struct store *store, store_tx_t *tx)
{
	struct transaction *t = calloc(1, sizeof(*t));
	char *answer;
	int error;

	if (!t)
		return reason_set(ENOMEM, "store: out of memory");
	error = store_call(store, XS_TRANSACTION_START, STORE_NO_TX, "", 1, &answer, NULL);
	if (error) {
		free(t);
		return error;
	}
	t->id = (uint32_t)strtoul(answer, NULL, 10);
	free(answer);
	if (!store->next_tx)
		store->next_tx = 1;
	*tx = t->handle = store->next_tx++;
	t->next = store->transactions;
	store->transactions = t;
	return 0;
}

int store_tx_end(struct store *store, store_tx_t tx, bool commit)
{
	int error = store_call(store, XS_TRANSACTION_END, tx, commit ? "T" : "F", 2, NULL, NULL);

	for (struct transaction **link = &store->transactions; *link; link = &(*link)->next) {
		struct transaction *t = *link;

		if (t->handle != tx)
			continue;
		*link = t->next;
		free(t);
		break;
	}
	return commit || error != -EAGAIN ? error : 0;
}

int store_transaction(struct store *store, store_tx_body *body, void *context)
{
	unsigned int attempt;

	for (attempt = 0; attempt < TX_ATTEMPTS; attempt++) {
		store_tx_t tx;
		int error = store_tx_start(store, &tx), end;

		if (error)
			return error;
		error = body(store, tx, context);
		end = store_tx_end(store, tx, !error);
		if (!error)
			error = end;
		if (error != -EAGAIN)
			return error;
	}
	return reason_set(EAGAIN, "store: a transaction was refused %u times because others change what it uses", TX_ATTEMPTS);
}

/* ---- Domains ------------------------------------------------------------------------------------------------------------------- */

static int domain_call(struct store *store, uint32_t type, uint32_t domid, char **answer)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, domid);
	return store_call_path(store, type, STORE_NO_TX, text, answer, NULL);
}

int store_introduce(struct store *store, uint32_t domid, uint64_t gfn, uint32_t port)
{
	char payload[64];
	int used = snprintf(payload, sizeof(payload), "%" PRIu32 "%c%" PRId64 "%c%" PRIu32 "%c", domid, 0, (int64_t)gfn, 0, port, 0);

	return store_call(store, XS_INTRODUCE, STORE_NO_TX, payload, (size_t)used, NULL, NULL);
}

int store_release(struct store *store, uint32_t domid)
{
	return domain_call(store, XS_RELEASE, domid, NULL);
}

int store_is_introduced(struct store *store, uint32_t domid)
{
	char *answer;
	int result = domain_call(store, XS_IS_DOMAIN_INTRODUCED, domid, &answer);

	if (result)
		return result;
	result = answer[0] == 'T';
	free(answer);
	return result;
}

int store_domain_path(struct store *store, uint32_t domid, char **path)
{
	return domain_call(store, XS_GET_DOMAIN_PATH, domid, path);
}

int store_target_set(struct store *store, uint32_t domid, uint32_t target)
{
	char payload[32];
	int used = snprintf(payload, sizeof(payload), "%" PRIu32 "%c%" PRIu32 "%c", domid, 0, target, 0);

	return store_call(store, XS_SET_TARGET, STORE_NO_TX, payload, (size_t)used, NULL, NULL);
}

int store_resume(struct store *store, uint32_t domid)
{
	return domain_call(store, XS_RESUME, domid, NULL);
}

int store_control(struct store *store, const char *const *words, unsigned int count, char **answer)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	size_t used = 0;

	for (unsigned int i = 0; i < count; i++) {
		size_t bytes = strlen(words[i]) + 1;

		if (used + bytes > sizeof(payload))
			return reason_set(E2BIG, "store: control command too long");
		memcpy(payload + used, words[i], bytes);
		used += bytes;
	}
	return store_call(store, XS_CONTROL, STORE_NO_TX, payload, used, answer, NULL);
}
