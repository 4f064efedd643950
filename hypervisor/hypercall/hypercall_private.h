/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hypercall/: the table, and what version it is. */
#ifndef HYPERCALL_PRIVATE_H
#define HYPERCALL_PRIVATE_H

#include <hv/hypercall.h>

/* The release whose interface this is. */
#define VERSION_MAJOR 4u
#define VERSION_MINOR 17u
#define VERSION_EXTRA ".5-argon"
#define VERSION_COMPILER "gcc-compatible " __VERSION__

/* Handlers by number; every entry can be called. Index it clamped. */
extern hypercall_fn *const hypercall_table[HYPERCALLS];

#endif
