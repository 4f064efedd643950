/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of domains: giving, taking, sharing, teardown while others hold them, offlining. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/frame_type.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <xen/sysctl.h>
#include "../sim_mm/glue.h"

static struct domain *d1, *d2;
static struct vcpu *v;

static int start(void **state)
{
	(void)state;
	glue_nodes = 1;
	glue_frames_kept = 0;
	sim_start(2);
	d1 = sim_domain(1, false, 1, 40);
	d2 = sim_domain(2, false, 1, 40);
	v = sim_run_vcpu(d1, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	glue_heap_check();
	sim_stop();
	return 0;
}

static void test_references(void **state)
{
	u64 pages = d1->memory.pages, free_frames = heap_free_frames();
	struct frame *f = domain_frames_alloc(d1, 0, 0);

	(void)state;
	assert_int_equal(d1->memory.pages, pages + 1);
	assert_ptr_equal(frame_owner(f), d1);
	assert_false(frame_get(f, d2));
	assert_true(frame_get(f, d1));
	assert_true(frame_get(f, NULL));
	assert_int_equal(f->refs, FRAME_ALLOC | 3);
	assert_false(domain_frame_discard(d1, f));
	assert_true(domain_frame_release(d1, f));
	assert_false(domain_frame_release(d1, f));
	frame_put(f);
	assert_int_equal(d1->memory.pages, pages + 1);
	frame_put(f);
	assert_int_equal(d1->memory.pages, pages);
	assert_false(frame_get(f, NULL));
	assert_null(frame_owner(f));
	assert_int_equal(heap_free_frames(), free_frames);
}

static void test_assign_and_steal(void **state)
{
	struct frame *f = frames_alloc(0, ALLOC_ZERO);
	u64 pages = d1->memory.pages;

	(void)state;
	memset(mfn_virt(frame_mfn(f)), 0x11, PAGE_SIZE);
	assert_false(frame_get(f, NULL));
	d1->memory.max = pages;
	assert_int_equal(domain_frame_assign(d1, f, 0), -E2BIG);
	assert_int_equal(domain_frame_assign(d1, f, DOMF_OVER_MAX), 0);
	assert_int_equal(d1->memory.pages, pages + 1);
	assert_true(frame_get(f, d1));
	assert_int_equal(domain_frame_steal(d2, f), -EINVAL);
	assert_true(frame_get(f, d1));
	assert_int_equal(domain_frame_steal(d1, f), -EBUSY);
	frame_put(f);
	assert_int_equal(domain_frame_steal(d1, f), 0);
	assert_int_equal(d1->memory.pages, pages);
	assert_int_equal(*(u8 *)mfn_virt(frame_mfn(f)), 0x11);
	assert_int_equal(domain_frame_assign(d2, f, DOMF_NO_ACCOUNT), 0);
	assert_int_equal(d2->memory.pages, 40);
	assert_ptr_equal(frame_owner(f), d2);
	assert_true(domain_frame_discard(d2, f));
	assert_int_equal(d2->memory.pages, 40);
	f = frames_alloc(0, 0);
	d2->life = DOMAIN_DYING;
	assert_int_equal(domain_frame_assign(d2, f, 0), -EINVAL);
	assert_null(domain_frames_alloc(d2, 0, 0));
	d2->life = DOMAIN_LIVE;
	frames_free(f, 0);
}

static void test_walk(void **state)
{
	u32 n = 0, count = 0;

	(void)state;
	while ((n = domain_frame_next(d1, n)) != 0) {
		assert_int_equal(frame_of(mfn(n))->owner, 1);
		count++;
	}
	assert_int_equal(count, 40);
	assert_int_equal(domain_frame_next(d1, (u32)sim_mfn(d2, 0).v), 0);
	assert_int_equal(domain_frame_next(d1, ~0u), 0);
	assert_int_equal(domain_frame_next(d1, (u32)virt_mfn(d1->shared).v), 0);
}

static void test_share(void **state)
{
	u64 free_frames = heap_free_frames();

	(void)state;
	for (u32 writable = 0; writable < 2; writable++) {
		void *page = page_alloc();
		struct frame *f = frame_of(virt_mfn(page));

		frame_share(page, d1, writable);
		assert_ptr_equal(frame_owner(f), d1);
		assert_int_equal(d1->memory.shared, 2);
		assert_int_equal(d1->memory.pages, 40);
		/* Not the domain's to give away. */
		assert_false(domain_frame_discard(d1, f));
		assert_int_equal(frame_get_writable(v, f, d1), writable);
		if (writable) {
			assert_int_equal(frame_unshare(page, d1), -EBUSY);
			frame_put_writable(f);
		}
		assert_true(frame_get(f, d1));
		assert_int_equal(frame_unshare(page, d1), -EBUSY);
		frame_put(f);
		assert_int_equal(frame_unshare(page, d1), 0);
		assert_false(frame_get(f, NULL));
		/* Given up while it is mapped: goes with the last mapping. */
		frame_share(page, d1, writable);
		if (writable)
			assert_true(frame_get_writable(v, f, d1));
		assert_true(frame_get(f, d1));
		frame_share_end(page, d1);
		assert_null(frame_owner(f));
		assert_int_equal(d1->memory.shared, 1);
		frame_put(f);
		if (writable) {
			assert_int_equal(heap_free_frames(), free_frames - 1);
			frame_put_writable(f);
		}
		assert_int_equal(heap_free_frames(), free_frames);
	}
}

/* A domain goes while others hold frames of it: those lose their owner, and are freed with their last reference. */
static void test_relinquish(void **state)
{
	struct domain *d = sim_domain(3, false, 1, 100);
	u64 free_frames = heap_free_frames();
	struct frame *plain = domain_frames_alloc(d, 0, 0), *mapped = domain_frames_alloc(d, 0, 0),
		     *released = domain_frames_alloc(d, 0, 0);
	u32 rounds = 0;
	int rc;

	(void)state;
	assert_true(frame_get(plain, d));
	assert_true(frame_get_writable(v, mapped, d));
	assert_true(frame_get(released, d));
	assert_true(domain_frame_release(d, released));
	while ((rc = d->ops->domain_relinquish(v, d)) == -ERESTART)
		;
	assert_int_equal(rc, 0);
	d->life = DOMAIN_DYING;
	while ((rc = domain_memory_relinquish(d, 10)) == -ERESTART)
		rounds++;
	assert_int_equal(rc, 0);
	assert_int_equal(rounds, 10);
	assert_int_equal(d->memory.pages, 0);
	assert_null(frame_owner(plain));
	assert_null(frame_owner(mapped));
	assert_false(frame_get(plain, d));
	assert_int_equal(heap_free_frames(), free_frames + 100 - 3);
	frame_put(plain);
	frame_put(released);
	frame_put_writable(mapped);
	assert_int_equal(heap_free_frames(), free_frames + 100);
}

static void test_offline(void **state)
{
	struct frame *f = domain_frames_alloc(d1, 0, 0);
	u64 free_frames = heap_free_frames();
	mfn_t m = frame_mfn(f);
	u32 status;

	(void)state;
	assert_int_equal(heap_frame_offline(m, false, &status), 0);
	assert_int_equal(status, PG_OFFLINE_PENDING | PG_OFFLINE_OWNED | 1u << PG_OFFLINE_OWNER_SHIFT);
	assert_int_equal(heap_frame_offline_status(m), PG_OFFLINE_STATUS_OFFLINE_PENDING);
	assert_true(domain_frame_discard(d1, f));
	assert_int_equal(heap_free_frames(), free_frames);
	assert_int_equal(heap_frame_offline_status(m), PG_OFFLINE_STATUS_OFFLINED);
	assert_int_equal(heap_frame_online(m, &status), 0);
	assert_int_equal(status, PG_ONLINE_ONLINED);
	assert_int_equal(heap_free_frames(), free_frames + 1);
	/* Taken back before it was given up. */
	f = domain_frames_alloc(d1, 0, 0);
	assert_int_equal(heap_frame_offline(frame_mfn(f), false, &status), 0);
	assert_int_equal(heap_frame_online(frame_mfn(f), &status), 0);
	assert_true(domain_frame_discard(d1, f));
	assert_int_equal(heap_free_frames(), free_frames + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_references, start, stop),
		cmocka_unit_test_setup_teardown(test_assign_and_steal, start, stop),
		cmocka_unit_test_setup_teardown(test_walk, start, stop),
		cmocka_unit_test_setup_teardown(test_share, start, stop),
		cmocka_unit_test_setup_teardown(test_relinquish, start, stop),
		cmocka_unit_test_setup_teardown(test_offline, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
