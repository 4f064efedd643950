/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical interrupts, vectors, the local APIC, IPIs. */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/types.h>
#include <hv/compiler.h>

struct regs;
struct domain;
struct vcpu;

/* Vectors that the hypervisor uses itself; device vectors are handed out below. */
#define VECTOR_FIRST_DEVICE 0x20
#define VECTOR_LAST_DEVICE 0xef
#define VECTOR_SYSCALL_COMPAT 0x80	/* int $0x80: the guest's own */
#define VECTOR_HYPERCALL 0x82		/* int $0x82: hypercall from guests that use it */
#define VECTOR_LAPIC_ERROR 0xf9
#define VECTOR_LAPIC_TIMER 0xfa
#define VECTOR_IPI_CALL 0xfb		/* smp_call and shoot-down */
#define VECTOR_IPI_KICK 0xfc		/* look at your softirqs */
#define VECTOR_SPURIOUS 0xff

/* Entry code calls this for every vector >= 0x20 that is an interrupt. Interrupts off; v may be idle. */
void irq_handle(struct regs *r, unsigned int vector);

/* Local APIC (xAPIC and x2APIC). */
void lapic_init_bsp(void);
void lapic_init_cpu(void);
void lapic_eoi(void);
void lapic_send_ipi(unsigned int cpu, u8 vector);
void lapic_send_nmi(unsigned int cpu);
void lapic_send_init(u32 apic_id);
void lapic_send_startup(u32 apic_id, u8 page);
u32 lapic_id(void);
/* Arms the one-shot timer in its own ticks / TSC deadline. */
void lapic_timer_set(ns_t delta);

/* IO-APICs and GSIs, at boot; then the hypervisor's own users (console UART, HPET). */
void irq_init(void);
int irq_request_gsi(u32 gsi, void (*fn)(void *arg), void *arg, const char *name);

/* Off-lining a CPU: moves its device interrupts elsewhere. */
void irq_cpu_drain(unsigned int cpu);
void irq_dump(void);

#endif
