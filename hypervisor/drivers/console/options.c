/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's boot options. Written once at boot. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/format.h>
#include <hv/log.h>
#include <hv/string.h>
#include "internal.h"

struct uart_option console_uart_options[UART_COUNT];
bool console_uart_configured[UART_COUNT];
struct console_option console_option = { .vga = true, .com = { true, false } };
struct vga_option console_vga_option;
struct conswitch_option console_conswitch = { .key = 'a' };
bool console_to_ring, console_sync_option;
u64 console_ring_option;
struct log_threshold log_thresholds[LOG_CLASS_COUNT] = {
	[LOG_CLASS_HOST] = { .always = LOG_WARNING, .limited = LOG_WARNING },
	[LOG_CLASS_GUEST] = { .always = LOG_THRESHOLD_NONE, .limited = LOG_WARNING },
};
enum log_stamp log_stamp;

static int com_parse(unsigned int index, const char *value)
{
	struct uart_option option;
	int ret;

	uart_option_default(&option, index);
	ret = option_uart(value, &option);
	if (ret == 0) {
		console_uart_options[index] = option;
		console_uart_configured[index] = true;
	}
	return ret;
}

static int com1_parse(const char *value)
{
	return com_parse(0, value);
}

static int com2_parse(const char *value)
{
	return com_parse(1, value);
}

static int console_parse(const char *value)
{
	bool unsupported = false;
	int ret = option_console(value, &console_option, &unsupported);

	if (ret == 0 && unsupported)
		log_warn("console=: there is no driver for USB debug ports (dbgp, ehci, xhci)");
	return ret;
}

static int loglvl_parse(const char *value)
{
	return option_loglvl(value, &log_thresholds[LOG_CLASS_HOST]);
}

static int guest_loglvl_parse(const char *value)
{
	return option_loglvl(value, &log_thresholds[LOG_CLASS_GUEST]);
}

/* Two bytes, written one after the other and read without a lock: a message between them may be judged by one old and one new. */
int console_loglvl_set(bool guest, const char *text)
{
	return option_loglvl(text, &log_thresholds[guest ? LOG_CLASS_GUEST : LOG_CLASS_HOST]);
}

void console_loglvl_get(bool guest, char *buf, size_t size)
{
	static const char *const names[] = { "none", "error", "warning", "info", "all" };
	const struct log_threshold *t = &log_thresholds[guest ? LOG_CLASS_GUEST : LOG_CLASS_HOST];

	hv_snprintf(buf, size, "%s/%s", names[t->always - LOG_THRESHOLD_NONE], names[t->limited - LOG_THRESHOLD_NONE]);
}

static int vga_parse(const char *value)
{
	return option_vga(value, &console_vga_option);
}

static int conswitch_parse(const char *value)
{
	return option_conswitch(value, &console_conswitch);
}

static int timestamps_parse(const char *value)
{
	bool on;

	if (option_bool(value, &on) == 0)
		log_stamp = on ? LOG_STAMP_BOOT : LOG_STAMP_NONE;
	else if (strcmp(value, "none") == 0)
		log_stamp = LOG_STAMP_NONE;
	else if (strcmp(value, "boot") == 0 || strcmp(value, "") == 0)
		log_stamp = LOG_STAMP_BOOT;
	else if (strcmp(value, "raw") == 0)
		log_stamp = LOG_STAMP_RAW;
	else
		return -EINVAL;
	return 0;
}

BOOT_OPTION_CUSTOM("com1", com1_parse, "First serial port: baud[,DPS[,io-base|pci|amt[,irq|msi[,port-bdf[,bridge-bdf]]]]], or name=value.");
BOOT_OPTION_CUSTOM("com2", com2_parse, "Second serial port; as com1.");
BOOT_OPTION_CUSTOM("console", console_parse, "Where output goes: list of vga, com1, com2 (with H or L), none.");
BOOT_OPTION_CUSTOM("loglvl", loglvl_parse, "Argon's messages: none|error|warning|info|debug|all[/rate-limited level].");
BOOT_OPTION_CUSTOM("guest_loglvl", guest_loglvl_parse, "Messages about guests; as loglvl.");
BOOT_OPTION_CUSTOM("vga", vga_parse, "Screen: current, text-80x<rows>, gfx-<w>x<h>x<depth>, mode-<n>; with ,keep it stays after boot.");
BOOT_OPTION_CUSTOM("conswitch", conswitch_parse, "Key for Ctrl-<key> three times, which switches the input; with x it stays with Argon at boot.");
BOOT_OPTION_CUSTOM("console_timestamps", timestamps_parse, "Time stamps of messages: none|boot|raw.");
BOOT_OPTION_SIZE("conring_size", console_ring_option, "Size of the ring that keeps messages; rounded up to a power of two.");
BOOT_OPTION_BOOL("console_to_ring", console_to_ring, "Keep dom0's console output in the ring too.");
BOOT_OPTION_BOOL("sync_console", console_sync_option, "Wait for each character to leave the serial port.");
