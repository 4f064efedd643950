/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a domain with the libraries alone: no daemon runs. Shows what the guest prints, read from its console ring, and answers its
 * xenstore requests with "there is no such thing".
 *
 * usage: libs [-c CACHE] [-m MIB] [-v VCPUS] [-n ROUNDS] [-r RAMDISK] [-a CMDLINE] [-q] KERNEL TEXT
 * Exits 0 when the guest has printed TEXT and nothing of it is left after its end.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>

#include "argon/build.h"
#include "argon/reason.h"

#define barrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

struct guest {
	struct ctrl *ctrl;
	struct evtchn *events;
	uint32_t domid;
	struct build_result built;
	struct xencons_interface *console;
	struct xenstore_domain_interface *store;
	uint32_t console_port, store_port;
	char text[262144];
	size_t length;
};

static int quiet;

static void die(const char *what)
{
	printf("LIBS-ERROR %s: %s\n", what, reason_get());
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void console_drain(struct guest *g)
{
	struct xencons_interface *c = g->console;
	uint32_t prod = c->out_prod, cons = c->out_cons;

	barrier();
	for (; cons != prod && g->length + 1 < sizeof(g->text); cons++)
		g->text[g->length++] = c->out[MASK_XENCONS_IDX(cons, c->out)];
	g->text[g->length] = '\0';
	barrier();
	c->out_cons = prod;
	evtchn_notify(g->events, g->console_port);
}

/* Copies from the request ring without taking. */
static void store_peek(const struct xenstore_domain_interface *s, void *to, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		((char *)to)[i] = s->req[MASK_XENSTORE_IDX(s->req_cons + i)];
}

static void store_write(struct xenstore_domain_interface *s, const void *from, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		s->rsp[MASK_XENSTORE_IDX(s->rsp_prod + i)] = ((const char *)from)[i];
	barrier();
	s->rsp_prod += bytes;
}

/* A request may arrive in pieces. */
static void store_answer(struct guest *g)
{
	struct xenstore_domain_interface *s = g->store;
	const char *answer;
	struct xsd_sockmsg m;

	for (;;) {
		uint32_t there = s->req_prod - s->req_cons;

		barrier();
		if (there < sizeof(m))
			break;
		store_peek(s, &m, sizeof(m));
		if (there < sizeof(m) + m.len)
			break;
		barrier();
		s->req_cons += (uint32_t)sizeof(m) + m.len;
		answer = m.type == XS_WATCH || m.type == XS_UNWATCH ? "OK" : "ENOENT";
		m.type = m.type == XS_WATCH || m.type == XS_UNWATCH ? m.type : XS_ERROR;
		m.len = (uint32_t)strlen(answer) + 1;
		store_write(s, &m, sizeof(m));
		store_write(s, answer, m.len);
	}
	evtchn_notify(g->events, g->store_port);
}

/* Has it printed text before that many seconds? */
static int watch(struct guest *g, const char *text, double seconds)
{
	struct pollfd p = { .fd = evtchn_fd(g->events), .events = POLLIN };
	double end = now() + seconds;
	uint32_t ports[8];
	size_t shown = 0;
	int n;

	while (now() < end) {
		poll(&p, 1, 500);
		n = evtchn_pending(g->events, ports, 8);
		if (n > 0)
			evtchn_unmask(g->events, ports, (unsigned int)n);
		console_drain(g);
		store_answer(g);
		if (!quiet)
			fwrite(g->text + shown, 1, g->length - shown, stdout);
		shown = g->length;
		if (strstr(g->text, text))
			return 0;
	}
	return -1;
}

static void rings_attach(struct guest *g)
{
	uint64_t frames[2] = { g->built.console_frame, g->built.store_frame };
	uint32_t reference = GNTTAB_RESERVED_CONSOLE;
	struct gntdev *grants;
	void *granted;
	int port;

	g->console = dev_map(ctrl_dev(g->ctrl), g->domid, PROT_READ | PROT_WRITE, 1, frames, NULL);
	g->store = dev_map(ctrl_dev(g->ctrl), g->domid, PROT_READ | PROT_WRITE, 1, frames + 1, NULL);
	if (!g->console || !g->store)
		die("rings");
	/* By grant as well: it is the same page. */
	if (gntdev_open(&grants))
		die("gntdev");
	granted = gntdev_map_domain(grants, g->domid, 1, &reference, PROT_READ | PROT_WRITE);
	if (!granted)
		die("console by grant");
	g->console->in[7] = 'x';
	if (((struct xencons_interface *)granted)->in[7] != 'x')
		die("grant and frame differ");
	g->console->in[7] = 0;
	if (gntdev_unmap(grants, granted, 1))
		die("grant unmap");
	gntdev_close(grants);
	if (evtchn_open(&g->events))
		die("evtchn");
	port = evtchn_bind_interdomain(g->events, g->domid, g->built.console_port);
	if (port < 0)
		die("console port");
	g->console_port = (uint32_t)port;
	port = evtchn_bind_interdomain(g->events, g->domid, g->built.store_port);
	if (port < 0)
		die("store port");
	g->store_port = (uint32_t)port;
}

static void create(struct guest *g, const struct build_image *image, const struct build_config *config)
{
	struct ctrl_domain_create domain = { .max_vcpus = config->vcpus, .max_grant_frames = -1, .max_maptrack_frames = -1 };
	double start = now(), made;

	if (ctrl_domain_create(g->ctrl, &domain, 0, &g->domid))
		die("create");
	made = now();
	if (build_pv(g->ctrl, g->domid, image, config, &g->built))
		die("build");
	printf("LIBS-MADE domain %u: created in %.1f ms, built in %.1f ms, %llu pages\n", g->domid, (made - start) * 1e3,
	       (now() - made) * 1e3, (unsigned long long)g->built.pages);
}

static void destroy(struct guest *g)
{
	struct ctrl_domain_info info;
	double start = now();

	evtchn_close(g->events);
	dev_unmap(ctrl_dev(g->ctrl), g->console, 1);
	dev_unmap(ctrl_dev(g->ctrl), g->store, 1);
	if (ctrl_domain_destroy(g->ctrl, g->domid))
		die("destroy");
	for (int i = 0; ctrl_domain_info(g->ctrl, g->domid, &info) == 0; i++) {
		if (i == 100)
			die("the domain stays");
		usleep(50000);
	}
	printf("LIBS-DESTROYED in %.1f ms\n", (now() - start) * 1e3);
}

static uint64_t free_pages(struct ctrl *ctrl)
{
	struct ctrl_physinfo info;

	if (ctrl_physinfo(ctrl, &info))
		die("physinfo");
	return info.free_pages + info.scrub_pages;
}

static void run(struct guest *g, const struct build_image *image, const struct build_config *config, const char *text)
{
	uint64_t before = free_pages(g->ctrl), after;

	g->length = 0;
	create(g, image, config);
	rings_attach(g);
	if (ctrl_domain_unpause(g->ctrl, g->domid))
		die("unpause");
	if (watch(g, text, 150)) {
		printf("LIBS-ERROR the guest did not print \"%s\" but:\n%s\n", text, g->text);
		exit(1);
	}
	destroy(g);
	after = free_pages(g->ctrl);
	if (after + 64 < before) {
		printf("LIBS-ERROR %llu pages are missing\n", (unsigned long long)(before - after));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct build_source source = { 0 };
	struct build_config config = { .memory_kib = 8 << 10, .vcpus = 1, .claim = true };
	struct build_image_info info;
	struct build_image *image;
	static struct guest g;
	int option, rounds = 1;
	double start = now();

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((option = getopt(argc, argv, "c:m:v:n:r:a:q")) != -1) {
		if (option == 'c')
			source.cache = optarg;
		else if (option == 'm')
			config.memory_kib = strtoull(optarg, NULL, 0) << 10;
		else if (option == 'v')
			config.vcpus = (uint32_t)atoi(optarg);
		else if (option == 'n')
			rounds = atoi(optarg);
		else if (option == 'r')
			source.ramdisk = optarg;
		else if (option == 'a')
			config.command_line = optarg;
		else if (option == 'q')
			quiet = 1;
		else
			return 2;
	}
	if (argc - optind != 2)
		return 2;
	source.kernel = argv[optind];
	if (build_image_open(&source, &image))
		die("image");
	build_image_info(image, &info);
	printf("LIBS-IMAGE %s %s, %llu KiB, read in %.1f ms%s, least %llu KiB\n", info.guest_os, info.guest_version,
	       (unsigned long long)info.kernel_bytes >> 10, (now() - start) * 1e3, info.from_cache ? " from the cache" : "",
	       (unsigned long long)build_memory_least(image));
	if (ctrl_open(&g.ctrl))
		die("ctrl");
	for (int i = 0; i < rounds; i++)
		run(&g, image, &config, argv[optind + 1]);
	build_image_close(image);
	ctrl_close(g.ctrl);
	printf("LIBS-OK\n");
	return 0;
}
