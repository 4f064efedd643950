/* SPDX-License-Identifier: BSD-2-Clause */
/* Four vCPUs map grants to themselves, switch the version of the table, make it grow, and change entries. */
#include <guest/guest.h>

#define ROUNDS 50

static volatile unsigned int ended;
static volatile u64 mapped;
static u64 *pages[4], *windows[4];

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(void *arg)
{
	u64 self = (u64)arg, state = 5 + self;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		grant_ref_t ref = 16 + (grant_ref_t)(any(&state) % 4);
		grant_handle_t handle;
		xen_pfn_t frames[8];
		struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 + (u32)(any(&state) % 8) };
		struct gnttab_swap_grant_ref swap = { .ref_a = ref, .ref_b = 16 + (grant_ref_t)(any(&state) % 4) };

		switch (any(&state) % 8) {
		case 0:
			HYPERVISOR_grant_table_op(GNTTABOP_set_version, &(struct gnttab_set_version){ .version = 1 }, 1);
			break;
		case 1:
			set_xen_guest_handle(setup.frame_list, frames);
			HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1);
			break;
		case 2:
			grant_table[ref].flags = any(&state) & 1 ? GTF_permit_access : 0;
			break;
		case 3:
			HYPERVISOR_grant_table_op(GNTTABOP_swap_grant_ref, &swap, 1);
			break;
		default:
			if (grant_map(group_domain(0), ref, windows[self], any(&state) & 1, &handle) != GNTST_okay)
				break;
			__atomic_add_fetch(&mapped, 1, __ATOMIC_SEQ_CST);
			expect_eq(grant_unmap(windows[self], handle), 0);
			break;
		}
	}
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

void guest_main(void)
{
	unsigned int i;

	test_begin("four vCPUs");
	if (!require(grant_init()))
		return;
	for (i = 0; i < 4; i++) {
		pages[i] = page_alloc();
		windows[i] = page_alloc();
		grant_table[16 + i].domid = group_domain(0);
		grant_table[16 + i].frame = (u32)va_mfn(pages[i]);
		grant_table[16 + i].flags = GTF_permit_access;
	}
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, work, (void *)(u64)i));
	work(NULL);
	expect(yield_until(ended == 4, 25 * S));
	expect_msg(mapped > 5, "%lu mappings", mapped);
	test_begin("afterwards");
	for (i = 0; i < 4; i++) {
		expect(!(grant_table[16 + i].flags & (GTF_reading | GTF_writing)));
		grant_table[16 + i].flags = 0;
		memset(pages[i], 0, PAGE_SIZE);
		expect_eq(table_pin(pages[i], 1), 0);
		expect_eq(table_unpin(pages[i]), 0);
	}
}
