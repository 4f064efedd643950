/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "argon/reason.h"
#include "supervisor.h"

static struct xs the_state;

static bool file_is_own(const struct daemon *daemon, int fd)
{
	return fd < (int)sizeof(daemon->own_files) * 8 && daemon->own_files[fd / 64] & 1ull << fd % 64;
}

/* Call for each open file that not every worker has. */
static void files_visit(const struct daemon *daemon, void (*visit)(struct xs *xs, const struct daemon *daemon, int fd), struct xs *xs)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(dir) && !file_is_own(daemon, fd))
			visit(xs, daemon, fd);
	}
	closedir(dir);
}

static bool is_client(const struct daemon *daemon, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNSPEC };
	socklen_t bytes = sizeof(address);

	return !getsockname(fd, (struct sockaddr *)&address, &bytes) && address.sun_family == AF_UNIX &&
	       !strncmp(address.sun_path, daemon->socket_path, sizeof(address.sun_path));
}

/* Left by the worker before us. Sockets of clients are kept. */
static void leftover_close(struct xs *xs, const struct daemon *daemon, int fd)
{
	(void)xs;
	if (!is_client(daemon, fd))
		close(fd);
}

/* A client whom the last worker accepted and did not live to record. */
static void stranger_adopt(struct xs *xs, const struct daemon *daemon, int fd)
{
	if (!is_client(daemon, fd))
		return;
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++)
		if (xs->conns[slot] && xs->conns[slot]->fd == fd)
			return;
	socket_adopt(xs, fd);
}

static int signals_open(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* From here on every byte that goes through read() and write() is counted. */
static void counters_begin(struct xs *xs)
{
	unsigned long long read_total = 0, write_total = 0;
	int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t bytes;

	if (fd < 0)
		return;
	bytes = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (bytes <= 0)
		return;
	text[bytes] = '\0';
	if (sscanf(text, "rchar: %llu wchar: %llu", &read_total, &write_total) != 2)
		return;
	xs->read_total = read_total + (unsigned long long)bytes;
	xs->write_total = write_total;
	log_bytes = 0;
	if (xs->host)
		xs->host->read_total = xs->host->write_total = 0;
}

/* The worker's number: who kills the daemon by it sees it come back. Whole or not at all, for those who read it just now. */
static void pid_file_write(const struct daemon *daemon)
{
	char text[16], path[4096];
	int bytes = snprintf(text, sizeof(text), "%d\n", getpid()), fd;

	if (!daemon->options.pid_file)
		return;
	snprintf(path, sizeof(path), "%s.new", daemon->options.pid_file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, (size_t)bytes) != bytes || rename(path, daemon->options.pid_file))
		log_line("cannot write %s: %s", daemon->options.pid_file, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void ready_tell(struct daemon *daemon)
{
	pid_file_write(daemon);
	atomic_store(&daemon->slots.head->worker_ready, 1);
	service_notify("READY=1");
	if (daemon->ready_fd < 0)
		return;
	if (write(daemon->ready_fd, "", 1) != 1)
		log_line("nobody waits for us");
	close(daemon->ready_fd);
	daemon->ready_fd = -1;
	terminal_leave(daemon);
}

static int worker_start_up(struct daemon *daemon, struct xs *xs, struct host **host)
{
	int error;

	*host = NULL;
	if (!daemon->options.no_domain_init || !access("/dev/xen/privcmd", R_OK)) {
		error = host_open(host);
		if (error && !daemon->options.no_domain_init) {
			log_line("%s", reason_get());
			return error;
		}
	}
	xs->slots = daemon->slots;
	xs_init(xs, &daemon->options, *host);
	error = xs_start(xs);
	if (error)
		log_line("cannot start in %s: %s", daemon->options.run_dir, strerror(-error));
	return error;
}

static int loop_run(struct daemon *daemon, struct xs *xs, int signal_fd, int supervisor)
{
	struct epoll_event listen_event = { .events = EPOLLIN, .data.u32 = POLL_LISTEN };
	struct epoll_event signal_event = { .events = EPOLLIN, .data.u32 = POLL_SIGNAL };

	if (epoll_ctl(xs->epoll_fd, EPOLL_CTL_ADD, daemon->listen_fd, &listen_event) ||
	    epoll_ctl(xs->epoll_fd, EPOLL_CTL_ADD, signal_fd, &signal_event))
		return 1;
	files_visit(daemon, stranger_adopt, xs);
	ready_tell(daemon);
	counters_begin(xs);
	if (supervisor && getppid() != supervisor)
		xs->orphaned = true; /* before we asked to be told */
	while (!xs->stop && !xs->orphaned)
		xs_turn(xs, daemon->listen_fd, signal_fd, -1);
	return xs->stop ? 0 : WORKER_ORPHANED;
}

int worker_run(struct daemon *daemon, int supervisor)
{
	struct xs *xs = &the_state;
	int signal_fd, status;
	struct host *host;

	prctl(PR_SET_NAME, "xenstored");
	prctl(PR_SET_PDEATHSIG, supervisor ? SIGUSR1 : 0);
	prctl(PR_SET_DUMPABLE, 0); /* a core would be written by write() */
	signal(SIGPIPE, SIG_IGN);
	files_visit(daemon, leftover_close, NULL);
	signal_fd = signals_open();
	if (signal_fd < 0 || worker_start_up(daemon, xs, &host))
		return 1;
	status = loop_run(daemon, xs, signal_fd, supervisor);
	xs_destroy(xs);
	if (host)
		host->close(host);
	close(signal_fd);
	return status;
}

int run_alone(struct daemon *daemon)
{
	int status = worker_run(daemon, 0);

	service_notify("STOPPING=1");
	unlink(daemon->socket_path);
	return status;
}
