/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF64 x86-64 kernel images and their Xen notes (public header elfnote.h). The image is read in place and is hostile:
 * elf_parse checks every header, so what struct elf_image describes lies inside the image. Pure; any context.
 */
#ifndef HV_ELF_H
#define HV_ELF_H

#include <hv/compiler.h>
#include <hv/types.h>

#define ELF_MAX_SEGMENTS 32

/* One PT_LOAD segment with memsz > 0, in the order of the program headers. */
struct elf_segment {
	u64 paddr, vaddr;    /* as in the header, unchanged */
	u64 filesz, memsz;   /* bytes in the file; bytes in memory (the rest is zero); filesz <= memsz */
	const void *data;    /* filesz bytes inside the image */
	u32 flags;           /* PF_X = 1, PF_W = 2, PF_R = 4 */
};

struct elf_image {
	const u8 *data;
	size_t size;
	u64 entry;                      /* e_entry: a virtual address */
	u64 paddr_start, paddr_end;     /* lowest and highest (exclusive) p_paddr of the loaded segments */
	u64 vaddr_start, vaddr_end;     /* the same for p_vaddr */
	unsigned int segments;
	struct elf_segment segment[ELF_MAX_SEGMENTS];
	u64 phoff, shoff;               /* tables; shoff is 0 if there is no usable section table */
	u16 phnum, shnum;
};

/* Does it begin with the ELF magic number? */
bool elf_detect(const void *data, size_t size);

/*
 * Checks the headers and fills *image, which goes on pointing into data. Refused: other classes, byte orders and machines,
 * tables or segments outside the image, address overflow, segments that overlap in physical addresses, no PT_LOAD, more than
 * ELF_MAX_SEGMENTS of them. Returns 0, or -ENOEXEC with *why set to a phrase for the user (why may be NULL).
 */
int must_check elf_parse(struct elf_image *image, const void *data, size_t size, const char **why);

/*
 * Where elf_load puts the bytes. Called for non-empty, non-overlapping, ascending parts of one segment; address is p_paddr
 * based. src is NULL for bytes to be cleared. Returns 0 or a negative error, which ends the load.
 */
struct elf_writer {
	int (*write)(void *ctx, u64 address, const void *src, size_t len);
	void *ctx;
	u64 bias; /* added (modulo 2^64) to each p_paddr */
};

/* Writes all segments in header order. Returns 0 or the writer's error. */
int must_check elf_load(const struct elf_image *image, const struct elf_writer *writer);

/* Names for the numbers of Xen notes (elfnote.h), for the "present" mask. */
enum elf_note {
	ELF_NOTE_ENTRY = 1, ELF_NOTE_HYPERCALL_PAGE = 2, ELF_NOTE_VIRT_BASE = 3, ELF_NOTE_PADDR_OFFSET = 4,
	ELF_NOTE_XEN_VERSION = 5, ELF_NOTE_GUEST_OS = 6, ELF_NOTE_GUEST_VERSION = 7, ELF_NOTE_LOADER = 8,
	ELF_NOTE_PAE_MODE = 9, ELF_NOTE_FEATURES = 10, ELF_NOTE_BSD_SYMTAB = 11, ELF_NOTE_HV_START_LOW = 12,
	ELF_NOTE_L1_MFN_VALID = 13, ELF_NOTE_SUSPEND_CANCEL = 14, ELF_NOTE_INIT_P2M = 15,
	ELF_NOTE_MOD_START_PFN = 16, ELF_NOTE_SUPPORTED_FEATURES = 17, ELF_NOTE_PHYS32_ENTRY = 18,
	ELF_NOTE_COUNT
};

#define ELF_NOTE_TEXT_MAX 32

struct elf_notes {
	u32 present;                    /* bit n: note n was found and well formed */
	u64 entry, hypercall_page;      /* virtual addresses */
	u64 virt_base, paddr_offset;    /* 0 if absent */
	u64 hv_start_low;
	u64 init_p2m;
	u64 l1_mfn_mask, l1_mfn_value;  /* first pair */
	u64 phys32_entry;
	u32 features_supported;         /* XENFEAT_* bits from FEATURES and SUPPORTED_FEATURES */
	u32 features_required;          /* those marked with '!' */
	bool features_unknown_required; /* a '!' feature that has no number */
	bool suspend_cancel, mod_start_pfn, bsd_symtab;
	char guest_os[ELF_NOTE_TEXT_MAX], guest_version[ELF_NOTE_TEXT_MAX], xen_version[ELF_NOTE_TEXT_MAX];
	char loader[ELF_NOTE_TEXT_MAX], pae_mode[ELF_NOTE_TEXT_MAX]; /* cut to fit */
};

static inline bool elf_note_present(const struct elf_notes *notes, enum elf_note note)
{
	return (notes->present & 1U << note) != 0;
}

/*
 * Reads the notes named "Xen" from PT_NOTE segments, or, if these hold none, from SHT_NOTE sections. Malformed notes are
 * left out. Returns the number of notes taken (0: this is no Xen-aware kernel).
 */
unsigned int elf_notes_read(const struct elf_image *image, struct elf_notes *notes);

/* What the loader of a PV kernel needs, all in virtual addresses. */
struct elf_pv_layout {
	u64 virt_base;                  /* virtual address of pseudo-physical 0 */
	u64 kernel_start, kernel_end;   /* of the loaded segments: p_paddr - PADDR_OFFSET + virt_base; end exclusive */
	u64 entry;
	u64 hypercall_page;             /* 0 if the kernel asks for none */
	u64 init_p2m;                   /* valid if has_init_p2m */
	bool has_hypercall_page, has_init_p2m;
	u64 load_bias;                  /* elf_writer.bias that turns p_paddr into a pseudo-physical address */
};

/*
 * Combines headers and notes. Returns 0, or -ENOEXEC with *why for kernels that cannot run as a 64-bit PV guest: no ENTRY
 * note and no LOADER/GUEST_OS/XEN_VERSION note either, another loader than "generic", another version than "xen-3.0",
 * an entry or hypercall page outside the kernel, wrapping addresses, an unknown required feature.
 */
int must_check elf_pv_layout_get(const struct elf_image *image, const struct elf_notes *notes,
				 struct elf_pv_layout *layout, const char **why);

#endif
