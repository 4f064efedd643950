/* SPDX-License-Identifier: BSD-2-Clause */
/* libargondomain: a person at a guest's console. */
#ifndef ARGON_CONSOLE_H
#define ARGON_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

struct console_options {
	int in_fd, out_fd; /* keyboard and screen; in_fd becomes raw meanwhile if it is a terminal */
	unsigned int number; /* which console of the domain; 0: the first */
	char escape; /* what detaches; 0: Ctrl-] */
	bool serial; /* the emulated serial port of a HVM guest instead of its PV console */
	unsigned int wait_ms; /* how long to wait for the console to appear; 0: 5000 */
};

/**
 * Show a console and pass on what is typed, until the person detaches, the keyboard ends while it is no terminal, or the domain
 * goes. When the console daemon is restarted meanwhile, goes on with the new one. Opens handles of its own, so that it may be
 * called in a child of fork. Several may be attached to one guest if the daemon is ours; Debian's has one pty for all.
 * @return 0, or a negative errno with the reason: -ESRCH no such domain, -ENOENT no console within wait_ms
 */
int console_attach(uint32_t domid, const struct console_options *options);

#endif
