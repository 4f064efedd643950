/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watcher: one process that acts when domains shut down, as their configurations say, and that clears up after creators
 * and destroyers which died. All it knows it reads from the hypervisor and from files, so it can be killed and started again.
 *
 * Work on a domain is done by a child, one at a time for each domain, so that a slow one does not hold up the others.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xen/sched.h>

#include "argon/reason.h"
#include "create.h"

#define LOG_PATH "/var/log/xen/argon-watch.log"
#define GUARDS_MAX 256
#define RETRY_MS 500
#define START_MS 3000

struct guard {
	int fd;
	char name[JOURNAL_NAME];
};

struct job {
	pid_t pid;
	uint32_t domid;
};

struct watch {
	struct host *host;
	struct store *store;
	struct ctrl *ctrl;
	int listener, signals;
	struct guard guards[GUARDS_MAX];
	unsigned int guards_count;
	struct job *jobs;
	size_t jobs_count, jobs_room;
	bool again;	/* something could not be done yet */
};

static int signal_pipe[2] = { -1, -1 };

/* ---- messages ---- */

static void watch_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void watch_log(const char *format, ...)
{
	char text[640];
	struct tm tm;
	time_t now = time(NULL);
	va_list args;
	size_t at;
	int fd;

	localtime_r(&now, &tm);
	at = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S ", &tm);
	va_start(args, format);
	vsnprintf(text + at, sizeof(text) - at - 1, format, args);
	va_end(args);
	at = strlen(text);
	text[at++] = '\n';
	fd = open(LOG_PATH, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	if (write(fd, text, at) < 0)
		(void)errno;	/* a full disk does not stop the watcher */
	close(fd);
}

/* ---- what a shutdown leads to ---- */

static enum domain_action action_for(const struct domain_config *dc, uint32_t shutdown_reason)
{
	switch (shutdown_reason) {
	case SHUTDOWN_poweroff:
		return dc->on_poweroff;
	case SHUTDOWN_reboot:
		return dc->on_reboot;
	case SHUTDOWN_watchdog:
		return dc->on_watchdog;
	case SHUTDOWN_soft_reset:
		return dc->on_soft_reset;
	case SHUTDOWN_crash:
	default:
		return dc->on_crash;
	}
}

static int dump(struct host *host, uint32_t domid, const char *name)
{
	char path[512];
	struct tm tm;
	time_t now = time(NULL);
	size_t at;

	localtime_r(&now, &tm);
	at = (size_t)snprintf(path, sizeof(path), DOMAIN_DUMP_DIR "/%s-", name);
	strftime(path + at, sizeof(path) - at, "%Y%m%d-%H%M%S", &tm);
	(void)mkdir("/var/lib/xen", 0755);
	(void)mkdir(DOMAIN_DUMP_DIR, 0700);
	return domain_dump(host, domid, path);
}

static int restart(struct host *host, uint32_t domid, struct domain_config *dc, bool rename)
{
	struct domain_create_options options = { .autoballoon = 2 };
	char old[DOMAIN_NAME_MAX + 16];
	uint32_t fresh;
	int err;

	if (rename) {
		snprintf(old, sizeof(old), "%.200s-%u", dc->name, domid);
		err = domain_rename(host, domid, old);
		/* Two domains with one identity would share nodes in the store. */
		dc->uuid_set = false;
		domain_record_remove(domid);
	} else {
		err = domain_destroy(host, domid);
	}
	if (err == 0)
		err = domain_create(host, dc, &options, &fresh);
	if (err == 0)
		watch_log("domain %u (%s) restarts as domain %u", domid, dc->name, fresh);
	return err;
}

static int act(struct host *host, uint32_t domid, struct domain_record *record, const struct ctrl_domain_info *info)
{
	enum domain_action action = action_for(&record->config, info->shutdown_reason);
	struct domain_config *dc = &record->config;

	if (action != ACTION_PRESERVE)
		watch_log("domain %u (%s) has shut down, reason %u: %s", domid, dc->name, info->shutdown_reason, action_name(action));
	if (action == ACTION_COREDUMP_DESTROY || action == ACTION_COREDUMP_RESTART) {
		if (dump(host, domid, dc->name) != 0)
			watch_log("domain %u (%s): no dump was written: %s", domid, dc->name, reason_get());
	}
	switch (action) {
	case ACTION_DESTROY:
	case ACTION_COREDUMP_DESTROY:
		return domain_destroy(host, domid);
	case ACTION_RESTART:
	case ACTION_COREDUMP_RESTART:
		return restart(host, domid, dc, false);
	case ACTION_RENAME_RESTART:
		return restart(host, domid, dc, true);
	case ACTION_SOFT_RESET:
		/* It is for HVM guests; a PV guest cannot go on from there. */
		watch_log("domain %u (%s): a PV guest cannot be reset softly and is destroyed", domid, dc->name);
		return domain_destroy(host, domid);
	case ACTION_PRESERVE:
	case ACTION_COUNT:
	default:
		return 0;
	}
}

/* In a child: whatever is to be done about the domain. */
static int attend(uint32_t domid)
{
	struct ctrl_domain_info info;
	struct domain_record record;
	struct host *host;
	struct ctrl *ctrl;
	int err = host_open(&host);

	if (err == 0)
		err = host_ctrl(host, &ctrl);
	if (err == 0 && (ctrl_domain_info(ctrl, domid, &info) != 0 || info.dying)) {
		err = domain_destroy(host, domid);
	} else if (err == 0 && info.shutdown && domain_record_get(domid, &record) == 0) {
		err = act(host, domid, &record, &info);
		domain_record_free(&record);
	}
	if (err != 0 && err != -ESRCH && err != -ENOENT)
		watch_log("domain %u: %s", domid, reason_get());
	host_close(host);
	return err == 0 || err == -ESRCH ? 0 : 1;
}

/* ---- children ---- */

static bool job_runs(const struct watch *w, uint32_t domid)
{
	size_t i;

	for (i = 0; i < w->jobs_count; i++) {
		if (w->jobs[i].domid == domid)
			return true;
	}
	return false;
}

static void job_start(struct watch *w, uint32_t domid)
{
	struct job *more;
	unsigned int i;
	pid_t pid;

	if (job_runs(w, domid))
		return;
	if (w->jobs_count == w->jobs_room) {
		more = realloc(w->jobs, (w->jobs_room + 16) * sizeof(*more));
		if (more == NULL)
			return;
		w->jobs = more;
		w->jobs_room += 16;
	}
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < w->guards_count; i++)
			close(w->guards[i].fd);
		close(w->listener);
		signal(SIGCHLD, SIG_DFL);
		_exit(attend(domid));
	}
	if (pid > 0)
		w->jobs[w->jobs_count++] = (struct job){ pid, domid };
	else
		w->again = true;
}

static void jobs_reap(struct watch *w)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < w->jobs_count; i++) {
			if (w->jobs[i].pid == pid)
				w->jobs[i--] = w->jobs[--w->jobs_count];
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			w->again = true;
	}
}

/* ---- what there is to do ---- */

static const struct ctrl_domain_info *info_of(const struct ctrl_domain_info *infos, int count, uint32_t domid)
{
	int low = 0, high = count - 1;

	while (low <= high) {
		int mid = (low + high) / 2;

		if (infos[mid].domid == domid)
			return &infos[mid];
		if (infos[mid].domid < domid)
			low = mid + 1;
		else
			high = mid - 1;
	}
	return NULL;
}

/* Whether something is to be done about a domain that has shut down: read only then. */
static bool wants_attention(uint32_t domid, const struct ctrl_domain_info *info)
{
	struct domain_record record;
	bool wants;

	if (info == NULL)
		return true;
	if (!info->shutdown || info->dying || info->shutdown_reason == SHUTDOWN_suspend || domain_record_get(domid, &record) != 0)
		return false;
	wants = !record.unwatched && action_for(&record.config, info->shutdown_reason) != ACTION_PRESERVE;
	domain_record_free(&record);
	return wants;
}

static void domains_scan(struct watch *w)
{
	struct ctrl_domain_info *infos;
	const struct dirent *e;
	int count = ctrl_domain_list_all(w->ctrl, &infos);
	char path[PATH_ROOM + 16];
	DIR *dir;

	if (count < 0)
		return;
	snprintf(path, sizeof(path), "%s/domain", run_root());
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char *end;
		unsigned long domid = strtoul(e->d_name, &end, 10);

		if (end != e->d_name && strcmp(end, ".json") == 0 && !job_runs(w, (uint32_t)domid) &&
		    wants_attention((uint32_t)domid, info_of(infos, count, (uint32_t)domid)))
			job_start(w, (uint32_t)domid);
	}
	if (dir != NULL)
		closedir(dir);
	free(infos);
}

/* A creation whose creator is gone: what its journal names goes too. */
static void creation_end(struct watch *w, const char *name)
{
	char path[PATH_ROOM + JOURNAL_NAME];

	snprintf(path, sizeof(path), "%s/creating/%s", run_root(), name);
	if (access(path, F_OK) != 0)
		return;
	watch_log("a creation was not finished; what there is of it is removed (%s)", name);
	if (creation_undo(w->host, name) != 0) {
		watch_log("%s: %s", name, reason_get());
		w->again = true;
	}
}

/* Creations from before this watcher: their creators are known by their process numbers. */
static void creations_scan(struct watch *w)
{
	const struct dirent *e;
	char path[PATH_ROOM + 272], *text;
	unsigned int i;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/creating", run_root());
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= JOURNAL_NAME)
			continue;
		for (i = 0; i < w->guards_count && strcmp(w->guards[i].name, e->d_name) != 0; i++)
			continue;
		snprintf(path, sizeof(path), "%s/creating/%s", run_root(), e->d_name);
		if (i < w->guards_count || file_get(path, &text) != 0)
			continue;
		if (kill((pid_t)atoi(text), 0) != 0 && errno == ESRCH)
			creation_end(w, e->d_name);
		else
			w->again = true;
		free(text);
	}
	if (dir != NULL)
		closedir(dir);
}

/* Lock files of names and destructions whose holders were killed. */
static void locks_scan(const char *folder)
{
	const struct dirent *e;
	char path[PATH_ROOM + 304];
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", run_root(), folder);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.' && (e->d_name[1] == '\0' || e->d_name[1] == '.'))
			continue;
		fd = lock_get(folder, e->d_name, 0);
		if (fd < 0)
			continue;
		if (strcmp(folder, "destroying") == 0) {
			/* Its work may be half done. */
			close(fd);
			snprintf(path, sizeof(path), "%s/%s/%s", run_root(), folder, e->d_name);
			(void)attend((uint32_t)strtoul(e->d_name, NULL, 10));
			unlink(path);
		} else {
			lock_put(fd, folder, e->d_name);
		}
	}
	if (dir != NULL)
		closedir(dir);
	reason_clear();
}

/* ---- guards: creators that are connected ---- */

static void guard_accept(struct watch *w)
{
	struct guard *g;
	struct pollfd fd = { .events = POLLIN };
	ssize_t n;

	fd.fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd.fd < 0)
		return;
	if (w->guards_count == GUARDS_MAX || poll(&fd, 1, 1000) != 1) {
		close(fd.fd);
		return;
	}
	g = &w->guards[w->guards_count];
	n = recv(fd.fd, g->name, sizeof(g->name) - 1, 0);
	if (n <= 0 || memchr(g->name, '/', (size_t)n) != NULL || send(fd.fd, "+", 1, MSG_NOSIGNAL) != 1) {
		close(fd.fd);
		return;
	}
	g->name[n] = '\0';
	g->fd = fd.fd;
	w->guards_count++;
}

static void guard_end(struct watch *w, unsigned int i)
{
	struct guard g = w->guards[i];

	close(g.fd);
	w->guards[i] = w->guards[--w->guards_count];
	creation_end(w, g.name);
	locks_scan("lock");
}

static int socket_address(struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%.90s/watch.sock", run_root());
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static int listener_open(void)
{
	struct sockaddr_un address;
	int fd = socket_address(&address);

	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 128) != 0) {
		int err = reason_set(errno, "%s: %s", address.sun_path, strerror(errno));

		if (fd >= 0)
			close(fd);
		return err;
	}
	return fd;
}

/* ---- the loop ---- */

static void on_signal(int number)
{
	int saved = errno;

	if (write(signal_pipe[1], "x", 1) < 0)
		(void)number;	/* the pipe is full: it wakes us anyway */
	errno = saved;
}

static int signals_begin(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP };

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return reason_set(errno, "pipe: %s", strerror(errno));
	sigaction(SIGCHLD, &sa, NULL);
	return 0;
}

static void events_take(struct watch *w)
{
	struct store_event event;

	while (store_event_next(w->store, &event) > 0)
		store_event_free(&event);
}

static void wait_for_work(struct watch *w)
{
	struct pollfd fds[3 + GUARDS_MAX];
	unsigned int i, count = w->guards_count;
	char drain[64];

	fds[0] = (struct pollfd){ .fd = store_fd(w->store), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = w->listener, .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = signal_pipe[0], .events = POLLIN };
	for (i = 0; i < count; i++)
		fds[3 + i] = (struct pollfd){ .fd = w->guards[i].fd, .events = POLLIN };
	(void)poll(fds, 3 + count, w->again ? RETRY_MS : -1);
	while (read(signal_pipe[0], drain, sizeof(drain)) > 0)
		continue;
	w->again = false;
	jobs_reap(w);
	/* From the end: ending one moves the last into its place. */
	for (i = count; i > 0; i--) {
		if (fds[2 + i].revents != 0)
			guard_end(w, i - 1);
	}
	if (fds[1].revents != 0)
		guard_accept(w);
	if (fds[0].revents != 0)
		events_take(w);
}

static void scan(struct watch *w)
{
	creations_scan(w);
	domains_scan(w);
}

int watch_run(struct host *host, bool once)
{
	char path[PATH_ROOM + 16];
	struct watch *w;
	int lock, err = run_dir("domain");

	if (err != 0)
		return err;
	snprintf(path, sizeof(path), "%s/watch.lock", run_root());
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return reason_set(errno, "%s: %s", path, strerror(errno));
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		close(lock);
		return reason_set(ENOMEM, "out of memory");
	}
	if (lockf(lock, F_TLOCK, 0) != 0) {
		free(w);
		close(lock);
		return 0;
	}
	w->host = host;
	w->listener = listener_open();
	err = w->listener < 0 ? w->listener : signals_begin();
	if (err == 0)
		err = host_ctrl(host, &w->ctrl);
	if (err == 0)
		err = host_store(host, &w->store);
	if (err == 0)
		err = store_watch(w->store, "@releaseDomain", "release", -1);
	if (err == 0) {
		locks_scan("lock");
		locks_scan("destroying");
		scan(w);
	}
	while (err == 0 && (!once || w->again || w->jobs_count != 0 || w->guards_count != 0)) {
		wait_for_work(w);
		scan(w);
	}
	if (w->listener >= 0)
		close(w->listener);
	free(w->jobs);
	free(w);
	close(lock);
	return err;
}

/* ---- the other side ---- */

static int watch_connect(void)
{
	struct sockaddr_un address;
	int fd = socket_address(&address);

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

/* A grandchild of its own session, without our files. */
static void watcher_become(void)
{
	struct host *host;
	int null, fd;

	if (setsid() < 0 || fork() != 0)
		_exit(0);
	null = open("/dev/null", O_RDWR);
	for (fd = 0; fd < 3 && null >= 0; fd++)
		(void)dup2(null, fd);
	(void)close_range(3, ~0u, 0);
	if (chdir("/") != 0)
		_exit(1);
	umask(077);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "argon-watch");
	if (host_open(&host) == 0 && watch_run(host, false) != 0)
		watch_log("the watcher ends: %s", reason_get());
	_exit(0);
}

/* A connection to the watcher, which is started if there is none. */
static int watch_reach(void)
{
	struct timespec pause = { .tv_nsec = 500000 };
	long end = time_ms() + START_MS;
	pid_t pid;
	int fd;

	fd = watch_connect();
	if (fd < 0) {
		pid = fork();
		if (pid < 0)
			return reason_set(errno, "fork: %s", strerror(errno));
		if (pid == 0)
			watcher_become();
		(void)waitpid(pid, NULL, 0);
	}
	while (fd < 0 && time_ms() < end) {
		nanosleep(&pause, NULL);
		fd = watch_connect();
	}
	if (fd < 0)
		return reason_set(-fd, "the watcher does not start; see " LOG_PATH);
	return fd;
}

int watch_start(struct host *host)
{
	int fd = watch_reach();

	(void)host;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int watch_guard(const char *name, int *out)
{
	char answer = 0;
	int fd = watch_reach();

	if (fd < 0)
		return fd;
	if (send(fd, name, strlen(name), MSG_NOSIGNAL) != (ssize_t)strlen(name) || recv(fd, &answer, 1, 0) != 1) {
		close(fd);
		return reason_set(EIO, "the watcher does not answer");
	}
	*out = fd;
	return 0;
}
