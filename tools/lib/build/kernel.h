/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonbuild: a kernel as the pages that have to be in its memory, whatever file it came from. */
#ifndef BUILD_KERNEL_H
#define BUILD_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ull
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define KERNEL_FILE_MAX (256ull << 20) /* bytes, also of what is unpacked */
#define KERNEL_SPAN_MAX (1024ull << 20) /* from its first to its last byte in memory */

/* What the headers and notes say. Addresses without another word are virtual. Written to cache files as it is. */
struct kernel_info {
	uint64_t virt_base; /* of pseudo-physical 0 */
	uint64_t start, end; /* pseudo-physical, of all segments; end exclusive */
	uint64_t entry, hypercall_page, init_p2m;
	uint32_t features, features_required;
	uint8_t has_hypercall_page, has_init_p2m, mod_start_pfn, suspend_cancel;
	char guest_os[32], guest_version[32], loader[32];
};

struct kernel {
	struct kernel_info info;
	/* Pages with contents, ascending. Of the others between start and end, those in zero are cleared. */
	uint32_t *content; /* pfns */
	uint32_t content_count;
	uint32_t *zero;
	uint32_t zero_count;
	/* Contents of content[i]: at page[i], or when page is NULL at byte offset + i * PAGE_SIZE of fd. */
	const uint8_t **page;
	int fd;
	uint64_t offset;
	/* What page points into. */
	uint8_t *file;
	uint8_t *edges;
};

/* Find what a kernel is made of in an ELF file. file is only referred to. @param name for messages. 0 or -errno, reason set */
int kernel_parse(const uint8_t *file, size_t bytes, const char *name, struct kernel *out);
void kernel_free(struct kernel *kernel);

/* ---- ELF and its notes ---- */
#define ELF_SEGMENTS_MAX 32

struct elf_segment {
	uint64_t paddr, file_bytes, memory_bytes;
	const uint8_t *data; /* file_bytes of them */
};

struct elf {
	const uint8_t *file;
	size_t bytes;
	uint64_t entry;
	unsigned int segments;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
};

bool elf_detect(const uint8_t *file, size_t bytes);
/* All that it points to lies in the file. 0 or -ENOEXEC, reason set */
int elf_parse(const uint8_t *file, size_t bytes, const char *name, struct elf *out);

struct elf_notes {
	bool any, has_entry, has_phys32_entry, unknown_required;
	char unknown_feature[48];
	char xen_version[32];
	uint64_t paddr_offset;
	struct kernel_info info; /* start, end are not filled in */
};
void elf_notes_read(const struct elf *elf, struct elf_notes *out);

/* ---- Packed files ---- */
/*
 * Take off what a kernel is wrapped in: compression and bzImage. @param file the bytes, *owned: their memory, NULL if it is
 * another's. On success both may be replaced; what was owned is freed then. 0 or -errno, reason set
 */
int kernel_unwrap(const uint8_t **file, size_t *bytes, uint8_t **owned, const char *name);

/* Is this one of the formats below? Its name, or NULL. */
const char *decompress_detect(const uint8_t *data, size_t bytes);
/* @param hint expected size, 0: unknown. 0 or -errno, reason set */
int decompress(const uint8_t *data, size_t bytes, size_t hint, const char *name, uint8_t **out, size_t *out_bytes);

/* ---- Files ---- */
/* A whole file of at most limit bytes. @param what "kernel". 0 or -errno, reason set */
int file_read(const char *path, const char *what, size_t limit, uint8_t **out, size_t *bytes);
/* Exactly that many bytes. 0, -EIO when the file ends before, or another -errno; no reason */
int pread_exactly(int fd, void *buffer, size_t bytes, uint64_t offset);
int pwrite_exactly(int fd, const void *buffer, size_t bytes, uint64_t offset);

/* ---- The cache of unpacked kernels ---- */
/* Looks for the kernel whose packed file is open at fd. 0 with *out filled in, or -ENOENT */
int cache_lookup(const char *directory, int fd, struct kernel *out);
/* Remembers a kernel, which was made from file. Makes the directory when there is none. */
void cache_store(const char *directory, const uint8_t *file, size_t bytes, const struct kernel *kernel);

#endif
