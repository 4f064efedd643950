/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that writes anything anywhere in its page, between turns of the daemon. Input: offset (2 bytes), value (1 byte), ... */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/journal", world_dir);
	unlink(path);
	if (!world_start())
		abort();
	world_introduce();
	for (; size >= 3; size -= 3, data += 3) {
		size_t offset = (data[0] | (size_t)data[1] << 8) % (sizeof(world_ring) + 64);

		if (offset < sizeof(world_ring)) {
			((uint8_t *)&world_ring)[offset] = data[2];
			continue;
		}
		if (offset % 16 < data[2] % 16u) /* one in a while the guest does as it should */
			world_ring.rsp_cons = world_ring.rsp_prod;
		conn_ready(&world, domain_find(&world, 1)->conn);
		world_run();
	}
	conn_ready(&world, domain_find(&world, 1)->conn);
	world_run();
	world_check();
	world_end();
	return 0;
}
