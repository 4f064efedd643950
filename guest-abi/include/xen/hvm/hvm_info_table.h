/* SPDX-License-Identifier: BSD-2-Clause */
/* A table at a fixed physical address, which the domain builder writes for the firmware of an HVM domain. */
#ifndef XEN_PUBLIC_HVM_HVM_INFO_TABLE_H
#define XEN_PUBLIC_HVM_HVM_INFO_TABLE_H

#define HVM_INFO_PFN	0x09F
#define HVM_INFO_OFFSET 0x800
#define HVM_INFO_PADDR	((HVM_INFO_PFN << 12) + HVM_INFO_OFFSET)

#define HVM_MAX_VCPUS 128

#ifndef __ASSEMBLY__
#include <stdint.h>

struct hvm_info_table {
	char signature[8]; /* "HVM INFO" */
	uint32_t length;
	uint8_t checksum; /* makes the sum of all bytes 0 */
	uint8_t apic_mode; /* there are an IO-APIC and local APICs */
	uint32_t nr_vcpus;
	uint32_t low_mem_pgend; /* frame after RAM below 4 GiB */
	uint32_t reserved_mem_pgstart; /* first frame of memory below it that is in use */
	uint32_t high_mem_pgend; /* frame after RAM above 4 GiB, 0: none */
	uint8_t vcpu_online[(HVM_MAX_VCPUS + 7) / 8];
};
#endif

#endif
