/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions. The C library's names keep the C library's contracts; in host builds the C library itself
 * provides them (lib/string.c is then left out). What follows the #endif is ours everywhere (lib/strutil.c).
 * All of it may run in any context; nothing locks or allocates.
 */
#ifndef HV_STRING_H
#define HV_STRING_H

#include <hv/compiler.h>
#include <hv/types.h>

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
#endif

/* Copies at most size - 1 bytes of src and always terminates dst (unless size is 0). Returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);

/*
 * Reads an unsigned number at the start of s: base 2 to 36, or 0 for 0x.. = hexadecimal, 0.. = octal, else decimal. No sign
 * and no leading space. *end (may be NULL) gets the first character not used. Returns 0, -EINVAL if there is no digit,
 * -ERANGE if the number needs more than 64 bits; on error *val is left alone and *end is s.
 */
int must_check str_to_u64(const char *s, const char **end, unsigned int base, u64 *val);

/* True if s begins with prefix. */
bool str_starts_with(const char *s, const char *prefix);

/* Unaligned little-endian reads: p may have any alignment. */
static inline u16 get_le16(const void *p)
{
	u16 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 get_le32(const void *p)
{
	u32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 get_le64(const void *p)
{
	u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

#endif
