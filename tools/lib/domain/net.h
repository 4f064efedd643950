/* SPDX-License-Identifier: BSD-2-Clause */
/* Network interfaces of this host, over netlink. */
#ifndef DOMAIN_NET_H
#define DOMAIN_NET_H

#include <stdint.h>

struct net;

int net_open(struct net **out);
void net_close(struct net *net);

/** Whether the bridge is there. @return 0, -ENOENT, -ENOTSUP when it is another kind of interface; mtu may be NULL */
int net_bridge_check(struct net *net, const char *bridge, uint32_t *mtu);

/** Waits until an interface exists. @return 0, -ETIMEDOUT */
int net_interface_wait(struct net *net, const char *name, unsigned int milliseconds);

/** @return 1, 0, or a negative errno */
int net_interface_exists(struct net *net, const char *name);

struct net_port {
	const char *name;	/* the interface */
	const char *rename;	/* what it shall be called; NULL: leave it */
	const char *bridge;	/* NULL: none */
	uint32_t mtu;		/* 0: that of the bridge */
};

/** Names an interface, makes it a port of the bridge, sets its MTU, brings it up. */
int net_port_setup(struct net *net, const struct net_port *port);

#endif
