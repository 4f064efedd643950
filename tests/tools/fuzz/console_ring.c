/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that writes anything into its console page, between any of the daemon's steps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/xenconsoled/console.h"

static void on_notify(void *context)
{
	(void)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xencons_interface page;
	struct console console = { .notify = on_notify };
	struct loop loop;
	int ends[2];

	memset(&page, 0, sizeof(page));
	if (loop_open(&loop) || console_open(&console, &loop, NULL, 1, &page))
		abort();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) || console_attach_socket(&console, ends[1]))
		abort();
	while (size >= 5) {
		uint32_t value;

		memcpy(&value, data + 1, 4);
		switch (data[0] % 8) {
		case 0: page.out_prod = value; break;
		case 1: page.out_prod += value & 0xfff; break;
		case 2: page.out_cons = value; break;
		case 3: page.in_cons = value; break;
		case 4: page.in_prod = value; break;
		case 5: console_pump(&console); break;
		case 6:
			if (write(ends[0], data, size < 64 ? size : 64) > 0)
				loop_step(&loop, 0);
			break;
		default: console.keep = value & 1; break;
		}
		if (console.spool.header->seen > console.spool.header->taken ||
		    console.spool.header->taken - spool_oldest(&console.spool) > SPOOL_MAX)
			abort();
		data += 5;
		size -= 5;
	}
	console_close(&console);
	loop_close(&loop);
	close(ends[0]);
	return 0;
}
