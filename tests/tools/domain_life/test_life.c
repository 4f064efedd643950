/* SPDX-License-Identifier: BSD-2-Clause */
/* Creation, devices, destruction, with every call failing once and the process dying at every call: nothing may be left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argon/config.h"
#include "argon/domain.h"
#include "argon/reason.h"
#include "fake.h"
#include "tools/lib/domain/internal.h"

static char root[64];

static void config_fill(struct domain_config *dc, const char *text)
{
	struct config *c;

	assert_int_equal(config_new(&c), 0);
	domain_config_init(dc);
	if (config_parse(c, "t", text, strlen(text), false) != 0 || domain_config_read(dc, c, NULL) != 0)
		fail_msg("%s", reason_get());
	config_free(c);
}

static const char settings[] =
	"name='web'\nkernel='/k'\nramdisk='/r'\nextra='quiet'\nmemory=64\nvcpus=1\nmaxvcpus=2\ncpus='0-1'\ncpu_weight=300\n"
	"rtc_timeoffset=60\ndisk=['/a,raw,xvda,w']\nvif=['mac=00:16:3e:01:02:03,bridge=br0','bridge=br1']\n"
	"channel=['name=org.x,connection=pty']\n";

/* Files below a folder of the run directory, not counting one that is named. */
static int files_in(const char *folder)
{
	char path[128];
	struct dirent *e;
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", root, folder);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL)
		count += e->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return count;
}

static void assert_nothing_left(long step)
{
	unsigned int i;

	for (i = 1; i < FAKE_DOMAINS; i++) {
		if (fake.domains[i].there || fake.domains[i].introduced)
			fail_msg("step %ld: domain %u is left", step, i);
	}
	for (i = 0; i < fake.nodes; i++) {
		if (strncmp(fake.paths[i], "/local/domain/", 14) == 0 && fake.paths[i][14] != '0')
			fail_msg("step %ld: %s is left", step, fake.paths[i]);
		if (strncmp(fake.paths[i], "/vm/", 4) == 0 || strncmp(fake.paths[i], "/libxl/", 7) == 0)
			fail_msg("step %ld: %s is left", step, fake.paths[i]);
		if (strstr(fake.paths[i], "/backend/") != NULL && strpbrk(strstr(fake.paths[i], "/backend/") + 9, "123456789") != NULL)
			fail_msg("step %ld: %s is left", step, fake.paths[i]);
	}
	if (files_in("domain") + files_in("creating") + files_in("lock") + files_in("destroying") != 0)
		fail_msg("step %ld: files are left in %s", step, root);
	assert_int_equal(fake.sources_open, 0);
}

static int create(struct host *host, const struct domain_config *dc, uint32_t *domid)
{
	struct domain_create_options options = { .autoballoon = 2 };

	return domain_create(host, dc, &options, domid);
}

static void test_create(void **state)
{
	struct domain_config dc, got;
	struct host *host;
	uint32_t domid = 0, other;

	(void)state;
	fake_reset();
	config_fill(&dc, settings);
	assert_int_equal(host_open(&host), 0);
	if (create(host, &dc, &domid) != 0)
		fail_msg("%s", reason_get());
	assert_int_equal(domid, 1);
	assert_false(fake.domains[1].paused);
	assert_true(fake.domains[1].introduced);
	assert_int_equal(fake.ports, 2);
	assert_string_equal(fake_read("/local/domain/1/name"), "web");
	assert_string_equal(fake_read("/local/domain/1/cpu/0/availability"), "online");
	assert_string_equal(fake_read("/local/domain/1/cpu/1/availability"), "offline");
	assert_string_equal(fake_read("/local/domain/1/memory/target"), "65536");
	assert_string_equal(fake_read("/local/domain/1/console/ring-ref"), "101");
	assert_string_equal(fake_read("/local/domain/1/device/vbd/51712/backend"), "/local/domain/0/backend/vbd/1/51712");
	assert_string_equal(fake_read("/local/domain/0/backend/vbd/1/51712/physical-device"), "7:0");
	assert_string_equal(fake_read("/local/domain/0/backend/vif/1/1/bridge"), "br1");
	assert_string_equal(fake_read("/local/domain/0/backend/vif/1/0/hotplug-status"), "connected");
	assert_string_equal(fake_read("/local/domain/1/device/console/1/name"), "org.x");
	assert_string_equal(fake_read("/libxl/1/device/vif/0/mac"), "00:16:3e:01:02:03");
	assert_int_equal(domain_find(host, "web", &other), 0);
	assert_int_equal(other, 1);
	assert_int_equal(domain_config_get(host, 1, &got), 0);
	assert_true(got.uuid_set);
	assert_int_equal(got.vifs[1].devid, 1);
	assert_true(got.vifs[1].mac_set);
	domain_config_free(&got);
	/* Its name is taken now. */
	assert_int_equal(create(host, &dc, &other), -EEXIST);
	assert_non_null(strstr(reason_get(), "exists already (domain 1)"));
	assert_int_equal(domain_rename(host, 1, "tony"), 0);
	assert_string_equal(fake_read("/local/domain/1/name"), "tony");
	assert_int_equal(domain_destroy(host, 1), 0);
	assert_nothing_left(0);
	assert_int_equal(domain_destroy(host, 1), -ESRCH);
	assert_int_equal(domain_destroy(host, 0), -EPERM);
	host_close(host);
	domain_config_free(&dc);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "name='a'\n", "no kernel is named" },
		{ "name='a'\ntype='hvm'\n", "this version runs PV guests only" },
		{ "name='a'\nkernel='/k'\ncpus='9'\n", "this machine has no CPU 9" },
		{ "name='a'\nkernel='/k'\npool='fast'\n", "there is no CPU pool \"fast\"" },
		{ "name='a'\nkernel='/k'\ndisk=['/x,qcow2,xvda']\n", "qemu-img convert" },
		{ "name='a'\nkernel='/k'\nmemory=99999\n", "not enough memory: 100001 MiB are needed and 4096 MiB are free" },
	};
	struct domain_config dc;
	struct host *host;
	uint32_t domid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_reset();
		config_fill(&dc, cases[i].text);
		assert_int_equal(host_open(&host), 0);
		assert_true(create(host, &dc, &domid) < 0);
		if (strstr(reason_get(), cases[i].reason) == NULL)
			fail_msg("\"%s\" gave \"%s\"", cases[i].text, reason_get());
		assert_nothing_left((long)i);
		host_close(host);
		domain_config_free(&dc);
	}
}

static void test_every_failure(void **state)
{
	struct domain_config dc;
	struct host *host;
	uint32_t domid;
	long step;
	int err = -1;

	(void)state;
	config_fill(&dc, settings);
	for (step = 1; err != 0 || fake.calls >= step; step++) {
		fake_reset();
		fake.fail_at = step;
		assert_int_equal(host_open(&host), 0);
		err = create(host, &dc, &domid);
		if (err != 0 && strstr(reason_get(), "as it should") == NULL && err != -ENOENT)
			fail_msg("step %ld: \"%s\"", step, reason_get());
		/* A destruction that fails is done again. */
		if (err == 0 && domain_destroy(host, domid) != 0)
			(void)domain_destroy(host, domid);
		assert_nothing_left(step);
		host_close(host);
		assert_true(step < 1000);
	}
	assert_true(step > 20);
	domain_config_free(&dc);
}

/* What the watcher does for those that died. */
static void clear_up(long step)
{
	char path[128], uuid[DOMAIN_UUID_TEXT];
	struct host *host;
	struct dirent *e;
	int fd;
	DIR *dir;

	assert_int_equal(host_open(&host), 0);
	snprintf(path, sizeof(path), "%s/creating", root);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(uuid, sizeof(uuid), "%.36s", e->d_name);
		if (creation_undo(host, uuid) != 0)
			fail_msg("step %ld: %s", step, reason_get());
	}
	if (dir != NULL)
		closedir(dir);
	/* A dead process holds no lock, but in this one the descriptor is still open. */
	for (fd = 3; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, uuid, sizeof(uuid)) > 0 && strncmp(uuid, root, strlen(root)) == 0)
			close(fd);
	}
	fd = lock_get("lock", "web", 0);
	if (fd < 0)
		fail_msg("step %ld: %s", step, reason_get());
	lock_put(fd, "lock", "web");
	host_close(host);
}

static void test_every_death(void **state)
{
	static struct domain_config dc;
	static struct host *host;
	static volatile long step;
	static volatile bool done;
	uint32_t domid;

	(void)state;
	config_fill(&dc, settings);
	/* What a process that dies has allocated is gone with it; here it is lost. */
	__lsan_disable();
	for (step = 1, done = false; !done; step++) {
		fake_reset();
		fake.die_at = step;
		assert_int_equal(host_open(&host), 0);
		if (setjmp(fake.death) == 0) {
			if (create(host, &dc, &domid) != 0)
				fail_msg("step %ld: %s", step, reason_get());
			done = true;
		}
		fake.die_at = 0;
		fake.sources_open = 0;
		if (!done) {
			/* Complete, or not there: with its record and without its journal it stays. */
			clear_up(step);
			if (files_in("domain") != 0)
				assert_int_equal(domain_destroy(host, 1), 0);
		} else {
			assert_int_equal(domain_destroy(host, domid), 0);
		}
		assert_nothing_left(step);
		host_close(host);
	}
	__lsan_enable();
	assert_true(step > 20);
	domain_config_free(&dc);
}

static void test_attach_deaths(void **state)
{
	static struct disk_config disk;
	static struct domain_config dc, got;
	static struct host *host;
	static uint32_t domid;
	static volatile long step;
	static volatile bool done;

	(void)state;
	config_fill(&dc, settings);
	assert_int_equal(disk_parse(&disk, "/b,raw,xvdb,r"), 0);
	__lsan_disable();
	for (step = 1, done = false; !done; step++) {
		fake_reset();
		assert_int_equal(host_open(&host), 0);
		assert_int_equal(create(host, &dc, &domid), 0);
		fake.calls = 0;
		fake.die_at = step;
		if (setjmp(fake.death) == 0) {
			assert_int_equal(disk_attach(host, domid, &disk), 0);
			done = true;
		}
		fake.die_at = 0;
		fake.sources_open = 0;
		clear_up(step);
		assert_int_equal(files_in("creating"), 0);
		assert_int_equal(domain_config_get(host, domid, &got), 0);
		if ((got.disks_count == 2) != (fake_read("/local/domain/0/backend/vbd/1/51728/physical-device") != NULL) ||
		    (got.disks_count == 2) != (fake_read("/libxl/1/device/vbd/51728") != NULL))
			fail_msg("step %ld: half a disk is left", step);
		assert_int_equal(domain_destroy(host, domid), 0);
		assert_nothing_left(step);
		host_close(host);
	}
	__lsan_enable();
	assert_true(step > 5);
	disk_free(&disk);
	domain_config_free(&dc);
}

static void test_devices(void **state)
{
	struct device_info *list;
	struct disk_config disk;
	struct vif_config vif;
	struct domain_config dc;
	struct host *host;
	uint32_t domid;
	long step;
	int err = -1;

	(void)state;
	config_fill(&dc, settings);
	assert_int_equal(disk_parse(&disk, "/b,raw,xvdb,r"), 0);
	assert_int_equal(vif_parse(&vif, "bridge=br2", NULL), 0);
	for (step = 1; err != 0; step++) {
		fake_reset();
		assert_int_equal(host_open(&host), 0);
		assert_int_equal(create(host, &dc, &domid), 0);
		fake.calls = 0;
		fake.fail_at = step;
		err = disk_attach(host, domid, &disk);
		if (err == 0)
			err = vif_attach(host, domid, &vif);
		fake.fail_at = 0;
		if (err != 0 && fake_read("/local/domain/0/backend/vbd/1/51728/physical-device") == NULL)
			assert_null(fake_read("/local/domain/0/backend/vbd/1/51728"));
		if (err == 0) {
			assert_int_equal(device_list(host, domid, "vif", &list), 3);
			device_list_free(list, 3);
			assert_int_equal(disk_attach(host, domid, &disk), -EEXIST);
			assert_int_equal(device_detach(host, domid, "vbd", 51728, false), 0);
			assert_int_equal(device_detach(host, domid, "vif", 2, true), 0);
			assert_int_equal(device_detach(host, domid, "vif", 2, true), -ENODEV);
			assert_int_equal(device_list(host, domid, "vbd", &list), 1);
			device_list_free(list, 1);
		}
		assert_int_equal(domain_destroy(host, domid), 0);
		assert_nothing_left(step);
		host_close(host);
		assert_true(step < 200);
	}
	disk_free(&disk);
	vif_free(&vif);
	domain_config_free(&dc);
}

static void test_changes(void **state)
{
	struct domain_config dc;
	struct host *host;
	uint32_t domid;

	(void)state;
	fake_reset();
	config_fill(&dc, settings);
	assert_int_equal(host_open(&host), 0);
	assert_int_equal(create(host, &dc, &domid), 0);
	assert_int_equal(domain_vcpus_set(host, domid, 2), 0);
	assert_string_equal(fake_read("/local/domain/1/cpu/1/availability"), "online");
	assert_int_equal(domain_vcpus_set(host, domid, 3), -EINVAL);
	assert_int_equal(domain_memory_set(host, domid, 32 << 10), 0);
	assert_string_equal(fake_read("/local/domain/1/memory/target"), "32768");
	assert_int_equal(domain_memory_set(host, domid, 65 << 10), -EINVAL);
	assert_int_equal(domain_memory_max_set(host, domid, 16 << 10), -EINVAL);
	assert_int_equal(domain_shutdown_request(host, domid, "poweroff"), 0);
	assert_string_equal(fake_read("/local/domain/1/control/shutdown"), "poweroff");
	assert_int_equal(domain_destroy(host, domid), 0);
	assert_nothing_left(0);
	host_close(host);
	domain_config_free(&dc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),	    cmocka_unit_test(test_refusals), cmocka_unit_test(test_every_failure),
		cmocka_unit_test(test_every_death), cmocka_unit_test(test_attach_deaths),
		cmocka_unit_test(test_devices),      cmocka_unit_test(test_changes),
	};
	char command[96];
	int failed;

	snprintf(root, sizeof(root), "/tmp/domain-life.XXXXXX");
	if (mkdtemp(root) == NULL)
		return 1;
	setenv("ARGON_RUN_DIR", root, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fake_reset();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return failed | system(command);
}
