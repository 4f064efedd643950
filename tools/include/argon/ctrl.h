/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libargonctrl: typed control operations of the hypervisor (domctl, sysctl, memory, event channels, grants, version), one
 * function each. Plain structures come out; the few structures of the public ABI that appear are named struct xen_* or
 * vcpu_guest_context and come from <xen/...>.
 *
 * Functions return 0 (or the number named) or a negative errno with the reason in argon/reason.h: -ESRCH when there is no such
 * domain, -EOPNOTSUPP or -ENOSYS when this hypervisor cannot do it, -EPERM when this is not dom0, -EACCES when the hypervisor
 * speaks another version of the interface than 4.17's. A handle may be used by several threads at once. A failed call has
 * changed nothing in the hypervisor unless it says otherwise. Frames are machine frames of PV guests; pages are frames of 4 KiB.
 */
#ifndef ARGON_CTRL_H
#define ARGON_CTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "argon/dev.h"

struct ctrl;
struct vcpu_guest_context;
struct xen_cpuid_leaf;
struct xen_domctl_ext_vcpucontext;
struct xen_domctl_vcpu_msr;
struct xen_msr_entry;

/** Open the control device. */
int ctrl_open(struct ctrl **out) __attribute__((warn_unused_result));
/** Over a device handle that is open already and stays the caller's. */
int ctrl_open_dev(struct dev *dev, struct ctrl **out) __attribute__((warn_unused_result));
void ctrl_close(struct ctrl *ctrl);
/** The device handle, for mappings and buffers. */
struct dev *ctrl_dev(struct ctrl *ctrl);

/* ---- Life of a domain ----------------------------------------------------------------------------------------------- */
struct ctrl_domain_create {
	uint8_t uuid[16];
	uint32_t flags; /* XEN_DOMCTL_CDF_* */
	uint32_t iommu_options;
	uint32_t max_vcpus;
	uint32_t max_event_port; /* last port that it may have; 0: 1023 */
	int32_t max_grant_frames; /* -1: the hypervisor's default */
	int32_t max_maptrack_frames; /* -1: the hypervisor's default */
	uint32_t grant_version; /* highest; 0: 2 where the hypervisor has it, else 1 */
	uint32_t cpupool;
	uint32_t security_label;
	uint32_t emulation_flags; /* XEN_X86_EMU_*: 0 for PV */
	uint32_t misc_flags; /* XEN_X86_MSR_RELAXED */
};

/**
 * Make an empty, paused domain. It has to be unpaused once more than it is paused by others.
 * @param wanted  its number, or 0 for any that is free (-EEXIST when it is taken)
 */
int ctrl_domain_create(struct ctrl *ctrl, const struct ctrl_domain_create *config, uint32_t wanted, uint32_t *domid);

/** Kill it and free what it owns. Returns when all is free, except pages that others still map. */
int ctrl_domain_destroy(struct ctrl *ctrl, uint32_t domid);

/** Pauses are counted. */
int ctrl_domain_pause(struct ctrl *ctrl, uint32_t domid);
int ctrl_domain_unpause(struct ctrl *ctrl, uint32_t domid);
/** Let a domain that has suspended go on where it is. */
int ctrl_domain_resume(struct ctrl *ctrl, uint32_t domid);
/** Shut it down from outside. @param reason SHUTDOWN_* of <xen/sched.h> */
int ctrl_domain_shutdown(struct ctrl *ctrl, uint32_t domid, uint32_t reason);
int ctrl_domain_soft_reset(struct ctrl *ctrl, uint32_t domid);

struct ctrl_domain_info {
	uint32_t domid;
	bool dying, hvm, shutdown, paused, blocked, running, debugged, xenstore, hap;
	uint32_t shutdown_reason; /* SHUTDOWN_*, when shutdown */
	uint64_t pages, max_pages, outstanding_pages, shared_pages, paged_pages;
	uint64_t shared_info_frame;
	uint64_t cpu_time; /* ns */
	uint32_t online_vcpus;
	uint32_t max_vcpu_id; /* ~0: it has no vCPU yet */
	uint32_t security_label;
	uint8_t uuid[16];
	uint32_t cpupool;
	uint32_t emulation_flags;
};

/** Of this very domain; -ESRCH when it is not there. */
int ctrl_domain_info(struct ctrl *ctrl, uint32_t domid, struct ctrl_domain_info *out);
/** The domains numbered first and above, in order. @return how many were stored */
int ctrl_domain_list(struct ctrl *ctrl, uint32_t first, struct ctrl_domain_info *out, uint32_t room);
/** All domains, in memory that the caller frees. @return how many */
int ctrl_domain_list_all(struct ctrl *ctrl, struct ctrl_domain_info **out);

int ctrl_domain_set_uuid(struct ctrl *ctrl, uint32_t domid, const uint8_t uuid[16]);
int ctrl_domain_set_max_memory(struct ctrl *ctrl, uint32_t domid, uint64_t kib);
int ctrl_domain_set_max_vcpus(struct ctrl *ctrl, uint32_t domid, uint32_t count);
/** PV: 32 or 64 bits; before it has memory. */
int ctrl_domain_set_address_size(struct ctrl *ctrl, uint32_t domid, uint32_t bits);
int ctrl_domain_get_address_size(struct ctrl *ctrl, uint32_t domid, uint32_t *bits);
/** Fill a frame of the domain with hypercall stubs. */
int ctrl_domain_hypercall_page(struct ctrl *ctrl, uint32_t domid, uint64_t frame);
int ctrl_domain_set_time_offset(struct ctrl *ctrl, uint32_t domid, int64_t seconds);
int ctrl_domain_set_debugging(struct ctrl *ctrl, uint32_t domid, bool on);
/** The domain is a device model that serves another one. */
int ctrl_domain_set_target(struct ctrl *ctrl, uint32_t domid, uint32_t target);
/** Notify this local port when the domain suspends. */
int ctrl_domain_subscribe(struct ctrl *ctrl, uint32_t domid, uint32_t port);
/** The domain receives a system-wide VIRQ instead of dom0. */
int ctrl_domain_set_virq_handler(struct ctrl *ctrl, uint32_t domid, uint32_t virq);
/** @param trigger XEN_DOMCTL_SENDTRIGGER_* */
int ctrl_domain_trigger(struct ctrl *ctrl, uint32_t domid, uint32_t trigger, uint32_t vcpu);

struct ctrl_tsc {
	uint32_t mode; /* 0 default, 1 always emulate, 2 never emulate */
	uint32_t khz;
	uint32_t incarnation;
	uint64_t elapsed; /* ns */
};
int ctrl_domain_set_tsc(struct ctrl *ctrl, uint32_t domid, const struct ctrl_tsc *tsc);
int ctrl_domain_get_tsc(struct ctrl *ctrl, uint32_t domid, struct ctrl_tsc *out);

/* May the domain use physical interrupts, I/O memory, ports? */
int ctrl_domain_irq_permission(struct ctrl *ctrl, uint32_t domid, uint32_t irq, bool allow);
int ctrl_domain_iomem_permission(struct ctrl *ctrl, uint32_t domid, uint64_t first_frame, uint64_t count, bool allow);
int ctrl_domain_ioport_permission(struct ctrl *ctrl, uint32_t domid, uint32_t first, uint32_t count, bool allow);

/* PCI devices by segment << 16 | bus << 8 | devfn. */
int ctrl_domain_assign_device(struct ctrl *ctrl, uint32_t domid, uint32_t sbdf, uint32_t flags);
int ctrl_domain_deassign_device(struct ctrl *ctrl, uint32_t domid, uint32_t sbdf);

/* CPUID leaves and MSRs; free with ctrl_policy_free. */
struct ctrl_policy {
	struct xen_cpuid_leaf *leaves;
	struct xen_msr_entry *msrs;
	uint32_t leaf_count, msr_count;
};
void ctrl_policy_free(struct ctrl_policy *policy);
int ctrl_domain_get_policy(struct ctrl *ctrl, uint32_t domid, struct ctrl_policy *out);
/** Before the domain runs. Given leaves and MSRs replace those that it has. */
int ctrl_domain_set_policy(struct ctrl *ctrl, uint32_t domid, const struct ctrl_policy *policy);

/* ---- vCPUs ----------------------------------------------------------------------------------------------------------- */
struct ctrl_vcpu_info {
	bool online, blocked, running;
	uint32_t cpu; /* where it runs or ran last */
	uint64_t cpu_time; /* ns */
};
int ctrl_vcpu_info(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct ctrl_vcpu_info *out);

/** NULL takes the vCPU down. */
int ctrl_vcpu_set_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const struct vcpu_guest_context *context);
int ctrl_vcpu_get_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct vcpu_guest_context *out);
/** vcpu and size are filled in by the call. */
int ctrl_vcpu_set_ext_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const struct xen_domctl_ext_vcpucontext *context);
int ctrl_vcpu_get_ext_context(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct xen_domctl_ext_vcpucontext *out);
/** The XSAVE area with its header of XCR0s; *out is freed by the caller, NULL when the vCPU has none. */
int ctrl_vcpu_get_xstate(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, void **out, size_t *bytes);
int ctrl_vcpu_set_xstate(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const void *area, size_t bytes);
/** *out is freed by the caller. */
int ctrl_vcpu_get_msrs(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct xen_domctl_vcpu_msr **out, uint32_t *count);
int ctrl_vcpu_set_msrs(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, const struct xen_domctl_vcpu_msr *msrs, uint32_t count);

/* CPUs or nodes, bit 0 of byte 0 is number 0. */
struct ctrl_bitmap {
	uint8_t *bytes; /* (bits + 7) / 8 of them */
	uint32_t bits;
};

/**
 * Where a vCPU may run (hard) and would rather run (soft); either may be NULL: leave it. Both are overwritten by what is in
 * effect then.
 * @param force  end a pinning that the domain made for itself for a while
 */
int ctrl_vcpu_set_affinity(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct ctrl_bitmap *hard, struct ctrl_bitmap *soft,
			   bool force);
int ctrl_vcpu_get_affinity(struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct ctrl_bitmap *hard, struct ctrl_bitmap *soft);
int ctrl_domain_set_node_affinity(struct ctrl *ctrl, uint32_t domid, const struct ctrl_bitmap *nodes);
int ctrl_domain_get_node_affinity(struct ctrl *ctrl, uint32_t domid, struct ctrl_bitmap *nodes);

/* ---- Memory ---------------------------------------------------------------------------------------------------------- */
/**
 * Give a domain frames at pseudo-physical numbers, in extents of 2^order.
 * @param numbers  IN: first pseudo-physical number of each extent; OUT: its first machine frame (PV)
 * @param flags    XENMEMF_* of <xen/memory.h>
 * @return how many extents it got, fewer than count when memory or its limit ran out; they are the first ones
 */
int64_t ctrl_memory_populate(struct ctrl *ctrl, uint32_t domid, uint32_t order, uint32_t flags, size_t count, uint64_t *numbers);
/** Take frames back. @return how many extents */
int64_t ctrl_memory_decrease(struct ctrl *ctrl, uint32_t domid, uint32_t order, size_t count, const uint64_t *frames);
/** Set free memory aside for a domain until it has that many pages in all; 0 gives up the rest. -ENOMEM */
int ctrl_memory_claim(struct ctrl *ctrl, uint32_t domid, uint64_t pages);
/* In pages. */
int64_t ctrl_memory_current(struct ctrl *ctrl, uint32_t domid);
int64_t ctrl_memory_maximum(struct ctrl *ctrl, uint32_t domid);
/** Highest pseudo-physical frame number in use. */
int64_t ctrl_memory_highest(struct ctrl *ctrl, uint32_t domid);
/** Highest machine frame of RAM. */
int64_t ctrl_machine_highest_frame(struct ctrl *ctrl);
/* Pages that were freed by sharing, and that are shared. */
int64_t ctrl_machine_sharing_freed(struct ctrl *ctrl);
int64_t ctrl_machine_sharing_used(struct ctrl *ctrl);

struct ctrl_memory_region {
	uint64_t start, size; /* bytes */
	uint32_t type; /* as the BIOS's E820 call: 1 RAM, 2 reserved, ... */
};
/** What the domain is told when it asks for its memory map. */
int ctrl_domain_set_memory_map(struct ctrl *ctrl, uint32_t domid, const struct ctrl_memory_region *regions, uint32_t count);
/** Of the machine. @return how many regions were stored, at most room */
int ctrl_machine_memory_map(struct ctrl *ctrl, struct ctrl_memory_region *out, uint32_t room);
/** @param space XENMAPSPACE_*; for domains that are translated, and for machine-to-physical entries */
int ctrl_memory_add_to_physmap(struct ctrl *ctrl, uint32_t domid, uint32_t space, uint64_t index, uint64_t number);

/** Type of each frame: IN frame numbers, OUT the same with XEN_DOMCTL_PFINFO_* in bits 31:28. @param count at most 1024 */
int ctrl_memory_frame_types(struct ctrl *ctrl, uint32_t domid, size_t count, uint64_t *frames);

/** Validate page tables and keep them so. @param level 1 to 4, or 0 to unpin. Stops at the first that fails. */
int ctrl_memory_pin(struct ctrl *ctrl, uint32_t domid, uint32_t level, size_t count, const uint64_t *frames);

/** Fill frames with zeroes; they must not be page tables. Stops at the first that fails. */
int ctrl_memory_clear(struct ctrl *ctrl, uint32_t domid, size_t count, const uint64_t *frames);

/** Set machine-to-physical entries. */
int ctrl_memory_set_m2p(struct ctrl *ctrl, uint32_t domid, size_t count, const uint64_t *frames, const uint64_t *numbers);

/** Map the machine-to-physical table, read-only; give it back with dev_unmap(*pages). @param entries its length */
const uint64_t *ctrl_memory_map_m2p(struct ctrl *ctrl, size_t *entries, size_t *pages);

/* Log-dirty mode. */
int ctrl_logdirty_enable(struct ctrl *ctrl, uint32_t domid);
int ctrl_logdirty_disable(struct ctrl *ctrl, uint32_t domid);
struct ctrl_logdirty {
	uint64_t pages; /* bits that were written */
	uint32_t faults, dirty; /* since the last time */
};
/**
 * Read the bitmap of dirty pages.
 * @param bitmap  from dev_buffer_get, (pages + 7) / 8 bytes; NULL: only count
 * @param clear   and clear it
 * @param final   the domain has stopped, this is the last time
 */
int ctrl_logdirty_read(struct ctrl *ctrl, uint32_t domid, void *bitmap, uint64_t pages, bool clear, bool final,
		       struct ctrl_logdirty *out);

/* ---- Event channels and grants of other domains ---------------------------------------------------------------------- */
/** A new port of a domain that another one may bind. @return the port */
int ctrl_evtchn_alloc_unbound(struct ctrl *ctrl, uint32_t domid, uint32_t remote_domid);
/** Close all ports of a domain. */
int ctrl_evtchn_reset(struct ctrl *ctrl, uint32_t domid);
struct ctrl_evtchn_status {
	uint32_t status; /* EVTCHNSTAT_* */
	uint32_t vcpu;
	uint32_t remote_domid; /* unbound, interdomain */
	uint32_t remote_port; /* interdomain */
	uint32_t number; /* pirq, virq */
};
/** -EINVAL when the number is beyond the domain's ports. */
int ctrl_evtchn_status(struct ctrl *ctrl, uint32_t domid, uint32_t port, struct ctrl_evtchn_status *out);

/**
 * Fill in the reserved entries of a new domain's grant table, so that the daemons can map its rings by grant.
 * @param console_frame, store_frame  what is granted (for PV the machine frame); 0: leave that entry
 */
int ctrl_grant_seed(struct ctrl *ctrl, uint32_t domid, uint64_t console_frame, uint32_t console_domid, uint64_t store_frame,
		    uint32_t store_domid);
/** Frames of a domain's grant table. */
int ctrl_grant_size(struct ctrl *ctrl, uint32_t domid, uint32_t *frames, uint32_t *max_frames);

/* ---- Scheduling ------------------------------------------------------------------------------------------------------ */
struct ctrl_sched_credit {
	uint16_t weight;
	uint16_t cap; /* percent of one CPU, 0: none */
};
struct ctrl_sched_rtds {
	uint32_t vcpu;
	uint32_t period, budget; /* us */
	bool extra;
};
/** Scheduler of the first pool: XEN_SCHEDULER_*. */
int ctrl_sched_id(struct ctrl *ctrl, uint32_t *id);
/** @param scheduler XEN_SCHEDULER_CREDIT or _CREDIT2, that of the domain's pool; weight 0 and cap 65535: leave it */
int ctrl_sched_set_credit(struct ctrl *ctrl, uint32_t domid, uint32_t scheduler, const struct ctrl_sched_credit *value);
int ctrl_sched_get_credit(struct ctrl *ctrl, uint32_t domid, uint32_t scheduler, struct ctrl_sched_credit *out);
int ctrl_sched_set_rtds(struct ctrl *ctrl, uint32_t domid, const struct ctrl_sched_rtds *values, uint32_t count);
/** Of the vCPUs that are named in out[].vcpu. */
int ctrl_sched_get_rtds(struct ctrl *ctrl, uint32_t domid, struct ctrl_sched_rtds *out, uint32_t count);

struct ctrl_sched_global {
	uint32_t timeslice; /* ms; credit only */
	uint32_t ratelimit; /* us */
	uint32_t migration_delay; /* us; credit only */
};
int ctrl_sched_set_global(struct ctrl *ctrl, uint32_t pool, uint32_t scheduler, const struct ctrl_sched_global *value);
int ctrl_sched_get_global(struct ctrl *ctrl, uint32_t pool, uint32_t scheduler, struct ctrl_sched_global *out);

#define CTRL_ANY UINT32_MAX
struct ctrl_cpupool_info {
	uint32_t pool;
	uint32_t scheduler;
	uint32_t domains;
};
/** @param pool IN: wanted number or CTRL_ANY; OUT */
int ctrl_cpupool_create(struct ctrl *ctrl, uint32_t scheduler, uint32_t *pool);
int ctrl_cpupool_destroy(struct ctrl *ctrl, uint32_t pool);
/** Of the first pool numbered pool or above; -ENOENT when there is none. @param cpus may be NULL */
int ctrl_cpupool_info(struct ctrl *ctrl, uint32_t pool, struct ctrl_cpupool_info *out, struct ctrl_bitmap *cpus);
/** @param cpu or CTRL_ANY */
int ctrl_cpupool_add_cpu(struct ctrl *ctrl, uint32_t pool, uint32_t cpu);
int ctrl_cpupool_remove_cpu(struct ctrl *ctrl, uint32_t pool, uint32_t cpu);
int ctrl_cpupool_move_domain(struct ctrl *ctrl, uint32_t pool, uint32_t domid);
/** CPUs in no pool. */
int ctrl_cpupool_free_cpus(struct ctrl *ctrl, struct ctrl_bitmap *cpus);

/* ---- The machine ----------------------------------------------------------------------------------------------------- */
struct ctrl_physinfo {
	uint32_t threads_per_core, cores_per_socket;
	uint32_t cpus, max_cpu_id, nodes, max_node_id;
	uint32_t cpu_khz;
	uint32_t capabilities; /* XEN_SYSCTL_PHYSCAP_* */
	uint64_t total_pages, free_pages, scrub_pages, outstanding_pages;
	uint64_t max_frame;
	uint32_t cpuid[8];
};
int ctrl_physinfo(struct ctrl *ctrl, struct ctrl_physinfo *out);

struct ctrl_cpu_topology {
	uint32_t core, socket, node; /* ~0: no such CPU */
};
/** All CPUs, in memory that the caller frees. @return how many */
int ctrl_cpu_topology(struct ctrl *ctrl, struct ctrl_cpu_topology **out);

struct ctrl_node {
	uint64_t size, free; /* bytes; ~0: no such node */
};
/** All nodes and, node after node, their distances to all; both are freed by the caller. @return how many nodes */
int ctrl_numa_info(struct ctrl *ctrl, struct ctrl_node **nodes, uint32_t **distances);

/** Idle time of each CPU in ns, freed by the caller. @return how many CPUs */
int ctrl_cpu_idle_times(struct ctrl *ctrl, uint64_t **out);
/** @param operation XEN_SYSCTL_CPU_HOTPLUG_* */
int ctrl_cpu_hotplug(struct ctrl *ctrl, uint32_t cpu, uint32_t operation);
/** Free memory in bytes. @param min_bits, max_bits width of its addresses, 0: any; @param node -1: all */
int ctrl_available_memory(struct ctrl *ctrl, uint32_t min_bits, uint32_t max_bits, int32_t node, uint64_t *bytes);

/**
 * Read what the hypervisor has printed.
 * @param index  NULL: from the oldest byte; else where to begin, OUT: where the next read goes on
 * @param clear  empty the ring afterwards
 * @return bytes stored (no zero byte is added)
 */
int64_t ctrl_console_read(struct ctrl *ctrl, char *buffer, size_t room, uint32_t *index, bool clear);
/** As if typed on the serial console. */
int ctrl_debug_keys(struct ctrl *ctrl, const char *keys);

struct ctrl_counter {
	char name[80];
	uint32_t first, count; /* its values, in the array of values */
};
struct ctrl_counters {
	struct ctrl_counter *names;
	uint32_t *values;
	uint32_t name_count, value_count;
};
/** Performance counters; free the two arrays. -ENOSYS when the hypervisor has none. */
int ctrl_counters(struct ctrl *ctrl, struct ctrl_counters *out);
int ctrl_counters_reset(struct ctrl *ctrl);

/** What the machine's CPUs can give to guests. @param index XEN_SYSCTL_cpu_policy_* */
int ctrl_machine_policy(struct ctrl *ctrl, uint32_t index, struct ctrl_policy *out);
/** Words of CPU features, freed by the caller. @param index XEN_SYSCTL_cpu_featureset_*. @return how many */
int ctrl_machine_features(struct ctrl *ctrl, uint32_t index, uint32_t **out);

struct ctrl_version {
	uint32_t major, minor, page_size;
	char extra[17], compiler[65], compile_by[17], compile_domain[33], compile_date[33], changeset[65];
	char capabilities[1025], command_line[1025];
	uint64_t virt_start;
	uint8_t build_id[64];
	uint32_t build_id_bytes; /* 0: unknown */
};
int ctrl_version(struct ctrl *ctrl, struct ctrl_version *out);
/**
 * Change a parameter of the hypervisor while it runs (xen-doc: misc/hypfs-paths, /params). @param value text, as on the boot line
 * -ENOENT: there is none of that name that can be changed; -ENOSYS: this hypervisor has none at all.
 */
int ctrl_parameter_set(struct ctrl *ctrl, const char *name, const char *value);
/** What it offers to PV kernels such as this one: bits of <xen/features.h>. */
int ctrl_features(struct ctrl *ctrl, uint32_t *features);

#endif
