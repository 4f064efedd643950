/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hypercall/: platform_op, in three files. */
#ifndef HYPERCALL_PLATFORM_H
#define HYPERCALL_PLATFORM_H

#include <hv/types.h>
#include <xen/platform.h>

struct vcpu;

/* Result of the operation: 0 or more, or -errno. -ERESTART: to be called again. The arguments are a copy. */
typedef long platform_fn(struct vcpu *v, struct xen_platform_op *op);

/* --- platform_firmware.c --- */
platform_fn platform_firmware_info, platform_microcode, platform_memtype_add, platform_memtype_delete;
platform_fn platform_memtype_read, platform_symbol;

/* --- platform_cpu.c --- */
platform_fn platform_cpu_info, platform_cpu_version, platform_cpu_online, platform_cpu_offline, platform_cpu_hotadd;
platform_fn platform_parking, platform_idle_time, platform_resource, platform_frequency;

/* --- platform_power.c --- */
platform_fn platform_sleep, platform_pminfo;

#endif
