/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_world.h"

struct xs world;
struct xenstore_domain_interface world_ring;
char world_dir[64];

static struct options options = { .run_dir = world_dir, .privileged_domid = DOMID_NONE, .no_domain_init = true,
				  .quota = { [QUOTA_NODES] = 20, [QUOTA_WATCHES] = 5, [QUOTA_TRANSACTIONS] = 3, [QUOTA_NODE_SIZE] = 100,
					     [QUOTA_PERMISSIONS] = 3, [QUOTA_TX_NODES] = 20, [QUOTA_MEMORY] = 10000,
					     [QUOTA_PATH_MAX] = 2048 } };

static int ring_map(struct host *host, uint16_t domid, uint64_t gfn, struct xenstore_domain_interface **ring)
{
	(void)host;
	(void)gfn;
	*ring = &world_ring;
	return domid == 1 ? 0 : -EINVAL;
}

static void ring_unmap(struct host *host, uint16_t domid, struct xenstore_domain_interface *ring)
{
	(void)host;
	(void)domid;
	(void)ring;
}

static int port_bind(struct host *host, uint16_t domid, uint32_t remote_port)
{
	(void)host;
	(void)domid;
	return remote_port == 5 ? -EINVAL : 10;
}

static void port_use(struct host *host, uint32_t port)
{
	(void)host;
	(void)port;
}

static int domain_state(struct host *host, uint16_t domid)
{
	(void)host;
	return domid < 4 ? HOST_RUNNING : HOST_ABSENT;
}

static int ports_pending(struct host *host, uint32_t *ports, unsigned int room)
{
	(void)host;
	(void)ports;
	(void)room;
	return 0;
}

static int own_ring(struct host *host, struct xenstore_domain_interface **ring, uint32_t *remote_port)
{
	(void)host;
	(void)ring;
	(void)remote_port;
	return -ENOENT;
}

static struct host host = { .ring_map = ring_map, .ring_unmap = ring_unmap, .port_bind = port_bind, .port_unbind = port_use,
			    .port_notify = port_use, .domain_state = domain_state, .ports_pending = ports_pending, .own_ring = own_ring, .fd = -1 };

bool world_start(void)
{
	char path[128];
	int pipe_fds[2];

	if (!world_dir[0]) {
		snprintf(world_dir, sizeof(world_dir), "/dev/shm/store-fuzz.%d", getpid());
		if (mkdir(world_dir, 0700) || pipe2(pipe_fds, O_CLOEXEC))
			abort();
		host.fd = pipe_fds[0];
		log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	snprintf(path, sizeof(path), "%s/connections", world_dir);
	if (slots_open(&world.slots, path))
		abort();
	xs_init(&world, &options, &host);
	return !xs_start(&world);
}

void world_end(void)
{
	xs_destroy(&world);
	slots_close(&world.slots);
}

void world_run(void)
{
	for (int i = 0; i < 3; i++)
		do {
			xs_turn(&world, -1, -1, 0);
		} while (world.ready_count && !world.hold_for);
	world.hold_for = NULL;
}

int world_connect(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) || socket_adopt(&world, pair[1]))
		abort();
	return pair[0];
}

void world_introduce(void)
{
	memset(&world_ring, 0, sizeof(world_ring));
	if (domain_introduce(&world, 1, 0, 1))
		abort();
}

void world_check(void)
{
	struct accounts counted;
	uint32_t txs = 0;

	accounts_init(&counted);
	tree_count(world.root, 1, &counted.ledger);
	if (counted.count != world.accounts.count)
		abort();
	for (size_t i = 0; i < counted.count; i++)
		if (account_nodes(&world.accounts, counted.entries[i].domid) != counted.entries[i].nodes ||
		    account_bytes(&world.accounts, counted.entries[i].domid) != counted.entries[i].bytes)
			abort();
	free(counted.entries);
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
		const struct conn *conn = world.conns[slot];

		if (!conn)
			continue;
		txs += conn->tx_count;
		if (conn_in_available(&world, conn) > SLOT_IN_BYTES || conn_out_free(&world, conn) > conn->out_bytes)
			abort();
		if (conn->domid && (conn->watch_count > options.quota[QUOTA_WATCHES] || conn->tx_count > options.quota[QUOTA_TRANSACTIONS]))
			abort();
	}
	if (txs != world.tx_open || account_nodes(&world.accounts, 1) > (int)options.quota[QUOTA_NODES])
		abort();
}
