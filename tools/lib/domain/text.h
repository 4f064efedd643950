/* SPDX-License-Identifier: BSD-2-Clause */
/* Small texts, within the library. */
#ifndef DOMAIN_TEXT_H
#define DOMAIN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "argon/domain_config.h"

/** Replace *to by a copy of from (NULL stays NULL). */
int text_dup(char **to, const char *from);

/** A random address in Xen's own range. */
void mac_random(uint8_t mac[6]);

/** 0 or -EINVAL, without a reason. */
int disk_format_parse(const char *text, size_t length, enum disk_format *out);

#endif
