/* SPDX-License-Identifier: BSD-2-Clause */
/* Block devices for disks: loop.h. Loop devices are configured in one step, and clear themselves with their last user. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "argon/reason.h"
#include "internal.h"
#include "loop.h"

#define LOOP_TRIES 64

static int target_stat(const char *target, struct stat *st)
{
	if (stat(target, st) != 0) {
		int err = errno;

		if (err == ENOENT)
			return reason_set(ENOENT, "%s does not exist; create an image with: truncate -s 4G %s", target, target);
		return reason_set(err, "%s: %s", target, strerror(err));
	}
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return reason_set(EINVAL, "%s is neither a file nor a block device", target);
	return 0;
}

static int target_open(const char *target, bool readonly)
{
	int fd = open(target, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	if (!readonly && (errno == EROFS || errno == EACCES))
		return reason_set(errno, "%s cannot be written: %s; give the disk access ro", target, strerror(errno));
	return reason_set(errno, "%s cannot be opened: %s", target, strerror(errno));
}

int disk_source_check(const char *target, bool readonly)
{
	struct stat st;
	int fd, err = target_stat(target, &st);

	if (err != 0)
		return err;
	fd = target_open(target, readonly);
	if (fd < 0)
		return fd;
	close(fd);
	if (S_ISREG(st.st_mode) && st.st_size < 512)
		return reason_set(EINVAL, "%s is empty; give it a size with: truncate -s 4G %s", target, target);
	return 0;
}

/* A free loop device over the open file; others may take the same one between the question and the answer. */
static int loop_configure(int file, bool readonly, struct disk_source *source)
{
	struct loop_config config = { .fd = (uint32_t)file };
	int control, number = 0, fd = -1, tries, err = EBUSY;
	char path[32];

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return reason_set(errno, "/dev/loop-control: %s; load the module with: modprobe loop", strerror(errno));
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | (readonly ? LO_FLAGS_READ_ONLY : 0u);
	for (tries = 0; tries < LOOP_TRIES; tries++) {
		number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0) {
			err = errno;
			break;
		}
		snprintf(path, sizeof(path), "/dev/loop%d", number);
		fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (fd < 0) {
			err = errno;
			break;
		}
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
			err = 0;
			break;
		}
		err = errno;
		close(fd);
		fd = -1;
		if (err != EBUSY)
			break;
	}
	close(control);
	if (err != 0)
		return reason_set(err, "no loop device for the disk: %s", strerror(err));
	source->fd = fd;
	source->loop = true;
	return 0;
}

int disk_source_open(struct disk_source *source, const char *target, bool readonly)
{
	struct stat st;
	int fd, err = target_stat(target, &st);

	source->fd = -1;
	source->loop = false;
	if (err != 0)
		return err;
	fd = target_open(target, readonly);
	if (fd < 0)
		return fd;
	if (S_ISBLK(st.st_mode)) {
		source->fd = fd;
	} else {
		err = loop_configure(fd, readonly, source);
		close(fd);
		if (err != 0)
			return err;
	}
	if (fstat(source->fd, &st) != 0 || ioctl(source->fd, BLKGETSIZE64, &source->bytes) != 0) {
		err = reason_set(errno, "%s: %s", target, strerror(errno));
		disk_source_close(source);
		return err;
	}
	source->major = major(st.st_rdev);
	source->minor = minor(st.st_rdev);
	return 0;
}

void disk_source_close(struct disk_source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

/* The back end shows this file once it has opened the device. */
int disk_backend_wait(uint32_t domid, uint32_t devid, unsigned int milliseconds)
{
	struct timespec pause = { .tv_nsec = 200000 };
	long end = time_ms() + (long)milliseconds;
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/vbd-%u-%u/physical_device", domid, devid);
	while (access(path, F_OK) != 0) {
		if (time_ms() >= end)
			return reason_set(ETIMEDOUT, "%s", access("/sys/bus/xen-backend/drivers/vbd", F_OK) != 0 ?
					  "the back end is not there; load it with: modprobe xen-blkback" :
					  "the back end did not open it; the kernel's log (dmesg) says why");
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 10000000)
			pause.tv_nsec *= 2;
	}
	return 0;
}
