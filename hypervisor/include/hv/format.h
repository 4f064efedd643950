/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted text. Conversions: %d %i %u %x %X %o %c %s %p %%, length hh h l ll z j t, flags - 0 + space #, width and
 * precision (both also as *). There is no floating point. %p prints 0x and hexadecimal digits. A NULL string prints
 * "(null)". Any context; nothing locks or allocates.
 */
#ifndef HV_FORMAT_H
#define HV_FORMAT_H

#include <hv/compiler.h>
#include <hv/types.h>
#include <stdarg.h>

/*
 * Write at most size - 1 characters and a terminator to buf (nothing if size is 0).
 * Return the length the whole text would have had, so "result >= size" means it was cut.
 */
int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list args) format_like(3, 0);
int hv_snprintf(char *buf, size_t size, const char *fmt, ...) format_like(3, 4);

/* Hands each piece of the text to emit(ctx, piece, length), unterminated and in order. Returns the total length. */
typedef void format_emit_fn(void *ctx, const char *text, size_t len);
int hv_vformat(format_emit_fn *emit, void *ctx, const char *fmt, va_list args) format_like(3, 0);

#endif
