/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and vCPUs of running domains: targets of balloons, limits, CPU hot-plug. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "argon/reason.h"
#include "internal.h"

/* What a domain may have above its target: the same allowance that other tools for this hypervisor interface make. */
#define SLACK_KIB 1024ul
#define DOM0_LEAST_KIB (128ul << 10)
#define BALLOON_MS 10000

static int available_kib(struct ctrl *ctrl, uint64_t *kib)
{
	struct ctrl_physinfo info;
	int err = ctrl_physinfo(ctrl, &info);

	if (err != 0)
		return err;
	*kib = info.free_pages > info.outstanding_pages ? (info.free_pages - info.outstanding_pages) * 4 : 0;
	return 0;
}

/* With dom0_mem= its administrator has decided how much dom0 has. */
static bool dom0_fixed(struct ctrl *ctrl)
{
	struct ctrl_version version;

	return ctrl_version(ctrl, &version) != 0 || strstr(version.command_line, "dom0_mem=") != NULL;
}

static int dom0_target(struct host *host, uint64_t *kib)
{
	struct ctrl_domain_info info;
	struct store *store;
	struct ctrl *ctrl;
	int err = host_store(host, &store);

	if (err != 0)
		return err;
	if (store_scan_at(store, STORE_NO_TX, "/local/domain/0/memory", "target", "%lu", kib) == 1)
		return 0;
	err = host_ctrl(host, &ctrl);
	if (err == 0)
		err = ctrl_domain_info(ctrl, 0, &info);
	if (err == 0)
		*kib = info.pages * 4;
	return err;
}

static int dom0_shrink(struct host *host, struct ctrl *ctrl, uint64_t need, uint64_t available)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	long end = time_ms() + BALLOON_MS;
	uint64_t target, before = available;
	struct store *store;
	int err = dom0_target(host, &target);

	if (err == 0)
		err = host_store(host, &store);
	if (err != 0)
		return err;
	if (target < DOM0_LEAST_KIB + (need - available))
		return reason_set(ENOMEM, "%lu MiB are needed and %lu MiB are free, and dom0 cannot give away what is missing: it has "
				  "%lu MiB", (need + 1023) >> 10, available >> 10, target >> 10);
	target -= need - available;
	err = store_write_at(store, STORE_NO_TX, "/local/domain/0/memory", "target", "%lu", target);
	while (err == 0 && available < need) {
		if (time_ms() >= end)
			return reason_set(ENOMEM, "dom0 does not give back memory fast enough: %lu MiB are needed and %lu MiB are free",
					  (need + 1023) >> 10, available >> 10);
		nanosleep(&pause, NULL);
		err = available_kib(ctrl, &available);
		if (available > before) {
			before = available;
			end = time_ms() + BALLOON_MS;
		}
	}
	return err;
}

int host_memory_free(struct host *host, uint64_t kib, int autoballoon)
{
	uint64_t available;
	struct ctrl *ctrl;
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = available_kib(ctrl, &available);
	if (err != 0 || available >= kib)
		return err;
	if (autoballoon == 0 || (autoballoon == 2 && dom0_fixed(ctrl)))
		return reason_set(ENOMEM, "not enough memory: %lu MiB are needed and %lu MiB are free; end a guest, give dom0 less (xl "
				  "mem-set 0 ...), or lower memory=", (kib + 1023) >> 10, available >> 10);
	return dom0_shrink(host, ctrl, kib, available);
}

/* ---- targets ---- */

int domain_memory_set(struct host *host, uint32_t domid, uint64_t kib)
{
	struct ctrl_domain_info info;
	uint64_t max = UINT64_MAX, least;
	struct domain_record record;
	struct store *store;
	struct ctrl *ctrl;
	char home[64];
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = host_store(host, &store);
	if (err == 0)
		err = ctrl_domain_info(ctrl, domid, &info);
	if (err != 0)
		return err;
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	(void)store_scan_at(store, STORE_NO_TX, home, "memory/static-max", "%lu", &max);
	if (kib > max)
		return reason_set(EINVAL, "%lu KiB are more than the domain's maxmem, which is %lu KiB", kib, max);
	least = domid == 0 ? DOM0_LEAST_KIB : 4096;
	if (kib < least)
		return reason_set(EINVAL, "%lu KiB are too little: at least %lu KiB", kib, least);
	err = ctrl_domain_set_max_memory(ctrl, domid, kib + SLACK_KIB);
	if (err == 0)
		err = store_write_at(store, STORE_NO_TX, home, "memory/target", "%lu", kib);
	if (err == 0 && domain_record_get(domid, &record) == 0) {
		record.config.memory_kib = kib;
		(void)domain_record_put(domid, &record);
		domain_record_free(&record);
	}
	return err;
}

int domain_memory_max_set(struct host *host, uint32_t domid, uint64_t kib)
{
	struct store *store;
	struct ctrl *ctrl;
	uint64_t target = 0;
	char home[64];
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = host_store(host, &store);
	if (err != 0)
		return err;
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	(void)store_scan_at(store, STORE_NO_TX, home, "memory/target", "%lu", &target);
	if (kib < target)
		return reason_set(EINVAL, "%lu KiB are less than the domain's memory, which is %lu KiB; lower that first with xl mem-set",
				  kib, target);
	return ctrl_domain_set_max_memory(ctrl, domid, kib + SLACK_KIB);
}

/* ---- vCPUs ---- */

int domain_vcpus_set(struct host *host, uint32_t domid, unsigned int count)
{
	struct ctrl_domain_info info;
	struct nodes n = { 0 };
	struct domain_record record;
	struct store *store;
	struct ctrl *ctrl;
	char home[64], key[48];
	unsigned int i, max;
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = host_store(host, &store);
	if (err == 0)
		err = ctrl_domain_info(ctrl, domid, &info);
	if (err != 0)
		return err;
	max = info.max_vcpu_id + 1;
	if (count == 0)
		return 0;
	if (count > max)
		return reason_set(EINVAL, "the domain has %u vCPUs at most (maxvcpus), so it cannot have %u", max, count);
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	for (i = 0; i < max; i++) {
		snprintf(key, sizeof(key), "cpu/%u/availability", i);
		nodes_addf(&n, ~0u, 0, home, key, "%s", i < count ? "online" : "offline");
	}
	err = nodes_write(&n, store, STORE_NO_TX);
	nodes_free(&n);
	if (err == 0 && domain_record_get(domid, &record) == 0) {
		record.config.vcpus = count;
		(void)domain_record_put(domid, &record);
		domain_record_free(&record);
	}
	return err;
}

/* ---- requests to the guest ---- */

int domain_sysrq(struct host *host, uint32_t domid, char letter)
{
	struct store *store;
	char home[64];
	int err = host_store(host, &store);

	if (err != 0)
		return err;
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	return store_write_at(store, STORE_NO_TX, home, "control/sysrq", "%c", letter);
}

int domain_shutdown_request(struct host *host, uint32_t domid, const char *command)
{
	struct store *store;
	char home[64];
	int err = host_store(host, &store);

	if (err != 0)
		return err;
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	return store_write_at(store, STORE_NO_TX, home, "control/shutdown", "%s", command);
}
