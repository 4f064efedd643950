/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal: records in the order in which things happened, in a mapped file. A record counts from the moment its end is
 * stored in the head; a file that was cut or damaged counts up to its last whole record. When it has grown, a new file is
 * begun with a description of the whole state and takes the old one's place by rename.
 */
#ifndef XENSTORED_JOURNAL_H
#define XENSTORED_JOURNAL_H

#include <stdatomic.h>
#include <sys/uio.h>

#include "util.h"

struct journal_head {
	uint64_t magic;
	uint64_t identity;
	char boot[40]; /* of the kernel: after a reboot of the machine nothing of it is true */
	uint64_t snapshot_end; /* 0 while the description is not complete */
	_Atomic uint64_t tail;
};

struct journal_record {
	uint32_t bytes; /* all of it, a multiple of 8 */
	uint32_t sum; /* of what follows */
	uint32_t kind;
	uint32_t payload_bytes;
	char payload[];
};

struct journal {
	int fd;
	char *path;
	char *map;
	struct journal_head *head;
	uint64_t allocated;
	uint64_t snapshot_bytes;
};

/** Open what is there. @return 0, -ENOENT if there is none that is worth reading, or another -errno */
int journal_open(struct journal *journal, const char *path);

/** Begin a new one beside an old one; it counts when journal_adopt put it in its place. */
int journal_create(struct journal *journal, const char *path, uint64_t identity);
int journal_adopt(struct journal *journal);
void journal_close(struct journal *journal);

/** Make sure that the next records, of so many payload bytes together, fit. @return 0 or -ENOSPC */
int journal_reserve(struct journal *journal, size_t bytes);

/** Append a record; room must have been reserved. */
void journal_append(struct journal *journal, uint32_t kind, const struct iovec *parts, unsigned int count);

/** Next record at *position (start with 0), or NULL at the end. */
const struct journal_record *journal_next(const struct journal *journal, uint64_t *position);

#endif
