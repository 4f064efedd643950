/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/grant.h>
#include <guest/hypercall.h>
#include <guest/mm.h>

/* One frame of version 1 entries is plenty. */
#define ENTRIES (PAGE_SIZE / sizeof(struct grant_entry_v1))

static u8 table_page[PAGE_SIZE] PAGE_ALIGNED;
volatile struct grant_entry_v1 *grant_table = (volatile struct grant_entry_v1 *)table_page;

int grant_init(void)
{
	xen_pfn_t frame = 0;
	struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = 1 };
	long ret;

	set_xen_guest_handle(op.frame_list, &frame);
	ret = HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1);
	if (ret || op.status)
		return ret ? (int)ret : -XEN_EIO;
	return va_map(table_page, mfn_pte(frame, PTE_KERNEL));
}

int grant_give(domid_t dom, u64 mfn, bool readonly)
{
	unsigned int ref;

	for (ref = GNTTAB_NR_RESERVED_ENTRIES; ref < ENTRIES; ref++) {
		if (grant_table[ref].flags)
			continue;
		grant_table[ref].domid = dom;
		grant_table[ref].frame = (u32)mfn;
		__asm__ volatile("" ::: "memory");
		grant_table[ref].flags = (u16)(GTF_permit_access | (readonly ? GTF_readonly : 0));
		return (int)ref;
	}
	return -1;
}

bool grant_take_back(grant_ref_t ref)
{
	u16 flags = grant_table[ref].flags;

	do {
		if (flags & (GTF_reading | GTF_writing))
			return false;
	} while (!__atomic_compare_exchange_n(&grant_table[ref].flags, &flags, (u16)0, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return true;
}

int grant_map(domid_t dom, grant_ref_t ref, void *page, bool readonly, grant_handle_t *handle)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = (u64)page,
		.flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0),
		.ref = ref,
		.dom = dom,
	};
	u64 before = 0;
	long ret;

	/* Grant mappings are not flushed when they are made: there must be no older one. */
	if (pte_find(page)) {
		before = *pte_find(page);
		va_map(page, 0);
	}
	ret = HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);
	if (before && (ret || op.status))
		va_map(page, before);
	*handle = op.handle;
	return ret ? (int)ret : op.status;
}

int grant_unmap(void *page, grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref op = { .host_addr = (u64)page, .handle = handle };
	long ret = HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

	if (ret || op.status)
		return ret ? (int)ret : op.status;
	return va_map(page, mfn_pte(va_mfn(page), PTE_KERNEL));
}
