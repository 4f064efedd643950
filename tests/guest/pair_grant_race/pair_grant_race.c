/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vCPUs map, copy and unmap grants while the giver's two vCPUs revoke and change them: counts come out right. */
#include <guest/guest.h>

#define REFS   8
#define ROUNDS 300

enum { FIRST = 1, READY = FIRST + REFS, STOP, DONE };

static u64 *pages[REFS], *windows[2];
static volatile unsigned int second_done, running;

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void take(unsigned int self)
{
	u64 state = 77 + self;
	unsigned int i, good = 0;

	for (i = 0; i < ROUNDS; i++) {
		grant_ref_t ref = (grant_ref_t)group_look(FIRST + any(&state) % REFS);
		grant_handle_t handle;

		if (any(&state) % 4 == 0) {
			struct gnttab_copy op = {
				.source = { .u.ref = ref, .domid = group_domain(0) },
				.dest = { .u.gmfn = va_mfn(windows[self]), .domid = DOMID_SELF },
				.len = 64,
				.flags = GNTCOPY_source_gref,
			};

			HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
			continue;
		}
		if (grant_map(group_domain(0), ref, windows[self], any(&state) & 1, &handle) != GNTST_okay)
			continue;
		good++;
		(void)READ_ONCE(*windows[self]);
		expect_eq(grant_unmap(windows[self], handle), 0);
	}
	expect_msg(good > 5, "%u mappings", good);
}

static void give(unsigned int self)
{
	u64 state = 99 + self;

	while (!group_look(STOP)) {
		unsigned int i = (unsigned int)(any(&state) % REFS);
		grant_ref_t ref = (grant_ref_t)group_look(FIRST + i);

		if (grant_take_back(ref)) {
			grant_table[ref].frame = (u32)va_mfn(pages[any(&state) % REFS]);
			__asm__ volatile("" ::: "memory");
			grant_table[ref].flags = GTF_permit_access | (any(&state) & 1 ? GTF_readonly : 0);
		}
		if (any(&state) % 16 == 0)
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
}

static void second(void *arg)
{
	(void)arg;
	running = 1;
	if (group_role() == 0)
		give(1);
	else
		take(1);
	second_done = 1;
}

static void giver(void)
{
	unsigned int i;

	if (!require(grant_init()))
		return;
	for (i = 0; i < REFS; i++) {
		pages[i] = page_alloc();
		group_post(FIRST + i, (u64)grant_give(group_domain(1), va_mfn(pages[i]), false));
	}
	require(vcpu_start(1, second, NULL));
	group_post(READY, 1);
	give(0);
	expect(yield_until(second_done, 10 * S));
	test_begin("every page afterwards");
	for (i = 0; i < REFS; i++)
		expect(grant_take_back((grant_ref_t)group_look(FIRST + i)));
	for (i = 0; i < REFS; i++) {
		memset(pages[i], 0, PAGE_SIZE);
		expect_eq(table_pin(pages[i], 1), 0);
		expect_eq(table_unpin(pages[i]), 0);
	}
}

static void taker(void)
{
	windows[0] = page_alloc();
	windows[1] = page_alloc();
	expect(group_wait(READY));
	require(vcpu_start(1, second, NULL));
	expect(yield_until(running, 5 * S));
	take(0);
	expect(yield_until(second_done, 25 * S));
	group_post(STOP, 1);
}

void guest_main(void)
{
	test_begin("a race");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
