/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain builder with any file for a kernel: it is refused, or a domain is built from it whose page tables a hypervisor accepts.
 * The first byte of the input chooses the domain's memory; the second, whether the rest is the file, or changes of bytes in the
 * headers and notes of a good one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "argon/build.h"
#include "tests/tools/sim/elf_make.h"
#include "tests/tools/sim/sim.h"

#define FRAMES 2500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void build(struct sim *sim, const struct build_image *image, uint64_t memory_kib)
{
	struct ctrl_domain_create create = { .max_vcpus = 1, .max_grant_frames = -1, .max_maptrack_frames = -1, .grant_version = 1 };
	struct build_config config = { .memory_kib = memory_kib, .command_line = "a" };
	struct dev *dev = sim_dev(sim);
	struct build_result result;
	struct ctrl *ctrl;
	uint32_t domid;
	int rc;

	if (!dev || ctrl_open_dev(dev, &ctrl) || ctrl_domain_create(ctrl, &create, 0, &domid))
		abort();
	rc = build_pv(ctrl, domid, image, &config, &result);
	/* The first instruction must be one of the kernel's own pages. */
	if (rc == 0 && (!sim->domain[domid].context_set || !sim_walk(sim, domid, result.entry, NULL) ||
			!sim_walk(sim, domid, result.start_info, NULL)))
		abort();
	if (rc == 0 && memory_kib < build_memory_least(image))
		abort();
	if (ctrl_domain_destroy(ctrl, domid) || sim->used || sim->mappings)
		abort();
	ctrl_close(ctrl);
	dev_close(dev);
}

/* A good kernel of some kind, with bytes changed: three bytes of input each, offset and value. */
static uint8_t *patched(const uint8_t *data, size_t bytes, uint8_t kind, size_t *file_bytes)
{
	struct elf_spec spec = { .text_bytes = 5000, .bss_bytes = kind & 2 ? 100000 : 0, .hypercall_page = kind & 4,
				 .init_p2m = kind & 8 ? 0x8000000000 : 0, .unmapped_ramdisk = kind & 16, .paddr_offset = kind & 32 ? 0x80000 : 0,
				 .features = kind & 64 ? "!writable_page_tables|pae_pgdir_above_4gb" : NULL };
	uint8_t *file;

	*file_bytes = elf_make(&spec, &file);
	for (; bytes >= 3; data += 3, bytes -= 3) {
		size_t offset = data[0] | (data[1] & 7u) << 8;

		file[offset] = data[2];
	}
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct sim *sim;
	struct build_image *image;
	size_t file_bytes = 0;
	uint8_t *file;

	if (!sim)
		sim = sim_new(FRAMES);
	if (bytes < 2)
		return 0;
	file = data[1] & 1 ? patched(data + 2, bytes - 2, data[1], &file_bytes) : memcpy(malloc(bytes - 1), data + 2, bytes - 2);
	if (!(data[1] & 1))
		file_bytes = bytes - 2;
	if (build_image_memory(file, file_bytes, "fuzz", NULL, &image) == 0) {
		build(sim, image, 4 + data[0] * 32u);
		build_image_close(image);
	}
	free(file);
	return 0;
}
