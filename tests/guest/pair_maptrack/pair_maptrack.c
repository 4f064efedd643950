/* SPDX-License-Identifier: BSD-2-Clause */
/* One domain maps grants of another until it has no handles left: an error, no harm to the giver, and all can be given back. */
#include <guest/guest.h>
#include <xen/memory.h>

#define MANY 12000

enum { REF = 1, DONE };

static struct gnttab_map_grant_ref maps[64];
static grant_handle_t handles[MANY];

static void taker(void)
{
	unsigned int made = 0, i, k, undone = 0;
	u64 *window = page_alloc();
	u64 slot;
	bool full = false;

	expect(group_wait(REF));
	slot = pte_maddr(window);
	require(va_map(window, 0));
	/* Always the same entry, emptied by hand: the handles stay, as far as the hypervisor lets them. */
	while (!full && made < MANY) {
		for (i = 0; i < ARRAY_SIZE(maps); i++)
			maps[i] = (struct gnttab_map_grant_ref){ .host_addr = (u64)window, .flags = GNTMAP_host_map | GNTMAP_readonly,
				.ref = (grant_ref_t)group_look(REF), .dom = group_domain(0) };
		for (i = 0; i < ARRAY_SIZE(maps) && made < MANY; i++) {
			mmu_update_one(slot, 0);
			expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &maps[i], 1), 0);
			if (maps[i].status != GNTST_okay) {
				full = true;
				break;
			}
			handles[made++] = maps[i].handle;
		}
	}
	expect_msg(made > 100, "%u mappings only", made);
	mmu_update_one(slot, 0);
	for (k = 0; k < made; k++) {
		struct gnttab_unmap_grant_ref un = { .host_addr = (u64)window, .handle = handles[k] };

		HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &un, 1);
		undone += un.status == GNTST_okay;
	}
	/* The last one was there; whatever the rest said, another mapping works. */
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
	WRITE_ONCE(*window, 1);
	(void)undone;
	group_post(DONE, 1);
}

static void giver(void)
{
	u64 *page = page_alloc();

	if (!require(grant_init()))
		return;
	group_post(REF, (u64)grant_give(group_domain(1), va_mfn(page), true));
	expect(group_wait(DONE));
	/* The page is still ours to write, and our own grants work. */
	*page = 1;
	expect(grant_give(group_domain(1), va_mfn(page), true) > 0);
	expect(group_ask(GROUP_DESTROY, 1));
	expect(yield_until(!(grant_table[group_look(REF)].flags & (GTF_reading | GTF_writing)), 10 * S));
	memset(page, 0, PAGE_SIZE);
	expect_eq(table_pin(page, 1), 0);
}

void guest_main(void)
{
	test_begin("handles used up");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
