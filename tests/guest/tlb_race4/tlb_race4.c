/* SPDX-License-Identifier: BSD-2-Clause */
/* Three vCPUs write to a page all the time while the fourth takes it away and makes it a table of each level. */
#include <guest/guest.h>

static u64 *victim;
static volatile u64 writes[4], faults;
static volatile bool stop;
static u64 counter;

static bool fault(struct trap_frame *f)
{
	if (vcpu_this()->id == 0)
		return false;
	__atomic_add_fetch(&faults, 1, __ATOMIC_SEQ_CST);
	f->rip += 3; /* the store below */
	return true;
}

/* Entries that are not present and name no frame: small even numbers. */
static void writer(void *arg)
{
	u64 self = (u64)arg;

	while (!stop) {
		u64 v = __atomic_add_fetch(&counter, 2, __ATOMIC_SEQ_CST) & 0xffe;

		__asm__ volatile("mov %0, (%1)" : : "r"(v), "r"(victim + self) : "memory");
		writes[self]++;
	}
}

/* They are through again. */
static bool moving(void)
{
	u64 before = READ_ONCE(victim[2]);

	return yield_until(READ_ONCE(victim[2]) != before, 10 * S);
}

static bool quiet(void)
{
	u64 before[4], count[4];
	unsigned int i;
	bool same = true;

	for (i = 1; i < 4; i++) {
		before[i] = READ_ONCE(victim[i]);
		count[i] = writes[i];
	}
	for (i = 1; i < 4; i++)
		expect(yield_until(writes[i] > count[i] + 3, 10 * S));
	for (i = 1; i < 4; i++)
		same &= READ_ONCE(victim[i]) == before[i];
	return same;
}

void guest_main(void)
{
	unsigned int i, level;

	test_begin("three writers");
	victim = page_alloc();
	trap_handler_set(TRAP_PAGE_FAULT, fault);
	for (i = 1; i < 4; i++)
		if (!require(vcpu_start(i, writer, (void *)(u64)i)))
			return;
	expect(moving());
	for (i = 0; i < 12; i++) {
		/* An L1 is written to for the guest when it has asked for that; this one has not. */
		level = 2 + i % 3;
		expect_eq(HYPERVISOR_update_va_mapping((u64)victim, mfn_pte(va_mfn(victim), PTE_READONLY), UVMF_NONE), 0);
		expect_eq(mmuext_mfn(MMUEXT_PIN_L1_TABLE + level - 1, va_mfn(victim)), 0);
		expect(quiet());
		expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(victim)), 0);
		expect_eq(HYPERVISOR_update_va_mapping((u64)victim, mfn_pte(va_mfn(victim), PTE_KERNEL), UVMF_TLB_FLUSH | UVMF_ALL), 0);
		/* An L4 has had entries of the hypervisor's. */
		memset(victim, 0, PAGE_SIZE);
		expect(moving());
	}
	expect(faults > 0);
	stop = true;
	for (i = 1; i < 4; i++)
		expect(yield_until(vcpu_is_up(i) == 0, 5 * S));
}
