/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF and bzImage files made by hand, then damaged at random. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/bzimage.h>
#include <hv/elf.h>
#include <hv/errno.h>

#define BASE 0xffffffff80000000UL
#define TEXT_AT 0x1000000UL
#define NOTES_AT 0x800
#define FILE_SIZE 0x2000

static u8 file[FILE_SIZE];
static size_t notes_len;

static Elf64_Ehdr *ehdr(void)
{
	return (Elf64_Ehdr *)file;
}

static Elf64_Phdr *phdr(int i)
{
	return (Elf64_Phdr *)(file + sizeof(Elf64_Ehdr)) + i;
}

static Elf64_Shdr *shdr(void)
{
	return (Elf64_Shdr *)(file + 0x400);
}

static void note_add(u32 type, const void *desc, u32 len)
{
	u32 header[] = { 4, len, type };
	u8 *p = file + NOTES_AT + notes_len;

	memcpy(p, header, 12);
	memcpy(p + 12, "Xen", 4);
	memcpy(p + 16, desc, len);
	notes_len += ROUND_UP(16 + len, 4U);
	phdr(2)->p_filesz = notes_len;
	shdr()->sh_size = notes_len;
}

static void note_add_u64(u32 type, u64 val)
{
	note_add(type, &val, 8);
}

static void note_add_text(u32 type, const char *text)
{
	note_add(type, text, (u32)strlen(text) + 1);
}

/* Two segments (the second with cleared memory behind it) and a note segment, as a Linux kernel has them. */
static void file_make(void)
{
	u32 foreign[] = { 4, 4, 1 };

	memset(file, 0, sizeof(file));
	for (size_t i = 0x1000; i < sizeof(file); i++)
		file[i] = (u8)(i * 7);
	memcpy(ehdr()->e_ident, ELFMAG, SELFMAG);
	ehdr()->e_ident[EI_CLASS] = ELFCLASS64;
	ehdr()->e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr()->e_type = ET_EXEC;
	ehdr()->e_machine = EM_X86_64;
	ehdr()->e_entry = TEXT_AT;
	ehdr()->e_phoff = sizeof(Elf64_Ehdr);
	ehdr()->e_phentsize = sizeof(Elf64_Phdr);
	ehdr()->e_phnum = 3;
	ehdr()->e_shoff = 0x400;
	ehdr()->e_shentsize = sizeof(Elf64_Shdr);
	ehdr()->e_shnum = 1;
	*phdr(0) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000, .p_paddr = TEXT_AT,
				 .p_vaddr = BASE + TEXT_AT, .p_filesz = 0x800, .p_memsz = 0x800 };
	*phdr(1) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x1800,
				 .p_paddr = TEXT_AT + 0x1000, .p_vaddr = BASE + TEXT_AT + 0x1000, .p_filesz = 0x700,
				 .p_memsz = 0x3000 };
	*phdr(2) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NOTES_AT, .p_align = 4 };
	*shdr() = (Elf64_Shdr){ .sh_type = SHT_NOTE, .sh_offset = NOTES_AT };
	/* A note of somebody else. */
	memcpy(file + NOTES_AT, foreign, 12);
	memcpy(file + NOTES_AT + 12, "GNU", 4);
	notes_len = 20;
}

static void notes_make(void)
{
	u64 pair[] = { 1, 0x80 };
	u32 one = 1, supported = 0x8801;

	note_add_text(ELF_NOTE_GUEST_OS, "linux");
	note_add_text(ELF_NOTE_GUEST_VERSION, "2.6");
	note_add_text(ELF_NOTE_XEN_VERSION, "xen-3.0");
	note_add_u64(ELF_NOTE_VIRT_BASE, BASE);
	note_add_u64(ELF_NOTE_INIT_P2M, 0x8000000000UL);
	note_add_u64(ELF_NOTE_ENTRY, BASE + TEXT_AT + 0x100);
	note_add_u64(ELF_NOTE_HYPERCALL_PAGE, BASE + TEXT_AT + 0x1000);
	note_add_text(ELF_NOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb|made_up");
	note_add(ELF_NOTE_SUPPORTED_FEATURES, &supported, 4);
	note_add_text(ELF_NOTE_PAE_MODE, "yes");
	note_add_text(ELF_NOTE_LOADER, "generic");
	note_add(ELF_NOTE_L1_MFN_VALID, pair, 16);
	note_add(ELF_NOTE_SUSPEND_CANCEL, &one, 4);
	note_add(ELF_NOTE_MOD_START_PFN, &one, 4);
	note_add_u64(ELF_NOTE_HV_START_LOW, 0xffff800000000000UL);
	note_add_u64(ELF_NOTE_PADDR_OFFSET, 0);
	note_add_text(ELF_NOTE_BSD_SYMTAB, "yes");
	note_add_u64(ELF_NOTE_PHYS32_ENTRY, TEXT_AT + 0x200);
}

static void check_refused(const char *expected)
{
	struct elf_image image;
	const char *why = NULL;

	assert_int_equal(elf_parse(&image, file, sizeof(file), &why), -ENOEXEC);
	assert_non_null(strstr(why, expected));
	assert_int_equal(elf_parse(&image, file, sizeof(file), NULL), -ENOEXEC);
}

static void test_parse(void **state)
{
	struct elf_image image;
	const char *why = NULL;

	(void)state;
	file_make();
	assert_true(elf_detect(file, sizeof(file)));
	assert_false(elf_detect(file, 3));
	assert_int_equal(elf_parse(&image, file, sizeof(file), &why), 0);
	assert_int_equal(image.segments, 2);
	assert_int_equal(image.paddr_start, TEXT_AT);
	assert_int_equal(image.paddr_end, TEXT_AT + 0x4000);
	assert_true(image.vaddr_start == BASE + TEXT_AT);
	assert_true(image.vaddr_end == BASE + TEXT_AT + 0x4000);
	assert_int_equal(image.segment[1].flags, PF_R | PF_W);
	assert_ptr_equal(image.segment[1].data, file + 0x1800);
}

#define REFUSED(change, why) \
	do { \
		file_make(); \
		change; \
		check_refused(why); \
	} while (0)

static void test_refused(void **state)
{
	struct elf_image image;

	(void)state;
	REFUSED(file[0] = 0, "not an ELF");
	REFUSED(ehdr()->e_ident[EI_CLASS] = ELFCLASS32, "64-bit");
	REFUSED(ehdr()->e_ident[EI_DATA] = ELFDATA2MSB, "64-bit");
	REFUSED(ehdr()->e_machine = EM_386, "64-bit");
	REFUSED(ehdr()->e_type = ET_REL, "executable");
	REFUSED(ehdr()->e_phentsize = 32, "program headers");
	REFUSED(ehdr()->e_phoff = FILE_SIZE - 3 * 56 + 1, "program headers");
	REFUSED(ehdr()->e_phoff = UINT64_MAX - 10, "program headers");
	REFUSED(ehdr()->e_phnum = 65535, "program headers");
	REFUSED(ehdr()->e_phnum = 0, "nothing to load");
	REFUSED(phdr(0)->p_filesz = 0x801, "outside");
	REFUSED(phdr(1)->p_offset = FILE_SIZE - 0x700 + 1, "outside");
	REFUSED(phdr(1)->p_offset = UINT64_MAX - 0x100, "outside");
	REFUSED(phdr(1)->p_paddr = UINT64_MAX - 0x2fff + 1, "wraps");
	REFUSED(phdr(1)->p_vaddr = UINT64_MAX - 0x2ffe + 1, "wraps");
	REFUSED(phdr(0)->p_memsz = 0x1001, "overlap");
	REFUSED(phdr(1)->p_paddr = TEXT_AT, "overlap");
	file_make();
	assert_int_equal(elf_parse(&image, file, 60, NULL), -ENOEXEC);
	/* Unusable section headers are no reason to refuse. */
	ehdr()->e_shoff = UINT64_MAX - 3;
	assert_int_equal(elf_parse(&image, file, sizeof(file), NULL), 0);
	assert_int_equal(image.shoff, 0);
}

static u8 memory[0x4000];
static int writes_left;

static int memory_write(void *ctx, u64 address, const void *src, size_t len)
{
	assert_ptr_equal(ctx, memory);
	assert_true(address <= sizeof(memory) && len > 0 && len <= sizeof(memory) - address);
	if (writes_left-- == 0)
		return -ENOMEM;
	if (src == NULL)
		memset(memory + address, 0, len);
	else
		memcpy(memory + address, src, len);
	return 0;
}

static void test_load(void **state)
{
	const struct elf_writer writer = { .write = memory_write, .ctx = memory, .bias = 0 - TEXT_AT };
	struct elf_image image;

	(void)state;
	file_make();
	assert_int_equal(elf_parse(&image, file, sizeof(file), NULL), 0);
	memset(memory, 0xcc, sizeof(memory));
	writes_left = 100;
	assert_int_equal(elf_load(&image, &writer), 0);
	assert_memory_equal(memory, file + 0x1000, 0x800);
	assert_int_equal(memory[0x800], 0xcc);
	assert_memory_equal(memory + 0x1000, file + 0x1800, 0x700);
	for (size_t i = 0x1700; i < sizeof(memory); i++)
		assert_int_equal(memory[i], 0);
	writes_left = 2;
	assert_int_equal(elf_load(&image, &writer), -ENOMEM);
}

static void check_notes(const struct elf_notes *n)
{
	assert_int_equal(n->present, (1U << ELF_NOTE_COUNT) - 2);
	assert_true(n->virt_base == BASE && n->entry == BASE + TEXT_AT + 0x100);
	assert_true(n->hypercall_page == BASE + TEXT_AT + 0x1000 && n->paddr_offset == 0);
	assert_true(n->init_p2m == 0x8000000000UL && n->hv_start_low == 0xffff800000000000UL);
	assert_true(n->phys32_entry == TEXT_AT + 0x200);
	assert_true(n->l1_mfn_mask == 1 && n->l1_mfn_value == 0x80);
	assert_true(n->suspend_cancel && n->mod_start_pfn && n->bsd_symtab);
	assert_int_equal(n->features_required, 1);
	assert_int_equal(n->features_supported, 0x8811);
	assert_false(n->features_unknown_required);
	assert_string_equal(n->guest_os, "linux");
	assert_string_equal(n->guest_version, "2.6");
	assert_string_equal(n->xen_version, "xen-3.0");
	assert_string_equal(n->loader, "generic");
	assert_string_equal(n->pae_mode, "yes");
}

static void test_notes(void **state)
{
	struct elf_image image;
	struct elf_notes notes;
	u16 odd = 3;

	(void)state;
	file_make();
	assert_int_equal(elf_parse(&image, file, sizeof(file), NULL), 0);
	assert_int_equal(elf_notes_read(&image, &notes), 0);
	notes_make();
	assert_int_equal(elf_notes_read(&image, &notes), 18);
	check_notes(&notes);
	/* From the section, if there is no note segment. */
	phdr(2)->p_type = PT_NULL;
	assert_int_equal(elf_notes_read(&image, &notes), 18);
	check_notes(&notes);
	/* Malformed ones are left out. */
	file_make();
	note_add(ELF_NOTE_ENTRY, &odd, 2);
	note_add_u64(ELF_NOTE_L1_MFN_VALID, 1);
	note_add_text(ELF_NOTE_FEATURES, "!made_up");
	note_add_text(ELF_NOTE_LOADER, "a name that is much too long for the field it has");
	assert_int_equal(elf_notes_read(&image, &notes), 2);
	assert_true(notes.features_unknown_required);
	assert_string_equal(notes.loader, "a name that is much too long fo");
	assert_int_equal(notes.present, 1U << ELF_NOTE_LOADER | 1U << ELF_NOTE_FEATURES);
}

static void check_layout(const char *expected)
{
	struct elf_image image;
	struct elf_notes notes;
	struct elf_pv_layout layout;
	const char *why = NULL;
	int ret;

	assert_int_equal(elf_parse(&image, file, sizeof(file), NULL), 0);
	elf_notes_read(&image, &notes);
	ret = elf_pv_layout_get(&image, &notes, &layout, &why);
	if (expected == NULL) {
		assert_int_equal(ret, 0);
	} else {
		assert_int_equal(ret, -ENOEXEC);
		assert_non_null(strstr(why, expected));
	}
}

static void test_layout(void **state)
{
	struct elf_image image;
	struct elf_notes notes;
	struct elf_pv_layout l;

	(void)state;
	file_make();
	check_layout("no Xen notes");
	notes_make();
	assert_int_equal(elf_parse(&image, file, sizeof(file), NULL), 0);
	elf_notes_read(&image, &notes);
	assert_int_equal(elf_pv_layout_get(&image, &notes, &l, NULL), 0);
	assert_true(l.virt_base == BASE && l.kernel_start == BASE + TEXT_AT && l.kernel_end == BASE + TEXT_AT + 0x4000);
	assert_true(l.entry == BASE + TEXT_AT + 0x100 && l.has_hypercall_page && l.has_init_p2m && l.load_bias == 0);
	note_add_text(ELF_NOTE_LOADER, "special");
	check_layout("loader");
	file_make();
	notes_make();
	note_add_text(ELF_NOTE_XEN_VERSION, "xen-9.9");
	check_layout("interface");
	file_make();
	notes_make();
	note_add_u64(ELF_NOTE_ENTRY, BASE);
	check_layout("entry point");
	file_make();
	notes_make();
	note_add_u64(ELF_NOTE_HYPERCALL_PAGE, BASE + TEXT_AT + 0x800);
	check_layout("hypercall page");
	file_make();
	notes_make();
	note_add_u64(ELF_NOTE_VIRT_BASE, UINT64_MAX - TEXT_AT - 0x100);
	check_layout("wrap");
	file_make();
	notes_make();
	note_add_u64(ELF_NOTE_PADDR_OFFSET, TEXT_AT + 1);
	check_layout("PADDR_OFFSET");
	/* As old kernels have it: physical addresses that are virtual ones. */
	file_make();
	notes_make();
	note_add_u64(ELF_NOTE_PADDR_OFFSET, BASE);
	phdr(0)->p_paddr += BASE;
	phdr(1)->p_paddr += BASE;
	check_layout(NULL);
	note_add_text(ELF_NOTE_FEATURES, "!made_up");
	check_layout("feature");
}

static int any_write(void *ctx, u64 address, const void *src, size_t len)
{
	volatile u8 *sum = ctx;

	(void)address;
	for (size_t i = 0; src != NULL && i < len; i++)
		*sum = (u8)(*sum + ((const u8 *)src)[i]);
	return 0;
}

/* Whatever is damaged: no access outside the file (it is on the heap, where the sanitizer watches). */
static void test_damaged(void **state)
{
	static const size_t places[] = { sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr), 0x400 + sizeof(Elf64_Shdr) };
	u8 *copy = malloc(FILE_SIZE);
	unsigned int parsed = 0;
	u8 sum = 0;
	const struct elf_writer writer = { .write = any_write, .ctx = &sum };

	(void)state;
	for (int round = 0; round < 30000; round++) {
		struct elf_image image;
		struct elf_notes notes;
		struct elf_pv_layout layout;
		size_t size = rand() % 8 == 0 ? (size_t)rand() % FILE_SIZE : FILE_SIZE;

		file_make();
		notes_make();
		for (int flips = rand() % 4; flips >= 0; flips--) {
			size_t at = rand() % 2 ? (size_t)rand() % places[0] : (size_t)rand() % 2 ?
				    NOTES_AT + (size_t)rand() % notes_len : 0x400 + (size_t)rand() % 64;

			file[at] = rand() % 2 ? (u8)rand() : (u8)(file[at] ^ 1 << rand() % 8);
		}
		copy = realloc(copy, size + 1);
		memcpy(copy + 1, file, size); /* odd alignment, too */
		if (elf_parse(&image, copy + 1, size, NULL) != 0)
			continue;
		parsed++;
		assert_int_equal(elf_load(&image, &writer), 0);
		elf_notes_read(&image, &notes);
		if (elf_pv_layout_get(&image, &notes, &layout, NULL) == 0)
			assert_true(layout.entry >= layout.kernel_start && layout.entry < layout.kernel_end);
	}
	assert_true(parsed > 1000);
	free(copy);
}

static void bzimage_make(u8 *image)
{
	memset(image, 0, 4096);
	image[0x1f1] = 1;
	image[0x1fe] = 0x55;
	image[0x1ff] = 0xaa;
	memcpy(image + 0x202, "HdrS", 4);
	image[0x206] = 0x0f;
	image[0x207] = 0x02;
	image[0x20e] = 0x60; /* text at 0x260 */
	image[0x211] = 1;
	strcpy((char *)image + 0x260, "6.1.0 (x)");
	image[0x248] = 0x10;
	image[0x24c] = 0x20;
	image[1024 + 0x10 + 0x20 - 3] = 0x12;
}

static void test_bzimage(void **state)
{
	u8 *image = malloc(4096);
	struct bzimage out;
	const char *why;

	(void)state;
	bzimage_make(image);
	assert_int_equal(bzimage_parse(&out, image, 4096, &why), 0);
	assert_ptr_equal(out.payload, image + 1024 + 0x10);
	assert_int_equal(out.payload_size, 0x20);
	assert_int_equal(out.unpacked_size, 0x1200);
	assert_string_equal(out.version, "6.1.0 (x)");
	assert_int_equal(bzimage_parse(&out, image, 1024 + 0x30, &why), 0);
	assert_int_equal(bzimage_parse(&out, image, 1024 + 0x2f, &why), -ENOEXEC);
	assert_int_equal(bzimage_parse(&out, image, 0x24f, &why), -ENOEXEC);
	image[0x24f] = 0xff;
	assert_int_equal(bzimage_parse(&out, image, 4096, &why), -ENOEXEC);
	bzimage_make(image);
	image[0x206] = 0x07;
	assert_int_equal(bzimage_parse(&out, image, 4096, &why), -ENOEXEC);
	for (int i = 0; i < 20000; i++) {
		size_t size = 0x250 + (size_t)rand() % (4096 - 0x250);
		u8 *cut;

		bzimage_make(image);
		for (int k = 0; k < 3; k++)
			image[0x1f1 + (size_t)rand() % 0x70] = (u8)rand();
		cut = malloc(size);
		memcpy(cut, image, size);
		if (bzimage_parse(&out, cut, size, NULL) == 0)
			assert_true((const u8 *)out.payload >= cut &&
				    (const u8 *)out.payload + out.payload_size <= cut + size);
		free(cut);
	}
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_refused), cmocka_unit_test(test_load),
		cmocka_unit_test(test_notes), cmocka_unit_test(test_layout), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_bzimage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
