/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen's ELF notes (public headers elfnote.h and features.h) and what follows from them for a PV loader. */
#include <hv/elf.h>
#include <hv/errno.h>
#include <hv/string.h>
#include "elf_format.h"

/* The names of features.h without XENFEAT_; the index is the number. */
static const char *const feature_names[] = {
	"writable_page_tables", "writable_descriptor_tables", "auto_translated_physmap", "supervisor_mode_kernel",
	"pae_pgdir_above_4gb", "mmu_pt_update_preserve_ad", "highmem_assist", "gnttab_map_avail_bits",
	"hvm_callback_vector", "hvm_safe_pvclock", "hvm_pirqs", "dom0", "grant_map_identity",
	"memory_op_vnode_supported", "ARM_SMCCC_supported", "linux_rsdp_unrestricted",
};

/* One note: len bytes inside the image. */
struct note {
	const u8 *desc;
	u32 len;
};

static bool number_get(const struct note *note, u64 *val)
{
	if (note->len == 4)
		*val = get_le32(note->desc);
	else if (note->len == 8)
		*val = get_le64(note->desc);
	else
		return false;
	return true;
}

/* The text of a note, which need not be terminated. */
static size_t text_length(const struct note *note)
{
	return strnlen((const char *)note->desc, note->len);
}

static bool text_get(const struct note *note, char *text)
{
	size_t n = MIN(text_length(note), (size_t)ELF_NOTE_TEXT_MAX - 1);

	memcpy(text, note->desc, n);
	text[n] = '\0';
	return true;
}

static bool text_is(const struct note *note, const char *text)
{
	return text_length(note) == strlen(text) && memcmp(note->desc, text, strlen(text)) == 0;
}

/* "!writable_page_tables|pae_pgdir_above_4gb": '!' marks what the kernel cannot do without. */
static bool features_get(const struct note *note, struct elf_notes *notes)
{
	const char *p = (const char *)note->desc, *end = p + text_length(note);

	while (p < end) {
		bool required = *p == '!';
		const char *name = p + required, *stop = name;
		size_t i;

		while (stop < end && *stop != '|')
			stop++;
		for (i = 0; i < ARRAY_SIZE(feature_names); i++)
			if (strlen(feature_names[i]) == (size_t)(stop - name) &&
			    memcmp(feature_names[i], name, (size_t)(stop - name)) == 0)
				break;
		if (i < ARRAY_SIZE(feature_names)) {
			notes->features_supported |= 1U << i;
			notes->features_required |= required ? 1U << i : 0;
		} else if (required) {
			notes->features_unknown_required = true;
		}
		p = stop + 1;
	}
	return true;
}

static bool supported_features_get(const struct note *note, struct elf_notes *notes)
{
	u64 val;

	if (!number_get(note, &val))
		return false;
	notes->features_supported |= (u32)val;
	return true;
}

static bool l1_mfn_valid_get(const struct note *note, struct elf_notes *notes)
{
	if (note->len < 16)
		return false;
	notes->l1_mfn_mask = get_le64(note->desc);
	notes->l1_mfn_value = get_le64(note->desc + 8);
	return true;
}

static bool flag_get(const struct note *note, bool *flag)
{
	u64 val;

	if (!number_get(note, &val))
		return false;
	*flag = val != 0;
	return true;
}

/* Stores one note. False if it is malformed or of no interest. */
static bool note_store(struct elf_notes *n, u32 type, const struct note *note)
{
	switch ((enum elf_note)type) {
	case ELF_NOTE_ENTRY:
		return number_get(note, &n->entry);
	case ELF_NOTE_HYPERCALL_PAGE:
		return number_get(note, &n->hypercall_page);
	case ELF_NOTE_VIRT_BASE:
		return number_get(note, &n->virt_base);
	case ELF_NOTE_PADDR_OFFSET:
		return number_get(note, &n->paddr_offset);
	case ELF_NOTE_XEN_VERSION:
		return text_get(note, n->xen_version);
	case ELF_NOTE_GUEST_OS:
		return text_get(note, n->guest_os);
	case ELF_NOTE_GUEST_VERSION:
		return text_get(note, n->guest_version);
	case ELF_NOTE_LOADER:
		return text_get(note, n->loader);
	case ELF_NOTE_PAE_MODE:
		return text_get(note, n->pae_mode);
	case ELF_NOTE_FEATURES:
		return features_get(note, n);
	case ELF_NOTE_BSD_SYMTAB:
		n->bsd_symtab = text_is(note, "yes");
		return true;
	case ELF_NOTE_HV_START_LOW:
		return number_get(note, &n->hv_start_low);
	case ELF_NOTE_L1_MFN_VALID:
		return l1_mfn_valid_get(note, n);
	case ELF_NOTE_SUSPEND_CANCEL:
		return flag_get(note, &n->suspend_cancel);
	case ELF_NOTE_INIT_P2M:
		return number_get(note, &n->init_p2m);
	case ELF_NOTE_MOD_START_PFN:
		return flag_get(note, &n->mod_start_pfn);
	case ELF_NOTE_SUPPORTED_FEATURES:
		return supported_features_get(note, n);
	case ELF_NOTE_PHYS32_ENTRY:
		return number_get(note, &n->phys32_entry);
	case ELF_NOTE_COUNT:
		break;
	}
	return false;
}

/* Reads one table of notes at [offset, offset + size) of the image. Returns the number of notes stored. */
static unsigned int table_read(const struct elf_image *image, u64 offset, u64 size, u64 align, struct elf_notes *notes)
{
	unsigned int count = 0;
	const u8 *p;
	u64 pad = align == 8 ? 8 : 4;

	if (offset > image->size || size > image->size - offset)
		return 0;
	p = image->data + offset;
	while (size >= sizeof(struct elf_note_header)) {
		u32 namesz = get_le32(p), descsz = get_le32(p + 4), type = get_le32(p + 8);
		u64 desc_at = ROUND_UP(sizeof(struct elf_note_header) + namesz, pad);
		u64 next = ROUND_UP(desc_at + descsz, pad);
		struct note note;

		if (desc_at > size || descsz > size - desc_at)
			break;
		note = (struct note){ .desc = p + desc_at, .len = descsz };
		if (namesz == 4 && memcmp(p + sizeof(struct elf_note_header), "Xen", 4) == 0 &&
		    type < ELF_NOTE_COUNT && note_store(notes, type, &note)) {
			notes->present |= 1U << type;
			count++;
		}
		if (next > size)
			break;
		p += next;
		size -= next;
	}
	return count;
}

unsigned int elf_notes_read(const struct elf_image *image, struct elf_notes *notes)
{
	unsigned int count = 0;

	memset(notes, 0, sizeof(*notes));
	for (unsigned int i = 0; i < image->phnum; i++) {
		struct elf_phdr ph;

		memcpy(&ph, image->data + image->phoff + i * sizeof(ph), sizeof(ph));
		if (ph.type == ELF_PT_NOTE)
			count += table_read(image, ph.offset, ph.filesz, ph.align, notes);
	}
	for (unsigned int i = 0; count == 0 && image->shoff != 0 && i < image->shnum; i++) {
		struct elf_shdr sh;

		memcpy(&sh, image->data + image->shoff + i * sizeof(sh), sizeof(sh));
		if (sh.type == ELF_SHT_NOTE)
			count += table_read(image, sh.offset, sh.size, sh.addralign, notes);
	}
	return count;
}

static int refuse(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return -ENOEXEC;
}

static int notes_check(const struct elf_notes *notes, const char **why)
{
	if (!elf_note_present(notes, ELF_NOTE_ENTRY) && !elf_note_present(notes, ELF_NOTE_LOADER) &&
	    !elf_note_present(notes, ELF_NOTE_GUEST_OS) && !elf_note_present(notes, ELF_NOTE_XEN_VERSION))
		return refuse(why, "the kernel has no Xen notes: it was built without paravirtual (CONFIG_XEN_PV) support");
	if (elf_note_present(notes, ELF_NOTE_LOADER) && strcmp(notes->loader, "generic") != 0)
		return refuse(why, "the kernel asks for a loader other than \"generic\"");
	if (elf_note_present(notes, ELF_NOTE_XEN_VERSION) && !str_starts_with(notes->xen_version, "xen-3.0"))
		return refuse(why, "the kernel asks for an interface other than xen-3.0");
	if (notes->features_unknown_required)
		return refuse(why, "the kernel requires a feature that Argon does not know");
	return 0;
}

int elf_pv_layout_get(const struct elf_image *image, const struct elf_notes *notes, struct elf_pv_layout *layout,
		      const char **why)
{
	struct elf_pv_layout l = {
		.virt_base = notes->virt_base, .load_bias = 0 - notes->paddr_offset,
		.entry = elf_note_present(notes, ELF_NOTE_ENTRY) ? notes->entry : image->entry,
		.hypercall_page = notes->hypercall_page, .init_p2m = notes->init_p2m,
		.has_hypercall_page = elf_note_present(notes, ELF_NOTE_HYPERCALL_PAGE),
		.has_init_p2m = elf_note_present(notes, ELF_NOTE_INIT_P2M),
	};
	u64 size = image->paddr_end - image->paddr_start;
	int ret = notes_check(notes, why);

	if (ret != 0)
		return ret;
	if (image->paddr_start < notes->paddr_offset)
		return refuse(why, "the kernel's segments lie below its PADDR_OFFSET");
	if (__builtin_add_overflow(image->paddr_start - notes->paddr_offset, l.virt_base, &l.kernel_start) ||
	    __builtin_add_overflow(l.kernel_start, size, &l.kernel_end))
		return refuse(why, "the kernel's addresses wrap around");
	if (l.entry < l.kernel_start || l.entry >= l.kernel_end)
		return refuse(why, "the kernel's entry point lies outside its segments");
	if (l.has_hypercall_page && ((l.hypercall_page & ~PAGE_MASK) != 0 || l.hypercall_page < l.kernel_start ||
				     l.hypercall_page >= l.kernel_end))
		return refuse(why, "the kernel's hypercall page lies outside its segments");
	if (l.has_init_p2m && (l.init_p2m & ~PAGE_MASK) != 0)
		return refuse(why, "the kernel's INIT_P2M address is not page aligned");
	*layout = l;
	return 0;
}
