/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs and machine checks. Both run on stacks of their own, over anything: no locks and no faults here. What an NMI means for
 * dom0 is told from a soft interrupt.
 */
#include <hv/cmdline.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/io.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/x86.h>
#include <xen/nmi.h>

#include "cpu.h"

#define MSR_MCG_STATUS 0x17a
#define MCG_STATUS_MCIP (1UL << 2)

#define PORT_SYSTEM_CONTROL 0x61
#define SYSTEM_CHANNEL_CHECK 0x40
#define SYSTEM_PCI_ERROR 0x80
#define SYSTEM_CHANNEL_CHECK_OFF 0x08
#define SYSTEM_PCI_ERROR_OFF 0x04

enum nmi_policy { NMI_TO_DOM0, NMI_FATAL, NMI_IGNORE };
static enum nmi_policy policy = NMI_TO_DOM0;
static u64 reasons;	/* XEN_NMIREASON_* that dom0 has not been told yet; atomic */

static int nmi_parse(const char *value)
{
	if (strcmp(value, "dom0") == 0)
		policy = NMI_TO_DOM0;
	else if (strcmp(value, "fatal") == 0)
		policy = NMI_FATAL;
	else if (strcmp(value, "ignore") == 0)
		policy = NMI_IGNORE;
	else
		return -EINVAL;
	return 0;
}

BOOT_OPTION_CUSTOM("nmi", nmi_parse, "What the machine's NMIs do: ignore, dom0 (tell it), fatal (stop).");

/* Soft interrupt. */
static void nmi_tell_dom0(unsigned int cpu)
{
	u64 told = __atomic_exchange_n(&reasons, 0, __ATOMIC_ACQ_REL);
	struct vcpu *v = dom0 ? dom0->vcpu[0] : NULL;

	(void)cpu;
	if (!v || told == 0)
		return;
	__atomic_fetch_or(&dom0->shared->arch.nmi_reason, told, __ATOMIC_SEQ_CST);
	v->nmi_pending = 1;
	vcpu_unblock(v);
	vcpu_kick(v);
}

/* The chipset says why, for two kinds of errors; the line is switched off and on again so that it can fire again. */
static u64 reason_read(void)
{
	u8 control = inb(PORT_SYSTEM_CONTROL);
	u64 reason = 0;
	u8 off = 0;

	if (control & SYSTEM_CHANNEL_CHECK) {
		reason |= XEN_NMIREASON_io_error;
		off |= SYSTEM_CHANNEL_CHECK_OFF;
	}
	if (control & SYSTEM_PCI_ERROR) {
		reason |= XEN_NMIREASON_pci_serr;
		off |= SYSTEM_PCI_ERROR_OFF;
	}
	if (off != 0) {
		control &= 0x0f;
		outb(PORT_SYSTEM_CONTROL, control | off);
		outb(PORT_SYSTEM_CONTROL, (u8)(control & ~off));
	}
	return reason ? reason : XEN_NMIREASON_unknown;
}

void nmi_handle(struct regs *r)
{
	u64 reason;

	if (smp_nmi_stop())
		smp_park_forever();
	if (watchdog_nmi(r))
		return;
	/* The chipset's NMIs go to the boot CPU. */
	reason = this_cpu() == 0 ? reason_read() : XEN_NMIREASON_unknown;
	switch (policy) {
	case NMI_TO_DOM0:
		__atomic_fetch_or(&reasons, reason, __ATOMIC_SEQ_CST);
		softirq_raise(this_cpu(), SOFTIRQ_NMI);
		break;
	case NMI_FATAL:
		registers_dump(r);
		panic("NMI, reason %lx", reason);
	case NMI_IGNORE:
		break;
	}
}

void machine_check_handle(struct regs *r)
{
	u64 status = rdmsr(MSR_MCG_STATUS);

	registers_dump(r);
	wrmsr(MSR_MCG_STATUS, status & ~MCG_STATUS_MCIP);
	panic("machine check, status %lx", status);
}

void nmi_init(void)
{
	softirq_register(SOFTIRQ_NMI, nmi_tell_dom0);
}
