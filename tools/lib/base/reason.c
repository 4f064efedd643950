/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "argon/reason.h"

static _Thread_local char reason[512];

int reason_set(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return -error;
}

int reason_prefix(int error, const char *format, ...)
{
	char old[sizeof(reason)];
	va_list args;
	size_t used;

	memcpy(old, reason, sizeof(old));
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	used = strlen(reason);
	snprintf(reason + used, sizeof(reason) - used, "%s", old);
	return error;
}

const char *reason_get(void)
{
	return reason;
}

void reason_clear(void)
{
	reason[0] = '\0';
}
