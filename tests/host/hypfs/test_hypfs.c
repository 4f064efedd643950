/* SPDX-License-Identifier: BSD-2-Clause */
/* hypfs_op: every file can be read as its directory lists it, parameters can be set, and paths may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/hypercall.h>
#include <hv/string.h>
#include <xen/hypfs.h>
#include "../sim/sim.h"

static char level[2][32];

int console_loglvl_set(bool guest, const char *text)
{
	if (!strcmp(text, "bad"))
		return -EINVAL;
	strlcpy(level[guest], text, sizeof(level[guest]));
	return 0;
}

void console_loglvl_get(bool guest, char *buf, size_t size)
{
	strlcpy(buf, level[guest], size);
}

static struct domain *dom;
static struct vcpu *v;
static gva_t path_va, data_va;

static int setup(void **state)
{
	(void)state;
	sim_start(1);
	dom = sim_domain(0, true, 1, 64);
	path_va = sim_alloc(dom, PAGE_SIZE);
	data_va = sim_alloc(dom, PAGE_SIZE);
	v = sim_run_vcpu(dom, 0);
	strlcpy(level[0], "all", sizeof(level[0]));
	strlcpy(level[1], "warning", sizeof(level[1]));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static long call(u32 op, const char *path, u64 size)
{
	size_t len = strlen(path) + 1;

	memcpy(sim_ptr(dom, path_va), path, len);
	return sim_call(v, do_hypfs_op, op, path_va, len, data_va, size, 0);
}

/* The entry and its contents, which begin at *contents. */
static struct xen_hypfs_direntry *file(const char *path, char **contents)
{
	struct xen_hypfs_direntry *e = sim_ptr(dom, data_va);

	memset(e, 0xee, PAGE_SIZE);
	assert_int_equal(call(XEN_HYPFS_OP_read, path, PAGE_SIZE), 0);
	*contents = (char *)(e + 1);
	return e;
}

/* Reads all that is below a directory; returns the number of files. */
static unsigned int walk(const char *dir)
{
	char copy[1024], path[256], *contents;
	struct xen_hypfs_direntry *e = file(dir, &contents);
	struct xen_hypfs_dirlistentry entry;
	unsigned int count = 0;
	u32 at = 0, len = e->content_len;

	assert_int_equal(e->type, XEN_HYPFS_TYPE_DIR);
	assert_int_equal(e->max_write_len, 0);
	assert_true(len < sizeof(copy));
	memcpy(copy, contents, len);
	do {
		const char *name = copy + at + offsetof(struct xen_hypfs_dirlistentry, name);

		assert_true(at + sizeof(entry) <= len);
		memcpy(&entry, copy + at, offsetof(struct xen_hypfs_dirlistentry, name));
		snprintf(path, sizeof(path), "%s/%s", dir[1] ? dir : "", name);
		if (entry.e.type == XEN_HYPFS_TYPE_DIR) {
			count += walk(path);
		} else {
			e = file(path, &contents);
			assert_int_equal(e->type, entry.e.type);
			assert_int_equal(e->content_len, entry.e.content_len);
			assert_int_equal(e->max_write_len, entry.e.max_write_len);
			if (e->type == XEN_HYPFS_TYPE_STRING)
				assert_int_equal(contents[e->content_len - 1], 0);
			count++;
		}
		at += entry.off_next;
	} while (entry.off_next);
	return count;
}

static void test_walk(void **state)
{
	char *contents;

	(void)state;
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_get_version, 0, 0, 0, 0, 0), XEN_HYPFS_VERSION);
	assert_int_equal(walk("/"), 10);
	assert_int_equal(file("/buildinfo/version/major", &contents)->type, XEN_HYPFS_TYPE_UINT);
	assert_int_equal(*(u32 *)contents, 4);
	file("/buildinfo/compileinfo/compile_by", &contents);
	assert_string_equal(contents, "argon");
}

static void test_write(void **state)
{
	char *contents, *data = sim_ptr(dom, data_va);

	(void)state;
	strcpy(data, "error");
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/params/loglvl", 6), 0);
	file("/params/loglvl", &contents);
	assert_string_equal(contents, "error");
	/* Without the zero byte, and with others behind. */
	strcpy(data, "infoxxxx");
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/params/guest_loglvl", 4), 0);
	assert_string_equal(level[1], "info");
	assert_string_equal(level[0], "error");
	strcpy(data, "bad");
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/params/loglvl", 4), -EINVAL);
	assert_string_equal(level[0], "error");
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/params/loglvl", 33), -E2BIG);
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/params/loglvl", 0), -E2BIG);
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/params/loglvl", 1UL << 40), -E2BIG);
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/params", 4), -EACCES);
	assert_int_equal(call(XEN_HYPFS_OP_write_contents, "/buildinfo/version/major", 4), -EACCES);
	strcpy(sim_ptr(dom, path_va), "/params/loglvl");
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_write_contents, path_va, 15, 8, 4, 0), -EFAULT);
	assert_string_equal(level[0], "error");
}

static void test_refused(void **state)
{
	static const char *const missing[] = { "/x", "//", "/params/", "/params//loglvl", "/param", "/paramsx", "/params/loglvl/x" };
	struct domain *domu = sim_domain(1, false, 1, 16);
	struct xen_hypfs_direntry *e = sim_ptr(dom, data_va);
	char *path = sim_ptr(dom, path_va);

	(void)state;
	sim_run_vcpu(dom, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(missing); i++)
		assert_int_equal(call(XEN_HYPFS_OP_read, missing[i], PAGE_SIZE), -ENOENT);
	assert_int_equal(call(XEN_HYPFS_OP_read, "params", PAGE_SIZE), -EINVAL);
	assert_int_equal(call(XEN_HYPFS_OP_read, "", PAGE_SIZE), -EINVAL);
	assert_int_equal(call(7, "/", PAGE_SIZE), -EOPNOTSUPP);
	/* Not ended, ended early, too long, in no memory. */
	strcpy(path, "/params");
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_read, path_va, 7, data_va, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_read, path_va, 9, data_va, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_read, path_va, 1025, data_va, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_read, 8, 8, data_va, PAGE_SIZE, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_read, path_va, 8, 8, PAGE_SIZE, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_hypfs_op, XEN_HYPFS_OP_get_version, 0, 1, 0, 0, 0), -EINVAL);
	/* No room: the entry says how much there should be. */
	assert_int_equal(call(XEN_HYPFS_OP_read, "/params/loglvl", sizeof(*e) - 1), -EINVAL);
	e->content_len = 0;
	assert_int_equal(call(XEN_HYPFS_OP_read, "/params/loglvl", sizeof(*e) + 3), -ENOBUFS);
	assert_int_equal(e->content_len, 4);
	assert_int_equal(call(XEN_HYPFS_OP_read, "/params/loglvl", sizeof(*e) + 4), 0);
	assert_int_equal(sim_call(sim_run_vcpu(domu, 0), do_hypfs_op, XEN_HYPFS_OP_get_version, 0, 0, 0, 0, 0), -EPERM);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_walk), T(test_write), T(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
