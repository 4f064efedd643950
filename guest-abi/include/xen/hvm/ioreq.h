/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that the hypervisor shares with a device model: one request slot for each vCPU, which waits for the answer, and
 * a ring of writes that need none. The hypervisor makes a request READY, the model INPROCESS and then ready to resume.
 */
#ifndef XEN_PUBLIC_HVM_IOREQ_H
#define XEN_PUBLIC_HVM_IOREQ_H

#define IOREQ_WRITE 0
#define IOREQ_READ  1

#define STATE_IOREQ_NONE      0
#define STATE_IOREQ_READY     1
#define STATE_IOREQ_INPROCESS 2
#define STATE_IORESP_READY    3

#define IOREQ_TYPE_PIO	      0
#define IOREQ_TYPE_COPY	      1 /* memory-mapped I/O */
#define IOREQ_TYPE_PCI_CONFIG 2 /* addr: XEN_DMOP_PCI_SBDF() in the upper half, offset in the lower */
#define IOREQ_TYPE_TIMEOFFSET 7
#define IOREQ_TYPE_INVALIDATE 8 /* forget cached mappings */

#define IOREQ_BUFFER_SLOT_NUM 511

/* ACPI register blocks of the emulated chipset: old ports (V0) and new ones, see HVM_PARAM_ACPI_IOPORTS_LOCATION. */
#define ACPI_PM1A_EVT_BLK_ADDRESS_V0 0x1f40
#define ACPI_PM1A_CNT_BLK_ADDRESS_V0 (ACPI_PM1A_EVT_BLK_ADDRESS_V0 + 0x04)
#define ACPI_PM_TMR_BLK_ADDRESS_V0   (ACPI_PM1A_EVT_BLK_ADDRESS_V0 + 0x08)
#define ACPI_GPE0_BLK_ADDRESS_V0     (ACPI_PM_TMR_BLK_ADDRESS_V0 + 0x20)
#define ACPI_GPE0_BLK_LEN_V0	     0x08
#define ACPI_PM1A_EVT_BLK_ADDRESS_V1 0xb000
#define ACPI_PM1A_CNT_BLK_ADDRESS_V1 (ACPI_PM1A_EVT_BLK_ADDRESS_V1 + 0x04)
#define ACPI_PM_TMR_BLK_ADDRESS_V1   (ACPI_PM1A_EVT_BLK_ADDRESS_V1 + 0x08)
#define ACPI_GPE0_BLK_ADDRESS_V1     0xafe0
#define ACPI_GPE0_BLK_LEN_V1	     0x04
#define ACPI_PM1A_EVT_BLK_ADDRESS    ACPI_PM1A_EVT_BLK_ADDRESS_V0
#define ACPI_PM1A_CNT_BLK_ADDRESS    ACPI_PM1A_CNT_BLK_ADDRESS_V0
#define ACPI_PM_TMR_BLK_ADDRESS	     ACPI_PM_TMR_BLK_ADDRESS_V0
#define ACPI_GPE0_BLK_ADDRESS	     ACPI_GPE0_BLK_ADDRESS_V0
#define ACPI_GPE0_BLK_LEN	     ACPI_GPE0_BLK_LEN_V0

#ifndef __ASSEMBLY__
#include <stdint.h>

typedef struct ioreq {
	uint64_t addr; /* port or guest-physical address */
	uint64_t data; /* the value, or with data_is_ptr the guest-physical address of the values */
	uint32_t count; /* for string instructions */
	uint32_t size; /* bytes of each */
	uint32_t vp_eport; /* port to notify the hypervisor with */
	uint16_t _pad0;
	uint8_t state : 4; /* STATE_* */
	uint8_t data_is_ptr : 1;
	uint8_t dir : 1; /* IOREQ_READ or _WRITE */
	uint8_t df : 1; /* addresses go down */
	uint8_t _pad1 : 1;
	uint8_t type; /* IOREQ_TYPE_* */
} ioreq_t;

typedef struct shared_iopage {
	struct ioreq vcpu_ioreq[1]; /* one for each vCPU */
} shared_iopage_t;

/* A write of up to 8 bytes, of which a slot holds 4: with size 3 the next slot's data goes on. */
typedef struct buf_ioreq {
	uint8_t type; /* IOREQ_TYPE_* */
	uint8_t pad : 1;
	uint8_t dir : 1;
	uint8_t size : 2; /* 1 << size bytes */
	uint32_t addr : 20; /* physical */
	uint32_t data;
} buf_ioreq_t;

typedef struct buffered_iopage {
#ifdef __XEN__
	union bufioreq_pointers {
		struct {
			uint32_t read_pointer;
			uint32_t write_pointer;
		};
		uint64_t full; /* for HVM_IOREQSRV_BUFIOREQ_ATOMIC */
	} ptrs;
#else
	uint32_t read_pointer;
	uint32_t write_pointer;
#endif
	buf_ioreq_t buf_ioreq[IOREQ_BUFFER_SLOT_NUM];
} buffered_iopage_t;
#endif

#endif
