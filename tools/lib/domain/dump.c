/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include "argon/domain.h"
#include "argon/reason.h"
int domain_dump(struct host *host, uint32_t domid, const char *path)
{
	(void)host;
	return reason_set(ENOSYS, "domain %u: %s", domid, path);
}
