/* SPDX-License-Identifier: BSD-2-Clause */
/* Core dumps. */
#include <errno.h>

#include "argon/domain.h"
#include "argon/reason.h"

int domain_dump(struct host *host, uint32_t domid, const char *path)
{
	(void)host;
	(void)path;
	return reason_set(EOPNOTSUPP, "domain %u: this version does not write core dumps", domid);
}
