/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's protocol over a socket and nothing else. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

struct wire {
	int fd;
	uint32_t next_id;
	char in[1 << 16];
	size_t start, end;
	char answer[XENSTORE_PAYLOAD_MAX + 1]; /* of the last call, with a '\0' behind */
	size_t answer_bytes;
	unsigned int event_count;
	char events[64][512]; /* "path token", from event_count % 64 on */
};

struct wire *wire_open(const char *path);
void wire_close(struct wire *wire);

/** Send a request. @return its number */
uint32_t wire_send(struct wire *wire, uint32_t type, uint32_t tx, const void *data, size_t bytes);

/** Wait for an answer; events that come first are put aside. @return 0, or a negative errno by its name */
int wire_answer(struct wire *wire, uint32_t id);

int wire_call(struct wire *wire, uint32_t type, uint32_t tx, const void *data, size_t bytes);

/** A request of strings, each with its '\0'; NULL ends them. */
int wire_strings(struct wire *wire, uint32_t type, uint32_t tx, ...);
int wire_write(struct wire *wire, uint32_t tx, const char *path, const char *value);

/** Events that came, "path token;" each, in order, after waiting for `least` of them; forgotten then. */
const char *wire_events(struct wire *wire, unsigned int least);

#endif
