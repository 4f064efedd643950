/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_BUILD_H
#define TEST_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "argon/build.h"
#include "tests/tools/sim/elf_make.h"
#include "tests/tools/sim/sim.h"

/* A machine, a handle on it, a domain. */
struct world {
	struct sim *sim;
	struct dev *dev;
	struct ctrl *ctrl;
	struct build_image *image;
	struct build_result built;
	uint32_t domid;
};

void world_make(struct world *w, uint64_t frames);
void world_free(struct world *w);
int world_build(struct world *w, const struct elf_spec *spec, const char *ramdisk, const struct build_config *config);
/* A file below /tmp. @param path receives its path, 64 bytes */
int files_make(const char *name, const void *data, size_t bytes, char *path);
/* The other file's group of tests. */
int image_tests(void);

#endif
