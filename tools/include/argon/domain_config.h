/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain shall be: read from xl.cfg, from libvirt's domain XML or from JSON, written as JSON. Manual pages xl.cfg(5),
 * xl-disk-configuration(5), xl-network-configuration(5). Strings are allocated, NULL when not given; *_free gives them back.
 */
#ifndef ARGON_DOMAIN_CONFIG_H
#define ARGON_DOMAIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct json_object;

#define DOMAIN_VCPUS_MAX 512u
#define DOMAIN_NAME_MAX 255u
#define DOMAIN_DEVICES_MAX 256u
#define DOMAIN_UUID_TEXT 37		/* with the closing NUL */

enum domain_type {
	DOMAIN_PV,
	DOMAIN_PVH,
	DOMAIN_HVM,
};

enum domain_action {
	ACTION_DESTROY,
	ACTION_RESTART,
	ACTION_RENAME_RESTART,
	ACTION_PRESERVE,
	ACTION_COREDUMP_DESTROY,
	ACTION_COREDUMP_RESTART,
	ACTION_SOFT_RESET,
	ACTION_COUNT,
};

enum disk_format {
	DISK_RAW,
	DISK_QCOW,
	DISK_QCOW2,
	DISK_VHD,
	DISK_QED,
	DISK_EMPTY,
	DISK_FORMAT_COUNT,
};

struct disk_config {
	char *target;		/* path, or what the script understands */
	char *vdev;		/* xvda, sda1, hdc, d0p1 or a number */
	char *script;		/* run instead of our own set-up */
	char *backend;		/* domain that serves it: name or number, NULL for this one */
	char *backendtype;	/* phy, qdisk, argon; NULL chooses */
	enum disk_format format;
	bool readonly, cdrom, no_discard, direct_io_safe, untrusted;
};

struct vif_config {
	int devid;		/* -1: the lowest that is free */
	bool mac_set;
	uint8_t mac[6];
	char *bridge, *gatewaydev, *vifname, *script, *ip, *backend;
	char *type, *model;	/* for HVM */
	uint64_t rate_bytes;	/* in each interval; 0 is unlimited */
	uint32_t rate_interval_us;
	uint32_t mtu;		/* 0: that of the bridge */
	bool untrusted;
};

struct channel_config {
	char *name, *path, *backend;
	bool socket;		/* else a pty */
};

struct domain_config {
	enum domain_type type;
	char *name;
	uint8_t uuid[16];
	bool uuid_set;
	unsigned int vcpus, max_vcpus;
	uint64_t memory_kib, maxmem_kib;
	char *kernel, *ramdisk, *cmdline, *bootloader;
	char *pool, *seclabel;
	/* CPU lists as they were written: one for all vCPUs, or one for each. */
	char **cpus, **cpus_soft;
	size_t cpus_count, cpus_soft_count;
	long weight, cap;	/* -1: the scheduler's own */
	enum domain_action on_poweroff, on_reboot, on_crash, on_watchdog, on_soft_reset;
	long max_grant_frames, max_maptrack_frames, max_grant_version, max_event_channels;	/* -1: the default */
	bool nomigrate, driver_domain, localtime, claim;
	long rtc_timeoffset;
	struct disk_config *disks;
	size_t disks_count;
	struct vif_config *vifs;
	size_t vifs_count;
	struct channel_config *channels;
	size_t channels_count;
};

/** Defaults: no name, one vCPU, 32 MiB, PV. */
void domain_config_init(struct domain_config *dc);
void domain_config_free(struct domain_config *dc);

/** Settings of xl.conf that fill in what a domain's settings leave open. */
struct host_config {
	char *vif_script, *vif_bridge, *vif_backend, *vif_gatewaydev;
	long max_grant_frames, max_maptrack_frames, max_grant_version;	/* -1: the hypervisor's */
	int autoballoon;		/* 0 off, 1 on, 2 decide by dom0_mem */
	bool claim, domid_random;
	char *cpumask, *cpumask_pv;
};

/** Read xl.conf; a file that does not exist gives the defaults. */
int host_config_read(struct host_config *hc, const char *path);
void host_config_free(struct host_config *hc);

/** Understand parsed settings. Unknown ones are left unused in c (config_unused). hc may be NULL. */
int domain_config_read(struct domain_config *dc, const struct config *c, const struct host_config *hc);

/** Understand libvirt's XML. The text need not end in NUL. @param source what messages call it */
int domain_config_read_xml(struct domain_config *dc, const char *source, const char *text, size_t length);

/** Whether a text looks like XML rather than xl.cfg. */
bool domain_config_is_xml(const char *text, size_t length);

/** What both readers call at the end, and what changes of single settings need: consistency of the whole. */
int domain_config_check(struct domain_config *dc);

/** JSON in the form that `xl list -l` prints. The caller puts the object. NULL when memory is exhausted. */
struct json_object *domain_config_json(const struct domain_config *dc);
/** Its reader; unknown members are ignored. */
int domain_config_read_json(struct domain_config *dc, struct json_object *json);

/** Device specifications; on failure nothing is allocated. */
int disk_parse(struct disk_config *disk, const char *spec);
int vif_parse(struct vif_config *vif, const char *spec, const struct host_config *hc);
int channel_parse(struct channel_config *channel, const char *spec);
void disk_free(struct disk_config *disk);
void vif_free(struct vif_config *vif);
void channel_free(struct channel_config *channel);
int disk_copy(struct disk_config *to, const struct disk_config *from);
int vif_copy(struct vif_config *to, const struct vif_config *from);

/** Number of a virtual disk by its name in the guest (xen-vbd-interface(7)); a decimal or 0x number is taken as it is. */
int vdev_number(const char *vdev, uint32_t *out);

/** 00000000-0000-0000-0000-000000000000; dashes may be left out when reading. */
int uuid_parse(uint8_t uuid[16], const char *text);
void uuid_format(const uint8_t uuid[16], char text[DOMAIN_UUID_TEXT]);
void uuid_random(uint8_t uuid[16]);

int mac_parse(uint8_t mac[6], const char *text);
void mac_format(const uint8_t mac[6], char text[18]);

/** "RATE[/s][@INTERVAL]" of a vif. */
int rate_parse(const char *text, uint64_t *bytes, uint32_t *interval_us);

/** "2048m" and the like, in KiB; a plain number is in units of unit_kib. */
int size_parse(const char *text, uint64_t unit_kib, uint64_t *kib);

const char *action_name(enum domain_action action);	/* "rename-restart" */
int action_parse(const char *text, enum domain_action *out);
const char *domain_type_name(enum domain_type type);
const char *disk_format_name(enum disk_format format);

/* ---- lists of CPUs ---- */

struct cpumap {
	unsigned int count;	/* CPUs that it has room for */
	uint8_t *bits;
};

struct cpu_topology {
	unsigned int count;
	const uint32_t *node_of_cpu;	/* ~0 for CPUs that are not there */
};

int cpumap_init(struct cpumap *map, unsigned int count);
void cpumap_free(struct cpumap *map);
void cpumap_set(struct cpumap *map, unsigned int cpu, bool on);
bool cpumap_test(const struct cpumap *map, unsigned int cpu);
bool cpumap_empty(const struct cpumap *map);
/** "0-3,5,^1", "all,^7", "nodes:0-1,^node:1": set the named CPUs in a map. CPUs above map->count are an error. */
int cpulist_parse(const char *text, const struct cpu_topology *topology, struct cpumap *map);
/** "0-3,5"; "all" when all of `online` (NULL: of the map) are set, "none" when empty. @return bytes used of room */
size_t cpulist_format(const struct cpumap *map, const struct cpumap *online, char *text, size_t room);

#endif
