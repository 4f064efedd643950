/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of split drivers: a shared page (or more) of slots, in which the front end's requests and the back end's
 * responses take turns, and each side's private part.
 *
 * DEFINE_RING_TYPES(name, request_type, response_type) makes the types. Indices run freely and are masked on use. A side
 * produces into its private index and publishes with a RING_PUSH macro; the *_AND_CHECK_NOTIFY forms say whether the
 * other side asked for an event. A consumer that found nothing uses RING_FINAL_CHECK_*, which asks for one and looks
 * again. The macros take no locks. The other side may write to the shared part at any time: copy a slot
 * (RING_COPY_*) before looking into it, and check that the indices are possible (*_OVERFLOW).
 *
 * The includer provides xen_mb(), xen_rmb() and xen_wmb(), barriers against another CPU.
 */
#ifndef XEN_PUBLIC_IO_RING_H
#define XEN_PUBLIC_IO_RING_H

#include "../xen-compat.h"

#ifndef __ASSEMBLY__

typedef unsigned int RING_IDX;

/* Number of slots: the largest power of two that fits into the given bytes. */
#define __RING_POWER2(_n)	    (1U << (31 - __builtin_clz((unsigned int)(_n))))
#define __CONST_RING_SIZE(_s, _sz)                                                                 \
	__RING_POWER2(((_sz) - offsetof(struct _s##_sring, ring)) /                                \
		      sizeof(((struct _s##_sring *)0)->ring[0]))
#define __RING_SIZE(_s, _sz)                                                                       \
	__RING_POWER2(((_sz) - (size_t)((char *)(_s)->ring - (char *)(_s))) / sizeof((_s)->ring[0]))

#define DEFINE_RING_TYPES(__name, __req_t, __rsp_t)                                                \
	union __name##_sring_entry {                                                               \
		__req_t req;                                                                       \
		__rsp_t rsp;                                                                       \
	};                                                                                         \
	/* The event indices name the request or response whose arrival is to be notified. */      \
	struct __name##_sring {                                                                    \
		RING_IDX req_prod, req_event;                                                      \
		RING_IDX rsp_prod, rsp_event;                                                      \
		union {                                                                            \
			struct {                                                                   \
				uint8_t smartpoll_active;                                          \
			} netif;                                                                   \
			struct {                                                                   \
				uint8_t msg;                                                       \
			} tapif_user;                                                              \
			uint8_t pvt_pad[4];                                                        \
		} pvt;                                                                             \
		uint8_t __pad[44];                                                                 \
		union __name##_sring_entry ring[1]; /* as many as fit */                           \
	};                                                                                         \
	struct __name##_front_ring {                                                               \
		RING_IDX req_prod_pvt;                                                             \
		RING_IDX rsp_cons;                                                                 \
		unsigned int nr_ents;                                                              \
		struct __name##_sring *sring;                                                      \
	};                                                                                         \
	struct __name##_back_ring {                                                                \
		RING_IDX rsp_prod_pvt;                                                             \
		RING_IDX req_cons;                                                                 \
		unsigned int nr_ents;                                                              \
		struct __name##_sring *sring;                                                      \
	};                                                                                         \
	typedef struct __name##_sring __name##_sring_t;                                            \
	typedef struct __name##_front_ring __name##_front_ring_t;                                  \
	typedef struct __name##_back_ring __name##_back_ring_t

/* The front end clears the page; each end then attaches its part, at index _i when a ring is taken over. */
#define SHARED_RING_INIT(_s)                                                                       \
	do {                                                                                       \
		(_s)->req_prod = (_s)->rsp_prod = 0;                                               \
		(_s)->req_event = (_s)->rsp_event = 1;                                             \
		__builtin_memset(&(_s)->pvt, 0, sizeof((_s)->pvt));                                \
		__builtin_memset((_s)->__pad, 0, sizeof((_s)->__pad));                             \
	} while (0)
#define FRONT_RING_ATTACH(_r, _s, _i, __size)                                                      \
	do {                                                                                       \
		(_r)->req_prod_pvt = (_i);                                                         \
		(_r)->rsp_cons = (_i);                                                             \
		(_r)->nr_ents = __RING_SIZE(_s, __size);                                           \
		(_r)->sring = (_s);                                                                \
	} while (0)
#define BACK_RING_ATTACH(_r, _s, _i, __size)                                                       \
	do {                                                                                       \
		(_r)->rsp_prod_pvt = (_i);                                                         \
		(_r)->req_cons = (_i);                                                             \
		(_r)->nr_ents = __RING_SIZE(_s, __size);                                           \
		(_r)->sring = (_s);                                                                \
	} while (0)
#define FRONT_RING_INIT(_r, _s, __size) FRONT_RING_ATTACH(_r, _s, 0, __size)
#define BACK_RING_INIT(_r, _s, __size)	BACK_RING_ATTACH(_r, _s, 0, __size)
#define XEN_FRONT_RING_INIT(r, s, size)                                                            \
	do {                                                                                       \
		SHARED_RING_INIT(s);                                                               \
		FRONT_RING_INIT(r, s, size);                                                       \
	} while (0)

/* Slots in all; for the front end, slots that are free. */
#define RING_SIZE(_r)	       ((_r)->nr_ents)
#define RING_FREE_REQUESTS(_r) (RING_SIZE(_r) - ((_r)->req_prod_pvt - (_r)->rsp_cons))
#define RING_FULL(_r)	       (RING_FREE_REQUESTS(_r) == 0)

/* What waits to be consumed. Requests are limited to those whose response has room. */
#define XEN_RING_NR_UNCONSUMED_RESPONSES(_r) ((_r)->sring->rsp_prod - (_r)->rsp_cons)
#define XEN_RING_NR_UNCONSUMED_REQUESTS(_r)                                                        \
	(__extension__({                                                                           \
		unsigned int __waiting = (_r)->sring->req_prod - (_r)->req_cons;                   \
		unsigned int __room = RING_SIZE(_r) - ((_r)->req_cons - (_r)->rsp_prod_pvt);       \
		__waiting < __room ? __waiting : __room;                                           \
	}))
#ifdef XEN_RING_HAS_UNCONSUMED_IS_BOOL
#define RING_HAS_UNCONSUMED_RESPONSES(_r) (!!XEN_RING_NR_UNCONSUMED_RESPONSES(_r))
#define RING_HAS_UNCONSUMED_REQUESTS(_r)  (!!XEN_RING_NR_UNCONSUMED_REQUESTS(_r))
#else
#define RING_HAS_UNCONSUMED_RESPONSES(_r) XEN_RING_NR_UNCONSUMED_RESPONSES(_r)
#define RING_HAS_UNCONSUMED_REQUESTS(_r)  XEN_RING_NR_UNCONSUMED_REQUESTS(_r)
#endif

/* A slot by its index: in place, or copied once so that the other side cannot change it under the reader. */
#define RING_GET_REQUEST(_r, _idx)  (&((_r)->sring->ring[((_idx) & (RING_SIZE(_r) - 1))].req))
#define RING_GET_RESPONSE(_r, _idx) (&((_r)->sring->ring[((_idx) & (RING_SIZE(_r) - 1))].rsp))
#define RING_COPY_(type, r, idx, dest)                                                             \
	do {                                                                                       \
		*(dest) = *(volatile __typeof__(dest))RING_GET_##type(r, idx);                     \
	} while (0)
#define RING_COPY_REQUEST(r, idx, req)	RING_COPY_(REQUEST, r, idx, req)
#define RING_COPY_RESPONSE(r, idx, rsp) RING_COPY_(RESPONSE, r, idx, rsp)

/* Indices that no honest other side can have. */
#define RING_REQUEST_CONS_OVERFLOW(_r, _cons)  (((_cons) - (_r)->rsp_prod_pvt) >= RING_SIZE(_r))
#define RING_REQUEST_PROD_OVERFLOW(_r, _prod)  (((_prod) - (_r)->rsp_prod_pvt) > RING_SIZE(_r))
#define RING_RESPONSE_PROD_OVERFLOW(_r, _prod) (((_prod) - (_r)->rsp_cons) > RING_SIZE(_r))

/* Publish what was produced; the slots must be seen before the index. */
#define RING_PUSH_REQUESTS(_r)                                                                     \
	do {                                                                                       \
		xen_wmb();                                                                         \
		(_r)->sring->req_prod = (_r)->req_prod_pvt;                                        \
	} while (0)
#define RING_PUSH_RESPONSES(_r)                                                                    \
	do {                                                                                       \
		xen_wmb();                                                                         \
		(_r)->sring->rsp_prod = (_r)->rsp_prod_pvt;                                        \
	} while (0)

/* Did the index pass the one that the other side wants to hear of? The index must be seen before that is read. */
#define __RING_PUSH_NOTIFY(_r, _what, _notify)                                                     \
	do {                                                                                       \
		RING_IDX __old = (_r)->sring->_what##_prod;                                        \
		RING_IDX __new = (_r)->_what##_prod_pvt;                                           \
		xen_wmb();                                                                         \
		(_r)->sring->_what##_prod = __new;                                                 \
		xen_mb();                                                                          \
		(_notify) = (RING_IDX)(__new - (_r)->sring->_what##_event) <                       \
			    (RING_IDX)(__new - __old);                                             \
	} while (0)
#define RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(_r, _notify)  __RING_PUSH_NOTIFY(_r, req, _notify)
#define RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(_r, _notify) __RING_PUSH_NOTIFY(_r, rsp, _notify)

#define RING_FINAL_CHECK_FOR_REQUESTS(_r, _work_to_do)                                             \
	do {                                                                                       \
		(_work_to_do) = RING_HAS_UNCONSUMED_REQUESTS(_r);                                  \
		if (_work_to_do)                                                                   \
			break;                                                                     \
		(_r)->sring->req_event = (_r)->req_cons + 1;                                       \
		xen_mb();                                                                          \
		(_work_to_do) = RING_HAS_UNCONSUMED_REQUESTS(_r);                                  \
	} while (0)
#define RING_FINAL_CHECK_FOR_RESPONSES(_r, _work_to_do)                                            \
	do {                                                                                       \
		(_work_to_do) = RING_HAS_UNCONSUMED_RESPONSES(_r);                                 \
		if (_work_to_do)                                                                   \
			break;                                                                     \
		(_r)->sring->rsp_event = (_r)->rsp_cons + 1;                                       \
		xen_mb();                                                                          \
		(_work_to_do) = RING_HAS_UNCONSUMED_RESPONSES(_r);                                 \
	} while (0)

/* ---- Byte rings of a size chosen at run time ---------------------------------------------------------------------- */
/*
 * A pair of byte rings (in: to the front end, out: from it), each half of 1 << order pages; all sizes are powers of two.
 * DEFINE_XEN_FLEX_RING(name) makes struct name_data and functions that copy bytes between a ring and a buffer;
 * DEFINE_XEN_FLEX_RING_AND_INTF also makes struct name_data_intf, the shared page with the indices. The index that is
 * moved, and the other one, are both masked already.
 */
#ifndef XEN_PAGE_SHIFT
#define XEN_PAGE_SHIFT 12
#endif
#define XEN_FLEX_RING_SIZE(order) (1UL << ((order) + XEN_PAGE_SHIFT - 1))

#define DEFINE_XEN_FLEX_RING(name)                                                                 \
	struct name##_data {                                                                       \
		unsigned char *in;                                                                 \
		unsigned char *out;                                                                \
	};                                                                                         \
	static inline RING_IDX name##_mask(RING_IDX idx, RING_IDX ring_size)                       \
	{                                                                                          \
		return idx & (ring_size - 1);                                                      \
	}                                                                                          \
	static inline unsigned char *name##_get_ring_ptr(unsigned char *buf, RING_IDX idx,         \
							 RING_IDX ring_size)                       \
	{                                                                                          \
		return buf + name##_mask(idx, ring_size);                                          \
	}                                                                                          \
	static inline void name##_read_packet(void *opaque, const unsigned char *buf, size_t size, \
					      RING_IDX masked_prod, RING_IDX *masked_cons,         \
					      RING_IDX ring_size)                                  \
	{                                                                                          \
		size_t head = ring_size - *masked_cons;                                            \
		if (*masked_cons < masked_prod || size < head)                                     \
			head = size;                                                               \
		__builtin_memcpy(opaque, buf + *masked_cons, head);                                \
		__builtin_memcpy((unsigned char *)opaque + head, buf, size - head);                \
		*masked_cons = name##_mask((RING_IDX)(*masked_cons + size), ring_size);            \
	}                                                                                          \
	static inline void name##_write_packet(unsigned char *buf, const void *opaque,             \
					       size_t size, RING_IDX *masked_prod,                 \
					       RING_IDX masked_cons, RING_IDX ring_size)           \
	{                                                                                          \
		size_t head = ring_size - *masked_prod;                                            \
		if (*masked_prod < masked_cons || size < head)                                     \
			head = size;                                                               \
		__builtin_memcpy(buf + *masked_prod, opaque, head);                                \
		__builtin_memcpy(buf, (const unsigned char *)opaque + head, size - head);          \
		*masked_prod = name##_mask((RING_IDX)(*masked_prod + size), ring_size);            \
	}                                                                                          \
	/* Bytes between two free-running indices; a full ring is not taken for an empty one. */   \
	static inline RING_IDX name##_queued(RING_IDX prod, RING_IDX cons, RING_IDX ring_size)     \
	{                                                                                          \
		RING_IDX size = name##_mask(prod - cons, ring_size);                               \
		return size == 0 && prod != cons ? ring_size : size;                               \
	}                                                                                          \
	struct name##_data

#define DEFINE_XEN_FLEX_RING_AND_INTF(name)                                                        \
	struct name##_data_intf {                                                                  \
		RING_IDX in_cons, in_prod;                                                         \
		uint8_t pad1[56];                                                                  \
		RING_IDX out_cons, out_prod;                                                       \
		uint8_t pad2[56];                                                                  \
		RING_IDX ring_order;                                                               \
		grant_ref_t ref[]; /* of the pages */                                              \
	};                                                                                         \
	DEFINE_XEN_FLEX_RING(name)

#endif /* __ASSEMBLY__ */
#endif
