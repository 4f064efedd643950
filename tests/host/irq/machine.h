/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt hardware for tests: local APICs, one IO-APIC, lines of devices. */
#ifndef TEST_IRQ_MACHINE_H
#define TEST_IRQ_MACHINE_H

#include <hv/types.h>

#define PINS 24u
#define CPUS 4u

/* All CPUs idle, no line raised, nothing pending. */
void machine_reset(void);
/* A device raises or lowers its line. */
void line_set(unsigned int pin, bool raised);
/* A message as a device with MSI sends it: to the APIC with that id. */
void message_send(u32 apic_id, u8 vector);
/* CPUs take interrupts (and run soft interrupts) until nothing waits. Returns how many were taken. */
unsigned int machine_run(void);
/* How often the hypervisor's handlers or guests' events were reached. */
extern u32 eois;
/* The low word of a pin's entry. */
u32 pin_entry(unsigned int pin);
u32 pin_destination(unsigned int pin);
/* Interrupts lost: accepted by an APIC with a vector that nobody had. */
extern u32 stray;

#endif
