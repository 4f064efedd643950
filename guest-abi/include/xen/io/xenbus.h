/* SPDX-License-Identifier: BSD-2-Clause */
/* States of the two ends of a split driver, each in the node "state" of its end. */
#ifndef XEN_PUBLIC_IO_XENBUS_H
#define XEN_PUBLIC_IO_XENBUS_H

#ifndef __ASSEMBLY__

enum xenbus_state {
	XenbusStateUnknown = 0, /* there is no node */
	XenbusStateInitialising = 1,
	XenbusStateInitWait = 2, /* back end: has told its features, waits for the front end's parameters */
	XenbusStateInitialised = 3, /* has told its parameters, waits for the other end */
	XenbusStateConnected = 4,
	XenbusStateClosing = 5, /* asks the other end to let go */
	XenbusStateClosed = 6,
	XenbusStateReconfiguring = 7,
	XenbusStateReconfigured = 8
};
typedef enum xenbus_state XenbusState;

#endif /* __ASSEMBLY__ */
#endif
