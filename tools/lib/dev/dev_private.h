/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEV_PRIVATE_H
#define DEV_PRIVATE_H

/* Open a device node of dom0's kernel. @param module that makes it. @return descriptor or a negative errno, reason set */
int device_open(const char *path, int flags, const char *module);

#endif
