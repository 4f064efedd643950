/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as text: what does not print becomes \n, \t, \r, \\, three octal digits or \xHH. */
#ifndef XENSTORE_TEXT_H
#define XENSTORE_TEXT_H

#include <stddef.h>

/** @return a malloc'ed string, or NULL without memory */
char *text_escape(const char *value, size_t bytes);

/** Undo \xHH, \n, \t, \r, \\ and octal in place. @return the new length */
size_t text_unescape(char *text);

#endif
