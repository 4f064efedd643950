/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiler helpers. */
#ifndef HV_COMPILER_H
#define HV_COMPILER_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define must_check __attribute__((warn_unused_result))
#define noreturn_fn __attribute__((noreturn))
#define noinline_fn __attribute__((noinline))
#define cold_fn __attribute__((cold, noinline))
#define packed_struct __attribute__((packed))
#define aligned_to(n) __attribute__((aligned(n)))
#define format_like(f, a) __attribute__((format(printf, f, a)))
#define maybe_unused __attribute__((unused))

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))
#define barrier() __asm__ volatile("" ::: "memory")

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, a) (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define ROUND_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))

#endif
