/* SPDX-License-Identifier: BSD-2-Clause */
/* libargonbuild on a simulated machine: what a domain finds in its memory, whatever kernel and sizes; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/grant_table.h>

#include "argon/build.h"
#include "argon/reason.h"
#include "tests/tools/sim/elf_make.h"
#include "tests/tools/sim/sim.h"
#include "test_build.h"

#define PAGE 4096ull

int files_make(const char *name, const void *data, size_t bytes, char *path)
{
	FILE *f;

	sprintf(path, "/tmp/build_test.%d.%s", (int)getpid(), name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, bytes, f), bytes);
	return fclose(f);
}

void world_make(struct world *w, uint64_t frames)
{
	memset(w, 0, sizeof(*w));
	w->sim = sim_new(frames);
	w->dev = sim_dev(w->sim);
	assert_int_equal(ctrl_open_dev(w->dev, &w->ctrl), 0);
}

void world_free(struct world *w)
{
	build_image_close(w->image);
	ctrl_close(w->ctrl);
	dev_close(w->dev);
	assert_int_equal(w->sim->mappings, 0);
	assert_int_equal(w->sim->buffers, 0);
	sim_free(w->sim);
}

int world_build(struct world *w, const struct elf_spec *spec, const char *ramdisk, const struct build_config *config)
{
	struct ctrl_domain_create create = { .max_vcpus = 128, .max_grant_frames = -1, .max_maptrack_frames = -1 };
	uint8_t *file;
	size_t bytes = elf_make(spec, &file);
	int rc;

	build_image_close(w->image);
	w->image = NULL;
	rc = build_image_memory(file, bytes, "test", ramdisk, &w->image);
	free(file);
	if (rc)
		return rc;
	assert_int_equal(ctrl_domain_create(w->ctrl, &create, 0, &w->domid), 0);
	return build_pv(w->ctrl, w->domid, w->image, config, &w->built);
}

/* A page of the domain by its virtual address; it must be mapped. */
static uint8_t *at(const struct world *w, uint64_t address)
{
	uint64_t mfn = sim_walk(w->sim, w->domid, address, NULL);

	assert_int_not_equal(mfn, 0);
	return sim_page(w->sim, mfn) + address % PAGE;
}

static const struct start_info *start_info(const struct world *w)
{
	return (const struct start_info *)at(w, w->built.start_info);
}

/* The P2M list names each page of the domain once, in the order of the machine-to-physical table. */
static void p2m_check(const struct world *w, uint64_t pages)
{
	const struct start_info *si = start_info(w);

	assert_int_equal(si->nr_pages, pages);
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t mfn = *(const uint64_t *)at(w, si->mfn_list + i * 8);

		assert_non_null(sim_page(w->sim, mfn));
		assert_int_equal(w->sim->owner[mfn - SIM_FIRST_MFN], w->domid);
		assert_int_equal(w->sim->m2p[mfn - SIM_FIRST_MFN], i);
	}
}

/* Every page of the first region is mapped at its place; page tables are read-only, the rest is writable. */
static void region_check(const struct world *w, uint64_t base)
{
	const struct start_info *si = start_info(w);
	uint64_t stack = w->sim->domain[w->domid].context.user_regs.rsp, entry;

	assert_int_equal(stack % PAGE, 0);
	for (uint64_t va = base; va < stack; va += PAGE) {
		bool table = va >= si->pt_base && va < si->pt_base + si->nr_pt_frames * PAGE;
		uint64_t mfn = sim_walk(w->sim, w->domid, va, &entry);

		assert_int_not_equal(mfn, 0);
		assert_int_equal(w->sim->m2p[mfn - SIM_FIRST_MFN], (va - base) / PAGE);
		assert_int_equal((entry & 2) != 0, !table);
	}
}

static void kernel_check(const struct world *w, const struct elf_spec *s)
{
	uint64_t base = s->virt_base ? s->virt_base : 0xffffffff80000000ull;
	uint64_t text = base + (s->paddr ? s->paddr : 0x100000) - s->paddr_offset, bytes = s->text_bytes ? s->text_bytes : 10000;
	uint64_t data = text + (bytes + PAGE - 1) / PAGE * PAGE, hypercalls = s->hypercall_page ? text + PAGE : 0;

	for (uint64_t i = 0; i < bytes; i++)
		if ((text + i) / PAGE != hypercalls / PAGE)
			assert_int_equal(*at(w, text + i), elf_pattern(i));
	for (uint64_t i = bytes; i % PAGE; i++)
		assert_int_equal(*at(w, text + i), 0);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(*at(w, data + i), 'd');
	for (uint64_t i = 100; i < 100 + s->bss_bytes; i++)
		assert_int_equal(*at(w, data + i), 0);
	if (hypercalls)
		assert_int_equal(*at(w, hypercalls), 0xcc);
}

static void rings_check(const struct world *w)
{
	const struct sim_domain *d = &w->sim->domain[w->domid];
	const struct start_info *si = start_info(w);
	const struct grant_entry_v1 *grants = (const void *)sim_page(w->sim, d->grant_mfn);

	assert_int_equal(si->store_mfn, w->built.store_frame);
	assert_int_equal(si->console.domU.mfn, w->built.console_frame);
	assert_int_equal(si->store_evtchn, w->built.store_port);
	assert_int_equal(si->console.domU.evtchn, w->built.console_port);
	assert_int_not_equal(si->store_evtchn, si->console.domU.evtchn);
	for (uint64_t i = 0; i < PAGE; i++) {
		assert_int_equal(sim_page(w->sim, si->store_mfn)[i], 0);
		assert_int_equal(sim_page(w->sim, si->console.domU.mfn)[i], 0);
	}
	assert_int_equal(grants[GNTTAB_RESERVED_CONSOLE].frame, si->console.domU.mfn);
	assert_int_equal(grants[GNTTAB_RESERVED_XENSTORE].frame, si->store_mfn);
	assert_int_equal(grants[GNTTAB_RESERVED_XENSTORE].flags, GTF_permit_access);
	assert_int_equal(si->shared_info, d->shared_mfn * PAGE);
}

static void all_check(const struct world *w, const struct elf_spec *s, uint64_t pages)
{
	const struct sim_domain *d = &w->sim->domain[w->domid];

	assert_true(d->context_set);
	assert_int_equal(d->pages, pages);
	assert_int_equal(d->context.user_regs.rsi, w->built.start_info);
	assert_int_equal(d->context.user_regs.rip, w->built.entry);
	p2m_check(w, pages);
	region_check(w, s->virt_base ? s->virt_base : 0xffffffff80000000ull);
	kernel_check(w, s);
	rings_check(w);
	assert_string_equal(start_info(w)->magic, "xen-3.0-x86_64");
	/* A kernel that got an upcall before it has set its callbacks would die. */
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		assert_int_equal(((struct shared_info *)sim_page(w->sim, d->shared_mfn))->vcpu_info[i].evtchn_upcall_mask, 1);
}

static void test_tiny(void **state)
{
	struct build_config config = { .memory_kib = 8192, .command_line = "a=b c", .claim = true, .console_domid = 3 };
	struct elf_spec spec = { .hypercall_page = 1, .bss_bytes = 100000 };
	struct world w;

	(void)state;
	world_make(&w, 8192);
	assert_int_equal(world_build(&w, &spec, NULL, &config), 0);
	all_check(&w, &spec, 2048);
	assert_string_equal((const char *)start_info(&w)->cmd_line, "a=b c");
	assert_int_equal(start_info(&w)->mod_len, 0);
	assert_int_equal(w.sim->domain[w.domid].remote[w.built.console_port], 3);
	assert_int_equal(w.sim->domain[w.domid].map_bytes, 8192 << 10);
	world_free(&w);
}

/* In few, large steps: the number of hypercalls and mappings does not grow with the number of pages. */
static void test_few_calls(void **state)
{
	struct build_config config = { .memory_kib = 8192 };
	struct elf_spec spec = { .bss_bytes = 1000000 };
	struct world w;

	(void)state;
	world_make(&w, 65536);
	assert_int_equal(world_build(&w, &spec, NULL, &config), 0);
	assert_true(w.sim->hypercalls < 25);
	assert_int_equal(w.sim->map_calls, 3); /* its contents, its shared page, its grant table */
	config.memory_kib = 128 << 10;
	w.sim->hypercalls = 0;
	assert_int_equal(world_build(&w, &spec, NULL, &config), 0);
	assert_true(w.sim->hypercalls < 25);
	world_free(&w);
}

/* As Linux asks for it: the ramdisk unmapped, the list of frames at its own address. */
static void test_linux(void **state)
{
	struct build_config config = { .memory_kib = 40 << 10, .vcpus = 128, .max_memory_kib = 64 << 10 };
	struct elf_spec spec = { .paddr = 0x1000000, .init_p2m = 0x8000000000, .unmapped_ramdisk = 1, .text_bytes = 300000,
				 .bss_bytes = 2000000, .features = "!writable_page_tables|pae_pgdir_above_4gb" };
	static uint8_t ramdisk[3 * 4096 + 5];
	const struct start_info *si;
	struct world w;
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(ramdisk); i++)
		ramdisk[i] = (uint8_t)(i * 3 + 1);
	files_make("ramdisk", ramdisk, sizeof(ramdisk), path);
	world_make(&w, 32768);
	assert_int_equal(world_build(&w, &spec, path, &config), 0);
	all_check(&w, &spec, 10240);
	si = start_info(&w);
	assert_int_equal(si->mfn_list, 0x8000000000);
	assert_int_equal(si->nr_p2m_frames, 20 + 3);
	assert_true(si->flags & SIF_MOD_START_PFN);
	assert_int_equal(si->mod_len, sizeof(ramdisk));
	assert_int_equal(sim_walk(w.sim, w.domid, 0xffffffff80000000ull + si->mod_start * PAGE, NULL), 0);
	for (size_t i = 0; i < 4 * PAGE; i++) {
		uint64_t mfn = *(const uint64_t *)at(&w, si->mfn_list + (si->mod_start + i / PAGE) * 8);

		assert_int_equal(sim_page(w.sim, mfn)[i % PAGE], i < sizeof(ramdisk) ? ramdisk[i] : 0);
	}
	assert_int_equal(w.sim->domain[w.domid].map_bytes, 64 << 20);
	assert_int_equal(w.sim->domain[w.domid].max_pages, 16384);
	assert_int_equal(w.sim->domain[w.domid].vcpus, 128);
	world_free(&w);
	unlink(path);
}

/* The old way: ramdisk and list in the first region. And a base in the lower half, segments with an offset. */
static void test_old(void **state)
{
	struct build_config config = { .memory_kib = 12 << 10 };
	struct elf_spec spec = { .virt_base = 0x40000000, .paddr = 0x40200000, .paddr_offset = 0x40000000, .text_bytes = 5000 };
	static uint8_t ramdisk[5000];
	const struct start_info *si;
	struct world w;
	char path[64];

	(void)state;
	memset(ramdisk, 'r', sizeof(ramdisk));
	files_make("ramdisk", ramdisk, sizeof(ramdisk), path);
	world_make(&w, 32768);
	w.sim->no_large = true;
	w.sim->no_resources = true;
	assert_int_equal(world_build(&w, &spec, path, &config), 0);
	all_check(&w, &spec, 3072);
	si = start_info(&w);
	assert_false(si->flags & SIF_MOD_START_PFN);
	for (size_t i = 0; i < 2 * PAGE; i++)
		assert_int_equal(*at(&w, si->mod_start + i), i < sizeof(ramdisk) ? 'r' : 0);
	assert_int_equal(si->nr_p2m_frames, 0);
	world_free(&w);
	unlink(path);
}

/* Every size around the least one: built right, or refused with the number that does it. */
static void test_sizes(void **state)
{
	struct elf_spec spec = { .bss_bytes = 12345 };
	uint64_t least = 0;
	struct world w;

	(void)state;
	world_make(&w, 2048);
	for (uint64_t kib = 1024 + 4; kib < 6 << 10; kib += 4 * (kib < 1300 ? 1 : 97)) {
		struct build_config config = { .memory_kib = kib };
		int rc = world_build(&w, &spec, NULL, &config);

		if (!least)
			least = build_memory_least(w.image);
		assert_int_equal(rc, kib < least ? -ENOMEM : 0);
		if (rc)
			assert_non_null(strstr(reason_get(), "give the domain at least 2 MiB"));
		else
			all_check(&w, &spec, kib / 4);
		assert_int_equal(ctrl_domain_destroy(w.ctrl, w.domid), 0);
		assert_int_equal(w.sim->used, 0);
	}
	world_free(&w);
}

static void refuse(const struct elf_spec *spec, const char *text)
{
	struct build_config config = { .memory_kib = 16 << 10 };
	struct world w;
	int rc;

	world_make(&w, 16384);
	rc = world_build(&w, spec, NULL, &config);
	if (rc == 0 || !strstr(reason_get(), text))
		fail_msg("%d: \"%s\", not: %s", rc, reason_get(), text);
	world_free(&w);
}

static void test_refused(void **state)
{
	(void)state;
	refuse(&(struct elf_spec){ .no_notes = 1 }, "has no Xen notes");
	refuse(&(struct elf_spec){ .pvh_only = 1 }, "PVH guest only");
	refuse(&(struct elf_spec){ .loader = "special" }, "loader \"special\"");
	refuse(&(struct elf_spec){ .features = "!flux_capacitor" }, "requires the feature \"flux_capacitor\"");
	refuse(&(struct elf_spec){ .features = "x|!auto_translated_physmap" }, "requires feature 2");
	refuse(&(struct elf_spec){ .entry_offset = 1 << 30 }, "entry point outside");
	refuse(&(struct elf_spec){ .virt_base = 0xffff800000000000 }, "addresses that cannot be had");
	refuse(&(struct elf_spec){ .virt_base = 0x800000000000 }, "addresses that cannot be had");
	refuse(&(struct elf_spec){ .init_p2m = 0xffff800000000000 }, "addresses that cannot be had");
	refuse(&(struct elf_spec){ .init_p2m = 0xffffffff00000000 }, "addresses that cannot be had");
	refuse(&(struct elf_spec){ .init_p2m = 0x8000000001 }, "INIT_P2M");
	refuse(&(struct elf_spec){ .virt_base = 0xffffffff80000800 }, "virtual base");
	refuse(&(struct elf_spec){ .paddr_offset = 0x200000 }, "below its PADDR_OFFSET");
	refuse(&(struct elf_spec){ .paddr = 2ull << 30 }, "the limit is 1024 MiB");
}

static void config_refuse(struct world *w, const struct build_config *config, int error, const char *text)
{
	struct elf_spec spec = { 0 };

	assert_int_equal(world_build(w, &spec, NULL, config), error);
	if (!strstr(reason_get(), text))
		fail_msg("\"%s\", not: %s", reason_get(), text);
	assert_int_equal(ctrl_domain_destroy(w->ctrl, w->domid), 0);
	assert_int_equal(w->sim->used, 0);
}

static void test_config_refused(void **state)
{
	static char longest[1025];
	struct world w;

	(void)state;
	memset(longest, 'x', 1024);
	world_make(&w, 4096);
	config_refuse(&w, &(struct build_config){ .memory_kib = 8192, .type = BUILD_HVM }, -EOPNOTSUPP, "HVM guests cannot");
	config_refuse(&w, &(struct build_config){ .memory_kib = 8192, .type = BUILD_PVH }, -EOPNOTSUPP, "PVH guests cannot");
	config_refuse(&w, &(struct build_config){ .memory_kib = 8192, .command_line = longest }, -E2BIG, "1023 fit");
	config_refuse(&w, &(struct build_config){ .memory_kib = 64 << 10 }, -ENOMEM, "not enough free memory: the domain needs 64 MiB");
	config_refuse(&w, &(struct build_config){ .memory_kib = 64 << 10, .claim = true }, -ENOMEM, "15 MiB are free now");
	config_refuse(&w, &(struct build_config){ .memory_kib = 8192, .vcpus = 129 }, -EINVAL, "cannot be given its vCPUs");
	config_refuse(&w, &(struct build_config){ 0 }, -EINVAL, "addresses");
	world_free(&w);
}

/* Whatever fails on the way, the error comes back, and after destroy nothing is left. */
static void test_failures(void **state)
{
	struct build_config config = { .memory_kib = 8192, .claim = true, .tsc_mode = 1 };
	struct elf_spec spec = { .hypercall_page = 1, .bss_bytes = 50000 };
	struct world w;

	(void)state;
	world_make(&w, 8192);
	for (int kind = 0; kind < 3; kind++) {
		int rc = -1, n = 0;

		while (rc && n++ < 100) {
			uint64_t *counter = kind == 0 ? &w.sim->fail_hypercall : kind == 1 ? &w.sim->fail_map : &w.sim->fail_buffer;

			*counter = 2 + (uint64_t)n; /* after physinfo and create */
			if (kind)
				*counter = (uint64_t)n;
			rc = world_build(&w, &spec, NULL, &config);
			if (!rc && *counter == 0)
				rc = -1; /* it failed in a place where that is no matter */
			else if (rc)
				assert_string_not_equal(reason_get(), "");
			*counter = 0;
			assert_int_equal(w.sim->mappings, 0);
			assert_int_equal(ctrl_domain_destroy(w.ctrl, w.domid), 0);
			assert_int_equal(w.sim->used, 0);
			if (kind == 2)
				break;
		}
		assert_true(n < 100);
	}
	world_free(&w);
}

/* The ramdisk becomes shorter between its opening and the building. */
static void test_ramdisk_shrinks(void **state)
{
	struct ctrl_domain_create create = { .max_vcpus = 1, .max_grant_frames = -1, .max_maptrack_frames = -1 };
	struct build_config config = { .memory_kib = 8192 };
	struct elf_spec spec = { 0 };
	static uint8_t data[20000];
	struct world w;
	char path[64];
	uint8_t *file;
	size_t bytes = elf_make(&spec, &file);

	(void)state;
	files_make("shrinks", data, sizeof(data), path);
	world_make(&w, 8192);
	assert_int_equal(build_image_memory(file, bytes, "test", path, &w.image), 0);
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(ctrl_domain_create(w.ctrl, &create, 0, &w.domid), 0);
	assert_int_equal(build_pv(w.ctrl, w.domid, w.image, &config, &w.built), -EIO);
	assert_non_null(strstr(reason_get(), "it became shorter"));
	free(file);
	world_free(&w);
	unlink(path);
}

/* ---- Memory that runs out in the library (the linker sends its allocations here: see ldflags) ---- */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
char *__wrap_strdup(const char *text);

static unsigned int fail_allocation; /* the n-th from now on; 0: none */

static bool allocation_fails(void)
{
	return fail_allocation && --fail_allocation == 0;
}

void *__wrap_malloc(size_t bytes)
{
	return allocation_fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	return allocation_fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
	return allocation_fails() ? NULL : __real_realloc(old, bytes);
}

char *__wrap_strdup(const char *text)
{
	return allocation_fails() ? NULL : __real_strdup(text);
}

static void test_no_memory(void **state)
{
	struct ctrl_domain_create create = { .max_vcpus = 1, .max_grant_frames = -1, .max_maptrack_frames = -1 };
	struct build_config config = { .memory_kib = 8192 };
	struct elf_spec spec = { .bss_bytes = 50000 };
	unsigned int n = 0, failed = 0;
	uint8_t *file;
	size_t bytes = elf_make(&spec, &file);
	struct world w;
	int rc = -1;

	(void)state;
	world_make(&w, 4096);
	while (rc && n++ < 1000) {
		assert_int_equal(ctrl_domain_create(w.ctrl, &create, 0, &w.domid), 0);
		w.image = NULL;
		fail_allocation = n;
		rc = build_image_memory(file, bytes, "test", NULL, &w.image);
		if (!rc)
			rc = build_pv(w.ctrl, w.domid, w.image, &config, &w.built);
		if (!rc && fail_allocation == 0)
			rc = -1; /* in a place where it is no matter */
		fail_allocation = 0;
		failed += rc == -ENOMEM;
		build_image_close(w.image);
		w.image = NULL;
		assert_int_equal(ctrl_domain_destroy(w.ctrl, w.domid), 0);
		assert_int_equal(w.sim->used, 0);
	}
	assert_int_equal(rc, 0);
	assert_true(failed >= 10);
	free(file);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tiny), cmocka_unit_test(test_few_calls), cmocka_unit_test(test_linux),
		cmocka_unit_test(test_old), cmocka_unit_test(test_sizes), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_config_refused), cmocka_unit_test(test_failures), cmocka_unit_test(test_ramdisk_shrinks),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) + image_tests();
}
