/* SPDX-License-Identifier: BSD-2-Clause */
/* What the console's own files share. The lock that guards all of it is taken by console_lock. */
#ifndef CONSOLE_INTERNAL_H
#define CONSOLE_INTERNAL_H

#include <hv/console.h>

/*
 * An output device. Members are called with the console lock held and never wait for a device that does not answer.
 * Lines end in '\n' alone. poll and flush may be NULL.
 */
struct console_device {
	void (*write)(struct console_device *dev, const char *text, size_t len);
	void (*poll)(struct console_device *dev);  /* send what the device takes now */
	void (*flush)(struct console_device *dev); /* send everything buffered */
};

#define UART_COUNT 2
#define CONSOLE_DEVICES_MAX (UART_COUNT + 1)

/* Takes the console lock, except during a panic, when its holder may never give it back. Pass the result to console_unlock. */
bool must_check console_lock(void);
void console_unlock(bool locked);

/* The rest: console lock held. */
void console_device_add(struct console_device *dev);
void console_device_remove(struct console_device *dev);
/* To the ring and the devices. */
void console_emit(const char *text, size_t len);
/* To the devices only. */
void console_emit_devices(const char *text, size_t len);
/* Starts a new line on the devices if dom0 left one unfinished. */
void console_line_begin(void);
/* Must output be on the wire before the writer goes on? */
bool console_synchronous(void);

void ring_write(const char *text, size_t len);
size_t ring_read(u32 *index, char *dst, size_t cap);
u32 ring_start(void);

/* uart.c */
/* Takes over the registers and programs the line; false if nothing answers there. */
bool uart_start(unsigned int index, u16 io_base, volatile void *mmio, const struct uart_option *option,
		enum console_share share);

/* Message classes, each with thresholds and a rate limit of its own. */
enum log_class { LOG_CLASS_HOST, LOG_CLASS_GUEST, LOG_CLASS_COUNT };
/* May a message of this class and level be printed now? Counts it against the rate limit, and reports those held back. */
bool log_admit(enum log_class class, int level);
/* One message line's beginning: prefix and time stamp. */
void log_prefix(void);

/* screen.c: a terminal on VGA text memory or a framebuffer. */
struct console_device *screen_device(void);
/* 0 if the description makes sense, else -EINVAL. */
int must_check screen_check(const struct console_video *video);
/* Starts on a checked description. If not "first", it is another mapping of the same memory and the text stays. */
void screen_start(const struct console_video *video, bool first);

/* input.c: hands the input to dom0 as conswitch= says. Takes the console lock itself. */
void input_dom0_starts(void);

/* 8 rows of pixels, each doubled on screen; bit 7 is the left column. */
extern const u8 font_glyphs[95][8];

/* options.c */
extern struct uart_option console_uart_options[UART_COUNT];
extern bool console_uart_configured[UART_COUNT];
extern struct console_option console_option;
extern struct vga_option console_vga_option;
extern struct conswitch_option console_conswitch;
extern bool console_to_ring, console_sync_option;
extern u64 console_ring_option;
extern struct log_threshold log_thresholds[LOG_CLASS_COUNT];
enum log_stamp { LOG_STAMP_NONE, LOG_STAMP_BOOT, LOG_STAMP_RAW };
extern enum log_stamp log_stamp;

#endif
