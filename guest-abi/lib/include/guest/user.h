/* SPDX-License-Identifier: BSD-2-Clause */
/* Code in guest user mode: a second top-level page table, entered with iret and left by a system call or an exception. */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include <guest/trap.h>
#include <guest/types.h>

#define USER_CODE  0x400000UL
#define USER_STACK 0x800000UL /* top */

/* Makes the user's page table. Returns 0 or a negated error. */
int user_init(void);
/* Maps a frame at an address of the user's. */
int user_map(u64 va, u64 mfn, u64 flags);
/* The L1 entry that maps a user's address, or null. */
const u64 *user_entry(u64 va);
/* Copies code to USER_CODE, and gives a stack. Returns 0 or a negated error. */
int user_load(const void *code, size_t n);
/* A frame that enters user mode at USER_CODE + offset with an argument in %rdi. */
void user_frame(struct trap_frame *f, u64 offset, u64 arg);
/*
 * Runs user mode from *f until it enters the kernel, by anything but an event; *f is then the state of that moment
 * (vector TRAP_SYSCALL for a system call), and running it again goes on.
 */
void user_run(struct trap_frame *f);

#endif
