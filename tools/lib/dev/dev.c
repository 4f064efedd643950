/* SPDX-License-Identifier: BSD-2-Clause */
/* A handle on the hypervisor: its operations, and the cache of pages for the arguments of hypercalls. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "argon/dev.h"
#include "argon/reason.h"

#define CACHED_PAGES 16

struct dev {
	const struct dev_ops *ops;
	void *context;
	pthread_mutex_t lock; /* cache, cached */
	/*
	 * A page that reads as 0 in a child of fork, which shares the cached pages with its parent and so must not use them. NULL: the
	 * kernel cannot do that, and nothing is cached.
	 */
	unsigned char *ours;
	void *cache[CACHED_PAGES];
	unsigned int cached;
};

int dev_open_ops(const struct dev_ops *ops, void *context, struct dev **out)
{
	struct dev *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return reason_set(ENOMEM, "out of memory");
	dev->ops = ops;
	dev->context = context;
	dev->ours = mmap(NULL, DEV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (dev->ours == MAP_FAILED) {
		dev->ours = NULL;
	} else if (madvise(dev->ours, DEV_PAGE_SIZE, MADV_WIPEONFORK)) {
		munmap(dev->ours, DEV_PAGE_SIZE);
		dev->ours = NULL;
	}
	if (dev->ours)
		*dev->ours = 1;
	pthread_mutex_init(&dev->lock, NULL);
	*out = dev;
	return 0;
}

/* In a child: the parent's pages are left to it. The lock is held, or nobody else has the handle. */
static void fork_check(struct dev *dev)
{
	if (dev->ours && !*dev->ours) {
		dev->cached = 0;
		*dev->ours = 1;
	}
}

void dev_close(struct dev *dev)
{
	if (!dev)
		return;
	fork_check(dev);
	while (dev->cached)
		dev->ops->buffer_put(dev->context, dev->cache[--dev->cached], 1);
	dev->ops->close(dev->context);
	if (dev->ours)
		munmap(dev->ours, DEV_PAGE_SIZE);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

int64_t dev_hypercall(struct dev *dev, uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	const uint64_t arguments[5] = { a0, a1, a2, a3, a4 };

	return dev->ops->hypercall(dev->context, number, arguments);
}

static size_t pages_of(size_t bytes)
{
	return bytes / DEV_PAGE_SIZE + (bytes % DEV_PAGE_SIZE != 0);
}

void *dev_buffer_get(struct dev *dev, size_t bytes)
{
	size_t pages = bytes ? pages_of(bytes) : 1;
	void *buffer = NULL;

	if (pages == 1) {
		pthread_mutex_lock(&dev->lock);
		fork_check(dev);
		if (dev->cached)
			buffer = dev->cache[--dev->cached];
		pthread_mutex_unlock(&dev->lock);
		if (buffer)
			return memset(buffer, 0, DEV_PAGE_SIZE);
	}
	buffer = dev->ops->buffer_get(dev->context, pages);
	if (!buffer)
		reason_set(errno, "no memory for a hypercall's buffer of %zu KiB: %s", pages * 4, strerror(errno));
	return buffer;
}

void dev_buffer_put(struct dev *dev, void *buffer, size_t bytes)
{
	size_t pages = bytes ? pages_of(bytes) : 1;

	if (!buffer)
		return;
	if (pages == 1) {
		pthread_mutex_lock(&dev->lock);
		fork_check(dev);
		if (dev->ours && dev->cached < CACHED_PAGES) {
			dev->cache[dev->cached++] = buffer;
			buffer = NULL;
		}
		pthread_mutex_unlock(&dev->lock);
	}
	if (buffer)
		dev->ops->buffer_put(dev->context, buffer, pages);
}

/* Every frame has to be there: name the first that is not. */
static int first_error(const uint64_t *frames, const int *errors, size_t pages, uint32_t domid)
{
	for (size_t i = 0; i < pages; i++)
		if (errors[i])
			return reason_set(-errors[i], "frame %#llx of domain %u cannot be mapped: %s",
					  (unsigned long long)frames[i], domid, strerror(-errors[i]));
	return 0;
}

void *dev_map(struct dev *dev, uint32_t domid, int prot, size_t pages, const uint64_t *frames, int *errors)
{
	int few[64], *own = errors, rc = 0;
	void *address;

	if (!pages) {
		errno = -reason_set(EINVAL, "no frames to map");
		return NULL;
	}
	if (!own)
		own = pages <= sizeof(few) / sizeof(few[0]) ? few : malloc(pages * sizeof(*own));
	if (!own) {
		errno = -reason_set(ENOMEM, "out of memory");
		return NULL;
	}
	address = dev->ops->map(dev->context, domid, prot, pages, frames, own);
	if (!address) {
		rc = reason_set(errno, "%zu frames of domain %u cannot be mapped: %s", pages, domid, strerror(errno));
	} else if (!errors) {
		rc = first_error(frames, own, pages, domid);
		if (rc) {
			dev->ops->unmap(dev->context, address, pages);
			address = NULL;
		}
	}
	if (own != errors && own != few)
		free(own);
	if (rc)
		errno = -rc;
	return address;
}

void *dev_map_resource(struct dev *dev, uint32_t domid, uint32_t type, uint32_t id, uint64_t first, size_t pages, int prot)
{
	void *address = dev->ops->map_resource(dev->context, domid, type, id, first, pages, prot);

	if (!address)
		reason_set(errno, "resource %u.%u of domain %u cannot be mapped: %s", type, id, domid, strerror(errno));
	return address;
}

void dev_unmap(struct dev *dev, void *address, size_t pages)
{
	if (address)
		dev->ops->unmap(dev->context, address, pages);
}

int dev_dm_op(struct dev *dev, uint32_t domid, unsigned int count, const struct dev_dm_buffer *buffers)
{
	int rc = dev->ops->dm_op(dev->context, domid, count, buffers);

	if (rc < 0)
		return reason_set(-rc, "device-model operation on domain %u failed: %s", domid, strerror(-rc));
	return rc;
}

int dev_restrict(struct dev *dev, uint32_t domid)
{
	int rc = dev->ops->restrict_to(dev->context, domid);

	if (rc < 0)
		return reason_set(-rc, "the handle cannot be restricted to domain %u: %s", domid, strerror(-rc));
	return 0;
}
