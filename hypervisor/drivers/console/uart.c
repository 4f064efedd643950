/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550 serial ports. Output waits for the wire until interrupts (or a polling timer) are announced with
 * console_uart_interrupt_enable; from then on it goes through a buffer that the interrupt empties, and waits only while
 * that is full. Everything but the entry points below is called with the console lock held.
 */
#include <hv/io.h>
#include <hv/log.h>
#include "internal.h"

enum uart_register {
	UART_DATA = 0,          /* receive and transmit; divisor low with DLAB */
	UART_IER = 1,           /* interrupt enable; divisor high with DLAB */
	UART_IIR = 2,           /* read: interrupt identification */
	UART_FCR = 2,           /* write: FIFO control */
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
};

#define IER_RECEIVE 0x01
#define IER_TRANSMIT 0x02
#define IIR_NONE 0x01           /* no interrupt pending */
#define FCR_SETUP 0x87          /* enable, clear both, interrupt at 8 characters */
#define LCR_DLAB 0x80
#define MCR_SETUP 0x0b          /* DTR, RTS, OUT2: OUT2 lets the interrupt through on a PC */
#define LSR_DATA 0x01
#define LSR_TRANSMIT_EMPTY 0x20
#define FIFO_SIZE 16
#define TX_SIZE 8192U           /* a power of two */
#define RX_BATCH 64
#define SERVICE_ROUNDS 16
/* Reads of LSR before a port counts as stalled: at about a microsecond each, the slowest line needs 35 ms a FIFO. */
#define WAIT_ROUNDS 200000
#define DEFAULT_BAUD 115200

struct uart {
	struct console_device dev;
	volatile u8 *mmio;      /* NULL: ports */
	u16 io_base;
	u8 shift, width;
	bool running;           /* set up and answering */
	bool stalled;           /* does not send: output is dropped, without waiting, until it does again */
	bool buffered;          /* somebody empties the buffer */
	bool interrupts;        /* ... and the port's interrupts do */
	s32 irq;
	enum console_share share;
	bool after_return;      /* the latest character written was '\r' */
	u32 tx_head, tx_tail;   /* next to write, next to send; modulo 2^32 */
	char tx[TX_SIZE];
};

static struct uart uarts[UART_COUNT];

static u8 reg_read(const struct uart *u, enum uart_register reg)
{
	u32 offset = (u32)reg << u->shift;

	if (u->mmio == NULL)
		return inb((u16)(u->io_base + offset));
	if (u->width == 4)
		return (u8)mmio_read32(u->mmio + offset);
	return mmio_read8(u->mmio + offset);
}

static void reg_write(const struct uart *u, enum uart_register reg, u8 val)
{
	u32 offset = (u32)reg << u->shift;

	if (u->mmio == NULL)
		outb((u16)(u->io_base + offset), val);
	else if (u->width == 4)
		mmio_write32(u->mmio + offset, val);
	else
		mmio_write8(u->mmio + offset, val);
}

/* Sends as much as the transmitter takes now. */
static void tx_push(struct uart *u)
{
	u8 mark = u->share == CONSOLE_SHARE_HIGH ? 0x80 : 0;
	u8 mask = u->share == CONSOLE_SHARE_NONE ? 0xff : 0x7f;

	if (u->tx_head == u->tx_tail || (reg_read(u, UART_LSR) & LSR_TRANSMIT_EMPTY) == 0)
		return;
	for (int i = 0; i < FIFO_SIZE && u->tx_tail != u->tx_head; i++)
		reg_write(u, UART_DATA, (u8)(((u8)u->tx[u->tx_tail++ % TX_SIZE] & mask) | mark));
}

/* Sends until at most "left" characters are buffered. If the port has stopped sending, they are dropped. */
static void tx_drain(struct uart *u, u32 left)
{
	u32 rounds = 0, tail = u->tx_tail;

	while (u->tx_head - u->tx_tail > left) {
		tx_push(u);
		if (u->tx_tail != tail) {
			tail = u->tx_tail;
			rounds = 0;
		} else if (++rounds == WAIT_ROUNDS) {
			u->stalled = true;
			u->tx_tail = u->tx_head;
		}
	}
}

static void tx_put(struct uart *u, char c)
{
	if (u->tx_head - u->tx_tail == TX_SIZE)
		tx_drain(u, TX_SIZE - FIFO_SIZE);
	u->tx[u->tx_head++ % TX_SIZE] = c;
}

static void uart_write(struct console_device *dev, const char *text, size_t len)
{
	struct uart *u = container_of(dev, struct uart, dev);

	if (u->stalled && (reg_read(u, UART_LSR) & LSR_TRANSMIT_EMPTY) == 0)
		return;
	u->stalled = false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' && !u->after_return)
			tx_put(u, '\r');
		tx_put(u, text[i]);
		u->after_return = text[i] == '\r';
	}
	if (u->buffered && !console_synchronous())
		tx_push(u);
	else
		tx_drain(u, 0);
}

static void uart_poll(struct console_device *dev)
{
	tx_push(container_of(dev, struct uart, dev));
}

static void uart_flush(struct console_device *dev)
{
	tx_drain(container_of(dev, struct uart, dev), 0);
}

static u8 line_control(const struct uart_option *option)
{
	u8 lcr = (u8)(option->data_bits - 5);

	if (option->stop_bits == 2)
		lcr |= 0x04;
	switch (option->parity) {
	case 'o':
		return lcr | 0x08;
	case 'e':
		return lcr | 0x18;
	case 'm':
		return lcr | 0x28;
	case 's':
		return lcr | 0x38;
	default:
		return lcr;
	}
}

static void line_program(struct uart *u, const struct uart_option *option)
{
	u8 lcr = line_control(option);
	u32 divisor, baud = option->baud;

	reg_write(u, UART_LCR, lcr | LCR_DLAB);
	divisor = reg_read(u, UART_DATA) | (u32)reg_read(u, UART_IER) << 8;
	if (baud == 0 && divisor == 0) /* "auto", and nobody has set it */
		baud = DEFAULT_BAUD;
	if (baud != 0) {
		divisor = MAX(1U, (option->clock_hz / 16 + baud / 2) / baud);
		reg_write(u, UART_DATA, (u8)divisor);
		reg_write(u, UART_IER, (u8)(divisor >> 8));
	}
	reg_write(u, UART_LCR, lcr);
	reg_write(u, UART_FCR, FCR_SETUP);
	reg_write(u, UART_MCR, MCR_SETUP);
}

bool uart_start(unsigned int index, u16 io_base, volatile void *mmio, const struct uart_option *option,
		enum console_share share)
{
	struct uart *u = &uarts[index];

	if (u->running)
		return true;
	u->io_base = io_base;
	u->mmio = mmio;
	u->shift = option->reg_shift;
	u->width = option->reg_width;
	u->irq = option->irq;
	u->share = share;
	/* The upper bits of IER are always 0 on a 16550; where there is none, all bits read as 1. */
	reg_write(u, UART_IER, 0);
	if ((reg_read(u, UART_IER) & 0xf0) != 0)
		return false;
	line_program(u, option);
	u->dev = (struct console_device){ .write = uart_write, .poll = uart_poll, .flush = uart_flush };
	u->running = true;
	console_device_add(&u->dev);
	return true;
}

bool console_uart_in_use(unsigned int index)
{
	return uarts[index].running;
}

unsigned int console_uart_irq(unsigned int index)
{
	const struct uart *u = &uarts[index];

	return u->running && u->mmio == NULL && u->irq > 0 ? (unsigned int)u->irq : 0;
}

u16 console_uart_ports(unsigned int index, u16 *first)
{
	const struct uart *u = &uarts[index];

	if (!u->running || u->mmio != NULL)
		return 0;
	*first = u->io_base;
	return (u16)(8U << u->shift);
}

void console_uart_interrupt_enable(unsigned int index)
{
	struct uart *u = &uarts[index];
	bool locked = console_lock();

	if (u->running) {
		u->buffered = true;
		u->interrupts = true;
		reg_write(u, UART_IER, IER_RECEIVE | IER_TRANSMIT);
	}
	console_unlock(locked);
}

/* Takes in at most RX_BATCH characters; returns their number. Console lock held. */
static unsigned int receive(struct uart *u, char *batch)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < RX_BATCH && (reg_read(u, UART_LSR) & LSR_DATA) != 0; i++) {
		u8 c = reg_read(u, UART_DATA);

		/* On a shared line the top bit says whose character it is. */
		if (u->share == CONSOLE_SHARE_NONE)
			batch[n++] = (char)c;
		else if ((c & 0x80) == (u->share == CONSOLE_SHARE_HIGH ? 0x80 : 0))
			batch[n++] = (char)(c & 0x7f);
	}
	return n;
}

/* Receives and sends what is possible now. Was an interrupt pending? (Reading IIR acknowledges "transmitter empty".) */
static bool service(struct uart *u)
{
	char batch[RX_BATCH];
	unsigned int n = 0;
	bool pending = false, locked = console_lock();

	if (u->running) {
		pending = u->interrupts && (reg_read(u, UART_IIR) & IIR_NONE) == 0;
		n = receive(u, batch);
		tx_push(u);
	}
	console_unlock(locked);
	for (unsigned int i = 0; i < n; i++)
		console_receive(batch[i]);
	return pending;
}

void console_uart_interrupt(unsigned int index)
{
	struct uart *u = &uarts[index];
	unsigned int rounds = 0;

	/* The line is edge-triggered: if it is still up when we leave, there is never another interrupt. */
	while (service(u))
		if (++rounds == SERVICE_ROUNDS) {
			reg_write(u, UART_IER, 0);
			reg_write(u, UART_IER, IER_RECEIVE | IER_TRANSMIT);
			break;
		}
}

void console_input_poll(void)
{
	for (unsigned int i = 0; i < UART_COUNT; i++)
		if (uarts[i].running && !uarts[i].interrupts) {
			uarts[i].buffered = true;
			service(&uarts[i]);
		}
}
