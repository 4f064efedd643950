/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0 copies a running domain of 8 vCPUs as a migration does: all pages, then again and again those that the log has, the last
 * time with the domain paused. Then every page of the copy is as in the domain. With a pool of mirrors that is large enough, and with one
 * that is used up all the time.
 */
#include <guest/domain.h>
#include <guest/guest.h>

#define VCPUS	   8
#define PAGES	   2048
#define OWN_PAGES  12
#define ROUNDS	   25
#define POOL_SMALL 4 /* a root, and the tables for one stretch of 2 MiB */

/* --- the domain --- */

/* At the same place in dom0's image, so it knows where to look. */
static volatile u64 progress[VCPUS] PAGE_ALIGNED;

struct own {
	u64 *page[OWN_PAGES];
};
static struct own own[VCPUS];

static void table_use(u64 *page, u64 *other)
{
	page[5] = mfn_pte(va_mfn(other), PTE_KERNEL);
	if (!table_pin(page, 1)) {
		mmu_update_one((va_mfn(page) << PAGE_SHIFT) + 8 * 7, mfn_pte(va_mfn(other), PTE_READONLY));
		table_unpin(page);
	}
	page[5] = page[7] = 0;
}

static void work(void *arg)
{
	unsigned int id = (unsigned int)(u64)arg;
	u64 seed = id + 1;

	for (;;) {
		u64 *page;

		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		page = own[id].page[seed >> 33 & 7];
		page[seed >> 40 & 511] = seed;
		if ((seed >> 50 & 15) == 0) {
			page_protect(page, false);
			page_protect(page, true);
		}
		if ((seed >> 50 & 63) == 1)
			table_use(own[id].page[8], own[id].page[9]);
		/* An entry that is neither accessed nor dirty. */
		if ((seed >> 50 & 63) == 2) {
			va_map(own[id].page[10], mfn_pte(va_mfn(own[id].page[10]), PTE_P | PTE_RW));
			own[id].page[10][seed >> 40 & 511] = seed;
		}
		progress[id]++;
	}
}

static void domain_main(void)
{
	unsigned int i, k;

	for (i = 0; i < VCPUS; i++)
		for (k = 0; k < OWN_PAGES; k++)
			own[i].page[k] = page_alloc();
	for (i = 1; i < VCPUS; i++)
		if (vcpu_start(i, work, (void *)(u64)i))
			guest_panic("vCPU %u", i);
	work(NULL);
}

/* --- dom0 --- */

static struct domain d;
static struct xen_domctl op;
static u64 copy[PAGES]; /* what stands for the copy: a sum of each page */
static u8 bits[PAGES / 8] PAGE_ALIGNED;
static void *view;

static long shadow(u32 cmd, u32 mode)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.shadow_op.op = cmd;
	op.u.shadow_op.mode = mode;
	op.u.shadow_op.pages = PAGES;
	set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, bits);
	return domain_control(XEN_DOMCTL_shadow_op, d.id, &op);
}

static long pool_set(u64 pages)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.paging_mempool.size = pages * PAGE_SIZE;
	return domain_control(XEN_DOMCTL_set_paging_mempool_size, d.id, &op);
}

/* Read-only: a page that dom0 could write counts as dirty. */
static const u8 *page_view(unsigned int pfn)
{
	return window_open(view, d.id, d.frames[pfn], PTE_READONLY) ? NULL : view;
}

static u64 page_sum(unsigned int pfn)
{
	const volatile u64 *p = (const volatile u64 *)page_view(pfn);
	u64 sum = pfn;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*p); i++)
		sum = (sum ^ p[i]) * 0x100000001b3UL + (sum >> 29);
	return sum;
}

static unsigned int pages_copy(bool all)
{
	unsigned int pfn, n = 0;

	for (pfn = 0; pfn < PAGES; pfn++)
		if (all || bits[pfn / 8] >> (pfn % 8) & 1) {
			copy[pfn] = page_sum(pfn);
			n++;
		}
	return n;
}

static unsigned int pages_differ(void)
{
	unsigned int pfn, n = 0;

	for (pfn = 0; pfn < PAGES; pfn++)
		if (copy[pfn] != page_sum(pfn)) {
			if (n++ < 5)
				print("page %u differs\n", pfn);
		}
	return n;
}

/* What the vCPUs have done so far, in all; those that have done nothing since the last time are counted in *idle. */
static u64 progress_look(unsigned int *idle)
{
	static u64 before[VCPUS];
	const volatile u64 *p = (const volatile u64 *)page_view((unsigned int)va_pfn((const void *)progress));
	u64 sum = 0;
	unsigned int i;

	*idle = 0;
	for (i = 0; i < VCPUS; i++) {
		*idle += p[i] == before[i];
		before[i] = p[i];
		sum += p[i];
	}
	return sum;
}

static bool progress_wait(void)
{
	unsigned int idle;
	u64 end = time_now() + 20 * S;

	progress_look(&idle);
	do {
		time_spin(20 * MS);
		progress_look(&idle);
	} while (idle && time_now() < end);
	return idle == 0;
}

static void migrate(const char *name, bool tracked)
{
	unsigned int round, least = PAGES, n;

	test_begin(name);
	if (!expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), 0))
		return;
	pages_copy(true);
	for (round = 0; round < ROUNDS; round++) {
		expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_CLEAN, 0), 0);
		n = pages_copy(false);
		least = n < least ? n : least;
		time_spin(MS);
	}
	expect(progress_wait());
	expect_eq(domain_control(XEN_DOMCTL_pausedomain, d.id, &op), 0);
	expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL), 0);
	n = pages_copy(false);
	print("%u pages at least in a round, %u in the last, %u faults\n", least, n, op.u.shadow_op.stats.fault_count);
	expect_eq(pages_differ(), 0);
	if (tracked)
		expect(n < PAGES / 2);
	/* Nothing runs: nothing is written. */
	expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_PEEK, 0), 0);
	expect_eq(op.u.shadow_op.stats.dirty_count, 0);
	expect_eq(domain_control(XEN_DOMCTL_unpausedomain, d.id, &op), 0);
	expect(progress_wait());
	expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	expect(progress_wait());
}

static bool domain_make(void)
{
	struct domain_config config = { .vcpus = VCPUS, .pages = PAGES };
	const void *image;
	size_t size;

	image = boot_module(&size);
	if (!image) {
		test_error("no image to make a domain of");
		return false;
	}
	return require(domain_create(&d, &config)) && require(domain_load(&d, image, size, "")) && require(domain_start(&d));
}

void guest_main(void)
{
	u64 before;

	if (!(start_info->flags & SIF_PRIVILEGED)) {
		domain_main();
		return;
	}
	test_begin("who may be logged");
	d.id = 0;
	expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), -XEN_EINVAL);
	d.id = DOMID_SELF;
	expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), -XEN_EINVAL);
	d.id = 999;
	expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), -XEN_ESRCH);
	view = page_alloc();
	before = free_pages();
	if (!domain_make() || !expect(progress_wait()))
		return;
	migrate("a copy of a running domain", true);
	migrate("... and again", true);
	expect_eq(pool_set(POOL_SMALL), 0);
	migrate("with few pages for mirrors", false);
	expect_eq(pool_set(0), 0);
	test_begin("a domain that is logged goes");
	expect_eq(shadow(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), 0);
	expect(progress_wait());
	window_close(view);
	expect_eq(domain_destroy(&d), 0);
	expect(spin_until(free_pages() == before, 2 * S));
}
