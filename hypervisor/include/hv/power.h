/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power data of the CPUs: what dom0 read from ACPI's processor objects and handed over (platform_op set_processor_pminfo), for
 * sysctl's power statistics. The hypervisor halts idle CPUs with HLT and leaves frequencies to the firmware.
 */
#ifndef HV_POWER_H
#define HV_POWER_H

#include <hv/compiler.h>
#include <hv/types.h>

#define POWER_CX_MAX 8u
#define POWER_PX_MAX 32u

struct power_cx {
	u8 type;		/* n of Cn */
	u8 space;		/* of its register: ACPI address space */
	u32 latency;		/* microseconds */
	u32 power;		/* milliwatts */
	u64 address;
};

struct power_px {
	u32 frequency;		/* MHz */
	u32 power;		/* milliwatts */
	u32 latency;		/* microseconds */
	u64 control, status;
};

struct power_data {
	u32 cx_count, px_count;
	u32 px_limit;		/* _PPC: the fastest state that may be used */
	u32 px_shared;		/* XEN_CPUPERF_SHARED_TYPE_*, and the number of the domain that shares */
	u32 px_domain;
	struct power_cx cx[POWER_CX_MAX];
	struct power_px px[POWER_PX_MAX];
};

/* A copy of a CPU's data. -EINVAL: no such CPU; -ENODATA: dom0 has given none. Takes LOCK_CONTROL's place in the order as a leaf. */
int power_data_get(unsigned int cpu, struct power_data *out) must_check;

#endif
