/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks, records and journals below /run/argon: internal.h. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "argon/reason.h"
#include "internal.h"

long time_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *run_root(void)
{
	const char *other = getenv("ARGON_RUN_DIR");

	return other != NULL && strlen(other) < 200 ? other : DOMAIN_RUN_DIR;
}

int run_dir(const char *name)
{
	char path[PATH_ROOM + 32];

	snprintf(path, sizeof(path), "%s/%s", run_root(), name);
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	if (mkdir(run_root(), 0700) != 0 && errno != EEXIST)
		return reason_set(errno, "cannot make %s: %s", run_root(), strerror(errno));
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return reason_set(errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

int lock_get(const char *folder, const char *name, unsigned int milliseconds)
{
	long end = time_ms() + (long)milliseconds;
	struct timespec pause = { .tv_nsec = 5000000 };
	char path[PATH_ROOM + DOMAIN_NAME_MAX + 32];
	struct stat a, b;
	int fd, err = run_dir(folder);

	if (err != 0)
		return err;
	snprintf(path, sizeof(path), "%s/%s/%s", run_root(), folder, name);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return reason_set(errno, "cannot open the lock %s: %s", path, strerror(errno));
		/* Whoever held it before has removed the file: then the lock that we got is on nothing. */
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			if (fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino)
				return fd;
			close(fd);
			continue;
		}
		close(fd);
		if (time_ms() >= end)
			return reason_set(EBUSY, "\"%s\" is in use by another command", name);
		nanosleep(&pause, NULL);
	}
}

void lock_put(int fd, const char *folder, const char *name)
{
	char path[PATH_ROOM + DOMAIN_NAME_MAX + 32];

	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "%s/%s/%s", run_root(), folder, name);
	unlink(path);
	close(fd);
}

int file_put(const char *path, const char *text)
{
	size_t length = strlen(text), done = 0;
	char next[560];
	ssize_t n = 0;
	int fd, err = 0;

	snprintf(next, sizeof(next), "%s.%d.new", path, (int)getpid());
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return reason_set(errno, "cannot write %s: %s", next, strerror(errno));
	while (done < length && n >= 0) {
		n = write(fd, text + done, length - done);
		if (n > 0)
			done += (size_t)n;
	}
	if (done < length)
		err = reason_set(errno, "cannot write %s: %s", next, strerror(errno));
	if (close(fd) != 0 && err == 0)
		err = reason_set(errno, "cannot write %s: %s", next, strerror(errno));
	if (err == 0 && rename(next, path) != 0)
		err = reason_set(errno, "cannot write %s: %s", path, strerror(errno));
	if (err != 0)
		unlink(next);
	return err;
}

int file_get(const char *path, char **text)
{
	size_t room = 4096, length = 0;
	char *buf, *more;
	ssize_t n;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : reason_set(errno, "cannot read %s: %s", path, strerror(errno));
	buf = malloc(room);
	while (buf != NULL && (n = read(fd, buf + length, room - length - 1)) != 0) {
		if (n < 0) {
			err = reason_set(errno, "cannot read %s: %s", path, strerror(errno));
			break;
		}
		length += (size_t)n;
		if (length + 1 < room)
			continue;
		room *= 2;
		more = realloc(buf, room);
		if (more == NULL) {
			err = reason_set(ENOMEM, "out of memory");
			break;
		}
		buf = more;
	}
	close(fd);
	if (buf == NULL)
		return reason_set(ENOMEM, "out of memory");
	if (err != 0) {
		free(buf);
		return err;
	}
	buf[length] = '\0';
	*text = buf;
	return 0;
}

/* ---- records ---- */

void domain_record_path(uint32_t domid, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%s/domain/%u.json", run_root(), domid);
}

int domain_record_put(uint32_t domid, const struct domain_record *record)
{
	struct json_object *json;
	char path[PATH_ROOM];
	int err = run_dir("domain");

	if (err != 0)
		return err;
	json = domain_config_json(&record->config);
	if (json == NULL)
		return reason_set(ENOMEM, "out of memory");
	json_object_object_add(json, "argon_unwatched", json_object_new_boolean(record->unwatched));
	domain_record_path(domid, path);
	err = file_put(path, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	json_object_put(json);
	return err;
}

int domain_record_get(uint32_t domid, struct domain_record *record)
{
	struct json_object *json, *flag;
	char path[PATH_ROOM], *text;
	int err;

	domain_record_path(domid, path);
	err = file_get(path, &text);
	if (err != 0)
		return err;
	json = json_tokener_parse(text);
	free(text);
	if (json == NULL)
		return reason_set(EINVAL, "%s is damaged", path);
	domain_config_init(&record->config);
	record->unwatched = json_object_object_get_ex(json, "argon_unwatched", &flag) && json_object_get_boolean(flag);
	err = domain_config_read_json(&record->config, json);
	json_object_put(json);
	if (err != 0)
		domain_config_free(&record->config);
	return err;
}

void domain_record_free(struct domain_record *record)
{
	domain_config_free(&record->config);
}

void domain_record_remove(uint32_t domid)
{
	char path[PATH_ROOM];

	domain_record_path(domid, path);
	unlink(path);
}

/* ---- journals of creations ---- */

int journal_put(const char *name, const char *word)
{
	char path[PATH_ROOM + 64], text[DOMAIN_NAME_MAX + 32];
	int err = run_dir("creating");

	if (err != 0)
		return err;
	snprintf(path, sizeof(path), "%s/creating/%s", run_root(), name);
	snprintf(text, sizeof(text), "%d %s\n", (int)getpid(), word);
	return file_put(path, text);
}

void journal_remove(const char *name)
{
	char path[PATH_ROOM + 64];

	snprintf(path, sizeof(path), "%s/creating/%s", run_root(), name);
	unlink(path);
}
