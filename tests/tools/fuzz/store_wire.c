/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of a privileged socket and of a guest. Input: messages, each a byte for the sender (bit 0) and the transaction
 * (bits 1-3: none or one of the first), a byte for the type, a byte for the length, and so many bytes of payload. Afterwards
 * the daemon is restarted: the journal must give the same state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	world_ring.rsp_cons = world_ring.rsp_prod;
}

static void guest_send(const void *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (world_ring.req_prod - world_ring.req_cons == XENSTORE_RING_SIZE)
			return;
		world_ring.req[world_ring.req_prod++ % XENSTORE_RING_SIZE] = ((const char *)data)[i];
	}
}

static uint64_t state_hash(const struct node *node, uint64_t hash)
{
	uint32_t position = 0;
	const struct node *child;

	hash = hash * 31 + hash_bytes(HASH_START, node->name, node->name_bytes) + node->generation * 7 + node->children_generation;
	hash = hash * 31 + hash_bytes(HASH_START, node->value_bytes ? node->value : "", node->value_bytes);
	hash = hash * 31 + hash_bytes(HASH_START, node->perms->entries, node->perms->count * sizeof(struct perm));
	while ((child = node_child_next(node, &position)))
		hash = state_hash(child, hash);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[128];
	uint64_t before;
	int fd;

	snprintf(path, sizeof(path), "%s/journal", world_dir);
	unlink(path);
	if (!world_start())
		abort();
	fd = world_connect();
	world_introduce();
	state_compact(&world, true);
	while (size >= 3) {
		struct xsd_sockmsg header = { .type = data[1] % (XS_TYPE_COUNT + 2), .req_id = 1, .tx_id = data[0] >> 1 & 7,
					      .len = (uint32_t)MIN(data[2], size - 3) };

		if (data[0] & 1) {
			if (send(fd, &header, sizeof(header), 0) < 0 || send(fd, data + 3, header.len, 0) < 0)
				break;
		} else {
			guest_send(&header, sizeof(header));
			guest_send(data + 3, header.len);
			if (domain_find(&world, 1))
				conn_ready(&world, domain_find(&world, 1)->conn);
		}
		world_run();
		drain(fd);
		size -= 3 + header.len;
		data += 3 + header.len;
	}
	world_check();
	before = state_hash(world.root, world.tx_open + world.point_count);
	world_end();
	if (!world_start())
		abort();
	world_check();
	if (state_hash(world.root, world.tx_open + world.point_count) != before)
		abort();
	close(fd);
	world_run();
	world_end();
	return 0;
}
