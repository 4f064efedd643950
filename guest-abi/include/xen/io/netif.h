/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network interfaces: a pair of rings for each queue (tx: from the guest, rx: to it) and an optional control ring.
 *
 * A packet may take several slots: the first has its whole size (tx), each but the last has the flag more_data; slots
 * with extra_info are followed by netif_extra_info slots, until one without XEN_NETIF_EXTRA_FLAG_MORE. On rx, responses
 * carry offset and size within the page that a request granted.
 *
 * Nodes: the front end writes tx-ring-ref, rx-ring-ref, event-channel (or event-channel-tx and event-channel-rx; with
 * multi-queue-num-queues, under queue-N/), request-rx-copy, and feature-rx-notify, feature-sg, feature-gso-tcpv4,
 * feature-gso-tcpv6, feature-no-csum-offload, feature-ipv6-csum-offload, feature-multicast-control,
 * request-multicast-control; ctrl-ring-ref and event-channel-ctrl for the control ring. The back end writes the features
 * that it has, feature-split-event-channels, multi-queue-max-queues, feature-ctrl-ring; the tools mac, handle, mtu.
 */
#ifndef XEN_PUBLIC_IO_NETIF_H
#define XEN_PUBLIC_IO_NETIF_H

#include "../grant_table.h"
#include "ring.h"

/* Slots that a back end must be able to take for one packet. */
#define XEN_NETIF_NR_SLOTS_MIN 18
#define XEN_NETIF_MAX_TX_SIZE  0xFFFF

/* netif_tx_request.flags */
#define _NETTXF_csum_blank     (0) /* the checksum is not filled in */
#define NETTXF_csum_blank      (1U << _NETTXF_csum_blank)
#define _NETTXF_data_validated (1) /* the contents are known to be right */
#define NETTXF_data_validated  (1U << _NETTXF_data_validated)
#define _NETTXF_more_data      (2)
#define NETTXF_more_data       (1U << _NETTXF_more_data)
#define _NETTXF_extra_info     (3)
#define NETTXF_extra_info      (1U << _NETTXF_extra_info)

/* netif_rx_response.flags */
#define _NETRXF_data_validated (0)
#define NETRXF_data_validated  (1U << _NETRXF_data_validated)
#define _NETRXF_csum_blank     (1)
#define NETRXF_csum_blank      (1U << _NETRXF_csum_blank)
#define _NETRXF_more_data      (2)
#define NETRXF_more_data       (1U << _NETRXF_more_data)
#define _NETRXF_extra_info     (3)
#define NETRXF_extra_info      (1U << _NETRXF_extra_info)
#define _NETRXF_gso_prefix     (4) /* the slot holds only the segment size, in offset */
#define NETRXF_gso_prefix      (1U << _NETRXF_gso_prefix)

/* netif_extra_info.type */
#define XEN_NETIF_EXTRA_TYPE_NONE      (0)
#define XEN_NETIF_EXTRA_TYPE_GSO       (1) /* u.gso */
#define XEN_NETIF_EXTRA_TYPE_MCAST_ADD (2) /* u.mcast */
#define XEN_NETIF_EXTRA_TYPE_MCAST_DEL (3) /* u.mcast */
#define XEN_NETIF_EXTRA_TYPE_HASH      (4) /* u.hash */
#define XEN_NETIF_EXTRA_TYPE_MAX       (5)
#define _XEN_NETIF_EXTRA_FLAG_MORE     (0)
#define XEN_NETIF_EXTRA_FLAG_MORE      (1U << _XEN_NETIF_EXTRA_FLAG_MORE)

#define XEN_NETIF_GSO_TYPE_NONE	 (0)
#define XEN_NETIF_GSO_TYPE_TCPV4 (1)
#define XEN_NETIF_GSO_TYPE_TCPV6 (2)

/* status of a response; a positive one (rx) is the size in bytes */
#define NETIF_RSP_DROPPED -2
#define NETIF_RSP_ERROR	  -1
#define NETIF_RSP_OKAY	  0
#define NETIF_RSP_NULL	  1 /* the slot was an extra one */

/* ---- Control ring ------------------------------------------------------------------------------------------------- */
/* Requests; data[] as said. Frames of parameters are named by a grant. */
#define XEN_NETIF_CTRL_TYPE_INVALID		  0
#define XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS	  1 /* answers with the hash types known */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS	  2 /* hash types */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_KEY	  3 /* grant, bytes */
#define XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE 4 /* answers with the largest size */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE 5 /* entries */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING	  6 /* grant of 32-bit queue numbers, entries, first entry */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM	  7 /* algorithm */
#define XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE 8 /* queue; answers with the number */
#define XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING	  9 /* queue, grant of an array of xen_netif_gref, entries */
#define XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING	  10 /* as 9 */

#define XEN_NETIF_CTRL_STATUS_SUCCESS	       0
#define XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED    1
#define XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER 2
#define XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW  3

#define _XEN_NETIF_CTRL_HASH_TYPE_IPV4	   0
#define XEN_NETIF_CTRL_HASH_TYPE_IPV4	   (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV4)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP 1
#define XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP  (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV6	   2
#define XEN_NETIF_CTRL_HASH_TYPE_IPV6	   (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV6)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP 3
#define XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP  (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

#define XEN_NETIF_CTRL_HASH_ALGORITHM_NONE     0
#define XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ 1

#define _XEN_NETIF_CTRLF_GREF_readonly 0
#define XEN_NETIF_CTRLF_GREF_readonly  (1U << _XEN_NETIF_CTRLF_GREF_readonly)

#ifndef __ASSEMBLY__

typedef struct netif_tx_request {
	grant_ref_t gref;
	uint16_t offset; /* in the page */
	uint16_t flags; /* NETTXF_* */
	uint16_t id; /* comes back in the response */
	uint16_t size; /* bytes: of the packet in its first slot, else of the slot */
} netif_tx_request_t;

typedef struct netif_extra_info {
	uint8_t type; /* XEN_NETIF_EXTRA_TYPE_* */
	uint8_t flags; /* XEN_NETIF_EXTRA_FLAG_MORE */
	union {
		struct {
			uint16_t size; /* of a segment's payload */
			uint8_t type; /* XEN_NETIF_GSO_TYPE_* */
			uint8_t pad;
			uint16_t features;
		} gso;
		struct {
			uint8_t addr[6];
		} mcast;
		struct {
			uint8_t type; /* bit number of XEN_NETIF_CTRL_HASH_TYPE_* */
			uint8_t algorithm;
			uint8_t value[4];
		} hash;
		uint16_t pad[3];
	} u;
} netif_extra_info_t;

typedef struct netif_tx_response {
	uint16_t id;
	int16_t status; /* NETIF_RSP_* */
} netif_tx_response_t;

typedef struct netif_rx_request {
	uint16_t id;
	uint16_t pad;
	grant_ref_t gref;
} netif_rx_request_t;

typedef struct netif_rx_response {
	uint16_t id;
	uint16_t offset;
	uint16_t flags; /* NETRXF_* */
	int16_t status; /* bytes, or NETIF_RSP_* */
} netif_rx_response_t;

DEFINE_RING_TYPES(netif_tx, struct netif_tx_request, struct netif_tx_response);
DEFINE_RING_TYPES(netif_rx, struct netif_rx_request, struct netif_rx_response);

struct xen_netif_ctrl_request {
	uint16_t id; /* comes back in the response */
	uint16_t type; /* XEN_NETIF_CTRL_TYPE_* */
	uint32_t data[3];
};

struct xen_netif_ctrl_response {
	uint16_t id;
	uint16_t type;
	uint32_t status; /* XEN_NETIF_CTRL_STATUS_* */
	uint32_t data;
};

struct xen_netif_gref {
	grant_ref_t ref;
	uint16_t flags; /* XEN_NETIF_CTRLF_GREF_readonly */
	uint16_t status; /* OUT: XEN_NETIF_CTRL_STATUS_* */
};

DEFINE_RING_TYPES(xen_netif_ctrl, struct xen_netif_ctrl_request, struct xen_netif_ctrl_response);

#ifdef XEN_NETIF_DEFINE_TOEPLITZ
/*
 * The Toeplitz hash: for each set bit of buf, most significant first, XOR the 32 bits of the key that begin at the same
 * bit position. Past its end the key is 0.
 */
static inline uint32_t xen_netif_toeplitz_hash(const uint8_t *key, unsigned int keylen,
					       const uint8_t *buf, unsigned int buflen)
{
	uint64_t window = 0; /* 64 bits of the key, the next 32 of them at the top */
	uint32_t hash = 0;
	unsigned int i, bit;

	for (i = 0; i < 8; i++)
		window = window << 8 | (i < keylen ? key[i] : 0);
	for (i = 0; i < buflen; i++) {
		for (bit = 0; bit < 8; bit++) {
			if (buf[i] & (0x80 >> bit))
				hash ^= (uint32_t)(window >> 32);
			window <<= 1;
		}
		window |= i + 8 < keylen ? key[i + 8] : 0;
	}
	return hash;
}
#endif

#endif /* __ASSEMBLY__ */
#endif
