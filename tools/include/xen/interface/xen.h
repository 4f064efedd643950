/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's <xen/privcmd.h> includes its own name of the interface's first header; outside of the kernel this is it. */
#ifndef TOOLS_XEN_INTERFACE_XEN_H
#define TOOLS_XEN_INTERFACE_XEN_H

#include <xen/xen.h>

#endif
