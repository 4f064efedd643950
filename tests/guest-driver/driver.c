/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dom0 that runs test kernels as domains, one test after the other. Its module is a cpio archive of a file "plan" and
 * the kernels. It prints "begin NAME", what the test prints, and "end NAME VERDICT"; a test that leaves fewer pages free
 * than it found has leaked.
 */
#include "plan.h"
#include <guest/domain.h>
#include <guest/guest.h>

#define LINE 200

/* Worst last. */
enum verdict { SUCCESS, SKIP, ERROR, FAILURE, CRASH, LATE, LEAK };
static const char *const names[] = { "success", "skip", "error", "failure", "crash", "no end", "leak" };

static struct member {
	struct domain d;
	bool alive, verdict_seen;
	grant_ref_t ref;
	char line[LINE];
	size_t len;
} members[GROUP_MAX];
static enum verdict worst;
static u64 *board;

/* Events have nothing to say but that there is something to look at. */
static void woken(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
}

static void worsen(enum verdict v)
{
	if (v > worst)
		worst = v;
}

static void line_take(const struct test_plan *t, struct member *m)
{
	static const char mark[] = "result: ";
	unsigned int v;

	m->line[m->len] = 0;
	if (t->domains > 1)
		print("%s/%u: %s\n", t->name, (unsigned int)(m - members), m->line);
	else
		print("%s: %s\n", t->name, m->line);
	m->len = 0;
	if (memcmp(m->line, mark, sizeof(mark) - 1) != 0)
		return;
	for (v = SUCCESS; v <= FAILURE; v++)
		if (memcmp(m->line + sizeof(mark) - 1, names[v], strlen(names[v])) == 0) {
			m->verdict_seen = true;
			worsen(v);
		}
}

static void console_take(const struct test_plan *t, struct member *m)
{
	static char text[2048];
	size_t n, i;

	while ((n = domain_console_read(&m->d, text, sizeof(text))) > 0)
		for (i = 0; i < n; i++) {
			if (text[i] != '\n' && m->len < LINE - 1)
				m->line[m->len++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : ' ';
			if (text[i] == '\n' || m->len == LINE - 1)
				line_take(t, m);
		}
}

static void member_end(const struct test_plan *t, struct member *m)
{
	if (!m->alive)
		return;
	console_take(t, m);
	if (m->len)
		line_take(t, m);
	m->alive = false;
	if (domain_destroy(&m->d))
		worsen(ERROR);
}

static bool member_start(const struct test_plan *t, unsigned int i, const char *ids, const char *refs)
{
	static char cmdline[512];

	format(cmdline, sizeof(cmdline), "test=%s role=%u size=%u ids=%s board=%s %s", t->name, i, t->domains, ids, refs, t->args);
	return domain_load(&members[i].d, t->kernel, t->kernel_size, cmdline) == 0;
}

static bool members_make(const struct test_plan *t)
{
	static char ids[64], refs[64];
	unsigned int i;
	int ret;

	ids[0] = refs[0] = 0;
	for (i = 0; i < t->domains; i++) {
		struct member *m = &members[i];
		struct domain_config config = { .vcpus = t->vcpus, .pages = t->pages };

		m->len = 0;
		m->verdict_seen = false;
		ret = domain_create(&m->d, &config);
		if (ret) {
			print("%s: domain %u cannot be made: %d\n", t->name, i, ret);
			return false;
		}
		m->alive = true;
		m->ref = (grant_ref_t)grant_give(m->d.id, va_mfn(board), false);
		format(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s%u", i ? "," : "", m->d.id);
		format(refs + strlen(refs), sizeof(refs) - strlen(refs), "%s%u", i ? "," : "", m->ref);
	}
	for (i = 0; i < t->domains; i++)
		if (!member_start(t, i, ids, refs)) {
			print("%s: domain %u cannot be loaded\n", t->name, i);
			return false;
		}
	for (i = 0; i < t->domains; i++) {
		event_handler_set(members[i].d.console_port, woken, NULL);
		event_unmask(members[i].d.console_port);
		ret = t->pin ? domain_pin(&members[i].d, 1) : 0;
		ret = ret ? ret : domain_start(&members[i].d);
		if (ret) {
			print("%s: domain %u does not start: %d\n", t->name, i, ret);
			return false;
		}
	}
	return true;
}

/* What the group asks for: to end, pause or resume one of its domains. */
static void request_take(const struct test_plan *t)
{
	static struct xen_domctl op;
	u64 request = READ_ONCE(board[GROUP_REQUEST]);
	unsigned int role = (unsigned int)(request >> 8 & 0xff);
	struct member *m = &members[role];

	if (!request || role >= t->domains)
		return;
	if ((request & 0xff) == GROUP_DESTROY) {
		/* No verdict is asked of one that is killed. */
		m->verdict_seen = true;
		member_end(t, m);
	} else if (m->alive && (request & 0xff) == GROUP_PAUSE) {
		domain_control(XEN_DOMCTL_pausedomain, m->d.id, &op);
	} else if (m->alive && (request & 0xff) == GROUP_UNPAUSE) {
		domain_control(XEN_DOMCTL_unpausedomain, m->d.id, &op);
	}
	WRITE_ONCE(board[GROUP_REQUEST], 0);
}

static bool members_look(const struct test_plan *t)
{
	bool alive = false;
	unsigned int i;

	request_take(t);
	for (i = 0; i < t->domains; i++) {
		struct member *m = &members[i];
		u32 state;

		if (!m->alive)
			continue;
		console_take(t, m);
		state = domain_state(m->d.id);
		if (!(state & (XEN_DOMINF_shutdown | XEN_DOMINF_dying))) {
			alive = true;
			continue;
		}
		member_end(t, m);
		if (!m->verdict_seen && !(t->mortal && i > 0)) {
			print("%s: domain %u ended without a verdict, reason %u\n", t->name, i,
			      domain_shutdown_reason(state));
			worsen(CRASH);
		}
	}
	return alive;
}

static void rest(u64 ns)
{
	u64 end = time_now() + ns;

	upcalls_mask();
	timer_set(end);
	HYPERVISOR_sched_op(SCHEDOP_block, NULL);
	upcalls_unmask();
}

static bool members_gone(const struct test_plan *t)
{
	unsigned int i;

	for (i = 0; i < t->domains; i++)
		if (members[i].d.id && domain_exists(members[i].d.id))
			return false;
	return true;
}

/* Returns whether memory or domains were left over. */
static bool test_once(const struct test_plan *t)
{
	u64 before = free_pages(), end = time_now() + t->seconds * S;
	unsigned int i;
	bool lost = false;

	memset(board, 0, PAGE_SIZE);
	for (i = 0; i < GROUP_MAX; i++)
		members[i].d.id = 0;
	if (!members_make(t))
		worsen(ERROR);
	else
		while (members_look(t)) {
			if (time_now() > end) {
				worsen(LATE);
				break;
			}
			rest(5 * MS);
		}
	for (i = 0; i < t->domains; i++)
		member_end(t, &members[i]);
	for (end = time_now() + 2 * S; time_now() < end && (!members_gone(t) || free_pages() < before);)
		rest(1 * MS);
	for (i = 0; i < t->domains; i++)
		lost |= members[i].d.id && !grant_take_back(members[i].ref);
	if (lost || !members_gone(t) || free_pages() < before) {
		lost = true;
		print("%s: %lu pages free before, %lu after, domains %s\n", t->name, before, free_pages(),
		      members_gone(t) ? "gone" : "still there");
	}
	return lost;
}

static void test_run(const struct test_plan *t)
{
	u64 begin = time_now();

	print("begin %s\n", t->name);
	worst = SUCCESS;
	/* The first time a thing is done, the hypervisor may keep memory for the next; a leak is there every time. */
	if (test_once(t) && worst <= SKIP && test_once(t) && test_once(t))
		worsen(LEAK);
	print("end %s %s (%lu ms)\n", t->name, names[worst], (time_now() - begin) / MS);
}

static bool virq_listen(unsigned int virq)
{
	int port = event_bind_virq(virq, 0);

	if (port < 0)
		return false;
	event_handler_set((evtchn_port_t)port, woken, NULL);
	event_unmask((evtchn_port_t)port);
	return true;
}

void guest_main(void)
{
	struct test_plan t;

	/* VIRQ_DOM_EXC: a domain has ended. */
	if (!virq_listen(VIRQ_TIMER) || !virq_listen(VIRQ_DOM_EXC) || grant_init())
		guest_panic("driver: no virtual interrupts or no grants\n");
	board = page_alloc();
	if (!plan_open())
		guest_panic("driver: no plan\n");
	/* A hypervisor may keep some memory of its own when it has made its first domain. */
	if (domain_create(&members[0].d, &(struct domain_config){ .pages = 16 }) || domain_destroy(&members[0].d))
		guest_panic("driver: cannot make domains\n");
	while (plan_next(&t))
		test_run(&t);
	print("all tests done\n");
	guest_shutdown(SHUTDOWN_poweroff);
}
