/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches hang at points, which form a tree like the nodes' but hold only watched paths and those above them. A change looks
 * along its path's points, so its cost grows with the depth and with the watches that it hits, not with all there are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"

struct watch_point {
	struct watch_point *next; /* in its hash chain */
	struct watch_point *parent;
	LIST_HEAD(, watch_point) children;
	LIST_ENTRY(watch_point) siblings;
	LIST_HEAD(, watch) watches;
	uint32_t hash, name_bytes;
	char name[];
};

const char *const special_names[SPECIAL_COUNT] = { "@introduceDomain", "@releaseDomain" };

/* ---- Points -------------------------------------------------------------------------------------------------------------------- */

static uint32_t point_hash(const struct watch_point *parent, const char *name, size_t bytes)
{
	return hash_bytes(HASH_START ^ (parent ? parent->hash * 31u : 0u), name, bytes);
}

static struct watch_point *point_find(const struct xs *xs, const struct watch_point *parent, const char *name, size_t bytes)
{
	uint32_t hash = point_hash(parent, name, bytes);

	if (!xs->points)
		return NULL;
	for (struct watch_point *p = xs->points[hash & xs->point_mask]; p; p = p->next)
		if (p->hash == hash && p->parent == parent && p->name_bytes == bytes && !memcmp(p->name, name, bytes))
			return p;
	return NULL;
}

static void points_rehash(struct xs *xs)
{
	uint32_t mask = xs->points ? 2 * xs->point_mask + 1 : 63;
	struct watch_point **table = xalloc((mask + 1) * sizeof(struct watch_point *));

	for (uint32_t i = 0; xs->points && i <= xs->point_mask; i++) {
		while (xs->points[i]) {
			struct watch_point *p = xs->points[i];

			xs->points[i] = p->next;
			p->next = table[p->hash & mask];
			table[p->hash & mask] = p;
		}
	}
	free(xs->points);
	xs->points = table;
	xs->point_mask = mask;
}

static struct watch_point *point_make(struct xs *xs, struct watch_point *parent, const char *name, size_t bytes)
{
	struct watch_point *point = point_find(xs, parent, name, bytes);

	if (point)
		return point;
	if (!xs->points || xs->point_count > xs->point_mask)
		points_rehash(xs);
	point = xalloc(sizeof(*point) + bytes + 1);
	point->parent = parent;
	point->hash = point_hash(parent, name, bytes);
	point->name_bytes = (uint32_t)bytes;
	memcpy(point->name, name, bytes);
	LIST_INIT(&point->children);
	LIST_INIT(&point->watches);
	if (parent)
		LIST_INSERT_HEAD(&parent->children, point, siblings);
	point->next = xs->points[point->hash & xs->point_mask];
	xs->points[point->hash & xs->point_mask] = point;
	xs->point_count++;
	return point;
}

/* Points without watches below them go. */
static void point_prune(struct xs *xs, struct watch_point *point)
{
	while (point && LIST_EMPTY(&point->watches) && LIST_EMPTY(&point->children)) {
		struct watch_point *parent = point->parent, **link = &xs->points[point->hash & xs->point_mask];

		while (*link != point)
			link = &(*link)->next;
		*link = point->next;
		if (parent)
			LIST_REMOVE(point, siblings);
		xs->point_count--;
		free(point);
		point = parent;
	}
}

void watch_points_free(struct xs *xs)
{
	free(xs->points);
	xs->points = NULL;
}

/* First name of a path: "" for those that start at the root, the event's own name for special ones. */
static const char *path_begin(const char *path, size_t *bytes)
{
	*bytes = *path == '/' ? 0 : (size_t)(strchrnul(path, '/') - path);
	return path;
}

/* Step to the path's next name. @return NULL at its end */
static const char *path_step(const char *at, size_t *bytes)
{
	at += *bytes;
	if (*at == '/')
		at++;
	*bytes = (size_t)(strchrnul(at, '/') - at);
	return *at ? at : NULL;
}

static struct watch_point *point_of(struct xs *xs, const char *path, bool make)
{
	size_t bytes;
	const char *at = path_begin(path, &bytes);
	struct watch_point *point = NULL;

	do {
		point = make ? point_make(xs, point, at, bytes) : point_find(xs, point, at, bytes);
		if (!point)
			return NULL;
		at = path_step(at, &bytes);
	} while (at);
	return point;
}

/* ---- Watches -------------------------------------------------------------------------------------------------------------------- */

long watch_cost(const struct watch *watch)
{
	return (long)(sizeof(*watch) + strlen(watch->path) + strlen(watch->token) + 2);
}

static struct watch *watch_find(struct xs *xs, struct conn *conn, const char *absolute, const char *path, const char *token)
{
	struct watch_point *point = point_of(xs, absolute, false);
	struct watch *watch;

	if (!point)
		return NULL;
	LIST_FOREACH(watch, &point->watches, in_point)
		if (watch->conn == conn && !strcmp(watch->path, path) && !strcmp(watch->token, token))
			return watch;
	return NULL;
}

int watch_add(struct xs *xs, struct conn *conn, const char *path, const char *absolute, const char *token, int depth)
{
	struct watch *watch;

	if (watch_find(xs, conn, absolute, path, token))
		return -EEXIST;
	watch = xalloc(sizeof(*watch));
	watch->conn = conn;
	watch->point = point_of(xs, absolute, true);
	watch->path = xstrndup(path, strlen(path));
	watch->token = xstrndup(token, strlen(token));
	watch->depth = depth;
	LIST_INSERT_HEAD(&watch->point->watches, watch, in_point);
	TAILQ_INSERT_TAIL(&conn->watches, watch, in_conn);
	conn->watch_count++;
	conn->watch_bytes += watch_cost(watch);
	return 0;
}

void watch_drop(struct xs *xs, struct watch *watch)
{
	struct conn *conn = watch->conn;

	LIST_REMOVE(watch, in_point);
	TAILQ_REMOVE(&conn->watches, watch, in_conn);
	conn->watch_count--;
	conn->watch_bytes -= watch_cost(watch);
	if (watch->overflowed)
		conn->overflow_count--;
	point_prune(xs, watch->point);
	free(watch->path);
	free(watch->token);
	free(watch);
}

static bool path_is_below(const char *path, const char *dir)
{
	size_t bytes = strlen(dir);

	return !strncmp(path, dir, bytes) && (!path[bytes] || path[bytes] == '/' || bytes == 1);
}

int watch_remove(struct xs *xs, struct conn *conn, const char *path, const char *token)
{
	struct watch *watch;

	TAILQ_FOREACH(watch, &conn->watches, in_conn)
		if (!strcmp(watch->path, path) && !strcmp(watch->token, token)) {
			watch_drop(xs, watch);
			return 0;
		}
	return -ENOENT;
}

/* ---- Events --------------------------------------------------------------------------------------------------------------------- */

static void watch_send(struct xs *xs, struct watch *watch, const char *path)
{
	if (xs->replaying || watch->overflowed || conn_event(xs, watch->conn, path, watch->token))
		return;
	watch->overflowed = true;
	watch->conn->overflow_count++;
	atomic_store(&conn_slot(xs, watch->conn)->overflow, 1);
}

void watch_fire_first(struct xs *xs, struct watch *watch)
{
	watch_send(xs, watch, watch->path);
}

/* An event for path, which is absolute. The client hears of it as it spoke of it. */
static void watch_notify(struct xs *xs, struct watch *watch, const char *path)
{
	char base[32];

	if (watch->path[0] != '/' && watch->path[0] != '@') {
		size_t bytes = (size_t)snprintf(base, sizeof(base), "/local/domain/%u", watch->conn->domid);

		path = path_is_below(path, base) && path[bytes] ? path + bytes + 1 : watch->path;
	}
	watch_send(xs, watch, path);
}

static bool may_know(const struct xs *xs, const struct watch *watch, const struct node *before, const struct node *after)
{
	return (before && conn_may(xs, watch->conn, before->perms, PERM_READ)) ||
	       (after && conn_may(xs, watch->conn, after->perms, PERM_READ));
}

static void fire_at(struct xs *xs, struct watch_point *point, const char *path, int levels, struct node *before, struct node *after)
{
	struct watch *watch;

	LIST_FOREACH(watch, &point->watches, in_point)
		if ((watch->depth < 0 || levels <= watch->depth) && may_know(xs, watch, before, after))
			watch_notify(xs, watch, path);
}

/* Fire the points from the root to path. @return the point of path itself, if there is one */
static struct watch_point *fire_above(struct xs *xs, const char *path, struct node *before, struct node *after)
{
	struct watch_point *point = NULL;
	int levels = 0;
	size_t bytes;

	for (const char *at = path; path[1] && at; at = strchr(at + 1, '/'))
		levels++;
	for (const char *at = path_begin(path, &bytes); at; at = path_step(at, &bytes), levels--) {
		point = point_find(xs, point, at, bytes);
		if (!point)
			return NULL;
		fire_at(xs, point, path, levels, before, after);
	}
	return point;
}

void watch_fire(struct xs *xs, const char *path, struct node *before, struct node *after)
{
	if (!xs->replaying)
		fire_above(xs, path, before, after);
}

/* Watches below what was removed hear of their own path, if there was something. path has `used` bytes and room for any. */
static void fire_below(struct xs *xs, struct watch_point *point, char *path, size_t used, struct node *node)
{
	struct watch_point *child;

	LIST_FOREACH(child, &point->children, siblings) {
		struct node *gone = node_child(node, child->name, child->name_bytes);

		if (!gone)
			continue;
		path[used] = '/';
		memcpy(path + used + 1, child->name, child->name_bytes + 1);
		fire_at(xs, child, path, 0, gone, NULL);
		fire_below(xs, child, path, used + 1 + child->name_bytes, gone);
	}
}

void watch_fire_removed(struct xs *xs, const char *path, struct node *before)
{
	char below[XENSTORE_ABS_PATH_MAX + 1];
	struct watch_point *point;

	if (xs->replaying)
		return;
	point = fire_above(xs, path, before, NULL);
	if (point)
		fire_below(xs, point, memcpy(below, path, strlen(path) + 1), strlen(path), before);
}

void watch_fire_special(struct xs *xs, unsigned int special, uint16_t domid)
{
	struct watch_point *point = point_of(xs, special_names[special], false);
	struct watch *watch;
	char path[40], *number;

	if (xs->replaying || !point)
		return;
	number = path + snprintf(path, sizeof(path), "%s", special_names[special]) + 1;
	snprintf(number, 8, "%u", domid);
	LIST_FOREACH(watch, &point->watches, in_point) {
		if (!conn_may(xs, watch->conn, xs->special[special], PERM_READ))
			continue;
		number[-1] = watch->depth == 1 ? '/' : '\0';
		watch_notify(xs, watch, path);
	}
	number[-1] = '/';
	point = point_find(xs, point, number, strlen(number));
	if (point)
		LIST_FOREACH(watch, &point->watches, in_point)
			if (conn_may(xs, watch->conn, xs->special[special], PERM_READ))
				watch_notify(xs, watch, path);
}
