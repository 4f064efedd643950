/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor.h"

#define QUICK_DEATHS 5 /* without having been ready: the journal is put aside */

void service_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t bytes;
	int fd;

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, bytes);
	close(fd);
}

void terminal_leave(struct daemon *daemon)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	if (!daemon->options.trace_file)
		log_fd = -1;
}

/* What read() and write() moved in the life of a process that is dead but not yet gone. */
static void counters_take(struct slots_head *head, int pid)
{
	unsigned long long read_total, write_total;
	char path[32], text[512];
	ssize_t bytes;
	int fd;

	/* A worker that died before it could look at them leaves those of the one before it. */
	if (!head->inflight.active || head->counters != COUNTERS_NONE)
		return;
	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	bytes = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	atomic_store(&head->counters, COUNTERS_UNKNOWN);
	if (bytes <= 0)
		return;
	text[bytes] = '\0';
	if (sscanf(text, "rchar: %llu wchar: %llu", &read_total, &write_total) != 2)
		return;
	head->read_total = read_total;
	head->write_total = write_total;
	atomic_store(&head->counters, COUNTERS_KNOWN);
}

/* Was it a fault, and at whose request? */
static void suspect_note(struct slots_head *head, const siginfo_t *death)
{
	uint32_t current = head->current;
	bool fault = death->si_code == CLD_DUMPED || (death->si_code == CLD_KILLED && death->si_status != SIGKILL);

	if (!fault || !current) {
		head->suspect_count = 0;
		return;
	}
	head->suspect_count = head->suspect == current ? head->suspect_count + 1 : 1;
	head->suspect = current;
}

static int worker_start(struct daemon *daemon)
{
	int supervisor = getpid();
	int pid = (int)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid)
		return pid;
	for (;;) {
		int status = worker_run(daemon, supervisor);

		if (status != WORKER_ORPHANED)
			_exit(status);
		/* We are the oldest now: start another worker and watch over it. */
		_exit(supervise(daemon));
	}
}

/* Wait for the worker's end or a request to stop. @return true when the worker has ended */
static bool worker_wait(int pid, siginfo_t *death)
{
	siginfo_t signal_info;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	for (;;) {
		memset(death, 0, sizeof(*death));
		if (!waitid(P_PID, (id_t)pid, death, WEXITED | WNOWAIT | WNOHANG) && death->si_pid == pid)
			return true;
		if (sigwaitinfo(&signals, &signal_info) == SIGTERM || signal_info.si_signo == SIGINT)
			kill(pid, SIGTERM);
	}
}

static void journal_put_aside(const struct daemon *daemon)
{
	char from[256], to[256];

	snprintf(from, sizeof(from), "%s/journal", daemon->options.run_dir);
	snprintf(to, sizeof(to), "%s/journal.bad", daemon->options.run_dir);
	log_line("the worker died %d times while it read the journal; starting empty, the journal is now %s", QUICK_DEATHS, to);
	rename(from, to);
}

static int stopped(const struct daemon *daemon, int status)
{
	service_notify("STOPPING=1");
	unlink(daemon->socket_path);
	if (daemon->options.pid_file)
		unlink(daemon->options.pid_file);
	return status;
}

int supervise(struct daemon *daemon)
{
	static const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	struct slots_head *head = daemon->slots.head;
	unsigned int quick_deaths = 0;
	char main_pid[40];

	prctl(PR_SET_NAME, "xenstored-super");
	snprintf(main_pid, sizeof(main_pid), "MAINPID=%d", getpid());
	service_notify(main_pid);
	for (;;) {
		siginfo_t death;
		int pid;

		atomic_store(&head->worker_ready, 0);
		pid = worker_start(daemon);
		if (pid < 0)
			return stopped(daemon, 1);
		worker_wait(pid, &death);
		if (head->worker_ready && daemon->ready_fd >= 0) {
			/* The worker closed it, in our table as well. */
			daemon->own_files[daemon->ready_fd / 64] &= ~(1ull << daemon->ready_fd % 64);
			daemon->ready_fd = -1;
			terminal_leave(daemon);
		}
		counters_take(head, pid);
		waitpid(pid, NULL, 0);
		if (death.si_code == CLD_EXITED && (!death.si_status || !head->worker_ready))
			return stopped(daemon, death.si_status);
		suspect_note(head, &death);
		log_line("worker %d ended by %s %d; starting another", pid, death.si_code == CLD_EXITED ? "exit" : "signal",
			 death.si_status);
		quick_deaths = head->worker_ready ? 0 : quick_deaths + 1;
		if (quick_deaths > 1)
			nanosleep(&pause, NULL);
		if (quick_deaths == QUICK_DEATHS)
			journal_put_aside(daemon);
	}
}
