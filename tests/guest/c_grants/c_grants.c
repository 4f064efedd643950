/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0 and the grant table of a domain: its frames, its entries, the same grant after the domain is gone. */
#include <guest/domain.h>
#include <guest/guest.h>
#include <xen/memory.h>

static struct domain d;

/* Grants two pages to dom0: the first words say which. */
static void child(void)
{
	u64 *page = page_alloc(), *other = page_alloc();

	*page = 0x60;
	*other = 0x61;
	if (grant_init() || grant_give(0, va_mfn(page), false) != GNTTAB_NR_RESERVED_ENTRIES ||
	    grant_give(0, va_mfn(other), true) != GNTTAB_NR_RESERVED_ENTRIES + 1)
		guest_shutdown(SHUTDOWN_crash);
	guest_shutdown(SHUTDOWN_suspend);
}

static void test_frames(void)
{
	static xen_pfn_t frames[16];
	struct gnttab_setup_table setup = { .dom = d.id, .nr_frames = 1 };
	struct gnttab_query_size size = { .dom = d.id };
	struct xen_mem_acquire_resource res = { .domid = d.id, .type = XENMEM_resource_grant_table, .nr_frames = 1 };
	u64 *window = page_alloc();
	const struct grant_entry_v1 *table = (const void *)window;

	test_begin("its table");
	set_xen_guest_handle(setup.frame_list, frames);
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
	expect_eq(size.status, GNTST_okay);
	expect_eq(size.max_nr_frames, 8);
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
	expect_eq(setup.status, GNTST_okay);
	if (expect_eq(window_open(window, d.id, frames[0], PTE_READONLY), 0)) {
		expect_eq(table[GNTTAB_NR_RESERVED_ENTRIES].flags, GTF_permit_access);
		expect_eq(table[GNTTAB_NR_RESERVED_ENTRIES].domid, 0);
	}
	window_close(window);
	/* More than it may have. */
	setup.nr_frames = 9;
	expect(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) < 0 || setup.status < 0);
	setup.nr_frames = 0xffffffff;
	expect(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) < 0 || setup.status < 0);
	set_xen_guest_handle(res.frame_list, frames + 8);
	expect_eq(HYPERVISOR_memory_op(XENMEM_acquire_resource, &res), 0);
	expect_eq(frames[8], frames[0]);
	res.frame = 8;
	expect(HYPERVISOR_memory_op(XENMEM_acquire_resource, &res) < 0);
	res.frame = ~0UL;
	expect(HYPERVISOR_memory_op(XENMEM_acquire_resource, &res) < 0);
	res.frame = 0;
	res.id = 7;
	expect(HYPERVISOR_memory_op(XENMEM_acquire_resource, &res) < 0);
	res.id = 0;
	res.pad = 1;
	expect(HYPERVISOR_memory_op(XENMEM_acquire_resource, &res) < 0);
	page_free(window);
}

static void test_grants(void)
{
	u64 *window = page_alloc(), *other = page_alloc();
	grant_handle_t handle, second;

	test_begin("its grants");
	if (!expect_eq(grant_map(d.id, GNTTAB_NR_RESERVED_ENTRIES, window, false, &handle), GNTST_okay) ||
	    !expect_eq(grant_map(d.id, GNTTAB_NR_RESERVED_ENTRIES + 1, other, true, &second), GNTST_okay))
		return;
	expect_eq(*window, 0x60);
	expect_eq(*other, 0x61);
	/* A grant is not an address for the domain's owner to map otherwise, as long as it stays what it is. */
	expect_eq(domain_destroy(&d), 0);
	expect_eq(*window, 0x60);
	WRITE_ONCE(*window, 1);
	expect_eq(grant_unmap(window, handle), 0);
	expect_eq(*other, 0x61);
	expect_eq(grant_unmap(other, second), 0);
	expect(yield_until(!domain_exists(d.id), 5 * S));
	expect(grant_map(d.id, GNTTAB_NR_RESERVED_ENTRIES, window, true, &handle) < 0);
}

void guest_main(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN))
		child();
	test_begin("set up");
	if (!expect_eq(child_start(&d, &(struct domain_config){ 0 }, ""), 0) || !expect_eq(child_wait(&d, 5 * S), SHUTDOWN_suspend))
		return;
	test_frames();
	test_grants();
}
