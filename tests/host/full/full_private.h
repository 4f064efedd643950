/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FULL_PRIVATE_H
#define FULL_PRIVATE_H

#include "full.h"
#include "../sim/sim_private.h"

/* --- state.c --- */
extern u64 full_pool_used, full_objects, full_domain_structs;
/* The variables as they are when the machine is switched on; no small objects. */
void full_power_on(size_t size_of_domain);
void *full_object_alloc(size_t size, const void *caller);
/* Prints those that are in use and lie behind `from` (a value of full_pool_used). */
void full_objects_list(u64 from);
void full_object_free(void *p);

/* --- devices.c --- */
void full_devices_start(void);

/* --- run.c --- */
/* What a CPU does on its way to a guest; false when it had nothing to do. */
bool full_exit(unsigned int cpu);

/* --- check.c --- */
void full_holders(void);

#endif
