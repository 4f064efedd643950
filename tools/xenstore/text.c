/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

char *text_escape(const char *value, size_t bytes)
{
	static const char special[] = "\n\t\r\\", letters[] = "ntr\\";
	char *text = malloc(4 * bytes + 1), *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)value[i];
		const char *found = c ? strchr(special, c) : NULL;

		if (found)
			to += sprintf(to, "\\%c", letters[found - special]);
		else if (c >= ' ' && c <= '~')
			*to++ = (char)c;
		else
			to += sprintf(to, c < ' ' ? "\\%03o" : "\\x%02x", c);
	}
	*to = '\0';
	return text;
}

/* Up to `digits` digits of a base. @return the number of characters used */
static size_t number(const char *from, int base, size_t digits, char *value)
{
	char text[4] = "", *end;

	memcpy(text, from, strnlen(from, digits));
	*value = (char)strtoul(text, &end, base);
	return (size_t)(end - text);
}

size_t text_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		char c = *from++;

		if (c != '\\' || !*from) {
			*to++ = c;
			continue;
		}
		c = *from++;
		if (c == 'n')
			c = '\n';
		else if (c == 't')
			c = '\t';
		else if (c == 'r')
			c = '\r';
		else if (c == 'x')
			from += number(from, 16, 2, &c);
		else if (c >= '0' && c <= '7')
			from += number(from - 1, 8, 3, &c) - 1;
		*to++ = c;
	}
	*to = '\0';
	return (size_t)(to - text);
}
