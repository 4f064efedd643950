/* SPDX-License-Identifier: BSD-2-Clause */
/* From an ELF file to pages: what the notes ask for is checked, and pages of zeroes are told from others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argon/reason.h"
#include "kernel.h"

static int refuse(const char *name, const char *why)
{
	return reason_set(ENOEXEC, "kernel %s %s", name, why);
}

static int notes_check(const struct elf_notes *n, const char *name)
{
	const struct kernel_info *info = &n->info;

	if (!n->any)
		return refuse(name, "has no Xen notes: it was built without support for paravirtual guests (CONFIG_XEN_PV)");
	if (!n->has_entry && n->has_phys32_entry)
		return refuse(name, "can start as a PVH guest only: it was built without CONFIG_XEN_PV");
	if (info->loader[0] && strcmp(info->loader, "generic") != 0)
		return reason_set(ENOEXEC, "kernel %s asks for the loader \"%s\", which does not exist", name, info->loader);
	if (n->xen_version[0] && strncmp(n->xen_version, "xen-3.0", 7) != 0)
		return reason_set(ENOEXEC, "kernel %s asks for the interface \"%s\"; it is xen-3.0 that there is", name, n->xen_version);
	if (n->unknown_required)
		return reason_set(ENOEXEC, "kernel %s requires the feature \"%s\", which is not known", name, n->unknown_feature);
	return 0;
}

static bool inside(const struct kernel_info *info, uint64_t address)
{
	return address - info->virt_base >= info->start && address - info->virt_base < info->end;
}

/* Addresses: the notes are virtual, the segments pseudo-physical once the offset is off. */
static int addresses_check(const struct elf *elf, struct elf_notes *notes, const char *name)
{
	struct kernel_info *info = &notes->info;
	uint64_t low = UINT64_MAX, high = 0;

	for (unsigned int i = 0; i < elf->segments; i++) {
		const struct elf_segment *s = &elf->segment[i];

		low = s->paddr < low ? s->paddr : low;
		high = s->paddr + s->memory_bytes > high ? s->paddr + s->memory_bytes : high;
	}
	if (low < notes->paddr_offset)
		return refuse(name, "has segments below its PADDR_OFFSET");
	info->start = low - notes->paddr_offset;
	info->end = high - notes->paddr_offset;
	if (info->end > KERNEL_SPAN_MAX)
		return reason_set(ENOEXEC, "kernel %s reaches up to %llu MiB; the limit is %llu MiB", name,
				  (unsigned long long)info->end >> 20, KERNEL_SPAN_MAX >> 20);
	if (info->virt_base % PAGE_SIZE || info->virt_base + info->end < info->virt_base)
		return refuse(name, "has a virtual base that cannot be");
	if (!notes->has_entry)
		info->entry = elf->entry;
	if (!inside(info, info->entry))
		return refuse(name, "has its entry point outside of its segments");
	if (info->has_hypercall_page && (info->hypercall_page % PAGE_SIZE || !inside(info, info->hypercall_page)))
		return refuse(name, "has its hypercall page outside of its segments");
	if (info->has_init_p2m && info->init_p2m % PAGE_SIZE)
		return refuse(name, "has an INIT_P2M address that is no page's");
	return 0;
}

static bool all_zero(const uint8_t *page)
{
	uint64_t word;

	for (size_t i = 0; i < PAGE_SIZE; i += sizeof(word)) {
		memcpy(&word, page + i, sizeof(word));
		if (word)
			return false;
	}
	return true;
}

/* While a kernel is taken apart: for each page of it NULL (no segment), zero_page, or its contents. */
struct pages {
	const uint8_t **page;
	uint64_t first, count;
	uint8_t *edges; /* pages that segments cover in part */
	size_t edges_used;
};

static const uint8_t zero_page[PAGE_SIZE];

/* A copy of the page that can be written, zeroes at first. There is room for two for each segment. */
static uint8_t *edge(struct pages *p, uint64_t index)
{
	const uint8_t *old = p->page[index];
	uint8_t *copy;

	if (old && old != zero_page)
		return p->edges + (old - p->edges);
	copy = p->edges + p->edges_used++ * PAGE_SIZE;
	p->page[index] = copy;
	return copy;
}

static void segment_place(struct pages *p, const struct elf_segment *s, uint64_t start)
{
	uint64_t end = start + s->memory_bytes, file_end = start + s->file_bytes;

	for (uint64_t at = start & PAGE_MASK; at < end; at += PAGE_SIZE) {
		uint64_t index = (at >> PAGE_SHIFT) - p->first;
		uint64_t from = at < start ? start : at, to = at + PAGE_SIZE < file_end ? at + PAGE_SIZE : file_end;

		if (from == at && to == at + PAGE_SIZE && !p->page[index]) {
			const uint8_t *data = s->data + (at - start);

			p->page[index] = all_zero(data) ? zero_page : data;
		} else if (from < to) {
			memcpy(edge(p, index) + (from - at), s->data + (from - start), to - from);
		} else if (!p->page[index]) {
			p->page[index] = zero_page;
		}
	}
}

static int pages_list(const struct pages *p, struct kernel *out)
{
	for (uint64_t i = 0; i < p->count; i++) {
		out->zero_count += p->page[i] == zero_page;
		out->content_count += p->page[i] && p->page[i] != zero_page;
	}
	out->zero = malloc((out->zero_count + 1u) * sizeof(*out->zero));
	out->content = malloc((out->content_count + 1u) * sizeof(*out->content));
	out->page = malloc((out->content_count + 1u) * sizeof(*out->page));
	if (!out->zero || !out->content || !out->page)
		return reason_set(ENOMEM, "out of memory");
	out->zero_count = out->content_count = 0;
	for (uint64_t i = 0; i < p->count; i++) {
		if (p->page[i] == zero_page) {
			out->zero[out->zero_count++] = (uint32_t)(p->first + i);
		} else if (p->page[i]) {
			out->page[out->content_count] = p->page[i];
			out->content[out->content_count++] = (uint32_t)(p->first + i);
		}
	}
	return 0;
}

static int segments_place(const struct elf *elf, uint64_t paddr_offset, struct kernel *out)
{
	struct pages p = { .first = out->info.start >> PAGE_SHIFT };
	int rc;

	p.count = ((out->info.end + PAGE_SIZE - 1) >> PAGE_SHIFT) - p.first;
	p.page = calloc(p.count, sizeof(*p.page));
	p.edges = calloc(elf->segments, 2 * PAGE_SIZE);
	out->edges = p.edges;
	if (!p.page || !p.edges) {
		free(p.page);
		return reason_set(ENOMEM, "out of memory");
	}
	for (unsigned int i = 0; i < elf->segments; i++)
		segment_place(&p, &elf->segment[i], elf->segment[i].paddr - paddr_offset);
	rc = pages_list(&p, out);
	free(p.page);
	return rc;
}

int kernel_parse(const uint8_t *file, size_t bytes, const char *name, struct kernel *out)
{
	struct elf_notes notes;
	struct elf elf;
	int rc;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	rc = elf_parse(file, bytes, name, &elf);
	if (rc)
		return rc;
	elf_notes_read(&elf, &notes);
	rc = notes_check(&notes, name);
	if (!rc)
		rc = addresses_check(&elf, &notes, name);
	if (rc)
		return rc;
	out->info = notes.info;
	rc = segments_place(&elf, notes.paddr_offset, out);
	if (rc)
		kernel_free(out);
	return rc;
}

void kernel_free(struct kernel *kernel)
{
	free(kernel->content);
	free(kernel->zero);
	free(kernel->page);
	free(kernel->file);
	free(kernel->edges);
	if (kernel->fd >= 0)
		close(kernel->fd);
	memset(kernel, 0, sizeof(*kernel));
	kernel->fd = -1;
}
