/* SPDX-License-Identifier: BSD-2-Clause */
/* xenconsoled: the consoles of all guests, as ptys, sockets and logs. docs/consoles.md */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <argon/reason.h>

#include "daemon.h"

#define PORTS_AT_ONCE 64

static const char usage[] =
	"usage: xenconsoled [OPTION]...\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"  -v, --verbose                          say more\n"
	"  -i, --interactive                      stay in the foreground, messages to stderr\n"
	"      --log=none|guest|hv|all            which consoles are logged (none)\n"
	"      --log-dir=DIR                      where (" CONSOLE_LOG_DIR ")\n"
	"      --pid-file=FILE                    write our process number there\n"
	"  -t, --timestamp=none|guest|hv|all      put date and time before each line of a log (none)\n"
	"  -o, --overflow-data=discard|keep       what is not read in time: lose it, or let the guest wait (discard)\n"
	"      --replace-escape                   logs have a dot for each escape character\n";

void say(struct daemon *d, int level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (d->options.interactive) {
		fputs("xenconsoled: ", stderr);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	} else {
		vsyslog(level, format, args);
	}
	va_end(args);
}

/* none, guest, hv or all. */
static bool which_parse(const char *word, bool *guest, bool *hypervisor)
{
	*guest = !strcmp(word, "guest") || !strcmp(word, "all");
	*hypervisor = !strcmp(word, "hv") || !strcmp(word, "all");
	return *guest || *hypervisor || !strcmp(word, "none");
}

/* @return -1 to go on, else the exit code */
static int options_parse(struct options *o, int argc, char **argv)
{
	enum { LOG = 256, LOG_DIR, PID_FILE, REPLACE };
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },	      { "version", no_argument, NULL, 'V' },
		{ "verbose", no_argument, NULL, 'v' },	      { "interactive", no_argument, NULL, 'i' },
		{ "log", required_argument, NULL, LOG },      { "log-dir", required_argument, NULL, LOG_DIR },
		{ "pid-file", required_argument, NULL, PID_FILE }, { "timestamp", required_argument, NULL, 't' },
		{ "overflow-data", required_argument, NULL, 'o' }, { "replace-escape", no_argument, NULL, REPLACE },
		{ NULL, 0, NULL, 0 },
	};
	bool good = true;
	int c;

	o->log_dir = CONSOLE_LOG_DIR;
	while (good && (c = getopt_long(argc, argv, "hVvit:o:", options, NULL)) != -1) {
		switch (c) {
		case 'h': fputs(usage, stdout); return 0;
		case 'V': puts("Argon xenconsoled 1"); return 0;
		case 'v': o->verbose++; break;
		case 'i': o->interactive = true; break;
		case LOG: good = which_parse(optarg, &o->log_guest, &o->log_hypervisor); break;
		case LOG_DIR: o->log_dir = optarg; break;
		case PID_FILE: o->pid_file = optarg; break;
		case 't': good = which_parse(optarg, &o->stamp_guest, &o->stamp_hypervisor); break;
		case 'o':
			o->keep = strcmp(optarg, "keep") == 0;
			good = o->keep || strcmp(optarg, "discard") == 0;
			break;
		case REPLACE: o->replace_escape = true; break;
		default: good = false; break;
		}
	}
	if (good && optind == argc)
		return -1;
	fputs(usage, stderr);
	return 2;
}

/* ---- sources --------------------------------------------------------------------------------------------------------- */

static void events_ready(struct source *source, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)source - offsetof(struct daemon, events_source));
	uint32_t ports[PORTS_AT_ONCE], again[PORTS_AT_ONCE];
	unsigned int unmask = 0;
	int n = evtchn_pending(d->events, ports, PORTS_AT_ONCE);

	(void)events;
	for (int i = 0; i < n; i++) {
		struct guest *g = ports[i] < d->ports ? d->by_port[ports[i]] : NULL;

		if (d->hypervisor_port && ports[i] == (uint32_t)d->hypervisor_port)
			hypervisor_pump(d);
		else if (!g || !guest_notified(g))
			continue;
		again[unmask++] = ports[i];
	}
	if (unmask)
		evtchn_unmask(d->events, again, unmask);
}

static void inotify_ready(struct source *source, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)source - offsetof(struct daemon, inotify_source));
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t n = read(source->fd, buffer, sizeof(buffer));

	(void)events;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const struct inotify_event *)(buffer + at);

		for (struct guest *g = d->guests; g; g = g->next) {
			if (e->mask & IN_Q_OVERFLOW) {
				/* Who knows how many look on now: as if somebody did. */
				g->openings = 1;
			} else if (g->watch != e->wd || g->watch < 0) {
				continue;
			} else if (e->mask & IN_OPEN) {
				g->openings++;
			} else if ((e->mask & IN_CLOSE) && g->openings > 0) {
				g->openings--;
			}
			if (g->opened)
				console_pty_active(&g->console, g->openings > 0);
		}
		at += (ssize_t)(sizeof(*e) + e->len);
	}
}

static void signal_ready(struct source *source, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)source - offsetof(struct daemon, signal_source));
	struct signalfd_siginfo info;

	(void)events;
	while (read(source->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP) {
			d->loop.stop = true;
			continue;
		}
		for (struct guest *g = d->guests; g; g = g->next) {
			if (g->console.logging)
				log_reopen(&g->console.log);
		}
		if (d->options.log_hypervisor)
			log_reopen(&d->hypervisor_log);
	}
}

static void tick(struct daemon *d)
{
	struct guest *g, *next;

	d->tick++;
	d->tick_wanted = false;
	for (g = d->guests; g; g = next) {
		next = g->next;
		if (guest_tick(g))
			d->tick_wanted = true;
	}
	hypervisor_pump(d);
}

/* ---- start and end --------------------------------------------------------------------------------------------------- */

static int directories_make(const struct options *o)
{
	static const char *const fixed[] = { "/run/argon", CONSOLE_STATE_DIR };

	for (unsigned int i = 0; i < 2; i++) {
		if (mkdir(fixed[i], 0755) && errno != EEXIST)
			return reason_set(errno, "cannot create %s: %s", fixed[i], strerror(errno));
	}
	if (o->log_guest || o->log_hypervisor) {
		char path[4096];

		snprintf(path, sizeof(path), "%s", o->log_dir);
		for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
			if (slash)
				*slash = 0;
			if (mkdir(path, 0755) && errno != EEXIST)
				return reason_set(errno, "cannot create %s: %s", path, strerror(errno));
			if (!slash)
				break;
			*slash = '/';
		}
	}
	return 0;
}

/* One daemon at a time: two would take each other's bytes. */
static int lock_take(void)
{
	int fd = open(CONSOLE_STATE_DIR "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return reason_set(errno, "cannot create %s/lock: %s", CONSOLE_STATE_DIR, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return reason_set(EBUSY, "another xenconsoled is running");
	return 0;
}

static int signals_open(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signal_source = (struct source){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = signal_ready };
	return loop_add(&d->loop, &d->signal_source, EPOLLIN);
}

static int daemon_open(struct daemon *d)
{
	struct rlimit files = { 65536, 65536 };
	int error;

	/* Three files for each guest. */
	if (setrlimit(RLIMIT_NOFILE, &files)) {
		getrlimit(RLIMIT_NOFILE, &files);
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if ((error = directories_make(&d->options)) || (error = lock_take()) || (error = loop_open(&d->loop)) ||
	    (error = signals_open(d)) || (error = ctrl_open(&d->ctrl)) || (error = evtchn_open(&d->events)))
		return error;
	if (gntdev_open(&d->grants))
		d->grants = NULL;
	d->events_source = (struct source){ .fd = evtchn_fd(d->events), .ready = events_ready };
	d->inotify_source = (struct source){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .ready = inotify_ready };
	if ((error = loop_add(&d->loop, &d->events_source, EPOLLIN)) || (error = loop_add(&d->loop, &d->inotify_source, EPOLLIN)))
		return reason_set(-error, "cannot wait for events: %s", strerror(-error));
	if ((error = domains_open(d)))
		return error;
	hypervisor_open(d);
	return serve_open(d);
}

static void daemon_close(struct daemon *d)
{
	serve_close(d);
	hypervisor_close(d);
	domains_close(d);
	gntdev_close(d->grants);
	evtchn_close(d->events);
	ctrl_close(d->ctrl);
	loop_close(&d->loop);
	free(d->by_port);
	if (d->options.pid_file)
		unlink(d->options.pid_file);
}

static void pid_write(const struct options *o)
{
	FILE *f = o->pid_file ? fopen(o->pid_file, "we") : NULL;

	if (f) {
		fprintf(f, "%d\n", (int)getpid());
		fclose(f);
	}
}

/* Says to systemd, if it asked for that, that we are ready. */
static void ready_notify(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	static const char text[] = "READY=1";
	int fd;

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (address.sun_path[0] == '@')
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, text, sizeof(text) - 1, MSG_NOSIGNAL, (const struct sockaddr *)&address,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

/* The parent stays until the child is ready or has failed. @return the write end for the child's word; exits in the parent */
static int background_go(void)
{
	int ends[2], null;
	char word;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) || (child = fork()) < 0) {
		perror("xenconsoled");
		exit(1);
	}
	if (child) {
		close(ends[1]);
		exit(read(ends[0], &word, 1) == 1 ? 0 : 1);
	}
	close(ends[0]);
	setsid();
	if (chdir("/"))
		perror("xenconsoled: /");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
	}
	openlog("xenconsoled", LOG_PID, LOG_DAEMON);
	return ends[1];
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int run(struct daemon *d)
{
	uint64_t next = now_ms() + TICK_MS;
	int error = 0;

	while (!d->loop.stop && !error) {
		uint64_t now = now_ms();

		if (d->tick_wanted && now >= next) {
			tick(d);
			next = now + TICK_MS;
		}
		/* Events of the store may have come in while we waited for its answers. */
		domains_pump(d);
		error = loop_step(&d->loop, !d->tick_wanted ? -1 : next > now ? (int)(next - now) : 0);
	}
	return error;
}

int main(int argc, char **argv)
{
	struct daemon d = { 0 };
	int code = options_parse(&d.options, argc, argv), ready = -1, error;

	if (code >= 0)
		return code;
	if (!d.options.interactive)
		ready = background_go();
	error = daemon_open(&d);
	if (error) {
		fprintf(stderr, "xenconsoled: %s\n", *reason_get() ? reason_get() : strerror(-error));
		return 1;
	}
	pid_write(&d.options);
	ready_notify();
	if (ready >= 0) {
		if (write(ready, "r", 1) == 1)
			close(ready);
		dup2(0, 2);
	}
	error = run(&d);
	if (error)
		say(&d, LOG_ERR, "ends: %s", strerror(-error));
	daemon_close(&d);
	return error ? 1 : 0;
}
