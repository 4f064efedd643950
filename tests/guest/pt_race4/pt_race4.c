/* SPDX-License-Identifier: BSD-2-Clause */
/* Four vCPUs on the same tables of three levels: entries, pins, unpins and stores of all of them at once. */
#include <guest/guest.h>

#define ROUNDS 400
#define PAGES  6

static u64 *l1[2], *l2, *l3, *target[PAGES], *slot[PAGES];
static volatile unsigned int ended;
static volatile u64 good;

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(void *arg)
{
	u64 state = 4711 + (u64)arg;
	unsigned int i, n = 0;

	for (i = 0; i < ROUNDS; i++) {
		u64 a = any(&state) % PAGES, b = any(&state) % PAGES, one = any(&state) % 2;
		u64 pte = mfn_pte(va_mfn(target[a]), any(&state) & 1 ? PTE_KERNEL : PTE_READONLY);

		switch (any(&state) % 9) {
		case 0:
			n += mmuext_mfn(MMUEXT_PIN_L3_TABLE, va_mfn(l3)) == 0;
			break;
		case 1:
			n += mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(any(&state) & 1 ? l3 : l2)) == 0;
			break;
		case 2:
			n += mmuext_mfn(MMUEXT_PIN_L2_TABLE, va_mfn(l2)) == 0;
			break;
		case 3:
			n += mmu_update_one(entry_maddr(l2 + one), mfn_pte(va_mfn(l1[any(&state) % 2]), PTE_TABLE)) == 0;
			break;
		case 4:
			n += mmu_update_one(entry_maddr(l2 + one), 0) == 0;
			break;
		case 5:
			n += mmu_update_one(entry_maddr(l1[one] + b), pte) == 0;
			break;
		case 6:
			n += mmu_update_one(entry_maddr(l3 + b), any(&state) & 1 ? mfn_pte(va_mfn(l2), PTE_TABLE) : 0) == 0;
			break;
		case 7:
			n += va_map(slot[b], pte) == 0;
			break;
		default:
			mmuext_mfn(MMUEXT_PIN_L1_TABLE + (unsigned int)any(&state) % 4, va_mfn(target[a]));
			mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(target[a]));
			break;
		}
	}
	__atomic_add_fetch(&good, n, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

static void plain(u64 *page)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(page));
}

void guest_main(void)
{
	unsigned int i;

	test_begin("four vCPUs");
	l1[0] = page_alloc();
	l1[1] = page_alloc();
	l2 = page_alloc();
	l3 = page_alloc();
	for (i = 0; i < PAGES; i++) {
		target[i] = page_alloc();
		slot[i] = page_alloc();
	}
	require(page_protect(l1[0], false));
	require(page_protect(l1[1], false));
	require(page_protect(l2, false));
	require(page_protect(l3, false));
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, work, (void *)(u64)i));
	work(NULL);
	expect(yield_until(ended == 4, 25 * S));
	expect_msg(good > ROUNDS / 2, "%lu operations went well", good);

	test_begin("every page afterwards");
	for (i = 0; i < PAGES; i++)
		expect_eq(va_map(slot[i], mfn_pte(va_mfn(slot[i]), PTE_KERNEL)), 0);
	plain(l3);
	plain(l2);
	for (i = 0; i < PAGES; i++)
		plain(target[i]);
	expect_eq(page_protect(l3, true), 0);
	expect_eq(page_protect(l2, true), 0);
	expect_eq(page_protect(l1[0], true), 0);
	expect_eq(page_protect(l1[1], true), 0);
	memset(l3, 0, PAGE_SIZE);
	memset(l2, 0, PAGE_SIZE);
	for (i = 0; i < 2; i++)
		memset(l1[i], 0, PAGE_SIZE);
	for (i = 0; i < PAGES; i++) {
		memset(target[i], 0, PAGE_SIZE);
		expect_eq(table_pin(target[i], 1), 0);
		expect_eq(table_unpin(target[i]), 0);
	}
}
