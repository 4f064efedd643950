/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/grant.h>
#include <guest/group.h>
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/start.h>
#include <guest/time.h>
#include <xen/event_channel.h>

#define PATIENCE (40 * S)

static volatile u64 *board;

static const char *number_read(const char *p, u64 *value)
{
	for (*value = 0; *p >= '0' && *p <= '9'; p++)
		*value = *value * 10 + (u64)(*p - '0');
	return p;
}

u64 cmdline_number(const char *name, unsigned int n, u64 otherwise)
{
	const char *p = (const char *)start_info->cmd_line;
	size_t len = strlen(name);
	u64 value;

	for (; *p; p++) {
		if ((p > (const char *)start_info->cmd_line && p[-1] != ' ') || memcmp(p, name, len) != 0 || p[len] != '=')
			continue;
		p = number_read(p + len + 1, &value);
		while (n && *p == ',') {
			p = number_read(p + 1, &value);
			n--;
		}
		return n ? otherwise : value;
	}
	return otherwise;
}

int group_join(void)
{
	grant_handle_t handle;
	void *page = page_alloc();
	int ret = grant_map(0, (grant_ref_t)cmdline_number("board", group_role(), 0), page, false, &handle);

	if (!ret)
		board = page;
	return ret ? -XEN_EIO : 0;
}

unsigned int group_role(void)
{
	return (unsigned int)cmdline_number("role", 0, 0);
}

unsigned int group_size(void)
{
	return (unsigned int)cmdline_number("size", 0, 1);
}

domid_t group_domain(unsigned int role)
{
	return (domid_t)cmdline_number("ids", role, DOMID_INVALID);
}

void group_post(unsigned int word, u64 value)
{
	__asm__ volatile("" ::: "memory");
	board[word] = value;
}

u64 group_look(unsigned int word)
{
	return board[word];
}

u64 group_wait(unsigned int word)
{
	return yield_until(board[word], PATIENCE);
}

bool group_ask(enum group_request what, unsigned int role)
{
	struct evtchn_send send = { .port = start_info->console.domU.evtchn };

	group_post(GROUP_REQUEST, (u64)role << 8 | what);
	HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
	return yield_until(!board[GROUP_REQUEST], PATIENCE);
}
