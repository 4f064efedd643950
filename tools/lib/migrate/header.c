/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What xl puts before the stream of a domain. The format is not specified; this is what files of Debian's xl 4.17 contain: 32
 * bytes of magic, four words, and an optional part, which begins with the length of the configuration (JSON, its '\0' included).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "argon/migrate.h"
#include "argon/reason.h"
#include "stream.h"

struct file_header {
	char magic[32];
	uint32_t byte_order, mandatory, optional, data_bytes;
};

static const char magic[32] = "Xen saved domain, xl format\n \0 \r";

#define BYTE_ORDER_OURS	   0x01020304u
#define MANDATORY_JSON	   1u
#define MANDATORY_STREAM_2 2u
#define CONFIG_MAX	   (1u << 20)

int migrate_header_write(int fd, const char *config, size_t bytes)
{
	struct file_header h = { .byte_order = BYTE_ORDER_OURS, .mandatory = MANDATORY_JSON | MANDATORY_STREAM_2 };
	struct stream_out *out = malloc(sizeof(*out));
	uint32_t length = (uint32_t)bytes + 1;
	int rc;

	if (!out || bytes >= CONFIG_MAX)
		rc = reason_set(out ? E2BIG : ENOMEM, "no room for a configuration of %zu bytes", bytes);
	else
		rc = 0;
	memcpy(h.magic, magic, sizeof(magic));
	h.data_bytes = (uint32_t)sizeof(length) + length;
	if (!rc) {
		stream_out_init(out, fd);
		rc = stream_put(out, &h, sizeof(h));
	}
	if (!rc)
		rc = stream_put(out, &length, sizeof(length));
	if (!rc)
		rc = stream_put(out, config, bytes);
	if (!rc)
		rc = stream_put(out, "", 1);
	if (!rc)
		rc = stream_flush(out);
	free(out);
	return rc;
}

static int header_check(const struct file_header *h)
{
	if (memcmp(h->magic, magic, sizeof(magic)))
		return reason_set(EBADMSG, "this is not a file or stream of xl");
	if (h->byte_order != BYTE_ORDER_OURS)
		return reason_set(EOPNOTSUPP, "the file was written by a machine of another byte order");
	if (h->mandatory & ~(MANDATORY_JSON | MANDATORY_STREAM_2) || !(h->mandatory & MANDATORY_STREAM_2) ||
	    !(h->mandatory & MANDATORY_JSON))
		return reason_set(EOPNOTSUPP, "the file needs features 0x%x; this version knows 3", h->mandatory);
	if (h->data_bytes < sizeof(uint32_t) || h->data_bytes > CONFIG_MAX)
		return reason_set(EBADMSG, "the file's header is damaged");
	return 0;
}

int migrate_header_read(int fd, char **config, size_t *bytes)
{
	struct file_header h;
	uint32_t length;
	char *data;
	int rc = stream_read_exactly(fd, &h, sizeof(h));

	if (!rc)
		rc = header_check(&h);
	if (rc)
		return rc;
	data = malloc(h.data_bytes + 1);
	if (!data)
		return reason_set(ENOMEM, "no memory for the configuration");
	rc = stream_read_exactly(fd, data, h.data_bytes);
	memcpy(&length, data, sizeof(length));
	if (!rc && length > h.data_bytes - sizeof(length))
		rc = reason_set(EBADMSG, "the file's header is damaged");
	if (rc) {
		free(data);
		return rc;
	}
	memmove(data, data + sizeof(length), length);
	data[length] = '\0';
	*config = data;
	*bytes = strlen(data);
	return 0;
}
