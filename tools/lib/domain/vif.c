/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards: the nodes of a virtual interface, and its place on a bridge of this host. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#include "argon/reason.h"
#include "internal.h"

#define BRIDGE_DEFAULT "xenbr0"
#define SCRIPT_DEFAULT "/etc/xen/scripts/vif-bridge"
#define BACKEND_MS 10000u

static const char *vif_bridge(const struct vif_config *vif)
{
	return vif->bridge != NULL ? vif->bridge : BRIDGE_DEFAULT;
}

/* The usual script does what we do ourselves: only others are run. */
static const char *vif_script(const struct vif_config *vif)
{
	if (vif->script == NULL || strcmp(vif->script, SCRIPT_DEFAULT) == 0 || strcmp(vif->script, "vif-bridge") == 0)
		return NULL;
	return vif->script;
}

int vif_device(struct host *host, uint32_t domid, const struct vif_config *vif, unsigned int devid, struct device *d)
{
	*d = (struct device){ .kind = "vif", .backend_kind = "vif", .domid = domid, .devid = devid };
	return backend_domid(host, vif->backend, &d->backend_domid);
}

int vif_check(struct host *host, const struct vif_config *vif)
{
	struct net *net;
	uint32_t backend;
	int err = backend_domid(host, vif->backend, &backend);

	if (err != 0 || backend != 0 || vif_script(vif) != NULL)
		return err != 0 ? reason_prefix(err, "vif: ") : 0;
	err = host_net(host, &net);
	if (err == 0)
		err = net_bridge_check(net, vif_bridge(vif), NULL);
	return err != 0 ? reason_prefix(err, "vif: ") : 0;
}

static void backend_nodes(struct nodes *n, const char *dir, const struct device *d, const struct vif_config *vif, const char *mac)
{
	const char *script = vif_script(vif);

	/* The kernel's back end insists on a script's name. */
	nodes_addf(n, ~0u, 0, dir, "script", "%s%s", script != NULL && strchr(script, '/') == NULL ? "/etc/xen/scripts/" : "",
		   script != NULL ? script : SCRIPT_DEFAULT);
	nodes_addf(n, ~0u, 0, dir, "mac", "%s", mac);
	nodes_addf(n, ~0u, 0, dir, "bridge", "%s", vif_bridge(vif));
	nodes_addf(n, ~0u, 0, dir, "handle", "%u", d->devid);
	nodes_addf(n, ~0u, 0, dir, "type", "vif");
	if (vif->ip != NULL)
		nodes_addf(n, ~0u, 0, dir, "ip", "%s", vif->ip);
	if (vif->gatewaydev != NULL)
		nodes_addf(n, ~0u, 0, dir, "gatewaydev", "%s", vif->gatewaydev);
	if (vif->vifname != NULL)
		nodes_addf(n, ~0u, 0, dir, "vifname", "%s", vif->vifname);
	if (vif->rate_bytes != 0)
		nodes_addf(n, ~0u, 0, dir, "rate", "%lu,%u", vif->rate_bytes, vif->rate_interval_us);
	if (vif->mtu != 0)
		nodes_addf(n, ~0u, 0, dir, "mtu", "%u", vif->mtu);
}

void vif_nodes(struct nodes *n, const struct device *d, const struct vif_config *vif)
{
	char front[PATH_ROOM], back[PATH_ROOM], own[PATH_ROOM], mac[18];

	device_nodes(n, d);
	device_frontend(d, front);
	device_backend(d, back);
	device_libxl(d, own);
	mac_format(vif->mac, mac);
	nodes_addf(n, ~0u, 0, front, "handle", "%u", d->devid);
	nodes_addf(n, ~0u, 0, front, "mac", "%s", mac);
	nodes_addf(n, 0, d->domid, front, "mtu", "%u", vif->mtu != 0 ? vif->mtu : 1500);
	nodes_addf(n, ~0u, 0, front, "trusted", "%d", !vif->untrusted);
	backend_nodes(n, back, d, vif, mac);
	backend_nodes(n, own, d, vif, mac);
}

static int port_connect(struct host *host, const struct device *d, const struct vif_config *vif, const char *interface)
{
	struct net_port port = { .name = interface, .rename = vif->vifname, .bridge = vif_bridge(vif), .mtu = vif->mtu };
	struct nodes n = { 0 };
	char back[PATH_ROOM];
	struct store *store;
	struct net *net;
	int err = host_net(host, &net);

	if (err == 0)
		err = host_store(host, &store);
	if (err == 0)
		err = net_interface_wait(net, interface, BACKEND_MS);
	if (err == 0)
		err = net_port_setup(net, &port);
	if (err != 0)
		return err;
	device_backend(d, back);
	nodes_addf(&n, ~0u, 0, back, "hotplug-status", "connected");
	err = nodes_write(&n, store, STORE_NO_TX);
	nodes_free(&n);
	return err;
}

int vif_connect(struct host *host, const struct device *d, const struct vif_config *vif)
{
	char interface[32];
	int err;

	snprintf(interface, sizeof(interface), "vif%u.%u", d->domid, d->devid);
	if (d->backend_domid != 0) {
		err = device_backend_wait(host, d, 1u << XenbusStateInitWait | 1u << XenbusStateConnected, BACKEND_MS);
	} else if (vif_script(vif) != NULL) {
		err = device_backend_wait(host, d, 1u << XenbusStateInitWait, BACKEND_MS);
		if (err == 0)
			err = device_script(host, d, vif_script(vif), "online", interface);
	} else {
		err = port_connect(host, d, vif, interface);
	}
	return err != 0 ? reason_prefix(err, "vif %u: ", d->devid) : 0;
}

void vif_disconnect(struct host *host, const struct device *d, const struct vif_config *vif)
{
	char interface[32];

	snprintf(interface, sizeof(interface), "vif%u.%u", d->domid, d->devid);
	if (d->backend_domid == 0 && vif_script(vif) != NULL &&
	    device_script(host, d, vif_script(vif), "offline", vif->vifname != NULL ? vif->vifname : interface) != 0)
		host_warn(host, "vif %u: %s", d->devid, reason_get());
}
