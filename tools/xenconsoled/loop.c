/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop.h"

int loop_open(struct loop *loop)
{
	*loop = (struct loop){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	return loop->epoll < 0 ? -errno : 0;
}

void loop_close(struct loop *loop)
{
	close(loop->epoll);
}

int loop_add(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = source };

	source->events = events;
	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &ev) ? -errno : 0;
}

void loop_change(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = source };

	if (source->events == events)
		return;
	source->events = events;
	epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &ev);
}

void loop_remove(struct loop *loop, struct source *source)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	for (int i = 0; i < loop->batch_count; i++) {
		if (loop->batch[i] == source)
			loop->batch[i] = NULL;
	}
}

int loop_step(struct loop *loop, int timeout)
{
	struct epoll_event events[LOOP_BATCH];
	int n = epoll_wait(loop->epoll, events, LOOP_BATCH, timeout);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++)
		loop->batch[i] = events[i].data.ptr;
	loop->batch_count = n;
	for (int i = 0; i < n; i++) {
		if (loop->batch[i])
			loop->batch[i]->ready(loop->batch[i], events[i].events);
	}
	loop->batch_count = 0;
	return 0;
}
