/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's state and the functions that its parts offer each other. A request passes through:
 *   conn.c     bytes -> request; room for the answer; the commit of what it did
 *   request.c  type -> handler; tx.c, watch.c, domain.c, control.c behind it
 *   state.c    the journal: records of requests, the description of the whole state, reading it back
 * When the journal is read, the same handlers run with replaying set: they change the same state and tell nobody.
 */
#ifndef XENSTORED_XS_H
#define XENSTORED_XS_H

#include <sys/queue.h>

#include <xen/io/xs_wire.h>

#include "host.h"
#include "journal.h"
#include "slots.h"
#include "tree.h"

#define DOMIDS	      0x7ff0u /* real domains have lower numbers */
#define DOMID_NONE    0xffffu
#define MESSAGE_BYTES (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)
#define SPECIAL_COUNT 2
#define SPECIAL_INTRODUCE 0
#define SPECIAL_RELEASE	  1
#define RING_FEATURES (XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR | 4u /* depth of watches */)

enum quota { QUOTA_NODES, QUOTA_WATCHES, QUOTA_TRANSACTIONS, QUOTA_NODE_SIZE, QUOTA_PERMISSIONS, QUOTA_TX_NODES, QUOTA_MEMORY,
	     QUOTA_OUTSTANDING, QUOTA_PATH_MAX, QUOTA_COUNT };
extern const char *const quota_names[QUOTA_COUNT];

struct xs;
struct conn;

/* What one owner has. */
struct account {
	uint16_t domid;
	int nodes;
	long bytes;
};

/* A ledger with accounts: of the live tree, or what a transaction would add to it. */
struct accounts {
	struct ledger ledger;
	struct account *entries;
	size_t count, room;
};

/* ---- Watches (watch.c) ---- */
struct watch_point; /* a path that somebody watches, or one above it */

struct watch {
	LIST_ENTRY(watch) in_point;
	TAILQ_ENTRY(watch) in_conn;
	struct watch_point *point;
	struct conn *conn;
	char *path; /* as the client gave it */
	char *token;
	int depth; /* -1: any */
	bool overflowed; /* events were left out: one for the path itself follows when there is room */
};

int watch_add(struct xs *xs, struct conn *conn, const char *path, const char *absolute, const char *token, int depth);
int watch_remove(struct xs *xs, struct conn *conn, const char *path, const char *token);
void watch_drop(struct xs *xs, struct watch *watch);
long watch_cost(const struct watch *watch);
/** The node at path was made, or its value or permissions changed. Either node may be NULL. */
void watch_fire(struct xs *xs, const char *path, struct node *before, struct node *after);
/** The node at path and all below it were removed. */
void watch_fire_removed(struct xs *xs, const char *path, struct node *before);
void watch_fire_special(struct xs *xs, unsigned int special, uint16_t domid);
/** The event that a new watch gets at once. */
void watch_fire_first(struct xs *xs, struct watch *watch);
void watch_points_free(struct xs *xs);
extern const char *const special_names[SPECIAL_COUNT];

/* ---- Transactions (tx.c) ---- */
struct tx {
	LIST_ENTRY(tx) in_conn;
	uint32_t id;
	bool doomed; /* will fail: what it has seen is not known any more */
	uint64_t start_generation;
	struct node *base; /* the tree at its start; NULL when doomed */
	struct node *root; /* and with its changes; when doomed: the live tree, during a request */
	struct accounts accounts;
	struct access *accesses; /* hash table of paths that it used */
	uint32_t access_count, access_mask;
	struct change *changes; /* in order */
	size_t change_count, change_room;
	long bytes; /* memory for accesses and changes */
};

#define ACCESS_VALUE	1u /* existence, value, permissions */
#define ACCESS_CHILDREN 2u /* names of children */
#define ACCESS_DEEP	4u /* everything below */

struct tx *tx_start(struct xs *xs, struct conn *conn, uint32_t id);
struct tx *tx_find(struct conn *conn, uint32_t id);
/** @return 0, or -EAGAIN, -ENOSPC: not done */
int tx_commit(struct xs *xs, struct conn *conn, struct tx *tx);
void tx_drop(struct tx *tx);
/** Let go of its snapshot; it goes on over the live tree, without effect, and fails at its end. */
void tx_doom(struct tx *tx);
/** Doom unprivileged transactions that have seen too many changes; call after each. */
void tx_age(struct xs *xs);
/** @return false if a transaction may not touch that many nodes. tx NULL: true */
bool tx_access(struct xs *xs, const struct conn *conn, struct tx *tx, const char *path, size_t bytes, uint32_t flags);
void tx_changed(struct tx *tx, const char *path, bool removed);
/** Remember an event to fire when the request is answered. NULL nodes are allowed. */
void fire_add(struct xs *xs, const char *path, struct node *before, struct node *after, bool removed);

/* ---- Connections (conn.c, ring.c, socket.c) ---- */
struct conn {
	TAILQ_ENTRY(conn) ready;
	LIST_ENTRY(conn) touched;
	uint32_t slot;
	int fd; /* of a socket, else -1 */
	uint64_t inode; /* of that */
	struct domain *domain; /* NULL: a socket */
	uint16_t domid;
	bool is_ready, is_touched;
	bool readable; /* the socket has something */
	bool ended; /* the socket's other side wrote its last */
	bool broken; /* no more reading and writing */
	uint32_t poll_events; /* what epoll watches */
	char *in, *out;
	uint32_t out_bytes;
	uint32_t out_tail; /* not committed until stored in the slot */
	uint32_t request_id; /* of the request that is carried out */
	TAILQ_HEAD(watch_list, watch) watches;
	uint32_t watch_count, overflow_count;
	long watch_bytes;
	LIST_HEAD(, tx) txs;
	uint32_t tx_count;
};

/** A connection over a slot. fresh: its streams start at these positions; else they are in the slot. */
struct conn *conn_new(struct xs *xs, uint32_t slot, uint16_t domid, bool fresh, uint32_t in, uint32_t out);
/** Watches and transactions go, the connection stays. */
void conn_reset(struct xs *xs, struct conn *conn);
/** Forget it: slot, watches, transactions, file. */
void conn_free(struct xs *xs, struct conn *conn);
/** It may have something to do. */
void conn_ready(struct xs *xs, struct conn *conn);
void conn_unready(struct xs *xs, struct conn *conn);
/** Do some of what it has to do. */
void conn_service(struct xs *xs, struct conn *conn);
/** Queue a watch event if there is room. */
bool conn_event(struct xs *xs, struct conn *conn, const char *path, const char *token);
struct slot *conn_slot(const struct xs *xs, const struct conn *conn);
bool conn_is_privileged(const struct xs *xs, const struct conn *conn);
/** May the client do this to a node? @param access PERM_* */
bool conn_may(const struct xs *xs, const struct conn *conn, const struct perms *perms, unsigned int access);
bool conn_owns(const struct xs *xs, const struct conn *conn, const struct perms *perms);
/** Make what was done by nobody's request (a domain's end, a closed socket) permanent. */
void event_commit(struct xs *xs, uint32_t kind, const void *data, size_t bytes);

/** Bytes that can be taken from the input. */
uint32_t conn_in_available(const struct xs *xs, const struct conn *conn);
uint32_t conn_out_free(const struct xs *xs, const struct conn *conn);

/** Move bytes between the shared page and the buffers. @return false if the guest broke the rules */
bool ring_transfer(struct xs *xs, struct conn *conn);

/** Read and write as far as possible without waiting. @return false if the connection is over */
bool socket_read(struct xs *xs, struct conn *conn);
bool socket_write(struct xs *xs, struct conn *conn);
void socket_poll_update(struct xs *xs, struct conn *conn);
/** Take a connected socket into service. @return 0 or -errno: it is still the caller's */
int socket_adopt(struct xs *xs, int fd);
void socket_accept(struct xs *xs, int listen_fd);
void socket_end(struct xs *xs, struct conn *conn);
/** What became of the transfer that was under way when the last worker died. */
void socket_inflight_resolve(struct xs *xs);

/* ---- Domains (domain.c) ---- */
struct domain {
	LIST_ENTRY(domain) list;
	uint16_t domid;
	uint16_t target; /* DOMID_NONE: none */
	bool shutdown_announced;
	uint8_t error; /* XENSTORE_ERROR_*: the ring is out of use */
	uint64_t gfn;
	uint32_t remote_port;
	int port; /* ours, 0: none */
	struct xenstore_domain_interface *ring;
	struct conn *conn;
};

struct domain *domain_find(const struct xs *xs, uint16_t domid);
int domain_introduce(struct xs *xs, uint16_t domid, uint64_t gfn, uint32_t port);
/** When the journal is read: make room in a slot. Whoever is there ended without a record, or has one now. */
void slot_evict(struct xs *xs, uint32_t slot);
int domain_release(struct xs *xs, uint16_t domid);
/** Look at all domains and announce what changed. */
void domains_check(struct xs *xs);
/** Disconnected and its nodes removed. */
void domain_gone(struct xs *xs, struct domain *domain);
void domain_shutdown(struct xs *xs, struct domain *domain);
void domain_connect(struct xs *xs, struct domain *domain);
void domain_fail(struct xs *xs, struct domain *domain, uint32_t error);
/** Start afresh because the guest asked for it. */
void ring_reset(struct xs *xs, struct domain *domain);

/* ---- Requests (request.c, control.c) ---- */
struct request {
	uint32_t type, tx_id, bytes;
	const char *data; /* with a '\0' behind */
	struct tx *tx;
	bool changed; /* must be in the journal */
};

/** Carry it out; the answer is in xs->reply. @return 0 or -errno */
int request_execute(struct xs *xs, struct conn *conn, struct request *request);
/** Fire what a request changed; after its answer was queued. */
void request_fire(struct xs *xs);
int control_execute(struct xs *xs, struct conn *conn, struct request *request);
void reply_set(struct xs *xs, const void *data, size_t bytes);
/** Remove the nodes of a domain that is no more, and its permissions elsewhere. */
void nodes_purge(struct xs *xs, uint16_t domid);
struct account *account_get(struct accounts *accounts, uint16_t domid);
int account_nodes(const struct accounts *accounts, uint16_t domid);
long account_bytes(const struct accounts *accounts, uint16_t domid);
void accounts_init(struct accounts *accounts);

/* ---- Journal (state.c) ---- */
enum record_kind {
	RECORD_REQUEST = 1,
	RECORD_SOCKET_OPEN,
	RECORD_SOCKET_CLOSE,
	RECORD_DOMAIN_SHUTDOWN,
	RECORD_DOMAIN_GONE,
	RECORD_DOMAIN_ERROR,
	RECORD_RING_RESET,
	RECORD_OWN_RING,
	/* Of the description at the beginning. */
	RECORD_GLOBAL = 32,
	RECORD_NODE,
	RECORD_SPECIAL,
	RECORD_DOMAIN,
	RECORD_SOCKET,
	RECORD_WATCH,
	RECORD_TX,
};

struct record_socket {
	uint32_t slot;
	int32_t fd;
	uint64_t inode;
};

/** Room for the record of any request. @return 0 or -ENOSPC */
int state_reserve(struct xs *xs);
/** Record a request or event and commit all connections that it touched. */
void state_record(struct xs *xs, uint32_t kind, const struct conn *conn, uint32_t in_done, const struct iovec *parts,
		  unsigned int count);
/** Begin a new journal if the old one has grown enough. */
void state_compact(struct xs *xs, bool force);
/** Read the journal. @return 0, or -ENOENT if there is nothing to start from */
int state_recover(struct xs *xs);
/** A new, empty state with its journal. */
int state_begin(struct xs *xs);

/* ---- All of it ---- */
struct fire { /* an event of the current request */
	char *path;
	struct node *before, *after;
	bool removed;
};

struct options {
	bool no_domain_init, no_fork, no_recovery, keep_orphans, verbose, output_pid, no_supervisor;
	const char *pid_file, *trace_file, *run_dir;
	uint16_t privileged_domid; /* another domain that may do everything; DOMID_NONE: none */
	uint64_t quota[QUOTA_COUNT];
};

struct xs {
	const struct options *options;
	struct host *host; /* NULL: no domains */
	struct node *root;
	struct perms *special[SPECIAL_COUNT];
	uint64_t generation;
	uint32_t next_tx;
	uint64_t quota[QUOTA_COUNT];
	struct accounts accounts;
	LIST_HEAD(, domain) domains;
	struct domain *domain_of[DOMIDS];
	struct domain *domain_of_port[1u << 17]; /* local event channels */
	struct conn *conns[SLOT_COUNT];
	uint32_t tx_open; /* transactions of all */
	uint64_t last_aging; /* generation of the last look at their age, in steps */
	struct watch_point **points; /* hash table */
	uint32_t point_count, point_mask;
	TAILQ_HEAD(, conn) ready;
	uint32_t ready_count;
	LIST_HEAD(, conn) touched;
	uint32_t touched_count;
	struct fire *fires;
	size_t fire_count, fire_room;
	uint32_t special_fired; /* bit 0, 1: fire them for special_domid */
	uint16_t special_domid;
	struct watch *new_watch; /* which fires once */
	char reply[XENSTORE_PAYLOAD_MAX];
	uint32_t reply_bytes;
	char scratch[MESSAGE_BYTES + 1];
	bool replaying;
	bool trace; /* every request goes to the log */
	uint32_t introduced_slot; /* which the current request gave to a domain, or gave when it is read from the journal */
	struct slots slots;
	struct journal journal;
	char *journal_path;
	/* After a privileged transaction failed, other domains wait until it had another chance. */
	const struct conn *hold_for;
	uint64_t hold_until;
	uint64_t read_total, write_total; /* as /proc/self/io counts */
	int epoll_fd;
	bool stop, orphaned; /* SIGTERM came; the supervisor died */
	struct word *words; /* of the record that is made */
	size_t word_room;
	uint64_t requests, conflicts;
	uint64_t compact_after; /* after a failure: not before the journal has grown so far */
	bool slots_lost; /* the slots are not those of the journal: streams start at what the rings say */
};

void xs_init(struct xs *xs, const struct options *options, struct host *host);
/** Free the memory; what is open stays open. */
void xs_destroy(struct xs *xs);
/** Recover or begin in options->run_dir; slots must be open. @return 0 or -errno */
int xs_start(struct xs *xs);
/** One turn of the main loop; waits up to timeout ms if nothing is ready. */
void xs_turn(struct xs *xs, int listen_fd, int signal_fd, int timeout);
/** What epoll's data says beside slots. */
#define POLL_LISTEN 0x10000u
#define POLL_SIGNAL 0x10001u
#define POLL_HOST   0x10002u

/** Bytes that log_line gave to write(). */
extern uint64_t log_bytes;
/** Where log_line writes: a file, or -1 for the system's log. */
extern int log_fd;
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
