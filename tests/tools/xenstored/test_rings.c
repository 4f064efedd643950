/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains' rings, with guests that are slow, broken or hostile. */
#include "tests.h"

static struct xenstore_domain_interface *ring(uint16_t domid)
{
	return (struct xenstore_domain_interface *)((char *)fake.rings + domid * 4096);
}

static void poke(uint16_t domid)
{
	conn_ready(&store, domain_find(&store, domid)->conn);
	store_run();
}

/* Every position of the stream as the start, so that each message is cut by the end of the ring everywhere. */
static void positions(void **state)
{
	(void)state;
	for (uint32_t start = 0; start < 2200; start += 7) {
		struct client *d;

		ring(1)->req_prod = ring(1)->req_cons = 0xfffffc00u + start;
		ring(1)->rsp_prod = ring(1)->rsp_cons = 0xfffffb00u - 3 * start;
		d = client_domain(1);
		assert_int_equal(ring(1)->server_features, RING_FEATURES);
		assert_string_equal(client_read(d, 0, "/nope"), "-EACCES");
		assert_int_equal(client_strings(d, XS_GET_DOMAIN_PATH, 0, "1", NULL), 0);
		assert_string_equal(d->last, "/local/domain/1");
		client_free(d);
		d = client_socket();
		assert_int_equal(client_strings(d, XS_RELEASE, 0, "1", NULL), 0);
		client_free(d);
	}
}

/* Requests and answers longer than the ring. */
static void long_messages(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	char value[2049];

	(void)state;
	client_strings(c, XS_MKDIR, 0, "/local/domain/1/d", NULL);
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/1/d", "n1", NULL);
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(client_write(d, 0, "d/v", value), 0);
	assert_string_equal(client_read(d, 0, "d/v"), value);
	client_free(c);
	client_free(d);
}

static void bad_index(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1), *e = client_domain(2);

	(void)state;
	ring(1)->req_prod += XENSTORE_RING_SIZE + 1;
	poke(1);
	assert_int_equal(ring(1)->error, XENSTORE_ERROR_RINGIDX);
	ring(2)->rsp_cons += 1; /* more than there was */
	poke(2);
	assert_int_equal(ring(2)->error, XENSTORE_ERROR_RINGIDX);
	/* Nobody else is hurt; the guest may ask for a new beginning. */
	assert_string_equal(client_read(c, 0, "/"), "");
	ring(1)->connection = XENSTORE_RECONNECT;
	poke(1);
	assert_int_equal(ring(1)->connection, XENSTORE_CONNECTED);
	assert_int_equal(ring(1)->error, 0);
	assert_int_equal(ring(1)->req_prod, 0);
	assert_string_equal(client_read(d, 0, "/nope"), "-EACCES");
	client_free(c);
	client_free(d);
	client_free(e);
}

static void bad_length(void **state)
{
	struct xsd_sockmsg header = { .type = XS_READ, .len = 0xffffffff };
	struct client *d = client_domain(1);

	(void)state;
	client_send(d, &header, sizeof(header));
	store_run();
	assert_int_equal(ring(1)->error, XENSTORE_ERROR_PROTO);
	store_restart();
	assert_int_equal(domain_find(&store, 1)->error, XENSTORE_ERROR_PROTO);
	client_free(d);
}

static void reconnect(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	struct xsd_sockmsg header = { .type = XS_READ, .len = 100 };

	(void)state;
	assert_int_equal(client_strings(d, XS_WATCH, 0, "a", "t", NULL), 0);
	client_tx(d);
	client_send(d, &header, sizeof(header)); /* half a request */
	poke(1);
	ring(1)->connection = XENSTORE_RECONNECT;
	poke(1);
	assert_int_equal(ring(1)->connection, XENSTORE_CONNECTED);
	assert_int_equal(store.tx_open, 0);
	assert_int_equal(domain_find(&store, 1)->conn->watch_count, 0);
	d->in_bytes = 0;
	d->event_count = 0;
	assert_int_equal(client_strings(d, XS_WATCH, 0, "a", "t", NULL), 0);
	assert_string_equal(client_events(d), "a t;");
	client_free(c);
	client_free(d);
}

/* A guest that takes no answers gets none of our memory and holds nobody up; later it finds them all. */
static void slow_guest(void **state)
{
	const struct xsd_sockmsg header = { .type = XS_READ, .req_id = 1, .len = 6 };
	struct client *c = client_socket(), *d = client_domain(1);
	unsigned int sent = 0, got = 0;
	struct xsd_sockmsg answer;
	char value[2001], path[64];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	client_write(c, 0, "/read", value);
	client_strings(c, XS_SET_PERMS, 0, "/read", "r0", NULL);
	for (int round = 0; round < 200; round++) {
		while (XENSTORE_RING_SIZE - (ring(1)->req_prod - ring(1)->req_cons) >= sizeof(header) + 6) {
			client_send(d, &header, sizeof(header));
			client_send(d, "/read", 6);
			sent++;
		}
		poke(1);
	}
	assert_in_range(sent, 10, 600); /* what fits into the buffers */
	assert_int_equal(client_write(c, 0, "/other", "x"), 0);
	for (int i = 0; i < 5000 && got < sent; i++, store_run())
		got += client_message(d, &answer);
	assert_int_equal(got, sent);
	/* Events: those that do not fit become one for the watched path. */
	assert_int_equal(client_strings(d, XS_WATCH, 0, "/read", "token", NULL), 0);
	client_events(d);
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/read/%d", i);
		client_write(c, 0, path, "");
	}
	for (int i = 0; i < 100; i++) {
		store_run();
		assert_false(client_message(d, &answer));
	}
	assert_in_range(d->event_count, 100, 1000);
	assert_int_equal(domain_find(&store, 1)->conn->overflow_count, 0);
	/* The last one is the summary. */
	assert_string_equal(d->events[255 < d->event_count ? 0 : d->event_count - 1] + 0,
			    255 < d->event_count ? "/read/0 token" : "/read token");
	d->event_count = 0;
	client_write(c, 0, "/read/5", "");
	assert_string_equal(client_events(d), "/read/5 token;");
	client_free(c);
	client_free(d);
}

static void introduce(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);

	(void)state;
	assert_int_equal(client_strings(c, XS_INTRODUCE, 0, "0", "1", "1", NULL), -EINVAL);
	assert_int_equal(client_strings(c, XS_INTRODUCE, 0, "32752", "1", "1", NULL), -EINVAL);
	assert_int_equal(client_strings(c, XS_INTRODUCE, 0, "3", "666", "1", NULL), -EINVAL);
	assert_int_equal(client_strings(c, XS_INTRODUCE, 0, "3", "1", "666", NULL), -EINVAL);
	assert_int_equal(client_strings(c, XS_INTRODUCE, 0, "3", "x", "1", NULL), -EINVAL);
	assert_null(domain_find(&store, 3));
	/* Again, as after a resume: watches are the guest's to set once more. */
	client_strings(d, XS_WATCH, 0, "a", "t", NULL);
	assert_int_equal(client_strings(c, XS_INTRODUCE, 0, "1", "-5", "9", NULL), 0);
	assert_int_equal(domain_find(&store, 1)->conn->watch_count, 0);
	assert_int_equal(domain_find(&store, 1)->remote_port, 9);
	client_events(d);
	assert_string_equal(client_read(d, 0, "/x"), "-EACCES");
	/* And one that fails leaves the old connection. */
	assert_int_equal(client_strings(c, XS_INTRODUCE, 0, "1", "-5", "666", NULL), -EINVAL);
	assert_string_equal(client_read(d, 0, "/x"), "-EACCES");
	client_free(c);
	client_free(d);
}

/* A guest that writes what a privileged transaction reads cannot defeat it for ever. */
static void livelock(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	int tries = 0;

	(void)state;
	client_strings(c, XS_MKDIR, 0, "/hot", NULL);
	client_strings(c, XS_SET_PERMS, 0, "/hot", "n1", NULL);
	for (;; tries++) {
		const struct xsd_sockmsg header = { .type = XS_WRITE, .len = 7 };
		uint32_t tx = client_tx(c);

		client_read(c, tx, "/hot");
		client_send(d, &header, sizeof(header));
		client_send(d, "/hot\0xx", 7);
		store_run();
		if (!client_end(c, tx, true))
			break;
		assert_true(tries < 20);
	}
	assert_in_range(tries, 1, 20);
	client_free(c);
	client_free(d);
}

/* A transaction that a guest never ends does not keep the past in memory for ever. */
static void old_transaction(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	uint32_t tx, mine;
	char *before, *after;

	(void)state;
	client_write(c, 0, "/x", "0");
	client_strings(c, XS_SET_PERMS, 0, "/x", "b1", NULL);
	tx = client_tx(d);
	mine = client_tx(c);
	assert_int_equal(client_write(d, tx, "/x/y", "1"), 0);
	for (int i = 0; i < 18000; i++)
		assert_int_equal(client_write(c, 0, "/other", "1"), 0);
	assert_true(LIST_FIRST(&domain_find(&store, 1)->conn->txs)->doomed);
	assert_null(LIST_FIRST(&domain_find(&store, 1)->conn->txs)->base);
	before = store_describe();
	store_restart();
	after = store_describe();
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_string_equal(client_read(d, tx, "/x"), "0");
	assert_int_equal(client_write(d, tx, "/x/z", "1"), 0);
	assert_int_equal(client_end(d, tx, true), -EAGAIN);
	assert_string_equal(client_read(c, 0, "/x/z"), "-ENOENT");
	assert_int_equal(client_write(c, mine, "/x", "2"), 0);
	assert_int_equal(client_end(c, mine, true), 0);
	client_free(c);
	client_free(d);
}

/* So many at once: each is served, a restart takes little time, and nothing is left when they have gone. */
static void a_thousand(void **state)
{
	struct client *c = client_socket(), *domains[1000];
	char path[64];
	uint64_t start;

	(void)state;
	for (uint16_t i = 0; i < 1000; i++) {
		domains[i] = client_domain((uint16_t)(i + 1));
		snprintf(path, sizeof(path), "/local/domain/%u", i + 1);
		client_strings(c, XS_MKDIR, 0, path, NULL);
		snprintf(path, sizeof(path), "n%u", i + 1);
		client_strings(c, XS_SET_PERMS, 0, "/local/domain/1", path, NULL);
		assert_int_equal(client_strings(domains[i], XS_WATCH, 0, "/common", "t", NULL), 0);
	}
	client_write(c, 0, "/common", "1");
	client_strings(c, XS_SET_PERMS, 0, "/common", "r0", NULL);
	start = time_ms();
	store_restart();
	assert_true(time_ms() - start < 1000);
	client_write(c, 0, "/common", "2");
	for (int i = 0; i < 1000; i++) {
		assert_string_equal(client_events(domains[i]), "/common t;/common t;/common t;");
		client_free(domains[i]);
	}
	for (uint16_t i = 0; i < 1000; i++)
		fake.state[i + 1] = HOST_ABSENT;
	domains_check(&store);
	assert_true(LIST_EMPTY(&store.domains));
	assert_int_equal(store.point_count, 0);
	for (uint32_t slot = 0, used = 0; slot < SLOT_COUNT; slot++) {
		used += !!store.conns[slot];
		assert_true(used <= 1);
	}
	client_free(c);
}

const struct CMUnitTest ring_tests[] = {
	TEST(positions), TEST(long_messages), TEST(bad_index), TEST(bad_length), TEST(reconnect), TEST(slow_guest), TEST(introduce),
	TEST(livelock), TEST(old_transaction),
	TEST(a_thousand),
};
const size_t ring_test_count = ARRAY_SIZE(ring_tests);
