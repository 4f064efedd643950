/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/domain_image.h>
#include <guest/mm.h>
#include <xen/elfnote.h>
#include <xen/errno.h>

#define PT_LOAD 1
#define PT_NOTE 4
#define ENTRIES 512
/* As the hypervisor does for dom0: the first mapping has some room behind the kernel, and ends at 4 MiB. */
#define ROOM	128
#define ROUND	1024

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

static const struct elf_segment *segment(const struct domain_image *image, unsigned int i)
{
	const struct elf_header *h = (const void *)image->elf;

	return (const void *)(image->elf + h->phoff + i * h->phentsize);
}

static unsigned int segments(const struct domain_image *image)
{
	return ((const struct elf_header *)(const void *)image->elf)->phnum;
}

static void notes_read(struct domain_image *image, const struct elf_segment *s)
{
	u64 at = s->offset, end = s->offset + s->filesz;

	while (at + 12 <= end) {
		const u32 *note = (const void *)(image->elf + at);
		const u8 *desc = (const u8 *)(note + 3) + ((note[0] + 3) & ~3U);
		u64 value = 0;

		memcpy(&value, desc, note[1] < 8 ? note[1] : 8);
		if (note[2] == XEN_ELFNOTE_ENTRY)
			image->entry = value;
		if (note[2] == XEN_ELFNOTE_HYPERCALL_PAGE)
			image->hypercall_page = value;
		at += 12 + ((note[0] + 3) & ~3U) + ((note[1] + 3) & ~3U);
	}
}

int image_parse(struct domain_image *image, const void *elf, size_t size, unsigned int pages)
{
	static const u8 magic[4] = { 0x7f, 'E', 'L', 'F' };
	u64 low = ~0UL, high = 0;
	unsigned int i;

	*image = (struct domain_image){ .elf = elf, .size = size, .pages = pages };
	if (!elf || size < sizeof(struct elf_header) || memcmp(elf, magic, 4) != 0)
		return -XEN_EINVAL;
	for (i = 0; i < segments(image); i++) {
		const struct elf_segment *s = segment(image, i);

		if ((const u8 *)(s + 1) > image->elf + size || s->offset + s->filesz > size)
			return -XEN_EINVAL;
		if (s->type == PT_NOTE)
			notes_read(image, s);
		if (s->type != PT_LOAD)
			continue;
		low = s->vaddr < low ? s->vaddr : low;
		high = s->vaddr + s->memsz > high ? s->vaddr + s->memsz : high;
	}
	if (low < VIRT_BASE || high <= low || !image->entry || !image->hypercall_page)
		return -XEN_EINVAL;
	image->first_pfn = (unsigned int)((low - VIRT_BASE) >> PAGE_SHIFT);
	image->p2m_pfn = (unsigned int)((high - VIRT_BASE + PAGE_SIZE - 1) >> PAGE_SHIFT);
	image->info_pfn = image->p2m_pfn + (pages + ENTRIES - 1) / ENTRIES;
	image->console_pfn = image->info_pfn + 1;
	image->root_pfn = image->console_pfn + 1;
	/* With at most 8 tables more, the region grows by less than its room. */
	image->mapped = (image->root_pfn + ROOM + ROUND) / ROUND * ROUND;
	image->l1_tables = image->mapped / ENTRIES;
	image->stack_pfn = image->root_pfn + 3 + image->l1_tables;
	image->end_pfn = image->stack_pfn + 1;
	return image->end_pfn <= pages ? 0 : -XEN_EINVAL;
}

static void segments_copy(const struct domain_image *image, unsigned int pfn, u8 *page)
{
	u64 from = (u64)pfn_va(pfn), to = from + PAGE_SIZE;
	unsigned int i;

	for (i = 0; i < segments(image); i++) {
		const struct elf_segment *s = segment(image, i);
		u64 a = s->vaddr > from ? s->vaddr : from;
		u64 b = s->vaddr + s->filesz < to ? s->vaddr + s->filesz : to;

		if (s->type == PT_LOAD && a < b)
			memcpy(page + (a - from), image->elf + s->offset + (a - s->vaddr), b - a);
	}
}

static void info_make(const struct domain_image *image, struct start_info *info)
{
	size_t n = strlen(image->cmdline);

	memcpy(info->magic, "xen-3.0-x86_64", 15);
	info->nr_pages = image->pages;
	info->shared_info = image->shared_info;
	info->console.domU.mfn = image->frames[image->console_pfn];
	info->console.domU.evtchn = image->console_port;
	info->pt_base = (u64)pfn_va(image->root_pfn);
	info->nr_pt_frames = 3 + image->l1_tables;
	info->mfn_list = (u64)pfn_va(image->p2m_pfn);
	memcpy(info->cmd_line, image->cmdline, n < sizeof(info->cmd_line) ? n : sizeof(info->cmd_line) - 1);
}

/* Tables: L4, L3, L2, then the L1s, which map themselves and the others read-only. */
static void table_make(const struct domain_image *image, unsigned int pfn, u64 *table)
{
	unsigned int n = pfn - image->root_pfn, i;

	if (n == 0)
		table[VIRT_BASE >> 39 & 511] = mfn_pte(image->frames[pfn + 1], PTE_TABLE);
	else if (n == 1)
		table[VIRT_BASE >> 30 & 511] = mfn_pte(image->frames[pfn + 1], PTE_TABLE);
	else if (n == 2)
		for (i = 0; i < image->l1_tables; i++)
			table[i] = mfn_pte(image->frames[pfn + 1 + i], PTE_TABLE);
	else
		for (i = 0; i < ENTRIES; i++) {
			unsigned int target = (n - 3) * ENTRIES + i;

			if (target < image->pages)
				table[i] = mfn_pte(image->frames[target],
						   target >= image->root_pfn && target < image->stack_pfn ?
						   PTE_READONLY : PTE_KERNEL);
		}
}

void image_page(const struct domain_image *image, unsigned int pfn, void *page)
{
	unsigned int at;

	if (pfn < image->p2m_pfn) {
		segments_copy(image, pfn, page);
	} else if (pfn < image->info_pfn) {
		at = (pfn - image->p2m_pfn) * ENTRIES;
		memcpy(page, image->frames + at, 8UL * (image->pages - at < ENTRIES ? image->pages - at : ENTRIES));
	} else if (pfn == image->info_pfn) {
		info_make(image, page);
	} else if (pfn >= image->root_pfn && pfn < image->stack_pfn) {
		table_make(image, pfn, page);
	}
}
