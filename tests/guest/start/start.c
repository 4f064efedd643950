/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel finds when it starts: start_info, the P2M and M2P, the first mapping, the shared page. */
#include <guest/guest.h>

static void test_start_info(void)
{
	test_begin("start_info");
	expect(memcmp(start_info->magic, "xen-3.0-x86_64", 14) == 0);
	expect(start_info->nr_pages > 256);
	expect((start_info->shared_info & ~PAGE_MASK) == 0);
	expect((start_info->pt_base & ~PAGE_MASK) == 0);
	expect(start_info->pt_base > VIRT_BASE);
	expect(start_info->nr_pt_frames >= 4);
	if (start_info->flags & SIF_INITDOMAIN)
		expect(start_info->flags & SIF_PRIVILEGED);
}

static void test_p2m(void)
{
	unsigned long pfn, bad = 0;

	test_begin("p2m and m2p");
	for (pfn = 0; pfn < start_info->nr_pages; pfn++)
		if (mfn_pfn(pfn_mfn(pfn)) != pfn && bad++ < 3)
			print("pfn %lx -> mfn %lx -> pfn %lx\n", pfn, pfn_mfn(pfn), mfn_pfn(pfn_mfn(pfn)));
	expect_eq(bad, 0);
}

/* Every page of the first region maps its own frame; page tables are read-only, the rest writable. */
static void test_mapping(void)
{
	u64 tables = va_pfn((void *)start_info->pt_base);
	unsigned long pfn, wrong = 0, writable = 0;
	const u64 *entry;

	test_begin("first mapping");
	for (pfn = 0; (entry = pte_find(pfn_va(pfn))) && (*entry & PTE_P); pfn++) {
		bool table = pfn >= tables && pfn < tables + start_info->nr_pt_frames;

		/* The library has put the shared page in the place of one of its own. */
		wrong += pte_mfn(*entry) != pfn_mfn(pfn) && pfn_va(pfn) != (void *)shared_info;
		writable += !!(*entry & PTE_RW) != !table;
	}
	expect_eq(wrong, 0);
	expect_msg(writable == 0, "%lu pages are mapped with the wrong right to write", writable);
	/* At least 512 KiB after the stack, which is after the page tables; 4 MiB aligned. */
	expect(pfn >= tables + start_info->nr_pt_frames + 1 + 128);
	expect_eq(pfn % 1024, 0);
}

static void test_shared_page(void)
{
	test_begin("shared page");
	expect_eq(shared_info->vcpu_info[0].evtchn_upcall_mask, 1);
	expect(shared_info->vcpu_info[0].time.tsc_to_system_mul != 0);
	expect(!(shared_info->vcpu_info[0].time.version & 1));
	/* Later than 2020, before 2100. */
	expect(time_wall() > 1577836800 && time_wall() < 4102444800);
}

static void test_format(void)
{
	char text[64];

	test_begin("library: format");
	format(text, sizeof(text), "%d %-4d|%4u|%04x %lx %s %.2s %c %ld", -5, 7, 8u, 0xabcu, 0x123456789abUL, "str", "xyz",
	       'q', -1L);
	expect_msg(strcmp(text, "-5 7   |   8|0abc 123456789ab str xy q -1") == 0, "got '%s'", text);
}

void guest_main(void)
{
	test_start_info();
	test_p2m();
	test_mapping();
	test_shared_page();
	test_format();
}
