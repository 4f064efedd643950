/* SPDX-License-Identifier: BSD-2-Clause */
/* An epoll loop of sources. */
#ifndef XENCONSOLED_LOOP_H
#define XENCONSOLED_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct source {
	int fd;
	uint32_t events; /* EPOLL* that are wanted now */
	/* Called with what is there. It may remove this source and any other. */
	void (*ready)(struct source *source, uint32_t events);
};

#define LOOP_BATCH 64

struct loop {
	int epoll;
	struct source *batch[LOOP_BATCH]; /* what is being delivered; removed ones become NULL */
	int batch_count;
	bool stop;
};

int loop_open(struct loop *loop);
void loop_close(struct loop *loop);
int loop_add(struct loop *loop, struct source *source, uint32_t events);
/** Want other events. */
void loop_change(struct loop *loop, struct source *source, uint32_t events);
/** The source is not called any more and may be freed; its fd is still open. */
void loop_remove(struct loop *loop, struct source *source);
/** Wait for events once and deliver them. @return 0 or a negative errno */
int loop_step(struct loop *loop, int timeout);

#endif
