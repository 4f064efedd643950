/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonbuild: pages of a new domain are written in few, large mappings, whatever their contents come from. */
#ifndef BUILD_WRITER_H
#define BUILD_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "argon/ctrl.h"

struct writer;

/* @param p2m machine frame of each page number; it is referred to. NULL: out of memory, reason set */
struct writer *writer_new(struct ctrl *ctrl, uint32_t domid, const uint64_t *p2m);
/* What was not flushed is not written. NULL is allowed. */
void writer_free(struct writer *w);

/*
 * Pages with numbers (one after another from number on, or those in a list) become bytes of memory, or of a file, and zeroes
 * after them. Written at the latest by writer_flush; memory and lists must last until then. 0 or -errno, reason set.
 * @param data   NULL: zeroes alone
 */
int writer_memory(struct writer *w, uint64_t number, const void *data, uint64_t bytes);
int writer_page(struct writer *w, uint64_t number, const void *page);
int writer_file(struct writer *w, uint64_t number, int fd, uint64_t offset, uint64_t bytes, const char *what);
int writer_file_pages(struct writer *w, const uint32_t *numbers, uint32_t count, int fd, uint64_t offset, const char *what);
/* Write what is left, and unmap: afterwards the caller has no mapping of the domain. */
int writer_flush(struct writer *w);

#endif
