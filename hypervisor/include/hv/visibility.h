/* SPDX-License-Identifier: BSD-2-Clause */
/* Included before everything else (Config.mk): all symbols are within one image, so none goes through a global offset table. */
#ifndef HV_VISIBILITY_H
#define HV_VISIBILITY_H

#pragma GCC visibility push(hidden)

#endif
