/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of domains: frames, page tables, dirty pages; and the memory of the machine. */
#include <errno.h>
#include <sys/mman.h>

#include <xen/memory.h>

#include "ctrl_private.h"

#define CHUNK	  32768u /* extents or frames in one call: 256 KiB of numbers */
#define OPS_CHUNK 512u
#define M2P_CHUNK 256u
#define MAP_LIMIT 4096u /* regions of a memory map */

static int64_t memory_op(struct ctrl *ctrl, uint32_t cmd, void *argument, size_t bytes)
{
	return call_with(ctrl, __HYPERVISOR_memory_op, cmd, argument, bytes);
}

/*
 * A call that handles a list of extents, in pieces. The hypervisor says how many it did.
 * @param in, out  the same list; out may be NULL
 */
static int64_t extents(struct ctrl *ctrl, uint32_t cmd, struct xen_memory_reservation *r, size_t count, const uint64_t *in,
		       uint64_t *out)
{
	size_t room = count < CHUNK ? count : CHUNK, done = 0;
	uint64_t *buffer = dev_buffer_get(ctrl->dev, room * sizeof(*buffer));
	int64_t rc = 0;

	if (!buffer)
		return -ENOMEM;
	while (done < count) {
		size_t piece = count - done < room ? count - done : room;

		memcpy(buffer, in + done, piece * sizeof(*buffer));
		set_xen_guest_handle(r->extent_start, buffer);
		r->nr_extents = piece;
		rc = memory_op(ctrl, cmd, r, sizeof(*r));
		if (rc <= 0)
			break;
		if ((size_t)rc > piece)
			rc = (int64_t)piece;
		if (out)
			memcpy(out + done, buffer, (size_t)rc * sizeof(*buffer));
		done += (size_t)rc;
		if ((size_t)rc < piece)
			break;
	}
	dev_buffer_put(ctrl->dev, buffer, room * sizeof(*buffer));
	return rc < 0 && !done ? rc : (int64_t)done;
}

int64_t ctrl_memory_populate(struct ctrl *ctrl, uint32_t domid, uint32_t order, uint32_t flags, size_t count, uint64_t *numbers)
{
	struct xen_memory_reservation r = { .extent_order = order, .mem_flags = flags, .domid = (domid_t)domid };
	int64_t rc = extents(ctrl, XENMEM_populate_physmap, &r, count, numbers, numbers);

	return rc < 0 ? domctl_failed(domid, "cannot be given memory", (int)rc) : rc;
}

int64_t ctrl_memory_decrease(struct ctrl *ctrl, uint32_t domid, uint32_t order, size_t count, const uint64_t *frames)
{
	struct xen_memory_reservation r = { .extent_order = order, .domid = (domid_t)domid };
	int64_t rc = extents(ctrl, XENMEM_decrease_reservation, &r, count, frames, NULL);

	return rc < 0 ? domctl_failed(domid, "cannot have memory taken away", (int)rc) : rc;
}

int ctrl_memory_claim(struct ctrl *ctrl, uint32_t domid, uint64_t pages)
{
	struct xen_memory_reservation r = { .nr_extents = pages, .domid = (domid_t)domid };
	int rc = (int)memory_op(ctrl, XENMEM_claim_pages, &r, sizeof(r));

	return rc < 0 ? domctl_failed(domid, "cannot have memory set aside", rc) : 0;
}

static int64_t of_domain(struct ctrl *ctrl, uint32_t cmd, uint32_t domid)
{
	struct xen_memory_domain argument = { .domid = (domid_t)domid };
	int64_t rc = memory_op(ctrl, cmd, &argument, sizeof(argument));

	return rc < 0 ? domctl_failed(domid, "does not tell the size of its memory", (int)rc) : rc;
}

int64_t ctrl_memory_current(struct ctrl *ctrl, uint32_t domid)
{
	return of_domain(ctrl, XENMEM_current_reservation, domid);
}

int64_t ctrl_memory_maximum(struct ctrl *ctrl, uint32_t domid)
{
	return of_domain(ctrl, XENMEM_maximum_reservation, domid);
}

int64_t ctrl_memory_highest(struct ctrl *ctrl, uint32_t domid)
{
	return of_domain(ctrl, XENMEM_maximum_gpfn, domid);
}

static int64_t of_machine(struct ctrl *ctrl, uint32_t cmd)
{
	int64_t rc = dev_hypercall(ctrl->dev, __HYPERVISOR_memory_op, cmd, 0, 0, 0, 0);

	return rc < 0 ? reason_set((int)-rc, "the machine's memory cannot be looked at: %s", ctrl_explain((int)-rc)) : rc;
}

int64_t ctrl_machine_highest_frame(struct ctrl *ctrl)
{
	return of_machine(ctrl, XENMEM_maximum_ram_page);
}

int64_t ctrl_machine_sharing_freed(struct ctrl *ctrl)
{
	return of_machine(ctrl, XENMEM_get_sharing_freed_pages);
}

int64_t ctrl_machine_sharing_used(struct ctrl *ctrl)
{
	return of_machine(ctrl, XENMEM_get_sharing_shared_pages);
}

/* ---- Memory maps ---- */
struct __attribute__((packed)) e820_entry {
	uint64_t start, size;
	uint32_t type;
};

int ctrl_domain_set_memory_map(struct ctrl *ctrl, uint32_t domid, const struct ctrl_memory_region *regions, uint32_t count)
{
	struct xen_foreign_memory_map argument = { .domid = (domid_t)domid, .map.nr_entries = count };
	struct e820_entry *buffer;
	int rc;

	if (count > MAP_LIMIT)
		return reason_set(E2BIG, "a memory map of %u regions", count);
	buffer = dev_buffer_get(ctrl->dev, count * sizeof(*buffer));
	if (!buffer)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		buffer[i] = (struct e820_entry){ regions[i].start, regions[i].size, regions[i].type };
	set_xen_guest_handle(argument.map.buffer, buffer);
	rc = (int)memory_op(ctrl, XENMEM_set_memory_map, &argument, sizeof(argument));
	dev_buffer_put(ctrl->dev, buffer, count * sizeof(*buffer));
	return rc < 0 ? domctl_failed(domid, "cannot be given its memory map", rc) : 0;
}

int ctrl_machine_memory_map(struct ctrl *ctrl, struct ctrl_memory_region *out, uint32_t room)
{
	struct xen_memory_map argument = { .nr_entries = room < MAP_LIMIT ? room : MAP_LIMIT };
	size_t bytes = argument.nr_entries * sizeof(struct e820_entry);
	struct e820_entry *buffer = dev_buffer_get(ctrl->dev, bytes);
	uint32_t got;
	int rc;

	if (!buffer)
		return -ENOMEM;
	set_xen_guest_handle(argument.buffer, buffer);
	rc = (int)memory_op(ctrl, XENMEM_machine_memory_map, &argument, sizeof(argument));
	got = argument.nr_entries < room ? argument.nr_entries : room;
	if (rc < 0)
		rc = reason_set(-rc, "the machine's memory map cannot be read: %s", ctrl_explain(-rc));
	else
		rc = (int)got;
	for (uint32_t i = 0; rc > 0 && i < got; i++)
		out[i] = (struct ctrl_memory_region){ buffer[i].start, buffer[i].size, buffer[i].type };
	dev_buffer_put(ctrl->dev, buffer, bytes);
	return rc;
}

int ctrl_memory_add_to_physmap(struct ctrl *ctrl, uint32_t domid, uint32_t space, uint64_t index, uint64_t number)
{
	struct xen_add_to_physmap argument = { .domid = (domid_t)domid, .space = space, .idx = index, .gpfn = number };
	int rc = (int)memory_op(ctrl, XENMEM_add_to_physmap, &argument, sizeof(argument));

	return rc < 0 ? domctl_failed(domid, "cannot have the frame at this number", rc) : 0;
}

/* ---- Page tables ---- */
int ctrl_memory_frame_types(struct ctrl *ctrl, uint32_t domid, size_t count, uint64_t *frames)
{
	struct xen_domctl op = { .u.getpageframeinfo3.num = count };
	void *buffer = dev_buffer_get(ctrl->dev, count * sizeof(*frames));
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, frames, count * sizeof(*frames));
	set_xen_guest_handle(op.u.getpageframeinfo3.array, buffer);
	rc = domctl(ctrl, &op, XEN_DOMCTL_getpageframeinfo3, domid, "does not tell the types of its frames");
	if (rc == 0)
		memcpy(frames, buffer, count * sizeof(*frames));
	dev_buffer_put(ctrl->dev, buffer, count * sizeof(*frames));
	return rc;
}

/* A list of requests for mmuext_op or mmu_update; the place after it receives how many were done. */
static int64_t requests(struct ctrl *ctrl, uint32_t number, void *list, size_t count, uint32_t domid)
{
	return dev_hypercall(ctrl->dev, number, (uintptr_t)list, count, 0, domid, 0);
}

/* The same operation on each frame of a list. */
static int64_t frames_op(struct ctrl *ctrl, uint32_t domid, unsigned int cmd, size_t count, const uint64_t *frames)
{
	size_t room = count < OPS_CHUNK ? count : OPS_CHUNK, done = 0;
	struct mmuext_op *list = dev_buffer_get(ctrl->dev, room * sizeof(*list));
	int64_t rc = list ? 0 : -ENOMEM;

	while (rc >= 0 && done < count) {
		size_t piece = count - done < room ? count - done : room;

		memset(list, 0, piece * sizeof(*list));
		for (size_t i = 0; i < piece; i++) {
			list[i].cmd = cmd;
			list[i].arg1.mfn = frames[done + i];
		}
		rc = requests(ctrl, __HYPERVISOR_mmuext_op, list, piece, domid);
		done += piece;
	}
	dev_buffer_put(ctrl->dev, list, room * sizeof(*list));
	return rc;
}

int ctrl_memory_pin(struct ctrl *ctrl, uint32_t domid, uint32_t level, size_t count, const uint64_t *frames)
{
	static const unsigned int commands[] = { MMUEXT_UNPIN_TABLE, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
						 MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE };
	int64_t rc;

	if (level > 4)
		return reason_set(EINVAL, "page tables have levels 1 to 4, not %u", level);
	rc = frames_op(ctrl, domid, commands[level], count, frames);
	if (rc < 0)
		return reason_set((int)-rc, "a level-%u page table of domain %u is refused: %s", level, domid, ctrl_explain((int)-rc));
	return 0;
}

int ctrl_memory_clear(struct ctrl *ctrl, uint32_t domid, size_t count, const uint64_t *frames)
{
	int64_t rc = frames_op(ctrl, domid, MMUEXT_CLEAR_PAGE, count, frames);

	return rc < 0 ? domctl_failed(domid, "cannot have its memory cleared", (int)rc) : 0;
}

int ctrl_memory_set_m2p(struct ctrl *ctrl, uint32_t domid, size_t count, const uint64_t *frames, const uint64_t *numbers)
{
	struct mmu_update *list = dev_buffer_get(ctrl->dev, M2P_CHUNK * sizeof(*list));
	size_t done = 0;
	int64_t rc = 0;

	if (!list)
		return -ENOMEM;
	while (rc >= 0 && done < count) {
		size_t piece = count - done < M2P_CHUNK ? count - done : M2P_CHUNK;

		for (size_t i = 0; i < piece; i++) {
			list[i].ptr = frames[done + i] << 12 | MMU_MACHPHYS_UPDATE;
			list[i].val = numbers[done + i];
		}
		rc = requests(ctrl, __HYPERVISOR_mmu_update, list, piece, domid);
		done += piece;
	}
	dev_buffer_put(ctrl->dev, list, M2P_CHUNK * sizeof(*list));
	if (rc < 0)
		return domctl_failed(domid, "cannot be given machine-to-physical entries", (int)rc);
	return 0;
}

/* The table consists of extents of 2 MiB, of which the hypervisor tells the first frames. */
static int64_t m2p_extents(struct ctrl *ctrl, size_t room, uint64_t *out)
{
	struct xen_machphys_mfn_list argument = { .max_extents = (unsigned int)room };
	uint64_t *buffer = dev_buffer_get(ctrl->dev, room * sizeof(*buffer));
	int64_t rc;

	if (!buffer)
		return -ENOMEM;
	set_xen_guest_handle(argument.extent_start, buffer);
	rc = memory_op(ctrl, XENMEM_machphys_mfn_list, &argument, sizeof(argument));
	if (rc >= 0) {
		rc = argument.nr_extents < room ? argument.nr_extents : (int64_t)room;
		memcpy(out, buffer, (size_t)rc * sizeof(*out));
	}
	dev_buffer_put(ctrl->dev, buffer, room * sizeof(*buffer));
	return rc;
}

const uint64_t *ctrl_memory_map_m2p(struct ctrl *ctrl, size_t *entries, size_t *pages)
{
	const size_t per_extent = 512; /* pages */
	int64_t highest = ctrl_machine_highest_frame(ctrl), got;
	size_t room, count;
	uint64_t *starts, *frames = NULL;
	void *map = NULL;

	if (highest < 0)
		return NULL;
	room = ((size_t)highest + 1 + per_extent * 512 - 1) / (per_extent * 512);
	starts = malloc(room * sizeof(*starts));
	got = starts ? m2p_extents(ctrl, room, starts) : -ENOMEM;
	count = got > 0 ? (size_t)got * per_extent : 0;
	if (count)
		frames = malloc(count * sizeof(*frames));
	for (size_t i = 0; frames && i < count; i++)
		frames[i] = starts[i / per_extent] + i % per_extent;
	if (frames)
		map = dev_map(ctrl->dev, DOMID_XEN, PROT_READ, count, frames, NULL);
	else
		reason_set(got < 0 ? (int)-got : ENOMEM, "the machine-to-physical table cannot be found");
	free(starts);
	free(frames);
	*pages = count;
	*entries = count * 512;
	return map;
}

/* ---- Log-dirty mode ---- */
static int logdirty(struct ctrl *ctrl, struct xen_domctl *op, uint32_t domid, const char *what)
{
	return domctl(ctrl, op, XEN_DOMCTL_shadow_op, domid, what);
}

int ctrl_logdirty_enable(struct ctrl *ctrl, uint32_t domid)
{
	struct xen_domctl op = { .u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY };

	return logdirty(ctrl, &op, domid, "cannot have its dirty pages logged");
}

int ctrl_logdirty_disable(struct ctrl *ctrl, uint32_t domid)
{
	struct xen_domctl op = { .u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_OFF };

	return logdirty(ctrl, &op, domid, "cannot leave the logging of dirty pages");
}

int ctrl_logdirty_read(struct ctrl *ctrl, uint32_t domid, void *bitmap, uint64_t pages, bool clear, bool final,
		       struct ctrl_logdirty *out)
{
	struct xen_domctl op = { .u.shadow_op = { .op = clear ? XEN_DOMCTL_SHADOW_OP_CLEAN : XEN_DOMCTL_SHADOW_OP_PEEK,
						  .mode = final ? XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL : 0, .pages = pages } };
	int rc;

	set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, bitmap);
	rc = logdirty(ctrl, &op, domid, "does not tell its dirty pages");
	if (rc == 0 && out)
		*out = (struct ctrl_logdirty){ .pages = op.u.shadow_op.pages, .faults = op.u.shadow_op.stats.fault_count,
					       .dirty = op.u.shadow_op.stats.dirty_count };
	return rc;
}
