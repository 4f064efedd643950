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

/* Local APIC (xAPIC and x2APIC). The BSP's comes first, once ioremap works; then each CPU's own, the BSP's too. */
void lapic_init_bsp(void);
void lapic_init_cpu(void);
void lapic_eoi(void);
void lapic_send_ipi(unsigned int cpu, u8 vector);
void lapic_send_nmi(unsigned int cpu);
void lapic_send_init(u32 apic_id);
void lapic_send_startup(u32 apic_id, u8 page);
/* APIC id of the executing CPU. */
u32 lapic_id(void);
/* True when CPUs with ids above 254 can be sent interprocessor interrupts. */
bool lapic_is_x2apic(void);
/* Turns this CPU's APIC off in software: it takes NMI, INIT and SIPI only. For a CPU that goes offline. */
void lapic_disable(void);

/* IO-APICs and GSIs, at boot, after lapic_init_bsp; masks the legacy PICs. */
void irq_init(void);
/* Number of GSIs: those of the IO-APICs are below it. */
u32 irq_gsi_count(void);
/* Connects the console's UARTs and registers debug keys; once everything is up. */
void irq_init_late(void);
/*
 * Registers of the IO-APIC at a physical address as dom0 sees them (PHYSDEVOP_apic_read, apic_write): reads are true; writes set trigger
 * mode and polarity of unused pins and are ignored otherwise. 0, or -EINVAL (no such IO-APIC or register).
 */
int ioapic_guest_read(u64 address, u32 reg, u32 *val) must_check;
int ioapic_guest_write(u64 address, u32 reg, u32 val) must_check;
/* The vector of a GSI, given now if it has none: for PHYSDEVOP_alloc_irq_vector. -EINVAL, -ENOSPC. */
int irq_gsi_vector(u32 gsi) must_check;
/* Trigger mode and polarity of a GSI not in use: 0, -EINVAL, or -EBUSY if it is in use otherwise. */
int irq_gsi_configure(u32 gsi, bool level, bool low) must_check;
/*
 * The hypervisor's own use of a GSI: configures it as the firmware's tables say, and enables it. fn runs in interrupt context with no
 * lock held. 0, -EINVAL (no such GSI), -EBUSY (a guest uses it), -ENOSPC (no vector).
 */
int irq_request_gsi(u32 gsi, void (*fn)(void *arg), void *arg, const char *name) must_check;

/*
 * Controllers of message-signalled interrupts (drivers/pci) make irqs with irq_create. Members are called with the irq's lock
 * (LOCK_IRQ) held and get the data given there.
 */
struct irq_route {
	u32 apic_id;
	u8 vector;
};
struct irq_chip {
	const char *name;
	bool can_mask;			/* false: mask and unmask do nothing */
	void (*mask)(void *data);
	void (*unmask)(void *data);
	/* Sends interrupts there from now on. Called masked; if !can_mask, only the APIC id differs from the last time. */
	void (*route)(void *data, const struct irq_route *route);
	/* The last domain that had it mapped gave it up: the creator takes the device and the irq back. No lock held. NULL: nothing to do. */
	void (*release)(void *data);
};
/*
 * Makes count irqs (a power of two, at most 32) in a row with vectors in a row on one CPU, routed and masked, not yet
 * enabled; data[i] goes to the chip. Returns the first irq, -ENOSPC or -ENOMEM. Blocks of more than one stay on their CPU until
 * that goes offline.
 */
int irq_create(const struct irq_chip *chip, void *const data[], u32 count) must_check;
/* Takes them away again; no domain may have them mapped. The caller made sure that the device sends no more. */
void irq_destroy(u32 irq, u32 count);
/* As if the last domain had given them up: chip->release for each. No lock held. */
void irq_release(u32 irq, u32 count);
/* Routes and masks or unmasks again as before (after the device lost its registers). */
void irq_restore(u32 irq);

/* From now on irqs stay on the CPU they are on, whatever guests ask for (XENPF_platform_quirk). */
void irq_balance_disable(void);
/* Off-lining: moves device interrupts of a CPU (no longer in cpu_online_map) elsewhere. Called on that CPU. */
void irq_cpu_drain(unsigned int cpu);
/* Debug key: every irq that is in use. */
void irq_dump(void);

#endif
