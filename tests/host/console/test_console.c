/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole console over a simulated 16550, text memory and framebuffer. The console's state is static and lives as long as
 * the program, as on the machine, so the tests follow the order of boot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/io.h>
#include <hv/lock.h>
#include <hv/log.h>
#include "../../../hypervisor/drivers/console/internal.h"

/* --- a lock that notices recursion --- */

static bool held;

void spin_lock(struct spinlock *l)
{
	(void)l;
	assert_false(held);
	held = true;
}

void spin_unlock(struct spinlock *l)
{
	(void)l;
	assert_true(held);
	held = false;
}

/* --- a 16550 at 0x3f8; nothing else answers --- */

static struct {
	u8 ier, lcr, mcr, fcr, divisor_low, divisor_high;
	bool busy;              /* does not transmit */
	bool empty_pending;     /* the interrupt "transmitter empty" */
	unsigned int fifo;      /* characters since the transmitter was last seen empty */
	char sent[65536];
	size_t sent_len;
	char input[300];
	size_t input_at, input_len;
} uart;

u8 inb(u16 port)
{
	if (port < 0x3f8 || port > 0x3ff)
		return 0xff;
	switch (port - 0x3f8) {
	case 0:
		if ((uart.lcr & 0x80) != 0)
			return uart.divisor_low;
		return uart.input_at < uart.input_len ? (u8)uart.input[uart.input_at++] : 0;
	case 1:
		return (uart.lcr & 0x80) != 0 ? uart.divisor_high : uart.ier;
	case 2:
		if (uart.input_at < uart.input_len)
			return 0xc4;
		if (!uart.empty_pending)
			return 0xc1;
		uart.empty_pending = false;
		return 0xc2;
	case 5:
		if (!uart.busy)
			uart.fifo = 0;
		return (u8)((uart.busy && uart.fifo > 0 ? 0 : 0x60) | (uart.input_at < uart.input_len));
	default:
		return 0;
	}
}

void outb(u16 port, u8 val)
{
	assert_in_range(port, 0x2f8, 0x3ff);
	if (port < 0x3f8)
		return;
	switch (port - 0x3f8) {
	case 0:
		if ((uart.lcr & 0x80) != 0) {
			uart.divisor_low = val;
			break;
		}
		assert_true(uart.fifo++ < 16);
		assert_true(uart.sent_len < sizeof(uart.sent));
		uart.sent[uart.sent_len++] = (char)val;
		uart.empty_pending = !uart.busy;
		break;
	case 1:
		if ((uart.lcr & 0x80) != 0)
			uart.divisor_high = val;
		else
			uart.ier = val & 0x0f;
		break;
	case 2:
		uart.fcr = val;
		break;
	case 3:
		uart.lcr = val;
		break;
	case 4:
		uart.mcr = val;
		break;
	default:
		break;
	}
}

u8 mmio_read8(const volatile void *p)
{
	return *(const volatile u8 *)p;
}

u32 mmio_read32(const volatile void *p)
{
	return *(const volatile u32 *)p;
}

void mmio_write8(volatile void *p, u8 val)
{
	*(volatile u8 *)p = val;
}

void mmio_write32(volatile void *p, u32 val)
{
	*(volatile u32 *)p = val;
}

static void check_sent(const char *expected)
{
	uart.sent[uart.sent_len] = '\0';
	assert_string_equal(uart.sent, expected);
	uart.sent_len = 0;
}

static void type(const char *text)
{
	uart.input_at = 0;
	uart.input_len = strlen(text);
	memcpy(uart.input, text, uart.input_len);
	uart.empty_pending = true; /* both at once: nothing may be left pending */
	console_uart_interrupt(0);
	assert_int_equal(uart.input_at, uart.input_len);
	assert_false(uart.empty_pending);
}

/* --- options: found by name in the section, as boot does --- */

static int option_set(const char *name, const char *value)
{
	/* The linker gathers the entries; the host's linker script keeps no symbols for them, so use the parsers. */
	if (strcmp(name, "com1") == 0) {
		uart_option_default(&console_uart_options[0], 0);
		console_uart_configured[0] = true;
		return option_uart(value, &console_uart_options[0]);
	}
	if (strcmp(name, "guest_loglvl") == 0)
		return option_loglvl(value, &log_thresholds[LOG_CLASS_GUEST]);
	return option_loglvl(value, &log_thresholds[LOG_CLASS_HOST]);
}

static char ring_text[70000];

static const char *ring_take(void)
{
	u32 index = console_ring_start();
	size_t len = 0, n;

	while ((n = console_ring_read(&index, ring_text + len, 100)) > 0)
		len += n;
	ring_text[len] = '\0';
	console_ring_clear(index);
	return ring_text;
}

/* --- the tests, in boot order --- */

static void test_early(void **state)
{
	(void)state;
	log_warn("first %d", 1);
	log_info("not at this level");
	log_err("two\nlines\n");
	assert_string_equal(ring_take(), "(argon) first 1\n(argon) two\n(argon) lines\n");
	assert_string_equal(ring_take(), "");
	log_always("kept for the screen");
	assert_int_equal(console_uart_irq(0), 0);
}

static void test_uart(void **state)
{
	u16 first = 0;

	(void)state;
	assert_null(console_uart_option(0));
	assert_int_equal(option_set("com1", "115200,8n1"), 0);
	console_init();
	assert_int_equal(uart.divisor_low, 1);
	assert_int_equal(uart.lcr, 3);
	assert_int_equal(uart.mcr, 0x0b);
	assert_int_equal(console_uart_irq(0), 4);
	assert_int_equal(console_uart_ports(0, &first), 8);
	assert_int_equal(first, 0x3f8);
	assert_int_equal(console_uart_ports(1, &first), 0);
	log_warn("a line that is longer than the FIFO of the port");
	check_sent("(argon) a line that is longer than the FIFO of the port\r\n");
	console_write_dom0("a\r\nb\n", 5);
	check_sent("a\r\nb\r\n");
	console_write_dom0("no newline", 10);
	log_warn("x");
	check_sent("no newline\r\n(argon) x\r\n");
	assert_non_null(strstr(ring_take(), "(argon) x\n"));
	assert_string_equal(ring_take(), "");
}

static u16 text_memory[80 * 25 + 1];

static void check_text_row(unsigned int row, const char *expected)
{
	char line[81];
	size_t end = 0;

	for (size_t i = 0; i < 80; i++) {
		assert_int_equal(text_memory[row * 80 + i] >> 8, 7);
		line[i] = (char)text_memory[row * 80 + i];
		if (line[i] != ' ')
			end = i + 1;
	}
	line[end] = '\0';
	assert_string_equal(line, expected);
}

static void test_text_screen(void **state)
{
	struct console_video video = { .kind = CONSOLE_VIDEO_TEXT, .memory = text_memory, .width = 80, .height = 25 };

	(void)state;
	text_memory[80 * 25] = 0xabcd;
	assert_int_equal(console_video_init(&video), 0);
	/* What was cleared from the ring is not shown again. */
	check_text_row(0, "");
	console_write_dom0("\x1b[1;31mred\x1b[0m\ttab\rR\n", 22);
	check_text_row(0, "Red     tab");
	for (int i = 0; i < 30; i++)
		log_warn("line %d", i);
	check_text_row(23, "(argon) line 29");
	check_text_row(24, "");
	check_text_row(0, "(argon) line 6");
	/* Another mapping of the same memory: goes on where it was. */
	assert_int_equal(console_video_init(&video), 0);
	log_warn("more");
	check_text_row(23, "(argon) more");
	for (int i = 0; i < 100; i++)
		console_write_dom0("x", 1);
	check_text_row(24, "xxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(text_memory[80 * 25], 0xabcd);
	console_write_dom0("\n", 1);
	uart.sent_len = 0;
	ring_take();
}

static void framebuffer_check(u8 bpp, u32 width, u32 height)
{
	u32 pitch = width * ((bpp + 7U) / 8) + 12;
	u8 *memory = calloc(pitch, height); /* the sanitizer sees a write outside */
	struct console_video video = {
		.kind = CONSOLE_VIDEO_LINEAR, .memory = memory, .width = width, .height = height, .pitch = pitch,
		.bpp = bpp, .red_pos = 10, .red_size = 5, .green_pos = 5, .green_size = 5, .blue_pos = 0, .blue_size = 5,
	};
	size_t lit = 0;

	assert_int_equal(console_video_init(&video), 0);
	for (int i = 0; i < 200; i++)
		console_write_dom0("The quick brown fox ~{|}~\n", 26);
	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < pitch; x++) {
			lit += memory[y * pitch + x] != 0;
			if (x >= pitch - 12)
				assert_int_equal(memory[y * pitch + x], 0);
		}
	assert_true(lit > 100 || height == 16); /* one row: it has scrolled away */
	/* Back to the text screen, so that this memory is not written again. */
	video = (struct console_video){ .kind = CONSOLE_VIDEO_TEXT, .memory = text_memory, .width = 80, .height = 25 };
	assert_int_equal(console_video_init(&video), 0);
	free(memory);
	uart.sent_len = 0;
}

static void test_framebuffer(void **state)
{
	struct console_video video = { .kind = CONSOLE_VIDEO_LINEAR, .memory = text_memory, .width = 80, .height = 25,
				       .pitch = 80, .bpp = 32 };

	(void)state;
	framebuffer_check(32, 640, 480);
	framebuffer_check(24, 333, 77);
	framebuffer_check(16, 800, 600);
	framebuffer_check(15, 16, 16);
	framebuffer_check(32, 4096, 2200);
	assert_int_equal(console_video_init(&video), -EINVAL);
	video.bpp = 8;
	assert_int_equal(console_video_init(&video), -EINVAL);
	video.memory = NULL;
	assert_int_equal(console_video_init(&video), -EINVAL);
}

/* Thresholds are changed while the machine runs. */
static void test_loglvl(void **state)
{
	struct log_threshold before[LOG_CLASS_COUNT];
	char text[32];

	(void)state;
	memcpy(before, log_thresholds, sizeof(before));
	assert_int_equal(console_loglvl_set(true, "error/debug"), 0);
	console_loglvl_get(true, text, sizeof(text));
	assert_string_equal(text, "error/all");
	assert_int_equal(console_loglvl_set(false, "none"), 0);
	console_loglvl_get(false, text, sizeof(text));
	assert_string_equal(text, "none/none");
	assert_int_equal(console_loglvl_set(false, "loud"), -EINVAL);
	console_loglvl_get(false, text, sizeof(text));
	assert_string_equal(text, "none/none");
	memcpy(log_thresholds, before, sizeof(before));
}

static unsigned int watched;

static void on_ring(void)
{
	watched++;
}

/* Whoever waits for the ring is told of what goes into it, and of nothing else. */
static void test_ring_watcher(void **state)
{
	(void)state;
	console_ring_watcher_set(on_ring);
	log_always("watched");
	assert_true(watched > 0);
	watched = 0;
	console_write_dom0("not kept\n", 9);
	assert_int_equal(watched, 0);
	console_ring_watcher_set(NULL);
	ring_take();
	uart.sent_len = 0;
}

static void test_ring(void **state)
{
	static char big[32768], small[64];
	char piece[8];
	u32 index, start;
	size_t len;

	(void)state;
	log_warn("before the move");
	assert_int_equal(console_ring_size_wanted(), 16384);
	console_ring_option = 20000;
	assert_int_equal(console_ring_size_wanted(), 32768);
	console_ring_move(big, sizeof(big));
	assert_non_null(strstr(ring_take(), "(argon) before the move\n"));
	log_warn("abc");
	start = index = console_ring_start();
	assert_int_equal(console_ring_read(&index, piece, 8), 8);
	assert_memory_equal(piece, "(argon) ", 8);
	assert_int_equal(console_ring_read(&index, piece, 8), 4);
	assert_int_equal(console_ring_read(&index, piece, 8), 0);
	assert_int_equal(index, start + 12);
	for (int i = 0; i < 5000; i++) {
		uart.sent_len = 0;
		log_warn("line %d", i);
	}
	/* Too old: reading begins at the oldest. */
	len = strlen(ring_take());
	assert_int_equal(len, sizeof(big));
	assert_string_equal(ring_text + len - 18, "(argon) line 4999\n");
	log_warn("%s", "a line before the ring becomes small again, which nobody does but works all the same");
	console_ring_move(small, sizeof(small));
	len = strlen(ring_take());
	assert_int_equal(len, 64);
	assert_string_equal(ring_text + len - 9, "the same\n");
	console_ring_move(big, sizeof(big));
	assert_string_equal(ring_take(), "");
	/* An index that was never handed out. */
	index = start + 0x7fffffff;
	console_ring_read(&index, piece, 8);
	uart.sent_len = 0;
}

static void test_buffered_uart(void **state)
{
	static char text[9000];

	(void)state;
	console_uart_interrupt_enable(0);
	assert_int_equal(uart.ier, 3);
	uart.busy = true;
	uart.fifo = 0;
	log_warn("0123456789abcdef");
	/* The first FIFO load went out at once, the rest waits for the interrupt. */
	check_sent("(argon) ");
	console_uart_interrupt(0);
	check_sent("");
	uart.fifo = 0;
	uart.empty_pending = true;
	console_uart_interrupt(0);
	check_sent("0123456789abcdef");
	assert_false(uart.empty_pending);
	uart.busy = false;
	console_poll();
	check_sent("\r\n");
	uart.busy = true;
	uart.fifo = 1;
	log_warn("waits");
	check_sent("");
	uart.busy = false;
	console_flush();
	check_sent("(argon) waits\r\n");
	/* Synchronous: all of it before the call returns. */
	console_sync_option = true;
	log_warn("%s", "0123456789abcdef0123456789abcdef");
	check_sent("(argon) 0123456789abcdef0123456789abcdef\r\n");
	console_sync_option = false;
	/* More than the buffer holds. */
	memset(text, 'y', sizeof(text));
	console_write_dom0(text, sizeof(text));
	console_write_dom0("\n", 1);
	console_flush();
	assert_int_equal(uart.sent_len, sizeof(text) + 2);
	uart.sent_len = 0;
}

static ns_t now;

static ns_t clock(void)
{
	return now;
}

static void test_levels(void **state)
{
	const char *text;

	(void)state;
	log_clock_set(clock);
	ring_take();
	log_guest(LOG_INFO, "no");
	for (int i = 0; i < 30; i++)
		log_guest(LOG_WARNING, "guest %d", i);
	text = ring_take();
	assert_non_null(strstr(text, "guest 19\n"));
	assert_null(strstr(text, "guest 20\n"));
	assert_null(strstr(text, "no"));
	now += 6000000000UL;
	log_guest(LOG_ERROR, "again");
	assert_string_equal(ring_take(), "(argon) 10 messages were held back by the rate limit\n(argon) again\n");
	assert_int_equal(option_set("guest_loglvl", "all"), 0);
	for (int i = 0; i < 30; i++)
		log_guest(LOG_DEBUG, "guest %d", i);
	assert_non_null(strstr(ring_take(), "guest 29\n"));
	assert_int_equal(option_set("loglvl", "none"), 0);
	log_err("not even errors");
	assert_string_equal(ring_take(), "");
	assert_int_equal(option_set("loglvl", "debug"), 0);
	log_stamp = LOG_STAMP_BOOT;
	now = 12345678901UL;
	log_debug("stamped");
	assert_string_equal(ring_take(), "(argon) [    12.345678] stamped\n");
	log_stamp = LOG_STAMP_NONE;
}

static void test_guest_lines(void **state)
{
	struct console_line line = { .len = 0 };
	char text[300];

	(void)state;
	console_write_guest(&line, 7, "hel", 3);
	assert_string_equal(ring_take(), "");
	console_write_guest(&line, 7, "lo\x1b[0m\r\nnext", 12);
	assert_string_equal(ring_take(), "(argon) (d7) hello[0m\n");
	console_write_guest(&line, 7, "\n\n", 2);
	assert_string_equal(ring_take(), "(argon) (d7) next\n(argon) (d7) \n");
	memset(text, 'z', sizeof(text));
	console_write_guest(&line, 7, text, sizeof(text));
	assert_int_equal(line.len, 300 - 2 * CONSOLE_LINE_MAX);
	console_to_ring = true;
	console_write_dom0("raw\n", 4);
	console_to_ring = false;
	assert_non_null(strstr(ring_take(), "raw\n"));
	uart.sent_len = 0;
}

static int notified;
static char pressed[8];

static void notify(void)
{
	assert_false(held);
	notified++;
}

static void on_key(char key)
{
	assert_false(held);
	pressed[strlen(pressed)] = key;
	log_always("did it");
}

static void test_input(void **state)
{
	char buf[400];

	(void)state;
	console_receiver_set(notify);
	debug_key_register('r', "run queues", on_key);
	debug_key_register('d', "registers", on_key);
	/* Before dom0 runs, everything is a debug key. */
	ring_take();
	type("rx\x01\x01\x01" "d");
	assert_string_equal(pressed, "rd");
	assert_int_equal(notified, 0);
	type("h");
	assert_non_null(strstr(ring_take(), " d  registers\n(argon)  r  run queues\n"));
	console_dom0_starts();
	/* The screen is dom0's now. */
	memset(text_memory, 0, sizeof(text_memory));
	log_warn("not on the screen");
	assert_int_equal(text_memory[0], 0);
	type("ls\r");
	assert_int_equal(notified, 3);
	assert_int_equal(console_input_read(buf, 2), 2);
	assert_int_equal(console_input_read(buf + 2, sizeof(buf)), 1);
	assert_memory_equal(buf, "ls\r", 3);
	/* Three in a row only; the first two are dom0's too. */
	type("\x01\x01z\x01\x01\x01" "r");
	assert_string_equal(pressed, "rdr");
	assert_int_equal(console_input_read(buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "\x01\x01z\x01\x01", 5);
	type("\x01\x01\x01" "d");
	assert_string_equal(pressed, "rdr");
	assert_int_equal(console_input_read(buf, sizeof(buf)), 1);
	/* More than fits is lost. */
	for (int i = 0; i < 300; i++)
		console_receive('q');
	assert_int_equal(console_input_read(buf, sizeof(buf)), 256);
	assert_false(debug_key_run('?'));
	assert_true(debug_key_run('d'));
}

/* A UART in memory, with registers 4 bytes apart and 4 wide, as some PCI cards have. */
static void test_memory_uart(void **state)
{
	static u32 registers[8];

	(void)state;
	registers[5] = 0x60;
	uart_option_default(&console_uart_options[1], 1);
	assert_int_equal(option_uart("57600,7e2,pci,0", &console_uart_options[1]), 0);
	console_uart_configured[1] = true;
	console_option.com[1] = true;
	console_option.share[1] = CONSOLE_SHARE_HIGH;
	console_uart_attach(1, 0, registers, 2, 4);
	assert_int_equal(registers[3], 0x1e);
	log_warn("m");
	assert_int_equal(registers[0], (u8)('\n' | 0x80));
	assert_int_equal(console_uart_irq(1), 0);
	/* Received: only with the top bit. */
	registers[5] = 0x61;
	registers[0] = 'a';
	console_input_poll();
	assert_int_equal(console_input_read(ring_text, 100), 0);
	registers[0] = 'a' | 0x80;
	console_input_poll();
	assert_int_equal(console_input_read(ring_text, 100), 64);
	assert_int_equal(ring_text[63], 'a');
	registers[5] = 0x60;
	/* Stops sending: what is written then is lost after a while, and the rest goes on. */
	registers[5] = 0;
	console_sync_option = true;
	log_warn("dead");
	console_sync_option = false;
	registers[0] = 0;
	log_warn("still dead");
	assert_int_equal(registers[0], 0);
	registers[5] = 0x60;
	log_warn("alive");
	assert_int_equal(registers[0], (u8)('\n' | 0x80));
	uart.sent_len = 0;
}

static jmp_buf escape;
static char steps[8];

static void stop_others(void)
{
	strcat(steps, "s");
}

static void dump(void)
{
	strcat(steps, "d");
	BUG_ON(strlen(steps) == 2);
}

static void end(void)
{
	strcat(steps, "e");
	longjmp(escape, 1);
}

static void test_panic(void **state)
{
	static const struct panic_ops ops = { .stop_others = stop_others, .dump = dump, .end = end };

	(void)state;
	panic_install(&ops);
	ring_take();
	held = true; /* somebody has the lock, and will not give it back */
	uart.sent_len = 0;
	if (setjmp(escape) == 0)
		panic("no %s", "way");
	assert_string_equal(steps, "sde");
	assert_true(panic_in_progress());
	assert_non_null(strstr(ring_take(), "panic:\n(argon) no way\n"));
	uart.sent[uart.sent_len] = '\0';
	assert_non_null(strstr(uart.sent, "no way\r\n"));
	assert_non_null(strstr(uart.sent, "This is a bug in the hypervisor: strlen(steps) == 2 (tests/host/console"));
	panic_install(&ops);
	held = false;
	assert_false(panic_in_progress());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_early), cmocka_unit_test(test_uart), cmocka_unit_test(test_text_screen),
		cmocka_unit_test(test_framebuffer), cmocka_unit_test(test_ring), cmocka_unit_test(test_ring_watcher), cmocka_unit_test(test_loglvl), cmocka_unit_test(test_buffered_uart),
		cmocka_unit_test(test_levels), cmocka_unit_test(test_guest_lines), cmocka_unit_test(test_input),
		cmocka_unit_test(test_memory_uart), cmocka_unit_test(test_panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
