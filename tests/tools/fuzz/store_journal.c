/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal whose bytes changed: recovery takes what is whole, or starts empty; it does not fall over. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Records that the checksum lets pass, with payloads from the input: kind, length, bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/journal", world_dir);
	unlink(path);
	if (!world_start())
		abort();
	world_introduce();
	close(world_connect());
	while (size >= 2) {
		size_t bytes = MIN(data[1], size - 2);
		struct iovec part = { (void *)(uintptr_t)(data + 2), bytes };

		if (journal_reserve(&world.journal, bytes))
			abort();
		journal_append(&world.journal, data[0] % 40, &part, 1);
		size -= 2 + bytes;
		data += 2 + bytes;
	}
	world_end();
	if (!world_start())
		abort();
	world_run();
	world_end();
	return 0;
}
