/* SPDX-License-Identifier: BSD-2-Clause */
/* libvirt's XML: any text is read, or refused with a reason. */
#include <stdlib.h>

#include "argon/domain_config.h"
#include "argon/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain_config dc;

	reason_clear();
	domain_config_init(&dc);
	if (domain_config_read_xml(&dc, "fuzz", (const char *)data, size) != 0 && reason_get()[0] == '\0')
		abort();
	domain_config_free(&dc);
	return 0;
}
