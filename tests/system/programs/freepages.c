/* SPDX-License-Identifier: BSD-2-Clause */
/* freepages: the hypervisor's free memory in KiB, asked of it directly, whatever tools there are. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <xen/sysctl.h>
#include <xen/xen.h>

/* As the kernel's <xen/privcmd.h> has it, which does not compile outside the kernel. */
struct privcmd_hypercall {
	uint64_t op, arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

int main(void)
{
	int fd = open("/dev/xen/privcmd", O_RDWR);
	struct xen_sysctl *op = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	struct privcmd_hypercall call = { .op = __HYPERVISOR_sysctl, .arg = { (uint64_t)(uintptr_t)op } };

	if (fd < 0 || op == MAP_FAILED)
		return 2;
	memset(op, 0, 4096);
	op->cmd = XEN_SYSCTL_physinfo;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	if (ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call)) {
		perror("freepages");
		return 1;
	}
	printf("%llu\n", (unsigned long long)op->u.physinfo.free_pages * 4);
	return 0;
}
