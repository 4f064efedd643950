/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's memory and string functions, for the target only. The compiler may recognise a plain loop as memset or
 * strlen and call the very function it stands in; the barrier in the loops prevents that.
 */
#include <hv/string.h>

static inline u64 load8(const void *p)
{
	u64 v;

	__builtin_memcpy(&v, p, 8);
	return v;
}

static inline void store8(void *p, u64 v)
{
	__builtin_memcpy(p, &v, 8);
}

static inline u32 load4(const void *p)
{
	u32 v;

	__builtin_memcpy(&v, p, 4);
	return v;
}

static inline void store4(void *p, u32 v)
{
	__builtin_memcpy(p, &v, 4);
}

/* Loads everything before the first store, so it serves memmove too. */
static void copy_upto_16(u8 *d, const u8 *s, size_t n)
{
	if (n >= 8) {
		u64 head = load8(s), tail = load8(s + n - 8);

		store8(d, head);
		store8(d + n - 8, tail);
	} else if (n >= 4) {
		u32 head = load4(s), tail = load4(s + n - 4);

		store4(d, head);
		store4(d + n - 4, tail);
	} else if (n > 0) {
		u8 first = s[0], middle = s[n / 2], last = s[n - 1];

		d[0] = first;
		d[n / 2] = middle;
		d[n - 1] = last;
	}
}

/* Ascending; right for overlapping areas as long as dst lies before src. */
static void copy_forward(u8 *d, const u8 *s, size_t n)
{
	u64 tail = load8(s + n - 8);
	u8 *end = d + n - 8;
	size_t words = n / 8;

	__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	store8(end, tail);
}

static void copy_backward(u8 *d, const u8 *s, size_t n)
{
	u64 head = load8(s);

	for (size_t left = n; left >= 8; left -= 8) {
		store8(d + left - 8, load8(s + left - 8));
		barrier();
	}
	store8(d, head);
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	if (n <= 16)
		copy_upto_16(dst, src, n);
	else
		copy_forward(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if (n <= 16)
		copy_upto_16(dst, src, n);
	else if ((uintptr_t)dst - (uintptr_t)src >= n) /* dst before src, or behind its end */
		copy_forward(dst, src, n);
	else
		copy_backward(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;
	u64 word = (u8)c * 0x0101010101010101UL;

	if (n >= 8) {
		size_t words = n / 8;
		u8 *end = d + n - 8;

		if (n <= 32) {
			/* Up to four overlapping words: cheaper than starting a string instruction. */
			store8(d, word);
			store8(d + (n >= 16 ? 8 : 0), word);
			store8(end - (n >= 16 ? 8 : 0), word);
		} else {
			__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(word) : "memory");
		}
		store8(end, word);
	} else if (n >= 4) {
		store4(d, (u32)word);
		store4(d + n - 4, (u32)word);
	} else if (n > 0) {
		d[0] = (u8)c;
		d[n / 2] = (u8)c;
		d[n - 1] = (u8)c;
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n >= 8 && load8(x) == load8(y); n -= 8, x += 8, y += 8)
		barrier();
	for (; n > 0; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
		barrier();
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n > 0; n--, p++) {
		if (*p == (u8)c)
			return (void *)(uintptr_t)p;
		barrier();
	}
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		barrier();
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	for (; n < max && s[n] != '\0'; n++)
		barrier();
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (*a == '\0')
			break;
		barrier();
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (*s == '\0')
			return NULL;
		barrier();
	}
	return (char *)(uintptr_t)s;
}
