/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to arch/x86/irq. */
#ifndef ARCH_X86_IRQ_IOAPIC_H
#define ARCH_X86_IRQ_IOAPIC_H

#include <hv/types.h>
#include <hv/compiler.h>

/* Registers of the IO-APIC at that address as dom0 reads and writes them (PHYSDEVOP_apic_read, apic_write). 0 or -EINVAL. */
int ioapic_guest_read(u64 address, u32 reg, u32 *val) must_check;
int ioapic_guest_write(u64 address, u32 reg, u32 val) must_check;

#endif
