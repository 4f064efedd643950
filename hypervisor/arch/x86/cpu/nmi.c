/* SPDX-License-Identifier: BSD-2-Clause */
/* NMIs and machine checks. Both run on stacks of their own, over anything: no locks, no faults here. */
#include <hv/log.h>
#include <hv/x86.h>

#include "cpu.h"

#define MSR_MCG_STATUS 0x17a
#define MCG_STATUS_MCIP (1UL << 2)

void nmi_handle(struct regs *r)
{
	(void)r;
}

void machine_check_handle(struct regs *r)
{
	u64 status = rdmsr(MSR_MCG_STATUS);

	registers_dump(r);
	wrmsr(MSR_MCG_STATUS, status & ~MCG_STATUS_MCIP);
	panic("machine check, status %lx", status);
}
