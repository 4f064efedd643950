/* SPDX-License-Identifier: BSD-2-Clause */
/* Core dumps of PV domains, in the ELF form of xen-doc's misc/dump-core-format. The domain goes on meanwhile. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/xen.h>

#include "argon/dev.h"
#include "argon/migrate.h"
#include "argon/reason.h"
#include "internal.h"

#define MAGIC_PV 0xf00febedul
#define BATCH 256u
#define PAGE DEV_PAGE_SIZE

struct note_header {
	Elf64_Nhdr head;
	char name[4];
	uint64_t magic, vcpus, pages, page_size;
};

struct note_version {
	Elf64_Nhdr head;
	char name[4];
	uint64_t major, minor;
	char extra[16], compiler[64], compile_by[16], compile_domain[32], compile_date[32], capabilities[1024], changeset[64];
	uint64_t virt_start, page_size;
};

struct notes {
	struct {
		Elf64_Nhdr head;
		char name[4];
	} none;
	struct note_header header;
	struct note_version version;
	struct {
		Elf64_Nhdr head;
		char name[4];
		uint64_t version;
	} format;
} __attribute__((packed));

struct p2m_entry {
	uint64_t pfn, frame;
};

/* Sections in the order of the file. */
enum { SECTION_NULL, SECTION_NAMES, SECTION_NOTE, SECTION_STATUS, SECTION_SHARED, SECTION_P2M, SECTION_PAGES, SECTIONS };
static const char section_names[] = "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_shared_info\0.xen_p2m\0.xen_pages";

struct dump {
	struct ctrl *ctrl;
	void *shared;
	const char *path;
	int fd;
	uint32_t domid, vcpus;
	struct vcpu_guest_context *contexts;
	struct p2m_entry *p2m;
	uint64_t pages;
	struct notes notes;
};

static int bytes_put(struct dump *d, const void *bytes, size_t size, uint64_t at)
{
	const char *p = bytes;
	ssize_t n;

	while (size > 0) {
		n = pwrite(d->fd, p, size, (off_t)at);
		if (n < 0)
			return reason_set(errno, "%s: %s", d->path, strerror(errno));
		p += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* ---- what is written ---- */

static int collect(struct dump *d)
{
	uint64_t *frames = NULL;
	int64_t pfn, count = migrate_frames(d->ctrl, d->domid, &frames);
	uint32_t i;
	int err = 0;

	if (count < 0)
		return reason_prefix((int)count, "the domain's memory cannot be read: ");
	d->contexts = calloc(d->vcpus, sizeof(*d->contexts));
	d->p2m = calloc((size_t)count + 1, sizeof(*d->p2m));
	if (d->contexts == NULL || d->p2m == NULL)
		err = reason_set(ENOMEM, "out of memory");
	for (i = 0; i < d->vcpus && err == 0; i++) {
		err = ctrl_vcpu_get_context(d->ctrl, d->domid, i, &d->contexts[i]);
		/* One that was never started has none. */
		if (err == -ENODATA || err == -ENOENT || err == -EINVAL)
			err = 0;
	}
	for (pfn = 0; pfn < count && err == 0; pfn++) {
		if (frames[pfn] != UINT64_MAX)
			d->p2m[d->pages++] = (struct p2m_entry){ (uint64_t)pfn, frames[pfn] };
	}
	free(frames);
	return err;
}

static Elf64_Nhdr note_head(size_t size, uint32_t type)
{
	return (Elf64_Nhdr){ .n_namesz = 4, .n_descsz = (Elf64_Word)size, .n_type = type };
}

static int notes_fill(struct dump *d)
{
	struct notes *n = &d->notes;
	struct ctrl_version v;
	int err = ctrl_version(d->ctrl, &v);

	if (err != 0)
		return err;
	n->none.head = note_head(0, XEN_ELFNOTE_DUMPCORE_NONE);
	n->header.head = note_head(4 * sizeof(uint64_t), XEN_ELFNOTE_DUMPCORE_HEADER);
	n->version.head = note_head(sizeof(n->version) - offsetof(struct note_version, major), XEN_ELFNOTE_DUMPCORE_XEN_VERSION);
	n->format.head = note_head(sizeof(uint64_t), XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION);
	memcpy(n->none.name, "Xen", 4);
	memcpy(n->header.name, "Xen", 4);
	memcpy(n->version.name, "Xen", 4);
	memcpy(n->format.name, "Xen", 4);
	n->header.magic = MAGIC_PV;
	n->header.vcpus = d->vcpus;
	n->header.pages = d->pages;
	n->header.page_size = PAGE;
	n->version.major = v.major;
	n->version.minor = v.minor;
	memcpy(n->version.extra, v.extra, sizeof(n->version.extra));
	memcpy(n->version.compiler, v.compiler, sizeof(n->version.compiler));
	memcpy(n->version.compile_by, v.compile_by, sizeof(n->version.compile_by));
	memcpy(n->version.compile_domain, v.compile_domain, sizeof(n->version.compile_domain));
	memcpy(n->version.compile_date, v.compile_date, sizeof(n->version.compile_date));
	memcpy(n->version.capabilities, v.capabilities, sizeof(n->version.capabilities));
	memcpy(n->version.changeset, v.changeset, sizeof(n->version.changeset));
	n->version.virt_start = v.virt_start;
	n->version.page_size = v.page_size;
	n->format.version = 1;
	return 0;
}

/* ---- the file ---- */

static void section_set(Elf64_Shdr *s, uint32_t name, uint32_t type, uint64_t at, uint64_t size, uint64_t entry)
{
	*s = (Elf64_Shdr){ .sh_name = name, .sh_type = type, .sh_offset = at, .sh_size = size, .sh_entsize = entry,
			   .sh_addralign = type == SHT_PROGBITS ? 8 : 4 };
}

static uint64_t aligned(uint64_t at, uint64_t to)
{
	return (at + to - 1) / to * to;
}

static void sections_place(const struct dump *d, Elf64_Shdr s[SECTIONS])
{
	uint64_t at = sizeof(Elf64_Ehdr) + SECTIONS * sizeof(Elf64_Shdr);

	section_set(&s[SECTION_NULL], 0, SHT_NULL, 0, 0, 0);
	section_set(&s[SECTION_NAMES], 1, SHT_STRTAB, at, sizeof(section_names), 0);
	at = aligned(at + sizeof(section_names), 8);
	section_set(&s[SECTION_NOTE], 11, SHT_NOTE, at, sizeof(d->notes), 0);
	at = aligned(at + sizeof(d->notes), 8);
	section_set(&s[SECTION_STATUS], 21, SHT_PROGBITS, at, d->vcpus * sizeof(*d->contexts), sizeof(*d->contexts));
	at = aligned(at + s[SECTION_STATUS].sh_size, 8);
	section_set(&s[SECTION_SHARED], 35, SHT_PROGBITS, at, PAGE, PAGE);
	at += PAGE;
	section_set(&s[SECTION_P2M], 52, SHT_PROGBITS, at, d->pages * sizeof(*d->p2m), sizeof(*d->p2m));
	at = aligned(at + s[SECTION_P2M].sh_size, PAGE);
	section_set(&s[SECTION_PAGES], 61, SHT_PROGBITS, at, d->pages * PAGE, PAGE);
	s[SECTION_PAGES].sh_addralign = PAGE;
}

/* Pages without contents, and those that cannot be mapped, are holes in the file. */
static int batch_put(struct dump *d, uint64_t first, uint64_t count, uint64_t at)
{
	static const char zero[PAGE];
	uint64_t frames[BATCH], i;
	int errors[BATCH], err = 0;
	char *pages;

	for (i = 0; i < count; i++)
		frames[i] = d->p2m[first + i].frame;
	pages = dev_map(ctrl_dev(d->ctrl), d->domid, PROT_READ, count, frames, errors);
	if (pages == NULL)
		return -errno;
	for (i = 0; i < count && err == 0; i++) {
		if (errors[i] == 0 && memcmp(pages + i * PAGE, zero, PAGE) != 0)
			err = bytes_put(d, pages + i * PAGE, PAGE, at + (first + i) * PAGE);
	}
	dev_unmap(ctrl_dev(d->ctrl), pages, count);
	return err;
}

static int file_fill(struct dump *d)
{
	Elf64_Shdr sections[SECTIONS];
	Elf64_Ehdr head = { .e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_shoff = sizeof(head),
			    .e_ehsize = sizeof(head), .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SECTIONS,
			    .e_shstrndx = SECTION_NAMES };
	uint64_t first, count;
	int err;

	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = ELFCLASS64;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	head.e_ident[EI_VERSION] = EV_CURRENT;
	sections_place(d, sections);
	err = bytes_put(d, &head, sizeof(head), 0);
	if (err == 0)
		err = bytes_put(d, sections, sizeof(sections), head.e_shoff);
	if (err == 0)
		err = bytes_put(d, section_names, sizeof(section_names), sections[SECTION_NAMES].sh_offset);
	if (err == 0)
		err = bytes_put(d, &d->notes, sizeof(d->notes), sections[SECTION_NOTE].sh_offset);
	if (err == 0)
		err = bytes_put(d, d->contexts, sections[SECTION_STATUS].sh_size, sections[SECTION_STATUS].sh_offset);
	if (err == 0)
		err = bytes_put(d, d->shared, PAGE, sections[SECTION_SHARED].sh_offset);
	if (err == 0)
		err = bytes_put(d, d->p2m, sections[SECTION_P2M].sh_size, sections[SECTION_P2M].sh_offset);
	for (first = 0; first < d->pages && err == 0; first += count) {
		count = d->pages - first < BATCH ? d->pages - first : BATCH;
		err = batch_put(d, first, count, sections[SECTION_PAGES].sh_offset);
	}
	/* The last page may have been a hole. */
	if (err == 0 && ftruncate(d->fd, (off_t)(sections[SECTION_PAGES].sh_offset + d->pages * PAGE)) != 0)
		err = reason_set(errno, "%s: %s", d->path, strerror(errno));
	return err;
}

static void folder_make(const char *path)
{
	if (strncmp(path, DOMAIN_DUMP_DIR "/", sizeof(DOMAIN_DUMP_DIR)) == 0) {
		(void)mkdir("/var/lib/xen", 0755);
		(void)mkdir(DOMAIN_DUMP_DIR, 0700);
	}
}

static int dump_write(struct dump *d)
{
	int err = collect(d);

	if (err == 0)
		err = notes_fill(d);
	if (err != 0)
		return err;
	folder_make(d->path);
	d->fd = open(d->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (d->fd < 0)
		return reason_set(errno, "%s: %s", d->path, strerror(errno));
	err = file_fill(d);
	if (close(d->fd) != 0 && err == 0)
		err = reason_set(errno, "%s: %s", d->path, strerror(errno));
	if (err != 0)
		unlink(d->path);
	return err;
}

int domain_dump(struct host *host, uint32_t domid, const char *path)
{
	struct dump d = { .path = path, .domid = domid };
	struct ctrl_domain_info info;
	int err = host_ctrl(host, &d.ctrl);

	if (err == 0)
		err = ctrl_domain_info(d.ctrl, domid, &info);
	if (err != 0)
		return err;
	d.vcpus = info.max_vcpu_id + 1;
	d.shared = dev_map(ctrl_dev(d.ctrl), domid, PROT_READ, 1, &info.shared_info_frame, NULL);
	if (d.shared == NULL)
		return reason_prefix(-errno, "the domain's shared page cannot be read: ");
	err = dump_write(&d);
	dev_unmap(ctrl_dev(d.ctrl), d.shared, 1);
	free(d.contexts);
	free(d.p2m);
	return err;
}
