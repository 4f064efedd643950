/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <hv/acpi.h>
#include <hv/cpu.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/irq.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include "../../../hypervisor/arch/x86/irq/lapic.h"
#include "../sim/sim.h"
#include "../sim/sim_private.h"
#include "machine.h"

#define MASKED (1u << 16)
#define LEVEL (1u << 15)
#define REMOTE_IRR (1u << 14)

u32 eois, stray;

static struct {
	u32 index;
	u32 low[PINS], high[PINS];
	bool raised[PINS];
} ioapic = { .low = { [0 ... PINS - 1] = MASKED } };

static struct {
	bool requested[256];
	u8 service[256];	/* vectors in service, innermost last */
	unsigned int depth;
} apic[CPUS];

static u8 ioapic_registers[0x20];

void machine_reset(void)
{
	/* The IO-APIC keeps what the driver wrote, which knows it by heart. */
	memset(ioapic.raised, 0, sizeof(ioapic.raised));
	memset(apic, 0, sizeof(apic));
	for (unsigned int i = 0; i < CPUS; i++)
		cpu_topology[i] = (struct cpu_topology){ .apic_id = 10 + i, .acpi_id = i };
	eois = stray = 0;
}

void message_send(u32 apic_id, u8 vector)
{
	if (apic_id < 10 || apic_id >= 10 + CPUS)
		sim_fail("interrupt sent to APIC id %u", apic_id);
	if (vector < 0x20 || !cpu_online(apic_id - 10))
		sim_fail("vector %#x sent to CPU %u", vector, apic_id - 10);
	apic[apic_id - 10].requested[vector] = true;
}

static void pin_send(unsigned int pin)
{
	u32 low = ioapic.low[pin];

	if (low & MASKED)
		return;
	if (low & LEVEL) {
		if (low & REMOTE_IRR)
			return;
		ioapic.low[pin] |= REMOTE_IRR;
	}
	message_send(ioapic.high[pin] >> 24, (u8)low);
}

void line_set(unsigned int pin, bool raised)
{
	bool was = ioapic.raised[pin];

	ioapic.raised[pin] = raised;
	if (raised && (!was || (ioapic.low[pin] & LEVEL)))
		pin_send(pin);
}

u32 pin_entry(unsigned int pin)
{
	return ioapic.low[pin];
}

u32 pin_destination(unsigned int pin)
{
	return ioapic.high[pin] >> 24;
}

static void entry_write(unsigned int pin, u32 low)
{
	/* Remote IRR is read-only; it goes when the entry becomes edge-triggered. */
	ioapic.low[pin] = (low & ~REMOTE_IRR) | (low & LEVEL ? ioapic.low[pin] & REMOTE_IRR : 0);
	if ((low & LEVEL) && ioapic.raised[pin])
		pin_send(pin);
}

void *ioremap(paddr_t p, size_t size)
{
	if (p.v != 0xfec00000 || size > sizeof(ioapic_registers))
		sim_fail("mapping of %lx", (unsigned long)p.v);
	return ioapic_registers;
}

void iounmap(const volatile void *p, size_t size)
{
	(void)p;
	(void)size;
}

u32 mmio_read32(const volatile void *p)
{
	if (p != ioapic_registers + 0x10)
		sim_fail("read of a wrong register");
	if (ioapic.index == 1)
		return (PINS - 1) << 16 | 0x20;
	if (ioapic.index < 0x10 || ioapic.index >= 0x10 + 2 * PINS)
		sim_fail("read of IO-APIC register %#x", ioapic.index);
	return ioapic.index & 1 ? ioapic.high[(ioapic.index - 0x10) / 2] : ioapic.low[(ioapic.index - 0x10) / 2];
}

void mmio_write32(volatile void *p, u32 val)
{
	if (p == ioapic_registers) {
		ioapic.index = val;
		return;
	}
	if (p != ioapic_registers + 0x10 || ioapic.index < 0x10 || ioapic.index >= 0x10 + 2 * PINS)
		sim_fail("write of IO-APIC register %#x", ioapic.index);
	if (ioapic.index & 1)
		ioapic.high[(ioapic.index - 0x10) / 2] = val;
	else
		entry_write((ioapic.index - 0x10) / 2, val);
}

void outb(u16 port, u8 val)
{
	(void)val;
	if ((port & ~0x81) != 0x20)
		sim_fail("output to port %#x", port);
}

/* --- local APIC --- */

bool lapic_requested(unsigned int vector)
{
	return apic[this_cpu()].requested[vector];
}

bool lapic_in_service(unsigned int vector)
{
	for (unsigned int i = 0; i < apic[this_cpu()].depth; i++)
		if (apic[this_cpu()].service[i] == vector)
			return true;
	return false;
}

u32 lapic_error(void)
{
	return 0;
}

void lapic_eoi(void)
{
	unsigned int cpu = this_cpu();
	u8 vector;

	if (!apic[cpu].depth)
		sim_fail("EOI without an interrupt");
	vector = apic[cpu].service[--apic[cpu].depth];
	eois++;
	for (unsigned int pin = 0; pin < PINS; pin++) {
		if (!(ioapic.low[pin] & LEVEL) || (u8)ioapic.low[pin] != vector || !(ioapic.low[pin] & REMOTE_IRR))
			continue;
		ioapic.low[pin] &= ~REMOTE_IRR;
		if (ioapic.raised[pin])
			pin_send(pin);
	}
}

/* The highest vector that waits, if it is above what is in service. */
static bool interrupt_take(unsigned int cpu)
{
	for (unsigned int vector = 255; vector >= 0x20; vector--) {
		if (!apic[cpu].requested[vector])
			continue;
		apic[cpu].requested[vector] = false;
		apic[cpu].service[apic[cpu].depth++] = (u8)vector;
		irq_handle(NULL, vector);
		if (apic[cpu].depth)
			sim_fail("vector %#x got no EOI", vector);
		return true;
	}
	return false;
}

unsigned int machine_run(void)
{
	unsigned int taken = 0;
	bool again = true;

	while (again) {
		again = false;
		for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
			if (!cpu_online(cpu))
				continue;
			sim_cpu_switch(cpu);
			while (interrupt_take(cpu)) {
				again = true;
				if (++taken > 100000)
					sim_fail("an interrupt comes again and again");
			}
			softirq_run(cpu);
		}
	}
	sim_cpu_switch(0);
	return taken;
}
