/* SPDX-License-Identifier: BSD-2-Clause */
/* Output: from messages and guests to the ring and the devices. */
#include <hv/format.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/string.h>
#include "internal.h"

/* Guards everything in this folder that says so. */
static struct spinlock lock = SPINLOCK(LOCK_CONSOLE);

static struct console_device *devices[CONSOLE_DEVICES_MAX];
static unsigned int device_count;
static bool line_open;          /* the devices' last character was no newline */
static bool video_running;

/* Every other CPU was stopped, wherever it was: the lock may be held for ever. */
static bool alone;

void console_take_over(void)
{
	alone = true;
}

bool console_lock(void)
{
	if (panic_in_progress() || alone)
		return false;
	spin_lock(&lock);
	return true;
}

void console_unlock(bool locked)
{
	if (locked)
		spin_unlock(&lock);
}

void console_device_add(struct console_device *dev)
{
	BUG_ON(device_count == CONSOLE_DEVICES_MAX);
	devices[device_count++] = dev;
}

void console_device_remove(struct console_device *dev)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < device_count; i++)
		if (devices[i] != dev)
			devices[left++] = devices[i];
	device_count = left;
}

bool console_synchronous(void)
{
	return console_sync_option || panic_in_progress();
}

void console_emit_devices(const char *text, size_t len)
{
	if (len == 0)
		return;
	for (unsigned int i = 0; i < device_count; i++)
		devices[i]->write(devices[i], text, len);
	line_open = text[len - 1] != '\n';
}

void console_emit(const char *text, size_t len)
{
	ring_write(text, len);
	console_emit_devices(text, len);
}

void console_line_begin(void)
{
	if (line_open)
		console_emit_devices("\n", 1);
}

void console_write_dom0(const char *text, size_t len)
{
	bool locked = console_lock();

	if (console_to_ring)
		ring_write(text, len);
	console_emit_devices(text, len);
	console_unlock(locked);
}

static void guest_line_print(struct console_line *line, u16 domid)
{
	char tag[16];
	int len = hv_snprintf(tag, sizeof(tag), "(d%u) ", (unsigned int)domid);
	bool locked = console_lock();

	if (log_admit(LOG_CLASS_GUEST, LOG_INFO)) {
		console_line_begin();
		log_prefix();
		console_emit(tag, (size_t)len);
		console_emit(line->text, line->len);
		console_emit("\n", 1);
	}
	console_unlock(locked);
	line->len = 0;
}

void console_write_guest(struct console_line *line, u16 domid, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\n' || line->len == CONSOLE_LINE_MAX)
			guest_line_print(line, domid);
		if (c == '\t' || (c >= ' ' && c <= '~'))
			line->text[line->len++] = c;
	}
}

void console_poll(void)
{
	bool locked = console_lock();

	for (unsigned int i = 0; i < device_count; i++)
		if (devices[i]->poll != NULL)
			devices[i]->poll(devices[i]);
	console_unlock(locked);
}

void console_flush(void)
{
	bool locked = console_lock();

	for (unsigned int i = 0; i < device_count; i++)
		if (devices[i]->flush != NULL)
			devices[i]->flush(devices[i]);
	console_unlock(locked);
}

void console_init(void)
{
	for (unsigned int i = 0; i < UART_COUNT; i++) {
		const struct uart_option *option = &console_uart_options[i];

		if (!console_uart_configured[i] || option->where != UART_IO_PORT)
			continue;
		if (option->io_base <= 0xffff)
			console_uart_attach(i, (u16)option->io_base, NULL, option->reg_shift, option->reg_width);
		else
			log_warn("com%u: registers in memory are supported on PCI only", i + 1);
	}
}

const struct uart_option *console_uart_option(unsigned int index)
{
	return index < UART_COUNT && console_uart_configured[index] ? &console_uart_options[index] : NULL;
}

void console_uart_attach(unsigned int index, u16 io_base, volatile void *mmio, u8 reg_shift, u8 reg_width)
{
	struct uart_option option;
	bool locked, found;

	if (index >= UART_COUNT || !console_uart_configured[index] || !console_option.com[index])
		return;
	option = console_uart_options[index];
	option.reg_shift = reg_shift;
	option.reg_width = reg_width;
	locked = console_lock();
	found = uart_start(index, io_base, mmio, &option, console_option.share[index]);
	console_unlock(locked);
	if (!found)
		log_warn("com%u: no UART answers at %s 0x%lx", index + 1, mmio == NULL ? "port" : "address",
			 mmio == NULL ? (unsigned long)io_base : (unsigned long)option.io_base);
}

/* What was said before there was a screen. */
static void screen_replay(struct console_device *dev)
{
	u32 index = ring_start();
	char piece[64];
	size_t len;

	while ((len = ring_read(&index, piece, sizeof(piece))) > 0)
		dev->write(dev, piece, len);
}

int console_video_init(const struct console_video *video)
{
	struct console_device *dev = screen_device();
	bool locked, first;
	int ret;

	locked = console_lock();
	ret = screen_check(video);
	if (ret == 0) {
		first = !video_running;
		if (console_option.vga) {
			screen_start(video, first);
			if (first) {
				screen_replay(dev);
				console_device_add(dev);
				video_running = true;
			}
		}
	}
	console_unlock(locked);
	return ret;
}

void console_dom0_starts(void)
{
	bool locked = console_lock();

	if (video_running && !console_vga_option.keep) {
		console_device_remove(screen_device());
		video_running = false;
	}
	console_unlock(locked);
	input_dom0_starts();
}
