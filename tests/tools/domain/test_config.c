/* SPDX-License-Identifier: BSD-2-Clause */
/* The readers of libdomain: xl.cfg, device specifications, CPU lists, JSON, libvirt's XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/config.h"
#include "argon/domain_config.h"
#include "argon/reason.h"

/* ---- syntax ---- */

static struct config *parsed(const char *text)
{
	struct config *c;

	assert_int_equal(config_new(&c), 0);
	if (config_parse(c, "t.cfg", text, strlen(text), false) != 0)
		fail_msg("%s", reason_get());
	return c;
}

static void assert_syntax_error(const char *text, const char *reason)
{
	struct config *c;

	assert_int_equal(config_new(&c), 0);
	assert_int_equal(config_parse(c, "t.cfg", text, strlen(text), false), -EINVAL);
	if (strncmp(reason_get(), reason, strlen(reason)) != 0)
		fail_msg("\"%s\" gave \"%s\", not \"%s\"", text, reason_get(), reason);
	config_free(c);
}

static void test_values(void **state)
{
	struct config *c = parsed("# comment\nname = \"a b\" # more\nother='x\"y'; n = 12\nh=0x1f;o=017\nneg = -3\n"
				  "e = \"\"\n  list = [ 'a', \"b\",\n # inside\n 3, ['x', [ ] ], ]\n;;\n");
	const struct config_value *v;
	const char *text = NULL;
	long n = 0;

	(void)state;
	assert_int_equal(config_get_string(c, "name", &text), 1);
	assert_string_equal(text, "a b");
	assert_int_equal(config_get_string(c, "other", &text), 1);
	assert_string_equal(text, "x\"y");
	assert_int_equal(config_get_number(c, "n", &n, 0, 100), 1);
	assert_int_equal(n, 12);
	assert_int_equal(config_get_number(c, "h", &n, 0, 100), 1);
	assert_int_equal(n, 31);
	assert_int_equal(config_get_number(c, "o", &n, 0, 100), 1);
	assert_int_equal(n, 15);
	assert_int_equal(config_get_number(c, "neg", &n, -10, 100), 1);
	assert_int_equal(n, -3);
	assert_int_equal(config_get_string(c, "absent", &text), 0);
	assert_int_equal(config_get_list(c, "list", &v, false), 1);
	assert_int_equal(v->count, 4);
	assert_int_equal(v->items[2]->number, 3);
	assert_int_equal(v->items[3]->count, 2);
	assert_int_equal(v->items[3]->items[1]->count, 0);
	assert_int_equal(v->items[3]->line, 9);
	config_free(c);
}

static void test_override_and_extend(void **state)
{
	struct config *c = parsed("a = 1\na = 2\nl = ['x']\nl += ['y', 'z']\ns = 'ab'\ns += 'cd'\nlone = 'q'\n");
	const struct config_value *v;
	const char *text = NULL;
	long n = 0;

	(void)state;
	assert_int_equal(config_get_number(c, "a", &n, 0, 9), 1);
	assert_int_equal(n, 2);
	assert_int_equal(config_get_list(c, "l", &v, false), 1);
	assert_int_equal(v->count, 3);
	assert_string_equal(v->items[2]->string, "z");
	assert_int_equal(config_get_string(c, "s", &text), 1);
	assert_string_equal(text, "abcd");
	assert_int_equal(config_get_list(c, "lone", &v, false), -EINVAL);
	assert_int_equal(config_get_list(c, "lone", &v, true), 1);
	assert_int_equal(v->count, 1);
	assert_int_equal(config_parse(c, "command line", "name=foo-1", 10, true), 0);
	assert_int_equal(config_get_string(c, "name", &text), 1);
	assert_string_equal(text, "foo-1");
	assert_int_equal(config_parse(c, "command line", "l=['1'];a=7", 11, true), 0);
	assert_int_equal(config_get_number(c, "a", &n, 0, 9), 1);
	assert_int_equal(n, 7);
	config_free(c);
}

static void test_syntax_errors(void **state)
{
	(void)state;
	assert_syntax_error("name = \"abc\nx=1\n", "t.cfg:1:8: the string that begins here is not closed");
	assert_syntax_error("a=1\n  b 2", "t.cfg:2:5: expected = after b, found '2'");
	assert_syntax_error("a=1\n= 2", "t.cfg:2:1: expected the name of a setting, found '='");
	assert_syntax_error("a = [ 'x' 'y' ]", "t.cfg:1:11: expected , or ] in a list, found '''");
	assert_syntax_error("a = [ 'x',\n", "t.cfg:2:1: the list that begins in line 1 is not closed");
	assert_syntax_error("a = 12x\n", "t.cfg:1:5: 12x is not a number; text needs quotes: \"12x\"");
	assert_syntax_error("a = abc\n", "t.cfg:1:5: expected a value, found 'a'; text needs quotes");
	assert_syntax_error("a = 'x' b = 2\n", "t.cfg:1:9: expected the end of the line or ;");
	assert_syntax_error("a = 99999999999999999999\n", "t.cfg:1:5: 99999999999999999999 is too large");
	assert_syntax_error("a = \n", "t.cfg:1:5: expected a value (a number, \"text\" or [list]), found the end of the line");
	assert_syntax_error("a = 'x'\na += 3\n", "t.cfg:2:6: += extends lists and strings");
	assert_syntax_error("a = [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "t.cfg:1:21: lists are nested more than 16 deep");
}

/* ---- domains ---- */

static int read_text(struct domain_config *dc, const char *text)
{
	struct config *c;
	int err;

	assert_int_equal(config_new(&c), 0);
	domain_config_init(dc);
	err = config_parse(c, "t.cfg", text, strlen(text), false);
	if (err == 0)
		err = domain_config_read(dc, c, NULL);
	config_free(c);
	return err;
}

static void assert_domain_error(const char *text, const char *reason)
{
	struct domain_config dc;

	assert_true(read_text(&dc, text) < 0);
	if (strstr(reason_get(), reason) == NULL)
		fail_msg("\"%s\" gave \"%s\", not \"%s\"", text, reason_get(), reason);
	domain_config_free(&dc);
}

static const char whole[] =
	"name = 'web'\ntype='pv'\nkernel='/k'\nramdisk='/r'\nroot='/dev/xvda ro'\nextra='quiet'\nmemory=256\nmaxmem=512\n"
	"vcpus=2\nmaxvcpus=4\ncpus='0-1'\ncpus_soft=['0','1']\ncpu_weight=512\ncap=50\npool='p'\n"
	"uuid='01234567-89ab-cdef-0123-456789abcdef'\non_poweroff='preserve'\non_crash='coredump-restart'\n"
	"disk=['/dev/vg/a,raw,xvda,rw','format=raw, vdev=xvdb, access=ro, target=/b,c=d']\n"
	"vif=['mac=00:16:3e:01:02:03,bridge=br1,rate=1MB/s@20ms,mtu=9000,vifname=web0','']\n"
	"channel=['name=org.x,connection=socket,path=/run/x']\nmax_grant_frames=64\nlocaltime=1\n";

static void check_whole(const struct domain_config *dc)
{
	assert_string_equal(dc->name, "web");
	assert_int_equal(dc->type, DOMAIN_PV);
	assert_string_equal(dc->cmdline, "root=/dev/xvda ro quiet");
	assert_int_equal(dc->memory_kib, 256 << 10);
	assert_int_equal(dc->maxmem_kib, 512 << 10);
	assert_int_equal(dc->vcpus, 2);
	assert_int_equal(dc->max_vcpus, 4);
	assert_int_equal(dc->cpus_count, 1);
	assert_int_equal(dc->cpus_soft_count, 2);
	assert_int_equal(dc->weight, 512);
	assert_int_equal(dc->cap, 50);
	assert_int_equal(dc->uuid[1], 0x23);
	assert_int_equal(dc->on_poweroff, ACTION_PRESERVE);
	assert_int_equal(dc->on_reboot, ACTION_RESTART);
	assert_int_equal(dc->on_crash, ACTION_COREDUMP_RESTART);
	assert_int_equal(dc->disks_count, 2);
	assert_string_equal(dc->disks[0].target, "/dev/vg/a");
	assert_string_equal(dc->disks[1].target, "/b,c=d");
	assert_true(dc->disks[1].readonly);
	assert_int_equal(dc->vifs_count, 2);
	assert_int_equal(dc->vifs[0].rate_bytes, 20000);
	assert_int_equal(dc->vifs[0].rate_interval_us, 20000);
	assert_int_equal(dc->vifs[0].mtu, 9000);
	assert_string_equal(dc->vifs[0].vifname, "web0");
	assert_null(dc->vifs[1].bridge);
	assert_int_equal(dc->channels_count, 1);
	assert_true(dc->channels[0].socket);
	assert_int_equal(dc->max_grant_frames, 64);
	assert_true(dc->localtime);
}

static void test_domain(void **state)
{
	struct domain_config dc;

	(void)state;
	if (read_text(&dc, whole) != 0)
		fail_msg("%s", reason_get());
	check_whole(&dc);
	domain_config_free(&dc);
	assert_int_equal(read_text(&dc, "name='a'\nkernel='/k'\nmaxvcpus=3\n"), 0);
	assert_int_equal(dc.vcpus, 3);
	assert_int_equal(dc.memory_kib, dc.maxmem_kib);
	domain_config_free(&dc);
}

static void test_domain_errors(void **state)
{
	(void)state;
	assert_domain_error("kernel='/k'\n", "the domain has no name");
	assert_domain_error("name='a/b'\n", "may not contain /");
	assert_domain_error("name='17'\n", "taken for a number");
	assert_domain_error("name='a'\nmemory='x'\n", "t.cfg:2:8: memory must be a number, not \"x\"");
	assert_domain_error("name='a'\nmemory=0\n", "t.cfg:2:8: memory is 0, but must be from 1");
	assert_domain_error("name='a'\nmemory=64\nmaxmem=32\n", "t.cfg:3:8: maxmem is 32 MiB, but must be at least memory");
	assert_domain_error("name='a'\nvcpus=4\nmaxvcpus=2\n", "t.cfg:3:10: maxvcpus is 2");
	assert_domain_error("name='a'\ntype='hvn'\n", "t.cfg:2:6: \"hvn\" is not a type of guest");
	assert_domain_error("name='a'\non_crash='explode'\n", "t.cfg:2:10: on_crash: \"explode\" is not an action");
	assert_domain_error("name='a'\ndisk=['/x,raw,xvda','/y,raw,xvda']\n", "two disks are xvda");
	assert_domain_error("name='a'\ndisk='/x,raw,xvda'\n", "t.cfg:2:6: disk must be a list");
	assert_domain_error("name='a'\ndisk=['/x,raw,xvda,rw',\n 'format=foo,vdev=xvdb,target=/y']\n", "t.cfg:3:2: disk \"format=foo");
	assert_domain_error("name='a'\npci=['01:00.0']\n", "t.cfg:2:5: pci is not supported");
	assert_domain_error("name='a'\nuuid='zz'\n", "is not a UUID");
	assert_domain_error("name='a'\nvif=['mac=00:16:3e:00:00:01','mac=00:16:3e:00:00:01']\n", "the same MAC address");
}

/* ---- disks ---- */

static void assert_disk(const char *spec, const char *target, const char *vdev, bool readonly, bool cdrom)
{
	struct disk_config disk;

	if (disk_parse(&disk, spec) != 0)
		fail_msg("%s", reason_get());
	if (target == NULL)
		assert_null(disk.target);
	else
		assert_string_equal(disk.target, target);
	assert_string_equal(disk.vdev, vdev);
	assert_int_equal(disk.readonly, readonly);
	assert_int_equal(disk.cdrom, cdrom);
	disk_free(&disk);
}

static void assert_disk_error(const char *spec, const char *reason)
{
	struct disk_config disk;

	assert_true(disk_parse(&disk, spec) < 0);
	if (strstr(reason_get(), reason) == NULL)
		fail_msg("\"%s\" gave \"%s\", not \"%s\"", spec, reason_get(), reason);
}

static void test_disks(void **state)
{
	(void)state;
	/* The examples of xl-disk-configuration(5). */
	assert_disk("/dev/vg/guest-volume,,hda", "/dev/vg/guest-volume", "hda", false, false);
	assert_disk("/dev/vg/guest-volume,raw,hda,rw", "/dev/vg/guest-volume", "hda", false, false);
	assert_disk("format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume", "/dev/vg/guest-volume", "hda", false, false);
	assert_disk("raw:/dev/vg/guest-volume,hda,w", "/dev/vg/guest-volume", "hda", false, false);
	assert_disk("/root/image.iso,,hdc,cdrom", "/root/image.iso", "hdc", true, true);
	assert_disk("/root/image.iso,,hdc,,cdrom", "/root/image.iso", "hdc", true, true);
	assert_disk("/root/image.iso,raw,hdc,devtype=cdrom", "/root/image.iso", "hdc", true, true);
	assert_disk("format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso", "/root/image.iso", "hdc", true, true);
	assert_disk("raw:/root/image.iso,hdc:cdrom,ro", "/root/image.iso", "hdc", true, true);
	assert_disk(",hdc:cdrom,r", NULL, "hdc", true, true);
	assert_disk("phy:vg/x,xvda1,w", "/dev/vg/x", "xvda1", false, false);
	assert_disk("tap:aio:/img,xvda,w", "/img", "xvda", false, false);
	assert_disk("vdev=xvda,target=/a=b,c target=d", "/a=b,c target=d", "xvda", false, false);
	assert_disk_error("/x,raw,xvda,rwx", "access is \"rwx\"");
	assert_disk_error("/x,raw", "no virtual device is named");
	assert_disk_error("/x,raw,yvda", "\"yvda\" is not a virtual disk");
	assert_disk_error("vdev=xvda", "no target is named");
	assert_disk_error("/x,raw,xvda,rw,more", "unexpected \"more\"");
	assert_disk_error("/x,raw,xvda,rw,foo=1", "unknown parameter foo");
	assert_disk_error("/x,raw,xvda,backendtype=foo", "backendtype is \"foo\"");
}

static void assert_vdev(const char *name, uint32_t number)
{
	uint32_t got = 0;

	if (vdev_number(name, &got) != 0)
		fail_msg("%s", reason_get());
	assert_int_equal(got, number);
}

static void test_vdevs(void **state)
{
	uint32_t n;

	(void)state;
	/* xen-vbd-interface(7) */
	assert_vdev("xvda", 51712);
	assert_vdev("xvda1", 51713);
	assert_vdev("xvdp15", (202 << 8) + 255);
	assert_vdev("xvdq", (1u << 28) | (16 << 8));
	assert_vdev("xvdaa", (1u << 28) | (26 << 8));
	assert_vdev("xvda16", (1u << 28) | 16);
	assert_vdev("hda", 768);
	assert_vdev("hdb1", 768 + 64 + 1);
	assert_vdev("hdc", 5632);
	assert_vdev("sda", 2048);
	assert_vdev("sdb2", 2048 + 16 + 2);
	assert_vdev("d0", 51712);
	assert_vdev("d536p37", (1u << 28) | (536 << 8) | 37);
	assert_vdev("51712", 51712);
	assert_vdev("0x800", 2048);
	assert_int_equal(vdev_number("xvd", &n), -EINVAL);
	assert_int_equal(vdev_number("xvda01", &n), -EINVAL);
	assert_int_equal(vdev_number("sdq", &n), -EINVAL);
	assert_int_equal(vdev_number("", &n), -EINVAL);
	assert_int_equal(vdev_number(NULL, &n), -EINVAL);
}

/* ---- cards ---- */

static void assert_rate(const char *text, uint64_t bytes, uint32_t us)
{
	uint64_t b = 0;
	uint32_t u = 0;

	if (rate_parse(text, &b, &u) != 0)
		fail_msg("%s", reason_get());
	assert_int_equal(b, bytes);
	assert_int_equal(u, us);
}

static void test_vifs(void **state)
{
	struct host_config hc = { .vif_bridge = (char *)(uintptr_t)"brx" };
	struct vif_config vif;
	uint64_t b;
	uint32_t u;

	(void)state;
	assert_rate("10Mb/s", 62500, 50000);
	assert_rate("250KB/s", 12500, 50000);
	assert_rate("1MB/s@20ms", 20000, 20000);
	assert_rate("1GB/s@1s", 1000000000, 1000000);
	assert_rate("100B/s@1s", 100, 1000000);
	assert_int_equal(rate_parse("10", &b, &u), -EINVAL);
	assert_int_equal(rate_parse("10Mb/s@", &b, &u), -EINVAL);
	assert_int_equal(rate_parse("1b/s", &b, &u), -EINVAL);
	assert_int_equal(rate_parse("99999999999999999GB/s", &b, &u), -EINVAL);
	assert_int_equal(vif_parse(&vif, "", &hc), 0);
	assert_string_equal(vif.bridge, "brx");
	assert_int_equal(vif.devid, -1);
	vif_free(&vif);
	assert_int_equal(vif_parse(&vif, "bridge = b1 , devid=3, untrusted", &hc), 0);
	assert_string_equal(vif.bridge, "b1");
	assert_int_equal(vif.devid, 3);
	assert_true(vif.untrusted);
	vif_free(&vif);
	assert_int_equal(vif_parse(&vif, "mac=01:16:3e:00:00:01", NULL), -EINVAL);
	assert_int_equal(vif_parse(&vif, "mac=00:16:3e:00:00", NULL), -EINVAL);
	assert_int_equal(vif_parse(&vif, "mtu=10", NULL), -EINVAL);
	assert_int_equal(vif_parse(&vif, "vifname=averyveryverylongname", NULL), -EINVAL);
	assert_int_equal(vif_parse(&vif, "frob=1", NULL), -EINVAL);
}

/* ---- lists of CPUs, sizes ---- */

static void assert_cpus(const char *text, const char *want)
{
	static const uint32_t nodes[] = { 0, 0, 0, 0, 1, 1, 2, 2 };
	const struct cpu_topology topology = { 8, nodes };
	struct cpumap map;
	char got[64];

	assert_int_equal(cpumap_init(&map, 8), 0);
	if (cpulist_parse(text, &topology, &map) != 0) {
		assert_null(want);
	} else {
		assert_non_null(want);
		cpulist_format(&map, NULL, got, sizeof(got));
		assert_string_equal(got, want);
	}
	cpumap_free(&map);
}

static void test_cpus(void **state)
{
	uint64_t kib;

	(void)state;
	assert_cpus("0-3,5,^1", "0,2-3,5");
	assert_cpus("all", "all");
	assert_cpus("all,^7", "0-6");
	assert_cpus("nodes:0-2,^node:1", "0-3,6-7");
	assert_cpus("1,node:1,^4", "1,5");
	assert_cpus(" 2 , 4 ", "2,4");
	assert_cpus("0,^0", "none");
	assert_cpus("8", NULL);
	assert_cpus("node:3", NULL);
	assert_cpus("3-1", NULL);
	assert_cpus("", NULL);
	assert_cpus("1,,2", NULL);
	assert_cpus("a", NULL);
	assert_int_equal(size_parse("100", 1024, &kib), 0);
	assert_int_equal(kib, 102400);
	assert_int_equal(size_parse("2048m", 1, &kib), 0);
	assert_int_equal(kib, 2097152);
	assert_int_equal(size_parse("4096b", 1, &kib), 0);
	assert_int_equal(kib, 4);
	assert_int_equal(size_parse("1T", 1, &kib), 0);
	assert_int_equal(kib, 1ul << 30);
	assert_int_equal(size_parse("12mm", 1, &kib), -EINVAL);
	assert_int_equal(size_parse("-1", 1, &kib), -EINVAL);
	assert_int_equal(size_parse("", 1, &kib), -EINVAL);
	assert_int_equal(size_parse("99999999999g", 1, &kib), -EINVAL);
}

/* ---- JSON and XML ---- */

static void test_json(void **state)
{
	struct domain_config dc, again;
	struct json_object *json, *reread;

	(void)state;
	assert_int_equal(read_text(&dc, whole), 0);
	json = domain_config_json(&dc);
	assert_non_null(json);
	reread = json_tokener_parse(json_object_to_json_string(json));
	domain_config_init(&again);
	if (domain_config_read_json(&again, reread) != 0)
		fail_msg("%s", reason_get());
	check_whole(&again);
	json_object_put(json);
	json_object_put(reread);
	domain_config_free(&dc);
	domain_config_free(&again);
	reread = json_tokener_parse("{\"c_info\":{\"name\":\"a\",\"uuid\":\"q\"}}");
	domain_config_init(&again);
	assert_int_equal(domain_config_read_json(&again, reread), -EINVAL);
	json_object_put(reread);
	domain_config_free(&again);
}

static const char xml[] =
	"<?xml version='1.0'?>\n<domain type='xen'>\n <name> web </name>\n"
	" <uuid>01234567-89ab-cdef-0123-456789abcdef</uuid>\n <memory unit='MiB'>512</memory>\n"
	" <currentMemory>262144</currentMemory>\n <vcpu cpuset='0-1' current='2'>4</vcpu>\n"
	" <cputune><shares>512</shares></cputune>\n"
	" <os><type>linux</type><kernel>/k</kernel><initrd>/r</initrd><cmdline>root=/dev/xvda</cmdline></os>\n"
	" <on_crash>preserve</on_crash>\n <devices>\n"
	"  <disk type='file' device='disk'><driver name='file' type='raw'/><source file='/b'/><target dev='xvda'/><readonly/></disk>\n"
	"  <disk type='block'><source dev='/dev/sdb'/><target dev='xvdb'/></disk>\n"
	"  <interface type='bridge'><mac address='00:16:3e:01:02:03'/><source bridge='br1'/><mtu size='9000'/></interface>\n"
	"  <console type='pty'/>\n </devices>\n</domain>\n";

static void assert_xml_error(const char *text, const char *reason)
{
	struct domain_config dc;

	domain_config_init(&dc);
	assert_true(domain_config_read_xml(&dc, "t.xml", text, strlen(text)) < 0);
	if (strstr(reason_get(), reason) == NULL)
		fail_msg("\"%s\" gave \"%s\", not \"%s\"", text, reason_get(), reason);
	domain_config_free(&dc);
}

static void test_xml(void **state)
{
	struct domain_config dc;

	(void)state;
	assert_true(domain_config_is_xml(xml, sizeof(xml) - 1));
	assert_false(domain_config_is_xml("name='a'", 8));
	domain_config_init(&dc);
	if (domain_config_read_xml(&dc, "t.xml", xml, sizeof(xml) - 1) != 0)
		fail_msg("%s", reason_get());
	assert_string_equal(dc.name, "web");
	assert_int_equal(dc.maxmem_kib, 512 << 10);
	assert_int_equal(dc.memory_kib, 256 << 10);
	assert_int_equal(dc.vcpus, 2);
	assert_int_equal(dc.max_vcpus, 4);
	assert_string_equal(dc.cpus[0], "0-1");
	assert_int_equal(dc.weight, 512);
	assert_string_equal(dc.kernel, "/k");
	assert_int_equal(dc.on_crash, ACTION_PRESERVE);
	assert_int_equal(dc.disks_count, 2);
	assert_true(dc.disks[0].readonly);
	assert_string_equal(dc.disks[1].target, "/dev/sdb");
	assert_int_equal(dc.vifs[0].mtu, 9000);
	domain_config_free(&dc);
	assert_xml_error("<domain type='xen'>\n<name>a</name>", "t.xml:2:");
	assert_xml_error("<domain type='kvm'><name>a</name></domain>", "only type=\"xen\"");
	assert_xml_error("<foo/>", "the outermost element must be <domain>");
	assert_xml_error("<domain><name>a</name></domain>", "has no <memory>");
	assert_xml_error("<domain><name>a</name><memory unit='x'>1</memory></domain>", "\"x\" is not a unit of memory");
	assert_xml_error("<domain>\n<name>a</name><memory>9999</memory><devices>\n<disk><source file='/a'/></disk></devices></domain>",
			 "t.xml:3: <disk>: has no <target");
	assert_xml_error("<domain><memory>9999</memory></domain>", "the domain has no name");
}

static void test_texts(void **state)
{
	char text[DOMAIN_UUID_TEXT];
	uint8_t uuid[16], again[16];
	enum domain_action action;

	(void)state;
	uuid_random(uuid);
	uuid_format(uuid, text);
	assert_int_equal(uuid_parse(again, text), 0);
	assert_memory_equal(uuid, again, 16);
	assert_int_equal(uuid[6] >> 4, 4);
	assert_int_equal(uuid_parse(again, "0123456789abcdef0123456789abcdef"), 0);
	assert_int_equal(uuid_parse(again, "0123456789abcdef0123456789abcdef0"), -EINVAL);
	assert_int_equal(action_parse("soft_reset", &action), 0);
	assert_int_equal(action, ACTION_SOFT_RESET);
	assert_int_equal(action_parse("", &action), -EINVAL);
}

static void test_host(void **state)
{
	static const char text[] = "autoballoon=\"off\"\nvif.default.bridge=\"br7\"\nclaim_mode=0\nmax_grant_frames=32\n";
	char path[] = "/tmp/xl.conf.XXXXXX";
	struct host_config hc;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	fputs(text, f);
	fclose(f);
	assert_int_equal(host_config_read(&hc, path), 0);
	assert_int_equal(hc.autoballoon, 0);
	assert_string_equal(hc.vif_bridge, "br7");
	assert_false(hc.claim);
	assert_int_equal(hc.max_grant_frames, 32);
	host_config_free(&hc);
	remove(path);
	assert_int_equal(host_config_read(&hc, path), 0);
	assert_int_equal(hc.autoballoon, 2);
	assert_true(hc.claim);
	host_config_free(&hc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	   cmocka_unit_test(test_override_and_extend),
		cmocka_unit_test(test_syntax_errors), cmocka_unit_test(test_domain),
		cmocka_unit_test(test_domain_errors), cmocka_unit_test(test_disks),
		cmocka_unit_test(test_vdevs),	   cmocka_unit_test(test_vifs),
		cmocka_unit_test(test_cpus),	   cmocka_unit_test(test_json),
		cmocka_unit_test(test_xml),	   cmocka_unit_test(test_texts),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
