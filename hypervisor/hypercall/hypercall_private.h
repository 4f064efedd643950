/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hypercall/: the table. */
#ifndef HYPERCALL_PRIVATE_H
#define HYPERCALL_PRIVATE_H

#include <hv/hypercall.h>

/* Handlers by number; every entry can be called. Index it clamped. */
extern hypercall_fn *const hypercall_table[HYPERCALLS];

#endif
