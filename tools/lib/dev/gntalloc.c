/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for other domains through Linux's /dev/xen/gntalloc. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/gntalloc.h>

#include "argon/dev.h"
#include "argon/reason.h"
#include "dev_private.h"

#define LIMIT 65536u /* pages in a call */

/* What was allocated, since the kernel tells the offset of pages only once. */
struct range {
	struct range *next;
	char *address;
	size_t count;
	uint64_t index;
};

struct gntalloc {
	int fd;
	struct range *ranges;
};

int gntalloc_open(struct gntalloc **out)
{
	struct gntalloc *grants = calloc(1, sizeof(*grants));

	if (!grants)
		return reason_set(ENOMEM, "out of memory");
	grants->fd = device_open("/dev/xen/gntalloc", O_RDWR, "xen-gntalloc");
	if (grants->fd < 0) {
		int rc = grants->fd;

		free(grants);
		return rc;
	}
	*out = grants;
	return 0;
}

static void release(struct gntalloc *grants, uint64_t index, size_t count)
{
	struct ioctl_gntalloc_dealloc_gref dealloc = { .index = index, .count = (uint32_t)count };

	ioctl(grants->fd, IOCTL_GNTALLOC_DEALLOC_GREF, &dealloc);
}

static struct range **range_find(struct gntalloc *grants, const char *address)
{
	struct range **p = &grants->ranges;

	while (*p && !(address >= (*p)->address && address < (*p)->address + (*p)->count * DEV_PAGE_SIZE))
		p = &(*p)->next;
	return p;
}

void gntalloc_close(struct gntalloc *grants)
{
	if (!grants)
		return;
	while (grants->ranges)
		gntalloc_free(grants, grants->ranges->address, grants->ranges->count);
	close(grants->fd);
	free(grants);
}

static int allocate(struct gntalloc *grants, uint32_t domid, size_t count, int writable, uint32_t *references,
		    struct range *range)
{
	size_t bytes = sizeof(struct ioctl_gntalloc_alloc_gref) + (count - 1) * sizeof(uint32_t);
	struct ioctl_gntalloc_alloc_gref *request = calloc(1, bytes);
	void *address;
	int rc = 0;

	if (!request)
		return -ENOMEM;
	request->domid = (uint16_t)domid;
	request->flags = writable ? GNTALLOC_FLAG_WRITABLE : 0;
	request->count = (uint32_t)count;
	if (ioctl(grants->fd, IOCTL_GNTALLOC_ALLOC_GREF, request)) {
		rc = -errno;
	} else {
		address = mmap(NULL, count * DEV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, grants->fd,
			       (off_t)request->index);
		if (address == MAP_FAILED) {
			rc = -errno;
			release(grants, request->index, count);
		} else {
			range->address = address;
			range->index = request->index;
			memcpy(references, request->gref_ids, count * sizeof(*references));
		}
	}
	free(request);
	return rc;
}

void *gntalloc_pages(struct gntalloc *grants, uint32_t domid, size_t count, int writable, uint32_t *references)
{
	struct range *range = count && count <= LIMIT ? calloc(1, sizeof(*range)) : NULL;
	int rc = count && count <= LIMIT ? -ENOMEM : -EINVAL;

	if (range)
		rc = allocate(grants, domid, count, writable, references, range);
	if (rc) {
		free(range);
		errno = -reason_set(-rc, "%zu pages for domain %u cannot be had: %s", count, domid, strerror(-rc));
		return NULL;
	}
	range->count = count;
	range->next = grants->ranges;
	grants->ranges = range;
	return range->address;
}

int gntalloc_notify_on_unmap(struct gntalloc *grants, void *address, int clear, uint32_t port)
{
	struct ioctl_gntalloc_unmap_notify notify = { .event_channel_port = port };
	const struct range *range = *range_find(grants, address);

	if (!range)
		return reason_set(EINVAL, "%p is not in pages of gntalloc", address);
	notify.index = range->index + (uint64_t)((char *)address - range->address);
	notify.action = (clear ? UNMAP_NOTIFY_CLEAR_BYTE : 0u) | (port ? UNMAP_NOTIFY_SEND_EVENT : 0u);
	if (ioctl(grants->fd, IOCTL_GNTALLOC_SET_UNMAP_NOTIFY, &notify))
		return reason_set(errno, "no notification for the end of a granted page: %s", strerror(errno));
	return 0;
}

void gntalloc_free(struct gntalloc *grants, void *address, size_t count)
{
	struct range **p, *range;

	if (!address)
		return;
	p = range_find(grants, address);
	range = *p;
	munmap(address, count * DEV_PAGE_SIZE);
	if (!range)
		return;
	*p = range->next;
	release(grants, range->index, range->count);
	free(range);
}
