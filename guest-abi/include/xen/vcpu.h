/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_op(cmd, vcpu, argument): bring a vCPU of one's own domain up and down, and the areas and timers of each. */
#ifndef XEN_PUBLIC_VCPU_H
#define XEN_PUBLIC_VCPU_H

#include "xen.h"

#define VCPUOP_initialise		      0	 /* vcpu_guest_context (PV) or vcpu_hvm_context; -EEXIST if done */
#define VCPUOP_up			      1	 /* no argument */
#define VCPUOP_down			      2	 /* no argument */
#define VCPUOP_is_up			      3	 /* no argument; returns 1 or 0 */
#define VCPUOP_get_runstate_info	      4	 /* vcpu_runstate_info */
#define VCPUOP_register_runstate_memory_area  5	 /* vcpu_register_runstate_memory_area */
#define VCPUOP_set_periodic_timer	      6	 /* vcpu_set_periodic_timer */
#define VCPUOP_stop_periodic_timer	      7	 /* no argument */
#define VCPUOP_set_singleshot_timer	      8	 /* vcpu_set_singleshot_timer; for the calling vCPU */
#define VCPUOP_stop_singleshot_timer	      9	 /* no argument */
#define VCPUOP_register_vcpu_info	      10 /* vcpu_register_vcpu_info; once for each vCPU */
#define VCPUOP_send_nmi			      11 /* no argument */
#define VCPUOP_get_physid		      12 /* vcpu_get_physid; only while pinned to one CPU */
#define VCPUOP_register_vcpu_time_memory_area 13 /* vcpu_register_time_memory_area */

/* Set in state_entry_time while the hypervisor rewrites the area (VMASST_TYPE_runstate_update_flag). */
#define XEN_RUNSTATE_UPDATE (xen_mk_ullong(1) << 63)

#define RUNSTATE_running  0
#define RUNSTATE_runnable 1 /* waits for a physical CPU */
#define RUNSTATE_blocked  2 /* waits for an event */
#define RUNSTATE_offline  3 /* neither: down or paused */

#define _VCPU_SSHOTTMR_future (0) /* -ETIME if the time has passed, instead of firing at once */
#define VCPU_SSHOTTMR_future  (1U << _VCPU_SSHOTTMR_future)

#ifndef __ASSEMBLY__

/* How a vCPU spent its time, in ns of system time. */
typedef struct vcpu_runstate_info {
	int state; /* RUNSTATE_* */
	uint64_t state_entry_time;
	uint64_t time[4]; /* in each state; they add up to the time since the vCPU was made */
} vcpu_runstate_info_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_runstate_info_t);

/* A virtual address where the hypervisor keeps a copy, each time the vCPU is scheduled. */
typedef struct vcpu_register_runstate_memory_area {
	union {
		XEN_GUEST_HANDLE(vcpu_runstate_info_t) h;
		struct vcpu_runstate_info *v;
		uint64_t p;
	} addr;
} vcpu_register_runstate_memory_area_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_register_runstate_memory_area_t);

typedef struct vcpu_set_periodic_timer {
	uint64_t period_ns; /* at least 1 ms */
} vcpu_set_periodic_timer_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_set_periodic_timer_t);

typedef struct vcpu_set_singleshot_timer {
	uint64_t timeout_abs_ns; /* system time */
	uint32_t flags; /* VCPU_SSHOTTMR_* */
} vcpu_set_singleshot_timer_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_set_singleshot_timer_t);

/* Move the vcpu_info of a vCPU into a frame of the guest; the structure must not cross a page. */
typedef struct vcpu_register_vcpu_info {
	uint64_t mfn;
	uint32_t offset;
	uint32_t rsvd;
} vcpu_register_vcpu_info_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_register_vcpu_info_t);

typedef struct vcpu_get_physid {
	uint64_t phys_id;
} vcpu_get_physid_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_get_physid_t);
#define xen_vcpu_physid_to_x86_apicid(physid) ((uint32_t)(physid))
#define xen_vcpu_physid_to_x86_acpiid(physid) ((uint32_t)((physid) >> 32))

/* A second copy of vcpu_info.time, which user mode may be allowed to read. */
DEFINE_XEN_GUEST_HANDLE(vcpu_time_info_t);
typedef struct vcpu_register_time_memory_area {
	union {
		XEN_GUEST_HANDLE(vcpu_time_info_t) h;
		struct vcpu_time_info *v;
		uint64_t p;
	} addr;
} vcpu_register_time_memory_area_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_register_time_memory_area_t);

#endif /* __ASSEMBLY__ */
#endif
