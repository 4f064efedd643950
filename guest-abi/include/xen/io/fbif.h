/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frame buffers: one page with two event rings and the geometry, and page directories of the frame buffer itself. Events
 * begin with a type. Indices run freely; an entry is at index modulo the ring's length.
 */
#ifndef XEN_PUBLIC_IO_FBIF_H
#define XEN_PUBLIC_IO_FBIF_H

/* To the front end. */
#define XENFB_TYPE_REFRESH_PERIOD 1
#define XENFB_NO_REFRESH	  0 /* period: nobody is looking */
/* To the back end. */
#define XENFB_TYPE_UPDATE 2 /* if "request-update" says so */
#define XENFB_TYPE_RESIZE 3 /* if "feature-resize" says so */

#define XENFB_OUT_EVENT_SIZE 40
#define XENFB_IN_EVENT_SIZE  40

#define XENFB_IN_RING_SIZE  1024
#define XENFB_IN_RING_LEN   (XENFB_IN_RING_SIZE / XENFB_IN_EVENT_SIZE)
#define XENFB_IN_RING_OFFS  1024 /* from the start of the page */
#define XENFB_OUT_RING_SIZE 2048
#define XENFB_OUT_RING_LEN  (XENFB_OUT_RING_SIZE / XENFB_OUT_EVENT_SIZE)
#define XENFB_OUT_RING_OFFS (XENFB_IN_RING_OFFS + XENFB_IN_RING_SIZE)

#define XENFB_IN_RING(page)	      ((union xenfb_in_event *)((char *)(page) + XENFB_IN_RING_OFFS))
#define XENFB_IN_RING_REF(page, idx)  (XENFB_IN_RING((page))[(idx) % XENFB_IN_RING_LEN])
#define XENFB_OUT_RING(page)	      ((union xenfb_out_event *)((char *)(page) + XENFB_OUT_RING_OFFS))
#define XENFB_OUT_RING_REF(page, idx) (XENFB_OUT_RING((page))[(idx) % XENFB_OUT_RING_LEN])

#ifndef __ASSEMBLY__
#include <stdint.h>

/* This rectangle has changed. */
struct xenfb_update {
	uint8_t type; /* XENFB_TYPE_UPDATE */
	int32_t x;
	int32_t y;
	int32_t width;
	int32_t height;
};

struct xenfb_resize {
	uint8_t type; /* XENFB_TYPE_RESIZE */
	int32_t width; /* pixels */
	int32_t height;
	int32_t stride; /* bytes of a line */
	int32_t depth; /* bits of a pixel */
	int32_t offset; /* bytes from the start of the buffer */
};

union xenfb_out_event {
	uint8_t type;
	struct xenfb_update update;
	struct xenfb_resize resize;
	char pad[XENFB_OUT_EVENT_SIZE];
};

struct xenfb_refresh_period {
	uint8_t type; /* XENFB_TYPE_REFRESH_PERIOD */
	uint32_t period; /* ms */
};

union xenfb_in_event {
	uint8_t type;
	struct xenfb_refresh_period refresh_period;
	char pad[XENFB_IN_EVENT_SIZE];
};

struct xenfb_page {
	uint32_t in_cons, in_prod;
	uint32_t out_cons, out_prod;
	int32_t width; /* pixels */
	int32_t height;
	uint32_t line_length; /* bytes */
	uint32_t mem_length; /* bytes */
	uint8_t depth; /* bits of a pixel */
	unsigned long pd[256]; /* frames that list the frames of the buffer */
};

#endif /* __ASSEMBLY__ */
#endif
