/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of an HVM domain as XEN_DOMCTL_gethvmcontext gives it: records, each a descriptor and as many bytes as it
 * says, ended by the record END. DECLARE_HVM_SAVE_TYPE ties a record's name to its number and structure, which
 * HVM_SAVE_CODE(name), HVM_SAVE_TYPE(name) and HVM_SAVE_LENGTH(name) find again.
 */
#ifndef XEN_PUBLIC_HVM_SAVE_H
#define XEN_PUBLIC_HVM_SAVE_H

#include "../arch-x86/hvm/save.h"

#endif
