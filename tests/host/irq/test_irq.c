/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts from device lines and messages to domains and back: binding, sharing, EOI, moves between CPUs, CPUs that go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/acpi.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/irq.h>
#include <hv/pirq.h>
#include <hv/string.h>
#include <xen/physdev.h>
#include "../sim/sim.h"
#include "machine.h"

#define DOMAINS 3

const struct pirq_ops *pirq_ops = &irq_pirq_ops;

static struct domain *dom[DOMAINS];
static struct vcpu *actor;
static u32 delivered[DOMAINS][512], unmasked;

/* Descriptors stay for ever: their memory is not the simulated machine's to count. */
void *hv_alloc(size_t size)
{
	return calloc(1, size);
}

void hv_free(void *p)
{
	free(p);
}

void event_send_pirq(struct domain *d, u32 pirq)
{
	for (int i = 0; i < DOMAINS; i++)
		if (dom[i] == d)
			delivered[i][pirq]++;
}

void event_unmask_pirq(struct domain *d, u32 pirq)
{
	(void)d;
	(void)pirq;
	unmasked++;
}

static bool initialised;

static int start(void **state)
{
	(void)state;
	sim_start(CPUS);
	machine_reset();
	acpi_info.ioapics = 1;
	acpi_info.ioapic[0] = (struct acpi_ioapic){ .id = 1, .gsi_base = 0, .address = { 0xfec00000 } };
	acpi_info.overrides = 1;
	acpi_info.override[0] = (struct acpi_override){ .isa_irq = 9, .gsi = 9, .trigger = ACPI_TRIGGER_LEVEL,
						       .polarity = ACPI_POLARITY_HIGH };
	if (!initialised)
		irq_init();
	initialised = true;
	dom[0] = sim_domain(0, true, 2, 64);
	dom[1] = sim_domain(1, false, 1, 64);
	dom[2] = sim_domain(2, false, 1, 64);
	actor = sim_run_vcpu(dom[0], 0);
	memset(delivered, 0, sizeof(delivered));
	unmasked = 0;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		cpumask_set(&cpu_online_map, cpu);
	for (int i = 0; i < DOMAINS; i++) {
		pirq_domain_release(dom[i]);
		pirq_domain_free(dom[i]);
	}
	machine_run();
	sim_stop();
	return 0;
}

/* Forgets how a GSI was set up by the test before. */
static void gsi_setup(u32 gsi, bool level)
{
	assert_int_equal(irq_gsi_configure(gsi, level, false), 0);
}

static void gsi_bind(int d, u32 gsi, bool share)
{
	assert_int_equal(pirq_map(dom[d], (int)gsi, gsi), gsi);
	assert_int_equal(irq_pirq_ops.bind(dom[d], gsi, share), 0);
}

static void test_edge(void **state)
{
	(void)state;
	gsi_setup(4, false);
	assert_int_equal(pirq_status(dom[0], 4), -EINVAL);
	gsi_bind(0, 4, false);
	assert_int_equal(pirq_status(dom[0], 4), 0);
	for (u32 i = 1; i <= 5; i++) {
		line_set(4, true);
		line_set(4, false);
		assert_int_equal(machine_run(), 1);
		assert_int_equal(delivered[0][4], i);
	}
	/* Nobody there: masked, nothing arrives. */
	irq_pirq_ops.unbind(dom[0], 4);
	line_set(4, true);
	line_set(4, false);
	assert_int_equal(machine_run(), 0);
	assert_int_equal(delivered[0][4], 5);
}

static void test_level(void **state)
{
	(void)state;
	gsi_setup(16, true);
	gsi_bind(0, 16, true);
	assert_int_equal(pirq_status(dom[0], 16), XENIRQSTAT_needs_eoi | XENIRQSTAT_shared);
	line_set(16, true);
	assert_int_equal(machine_run(), 1);
	assert_int_equal(delivered[0][16], 1);
	/* The line stays up: no more until the guest is done. */
	assert_int_equal(machine_run(), 0);
	assert_true(pin_entry(16) & 1u << 16);
	assert_int_equal(pirq_eoi(dom[0], 16), 0);
	assert_int_equal(machine_run(), 1);
	assert_int_equal(delivered[0][16], 2);
	line_set(16, false);
	assert_int_equal(pirq_eoi(dom[0], 16), 0);
	/* EOI without an interrupt does nothing. */
	assert_int_equal(pirq_eoi(dom[0], 16), 0);
	assert_int_equal(machine_run(), 0);
	assert_false(pin_entry(16) & 1u << 16);
	assert_int_equal(pirq_eoi(dom[0], 17), -EINVAL);
	assert_int_equal(pirq_eoi(dom[0], 100000), -EINVAL);
}

static void test_shared(void **state)
{
	(void)state;
	gsi_setup(17, true);
	gsi_bind(0, 17, true);
	gsi_bind(1, 17, true);
	line_set(17, true);
	machine_run();
	assert_int_equal(delivered[0][17], 1);
	assert_int_equal(delivered[1][17], 1);
	line_set(17, false);
	assert_int_equal(pirq_eoi(dom[0], 17), 0);
	assert_true(pin_entry(17) & 1u << 16);
	assert_int_equal(pirq_eoi(dom[1], 17), 0);
	assert_false(pin_entry(17) & 1u << 16);
	/* One that goes away in the middle does not hold up the other. */
	line_set(17, true);
	machine_run();
	line_set(17, false);
	assert_int_equal(pirq_eoi(dom[0], 17), 0);
	irq_pirq_ops.unbind(dom[1], 17);
	assert_false(pin_entry(17) & 1u << 16);
	/* Who does not want to share gets nothing. */
	assert_int_equal(irq_pirq_ops.bind(dom[1], 17, false), -EBUSY);
	irq_pirq_ops.unbind(dom[0], 17);
	assert_int_equal(irq_pirq_ops.bind(dom[1], 17, false), 0);
	assert_int_equal(irq_pirq_ops.bind(dom[0], 17, true), -EBUSY);
}

static void test_map_rules(void **state)
{
	u32 top = pirq_limit(dom[0]) - 1;

	(void)state;
	assert_int_equal(pirq_map(dom[0], 5, 5), 5);
	assert_int_equal(pirq_map(dom[0], 5, 5), 5);
	assert_int_equal(pirq_map(dom[0], -1, 5), 5);
	assert_int_equal(pirq_map(dom[0], 6, 5), -EEXIST);
	assert_int_equal(pirq_map(dom[0], 5, 6), -EEXIST);
	assert_int_equal(pirq_map(dom[0], -1, 6), top);
	assert_int_equal(pirq_map(dom[0], -1, 7), top - 1);
	assert_int_equal(pirq_map(dom[0], (int)top + 1, 8), -EINVAL);
	assert_int_equal(pirq_map(dom[0], -1, PINS), -EINVAL);
	assert_int_equal(pirq_map(dom[0], -1, 1u << 20), -EINVAL);
	assert_int_equal(pirq_irq(dom[0], top), 6);
	assert_int_equal(irq_pirq(dom[0], 7), top - 1);
	assert_int_equal(irq_pirq(dom[1], 7), -EINVAL);
	assert_int_equal(pirq_reserve(dom[0]), top - 2);
	assert_int_equal(pirq_map(dom[0], -1, 8), top - 3);
	assert_int_equal(pirq_map(dom[0], (int)top - 2, 10), top - 2);
	assert_int_equal(pirq_unmap(dom[0], top - 2), 0);
	assert_int_equal(pirq_unmap(dom[0], top - 2), -EINVAL);
	assert_int_equal(irq_pirq_ops.bind(dom[0], top - 2, false), -EINVAL);
	/* Binding twice, and unmapping what is bound. */
	assert_int_equal(irq_pirq_ops.bind(dom[0], 5, false), 0);
	assert_int_equal(irq_pirq_ops.bind(dom[0], 5, false), -EEXIST);
	assert_int_equal(pirq_unmap(dom[0], 5), 0);
	assert_true(pin_entry(5) & 1u << 16);
	irq_pirq_ops.unbind(dom[0], 5);
	dom[0]->life = DOMAIN_DYING;
	assert_int_equal(pirq_map(dom[0], 5, 5), -EINVAL);
	dom[0]->life = DOMAIN_LIVE;
}

static u32 handled;
static void handler(void *arg)
{
	assert_ptr_equal(arg, &handled);
	handled++;
}

static void test_own_handler(void **state)
{
	static bool taken;

	(void)state;
	handled = 0;
	if (!taken)
		assert_int_equal(irq_request_gsi(3, handler, &handled, "com2"), 0);
	taken = true;
	assert_int_equal(irq_request_gsi(3, handler, &handled, "com2"), -EBUSY);
	assert_int_equal(irq_request_gsi(99, handler, &handled, "x"), -EINVAL);
	/* As dom0 sees it, it can be mapped but not had. */
	assert_int_equal(pirq_map(dom[0], 3, 3), 3);
	assert_int_equal(irq_pirq_ops.bind(dom[0], 3, true), -EBUSY);
	assert_int_equal(irq_gsi_configure(3, true, false), -EBUSY);
	assert_int_equal(irq_gsi_configure(3, false, false), 0);
}

static void test_eoi_map(void **state)
{
	u32 pfn = sim_alloc_page(dom[0]);
	u64 *map = sim_page(dom[0], pfn);

	(void)state;
	gsi_setup(18, true);
	gsi_setup(6, false);
	gsi_bind(0, 18, true);
	map[0] = ~0UL;
	assert_int_equal(pirq_eoi_map_set(actor, sim_mfn(dom[0], pfn).v, false), 0);
	assert_int_equal(map[0], 1u << 18);
	gsi_bind(0, 6, true);
	assert_int_equal(map[0], 1u << 18);
	gsi_setup(19, true);
	gsi_bind(0, 19, true);
	assert_int_equal(map[0], 1u << 18 | 1u << 19);
	assert_int_equal(pirq_eoi_map_set(actor, sim_mfn(dom[0], pfn).v, false), -EBUSY);
	assert_int_equal(pirq_eoi(dom[0], 19), 0);
	assert_int_equal(unmasked, 0);
	assert_int_equal(pirq_eoi_map_set(sim_run_vcpu(dom[1], 0), ~0UL >> 12, false), -EINVAL);
	pfn = sim_alloc_page(dom[1]);
	assert_int_equal(pirq_eoi_map_set(sim_run_vcpu(dom[1], 0), sim_mfn(dom[1], pfn).v, true), 0);
	gsi_setup(20, true);
	gsi_bind(1, 20, true);
	assert_int_equal(pirq_eoi(dom[1], 20), 0);
	assert_int_equal(unmasked, 1);
}

static void test_move_edge(void **state)
{
	u8 vector;

	(void)state;
	gsi_setup(7, false);
	gsi_bind(0, 7, false);
	vector = (u8)pin_entry(7);
	for (u32 round = 0; round < 20; round++) {
		u32 cpu = round % CPUS;

		/* One is still on its way by the old route. */
		line_set(7, true);
		line_set(7, false);
		irq_pirq_ops.retarget(dom[0], 7, cpu);
		machine_run();
		line_set(7, true);
		line_set(7, false);
		machine_run();
		assert_int_equal(delivered[0][7], 2 * round + 2);
	}
	assert_int_equal(pin_destination(7), 10 + 19 % CPUS);
	assert_int_equal((u8)pin_entry(7), vector);
	assert_int_equal(stray, 0);
}

static void test_move_level(void **state)
{
	(void)state;
	gsi_setup(21, true);
	gsi_bind(0, 21, true);
	line_set(21, true);
	/* Accepted by the old CPU, not yet taken: the route must not change under it. */
	irq_pirq_ops.retarget(dom[0], 21, 2);
	machine_run();
	assert_int_equal(delivered[0][21], 1);
	line_set(21, false);
	assert_int_equal(pirq_eoi(dom[0], 21), 0);
	assert_int_equal(pin_destination(21), 12);
	line_set(21, true);
	machine_run();
	assert_int_equal(delivered[0][21], 2);
	/* In a guest's hands. */
	irq_pirq_ops.retarget(dom[0], 21, 1);
	assert_int_equal(pirq_eoi(dom[0], 21), 0);
	machine_run();
	assert_int_equal(delivered[0][21], 3);
	line_set(21, false);
	assert_int_equal(pirq_eoi(dom[0], 21), 0);
	assert_false(pin_entry(21) & (1u << 16 | 1u << 14));
}

static void cpu_offline(unsigned int cpu)
{
	sim_cpu_switch(cpu);
	cpumask_clear(&cpu_online_map, cpu);
	irq_cpu_drain(cpu);
	sim_cpu_switch(0);
}

static void test_cpu_offline(void **state)
{
	(void)state;
	gsi_setup(8, false);
	gsi_setup(22, true);
	gsi_bind(0, 8, false);
	gsi_bind(0, 22, true);
	irq_pirq_ops.retarget(dom[0], 8, 3);
	irq_pirq_ops.retarget(dom[0], 22, 3);
	line_set(22, true);
	machine_run();
	line_set(22, false);
	assert_int_equal(pirq_eoi(dom[0], 22), 0);
	line_set(8, true);
	line_set(8, false);
	machine_run();
	assert_int_equal(pin_destination(8), 13);
	assert_int_equal(pin_destination(22), 13);
	/* Both wait in the APIC of the CPU that goes. */
	line_set(8, true);
	line_set(8, false);
	line_set(22, true);
	cpu_offline(3);
	machine_run();
	assert_int_equal(delivered[0][8], 2);
	assert_int_equal(delivered[0][22], 2);
	assert_int_not_equal(pin_destination(8), 13);
	line_set(22, false);
	assert_int_equal(pirq_eoi(dom[0], 22), 0);
	line_set(22, true);
	machine_run();
	assert_int_equal(delivered[0][22], 3);
	line_set(22, false);
	assert_int_equal(pirq_eoi(dom[0], 22), 0);
}

/* --- messages --- */

static struct message {
	bool masked, released;
	u32 apic_id;
	u8 vector;
	bool waits;		/* the device sent one while masked */
} msg[64];

static void msg_mask(void *data)
{
	((struct message *)data)->masked = true;
}

static void msg_unmask(void *data)
{
	struct message *x = data;

	x->masked = false;
	if (x->waits)
		message_send(x->apic_id, x->vector);
	x->waits = false;
}

static void msg_route(void *data, const struct irq_route *r)
{
	struct message *x = data;

	x->apic_id = r->apic_id;
	x->vector = r->vector;
}

static void msg_release(void *data)
{
	((struct message *)data)->released = true;
}

static const struct irq_chip msg_chip = { "test", true, msg_mask, msg_unmask, msg_route, msg_release };

static void msg_raise(struct message *x)
{
	if (x->masked)
		x->waits = true;
	else
		message_send(x->apic_id, x->vector);
}

static u32 msg_create(u32 first, u32 count)
{
	void *data[32];
	int irq;

	for (u32 i = 0; i < count; i++) {
		msg[first + i] = (struct message){ .masked = true };
		data[i] = &msg[first + i];
	}
	irq = irq_create(&msg_chip, data, count);
	assert_true(irq >= (int)PINS);
	return (u32)irq;
}

static void test_message(void **state)
{
	u32 irq = msg_create(0, 1);
	int pirq = pirq_map(dom[0], -1, irq);

	(void)state;
	assert_true(pirq >= (int)PINS);
	msg_raise(&msg[0]);
	assert_int_equal(machine_run(), 0);
	assert_int_equal(irq_pirq_ops.bind(dom[0], (u32)pirq, false), 0);
	assert_int_equal(machine_run(), 1);
	assert_int_equal(pirq_status(dom[0], (u32)pirq), 0);
	for (u32 cpu = 0; cpu < CPUS; cpu++) {
		irq_pirq_ops.retarget(dom[0], (u32)pirq, cpu);
		msg_raise(&msg[0]);
		machine_run();
		assert_int_equal(msg[0].apic_id, 10 + cpu);
	}
	assert_int_equal(pirq_unmap(dom[0], (u32)pirq), 0);
	assert_true(msg[0].masked && msg[0].released);
	irq_destroy(irq, 1);
	assert_int_equal(pirq_map(dom[0], -1, irq), -EINVAL);
	/* The number is used again. */
	assert_int_equal(msg_create(1, 1), irq);
	irq_destroy(irq, 1);
}

static void test_message_block(void **state)
{
	u32 irq = msg_create(0, 8);
	int pirq = pirq_find_free(dom[0], 8);

	(void)state;
	assert_int_equal(pirq % 8, 0);
	assert_int_equal(msg[0].vector % 8, 0);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(msg[i].vector, msg[0].vector + i);
		assert_int_equal(msg[i].apic_id, msg[0].apic_id);
		assert_int_equal(pirq_map(dom[0], pirq + (int)i, irq + i), pirq + (int)i);
		assert_int_equal(irq_pirq_ops.bind(dom[0], (u32)pirq + i, false), 0);
	}
	irq_pirq_ops.retarget(dom[0], (u32)pirq, 2);
	msg_raise(&msg[5]);
	assert_int_equal(machine_run(), 1);
	if (msg[0].apic_id == 10)
		cpumask_clear(&cpu_online_map, 1);
	else
		cpu_offline(msg[0].apic_id - 10);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(msg[i].vector, msg[0].vector + i);
		assert_int_equal(msg[i].apic_id, msg[0].apic_id);
		assert_true(cpu_online(msg[i].apic_id - 10));
		msg_raise(&msg[i]);
	}
	assert_int_equal(machine_run(), 8);
	/* The first stands for all. */
	assert_int_equal(pirq_unmap(dom[0], (u32)pirq), 0);
	for (u32 i = 0; i < 8; i++)
		assert_true(msg[i].released);
	assert_int_equal(pirq_irq(dom[0], (u32)pirq + 3), -EINVAL);
	irq_destroy(irq, 8);
}

/* Vectors run out at some time, cleanly. */
static void test_exhaustion(void **state)
{
	static struct message many[2000];
	u32 irqs[2000], n;
	int irq = 0;

	(void)state;
	for (n = 0; n < 2000 && irq >= 0; n++) {
		void *data = &many[n];

		irq = irq_create(&msg_chip, &data, 1);
		if (irq >= 0)
			irqs[n] = (u32)irq;
		else
			n--;
	}
	assert_int_equal(irq, -ENOSPC);
	assert_true(n > CPUS * 180 && n < CPUS * 208);
	while (n)
		irq_destroy(irqs[--n], 1);
	irq = (int)msg_create(0, 4);
	irq_destroy((u32)irq, 4);
}

static void test_storm(void **state)
{
	(void)state;
	gsi_setup(10, false);
	gsi_bind(0, 10, false);
	for (u32 i = 0; i < 60000; i++) {
		line_set(10, true);
		line_set(10, false);
		machine_run();
	}
	assert_true(delivered[0][10] <= 20000 * 2);
	assert_true(pin_entry(10) & 1u << 16);
	sim_clock_advance(20000000);
	assert_false(pin_entry(10) & 1u << 16);
	line_set(10, true);
	line_set(10, false);
	assert_int_equal(machine_run(), 1);
}

/* --- all at once --- */

#define RANDOM_PINS 6

struct source {
	u32 gsi;
	bool level, raised;
	bool bound[DOMAINS];
	u32 pending[DOMAINS];	/* deliveries seen and not said EOI to */
};

/* What guests do: look at what was delivered, make the device quiet sometimes, and say EOI. */
static void guests_work(struct source *s)
{
	for (int d = 0; d < DOMAINS; d++) {
		u32 n = delivered[d][s->gsi];

		delivered[d][s->gsi] = 0;
		if (n && s->level)
			s->pending[d] = 1;
		if (s->pending[d] && rand() % 2) {
			if (rand() % 2) {
				s->raised = false;
				line_set(s->gsi, false);
			}
			s->pending[d] = 0;
			if (s->bound[d])
				assert_int_equal(pirq_eoi(dom[d], s->gsi), 0);
		}
	}
}

static bool anyone(const struct source *s)
{
	for (int d = 0; d < DOMAINS; d++)
		if (s->bound[d])
			return true;
	return false;
}

/* Everything is answered: a raised line of a bound source must come through, whatever happened before. */
static void sources_check(struct source *src)
{
	machine_run();
	for (int i = 0; i < RANDOM_PINS; i++) {
		struct source *s = &src[i];

		s->raised = false;
		line_set(s->gsi, false);
		for (int d = 0; d < DOMAINS; d++) {
			s->pending[d] = 0;
			if (s->bound[d])
				assert_int_equal(pirq_eoi(dom[d], s->gsi), 0);
		}
		machine_run();
		for (int d = 0; d < DOMAINS; d++)
			delivered[d][s->gsi] = 0;
		line_set(s->gsi, true);
		machine_run();
		line_set(s->gsi, false);
		for (int d = 0; d < DOMAINS; d++) {
			assert_int_equal(delivered[d][s->gsi], s->bound[d]);
			delivered[d][s->gsi] = 0;
			if (s->bound[d])
				assert_int_equal(pirq_eoi(dom[d], s->gsi), 0);
		}
		machine_run();
		if (!anyone(s))
			assert_true(pin_entry(s->gsi) & 1u << 16);
	}
}

static void random_step(struct source *s)
{
	int d = rand() % DOMAINS;

	switch (rand() % 8) {
	case 0:
		if (!s->bound[d])
			s->bound[d] = irq_pirq_ops.bind(dom[d], s->gsi, true) == 0;
		break;
	case 1:
		if (rand() % 4 == 0) {
			irq_pirq_ops.unbind(dom[d], s->gsi);
			s->bound[d] = false;
			s->pending[d] = 0;
			delivered[d][s->gsi] = 0;
		}
		break;
	case 2:
		irq_pirq_ops.retarget(dom[d], s->gsi, (u32)rand() % CPUS);
		break;
	case 3:
		machine_run();
		break;
	case 4: case 5:
		if (s->level && s->raised)
			break;
		s->raised = s->level;
		line_set(s->gsi, true);
		if (!s->level)
			line_set(s->gsi, false);
		break;
	default:
		guests_work(s);
		break;
	}
}

static void test_random(void **state)
{
	struct source src[RANDOM_PINS] = { { 11, false, 0, { 0 }, { 0 } }, { 12, false, 0, { 0 }, { 0 } }, { 13, true, 0, { 0 }, { 0 } },
					   { 14, true, 0, { 0 }, { 0 } }, { 15, true, 0, { 0 }, { 0 } }, { 23, true, 0, { 0 }, { 0 } } };

	(void)state;
	srand(5);
	for (int i = 0; i < RANDOM_PINS; i++) {
		gsi_setup(src[i].gsi, src[i].level);
		for (int d = 0; d < DOMAINS; d++)
			assert_int_equal(pirq_map(dom[d], (int)src[i].gsi, src[i].gsi), src[i].gsi);
	}
	for (u32 n = 0; n < 40000; n++) {
		random_step(&src[rand() % RANDOM_PINS]);
		if (n % 500 == 0)
			sources_check(src);
		if (n % 3000 == 1000)
			cpu_offline(1 + (unsigned int)rand() % (CPUS - 1));
		if (n % 3000 == 2000)
			for (unsigned int cpu = 0; cpu < CPUS; cpu++)
				cpumask_set(&cpu_online_map, cpu);
	}
	sources_check(src);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_edge), TEST(test_level), TEST(test_shared), TEST(test_map_rules), TEST(test_own_handler),
		TEST(test_eoi_map), TEST(test_move_edge), TEST(test_move_level), TEST(test_cpu_offline), TEST(test_message),
		TEST(test_message_block), TEST(test_exhaustion), TEST(test_storm), TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
