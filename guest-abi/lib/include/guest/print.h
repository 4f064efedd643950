/* SPDX-License-Identifier: BSD-2-Clause */
/* Output: to the hypervisor's console from dom0, to the PV console ring from other domains. */
#ifndef GUEST_PRINT_H
#define GUEST_PRINT_H

#include <guest/types.h>

/* Conversions: d i u x X c s p %, with - 0 width .precision and l, ll, z. Returns the length of the whole text. */
int format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vformat(char *buf, size_t size, const char *fmt, va_list args);

void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *fmt, va_list args);
void console_write(const char *text, size_t n);

#endif
