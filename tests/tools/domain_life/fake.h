/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypervisor, a store, a builder, a network and loop devices that only remember. Each call that can fail counts; the one
 * numbered fail_at fails, the one numbered die_at never returns.
 */
#ifndef TEST_FAKE_H
#define TEST_FAKE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_domain {
	bool there, paused, built, introduced;
	uint8_t uuid[16];
	unsigned int pauses;
};

#define FAKE_DOMAINS 8
#define FAKE_NODES 1024

struct fake {
	long calls, fail_at, die_at;
	jmp_buf death;
	struct fake_domain domains[FAKE_DOMAINS];
	uint32_t next_domid;
	char *paths[FAKE_NODES], *values[FAKE_NODES];
	unsigned int nodes;
	int sources_open, ports;
	uint64_t free_pages;
};

extern struct fake fake;

void fake_reset(void);
const char *fake_read(const char *path);
void fake_write(const char *path, const char *value);
void fake_remove(const char *path);

#endif
