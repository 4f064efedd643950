/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests that run the real heap in the simulated machine (instead of its stand-in): name sim_mm/glue.c in `uses`. */
#ifndef SIM_MM_GLUE_H
#define SIM_MM_GLUE_H

#include "../sim/sim.h"
#include "../../../hypervisor/arch/x86/mm/heap.h"

/* Set before sim_start: memory is divided over so many NUMA nodes (default 1). */
extern unsigned int glue_nodes;
/* Fails the test when free lists, counts and frames do not agree. */
void glue_heap_check(void);
/* sim_stop fails the test unless this many frames are in use; default 0. */
extern u64 glue_frames_kept;

#endif
