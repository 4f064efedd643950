/* SPDX-License-Identifier: BSD-2-Clause */
/* BUG, BUG_ON and ASSERT are declared beside panic(). */
#ifndef HV_BUG_H
#define HV_BUG_H

#include <hv/log.h>

#endif
