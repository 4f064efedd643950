/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hypfs_op: what the hypervisor was built as, and the parameters that can be changed while it runs, as a tree of small files. The tree is
 * constant; what can be written are parameters that are guarded by themselves.
 */
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/string.h>
#include <xen/hypfs.h>
#include "hypercall_private.h"

#define TEXT_MAX 128u /* longest contents of a file */
#define NAME_MAX 16u
#define LIST_MAX 512u /* longest contents of a directory; the tests read them all */
#define ROOT 0u

struct node {
	const char *name;
	u8 parent, type;
	u8 max_write; /* bytes with the zero byte */
	const char *text; /* of a STRING that is constant */
	u32 number; /* of a UINT, or the argument of get and set */
	void (*get)(u32 argument, char *buf, size_t size);
	int (*set)(u32 argument, const char *text);
};

static void loglvl_get(u32 guest, char *buf, size_t size)
{
	console_loglvl_get(guest != 0, buf, size);
}

static int loglvl_set(u32 guest, const char *text)
{
	return console_loglvl_set(guest != 0, text);
}

/* A directory stands before what is in it. */
enum { BUILD_INFO = 1, COMPILE_INFO, BUILD_VERSION, PARAMS };
#define DIR(n, p) { .name = (n), .parent = (p), .type = XEN_HYPFS_TYPE_DIR }
#define TEXT(n, p, t) { .name = (n), .parent = (p), .type = XEN_HYPFS_TYPE_STRING, .text = (t) }
#define NUMBER(n, p, v) { .name = (n), .parent = (p), .type = XEN_HYPFS_TYPE_UINT, .number = (v) }
#define LOGLVL(n, guest) \
	{ .name = (n), .parent = PARAMS, .type = XEN_HYPFS_TYPE_STRING, .max_write = 32, .number = (guest), .get = loglvl_get, .set = loglvl_set }

static const struct node nodes[] = {
	[ROOT] = DIR("", ROOT),
	[BUILD_INFO] = DIR("buildinfo", ROOT),
	[COMPILE_INFO] = DIR("compileinfo", BUILD_INFO),
	[BUILD_VERSION] = DIR("version", BUILD_INFO),
	[PARAMS] = DIR("params", ROOT),
	TEXT("changeset", BUILD_INFO, ""),
	/* Builds are reproducible: who made it, where and when are not in it. */
	TEXT("compile_by", COMPILE_INFO, "argon"),
	TEXT("compile_date", COMPILE_INFO, ""),
	TEXT("compile_domain", COMPILE_INFO, ""),
	TEXT("compiler", COMPILE_INFO, VERSION_COMPILER),
	TEXT("extra", BUILD_VERSION, VERSION_EXTRA),
	NUMBER("major", BUILD_VERSION, VERSION_MAJOR),
	NUMBER("minor", BUILD_VERSION, VERSION_MINOR),
	LOGLVL("loglvl", 0),
	LOGLVL("guest_loglvl", 1),
};

static const struct node *child_find(unsigned int parent, const char *name, size_t len)
{
	for (unsigned int i = 1; i < ARRAY_SIZE(nodes); i++)
		if (nodes[i].parent == parent && strlen(nodes[i].name) == len && memcmp(nodes[i].name, name, len) == 0)
			return &nodes[i];
	return NULL;
}

/* NULL: there is no such file. */
static const struct node *path_find(const char *path)
{
	const struct node *n = &nodes[ROOT];

	while (*path) {
		const char *name = ++path; /* each part begins with a slash */

		while (*path && *path != '/')
			path++;
		if (path == name && n == &nodes[ROOT] && !*path)
			return n;
		n = child_find((unsigned int)(n - nodes), name, (size_t)(path - name));
		if (!n)
			return NULL;
	}
	return n;
}

/* Contents of a file, with the zero byte of a text. Returns their length. */
static u32 file_contents(const struct node *n, char *buf)
{
	if (n->type == XEN_HYPFS_TYPE_UINT) {
		memcpy(buf, &n->number, sizeof(n->number));
		return sizeof(n->number);
	}
	if (n->get)
		n->get(n->number, buf, TEXT_MAX);
	else
		strlcpy(buf, n->text, TEXT_MAX);
	return (u32)strlen(buf) + 1;
}

static u32 dir_contents(const struct node *dir, char *buf)
{
	char text[TEXT_MAX];
	u32 len = 0, last = 0;

	for (unsigned int i = 1; i < ARRAY_SIZE(nodes); i++) {
		const struct node *n = &nodes[i];
		struct xen_hypfs_dirlistentry e = { .e = { .type = n->type, .max_write_len = n->max_write } };
		u32 size = (u32)(offsetof(struct xen_hypfs_dirlistentry, name) + strlen(n->name) + 1 + 3) & ~3u;

		if (&nodes[n->parent] != dir)
			continue;
		BUG_ON(len + size > LIST_MAX);
		if (n->type != XEN_HYPFS_TYPE_DIR)
			e.e.content_len = file_contents(n, text);
		if (len) {
			u16 step = (u16)(len - last);

			memcpy(buf + last + offsetof(struct xen_hypfs_dirlistentry, off_next), &step, sizeof(step));
		}
		memset(buf + len, 0, size);
		memcpy(buf + len, &e, offsetof(struct xen_hypfs_dirlistentry, name));
		memcpy(buf + len + offsetof(struct xen_hypfs_dirlistentry, name), n->name, strlen(n->name));
		last = len;
		len += size;
	}
	return len;
}

static long file_read(struct vcpu *v, const struct node *n, gva_t to, u64 size)
{
	char buf[LIST_MAX];
	struct xen_hypfs_direntry e = { .type = n->type, .max_write_len = n->max_write };

	if (size < sizeof(e))
		return -EINVAL;
	e.content_len = n->type == XEN_HYPFS_TYPE_DIR ? dir_contents(n, buf) : file_contents(n, buf);
	if (guest_copy_out(v, to, &e, sizeof(e)))
		return -EFAULT;
	if (size - sizeof(e) < e.content_len)
		return -ENOBUFS;
	return guest_copy_out(v, to + sizeof(e), buf, e.content_len);
}

static long file_write(struct vcpu *v, const struct node *n, gva_t from, u64 size)
{
	char text[TEXT_MAX];

	if (!n->set)
		return -EACCES;
	if (size == 0 || size > n->max_write)
		return -E2BIG;
	if (guest_copy_in(v, text, from, size))
		return -EFAULT;
	/* With or without its zero byte. */
	text[size] = '\0';
	return n->set(n->number, text);
}

static long path_in(struct vcpu *v, char *path, gva_t from, u64 len)
{
	if (len < 2 || len > XEN_HYPFS_MAX_PATHLEN)
		return -EINVAL;
	if (guest_copy_in(v, path, from, len))
		return -EFAULT;
	return path[0] == '/' && memchr(path, 0, len) == path + len - 1 ? 0 : -EINVAL;
}

long do_hypfs_op(struct vcpu *v, u64 *args)
{
	u32 op = (u32)args[0];
	char path[XEN_HYPFS_MAX_PATHLEN];
	const struct node *n;
	long rc;

	if (!is_privileged(v))
		return -EPERM;
	if (op == XEN_HYPFS_OP_get_version)
		return args[1] || args[2] || args[3] || args[4] ? -EINVAL : XEN_HYPFS_VERSION;
	if (op != XEN_HYPFS_OP_read && op != XEN_HYPFS_OP_write_contents)
		return -EOPNOTSUPP;
	rc = path_in(v, path, args[1], args[2]);
	if (rc)
		return rc;
	n = path_find(path);
	if (!n)
		return -ENOENT;
	return op == XEN_HYPFS_OP_read ? file_read(v, n, args[3], args[4]) : file_write(v, n, args[3], args[4]);
}
