/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsers of the options with a syntax of their own: pure functions from text to a struct. Those that return int return
 * 0, or -EINVAL with the struct left as it was. Who registers the option (hv/cmdline.h) is who uses the struct.
 */
#ifndef HV_OPTIONS_H
#define HV_OPTIONS_H

#include <hv/compiler.h>
#include <hv/types.h>

/* dom0_mem= size, "[<size>+]<percent>%" of the memory, or, if negative, all but so much. */
struct memory_amount {
	bool set;
	bool negative;
	u64 bytes;
	u32 percent; /* 0 to 99 */
};

struct dom0_memory {
	struct memory_amount plain, min, max;
};

int must_check option_dom0_mem(const char *text, struct dom0_memory *out);
/*
 * dom0's memory in bytes (a multiple of 4 KiB), of so much available: the plain amount, or all but 1/16 or 128 MiB (the
 * smaller), at least min, at most max and never more than available. *max_reservation is what it may balloon up to,
 * UINT64_MAX if unlimited.
 */
u64 dom0_memory_bytes(const struct dom0_memory *option, u64 available, u64 *max_reservation);

/* dom0_max_vcpus= N, MIN-MAX, MIN- or -MAX. */
struct dom0_vcpus {
	u32 min, max; /* 1 and UINT32_MAX if not said; equal for a plain number */
};
int must_check option_dom0_max_vcpus(const char *text, struct dom0_vcpus *out);
/* vCPUs for so many CPUs, 1 to limit. */
u32 dom0_vcpus_count(const struct dom0_vcpus *option, u32 cpus, u32 limit);

/* com1=, com2= */
enum uart_where { UART_IO_PORT, UART_PCI, UART_AMT };
#define UART_IRQ_POLL 0
#define UART_IRQ_MSI (-1)
#define UART_BDF(bus, dev, fn) ((u32)(bus) << 8 | (u32)(dev) << 3 | (u32)(fn))
#define UART_BDF_NONE 0xffffffffU
struct uart_option {
	u32 baud;               /* 0: auto, keep what firmware set */
	u32 clock_hz;           /* base baud rate * 16 */
	u8 data_bits;           /* 5 to 8 */
	char parity;            /* n, o, e, m, s */
	u8 stop_bits;           /* 1, 2 */
	u8 reg_shift, reg_width;
	enum uart_where where;
	u64 io_base;            /* port, or address if above 0xffff */
	s32 irq;
	u32 port_bdf, bridge_bdf; /* UART_BDF or UART_BDF_NONE */
};
/* *out holds the port's defaults (uart_option_default) and is changed where the text says so. */
int must_check option_uart(const char *text, struct uart_option *out);
/* Defaults of com1 (index 0: 0x3f8, 4) and com2 (index 1: 0x2f8, 3): 115200... as firmware set it, 8n1. */
void uart_option_default(struct uart_option *out, unsigned int index);

/* console= */
enum console_share { CONSOLE_SHARE_NONE, CONSOLE_SHARE_HIGH, CONSOLE_SHARE_LOW };
struct console_option {
	bool vga, pv;
	bool com[2];
	enum console_share share[2]; /* H and L suffix of com1, com2 */
};
/* dbgp, ehci and xhci are accepted and have no effect, since there is no driver for them: *unsupported is then set. */
int must_check option_console(const char *text, struct console_option *out, bool *unsupported);

/* loglvl=, guest_loglvl=: messages up to "always" are printed, further ones up to "limited" with a rate limit. */
#define LOG_THRESHOLD_NONE (-1)
#define LOG_THRESHOLD_ALL 3
struct log_threshold {
	s8 always, limited; /* LOG_THRESHOLD_NONE or enum log_level; always <= limited */
};
int must_check option_loglvl(const char *text, struct log_threshold *out);

/* vga= */
struct vga_option {
	enum { VGA_MODE_DEFAULT, VGA_MODE_CURRENT, VGA_MODE_TEXT, VGA_MODE_GFX, VGA_MODE_NUMBER, VGA_MODE_ASK } mode;
	u16 rows;                 /* TEXT */
	u16 width, height, depth; /* GFX */
	u16 number;               /* NUMBER */
	bool keep;
};
int must_check option_vga(const char *text, struct vga_option *out);

/* conswitch= */
struct conswitch_option {
	char key;         /* 'a': Ctrl-a */
	bool stay;        /* x: input stays with the hypervisor at boot */
};
int must_check option_conswitch(const char *text, struct conswitch_option *out);

/*
 * cpuid= and dom0-cpuid=: list of booleans over feature names. Calls set(ctx, name, value) for each; set returns false for
 * a name it does not know. Returns the number of names not known, or -EINVAL if an item is malformed (others still count).
 */
int must_check option_cpuid(const char *text, bool (*set)(void *ctx, const char *name, bool value), void *ctx);

/* spec-ctrl=: -1 not said, 0 off, 1 on. */
enum spec_thunk { SPEC_THUNK_DEFAULT, SPEC_THUNK_RETPOLINE, SPEC_THUNK_LFENCE, SPEC_THUNK_JMP };
enum spec_bhb { SPEC_BHB_DEFAULT, SPEC_BHB_SHORT, SPEC_BHB_TSX, SPEC_BHB_LONG };
struct spec_ctrl_option {
	s8 all;                 /* 0 after "no": everything off, for guests too */
	s8 host;                /* 0 after "no-xen": the hypervisor's own protections off */
	s8 msr_sc_pv, msr_sc_hvm, rsb_pv, rsb_hvm, verw_pv, verw_hvm;
	s8 ibpb_entry_pv, ibpb_entry_hvm, bhb_entry_pv, bhb_entry_hvm;
	enum spec_thunk thunk;
	enum spec_bhb bhb_seq;
	s8 ibrs, ibpb, stibp, ssbd, psfd, eager_fpu, l1d_flush, branch_harden, srb_lock, unpriv_mmio, gds_mit, div_scrub,
		lock_harden, bhi_dis_s, bp_spec_reduce;
};
#define SPEC_CTRL_OPTION_DEFAULT { \
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, SPEC_THUNK_DEFAULT, SPEC_BHB_DEFAULT, \
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 }
/* Changes what the text says. Unknown and malformed items are skipped and make the result -EINVAL; the rest counts. */
int must_check option_spec_ctrl(const char *text, struct spec_ctrl_option *out);

/* xpti=: list of a boolean, "default", dom0=BOOLEAN, domu=BOOLEAN. */
struct xpti_option {
	s8 dom0, domu; /* -1 default, 0, 1 */
};
int must_check option_xpti(const char *text, struct xpti_option *out);

#endif
