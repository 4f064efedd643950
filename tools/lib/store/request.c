/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests: asynchronous ones, those that wait, and one function for each of the protocol. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/reason.h"
#include "internal.h"

static const char *const type_names[] = {
	[XS_CONTROL] = "control", [XS_DIRECTORY] = "list", [XS_READ] = "read", [XS_GET_PERMS] = "get permissions of",
	[XS_WATCH] = "watch", [XS_UNWATCH] = "unwatch", [XS_TRANSACTION_START] = "start a transaction",
	[XS_TRANSACTION_END] = "end a transaction", [XS_INTRODUCE] = "introduce domain", [XS_RELEASE] = "release domain",
	[XS_GET_DOMAIN_PATH] = "get the path of domain", [XS_WRITE] = "write", [XS_MKDIR] = "make", [XS_RM] = "remove",
	[XS_SET_PERMS] = "set permissions of", [XS_IS_DOMAIN_INTRODUCED] = "ask for domain", [XS_RESUME] = "resume domain",
	[XS_SET_TARGET] = "set the target of domain", [XS_RESET_WATCHES] = "reset watches", [XS_DIRECTORY_PART] = "list",
};

struct call {
	int error;
	bool done;
	char *answer;
	size_t bytes;
};

static void call_done(void *context, int error, const char *data, size_t bytes)
{
	struct call *call = context;

	call->done = true;
	call->error = error;
	call->bytes = bytes;
	if (error)
		return;
	call->answer = malloc(bytes + 1);
	if (!call->answer) {
		call->error = -ENOMEM;
		return;
	}
	memcpy(call->answer, data, bytes);
	call->answer[bytes] = '\0';
}

static int call_wait(struct store *store, struct call *call)
{
	while (!call->done) {
		int error = store_pump(store, -1);

		if (error && !call->done)
			return error;
	}
	return call->error;
}

int store_call(struct store *store, uint32_t type, store_tx_t tx, const void *data, size_t bytes, char **answer, size_t *answer_bytes)
{
	struct call call = { .done = false };
	int error = store_enqueue(store, type, tx, data, bytes, call_done, &call);

	if (error)
		return error;
	error = call_wait(store, &call);
	if (error) {
		free(call.answer);
		return reason_set(-error, "store: cannot %s %.*s: %s", type_names[type], (int)strnlen(data, bytes),
				  (const char *)data, strerror(-error));
	}
	if (answer_bytes)
		*answer_bytes = call.bytes;
	if (answer)
		*answer = call.answer;
	else
		free(call.answer);
	return 0;
}

int store_call_path(struct store *store, uint32_t type, store_tx_t tx, const char *path, char **answer, size_t *answer_bytes)
{
	return store_call(store, type, tx, path, strlen(path) + 1, answer, answer_bytes);
}

int store_submit(struct store *store, uint32_t type, store_tx_t tx, const void *data, size_t bytes, store_done *done, void *context)
{
	if (type == XS_TRANSACTION_START || type == XS_TRANSACTION_END || type == XS_WATCH || type == XS_UNWATCH ||
	    type == XS_RESET_WATCHES || type >= XS_TYPE_COUNT)
		return reason_set(EINVAL, "store: requests of type %" PRIu32 " have functions of their own", type);
	return store_enqueue(store, type, tx, data, bytes, done, context);
}

/* path '\0' value, as the payload of a write. @return its length or -E2BIG */
static int write_payload(char payload[XENSTORE_PAYLOAD_MAX], const char *path, const void *value, size_t bytes)
{
	size_t path_bytes = strlen(path) + 1;

	if (path_bytes > XENSTORE_PAYLOAD_MAX || bytes > XENSTORE_PAYLOAD_MAX - path_bytes)
		return reason_set(E2BIG, "store: %zu bytes are too many for %.100s", bytes, path);
	memcpy(payload, path, path_bytes);
	memcpy(payload + path_bytes, value, bytes);
	return (int)(path_bytes + bytes);
}

int store_submit_write(struct store *store, store_tx_t tx, const char *path, const void *value, size_t bytes, store_done *done,
		       void *context)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	int used = write_payload(payload, path, value, bytes);

	return used < 0 ? used : store_enqueue(store, XS_WRITE, tx, payload, (size_t)used, done, context);
}

int store_poll(struct store *store)
{
	int error = store_pump(store, 0);

	return error ? error : (int)store->request_count;
}

int store_drain(struct store *store)
{
	while (store->request_count) {
		int error = store_pump(store, -1);

		if (error)
			return error;
	}
	return 0;
}

int store_read(struct store *store, store_tx_t tx, const char *path, char **value, size_t *bytes)
{
	return store_call_path(store, XS_READ, tx, path, value, bytes);
}

int store_write(struct store *store, store_tx_t tx, const char *path, const void *value, size_t bytes)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	int used = write_payload(payload, path, value, bytes);

	return used < 0 ? used : store_call(store, XS_WRITE, tx, payload, (size_t)used, NULL, NULL);
}

int store_mkdir(struct store *store, store_tx_t tx, const char *path)
{
	return store_call_path(store, XS_MKDIR, tx, path, NULL, NULL);
}

int store_rm(struct store *store, store_tx_t tx, const char *path)
{
	return store_call_path(store, XS_RM, tx, path, NULL, NULL);
}

int store_exists(struct store *store, store_tx_t tx, const char *path)
{
	int error = store_read(store, tx, path, NULL, NULL);

	return error == -ENOENT ? 0 : error ? error : 1;
}

/* Children in pieces. Start again if the node changes between two of them. */
static int directory_collect(struct store *store, store_tx_t tx, const char *path, struct bytes *list)
{
	char generation[32] = "";

	for (;;) {
		char payload[STORE_PATH_MAX + 32], *answer;
		int used = snprintf(payload, sizeof(payload), "%s%c%zu%c", path, 0, list->end, 0);
		size_t bytes, head;
		int error;

		if (used < 0 || (size_t)used >= sizeof(payload))
			return reason_set(ENAMETOOLONG, "store: path of %zu bytes", strlen(path));
		error = store_call(store, XS_DIRECTORY_PART, tx, payload, (size_t)used, &answer, &bytes);
		if (error)
			return error;
		head = strlen(answer) + 1;
		if (head > bytes || head > sizeof(generation)) {
			free(answer);
			return reason_set(EIO, "store: malformed list of %s", path);
		}
		if (list->end && strcmp(generation, answer)) {
			list->start = list->end = 0;
			free(answer);
			continue;
		}
		memcpy(generation, answer, head);
		error = store_bytes_append(list, answer + head, bytes - head);
		/* The last piece has an empty name at its end. */
		if (!error && (bytes == head || !answer[bytes - 1]) && (bytes < head + 2 || !answer[bytes - 2])) {
			free(answer);
			if (list->end && (list->end == 1 || !list->data[list->end - 2]))
				list->end--;
			return 0;
		}
		free(answer);
		if (error)
			return reason_set(ENOMEM, "store: out of memory");
	}
}

/* An array of pointers and the names behind it in one block. */
static int names_split(const struct bytes *list, char ***names)
{
	size_t count = 0, i = 0;
	char *text;

	for (size_t at = 0; at < list->end; at++)
		count += !list->data[at];
	*names = malloc((count + 1) * sizeof(char *) + list->end + 1);
	if (!*names)
		return reason_set(ENOMEM, "store: out of memory");
	text = (char *)(*names + count + 1);
	if (list->end)
		memcpy(text, list->data, list->end);
	text[list->end] = '\0';
	for (; i < count; i++) {
		(*names)[i] = text;
		text += strlen(text) + 1;
	}
	(*names)[count] = NULL;
	return (int)count;
}

int store_directory(struct store *store, store_tx_t tx, const char *path, char ***names)
{
	struct bytes list = { .start = 0 };
	int error = store_call_path(store, XS_DIRECTORY, tx, path, &list.data, &list.end);

	if (error == -E2BIG) {
		list = (struct bytes){ .start = 0 };
		error = directory_collect(store, tx, path, &list);
	}
	if (!error)
		error = names_split(&list, names);
	free(list.data);
	return error;
}

static int perm_parse(const char *text, struct store_perm *perm)
{
	static const char letters[] = "nrwb"; /* indexed by access */
	const char *letter = *text ? strchr(letters, *text) : NULL;
	unsigned long domid;
	char *end;

	if (!letter)
		return -EIO;
	errno = 0;
	domid = strtoul(text + 1, &end, 10);
	if (errno || end == text + 1 || *end || domid > UINT16_MAX)
		return -EIO;
	perm->domid = (uint32_t)domid;
	perm->access = (uint32_t)(letter - letters);
	return 0;
}

int store_perms_get(struct store *store, store_tx_t tx, const char *path, struct store_perm **perms)
{
	char *answer;
	size_t bytes;
	int error = store_call_path(store, XS_GET_PERMS, tx, path, &answer, &bytes), count = 0;

	if (error)
		return error;
	*perms = calloc(bytes / 3 + 1, sizeof(**perms)); /* an entry has three bytes at least */
	if (!*perms) {
		free(answer);
		return reason_set(ENOMEM, "store: out of memory");
	}
	for (const char *text = answer; !error && text < answer + bytes; text += strlen(text) + 1)
		error = (size_t)count > bytes / 3 ? -EIO : perm_parse(text, &(*perms)[count++]);
	free(answer);
	if (!error)
		return count;
	free(*perms);
	*perms = NULL;
	return reason_set(EIO, "store: malformed permissions of %s", path);
}

/* @return bytes used, or -E2BIG */
static int perms_payload(char payload[XENSTORE_PAYLOAD_MAX], const char *path, const struct store_perm *perms, unsigned int count)
{
	size_t used = strlen(path) + 1;

	if (used > XENSTORE_PAYLOAD_MAX)
		return reason_set(E2BIG, "store: path of %zu bytes", used - 1);
	memcpy(payload, path, used);
	for (unsigned int i = 0; i < count; i++) {
		if (used + 12 > XENSTORE_PAYLOAD_MAX)
			return reason_set(E2BIG, "store: %u permissions are too many for %s", count, path);
		used += (size_t)snprintf(payload + used, 12, "%c%u", "nrwb"[perms[i].access & 3], perms[i].domid & UINT16_MAX) + 1;
	}
	return (int)used;
}

int store_perms_set(struct store *store, store_tx_t tx, const char *path, const struct store_perm *perms, unsigned int count)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	int used = perms_payload(payload, path, perms, count);

	return used < 0 ? used : store_call(store, XS_SET_PERMS, tx, payload, (size_t)used, NULL, NULL);
}

/* The first error of a batch, and where it was. */
struct batch {
	int error;
	struct slot {
		struct batch *batch;
		const char *path;
	} *slots;
	const char *path;
};

static void batch_done(void *context, int error, const char *data, size_t bytes)
{
	struct slot *slot = context;

	(void)data;
	(void)bytes;
	if (error && !slot->batch->error) {
		slot->batch->error = error;
		slot->batch->path = slot->path;
	}
}

static int entry_submit(struct store *store, store_tx_t tx, const struct store_entry *entry, struct slot *slot)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	int error, used;

	if (entry->value)
		error = store_submit_write(store, tx, entry->path, entry->value, strlen(entry->value), batch_done, slot);
	else
		error = store_enqueue(store, XS_MKDIR, tx, entry->path, strlen(entry->path) + 1, batch_done, slot);
	if (error || !entry->perms)
		return error;
	used = perms_payload(payload, entry->path, entry->perms, entry->perm_count);
	return used < 0 ? used : store_enqueue(store, XS_SET_PERMS, tx, payload, (size_t)used, batch_done, slot);
}

int store_put(struct store *store, store_tx_t tx, const struct store_entry *entries, size_t count)
{
	struct batch batch = { .slots = calloc(count ? count : 1, sizeof(struct slot)) };
	int error = 0, drained;

	if (!batch.slots)
		return reason_set(ENOMEM, "store: out of memory");
	for (size_t i = 0; i < count; i++) {
		int result;

		batch.slots[i] = (struct slot){ .batch = &batch, .path = entries[i].path };
		result = entry_submit(store, tx, &entries[i], &batch.slots[i]);
		if (result && !error)
			error = result;
	}
	drained = store_drain(store); /* answers point into slots: all of them must be in */
	free(batch.slots);
	if (batch.error)
		return reason_set(-batch.error, "store: cannot write %s: %s", batch.path, strerror(-batch.error));
	return error ? error : drained;
}
