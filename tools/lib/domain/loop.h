/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks as block devices of this host. */
#ifndef DOMAIN_LOOP_H
#define DOMAIN_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct disk_source {
	int fd;			/* open until the back end has opened it too, -1 for none */
	uint32_t major, minor;
	bool loop;
	uint64_t bytes;
};

/**
 * Looks at a disk's target without changing anything: does it exist, may it be used in this way?
 * @return 0 or a negative errno with the next step in the reason
 */
int disk_source_check(const char *target, bool readonly);

/**
 * A block device for the target: itself, or a loop device for a file. A loop device goes away by itself with its last user:
 * close the descriptor when the back end has opened it.
 */
int disk_source_open(struct disk_source *source, const char *target, bool readonly);
void disk_source_close(struct disk_source *source);

/** Waits until the kernel's back end has opened the block device of a disk. */
int disk_backend_wait(uint32_t domid, uint32_t devid, unsigned int milliseconds);

#endif
