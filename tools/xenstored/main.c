/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstored: options, the socket, the background. Options are those of the stock daemon where they make sense. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor.h"

enum long_option { OPTION_PRIV_DOMID = 256, OPTION_NO_SUPERVISOR, OPTION_RUN_DIR };

static const struct option long_options[] = {
	{ "no-domain-init", no_argument, NULL, 'D' },
	{ "pid-file", required_argument, NULL, 'F' },
	{ "help", no_argument, NULL, 'H' },
	{ "no-fork", no_argument, NULL, 'N' },
	{ "output-pid", no_argument, NULL, 'P' },
	{ "trace-file", required_argument, NULL, 'T' },
	{ "entry-nb", required_argument, NULL, 'E' },
	{ "entry-size", required_argument, NULL, 'S' },
	{ "watch-nb", required_argument, NULL, 'W' },
	{ "transaction", required_argument, NULL, 't' },
	{ "perm-nb", required_argument, NULL, 'A' },
	{ "path-max", required_argument, NULL, 'M' },
	{ "quota", required_argument, NULL, 'Q' },
	{ "quota-soft", required_argument, NULL, 'q' },
	{ "timeout", required_argument, NULL, 'w' },
	{ "no-recovery", no_argument, NULL, 'R' },
	{ "internal-db", optional_argument, NULL, 'I' },
	{ "keep-orphans", no_argument, NULL, 'K' },
	{ "verbose", no_argument, NULL, 'V' },
	{ "priv-domid", required_argument, NULL, OPTION_PRIV_DOMID },
	{ "no-supervisor", no_argument, NULL, OPTION_NO_SUPERVISOR },
	{ "run-dir", required_argument, NULL, OPTION_RUN_DIR },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
	"Usage: xenstored [OPTION]...\n\n"
	"  -D, --no-domain-init      without the ring of this domain's kernel\n"
	"  -F, --pid-file FILE       write the worker's process number there\n"
	"  -N, --no-fork             stay in the foreground\n"
	"  -P, --output-pid          print the process number\n"
	"  -T, --trace-file FILE     log there\n"
	"  -V, --verbose             log every request\n"
	"  -E, --entry-nb N          nodes that a domain may own\n"
	"  -S, --entry-size N        bytes of a node's value\n"
	"  -W, --watch-nb N          watches of a domain\n"
	"  -t, --transaction N       open transactions of a domain\n"
	"  -A, --perm-nb N           permissions of a node\n"
	"  -M, --path-max N          bytes of a path\n"
	"  -Q, --quota NAME=N        transaction-nodes, memory, outstanding, or any of the above by its name in\n"
	"                            `xenstore-control quota`; 0 is no limit\n"
	"  -R, --no-recovery         forget what the journal has\n"
	"  -K, --keep-orphans        keep the nodes of domains that are gone\n"
	"      --priv-domid N        this domain may do what dom0 may\n"
	"      --run-dir DIR         socket and journal (/run/xenstored)\n"
	"      --no-supervisor       one process, which nobody restarts\n"
	"  -H, --help                this text\n"
	"Accepted and without effect: -I, -q, -w.\n";

static void fail(const char *what)
{
	fprintf(stderr, "xenstored: %s\n", what);
	exit(1);
}

static uint64_t number(const char *text)
{
	uint64_t value;

	if (!number_parse(text, INT32_MAX, &value))
		fail("a number is expected behind an option; see --help");
	return value;
}

static void quota_option(struct options *options, char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		fail("--quota needs NAME=N");
	*value++ = '\0';
	for (unsigned int i = 0; i < QUOTA_COUNT; i++)
		if (!strcmp(text, quota_names[i])) {
			options->quota[i] = number(value);
			return;
		}
	fail("--quota: no such quota; see --help");
}

static bool quota_by_letter(struct options *options, int letter, const char *text)
{
	static const struct {
		int letter;
		enum quota quota;
	} table[] = { { 'E', QUOTA_NODES }, { 'S', QUOTA_NODE_SIZE }, { 'W', QUOTA_WATCHES }, { 't', QUOTA_TRANSACTIONS },
		      { 'A', QUOTA_PERMISSIONS }, { 'M', QUOTA_PATH_MAX } };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].letter == letter) {
			options->quota[table[i].quota] = number(text);
			return true;
		}
	return false;
}

static void flag_option(struct options *options, int letter)
{
	switch (letter) {
	case 'D': options->no_domain_init = true; break;
	case 'N': options->no_fork = true; break;
	case 'P': options->output_pid = true; break;
	case 'R': options->no_recovery = true; break;
	case 'K': options->keep_orphans = true; break;
	case 'V': options->verbose = true; break;
	case OPTION_NO_SUPERVISOR: options->no_supervisor = true; break;
	case 'H':
		fputs(usage, stdout);
		exit(0);
	case 'I':
	case 'q':
	case 'w':
		break;
	default:
		fail("unknown option; see --help");
	}
}

static void options_parse(struct options *options, int argc, char **argv)
{
	int letter;

	*options = (struct options){ .run_dir = "/run/xenstored", .privileged_domid = DOMID_NONE,
				     .quota = { [QUOTA_NODES] = 1000, [QUOTA_WATCHES] = 128, [QUOTA_TRANSACTIONS] = 10,
						[QUOTA_NODE_SIZE] = 2048, [QUOTA_PERMISSIONS] = 5, [QUOTA_TX_NODES] = 1024,
						[QUOTA_MEMORY] = 5u << 19, [QUOTA_OUTSTANDING] = 20,
						[QUOTA_PATH_MAX] = XENSTORE_REL_PATH_MAX } };
	while ((letter = getopt_long(argc, argv, "DF:HNPT:E:S:W:t:A:M:Q:q:w:RI::KV", long_options, NULL)) != -1) {
		if (quota_by_letter(options, letter, optarg))
			continue;
		if (letter == 'F')
			options->pid_file = optarg;
		else if (letter == 'T')
			options->trace_file = optarg;
		else if (letter == 'Q')
			quota_option(options, optarg);
		else if (letter == OPTION_PRIV_DOMID)
			options->privileged_domid = (uint16_t)number(optarg);
		else if (letter == OPTION_RUN_DIR)
			options->run_dir = optarg;
		else
			flag_option(options, letter);
	}
	/* `-I off` in two words. */
	if (optind < argc && strcmp(argv[optind], "on") && strcmp(argv[optind], "off"))
		fail("no other words are expected; see --help");
}

static int socket_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		fail("the name of the run directory is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	umask(0177);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1024))
		fail("cannot listen on the socket in the run directory: is it there, and are we root?");
	umask(022);
	return fd;
}

/* Two daemons in one directory would fight over the journal. */
static void lock_take(const char *run_dir)
{
	char path[4096];
	int fd;

	if (mkdir(run_dir, 0755) && errno != EEXIST)
		fail("cannot make the run directory");
	snprintf(path, sizeof(path), "%s/lock", run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		fail("another xenstored runs already");
}

/* The parent stays until clients can connect. @return in the child: where to tell it */
static int background_go(const struct options *options)
{
	int pipe_fds[2];
	char byte;

	if (pipe2(pipe_fds, O_CLOEXEC))
		fail("no pipe");
	switch (fork()) {
	case -1:
		fail("cannot fork");
		break;
	case 0:
		break;
	default:
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(pipe_fds[0]);
	setsid();
	if (options->output_pid) {
		printf("%d\n", getpid());
		fflush(stdout);
	}
	return pipe_fds[1];
}

static void log_open(const struct options *options)
{
	if (options->trace_file) {
		log_fd = open(options->trace_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (log_fd < 0)
			fail("cannot open the trace file");
	} else {
		log_fd = 2; /* in the background: until clients can connect */
	}
}

static void limits_raise(void)
{
	struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* Both are worth trying and nothing to stop for. */
	if (setrlimit(RLIMIT_NOFILE, &files) && !getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (fd >= 0 && write(fd, "-1000", 5) != 5)
		log_line("may be chosen when memory is short");
	if (fd >= 0)
		close(fd);
}

/* What is open now is every worker's. */
static void own_files_note(struct daemon *daemon)
{
	for (int fd = 0; fd < (int)sizeof(daemon->own_files) * 8; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			daemon->own_files[fd / 64] |= 1ull << fd % 64;
}

int main(int argc, char **argv)
{
	static struct daemon daemon;
	struct options *options = &daemon.options;
	char path[4096];
	sigset_t signals;

	options_parse(options, argc, argv);
	lock_take(options->run_dir);
	log_open(options);
	limits_raise();
	snprintf(daemon.socket_path, sizeof(daemon.socket_path), "%s/socket", options->run_dir);
	daemon.listen_fd = socket_listen(daemon.socket_path);
	snprintf(path, sizeof(path), "%s/connections", options->run_dir);
	if (slots_open(&daemon.slots, path))
		fail("cannot make the table of connections in the run directory");
	/* Whoever was counted before us is gone. */
	atomic_store(&daemon.slots.head->counters, COUNTERS_UNKNOWN);
	daemon.ready_fd = options->no_fork ? -1 : background_go(options);
	own_files_note(&daemon);
	if (daemon.ready_fd >= 0)
		daemon.own_files[daemon.ready_fd / 64] |= 1ull << daemon.ready_fd % 64;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return options->no_supervisor ? run_alone(&daemon) : supervise(&daemon);
}
