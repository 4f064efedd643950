/* SPDX-License-Identifier: BSD-2-Clause */
/* xl top: what the domains do, again and again. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "argon/reason.h"
#include "xl.h"

struct sample {
	struct domain_row *rows;
	int count;
	struct timespec when;
};

static bool sample_take(struct xl *xl, struct sample *s)
{
	clock_gettime(CLOCK_MONOTONIC, &s->when);
	s->rows = domains_get(xl, &s->count);
	return s->rows != NULL;
}

/* Percent of one CPU since the sample before; 0 for a domain that is new. */
static double cpu_percent(const struct sample *last, const struct sample *now, const struct ctrl_domain_info *info)
{
	double ns = (double)(now->when.tv_sec - last->when.tv_sec) * 1e9 + (double)(now->when.tv_nsec - last->when.tv_nsec);
	int i;

	for (i = 0; i < last->count; i++) {
		if (last->rows[i].info.domid == info->domid && info->cpu_time >= last->rows[i].info.cpu_time && ns > 0)
			return (double)(info->cpu_time - last->rows[i].info.cpu_time) * 100 / ns;
	}
	return 0;
}

static void sample_print(const struct sample *last, const struct sample *now, const struct ctrl_physinfo *machine)
{
	char state[7], max[24];
	int i;

	printf("%d domains, %u CPUs, memory: %lu MiB, %lu MiB free\n\n", now->count, machine->cpus, machine->total_pages >> 8,
	       machine->free_pages >> 8);
	printf("%-24s %5s %-6s %10s %6s %10s %10s %5s\n", "NAME", "ID", "STATE", "CPU(sec)", "CPU(%)", "MEM(k)", "MAXMEM(k)", "VCPUS");
	for (i = 0; i < now->count; i++) {
		const struct ctrl_domain_info *info = &now->rows[i].info;

		state_text(info, state);
		/* Without a limit the number has no meaning. */
		if (info->max_pages > 1ul << 40)
			snprintf(max, sizeof(max), "no limit");
		else
			snprintf(max, sizeof(max), "%lu", info->max_pages * 4);
		printf("%-24.24s %5u %-6s %10.0f %6.1f %10lu %10s %5u\n", now->rows[i].name, info->domid, state,
		       (double)info->cpu_time / 1e9, cpu_percent(last, now, info), info->pages * 4, max, info->online_vcpus);
	}
	fflush(stdout);
}

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* Waits, and looks for a q. */
static void pause_for(long milliseconds, bool terminal)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char key;

	if (poll(&fd, terminal ? 1 : 0, (int)milliseconds) == 1 && read(STDIN_FILENO, &key, 1) == 1 && (key == 'q' || key == 'Q'))
		stopped = 1;
}

static int top_run(struct xl *xl, struct ctrl *ctrl, long delay, long times, bool terminal)
{
	struct sample last = { NULL, 0, { 0, 0 } }, now;
	struct ctrl_physinfo machine;
	int status = EXIT_SUCCESS;
	long n;

	for (n = 0; !stopped && (times == 0 || n < times); n++) {
		if (n != 0)
			pause_for(delay * 1000, terminal);
		if (stopped)
			break;
		if (ctrl_physinfo(ctrl, &machine) != 0) {
			status = fail(xl);
			break;
		}
		if (!sample_take(xl, &now)) {
			status = EXIT_FAILURE;
			break;
		}
		if (terminal)
			fputs("\033[H\033[J", stdout);
		sample_print(&last, &now, &machine);
		domains_free(last.rows, last.count);
		last = now;
	}
	domains_free(last.rows, last.count);
	return status;
}

int cmd_top(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "delay", required_argument, NULL, 'd' }, { "iterations", required_argument, NULL, 'i' },
		{ "batch", no_argument, NULL, 'b' }, { NULL, 0, NULL, 0 },
	};
	struct sigaction sa = { .sa_handler = on_signal };
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	long delay = 3, times = 0;
	struct termios saved, raw;
	struct ctrl *ctrl;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "d:i:b", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		if ((opt == 'd' && !number_arg(xl, "the delay", optarg, 1, 3600, &delay)) ||
		    (opt == 'i' && !number_arg(xl, "the number of iterations", optarg, 1, 1000000, &times)))
			return EXIT_FAILURE;
		terminal &= opt != 'b';
	}
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	/* Into a file, once. */
	if (!terminal && times == 0)
		times = 1;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (terminal && tcgetattr(STDIN_FILENO, &saved) == 0) {
		raw = saved;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	status = top_run(xl, ctrl, delay, times, terminal);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	return status;
}
