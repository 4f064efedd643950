/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants to oneself: map, read-only map, copy, and what is refused. */
#include <guest/guest.h>

static struct trap_record rec;

static void do_write(void *arg)
{
	WRITE_ONCE(*(u64 *)arg, 1);
}

static void test_table(void)
{
	struct gnttab_query_size query = { .dom = DOMID_SELF };
	struct gnttab_get_version version = { .dom = DOMID_SELF };

	test_begin("table");
	expect_eq(grant_init(), 0);
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_query_size, &query, 1), 0);
	expect_eq(query.status, GNTST_okay);
	expect(query.nr_frames >= 1 && query.max_nr_frames >= query.nr_frames);
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_get_version, &version, 1), 0);
	expect_eq(version.version, 1);
	expect_eq(HYPERVISOR_grant_table_op(99, &query, 1), -XEN_ENOSYS);
}

static void test_map(void)
{
	volatile u64 *mine = page_alloc(), *window = page_alloc();
	int ref = grant_give(0, va_mfn((void *)mine), false);
	grant_handle_t handle, second;

	test_begin("map");
	if (!require(ref))
		return;
	*mine = 0x1234;
	expect_eq(grant_map(0, (grant_ref_t)ref, (void *)window, false, &handle), GNTST_okay);
	expect_eq(*window, 0x1234);
	*window = 0x5678;
	expect_eq(*mine, 0x5678);
	expect_eq(grant_table[ref].flags & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
	expect(!grant_take_back((grant_ref_t)ref));
	expect_eq(grant_unmap((void *)window, handle), 0);
	expect_eq(grant_table[ref].flags & (GTF_reading | GTF_writing), 0);
	/* Twice at the same time, at two places. */
	expect_eq(grant_map(0, (grant_ref_t)ref, (void *)window, true, &handle), GNTST_okay);
	expect_eq(grant_map(0, (grant_ref_t)ref, (void *)mine, false, &second), GNTST_okay);
	expect_eq(grant_unmap((void *)window, handle), 0);
	expect_eq(grant_table[ref].flags & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
	expect_eq(grant_unmap((void *)mine, second), 0);
	expect(grant_take_back((grant_ref_t)ref));
	expect(grant_map(0, (grant_ref_t)ref, (void *)window, false, &handle) < 0);
	page_free((void *)mine);
	page_free((void *)window);
}

static void test_readonly(void)
{
	u64 *mine = page_alloc(), *window = page_alloc();
	int ref = grant_give(0, va_mfn(mine), true);
	grant_handle_t handle;

	test_begin("read-only");
	if (!require(ref))
		return;
	expect(grant_map(0, (grant_ref_t)ref, window, false, &handle) < 0);
	expect_eq(grant_map(0, (grant_ref_t)ref, window, true, &handle), GNTST_okay);
	if (expect(trap_catch(&rec, do_write, window)))
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
	expect_eq(grant_table[ref].flags & (GTF_reading | GTF_writing), GTF_reading);
	expect_eq(grant_unmap(window, handle), 0);
	expect(grant_take_back((grant_ref_t)ref));
	page_free(mine);
	page_free(window);
}

static void test_copy(void)
{
	u64 *from = page_alloc(), *to = page_alloc();
	int ref = grant_give(0, va_mfn(from), true);
	struct gnttab_copy op = {
		.source = { .u.ref = (grant_ref_t)ref, .domid = 0, .offset = 16 },
		.dest = { .u.gmfn = va_mfn(to), .domid = DOMID_SELF, .offset = 64 },
		.len = 1000,
		.flags = GNTCOPY_source_gref,
	};

	test_begin("copy");
	if (!require(ref))
		return;
	memset(from, 0xa5, PAGE_SIZE);
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1), 0);
	expect_eq(op.status, GNTST_okay);
	expect_eq(to[7] | to[(64 + 1000) / 8], 0);
	expect_eq(memcmp((u8 *)from + 16, (u8 *)to + 64, 1000), 0);
	op.dest.offset = 4000;
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1), 0);
	expect_eq(op.status, GNTST_bad_copy_arg);
	op.dest.offset = 0;
	op.source.u.ref = 0xfffff;
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1), 0);
	expect_eq(op.status, GNTST_bad_gntref);
	/* Writing into a read-only grant. */
	op.source = (struct gnttab_copy_ptr){ .u.gmfn = va_mfn(to), .domid = DOMID_SELF };
	op.dest = (struct gnttab_copy_ptr){ .u.ref = (grant_ref_t)ref, .domid = 0 };
	op.flags = GNTCOPY_dest_gref;
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1), 0);
	expect(op.status < 0);
	expect(grant_take_back((grant_ref_t)ref));
	page_free(from);
	page_free(to);
}

static void test_refused(void)
{
	u64 *page = page_alloc();
	int ref = grant_give(5, va_mfn(page), false);
	grant_handle_t handle;
	struct gnttab_unmap_grant_ref unmap = { .host_addr = (u64)page, .handle = 0xfffff0 };

	test_begin("refused");
	if (!require(ref))
		return;
	/* Granted to another domain; no such reference, domain, or address. */
	expect(grant_map(0, (grant_ref_t)ref, page, false, &handle) < 0);
	expect_eq(grant_map(0, 0xfffff, page, false, &handle), GNTST_bad_gntref);
	expect_eq(grant_map(0x7e00, (grant_ref_t)ref, page, false, &handle), GNTST_bad_domain);
	grant_table[ref].domid = 0;
	expect(grant_map(0, (grant_ref_t)ref, (void *)0x123456000UL, false, &handle) < 0);
	expect(grant_map(0, (grant_ref_t)ref, (void *)HYPERVISOR_VIRT_START, false, &handle) < 0);
	expect_eq(grant_table[ref].flags & (GTF_reading | GTF_writing), 0);
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	expect_eq(unmap.status, GNTST_bad_handle);
	/* A frame that is a page table cannot be granted for writing. */
	grant_table[ref].frame = (u32)va_mfn(kernel_root());
	expect(grant_map(0, (grant_ref_t)ref, page, false, &handle) < 0);
	expect_eq(*page, 0);
	page_free(page);
}

void guest_main(void)
{
	test_table();
	test_map();
	test_readonly();
	test_copy();
	test_refused();
}
