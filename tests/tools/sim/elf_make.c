/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <xen/elfnote.h>

#include "elf_make.h"

#define NOTES_AT 0x400
#define TEXT_AT	 0x1000

uint8_t elf_pattern(size_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8) + 1);
}

static size_t note_add(uint8_t *at, uint32_t type, const void *data, uint32_t bytes)
{
	Elf64_Nhdr h = { 4, bytes, type };

	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), "Xen", 4);
	memcpy(at + sizeof(h) + 4, data, bytes);
	return sizeof(h) + 4 + (bytes + 3) / 4 * 4;
}

static size_t number_add(uint8_t *at, uint32_t type, uint64_t number)
{
	return note_add(at, type, &number, sizeof(number));
}

static size_t text_add(uint8_t *at, uint32_t type, const char *text)
{
	return note_add(at, type, text, (uint32_t)strlen(text) + 1);
}

static size_t notes_make(uint8_t *at, const struct elf_spec *s, uint64_t base, uint64_t text)
{
	size_t n = 0;

	if (s->no_notes)
		return 0;
	if (s->pvh_only)
		return number_add(at, XEN_ELFNOTE_PHYS32_ENTRY, 0x100000);
	n += text_add(at + n, XEN_ELFNOTE_GUEST_OS, "test");
	n += text_add(at + n, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	n += text_add(at + n, XEN_ELFNOTE_LOADER, s->loader ? s->loader : "generic");
	n += number_add(at + n, XEN_ELFNOTE_VIRT_BASE, base);
	n += number_add(at + n, XEN_ELFNOTE_PADDR_OFFSET, s->paddr_offset);
	if (!s->no_entry)
		n += number_add(at + n, XEN_ELFNOTE_ENTRY, text + s->entry_offset);
	if (s->hypercall_page)
		n += number_add(at + n, XEN_ELFNOTE_HYPERCALL_PAGE, text + 0x1000);
	if (s->init_p2m)
		n += number_add(at + n, XEN_ELFNOTE_INIT_P2M, s->init_p2m);
	if (s->unmapped_ramdisk)
		n += number_add(at + n, XEN_ELFNOTE_MOD_START_PFN, 1);
	if (s->features)
		n += text_add(at + n, XEN_ELFNOTE_FEATURES, s->features);
	n += number_add(at + n, XEN_ELFNOTE_SUSPEND_CANCEL, 1);
	return n;
}

size_t elf_make(const struct elf_spec *s, uint8_t **out)
{
	uint64_t base = s->virt_base ? s->virt_base : 0xffffffff80000000ull, paddr = s->paddr ? s->paddr : 0x100000;
	uint32_t text = s->text_bytes ? s->text_bytes : 10000, data_at = (TEXT_AT + text + 0xfff) & ~0xfffu;
	uint64_t virtual = base + paddr - s->paddr_offset, data_paddr = paddr + (data_at - TEXT_AT);
	uint8_t *file = calloc(1, data_at + 100);
	Elf64_Phdr *ph = (Elf64_Phdr *)(file + sizeof(Elf64_Ehdr));
	Elf64_Ehdr h = { .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1, .e_entry = virtual, .e_phoff = sizeof(h),
			 .e_ehsize = sizeof(h), .e_phentsize = sizeof(*ph), .e_phnum = 3 };

	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	h.e_ident[EI_VERSION] = 1;
	memcpy(file, &h, sizeof(h));
	ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = TEXT_AT, .p_vaddr = virtual, .p_paddr = paddr, .p_filesz = text,
			      .p_memsz = text, .p_flags = 5 };
	ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = data_at, .p_vaddr = base + data_paddr - s->paddr_offset,
			      .p_paddr = data_paddr, .p_filesz = 100, .p_memsz = 100 + s->bss_bytes, .p_flags = 6 };
	ph[2] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NOTES_AT, .p_align = 4 };
	ph[2].p_filesz = notes_make(file + NOTES_AT, s, base, virtual);
	for (size_t i = 0; i < text; i++)
		file[TEXT_AT + i] = elf_pattern(i);
	memset(file + data_at, 'd', 100);
	*out = file;
	return data_at + 100;
}
