/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xs.h"

uint64_t log_bytes;
int log_fd = -1;

void log_line(const char *format, ...)
{
	static const char head[] = "<29>xenstored: ";
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	char line[512];
	size_t start = sizeof(head) - 1, bytes;
	va_list args;
	ssize_t done;
	int fd;

	memcpy(line, head, start);
	va_start(args, format);
	vsnprintf(line + start, sizeof(line) - start - 1, format, args);
	va_end(args);
	bytes = strlen(line);
	line[bytes++] = '\n';
	if (log_fd >= 0) {
		done = write(log_fd, line + 4, bytes - 4);
		if (done > 0)
			log_bytes += (uint64_t)done;
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	sendto(fd, line, bytes - 1, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof(address));
	close(fd);
}
