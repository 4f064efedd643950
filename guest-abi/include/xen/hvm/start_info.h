/* SPDX-License-Identifier: BSD-2-Clause */
/* The start-of-day structure of PVH kernels is the architecture's. */
#ifndef XEN_PUBLIC_HVM_START_INFO_H
#define XEN_PUBLIC_HVM_START_INFO_H

#include "../arch-x86/hvm/start_info.h"

#endif
