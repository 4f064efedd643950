/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants used wrongly: revoked in use, unmapped twice or at another place, mappings that the guest itself overwrites. */
#include <guest/guest.h>

#define NONE 0xfffff0

static u64 *mine, *window, *other;
static grant_ref_t ref;

static int unmap_at(void *va, grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref op = { .host_addr = (u64)va, .handle = handle };
	long ret = HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

	return ret ? (int)ret : op.status;
}

static u16 in_use(void)
{
	return grant_table[ref].flags & (GTF_reading | GTF_writing);
}

static void test_handles(void)
{
	grant_handle_t handle = NONE;

	test_begin("handles");
	expect_eq(grant_map(0, ref, window, false, &handle), GNTST_okay);
	/* At another place, with another handle. */
	expect(unmap_at(other, handle) < 0);
	expect(unmap_at(window, handle + 1) < 0);
	expect(unmap_at(window, 0xffffffff) < 0);
	expect(in_use());
	WRITE_ONCE(*window, 5);
	expect_eq(READ_ONCE(*mine), 5);
	expect_eq(grant_unmap(window, handle), 0);
	expect_eq(in_use(), 0);
	expect(unmap_at(window, handle) < 0);
	expect_eq(in_use(), 0);
}

/* Revoked while it is mapped: it stays mapped, and the frame with it. */
static void test_revoked(void)
{
	grant_handle_t handle = NONE, second;

	test_begin("revoked in use");
	expect_eq(grant_map(0, ref, window, false, &handle), GNTST_okay);
	grant_table[ref].flags = 0;
	WRITE_ONCE(*window, 6);
	expect_eq(READ_ONCE(*mine), 6);
	/* Whether it can be mapped once more is not said, as long as it can be unmapped. */
	if (grant_map(0, ref, other, false, &second) == GNTST_okay)
		expect_eq(grant_unmap(other, second), 0);
	/* Another frame in the entry changes nothing for what is mapped. */
	grant_table[ref].frame = (u32)va_mfn(other);
	WRITE_ONCE(*window, 7);
	expect_eq(READ_ONCE(*mine), 7);
	expect_eq(grant_unmap(window, handle), 0);
	grant_table[ref].frame = (u32)va_mfn(mine);
	grant_table[ref].flags = GTF_permit_access;
}

/* The guest replaces the mapping itself; then there is nothing to unmap at that place. */
static void test_overwritten(void)
{
	grant_handle_t handle = NONE;
	unsigned int i;

	test_begin("overwritten");
	for (i = 0; i < 50; i++) {
		expect_eq(grant_map(0, ref, window, false, &handle), GNTST_okay);
		expect_eq(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)), 0);
		unmap_at(window, handle);
		WRITE_ONCE(*window, 1);
	}
	/* Whatever became of the references: the page is the domain's, and can be what it likes. */
	grant_table[ref].flags = 0;
	memset(mine, 0, PAGE_SIZE);
	expect_eq(page_protect(mine, false), 0);
	expect_eq(page_protect(mine, true), 0);
	WRITE_ONCE(*mine, 8);
	grant_table[ref].flags = GTF_permit_access;
}

/* Granted, mapped, and meanwhile made into something else. */
static void test_types(void)
{
	grant_handle_t handle = NONE;

	test_begin("a granted page becomes a table");
	memset(mine, 0, PAGE_SIZE);
	expect_eq(grant_map(0, ref, window, false, &handle), GNTST_okay);
	require(page_protect(mine, false));
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(mine)) < 0);
	expect_eq(grant_unmap(window, handle), 0);
	expect_eq(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(mine)), 0);
	expect(grant_map(0, ref, window, false, &handle) < 0);
	expect_eq(grant_map(0, ref, window, true, &handle), GNTST_okay);
	expect_eq(grant_unmap(window, handle), 0);
	expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(mine)), 0);
	require(page_protect(mine, true));
}

static void test_copies(void)
{
	static const struct { u16 source, dest, len; int status; } table[] = {
		{ 0, 0, 4096, GNTST_okay }, { 4095, 0, 1, GNTST_okay }, { 4095, 0, 2, GNTST_bad_copy_arg },
		{ 0, 4095, 2, GNTST_bad_copy_arg }, { 4096, 0, 1, GNTST_bad_copy_arg }, { 0, 0, 4097, GNTST_bad_copy_arg },
		{ 0xffff, 0, 1, GNTST_bad_copy_arg }, { 0, 0, 0xffff, GNTST_bad_copy_arg },
		{ 0x8000, 0x8000, 0x8000, GNTST_bad_copy_arg },
	};
	unsigned int i;

	test_begin("copies");
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		struct gnttab_copy op = {
			.source = { .u.ref = ref, .domid = 0, .offset = table[i].source },
			.dest = { .u.gmfn = va_mfn(other), .domid = DOMID_SELF, .offset = table[i].dest },
			.len = table[i].len,
			.flags = GNTCOPY_source_gref,
		};

		expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1), 0);
		expect_msg(op.status == table[i].status, "copy %u: status %d", i, op.status);
		/* To a page table, to a frame that nobody has, from frames of others. */
		op.dest.u.gmfn = va_mfn(kernel_root());
		op.dest.offset = op.source.offset = 0;
		op.len = 8;
		HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
		expect(op.status < 0);
		op.dest.u.gmfn = 0xfffffffff;
		HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
		expect(op.status < 0);
	}
	expect_eq(in_use(), 0);
}

static void test_many(void)
{
	static struct gnttab_map_grant_ref maps[600];
	unsigned int i, made = 0;

	test_begin("one grant mapped many times");
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		maps[i] = (struct gnttab_map_grant_ref){ .host_addr = (u64)window, .flags = GNTMAP_host_map, .ref = ref };
	require(va_map(window, 0));
	HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, maps, ARRAY_SIZE(maps));
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		made += maps[i].status == GNTST_okay;
	expect(made >= 1);
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		if (maps[i].status == GNTST_okay)
			unmap_at(window, maps[i].handle);
	expect_eq(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)), 0);
	WRITE_ONCE(*window, 1);
}

void guest_main(void)
{
	int r;

	test_begin("set up");
	if (!require(grant_init()))
		return;
	mine = page_alloc();
	window = page_alloc();
	other = page_alloc();
	r = grant_give(0, va_mfn(mine), false);
	if (!require(r))
		return;
	ref = (grant_ref_t)r;
	test_handles();
	test_revoked();
	test_types();
	test_copies();
	test_overwritten();
	test_many();
}
