/* SPDX-License-Identifier: BSD-2-Clause */
/* Four vCPUs set and drop descriptor tables, change descriptors and make the page writable: never a gate, never a writable table. */
#include <guest/guest.h>

#define ROUNDS 120
#define DATA3  0x00cff3000000ffffUL
#define GATE   0x0000ee0000080000UL

static u64 *page;
static volatile unsigned int ended, gates;

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(void *arg)
{
	u64 state = 31 + (u64)arg, maddr = va_mfn(page) << PAGE_SHIFT;
	xen_pfn_t frame = va_mfn(page);
	unsigned int i;
	bool mine = false;

	for (i = 0; i < ROUNDS; i++) {
		switch (any(&state) % 6) {
		case 0:
			mine = HYPERVISOR_set_gdt(&frame, 512) == 0 || mine;
			break;
		case 1:
			HYPERVISOR_set_gdt(&frame, 0);
			mine = false;
			break;
		case 2:
			HYPERVISOR_update_descriptor(maddr + 8 * (1 + any(&state) % 8), DATA3);
			break;
		case 3:
			HYPERVISOR_update_descriptor(maddr + 8 * (1 + any(&state) % 8), GATE);
			break;
		case 4:
			/* While this vCPU has it as a table, nobody can make it writable. */
			if (page_protect(page, true) == 0) {
				gates += mine;
				page_protect(page, false);
			}
			break;
		default:
			mmuext_mfn(MMUEXT_PIN_L2_TABLE, frame);
			mmuext_mfn(MMUEXT_UNPIN_TABLE, frame);
			break;
		}
		if (mine)
			gates += (READ_ONCE(page[1 + i % 8]) >> 40 & 0x1f) == 0x0e && (READ_ONCE(page[1 + i % 8]) >> 47 & 1);
	}
	HYPERVISOR_set_gdt(&frame, 0);
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

void guest_main(void)
{
	unsigned int i;

	test_begin("four vCPUs and one page of descriptors");
	page = page_alloc();
	require(page_protect(page, false));
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, work, (void *)(u64)i));
	work(NULL);
	expect(yield_until(ended == 4, 20 * S));
	expect_eq(gates, 0);
	test_begin("afterwards");
	expect_eq(page_protect(page, true), 0);
	memset(page, 0, PAGE_SIZE);
	expect_eq(table_pin(page, 1), 0);
	expect_eq(table_unpin(page), 0);
}
