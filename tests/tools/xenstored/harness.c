/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

struct xs store;
struct options options;
struct fake_host fake;
char run_dir[64];

/* ---- The machine ------------------------------------------------------------------------------------------------------------- */

static int ring_map(struct host *host, uint16_t domid, uint64_t gfn, struct xenstore_domain_interface **ring)
{
	(void)host;
	if (domid >= FAKE_DOMAINS || fake.state[domid] == HOST_ABSENT || gfn == 666)
		return -EINVAL;
	*ring = (struct xenstore_domain_interface *)((char *)fake.rings + domid * 4096);
	return 0;
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
	return remote_port == 666 ? -EINVAL : 100 + domid;
}

static void port_unbind(struct host *host, uint32_t port)
{
	(void)host;
	(void)port;
}

static void port_notify(struct host *host, uint32_t port)
{
	(void)host;
	fake.notified[port - 100]++;
}

static int ports_pending(struct host *host, uint32_t *ports, unsigned int room)
{
	char byte;

	(void)host;
	(void)room;
	while (read(fake.event_fd[0], &byte, 1) == 1)
		;
	ports[0] = 1; /* the port of changes of domains */
	return 1;
}

static int domain_state(struct host *host, uint16_t domid)
{
	(void)host;
	return domid < FAKE_DOMAINS ? fake.state[domid] : HOST_ABSENT;
}

static int own_ring(struct host *host, struct xenstore_domain_interface **ring, uint32_t *port)
{
	(void)host;
	*ring = fake.rings;
	*port = 7;
	return 0;
}

static void host_close(struct host *host)
{
	(void)host;
}

static void fake_open(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.host = (struct host){ .ring_map = ring_map, .ring_unmap = ring_unmap, .port_bind = port_bind, .port_unbind = port_unbind,
				   .port_notify = port_notify, .ports_pending = ports_pending, .domain_state = domain_state,
				   .own_ring = own_ring, .close = host_close, .domain_port = 1 };
	assert_int_equal(pipe2(fake.event_fd, O_NONBLOCK | O_CLOEXEC), 0);
	fake.host.fd = fake.event_fd[0];
	fake.rings = mmap(NULL, FAKE_DOMAINS * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < FAKE_DOMAINS; i++)
		fake.state[i] = HOST_RUNNING;
}

/* ---- The daemon -------------------------------------------------------------------------------------------------------------- */

void store_start(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/connections", run_dir);
	assert_int_equal(slots_open(&store.slots, path), 0);
	xs_init(&store, &options, &fake.host);
	assert_int_equal(xs_start(&store), 0);
}

void store_lose(void)
{
	xs_destroy(&store);
	slots_close(&store.slots);
}

void store_restart(void)
{
	store_lose();
	store_start();
}

void store_run(void)
{
	for (int i = 0; i < 6; i++) {
		do {
			xs_turn(&store, -1, -1, 0);
		} while (store.ready_count && !store.hold_for);
	}
}

int store_setup(void **state)
{
	(void)state;
	snprintf(run_dir, sizeof(run_dir), "/dev/shm/xenstored-test.XXXXXX");
	assert_non_null(mkdtemp(run_dir));
	options = (struct options){ .run_dir = run_dir, .privileged_domid = DOMID_NONE, .no_domain_init = true,
				    .quota = { [QUOTA_NODES] = 1000, [QUOTA_WATCHES] = 128, [QUOTA_TRANSACTIONS] = 10,
					       [QUOTA_NODE_SIZE] = 2048, [QUOTA_PERMISSIONS] = 5, [QUOTA_TX_NODES] = 1024,
					       [QUOTA_MEMORY] = 2 << 20, [QUOTA_PATH_MAX] = 3072 } };
	log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	fake_open();
	store_start();
	return 0;
}

int store_teardown(void **state)
{
	char path[128];

	(void)state;
	store_lose();
	snprintf(path, sizeof(path), "%s/connections", run_dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/journal", run_dir);
	unlink(path);
	rmdir(run_dir);
	close(fake.event_fd[0]);
	close(fake.event_fd[1]);
	close(log_fd);
	munmap(fake.rings, FAKE_DOMAINS * 4096);
	return 0;
}

/* ---- Clients ------------------------------------------------------------------------------------------------------------------ */

struct client *client_socket(void)
{
	struct client *client = calloc(1, sizeof(*client));
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	client->fd = pair[0];
	assert_int_equal(socket_adopt(&store, pair[1]), 0);
	return client;
}

struct client *client_domain(uint16_t domid)
{
	struct client *client = calloc(1, sizeof(*client));

	client->fd = -1;
	client->domid = domid;
	if (!domain_find(&store, domid)) {
		struct client *control = client_socket();
		char text[32];
		int bytes = snprintf(text, sizeof(text), "%u%c-5%c%u%c", domid, 0, 0, domid + 2000, 0);

		assert_int_equal(client_call(control, XS_INTRODUCE, 0, text, (size_t)bytes), 0);
		client_free(control);
	}
	return client;
}

void client_free(struct client *client)
{
	if (client->fd >= 0) {
		close(client->fd);
		store_run();
	}
	free(client);
}

static struct xenstore_domain_interface *ring_of(const struct client *client)
{
	return (struct xenstore_domain_interface *)((char *)fake.rings + client->domid * 4096);
}

void client_send(struct client *client, const void *data, size_t bytes)
{
	struct xenstore_domain_interface *ring = ring_of(client);

	if (!client->domid) {
		for (size_t done = 0; done < bytes;) {
			ssize_t written = send(client->fd, (const char *)data + done, bytes - done, MSG_NOSIGNAL);

			if (written > 0)
				done += (size_t)written;
			else if (errno != EAGAIN)
				return;
			else
				store_run();
		}
		return;
	}
	for (size_t i = 0; i < bytes; i++) {
		for (int tries = 0; ring->req_prod - ring->req_cons == XENSTORE_RING_SIZE; tries++) {
			assert_true(tries < 100);
			conn_ready(&store, domain_find(&store, client->domid)->conn);
			store_run();
		}
		ring->req[ring->req_prod % XENSTORE_RING_SIZE] = ((const char *)data)[i];
		ring->req_prod++;
	}
	if (domain_find(&store, client->domid))
		conn_ready(&store, domain_find(&store, client->domid)->conn);
}

void client_receive(struct client *client)
{
	struct xenstore_domain_interface *ring = ring_of(client);

	if (!client->domid) {
		ssize_t bytes = recv(client->fd, client->in + client->in_bytes, sizeof(client->in) - client->in_bytes, 0);

		if (bytes > 0)
			client->in_bytes += (size_t)bytes;
		return;
	}
	while (ring->rsp_cons != ring->rsp_prod && client->in_bytes < sizeof(client->in)) {
		client->in[client->in_bytes++] = ring->rsp[ring->rsp_cons % XENSTORE_RING_SIZE];
		ring->rsp_cons++;
	}
	if (domain_find(&store, client->domid))
		conn_ready(&store, domain_find(&store, client->domid)->conn);
}

bool client_message(struct client *client, struct xsd_sockmsg *header)
{
	for (;;) {
		size_t bytes;

		client_receive(client);
		if (client->in_bytes < sizeof(*header))
			return false;
		memcpy(header, client->in, sizeof(*header));
		bytes = sizeof(*header) + header->len;
		assert_true(header->len <= XENSTORE_PAYLOAD_MAX);
		if (client->in_bytes < bytes)
			return false;
		memcpy(client->last, client->in + sizeof(*header), header->len);
		client->last[header->len] = '\0';
		client->last_bytes = header->len;
		client->in_bytes -= bytes;
		memmove(client->in, client->in + bytes, client->in_bytes);
		if (header->type != XS_WATCH_EVENT)
			return true;
		if (client->event_count < 256)
			snprintf(client->events[client->event_count], 256, "%.120s %.120s", client->last, client->last + strlen(client->last) + 1);
		client->event_count++;
	}
}

int client_call(struct client *client, uint32_t type, uint32_t tx, const void *data, size_t bytes)
{
	struct xsd_sockmsg header = { .type = type, .req_id = ++client->next_id, .tx_id = tx, .len = (uint32_t)bytes };

	client_send(client, &header, sizeof(header));
	client_send(client, data, bytes);
	for (int i = 0; i < 200; i++) {
		store_run();
		if (!client_message(client, &header))
			continue;
		assert_int_equal(header.req_id, client->next_id);
		assert_int_equal(header.tx_id, tx);
		if (header.type != XS_ERROR) {
			assert_int_equal(header.type, type);
			return 0;
		}
		for (size_t e = 0; e < ARRAY_SIZE(xsd_errors); e++)
			if (!strcmp(client->last, xsd_errors[e].errstring))
				return -xsd_errors[e].errnum;
		return -EIO;
	}
	return -ETIMEDOUT;
}

int client_strings(struct client *client, uint32_t type, uint32_t tx, ...)
{
	char data[XENSTORE_PAYLOAD_MAX];
	size_t used = 0;
	const char *text;
	va_list args;

	va_start(args, tx);
	while ((text = va_arg(args, const char *))) {
		memcpy(data + used, text, strlen(text) + 1);
		used += strlen(text) + 1;
	}
	va_end(args);
	return client_call(client, type, tx, data, used);
}

int client_write(struct client *client, uint32_t tx, const char *path, const char *value)
{
	char data[XENSTORE_PAYLOAD_MAX];
	int bytes = snprintf(data, sizeof(data), "%s%c%s", path, 0, value);

	return client_call(client, XS_WRITE, tx, data, (size_t)bytes);
}

const char *client_read(struct client *client, uint32_t tx, const char *path)
{
	int error = client_call(client, XS_READ, tx, path, strlen(path) + 1);

	if (error)
		snprintf(client->last, sizeof(client->last), "-%s", strerrorname_np(-error));
	return client->last;
}

uint32_t client_tx(struct client *client)
{
	assert_int_equal(client_call(client, XS_TRANSACTION_START, 0, "", 1), 0);
	return (uint32_t)atoi(client->last);
}

int client_end(struct client *client, uint32_t tx, bool commit)
{
	return client_call(client, XS_TRANSACTION_END, tx, commit ? "T" : "F", 2);
}

const char *client_events(struct client *client)
{
	static char text[65536];
	struct xsd_sockmsg header;
	size_t used = 0;

	store_run();
	assert_false(client_message(client, &header));
	text[0] = '\0';
	for (unsigned int i = 0; i < client->event_count && i < 256; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s;", client->events[i]);
	client->event_count = 0;
	return text;
}

/* ---- Description ---------------------------------------------------------------------------------------------------------------- */

static void describe_node(FILE *out, const struct node *node, const char *path)
{
	uint32_t position = 0;
	const struct node *child;

	fprintf(out, "%s %llu %llu", *path ? path : "/", (unsigned long long)node->generation,
		(unsigned long long)node->children_generation);
	for (uint32_t i = 0; i < node->perms->count; i++)
		fprintf(out, " %u:%u", node->perms->entries[i].domid, node->perms->entries[i].access);
	fprintf(out, " =%.*s\n", (int)node->value_bytes, node->value_bytes ? node->value : "");
	while ((child = node_child_next(node, &position))) {
		char *below;

		assert_true(asprintf(&below, "%s/%s", path, child->name) > 0);
		describe_node(out, child, below);
		free(below);
	}
}

char *store_describe(void)
{
	size_t bytes;
	char *text;
	FILE *out = open_memstream(&text, &bytes);

	fprintf(out, "generation %llu tx %u\n", (unsigned long long)store.generation, store.next_tx);
	describe_node(out, store.root, "");
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
		const struct conn *conn = store.conns[slot];
		const struct watch *watch;
		const struct tx *tx;

		if (!conn)
			continue;
		fprintf(out, "slot %u domid %u", slot, conn->domid);
		if (conn->domain)
			fprintf(out, " gfn %lld port %u target %u shutdown %d error %u", (long long)conn->domain->gfn,
				conn->domain->remote_port, conn->domain->target, conn->domain->shutdown_announced, conn->domain->error);
		fputc('\n', out);
		TAILQ_FOREACH(watch, &conn->watches, in_conn)
			fprintf(out, " watch %s %s %d\n", watch->path, watch->token, watch->depth);
		LIST_FOREACH(tx, &conn->txs, in_conn) {
			fprintf(out, " tx %u %s\n", tx->id, tx->doomed ? "doomed" : "");
			if (!tx->doomed)
				describe_node(out, tx->root, "");
		}
	}
	fclose(out);
	return text;
}
