/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants of other domains through Linux's /dev/xen/gntdev. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/grant_table.h>
#include <xen/gntdev.h>
#include <xen/gntalloc.h>

#include "argon/dev.h"
#include "argon/reason.h"
#include "dev_private.h"

#define MAP_LIMIT (1u << 20) /* grants in a call; the kernel's own limit is lower */

struct gntdev {
	int fd;
};

int gntdev_open(struct gntdev **out)
{
	struct gntdev *grants = malloc(sizeof(*grants));

	if (!grants)
		return reason_set(ENOMEM, "out of memory");
	grants->fd = device_open("/dev/xen/gntdev", O_RDWR, "xen-gntdev");
	if (grants->fd < 0) {
		int rc = grants->fd;

		free(grants);
		return rc;
	}
	*out = grants;
	return 0;
}

void gntdev_close(struct gntdev *grants)
{
	if (!grants)
		return;
	close(grants->fd);
	free(grants);
}

static int unmap_index(struct gntdev *grants, uint64_t index, size_t count)
{
	struct ioctl_gntdev_unmap_grant_ref unmap = { .index = index, .count = (uint32_t)count };

	return ioctl(grants->fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &unmap) ? -errno : 0;
}

/* Exactly one of domids and domid is used. */
static void *map(struct gntdev *grants, size_t count, const uint32_t *domids, uint32_t domid, const uint32_t *references,
		 int prot)
{
	struct ioctl_gntdev_map_grant_ref *request;
	void *address = NULL;
	int error = EINVAL;

	request = count && count <= MAP_LIMIT ? malloc(sizeof(*request) + (count - 1) * sizeof(request->refs[0])) : NULL;
	if (!request) {
		errno = -reason_set(count && count <= MAP_LIMIT ? ENOMEM : EINVAL, "%zu grants cannot be mapped", count);
		return NULL;
	}
	request->count = (uint32_t)count;
	request->pad = 0;
	for (size_t i = 0; i < count; i++)
		request->refs[i] = (struct ioctl_gntdev_grant_ref){ domids ? domids[i] : domid, references[i] };
	if (ioctl(grants->fd, IOCTL_GNTDEV_MAP_GRANT_REF, request)) {
		error = errno;
	} else {
		address = mmap(NULL, count * DEV_PAGE_SIZE, prot, MAP_SHARED, grants->fd, (off_t)request->index);
		if (address == MAP_FAILED) {
			error = errno;
			address = NULL;
			unmap_index(grants, request->index, count);
		}
	}
	free(request);
	if (!address)
		errno = -reason_set(error, "%zu grants of domain %u, the first %u, cannot be mapped: %s", count,
				    domids ? domids[0] : domid, references[0], strerror(error));
	return address;
}

void *gntdev_map(struct gntdev *grants, size_t count, const uint32_t *domids, const uint32_t *references, int prot)
{
	return map(grants, count, domids, 0, references, prot);
}

void *gntdev_map_domain(struct gntdev *grants, uint32_t domid, size_t count, const uint32_t *references, int prot)
{
	return map(grants, count, NULL, domid, references, prot);
}

/* The kernel knows its mappings by an offset, which it tells for their first address only. */
static int offset_of(struct gntdev *grants, void *address, uint64_t *offset)
{
	struct ioctl_gntdev_get_offset_for_vaddr get = { .vaddr = (uintptr_t)address };

	if (ioctl(grants->fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &get))
		return reason_set(errno, "%p is not the start of mapped grants: %s", address, strerror(errno));
	*offset = get.offset;
	return 0;
}

int gntdev_notify_on_unmap(struct gntdev *grants, void *address, int clear, uint32_t port)
{
	struct ioctl_gntdev_unmap_notify notify = { .event_channel_port = port };
	uintptr_t page = (uintptr_t)address & ~(uintptr_t)(DEV_PAGE_SIZE - 1);
	uint64_t offset = 0;
	int rc = offset_of(grants, (void *)page, &offset);

	if (rc)
		return rc;
	notify.index = offset + ((uintptr_t)address - page);
	notify.action = (clear ? UNMAP_NOTIFY_CLEAR_BYTE : 0u) | (port ? UNMAP_NOTIFY_SEND_EVENT : 0u);
	if (ioctl(grants->fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &notify))
		return reason_set(errno, "no notification for the end of a grant's mapping: %s", strerror(errno));
	return 0;
}

int gntdev_unmap(struct gntdev *grants, void *address, size_t count)
{
	uint64_t offset = 0;
	int rc;

	if (!address)
		return 0;
	rc = offset_of(grants, address, &offset);
	munmap(address, count * DEV_PAGE_SIZE);
	if (rc)
		return rc;
	rc = unmap_index(grants, offset, count);
	return rc ? reason_set(-rc, "grants cannot be given back: %s", strerror(-rc)) : 0;
}

static void segment_fill(struct gntdev_grant_copy_segment *to, const struct gntdev_copy_segment *from)
{
	memset(to, 0, sizeof(*to));
	if (from->to_grant) {
		to->source.virt = from->local;
		to->dest.foreign.ref = from->reference;
		to->dest.foreign.offset = from->offset;
		to->dest.foreign.domid = (domid_t)from->domid;
		to->flags = GNTCOPY_dest_gref;
	} else {
		to->source.foreign.ref = from->reference;
		to->source.foreign.offset = from->offset;
		to->source.foreign.domid = (domid_t)from->domid;
		to->dest.virt = from->local;
		to->flags = GNTCOPY_source_gref;
	}
	to->len = from->bytes;
}

int gntdev_copy(struct gntdev *grants, size_t count, struct gntdev_copy_segment *segments)
{
	struct gntdev_grant_copy_segment list[64];
	struct ioctl_gntdev_grant_copy copy = { .segments = list };

	for (size_t done = 0; done < count; done += copy.count) {
		size_t left = count - done;

		copy.count = (unsigned int)(left < 64 ? left : 64);
		for (unsigned int i = 0; i < copy.count; i++)
			segment_fill(&list[i], &segments[done + i]);
		if (ioctl(grants->fd, IOCTL_GNTDEV_GRANT_COPY, &copy))
			return reason_set(errno, "copy of %u pieces of grants failed: %s", copy.count, strerror(errno));
		for (unsigned int i = 0; i < copy.count; i++)
			segments[done + i].status = list[i].status;
	}
	return 0;
}
