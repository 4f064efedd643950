/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block devices. Quantities named "sector" are 512 bytes; nodes are in the xenstore directory of the end that writes
 * them.
 *
 * Back end, before it goes to InitWait:
 *   params, mode ("r", "w"), type    the tools': what the device is
 *   feature-barrier, feature-flush-cache, feature-discard, feature-persistent       0 or 1
 *   feature-max-indirect-segments    segments in a BLKIF_OP_INDIRECT request, 0: none
 *   discard-enable, discard-alignment, discard-granularity, discard-secure
 *   max-ring-page-order, max-ring-pages    largest ring, as a logarithm and as a number of pages
 *   multi-queue-max-queues
 * and before it goes to Connected:
 *   sectors          size, in units of sector-size
 *   sector-size, physical-sector-size      bytes
 *   info             VDISK_*
 * Front end, before it goes to Initialised:
 *   ring-ref         grant of a ring of one page; of a larger one ring-ref0, ring-ref1, ...
 *   ring-page-order, num-ring-pages
 *   event-channel
 *   protocol         XEN_IO_PROTO_ABI_*
 *   feature-persistent        its grants are used over and over and may stay mapped, writable
 *   feature-large-sector-size
 *   multi-queue-num-queues    with more than one, the ring and the port are under queue-N/
 *   virtual-device, device-type      the tools'
 */
#ifndef XEN_PUBLIC_IO_BLKIF_H
#define XEN_PUBLIC_IO_BLKIF_H

#include "../grant_table.h"
#include "ring.h"

#ifndef blkif_vdev_t
#define blkif_vdev_t uint16_t
#endif
#define blkif_sector_t uint64_t

#define BLKIF_OP_READ		 0
#define BLKIF_OP_WRITE		 1
#define BLKIF_OP_WRITE_BARRIER	 2 /* write after all earlier and before all later requests */
#define BLKIF_OP_FLUSH_DISKCACHE 3 /* what was answered before is on the medium when this is answered */
#define BLKIF_OP_RESERVED_1	 4
#define BLKIF_OP_DISCARD	 5 /* blkif_request_discard */
#define BLKIF_OP_INDIRECT	 6 /* blkif_request_indirect */

#define BLKIF_MAX_SEGMENTS_PER_REQUEST	     11
#define BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST 8

#define BLKIF_DISCARD_SECURE (1 << 0) /* the contents must not be recoverable */

#define BLKIF_RSP_OKAY	     0
#define BLKIF_RSP_ERROR	     -1
#define BLKIF_RSP_EOPNOTSUPP -2

#define VDISK_CDROM	0x1
#define VDISK_REMOVABLE 0x2
#define VDISK_READONLY	0x4

#ifndef __ASSEMBLY__

struct blkif_request_segment {
	grant_ref_t gref;
	uint8_t first_sect, last_sect; /* of the page, both included */
};

typedef struct blkif_request {
	uint8_t operation; /* BLKIF_OP_* */
	uint8_t nr_segments;
	blkif_vdev_t handle;
	uint64_t id; /* comes back in the response */
	blkif_sector_t sector_number; /* first one on the device */
	struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
} blkif_request_t;

typedef struct blkif_request_discard {
	uint8_t operation;
	uint8_t flag; /* BLKIF_DISCARD_SECURE */
	blkif_vdev_t handle;
	uint64_t id;
	blkif_sector_t sector_number;
	uint64_t nr_sectors;
} blkif_request_discard_t;

/* The segments, 512 to a page, are in granted pages. */
typedef struct blkif_request_indirect {
	uint8_t operation;
	uint8_t indirect_op; /* BLKIF_OP_READ or _WRITE */
	uint16_t nr_segments;
	uint64_t id;
	blkif_sector_t sector_number;
	blkif_vdev_t handle;
	grant_ref_t indirect_grefs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
#ifdef __i386__
	uint64_t pad;
#endif
} blkif_request_indirect_t;

typedef struct blkif_response {
	uint64_t id;
	uint8_t operation;
	int16_t status; /* BLKIF_RSP_* */
} blkif_response_t;

DEFINE_RING_TYPES(blkif, struct blkif_request, struct blkif_response);

#endif /* __ASSEMBLY__ */
#endif
