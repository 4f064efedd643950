/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold whenever no hypercall is in progress. */
#include <hv/log.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include "sim_private.h"

/* A translation that a CPU still holds may reach no frame that has changed hands since. */
void sim_check_tlbs(void)
{
	for (unsigned int cpu = 0; cpu < SIM_CPUS; cpu++)
		for (u32 i = 0; i < SIM_TLB_ENTRIES; i++) {
			const struct sim_tlb_entry *t = &sim_cpu[cpu].tlb[i];
			const struct frame *f;

			if (!t->valid || t->io)
				continue;
			f = frame_of(t->frame);
			if (f->owner != t->owner && f->owner != DOMID_INVALID)
				sim_fail("CPU %u can reach frame %#lx of domain %u, which domain %u had", cpu,
					 (unsigned long)t->frame.v, f->owner, t->owner);
		}
}

void sim_check(void)
{
	sim_check_tlbs();
}
