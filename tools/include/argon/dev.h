/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libargondev: what dom0's kernel offers to reach the hypervisor and other domains. Hypercalls and their buffers, other
 * domains' frames in our address space, event channels, grants.
 *
 * Functions that return int give 0 (or the number named) or a negative errno, with the reason in argon/reason.h; functions that
 * return a pointer give NULL and set errno too. A struct dev may be used by several threads at once; the other handles by one
 * thread at a time. A struct dev may also be used by a child of fork, which then has no mappings that its parent made; the other
 * handles may be used by one of the two. All files are opened close-on-exec. Domain numbers are those of <xen/xen.h>, DOMID_SELF included.
 */
#ifndef ARGON_DEV_H
#define ARGON_DEV_H

#include <stddef.h>
#include <stdint.h>

#define DEV_PAGE_SIZE 4096u

/* ---- Hypercalls and memory: /dev/xen/privcmd ---------------------------------------------------------------------- */
struct dev;

/** Open /dev/xen/privcmd. Needs root in dom0. */
int dev_open(struct dev **out) __attribute__((warn_unused_result));

/** NULL is allowed. Mappings and buffers that were not given back are gone after this or stay until exit: give them back. */
void dev_close(struct dev *dev);

/** Carry out a hypercall by number. @return its result as the hypervisor gave it, or -errno of the kernel; sets no reason */
int64_t dev_hypercall(struct dev *dev, uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);

/**
 * Memory whose address may be given to the hypervisor: zeroed, page aligned, always present. Single pages are cached, so
 * that a hypercall costs one system call.
 */
void *dev_buffer_get(struct dev *dev, size_t bytes);

/** Give a buffer back; bytes as in dev_buffer_get. NULL is allowed. */
void dev_buffer_put(struct dev *dev, void *buffer, size_t bytes);

/**
 * Map frames of a domain, one after another. For a PV guest they are machine frames, for DOMID_SELF's peers as well.
 * @param prot    PROT_READ, or PROT_READ | PROT_WRITE
 * @param errors  NULL: every frame must be mapped or the call fails. Else receives 0 or a negative errno for each frame, and
 *                pages that could not be mapped must not be touched.
 */
void *dev_map(struct dev *dev, uint32_t domid, int prot, size_t pages, const uint64_t *frames, int *errors);

/** Undo dev_map or dev_map_resource. NULL is allowed. @param pages as given there */
void dev_unmap(struct dev *dev, void *address, size_t pages);

/**
 * Map frames that belong to a domain without being part of its memory (XENMEM_acquire_resource).
 * @param type, id, first  XENMEM_resource_*, and the first frame of that resource
 */
void *dev_map_resource(struct dev *dev, uint32_t domid, uint32_t type, uint32_t id, uint64_t first, size_t pages, int prot);

struct dev_dm_buffer {
	void *address; /* ordinary memory */
	size_t bytes;
};

/** A device-model operation on a HVM domain: struct xen_dm_op in the first buffer (<xen/hvm/dm_op.h>). */
int dev_dm_op(struct dev *dev, uint32_t domid, unsigned int count, const struct dev_dm_buffer *buffers);

/** From now on this handle (not the process) can reach one domain only. -EOPNOTSUPP with kernels that cannot. */
int dev_restrict(struct dev *dev, uint32_t domid);

/** What a struct dev is made of. Tests put a simulated machine behind it. */
struct dev_ops {
	int64_t (*hypercall)(void *context, uint32_t number, const uint64_t arguments[5]);
	/* These return an address or NULL with errno; errors is never NULL and is filled in when the call succeeds. */
	void *(*map)(void *context, uint32_t domid, int prot, size_t pages, const uint64_t *frames, int *errors);
	void *(*map_resource)(void *context, uint32_t domid, uint32_t type, uint32_t id, uint64_t first, size_t pages, int prot);
	void (*unmap)(void *context, void *address, size_t pages);
	int (*dm_op)(void *context, uint32_t domid, unsigned int count, const struct dev_dm_buffer *buffers);
	int (*restrict_to)(void *context, uint32_t domid);
	void *(*buffer_get)(void *context, size_t pages); /* zeroed */
	void (*buffer_put)(void *context, void *buffer, size_t pages);
	void (*close)(void *context);
};

/** A struct dev over other operations than the kernel's; context is passed to each. */
int dev_open_ops(const struct dev_ops *ops, void *context, struct dev **out) __attribute__((warn_unused_result));

/* ---- Event channels: /dev/xen/evtchn ------------------------------------------------------------------------------- */
struct evtchn;

int evtchn_open(struct evtchn **out) __attribute__((warn_unused_result));
/** Closes all ports of this handle. NULL is allowed. */
void evtchn_close(struct evtchn *events);

/** For poll: readable while a port is pending. The descriptor does not block. */
int evtchn_fd(const struct evtchn *events);

/* These return the local port (positive) or a negative errno. */
int evtchn_bind_interdomain(struct evtchn *events, uint32_t domid, uint32_t remote_port);
int evtchn_bind_unbound(struct evtchn *events, uint32_t domid);
int evtchn_bind_virq(struct evtchn *events, uint32_t virq);

int evtchn_unbind(struct evtchn *events, uint32_t port);
int evtchn_notify(struct evtchn *events, uint32_t port);

/**
 * Take pending ports, which stay masked until evtchn_unmask.
 * @return how many were stored in ports, 0 when none is pending
 */
int evtchn_pending(struct evtchn *events, uint32_t *ports, unsigned int room);

/** Let ports notify again. */
int evtchn_unmask(struct evtchn *events, const uint32_t *ports, unsigned int count);

/* ---- Grants of others: /dev/xen/gntdev ------------------------------------------------------------------------------ */
struct gntdev;

int gntdev_open(struct gntdev **out) __attribute__((warn_unused_result));
/** Mappings must have been given back. NULL is allowed. */
void gntdev_close(struct gntdev *grants);

/**
 * Map grants, one after another; all or none.
 * @param prot  PROT_READ, or PROT_READ | PROT_WRITE
 */
void *gntdev_map(struct gntdev *grants, size_t count, const uint32_t *domids, const uint32_t *references, int prot);

/** The same with all of them of one domain. */
void *gntdev_map_domain(struct gntdev *grants, uint32_t domid, size_t count, const uint32_t *references, int prot);

/**
 * What happens when the mapping goes away, also because this process dies.
 * @param address  in the first page of a mapping of gntdev_map; the byte there is cleared if clear is set
 * @param port     local port to notify, or 0 for none
 */
int gntdev_notify_on_unmap(struct gntdev *grants, void *address, int clear, uint32_t port);

/** Undo a whole gntdev_map. NULL is allowed. @return 0, or a negative errno (the pages are unmapped all the same) */
int gntdev_unmap(struct gntdev *grants, void *address, size_t count);

/* One piece of a copy between a grant and our memory; it may not cross the end of the granted page. */
struct gntdev_copy_segment {
	void *local;
	uint32_t domid;
	uint32_t reference;
	uint16_t offset; /* in the granted page */
	uint16_t bytes;
	int16_t to_grant; /* direction: 1 writes to the granted page */
	int16_t status; /* OUT: 0 or a negative GNTST_* */
};

/** Copy. @return 0 when each segment's status is filled in, else a negative errno */
int gntdev_copy(struct gntdev *grants, size_t count, struct gntdev_copy_segment *segments);

/* ---- Grants of ours: /dev/xen/gntalloc ------------------------------------------------------------------------------ */
struct gntalloc;

int gntalloc_open(struct gntalloc **out) __attribute__((warn_unused_result));
/** Pages that were not freed are freed when the other domain no longer uses them. NULL is allowed. */
void gntalloc_close(struct gntalloc *grants);

/**
 * New pages that a domain may map.
 * @param references  receives one grant reference for each page
 */
void *gntalloc_pages(struct gntalloc *grants, uint32_t domid, size_t count, int writable, uint32_t *references);

/** As gntdev_notify_on_unmap, with an address in pages of gntalloc_pages. */
int gntalloc_notify_on_unmap(struct gntalloc *grants, void *address, int clear, uint32_t port);

/** Undo a whole gntalloc_pages. NULL is allowed. */
void gntalloc_free(struct gntalloc *grants, void *address, size_t count);

#endif
