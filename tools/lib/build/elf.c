/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF64 files (System V ABI): headers, segments, and Xen's notes (<xen/elfnote.h>). The file is hostile. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/elfnote.h>

#include "argon/reason.h"
#include "kernel.h"

bool elf_detect(const uint8_t *file, size_t bytes)
{
	return bytes >= SELFMAG && memcmp(file, ELFMAG, SELFMAG) == 0;
}

static int refuse(const char *name, const char *why)
{
	return reason_set(ENOEXEC, "kernel %s: %s", name, why);
}

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "32-bit x86";
	case EM_ARM:
		return "32-bit arm";
	case EM_AARCH64:
		return "arm64";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC64:
		return "POWER";
	case EM_S390:
		return "s390";
	default:
		return NULL;
	}
}

static int header_check(const Elf64_Ehdr *h, size_t bytes, const char *name)
{
	const char *machine = machine_name(h->e_machine);

	if (h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine != EM_X86_64) {
		if (machine)
			return reason_set(ENOEXEC, "kernel %s is for %s machines; guests run kernels for 64-bit x86", name, machine);
		return reason_set(ENOEXEC, "kernel %s is for machines of ELF number %u; guests run kernels for 64-bit x86", name,
				  h->e_machine);
	}
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(name, "not an ELF file for 64-bit x86");
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return refuse(name, "an ELF file, but no program");
	if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phoff > bytes || h->e_phnum > (bytes - h->e_phoff) / sizeof(Elf64_Phdr))
		return refuse(name, "the ELF program headers lie outside of the file; it may be cut short");
	return 0;
}

static bool overlap(const struct elf_segment *a, const struct elf_segment *b)
{
	return a->paddr < b->paddr ? b->paddr - a->paddr < a->memory_bytes : a->paddr - b->paddr < b->memory_bytes;
}

static int segment_add(struct elf *elf, const Elf64_Phdr *ph, const char *name)
{
	struct elf_segment *s = &elf->segment[elf->segments];

	if (ph->p_filesz > ph->p_memsz || ph->p_offset > elf->bytes || ph->p_filesz > elf->bytes - ph->p_offset)
		return refuse(name, "an ELF segment lies outside of the file; it may be cut short");
	if (ph->p_paddr + ph->p_memsz < ph->p_paddr)
		return refuse(name, "the address of an ELF segment wraps around");
	if (elf->segments == ELF_SEGMENTS_MAX)
		return refuse(name, "too many ELF segments");
	*s = (struct elf_segment){ .paddr = ph->p_paddr, .file_bytes = ph->p_filesz, .memory_bytes = ph->p_memsz,
				   .data = elf->file + ph->p_offset };
	for (unsigned int i = 0; i < elf->segments; i++)
		if (overlap(&elf->segment[i], s))
			return refuse(name, "ELF segments overlap");
	elf->segments++;
	return 0;
}

int elf_parse(const uint8_t *file, size_t bytes, const char *name, struct elf *out)
{
	Elf64_Ehdr h;
	Elf64_Phdr ph;
	int rc;

	memset(out, 0, sizeof(*out));
	out->file = file;
	out->bytes = bytes;
	if (!elf_detect(file, bytes))
		return refuse(name, "not an ELF file");
	if (bytes < sizeof(h))
		return refuse(name, "the ELF header is cut short");
	memcpy(&h, file, sizeof(h)); /* may lie at any address */
	rc = header_check(&h, bytes, name);
	if (rc)
		return rc;
	out->entry = h.e_entry;
	for (unsigned int i = 0; !rc && i < h.e_phnum; i++) {
		memcpy(&ph, file + h.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_LOAD && ph.p_memsz)
			rc = segment_add(out, &ph, name);
	}
	if (!rc && !out->segments)
		rc = refuse(name, "the ELF file has nothing to load");
	return rc;
}

/* ---- Notes ---- */
/* The names of <xen/features.h> without XENFEAT_; the index is the number. */
static const char *const feature_names[] = {
	"writable_page_tables", "writable_descriptor_tables", "auto_translated_physmap", "supervisor_mode_kernel",
	"pae_pgdir_above_4gb", "mmu_pt_update_preserve_ad", "highmem_assist", "gnttab_map_avail_bits", "hvm_callback_vector",
	"hvm_safe_pvclock", "hvm_pirqs", "dom0", "grant_map_identity", "memory_op_vnode_supported", "ARM_SMCCC_supported",
	"linux_rsdp_unrestricted",
};
#define FEATURES (sizeof(feature_names) / sizeof(feature_names[0]))

static bool number_get(const uint8_t *data, uint32_t bytes, uint64_t *out)
{
	uint32_t narrow;

	if (bytes == sizeof(narrow)) {
		memcpy(&narrow, data, sizeof(narrow));
		*out = narrow;
		return true;
	}
	if (bytes != sizeof(*out))
		return false;
	memcpy(out, data, sizeof(*out));
	return true;
}

/* A text that need not be terminated, made printable. */
static void text_get(const uint8_t *data, uint32_t bytes, char *out, size_t room)
{
	size_t n = strnlen((const char *)data, bytes);

	if (n >= room)
		n = room - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = data[i] >= ' ' && data[i] <= '~' ? (char)data[i] : '?';
	out[n] = '\0';
}

static void feature_add(struct elf_notes *notes, const char *name, size_t length, bool required)
{
	for (size_t i = 0; i < FEATURES; i++) {
		if (strlen(feature_names[i]) != length || memcmp(feature_names[i], name, length) != 0)
			continue;
		notes->info.features |= 1u << i;
		notes->info.features_required |= required ? 1u << i : 0;
		return;
	}
	if (required && !notes->unknown_required) {
		notes->unknown_required = true;
		text_get((const uint8_t *)name, (uint32_t)length, notes->unknown_feature, sizeof(notes->unknown_feature));
	}
}

/* "!writable_page_tables|pae_pgdir_above_4gb": '!' marks what the kernel cannot do without. */
static void features_get(const uint8_t *data, uint32_t bytes, struct elf_notes *notes)
{
	const char *p = (const char *)data, *end = p + strnlen(p, bytes);

	while (p < end) {
		const char *stop = memchr(p, '|', (size_t)(end - p));
		bool required = *p == '!';

		if (!stop)
			stop = end;
		p += required;
		if (stop > p)
			feature_add(notes, p, (size_t)(stop - p), required);
		p = stop + 1;
	}
}

static void note_store(struct elf_notes *n, uint32_t type, const uint8_t *data, uint32_t bytes)
{
	struct kernel_info *info = &n->info;
	uint64_t number = 0;

	n->any = true;
	switch (type) {
	case XEN_ELFNOTE_ENTRY:
		n->has_entry = number_get(data, bytes, &info->entry);
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		info->has_hypercall_page = number_get(data, bytes, &info->hypercall_page);
		break;
	case XEN_ELFNOTE_VIRT_BASE:
		number_get(data, bytes, &info->virt_base);
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		number_get(data, bytes, &n->paddr_offset);
		break;
	case XEN_ELFNOTE_INIT_P2M:
		info->has_init_p2m = number_get(data, bytes, &info->init_p2m);
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		info->mod_start_pfn = number_get(data, bytes, &number) && number;
		break;
	case XEN_ELFNOTE_SUSPEND_CANCEL:
		info->suspend_cancel = number_get(data, bytes, &number) && number;
		break;
	case XEN_ELFNOTE_PHYS32_ENTRY:
		n->has_phys32_entry = true;
		break;
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		if (number_get(data, bytes, &number))
			info->features |= (uint32_t)number;
		break;
	case XEN_ELFNOTE_FEATURES:
		features_get(data, bytes, n);
		break;
	case XEN_ELFNOTE_XEN_VERSION:
		text_get(data, bytes, n->xen_version, sizeof(n->xen_version));
		break;
	case XEN_ELFNOTE_GUEST_OS:
		text_get(data, bytes, info->guest_os, sizeof(info->guest_os));
		break;
	case XEN_ELFNOTE_GUEST_VERSION:
		text_get(data, bytes, info->guest_version, sizeof(info->guest_version));
		break;
	case XEN_ELFNOTE_LOADER:
		text_get(data, bytes, info->loader, sizeof(info->loader));
		break;
	default: /* of no interest here */
		break;
	}
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static void table_read(const struct elf *elf, uint64_t offset, uint64_t bytes, uint64_t align, struct elf_notes *notes)
{
	const uint64_t pad = align == 8 ? 8 : 4;
	const uint8_t *p;

	if (offset > elf->bytes || bytes > elf->bytes - offset)
		return;
	p = elf->file + offset;
	while (bytes >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		uint64_t data, next;

		memcpy(&h, p, sizeof(h));
		data = round_up(sizeof(h) + (uint64_t)h.n_namesz, pad);
		if (data > bytes || h.n_descsz > bytes - data)
			return;
		if (h.n_namesz == 4 && memcmp(p + sizeof(h), "Xen", 4) == 0)
			note_store(notes, h.n_type, p + data, h.n_descsz);
		next = round_up(data + h.n_descsz, pad);
		if (next > bytes)
			return;
		p += next;
		bytes -= next;
	}
}

void elf_notes_read(const struct elf *elf, struct elf_notes *out)
{
	Elf64_Ehdr h;
	Elf64_Phdr ph;
	Elf64_Shdr sh;

	memset(out, 0, sizeof(*out));
	memcpy(&h, elf->file, sizeof(h));
	for (unsigned int i = 0; i < h.e_phnum; i++) {
		memcpy(&ph, elf->file + h.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_NOTE)
			table_read(elf, ph.p_offset, ph.p_filesz, ph.p_align, out);
	}
	/* Some linkers leave notes in sections alone. */
	if (out->any || !h.e_shoff || h.e_shentsize != sizeof(sh) || h.e_shoff > elf->bytes ||
	    h.e_shnum > (elf->bytes - h.e_shoff) / sizeof(sh))
		return;
	for (unsigned int i = 0; i < h.e_shnum; i++) {
		memcpy(&sh, elf->file + h.e_shoff + i * sizeof(sh), sizeof(sh));
		if (sh.sh_type == SHT_NOTE)
			table_read(elf, sh.sh_offset, sh.sh_size, sh.sh_addralign, out);
	}
}
