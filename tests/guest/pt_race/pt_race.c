/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vCPUs change the same page tables at once: counts come out right, so that every page can become anything afterwards. */
#include <guest/guest.h>

#define PAGES 4
#define ROUNDS 1000

static u64 *target[PAGES], *slot[PAGES], *table;
static volatile unsigned int running, done;
static volatile u64 made[2];

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(unsigned int self)
{
	u64 state = 12345 + self;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		unsigned int s = (unsigned int)(any(&state) % PAGES), t = (unsigned int)(any(&state) % PAGES);
		u64 pte = mfn_pte(va_mfn(target[t]), any(&state) % 2 ? PTE_KERNEL : PTE_READONLY);
		int ret = 0;

		switch (any(&state) % 5) {
		case 0:
			ret = mmu_update_one(pte_maddr(slot[s]), pte);
			break;
		case 1:
			ret = mmu_update_one(pte_maddr(slot[s]) | MMU_PT_UPDATE_PRESERVE_AD, pte);
			break;
		case 2:
			ret = va_map(slot[s], 0);
			break;
		case 3:
			ret = va_map(slot[s], pte);
			break;
		default:
			/* Both pin, use and unpin one table; only one of them can. */
			if (mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(table)) == 0) {
				mmu_update_one(entry_maddr(table + s), pte);
				ret = mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(table));
			} else {
				mmu_update_one(entry_maddr(table + t), pte);
			}
			break;
		}
		made[self] += ret == 0;
	}
}

static void second(void *arg)
{
	(void)arg;
	running = 1;
	work(1);
	done = 1;
}

void guest_main(void)
{
	unsigned int i;

	test_begin("two vCPUs on one page table");
	if (vcpus_max() < 2) {
		test_skip("there is one vCPU");
		return;
	}
	table = page_alloc();
	require(page_protect(table, false));
	for (i = 0; i < PAGES; i++) {
		target[i] = page_alloc();
		slot[i] = page_alloc();
	}
	if (!require(vcpu_start(1, second, NULL)) || !expect(spin_until(running, 5 * S)))
		return;
	work(0);
	expect(spin_until(done, 30 * S));
	expect(made[0] > ROUNDS / 2);
	expect(made[1] > ROUNDS / 2);

	test_begin("every page afterwards");
	for (i = 0; i < PAGES; i++)
		expect_eq(va_map(slot[i], mfn_pte(va_mfn(slot[i]), PTE_KERNEL)), 0);
	/* Not pinned, not referred to, valid or not: it becomes an ordinary page. */
	mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(table));
	expect_eq(page_protect(table, true), 0);
	memset(table, 0, PAGE_SIZE);
	for (i = 0; i < PAGES; i++) {
		memset(target[i], 0, PAGE_SIZE);
		/* A writable reference too many, and it could not become a table. */
		expect_eq(table_pin(target[i], 1), 0);
		expect_eq(table_unpin(target[i]), 0);
		memset(slot[i], 0, PAGE_SIZE);
		expect_eq(table_pin(slot[i], 2), 0);
		expect_eq(table_unpin(slot[i]), 0);
	}
}
