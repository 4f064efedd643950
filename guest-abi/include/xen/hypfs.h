/* SPDX-License-Identifier: BSD-2-Clause */
/* hypfs_op: a small tree of files that the hypervisor shows to the tools. */
#ifndef XEN_PUBLIC_HYPFS_H
#define XEN_PUBLIC_HYPFS_H

#include "xen.h"

#define XEN_HYPFS_VERSION     1
#define XEN_HYPFS_MAX_PATHLEN 1024 /* its zero byte included */

#ifndef __ASSEMBLY__

struct xen_hypfs_direntry {
	uint8_t type;
#define XEN_HYPFS_TYPE_DIR    0
#define XEN_HYPFS_TYPE_BLOB   1
#define XEN_HYPFS_TYPE_STRING 2
#define XEN_HYPFS_TYPE_UINT   3
#define XEN_HYPFS_TYPE_INT    4
#define XEN_HYPFS_TYPE_BOOL   5
	uint8_t encoding;
#define XEN_HYPFS_ENC_PLAIN 0
#define XEN_HYPFS_ENC_GZIP  1
	uint16_t pad; /* 0 */
	uint32_t content_len; /* bytes */
	uint32_t max_write_len; /* 0: read only */
};
typedef struct xen_hypfs_direntry xen_hypfs_direntry_t;

/* What a directory consists of. */
struct xen_hypfs_dirlistentry {
	xen_hypfs_direntry_t e;
	uint16_t off_next; /* bytes to the next one, 0: this is the last */
	char name[XEN_FLEX_ARRAY_DIM]; /* ends with a zero byte */
};

#endif /* __ASSEMBLY__ */

/* @return XEN_HYPFS_VERSION */
#define XEN_HYPFS_OP_get_version 0
/*
 * Path, its length with the zero byte, buffer, its size. The buffer receives a direntry and the contents behind it. When there is not
 * room for both, the direntry alone and -ENOBUFS.
 */
#define XEN_HYPFS_OP_read 1
/* Path, its length with the zero byte, contents, their size. Type and encoding stay. */
#define XEN_HYPFS_OP_write_contents 2

#endif
