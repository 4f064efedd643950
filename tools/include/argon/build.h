/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libargonbuild: from a kernel file, a ramdisk and a command line to a domain that is ready to run.
 *
 *	build_image_open()      the files are read and checked, with no domain yet
 *	ctrl_domain_create()    an empty domain
 *	build_pv()              its memory, kernel, page tables, start-of-day structures, rings and first vCPU
 *	ctrl_domain_unpause()   it runs
 *
 * Kernels are ELF files for 64-bit x86 with Xen's notes, plain or compressed, or Linux bzImages with any compression that Linux
 * offers but LZO. They may come from untrusted places: everything is bounds-checked. Functions return 0 or a negative errno with
 * the reason in argon/reason.h.
 */
#ifndef ARGON_BUILD_H
#define ARGON_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "argon/ctrl.h"

/* Where unpacked kernels are kept by default; nothing is lost when files here are removed. */
#define BUILD_CACHE_DIRECTORY "/var/cache/argon/kernels"

/* ---- Files ----------------------------------------------------------------------------------------------------------- */
struct build_image;

struct build_source {
	const char *kernel; /* path */
	const char *ramdisk; /* path, or NULL */
	/*
	 * Directory for unpacked kernels, made when it is not there, NULL for none. It is found again by the whole contents of the
	 * kernel file. Trouble with the cache is never an error.
	 */
	const char *cache;
};

/** Read and check a kernel; open its ramdisk. The image serves any number of domains. Free it with build_image_close. */
int build_image_open(const struct build_source *source, struct build_image **out) __attribute__((warn_unused_result));

/** The same with a kernel in memory, which is copied as needed. @param name for messages */
int build_image_memory(const void *kernel, size_t bytes, const char *name, const char *ramdisk, struct build_image **out)
	__attribute__((warn_unused_result));

/** NULL is allowed. */
void build_image_close(struct build_image *image);

struct build_image_info {
	uint64_t kernel_bytes; /* in memory, from its first to its last byte */
	uint64_t ramdisk_bytes;
	uint64_t entry, virt_base; /* virtual addresses */
	uint32_t features, features_required; /* bits of <xen/features.h> */
	bool suspend_cancel; /* a suspend may be called off */
	bool from_cache;
	char guest_os[32], guest_version[32], loader[32];
};
void build_image_info(const struct build_image *image, struct build_image_info *out);

/* ---- Domains --------------------------------------------------------------------------------------------------------- */
enum build_type {
	BUILD_PV,
	BUILD_PVH,
	BUILD_HVM,
};

struct build_config {
	enum build_type type; /* other types than BUILD_PV: -EOPNOTSUPP */
	uint64_t memory_kib; /* what it gets now */
	uint64_t max_memory_kib; /* what it may grow to: its limit and its memory map; 0: memory_kib */
	uint32_t vcpus; /* at most; one starts, the kernel starts the others; 0: 1 */
	const char *command_line; /* NULL: empty */
	uint32_t store_domid, console_domid; /* who serves its rings */
	bool claim; /* set the memory aside first, so that two builds cannot starve each other */
	uint32_t tsc_mode; /* as in ctrl_domain_set_tsc */
	const struct ctrl_policy *policy; /* CPUID policy, NULL: the hypervisor's default for PV */
};

struct build_result {
	uint64_t pages; /* what it got */
	uint64_t store_frame, console_frame; /* machine frames of the rings, empty; also grants GNTTAB_RESERVED_* */
	uint32_t store_port, console_port; /* its ports, unbound, for store_domid and console_domid */
	uint64_t shared_info_frame;
	uint64_t start_info; /* virtual address, and ... */
	uint64_t entry; /* ... where it will start */
};

/**
 * Make the empty, paused domain one that can be unpaused. The domain was created for at least config->vcpus vCPUs.
 * On failure the domain is in no usable state: destroy it. -ENOMEM: the reason says how much memory is missing.
 */
int build_pv(struct ctrl *ctrl, uint32_t domid, const struct build_image *image, const struct build_config *config,
	     struct build_result *out);

/** Memory that a domain needs at least to be built from this image, in KiB. */
uint64_t build_memory_least(const struct build_image *image);

#endif
