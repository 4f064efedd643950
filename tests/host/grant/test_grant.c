/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant tables over the simulated machine: map, copy, revoke and exit in all orders, both versions, and abuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/grant.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <xen/grant_table.h>
#include "../sim/sim.h"

#define GRANTED 5u	/* page of a that is granted */
#define WINDOW 20u	/* page number of b where it is mapped */

const struct grant_host_ops *grant_host_ops = &pv_grant_host_ops;
static struct domain *a, *b;
static struct vcpu *va, *vb;

static long op(struct vcpu *v, u32 cmd, void *arg, size_t size, u32 count)
{
	gva_t at = sim_va(2);
	long rc;

	sim_run(v, v->cpu);
	memcpy(sim_ptr(v->domain, at), arg, size * count);
	rc = sim_call(v, do_grant_table_op, cmd, at, count, 0, 0, 0);
	memcpy(arg, sim_ptr(v->domain, at), size * count);
	return rc;
}
#define OP(v, cmd, arg) op((v), GNTTABOP_##cmd, (arg), sizeof(*(arg)), 1)

static void table_setup(struct vcpu *v)
{
	struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1 };
	gva_t list = sim_va(3);

	s.frame_list.p = (void *)list;
	assert_int_equal(OP(v, setup_table, &s), 0);
	assert_int_equal(s.status, GNTST_okay);
	assert_int_equal(*(u64 *)sim_ptr(v->domain, list), grant_table_frame(v->domain, 0, false).v);
}

static int setup(void **state)
{
	(void)state;
	sim_start(2);
	a = sim_domain(1, false, 1, 64);
	b = sim_domain(2, false, 1, 64);
	if (!a->grants && (grant_table_create(a, 4, 4, 2) || grant_table_create(b, 4, 4, 2)))
		return -1;
	va = sim_run(a->vcpu[0], 0);
	table_setup(va);
	vb = sim_run(b->vcpu[0], 1);
	table_setup(vb);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (grant_table_relinquish(va, a) || grant_table_relinquish(vb, b))
		continue;
	sim_check();
	grant_table_free(a);
	grant_table_free(b);
	sim_stop();
	return 0;
}

static grant_entry_v1_t *v1(u32 ref)
{
	return (grant_entry_v1_t *)frame_map(grant_table_frame(a, 0, false)) + ref;
}

static void grant_v1_set(u32 ref, u16 flags, domid_t to, u64 frame)
{
	v1(ref)->domid = to;
	v1(ref)->frame = (u32)frame;
	v1(ref)->flags = flags;
}

static struct gnttab_map_grant_ref map(u32 ref, u32 flags, int status)
{
	struct gnttab_map_grant_ref m = { .host_addr = sim_va(WINDOW), .flags = flags, .ref = ref, .dom = 1 };

	assert_int_equal(OP(vb, map_grant_ref, &m), 0);
	assert_int_equal(m.status, status);
	return m;
}

static int unmap(const struct gnttab_map_grant_ref *m)
{
	struct gnttab_unmap_grant_ref u = { .host_addr = m->host_addr, .handle = m->handle };

	assert_int_equal(OP(vb, unmap_grant_ref, &u), 0);
	return u.status;
}

static void test_map_write_unmap(void **state)
{
	struct gnttab_map_grant_ref m;
	u64 val;

	(void)state;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	m = map(9, GNTMAP_host_map, GNTST_okay);
	assert_int_equal(v1(9)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_true(sim_store(vb, sim_va(WINDOW), 0x1234));
	assert_int_equal(*(u64 *)sim_page(a, GRANTED), 0x1234);
	assert_int_equal(unmap(&m), GNTST_okay);
	assert_int_equal(v1(9)->flags, GTF_permit_access);
	assert_false(sim_load(vb, sim_va(WINDOW), &val));
	/* Not twice. */
	assert_int_equal(unmap(&m), GNTST_bad_handle);
}

static void test_map_by_entry(void **state)
{
	struct gnttab_map_grant_ref m = { .flags = GNTMAP_host_map | GNTMAP_contains_pte, .ref = 9, .dom = 1 };
	u32 l1 = sim_table(b, 1, sim_va(WINDOW));
	u64 val;

	(void)state;
	/* The entry is named by its machine address, when mapping and when unmapping. */
	m.host_addr = mfn_paddr(sim_mfn(b, l1)).v + (sim_va(WINDOW) >> PAGE_SHIFT) % 512 * 8;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	assert_int_equal(OP(vb, map_grant_ref, &m), 0);
	assert_int_equal(m.status, GNTST_okay);
	assert_true(sim_store(vb, sim_va(WINDOW), 0x4321));
	assert_int_equal(*(u64 *)sim_page(a, GRANTED), 0x4321);
	assert_int_equal(unmap(&m), GNTST_okay);
	assert_false(sim_load(vb, sim_va(WINDOW), &val));
	assert_int_equal(v1(9)->flags, GTF_permit_access);
}

static void test_readonly(void **state)
{
	struct gnttab_map_grant_ref m;
	u64 val;

	(void)state;
	grant_v1_set(9, GTF_permit_access | GTF_readonly, 2, sim_mfn(a, GRANTED).v);
	map(9, GNTMAP_host_map, GNTST_general_error);
	assert_int_equal(v1(9)->flags, GTF_permit_access | GTF_readonly);
	m = map(9, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
	assert_int_equal(v1(9)->flags, GTF_permit_access | GTF_readonly | GTF_reading);
	assert_true(sim_load(vb, sim_va(WINDOW), &val));
	assert_false(sim_store(vb, sim_va(WINDOW), 1));
	assert_int_equal(unmap(&m), GNTST_okay);
}

static void test_refused(void **state)
{
	(void)state;
	/* Nothing granted; to another domain; out of range; a page of somebody else; no memory at all; a page table, writable. */
	map(9, GNTMAP_host_map, GNTST_general_error);
	grant_v1_set(9, GTF_permit_access, 3, sim_mfn(a, GRANTED).v);
	map(9, GNTMAP_host_map, GNTST_general_error);
	map(512, GNTMAP_host_map, GNTST_bad_gntref);
	map(UINT32_MAX, GNTMAP_host_map, GNTST_bad_gntref);
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(b, 6).v);
	map(9, GNTMAP_host_map, GNTST_bad_page);
	grant_v1_set(9, GTF_permit_access, 2, 0xffffffff);
	map(9, GNTMAP_host_map, GNTST_bad_page);
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, sim_table(a, 1, sim_va(0))).v);
	map(9, GNTMAP_host_map, GNTST_bad_page);
	assert_int_equal(v1(9)->flags, GTF_permit_access);
	grant_v1_set(9, GTF_accept_transfer, 2, sim_mfn(a, GRANTED).v);
	map(9, GNTMAP_host_map, GNTST_general_error);
	map(9, 0, GNTST_bad_gntref);
}

static void test_bad_address(void **state)
{
	struct gnttab_map_grant_ref m = { .flags = GNTMAP_host_map, .ref = 9, .dom = 1 };
	static const u64 where[] = { 0, HV_VIRT_START, 0xffff818000000000, 0x0000900000000000, 0x123 };

	(void)state;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		m.host_addr = where[i];
		assert_int_equal(OP(vb, map_grant_ref, &m), 0);
		assert_int_not_equal(m.status, GNTST_okay);
		/* Nothing stays behind. */
		assert_int_equal(v1(9)->flags, GTF_permit_access);
	}
}

static void test_revoke_in_use(void **state)
{
	struct gnttab_map_grant_ref m;

	(void)state;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	m = map(9, GNTMAP_host_map, GNTST_okay);
	/* The granter takes the entry away and points it elsewhere while it is mapped: the mapped page is what it was. */
	grant_v1_set(9, 0, 0, sim_mfn(a, 7).v);
	assert_true(sim_store(vb, sim_va(WINDOW), 77));
	assert_int_equal(*(u64 *)sim_page(a, GRANTED), 77);
	assert_int_equal(unmap(&m), GNTST_okay);
	sim_check();
}

static void test_unmap_wrong(void **state)
{
	struct gnttab_map_grant_ref m, bad;

	(void)state;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	m = map(9, GNTMAP_host_map, GNTST_okay);
	bad = m;
	bad.host_addr = sim_va(WINDOW + 1);
	assert_int_not_equal(unmap(&bad), GNTST_okay);
	bad = m;
	bad.handle = 77;
	assert_int_equal(unmap(&bad), GNTST_bad_handle);
	bad.handle = UINT32_MAX;
	assert_int_equal(unmap(&bad), GNTST_bad_handle);
	assert_int_equal(unmap(&m), GNTST_okay);
}

static void test_copy(void **state)
{
	struct gnttab_copy c = { .len = 100, .flags = GNTCOPY_source_gref };

	(void)state;
	grant_v1_set(9, GTF_permit_access | GTF_readonly, 2, sim_mfn(a, GRANTED).v);
	memset(sim_page(a, GRANTED), 0x5a, PAGE_SIZE);
	c.source.u.ref = 9;
	c.source.domid = 1;
	c.source.offset = 10;
	c.dest.u.gmfn = sim_mfn(b, 8).v;
	c.dest.domid = DOMID_SELF;
	c.dest.offset = 4000 - 4;
	assert_int_equal(OP(vb, copy, &c), 0);
	assert_int_equal(c.status, GNTST_okay);
	assert_int_equal(((u8 *)sim_page(b, 8))[4000 - 4], 0x5a);
	assert_int_equal(v1(9)->flags, GTF_permit_access | GTF_readonly);
	/* Over the end of the page; into a read-only grant; a page of another domain by number. */
	c.dest.offset = 4000;
	assert_int_equal(OP(vb, copy, &c), 0);
	assert_int_equal(c.status, GNTST_bad_copy_arg);
	c.dest.offset = 0;
	c.flags = GNTCOPY_dest_gref;
	c.dest.u.ref = 9;
	c.dest.domid = 1;
	c.source.u.gmfn = sim_mfn(b, 8).v;
	c.source.domid = DOMID_SELF;
	assert_int_equal(OP(vb, copy, &c), 0);
	assert_int_equal(c.status, GNTST_general_error);
	c.flags = GNTCOPY_source_gref;
	c.source.u.ref = 9;
	c.source.domid = 1;
	c.dest.u.gmfn = sim_mfn(a, 8).v;
	assert_int_equal(OP(vb, copy, &c), 0);
	assert_int_equal(c.status, GNTST_permission_denied);
	c.dest.domid = DOMID_SELF;
	assert_int_equal(OP(vb, copy, &c), 0);
	assert_int_equal(c.status, GNTST_bad_page);
}

static void v2_start(void)
{
	struct gnttab_set_version s = { .version = 2 };

	assert_int_equal(OP(va, set_version, &s), 0);
	assert_int_equal(s.version, 2);
}

static grant_entry_v2_t *v2(u32 ref)
{
	return (grant_entry_v2_t *)frame_map(grant_table_frame(a, 0, false)) + ref;
}

static void test_v2(void **state)
{
	struct gnttab_copy c = { .len = 16, .flags = GNTCOPY_source_gref };
	struct gnttab_set_version s = { .version = 1 };
	struct gnttab_map_grant_ref m;
	grant_status_t *status;

	(void)state;
	v1(1)->frame = 0x77;
	v1(1)->domid = 2;
	v1(1)->flags = GTF_permit_access;
	v2_start();
	/* Reserved entries survive. */
	assert_int_equal(v2(1)->full_page.frame, 0x77);
	assert_int_equal(v2(1)->hdr.domid, 2);
	status = (grant_status_t *)frame_map(grant_table_frame(a, 0, true));
	v2(9)->full_page.frame = sim_mfn(a, GRANTED).v;
	v2(9)->hdr.domid = 2;
	v2(9)->hdr.flags = GTF_permit_access;
	m = map(9, GNTMAP_host_map, GNTST_okay);
	assert_int_equal(status[9], GTF_reading | GTF_writing);
	assert_int_equal(OP(va, set_version, &s), -EBUSY);
	assert_int_equal(unmap(&m), GNTST_okay);
	assert_int_equal(status[9], 0);
	/* Part of a page: copied within its bounds only, never mapped. */
	v2(9)->sub_page.page_off = 100;
	v2(9)->sub_page.length = 50;
	v2(9)->sub_page.frame = sim_mfn(a, GRANTED).v;
	v2(9)->hdr.flags = GTF_permit_access | GTF_sub_page;
	map(9, GNTMAP_host_map | GNTMAP_readonly, GNTST_bad_page);
	assert_int_equal(status[9], 0);
	c.source.u.ref = 9;
	c.source.domid = 1;
	c.source.offset = 100;
	c.dest.u.gmfn = sim_mfn(b, 8).v;
	c.dest.domid = DOMID_SELF;
	assert_int_equal(OP(vb, copy, &c), 0);
	assert_int_equal(c.status, GNTST_okay);
	c.source.offset = 140;
	assert_int_equal(OP(vb, copy, &c), 0);
	assert_int_equal(c.status, GNTST_general_error);
	assert_int_equal(status[9], 0);
	assert_int_equal(OP(va, set_version, &s), 0);
	s.version = 3;
	assert_int_equal(OP(va, set_version, &s), -EINVAL);
}

static void test_many_handles(void **state)
{
	struct gnttab_map_grant_ref m = { .flags = GNTMAP_device_map | GNTMAP_readonly, .ref = 9, .dom = 1 };
	u32 n = 0, last = 0;

	(void)state;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	for (;; n++) {
		assert_int_equal(OP(vb, map_grant_ref, &m), 0);
		if (m.status)
			break;
		last = m.handle;
	}
	assert_int_equal(m.status, GNTST_no_space);
	assert_true(n >= 256);
	for (u32 h = 0; h <= last; h++) {
		struct gnttab_unmap_grant_ref u = { .dev_bus_addr = mfn_paddr(sim_mfn(a, GRANTED)).v, .handle = h };

		assert_int_equal(OP(vb, unmap_grant_ref, &u), 0);
		assert_int_equal(u.status, GNTST_okay);
	}
	assert_int_equal(v1(9)->flags, GTF_permit_access);
}

static void test_exit_while_mapped(void **state)
{
	(void)state;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	map(9, GNTMAP_host_map, GNTST_okay);
	sim_preempt_every(1);
	while (grant_table_relinquish(vb, b) == -ERESTART)
		continue;
	sim_preempt_every(0);
	assert_int_equal(v1(9)->flags, GTF_permit_access);
	/* The entry in b's page table still holds the page. */
	assert_int_equal(frame_type(frame_of(sim_mfn(a, GRANTED))), FRAME_WRITABLE);
}

static void test_alloc_failures(void **state)
{
	(void)state;
	grant_v1_set(9, GTF_permit_access, 2, sim_mfn(a, GRANTED).v);
	for (u32 n = 1; n < 16; n++) {
		struct gnttab_map_grant_ref m = { .host_addr = sim_va(WINDOW), .flags = GNTMAP_host_map, .ref = 9, .dom = 1 };

		sim_fail_alloc(n);
		assert_int_equal(OP(vb, map_grant_ref, &m), 0);
		if (!sim_alloc_failed()) {
			sim_fail_alloc(0);
			assert_int_equal(m.status, GNTST_okay);
			assert_int_equal(unmap(&m), GNTST_okay);
			return;
		}
		assert_int_equal(m.status, GNTST_no_space);
		assert_int_equal(v1(9)->flags, GTF_permit_access);
		sim_check();
	}
	fail();
}

static void test_misc_ops(void **state)
{
	struct gnttab_query_size q = { .dom = DOMID_SELF };
	struct gnttab_swap_grant_ref w = { .ref_a = 9, .ref_b = 10 };
	struct gnttab_transfer t = { .domid = 2 };
	struct gnttab_setup_table s = { .dom = 1, .nr_frames = 1 };
	struct gnttab_cache_flush f = { .op = GNTTAB_CACHE_CLEAN, .length = 64 };

	(void)state;
	assert_int_equal(OP(va, query_size, &q), 0);
	assert_int_equal(q.nr_frames, 1);
	assert_true(q.max_nr_frames >= 4);
	grant_v1_set(9, GTF_permit_access, 2, 0x99);
	assert_int_equal(OP(va, swap_grant_ref, &w), 0);
	assert_int_equal(w.status, GNTST_okay);
	assert_int_equal(v1(10)->frame, 0x99);
	assert_int_equal(v1(9)->flags, 0);
	w.ref_b = 100000;
	assert_int_equal(OP(va, swap_grant_ref, &w), 0);
	assert_int_equal(w.status, GNTST_bad_gntref);
	assert_int_equal(OP(va, transfer, &t), 0);
	assert_int_equal(t.status, GNTST_general_error);
	assert_int_equal(OP(vb, setup_table, &s), 0);
	assert_int_equal(s.status, GNTST_permission_denied);
	f.a.dev_bus_addr = mfn_paddr(sim_mfn(a, GRANTED)).v;
	assert_int_equal(OP(va, cache_flush, &f), 0);
	assert_int_equal(OP(vb, cache_flush, &f), -EPERM);
	f.offset = 4090;
	assert_int_equal(OP(va, cache_flush, &f), -EINVAL);
	assert_int_equal(sim_call(va, do_grant_table_op, 999, sim_va(2), 1, 0, 0, 0), -ENOSYS);
	assert_int_equal(sim_call(va, do_grant_table_op, GNTTABOP_map_grant_ref, HV_VIRT_START, 1, 0, 0, 0), -EFAULT);
	assert_int_equal(sim_call(va, do_grant_table_op, GNTTABOP_map_grant_ref, sim_va(2), UINT32_MAX, 0, 0, 0), -EINVAL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_map_write_unmap), T(test_map_by_entry), T(test_readonly), T(test_refused), T(test_bad_address), T(test_revoke_in_use),
		T(test_unmap_wrong), T(test_copy), T(test_v2), T(test_many_handles), T(test_exit_while_mapped),
		T(test_alloc_failures), T(test_misc_ops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
