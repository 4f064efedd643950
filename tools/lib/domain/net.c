/* SPDX-License-Identifier: BSD-2-Clause */
/* Bridge ports over netlink (libnl-route): net.h. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <linux/rtnetlink.h>

#include "argon/reason.h"
#include "net.h"

struct net {
	struct nl_sock *ask;
	struct nl_sock *hear;	/* changes of interfaces; opened when first needed */
};

static int net_errno(int nl)
{
	switch (-nl) {
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return ENODEV;
	case NLE_PERM:
		return EPERM;
	case NLE_NOMEM:
		return ENOMEM;
	case NLE_BUSY:
		return EBUSY;
	case NLE_EXIST:
		return EEXIST;
	case NLE_RANGE:
	case NLE_INVAL:
		return EINVAL;
	default:
		return EIO;
	}
}

static int socket_open(struct nl_sock **out)
{
	struct nl_sock *s = nl_socket_alloc();
	int err;

	if (s == NULL)
		return reason_set(ENOMEM, "out of memory");
	err = nl_connect(s, NETLINK_ROUTE);
	if (err < 0) {
		nl_socket_free(s);
		return reason_set(net_errno(err), "cannot open a netlink socket: %s", nl_geterror(err));
	}
	*out = s;
	return 0;
}

int net_open(struct net **out)
{
	struct net *net = calloc(1, sizeof(*net));
	int err;

	if (net == NULL)
		return reason_set(ENOMEM, "out of memory");
	err = socket_open(&net->ask);
	if (err != 0) {
		free(net);
		return err;
	}
	*out = net;
	return 0;
}

void net_close(struct net *net)
{
	if (net == NULL)
		return;
	nl_socket_free(net->ask);
	if (net->hear != NULL)
		nl_socket_free(net->hear);
	free(net);
}

static int link_get(struct net *net, const char *name, struct rtnl_link **out)
{
	int err = rtnl_link_get_kernel(net->ask, 0, name, out);

	if (err < 0)
		return reason_set(net_errno(err), "network interface %s: %s", name, nl_geterror(err));
	return 0;
}

int net_bridge_check(struct net *net, const char *bridge, uint32_t *mtu)
{
	struct rtnl_link *link;
	const char *kind;
	int err;

	if (*bridge == '\0' || strlen(bridge) >= IFNAMSIZ)
		return reason_set(EINVAL, "\"%s\" is no name of a network interface", bridge);
	err = link_get(net, bridge, &link);
	if (err == -ENODEV)
		return reason_set(ENOENT, "bridge %s does not exist; create it with: ip link add %s type bridge && ip link set %s up",
				  bridge, bridge, bridge);
	if (err != 0)
		return err;
	kind = rtnl_link_get_type(link);
	if (mtu != NULL)
		*mtu = rtnl_link_get_mtu(link);
	if (kind == NULL || strcmp(kind, "bridge") != 0)
		err = reason_set(ENOTSUP, "%s is not a bridge but %s; name a bridge, or give a script= that knows it", bridge,
				 kind != NULL ? kind : "an ordinary network interface");
	rtnl_link_put(link);
	return err;
}

int net_interface_exists(struct net *net, const char *name)
{
	struct rtnl_link *link;
	int err = link_get(net, name, &link);

	if (err == -ENODEV)
		return 0;
	if (err != 0)
		return err;
	rtnl_link_put(link);
	return 1;
}

static int hear_open(struct net *net)
{
	int err;

	if (net->hear != NULL)
		return 0;
	err = socket_open(&net->hear);
	if (err == 0) {
		err = nl_socket_add_membership(net->hear, RTNLGRP_LINK);
		if (err < 0)
			err = reason_set(net_errno(err), "cannot hear of new network interfaces: %s", nl_geterror(err));
	}
	if (err == 0)
		(void)nl_socket_set_nonblocking(net->hear);
	return err;
}

/* Throws away what was heard: only that something was matters. */
static void hear_drain(struct net *net)
{
	struct sockaddr_nl from;
	unsigned char *message;

	while (nl_recv(net->hear, &from, &message, NULL) > 0)
		free(message);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int net_interface_wait(struct net *net, const char *name, unsigned int milliseconds)
{
	long end = now_ms() + (long)milliseconds, left;
	int err = hear_open(net);

	while (err == 0) {
		struct pollfd fd;

		err = net_interface_exists(net, name);
		if (err != 0)
			return err > 0 ? 0 : err;
		left = end - now_ms();
		if (left <= 0)
			return reason_set(ETIMEDOUT, "network interface %s did not appear within %u ms; is the module xen-netback "
					  "loaded (modprobe xen-netback)?", name, milliseconds);
		fd = (struct pollfd){ .fd = nl_socket_get_fd(net->hear), .events = POLLIN };
		(void)poll(&fd, 1, (int)left);
		hear_drain(net);
	}
	return err;
}

static int link_change(struct net *net, struct rtnl_link *link, struct rtnl_link *change, const char *name, const char *what)
{
	int err = rtnl_link_change(net->ask, link, change, 0);

	if (err < 0)
		return reason_set(net_errno(err), "cannot %s network interface %s: %s", what, name, nl_geterror(err));
	return 0;
}

/* All in one request, except that an interface is renamed while it is down. */
int net_port_setup(struct net *net, const struct net_port *port)
{
	struct rtnl_link *link, *bridge = NULL, *change;
	uint32_t mtu = port->mtu;
	int err = link_get(net, port->name, &link);

	if (err != 0)
		return err;
	change = rtnl_link_alloc();
	if (change == NULL) {
		err = reason_set(ENOMEM, "out of memory");
		goto put_link;
	}
	if (port->rename != NULL && strcmp(port->rename, port->name) != 0)
		rtnl_link_set_name(change, port->rename);
	if (port->bridge != NULL) {
		err = link_get(net, port->bridge, &bridge);
		if (err != 0)
			goto put_change;
		rtnl_link_set_master(change, rtnl_link_get_ifindex(bridge));
		if (mtu == 0)
			mtu = rtnl_link_get_mtu(bridge);
	}
	if (mtu != 0 && mtu != rtnl_link_get_mtu(link))
		rtnl_link_set_mtu(change, mtu);
	rtnl_link_set_flags(change, IFF_UP);
	err = link_change(net, link, change, port->name, "set up");
	if (bridge != NULL)
		rtnl_link_put(bridge);
put_change:
	rtnl_link_put(change);
put_link:
	rtnl_link_put(link);
	return err;
}
