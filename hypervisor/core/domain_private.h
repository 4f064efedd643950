/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to core: what the files about domains and vCPUs share. */
#ifndef CORE_DOMAIN_PRIVATE_H
#define CORE_DOMAIN_PRIVATE_H

#include <hv/domain.h>

/* Where the vcpu_info of a vCPU lies that has none the guest can see: events to it are masked. */
extern struct vcpu_info vcpu_info_none;

/* Frees a vCPU that does not run and will not run again. */
void vcpu_free(struct vcpu *v);
/* Gives back the page of VCPUOP_register_vcpu_info; v does not run. */
void vcpu_info_drop(struct vcpu *v);
/* Stops the guest's timers of a vCPU for good. */
void vcpu_timers_kill(struct vcpu *v);
/* Takes a domain that was torn down out of the table and drops the table's reference. */
void domain_remove(struct domain *d);
/* Initialises / stops the two watchdogs of SCHEDOP_watchdog. */
void domain_watchdog_init(struct domain *d);
void domain_watchdog_kill(struct domain *d);

#endif
