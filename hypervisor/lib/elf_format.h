/* SPDX-License-Identifier: BSD-2-Clause */
/* The file format's structs and numbers (System V ABI). */
#ifndef ELF_FORMAT_H
#define ELF_FORMAT_H

#include <hv/types.h>

enum {
	ELF_IDENT_CLASS = 4, ELF_IDENT_DATA = 5,
	ELF_CLASS_64 = 2, ELF_DATA_LITTLE = 1,
	ELF_TYPE_EXECUTABLE = 2, ELF_TYPE_SHARED = 3,
	ELF_MACHINE_X86_64 = 62,
	ELF_PT_LOAD = 1, ELF_PT_NOTE = 4,
	ELF_SHT_NOTE = 7,
};

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");

struct elf_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_phdr) == 56, "ELF64 program header");

struct elf_shdr {
	u32 name, type;
	u64 flags, addr, offset, size;
	u32 link, info;
	u64 addralign, entsize;
};
_Static_assert(sizeof(struct elf_shdr) == 64, "ELF64 section header");

struct elf_note_header {
	u32 namesz, descsz, type;
};

#endif
