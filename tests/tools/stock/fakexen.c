/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a stock xenstored, this lets it run on a host without a hypervisor: the library functions that it imports
 * (see nm -D) answer as on a machine whose dom0 is the only domain, and whose kernel has an idle ring.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static int event_fd = -1;

EXPORT void *xc_interface_open(void *logger, void *dombuild_logger, unsigned int flags)
{
	(void)logger;
	(void)dombuild_logger;
	(void)flags;
	return malloc(1);
}

EXPORT int xc_interface_close(void *handle)
{
	free(handle);
	return 0;
}

EXPORT int xc_domain_getinfo(void *handle, uint32_t first, unsigned int count, void *info)
{
	(void)handle;
	(void)first;
	(void)count;
	(void)info;
	return 0;
}

EXPORT void *xenevtchn_open(void *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	event_fd = eventfd(0, EFD_NONBLOCK);
	return malloc(1);
}

EXPORT int xenevtchn_fd(void *handle)
{
	(void)handle;
	return event_fd;
}

EXPORT int xenevtchn_bind_interdomain(void *handle, uint32_t domid, uint32_t port)
{
	(void)handle;
	(void)domid;
	return (int)port + 10;
}

EXPORT int xenevtchn_bind_virq(void *handle, unsigned int virq)
{
	(void)handle;
	return (int)virq + 1;
}

EXPORT int xenevtchn_notify(void *handle, uint32_t port)
{
	(void)handle;
	(void)port;
	return 0;
}

EXPORT int xenevtchn_unbind(void *handle, uint32_t port)
{
	(void)handle;
	(void)port;
	return 0;
}

EXPORT int xenevtchn_unmask(void *handle, uint32_t port)
{
	(void)handle;
	(void)port;
	return 0;
}

EXPORT int xenevtchn_pending(void *handle)
{
	(void)handle;
	return -1;
}

EXPORT void *xengnttab_open(void *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	return malloc(1);
}

EXPORT int xengnttab_close(void *handle)
{
	free(handle);
	return 0;
}

EXPORT int xengnttab_set_max_grants(void *handle, uint32_t count)
{
	(void)handle;
	(void)count;
	return 0;
}

EXPORT void *xengnttab_map_grant_ref(void *handle, uint32_t domid, uint32_t reference, int prot)
{
	(void)handle;
	(void)domid;
	(void)reference;
	return mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

EXPORT int xengnttab_unmap(void *handle, void *address, uint32_t count)
{
	(void)handle;
	return munmap(address, count * 4096ul);
}

/* The kernel's files about its own ring. */
EXPORT int open(const char *path, int flags, ...)
{
	int mode;
	va_list args;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if (!strcmp(path, "/proc/xen/xsd_port") || !strcmp(path, "/proc/xen/xsd_kva") || !strcmp(path, "/dev/xen/xenbus_backend")) {
		int fd = memfd_create("xen", 0);

		if (fd < 0 || (!strcmp(path, "/proc/xen/xsd_port") ? write(fd, "7", 1) != 1 || lseek(fd, 0, SEEK_SET) : ftruncate(fd, 4096)))
			return -1;
		return fd;
	}
	return openat(AT_FDCWD, path, flags, mode);
}
