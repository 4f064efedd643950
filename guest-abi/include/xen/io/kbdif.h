/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keyboards, pointers and touch screens: one page with two event rings, of which only the one to the front end is in
 * use. Events begin with a type. Indices run freely; an entry is at index modulo the ring's length.
 */
#ifndef XEN_PUBLIC_IO_KBDIF_H
#define XEN_PUBLIC_IO_KBDIF_H

#define XENKBD_DRIVER_NAME "vkbd"

/* Nodes of the back end: what it has. */
#define XENKBD_FIELD_FEAT_DSBL_KEYBRD  "feature-disable-keyboard"
#define XENKBD_FIELD_FEAT_DSBL_POINTER "feature-disable-pointer"
#define XENKBD_FIELD_FEAT_ABS_POINTER  "feature-abs-pointer"
#define XENKBD_FIELD_FEAT_RAW_POINTER  "feature-raw-pointer" /* not scaled to the screen */
#define XENKBD_FIELD_FEAT_MTOUCH       "feature-multi-touch"
#define XENKBD_FIELD_UNIQUE_ID	       "unique-id"
#define XENKBD_FIELD_WIDTH	       "width" /* of absolute coordinates */
#define XENKBD_FIELD_HEIGHT	       "height"
#define XENKBD_FIELD_MT_WIDTH	       "multi-touch-width"
#define XENKBD_FIELD_MT_HEIGHT	       "multi-touch-height"
#define XENKBD_FIELD_MT_NUM_CONTACTS   "multi-touch-num-contacts"
/* Nodes of the front end: what it wants, and where it is. */
#define XENKBD_FIELD_REQ_ABS_POINTER "request-abs-pointer"
#define XENKBD_FIELD_REQ_RAW_POINTER "request-raw-pointer"
#define XENKBD_FIELD_REQ_MTOUCH	     "request-multi-touch"
#define XENKBD_FIELD_RING_GREF	     "page-gref"
#define XENKBD_FIELD_RING_REF	     "page-ref" /* the frame, out of use */
#define XENKBD_FIELD_EVT_CHANNEL     "event-channel"

#define XENKBD_TYPE_MOTION   1
#define XENKBD_TYPE_RESERVED 2
#define XENKBD_TYPE_KEY	     3
#define XENKBD_TYPE_POS	     4
#define XENKBD_TYPE_MTOUCH   5

/* xenkbd_mtouch.event_type */
#define XENKBD_MT_EV_DOWN   0 /* u.pos */
#define XENKBD_MT_EV_UP	    1
#define XENKBD_MT_EV_MOTION 2 /* u.pos */
#define XENKBD_MT_EV_SYN    3 /* ends a group of events that belong together */
#define XENKBD_MT_EV_SHAPE  4 /* u.shape */
#define XENKBD_MT_EV_ORIENT 5 /* u.orientation */

#define XENKBD_IN_EVENT_SIZE  40
#define XENKBD_OUT_EVENT_SIZE 40

#define XENKBD_IN_RING_SIZE  2048
#define XENKBD_IN_RING_LEN   (XENKBD_IN_RING_SIZE / XENKBD_IN_EVENT_SIZE)
#define XENKBD_IN_RING_OFFS  1024 /* from the start of the page */
#define XENKBD_OUT_RING_SIZE 1024
#define XENKBD_OUT_RING_LEN  (XENKBD_OUT_RING_SIZE / XENKBD_OUT_EVENT_SIZE)
#define XENKBD_OUT_RING_OFFS (XENKBD_IN_RING_OFFS + XENKBD_IN_RING_SIZE)

#define XENKBD_IN_RING(page)	       ((union xenkbd_in_event *)((char *)(page) + XENKBD_IN_RING_OFFS))
#define XENKBD_IN_RING_REF(page, idx)  (XENKBD_IN_RING((page))[(idx) % XENKBD_IN_RING_LEN])
#define XENKBD_OUT_RING(page)	       ((union xenkbd_out_event *)((char *)(page) + XENKBD_OUT_RING_OFFS))
#define XENKBD_OUT_RING_REF(page, idx) (XENKBD_OUT_RING((page))[(idx) % XENKBD_OUT_RING_LEN])

#ifndef __ASSEMBLY__
#include <stdint.h>

struct xenkbd_motion {
	uint8_t type; /* XENKBD_TYPE_MOTION */
	int32_t rel_x;
	int32_t rel_y;
	int32_t rel_z; /* wheel */
};

struct xenkbd_key {
	uint8_t type; /* XENKBD_TYPE_KEY */
	uint8_t pressed;
	uint32_t keycode; /* KEY_* or BTN_* of Linux */
};

struct xenkbd_position {
	uint8_t type; /* XENKBD_TYPE_POS */
	int32_t abs_x;
	int32_t abs_y;
	int32_t rel_z; /* wheel */
};

struct xenkbd_mtouch {
	uint8_t type; /* XENKBD_TYPE_MTOUCH */
	uint8_t event_type; /* XENKBD_MT_EV_* */
	uint8_t contact_id;
	uint8_t reserved[5];
	union {
		struct {
			int32_t abs_x; /* pixels */
			int32_t abs_y;
		} pos;
		struct { /* axes of the ellipse that is touched */
			uint32_t major;
			uint32_t minor;
		} shape;
		int16_t orientation; /* degrees, clockwise from the y axis */
	} u;
};

union xenkbd_in_event {
	uint8_t type;
	struct xenkbd_motion motion;
	struct xenkbd_key key;
	struct xenkbd_position pos;
	struct xenkbd_mtouch mtouch;
	char pad[XENKBD_IN_EVENT_SIZE];
};

union xenkbd_out_event {
	uint8_t type;
	char pad[XENKBD_OUT_EVENT_SIZE];
};

struct xenkbd_page {
	uint32_t in_cons, in_prod;
	uint32_t out_cons, out_prod;
};

#endif /* __ASSEMBLY__ */
#endif
