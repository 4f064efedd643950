/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions: handlers, and code that is expected to raise one. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <guest/types.h>

#define TRAP_DIVIDE	 0
#define TRAP_DEBUG	 1
#define TRAP_BREAKPOINT	 3
#define TRAP_INVALID_OP	 6
#define TRAP_NO_DEVICE	 7
#define TRAP_STACK	 12
#define TRAP_PROTECTION	 13
#define TRAP_PAGE_FAULT	 14
#define TRAP_INT80	 0x80
/* Not vectors: the callbacks. */
#define TRAP_EVENT	 256
#define TRAP_SYSCALL	 257
#define TRAP_FAILSAFE	 258
#define TRAP_NMI	 259
#define TRAP_MAX	 260

/* Registers when the kernel was entered; entry.S knows the layout. */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* Where a longer jump goes to; entry.S knows the layout. */
struct context {
	u64 rip, rsp, rbx, rbp, r12, r13, r14, r15;
};
int context_save(struct context *c) __attribute__((returns_twice));
_Noreturn void context_restore(const struct context *c);
_Noreturn void trap_frame_enter(const struct trap_frame *f);

/* A handler may change the frame, which is returned to if it says true; false: it is not for this handler. */
typedef bool (*trap_handler_t)(struct trap_frame *f);
void trap_handler_set(unsigned int vector, trap_handler_t handler);

struct trap_record {
	bool taken;
	u64 vector, error, rip, rsp, cs, rflags;
	u64 cr2; /* for page faults */
};

/*
 * Runs fn(arg). Returns false when it returns; true when it raised an exception that no handler took, which is then
 * described in *rec. Not nested.
 */
bool trap_catch(struct trap_record *rec, void (*fn)(void *arg), void *arg);

void trap_init(void);
/* The table that was registered, for other vCPUs. */
const struct trap_info *trap_table(void);
void trap_dispatch(struct trap_frame *f);

#endif
