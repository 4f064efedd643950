/* SPDX-License-Identifier: BSD-2-Clause */
/* What the console needs of interrupts and timers: the UARTs' interrupts, polling where they have none, and debug keys. */
#include <hv/acpi.h>
#include <hv/console.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/time.h>
#include <hv/timer.h>

#define UARTS 2u
#define POLL_PERIOD 20000000ULL

static struct timer poll_timer;

static void uart_interrupt(void *arg)
{
	console_uart_interrupt((unsigned int)(uintptr_t)arg);
}

static void poll(void *arg)
{
	(void)arg;
	console_input_poll();
	console_poll();
	timer_set(&poll_timer, time_now() + POLL_PERIOD);
}

/* True if the UART interrupts from now on. */
static bool uart_connect(unsigned int index)
{
	static const char *const name[UARTS] = { "com1", "com2" };
	unsigned int irq = console_uart_irq(index);
	int rc;

	if (!irq || irq > 0xff)
		return false;
	rc = irq_request_gsi(irq < 16 ? acpi_isa_irq(&acpi_info, (u8)irq).gsi : irq, uart_interrupt,
			     (void *)(uintptr_t)index, name[index]);
	if (rc) {
		log_warn("%s: no interrupt %u (error %d), polled", name[index], irq, rc);
		return false;
	}
	console_uart_interrupt_enable(index);
	return true;
}

static void key_irqs(char key)
{
	(void)key;
	irq_dump();
}

static void key_timers(char key)
{
	(void)key;
	timer_dump();
}

void irq_init_late(void)
{
	bool polled = false;

	for (unsigned int index = 0; index < UARTS; index++)
		if (console_uart_in_use(index) && !uart_connect(index))
			polled = true;
	if (polled) {
		timer_init(&poll_timer, poll, NULL, 0);
		timer_set(&poll_timer, time_now() + POLL_PERIOD);
	}
	debug_key_register('i', "dump interrupts", key_irqs);
	debug_key_register('a', "dump timers", key_timers);
}
