/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypervisor bug stops loudly. No guest input reaches these. panic() is in hv/log.h. */
#ifndef HV_BUG_H
#define HV_BUG_H

#include <hv/compiler.h>

void bug_report(const char *file, int line, const char *what) noreturn_fn;

#define BUG() bug_report(__FILE__, __LINE__, "BUG")
#define BUG_ON(c) do { if (unlikely(c)) bug_report(__FILE__, __LINE__, #c); } while (0)
#define ASSERT(c) do { if (ARGON_DEBUG && unlikely(!(c))) bug_report(__FILE__, __LINE__, "assert " #c); } while (0)

#endif
