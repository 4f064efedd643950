/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel and ramdisk as files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "argon/build.h"
#include "argon/reason.h"
#include "image.h"

static int ramdisk_open(struct build_image *image, const char *path)
{
	struct stat st;

	image->ramdisk = strdup(path);
	if (!image->ramdisk)
		return reason_set(ENOMEM, "out of memory");
	image->ramdisk_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->ramdisk_fd < 0)
		return errno == ENOENT ? reason_set(errno, "ramdisk %s does not exist", path)
				       : reason_set(errno, "ramdisk %s cannot be opened: %s", path, strerror(errno));
	if (fstat(image->ramdisk_fd, &st) || !S_ISREG(st.st_mode))
		return reason_set(EINVAL, "ramdisk %s is no regular file", path);
	image->ramdisk_bytes = (uint64_t)st.st_size;
	return 0;
}

/* From packed bytes; owned is their memory (NULL: the caller's, who may free it), and is given away in any case. */
static int kernel_take(struct build_image *image, const uint8_t *file, size_t bytes, uint8_t *owned)
{
	int rc = kernel_unwrap(&file, &bytes, &owned, image->name);

	if (!rc && !owned) {
		owned = malloc(bytes);
		if (owned)
			file = memcpy(owned, file, bytes);
		else
			rc = reason_set(ENOMEM, "out of memory");
	}
	if (!rc)
		rc = kernel_parse(file, bytes, image->name, &image->kernel);
	if (rc)
		free(owned);
	else
		image->kernel.file = owned;
	return rc;
}

/* The packed file is needed until it has been put into the cache. */
static int kernel_load(struct build_image *image, const char *path, const char *cache)
{
	uint8_t *file = NULL;
	size_t bytes = 0;
	int rc = file_read(path, "kernel", KERNEL_FILE_MAX, &file, &bytes);

	if (rc)
		return rc;
	if (elf_detect(file, bytes))
		return kernel_take(image, file, bytes, file);
	rc = kernel_take(image, file, bytes, NULL);
	if (!rc && cache)
		cache_store(cache, file, bytes, &image->kernel);
	free(file);
	return rc;
}

static bool kernel_cached(struct build_image *image, const char *path, const char *cache)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	image->from_cache = cache_lookup(cache, fd, &image->kernel) == 0;
	close(fd);
	return image->from_cache;
}

static struct build_image *image_new(const char *name)
{
	struct build_image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->ramdisk_fd = -1;
	image->kernel.fd = -1;
	image->name = strdup(name);
	if (image->name)
		return image;
	free(image);
	return NULL;
}

int build_image_open(const struct build_source *source, struct build_image **out)
{
	struct build_image *image = image_new(source->kernel);
	int rc = image ? 0 : reason_set(ENOMEM, "out of memory");

	if (!rc && source->ramdisk)
		rc = ramdisk_open(image, source->ramdisk);
	if (!rc && !(source->cache && kernel_cached(image, source->kernel, source->cache)))
		rc = kernel_load(image, source->kernel, source->cache);
	if (rc)
		build_image_close(image);
	else
		*out = image;
	return rc;
}

int build_image_memory(const void *kernel, size_t bytes, const char *name, const char *ramdisk, struct build_image **out)
{
	struct build_image *image = image_new(name);
	int rc = image ? 0 : reason_set(ENOMEM, "out of memory");

	if (!rc && ramdisk)
		rc = ramdisk_open(image, ramdisk);
	if (!rc)
		rc = kernel_take(image, kernel, bytes, NULL);
	if (rc)
		build_image_close(image);
	else
		*out = image;
	return rc;
}

void build_image_close(struct build_image *image)
{
	if (!image)
		return;
	kernel_free(&image->kernel);
	if (image->ramdisk_fd >= 0)
		close(image->ramdisk_fd);
	free(image->ramdisk);
	free(image->name);
	free(image);
}

void build_image_info(const struct build_image *image, struct build_image_info *out)
{
	const struct kernel_info *k = &image->kernel.info;

	*out = (struct build_image_info){
		.kernel_bytes = k->end - k->start,
		.ramdisk_bytes = image->ramdisk_bytes,
		.entry = k->entry,
		.virt_base = k->virt_base,
		.features = k->features,
		.features_required = k->features_required,
		.suspend_cancel = k->suspend_cancel,
		.from_cache = image->from_cache,
	};
	memcpy(out->guest_os, k->guest_os, sizeof(out->guest_os));
	memcpy(out->guest_version, k->guest_version, sizeof(out->guest_version));
	memcpy(out->loader, k->loader, sizeof(out->loader));
}
