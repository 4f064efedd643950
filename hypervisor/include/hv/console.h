/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: a ring that keeps what was written, output devices, and input that goes to dom0 or to the debug keys.
 * Usable from the first instruction of C code on (the ring is static until console_ring_move).
 * Unless said otherwise: any context, any CPU; takes LOCK_CONSOLE, the leaf of the lock order.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/compiler.h>
#include <hv/options.h>
#include <hv/types.h>

/* --- set-up, in the order of boot; init context on CPU 0 --- */

/* After the command line was parsed: brings up the legacy UARTs that console= and com1=, com2= name. */
void console_init(void);

/*
 * A UART on PCI, found by whoever scans the bus for com<index + 1>=pci: io_base is a port, or mmio (reg-width 1 or 4, shift)
 * is mapped registers, in which case io_base is not used. The option's remaining fields come from console_uart_option.
 */
const struct uart_option *console_uart_option(unsigned int index);
void console_uart_attach(unsigned int index, u16 io_base, volatile void *mmio, u8 reg_shift, u8 reg_width);

/* Does the console use this UART (so that dom0 must not)? */
bool console_uart_in_use(unsigned int index);

/* A linear framebuffer or VGA text memory, mapped write-combining or uncached. */
struct console_video {
	enum { CONSOLE_VIDEO_NONE, CONSOLE_VIDEO_TEXT, CONSOLE_VIDEO_LINEAR } kind;
	volatile void *memory;
	u32 width, height;      /* characters for TEXT, pixels for LINEAR */
	u32 pitch;              /* LINEAR: bytes from one row to the next */
	u8 bpp;                 /* LINEAR: 15, 16, 24 or 32 */
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};
/*
 * Starts output there if console= has vga, and repeats what the ring holds. -EINVAL if the description is unusable. May be
 * called again with another mapping of the same video memory; the cursor stays. The memory must stay mapped until
 * console_dom0_starts (or for ever with vga=,keep).
 */
int must_check console_video_init(const struct console_video *video);

/* Size in bytes the options ask the ring to be: a power of two, 16 KiB to 64 MiB. */
size_t console_ring_size_wanted(void);
/* Moves the ring to memory of size bytes (a power of two) that is never given back. Contents and index go on. */
void console_ring_move(char *memory, size_t size);

/* dom0 is about to run: gives up the video memory (unless vga=,keep) and hands input to dom0 (unless conswitch=,x). */
void console_dom0_starts(void);

/* --- output --- */

/*
 * What dom0 writes with console_io: to the devices as it is, and to the ring with console_to_ring. Text is hypervisor memory,
 * copied from the guest before. Bounded by the caller: at most 4096 bytes a call.
 */
void console_write_dom0(const char *text, size_t len);

/*
 * What another domain writes: printable characters only, a line at a time, as "(d<domid>) line", held down like
 * log_guest(LOG_INFO). The caller owns *line (zero at first) and its lock.
 */
#define CONSOLE_LINE_MAX 120
struct console_line {
	u16 len;
	char text[CONSOLE_LINE_MAX];
};
void console_write_guest(struct console_line *line, u16 domid, const char *text, size_t len);

/* Sends out what UARTs have buffered, without waiting; from a timer tick or an idle loop. */
void console_poll(void);
/* Waits until all buffered output is out; before reboot. */
void console_flush(void);
/* The caller has stopped all other CPUs, one of them perhaps while it was printing: from now on nobody waits for the console's lock. */
void console_take_over(void);
/* Which messages are printed, as loglvl= or guest_loglvl= has it, while the machine runs. -EINVAL */
int must_check console_loglvl_set(bool guest, const char *text);
void console_loglvl_get(bool guest, char *buf, size_t size);

/* --- the ring, for sysctl readconsole --- */

/*
 * Copies text from *index on (from the oldest if that is gone) to dst and moves *index. Returns the number of bytes, 0 at the
 * end. The index counts bytes written since boot, modulo 2^32. To bound the work, callers copy in pieces of a page.
 */
size_t console_ring_read(u32 *index, char *dst, size_t cap);
/* Where a reader that is not incremental begins: the oldest text not cleared. */
u32 console_ring_start(void);
/* "Clear": makes console_ring_start the given index (as returned by console_ring_read). */
void console_ring_clear(u32 index);
/* Called with each text that the ring takes, in whatever context wrote it and with its locks held: it may queue a tasklet, no more. */
void console_ring_watcher_set(void (*fn)(void));

/* --- input --- */

/*
 * A UART's interrupt: takes in what it received and sends on what is buffered. index 0 = com1, 1 = com2. No console lock
 * held; may call the receiver and debug keys.
 */
void console_uart_interrupt(unsigned int index);
/* From now on the UART raises interrupts and console_uart_interrupt is called for them; until then output waits. */
void console_uart_interrupt_enable(unsigned int index);
/* The legacy IRQ of com<index + 1>, or 0 if it is polled or not in use. */
unsigned int console_uart_irq(unsigned int index);
/* The ports com<index + 1> occupies, which dom0 must not touch: *first and the number, 0 if it uses none. */
u16 console_uart_ports(unsigned int index, u16 *first);
/* For UARTs without interrupt: as console_uart_interrupt for all of them, from a timer tick. */
void console_input_poll(void);

/*
 * One character from a device. Three Ctrl-a in a row (conswitch=) switch the input between dom0 and the hypervisor's debug
 * keys. No console lock held.
 */
void console_receive(char c);
/* Called after each character kept for dom0, without locks: sends VIRQ_CONSOLE. NULL: characters are only kept. */
void console_receiver_set(void (*notify)(void));
/* Takes at most cap characters of those kept for dom0. Returns the number. */
size_t console_input_read(char *dst, size_t cap);

/* --- debug keys --- */

/*
 * Registers fn under a printable character; registering the same one twice is a BUG. name is for the list that 'h' prints.
 * fn runs on one CPU with no lock held and prints with log_always; it must bound its own work. At most 64 keys. Init context.
 */
void debug_key_register(char key, const char *name, void (*fn)(char key));
/* Runs a key's function: from console input and from sysctl debug_keys. False if there is none. No lock held. */
bool debug_key_run(char key);

#endif
