/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of a handle by Linux's /dev/xen/privcmd, and /dev/xen/hypercall for buffers. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xen/privcmd.h>

#include "argon/dev.h"
#include "argon/reason.h"
#include "dev_private.h"

struct privcmd {
	int fd;
	int buffer_fd; /* -1: the kernel has no /dev/xen/hypercall */
};

int device_open(const char *path, int flags, const char *module)
{
	int fd = open(path, flags | O_CLOEXEC), error = errno;

	if (fd >= 0)
		return fd;
	if (error == ENOENT || error == ENXIO || error == ENODEV)
		return reason_set(error, "%s does not exist: is this dom0? If so, load the kernel's module: modprobe %s", path, module);
	if (error == EACCES || error == EPERM)
		return reason_set(error, "%s may not be opened: become root", path);
	return reason_set(error, "%s cannot be opened: %s", path, strerror(error));
}

/* Through syscall, since the C library's ioctl cuts results to an int. */
static int64_t privcmd_hypercall(void *context, uint32_t number, const uint64_t arguments[5])
{
	const struct privcmd *p = context;
	struct privcmd_hypercall call = { .op = number };
	long rc;

	for (int i = 0; i < 5; i++)
		call.arg[i] = arguments[i];
	rc = syscall(SYS_ioctl, p->fd, IOCTL_PRIVCMD_HYPERCALL, &call);
	return rc == -1 ? -errno : rc;
}

static void *window(const struct privcmd *p, size_t pages, int prot)
{
	void *address = mmap(NULL, pages * DEV_PAGE_SIZE, prot, MAP_SHARED, p->fd, 0);

	return address == MAP_FAILED ? NULL : address;
}

static void privcmd_unmap(void *context, void *address, size_t pages)
{
	int error = errno;

	(void)context;
	munmap(address, pages * DEV_PAGE_SIZE);
	errno = error;
}

static void *privcmd_map(void *context, uint32_t domid, int prot, size_t pages, const uint64_t *frames, int *errors)
{
	const struct privcmd *p = context;
	struct privcmd_mmapbatch_v2 batch = { .dom = (domid_t)domid };
	char *address;

	_Static_assert(sizeof(xen_pfn_t) == sizeof(uint64_t), "frame numbers");
	if (pages > INT32_MAX / DEV_PAGE_SIZE) {
		errno = EINVAL;
		return NULL;
	}
	address = window(p, pages, prot);
	if (!address)
		return NULL;
	batch.num = (unsigned int)pages;
	batch.addr = (uintptr_t)address;
	batch.arr = (const xen_pfn_t *)frames;
	batch.err = errors;
	/* ENOENT says that some frames are paged out; which, is in errors. */
	if (ioctl(p->fd, IOCTL_PRIVCMD_MMAPBATCH_V2, &batch) && errno != ENOENT) {
		privcmd_unmap(context, address, pages);
		return NULL;
	}
	return address;
}

static void *privcmd_map_resource(void *context, uint32_t domid, uint32_t type, uint32_t id, uint64_t first, size_t pages,
				  int prot)
{
	const struct privcmd *p = context;
	struct privcmd_mmap_resource resource = { .dom = (domid_t)domid, .type = type, .id = id, .num = pages };
	void *address;

	if (!pages || first > UINT32_MAX) {
		errno = EINVAL;
		return NULL;
	}
	address = window(p, pages, prot);
	if (!address)
		return NULL;
	resource.idx = (uint32_t)first;
	resource.addr = (uintptr_t)address;
	if (ioctl(p->fd, IOCTL_PRIVCMD_MMAP_RESOURCE, &resource)) {
		privcmd_unmap(context, address, pages);
		if (errno == ENOTTY)
			errno = EOPNOTSUPP;
		return NULL;
	}
	return address;
}

static int privcmd_dm_op(void *context, uint32_t domid, unsigned int count, const struct dev_dm_buffer *buffers)
{
	const struct privcmd *p = context;
	struct privcmd_dm_op op = { .dom = (domid_t)domid, .num = (uint16_t)count };
	struct privcmd_dm_op_buf list[16];

	if (count > sizeof(list) / sizeof(list[0]))
		return -EINVAL;
	for (unsigned int i = 0; i < count; i++)
		list[i] = (struct privcmd_dm_op_buf){ .uptr = buffers[i].address, .size = buffers[i].bytes };
	op.ubufs = list;
	if (ioctl(p->fd, IOCTL_PRIVCMD_DM_OP, &op))
		return errno == ENOTTY ? -EOPNOTSUPP : -errno;
	return 0;
}

static int privcmd_restrict(void *context, uint32_t domid)
{
	const struct privcmd *p = context;
	domid_t only = (domid_t)domid;

	if (ioctl(p->fd, IOCTL_PRIVCMD_RESTRICT, &only))
		return errno == ENOTTY ? -EOPNOTSUPP : -errno;
	return 0;
}

/* Pages of the kernel never move. Without them: locked ones, kept out of children and of huge pages, touched once. */
static void *privcmd_buffer_get(void *context, size_t pages)
{
	const struct privcmd *p = context;
	size_t bytes = pages * DEV_PAGE_SIZE;
	void *buffer;

	if (pages > SIZE_MAX / DEV_PAGE_SIZE) {
		errno = ENOMEM;
		return NULL;
	}
	if (p->buffer_fd >= 0) {
		buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->buffer_fd, 0);
		return buffer == MAP_FAILED ? NULL : buffer;
	}
	buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		return NULL;
	if (madvise(buffer, bytes, MADV_DONTFORK) || mlock(buffer, bytes)) {
		privcmd_unmap(context, buffer, pages);
		return NULL;
	}
	madvise(buffer, bytes, MADV_NOHUGEPAGE); /* only a hint: kernels without huge pages refuse it */
	return memset(buffer, 0, bytes);
}

static void privcmd_close(void *context)
{
	struct privcmd *p = context;

	if (p->buffer_fd >= 0)
		close(p->buffer_fd);
	close(p->fd);
	free(p);
}

static const struct dev_ops privcmd_ops = {
	.hypercall = privcmd_hypercall,
	.map = privcmd_map,
	.map_resource = privcmd_map_resource,
	.unmap = privcmd_unmap,
	.dm_op = privcmd_dm_op,
	.restrict_to = privcmd_restrict,
	.buffer_get = privcmd_buffer_get,
	.buffer_put = privcmd_unmap,
	.close = privcmd_close,
};

int dev_open(struct dev **out)
{
	struct privcmd *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return reason_set(ENOMEM, "out of memory");
	p->fd = device_open("/dev/xen/privcmd", O_RDWR, "xen-privcmd");
	if (p->fd < 0) {
		rc = p->fd;
		free(p);
		return rc;
	}
	p->buffer_fd = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);
	rc = dev_open_ops(&privcmd_ops, p, out);
	if (rc)
		privcmd_close(p);
	return rc;
}
