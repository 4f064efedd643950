/* SPDX-License-Identifier: BSD-2-Clause */
/* Saving and restoring a PV domain over a machine that exists in memory only. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "argon/migrate.h"
#include "argon/reason.h"
#include "fake.h"
#include "tools/lib/migrate/stream.h"

static unsigned int suspends, throttles, percent_least, percent_last;

static int suspend(void *context)
{
	struct fake *f = context;

	/* It runs up to the end. */
	if (f->running)
		f->running(f);
	f->running = NULL;
	suspends++;
	return 0;
}

static int throttle(void *context, unsigned int percent)
{
	(void)context;
	throttles++;
	percent_last = percent;
	if (percent < percent_least)
		percent_least = percent;
	return 0;
}

static int stream_file(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int save(struct fake *f, int fd, bool live, struct migrate_progress *p)
{
	const struct migrate_save s = { .domid = FAKE_SOURCE, .fd = fd, .live = live, .suspend = suspend, .context = f };

	int rc;

	suspends = 0;
	rc = migrate_save(f->ctrl, &s, p);
	if (rc)
		print_message("save: %s\n", reason_get());
	return rc;
}

static int restore(struct fake *f, int fd, struct migrate_restored *out)
{
	const struct migrate_restore r = { .domid = FAKE_TARGET, .fd = fd, .store_port = 7, .console_port = 9 };

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return migrate_restore(f->ctrl, &r, out);
}

/* ---- What a restored domain must be like ---- */

static uint64_t target_frame(struct fake *f, uint64_t pfn)
{
	for (uint64_t mfn = FAKE_FIRST; mfn < FAKE_FRAMES; mfn++)
		if (f->owner[mfn] == FAKE_TARGET && f->m2p[mfn] == pfn)
			return mfn;
	return UINT64_MAX;
}

static void table_compare(struct fake *f, const uint64_t *from, const uint64_t *to, unsigned int level)
{
	for (unsigned int i = 0; i < 512; i++) {
		if (level == 4 && i == 256) {
			assert_int_equal(to[i], 0);
		} else if (from[i] & 1) {
			uint64_t pfn = f->m2p[from[i] >> 12 & 0xfffff];

			assert_int_equal(to[i] & ~UINT64_C(0x000ffffffffff000), from[i] & ~UINT64_C(0x000ffffffffff000));
			assert_int_equal(to[i] >> 12 & 0xfffffffff, target_frame(f, pfn));
		} else {
			assert_int_equal(to[i], from[i]);
		}
	}
}

static void memory_compare(struct fake *f)
{
	for (uint64_t pfn = 0; pfn < FAKE_PAGES; pfn++) {
		uint64_t from = fake_source_frame(f, pfn), to = target_frame(f, pfn);
		unsigned int level = from < FAKE_FRAMES ? f->type[from] & 7u : 0;

		assert_int_equal(from == UINT64_MAX, to == UINT64_MAX);
		if (from == UINT64_MAX || pfn == f->start_info_pfn)
			continue;
		if (level)
			table_compare(f, fake_page(f, from), fake_page(f, to), level);
		else if (pfn == f->p2m_pfn[pfn == f->p2m_pfn[1]])
			for (unsigned int i = 0; i < 512; i++)
				assert_int_equal(((uint64_t *)fake_page(f, to))[i],
						 (pfn - f->p2m_pfn[0]) * 512 + i < FAKE_PAGES
							 ? target_frame(f, (pfn - f->p2m_pfn[0]) * 512 + i) : UINT64_MAX);
		else
			assert_memory_equal(fake_page(f, to), fake_page(f, from), 4096);
	}
	assert_int_equal(f->type[target_frame(f, f->root_pfn)], 4 | 8);
	assert_int_equal(f->type[target_frame(f, f->user_root_pfn)], 4 | 8);
}

static void state_compare(struct fake *f, const struct migrate_restored *out)
{
	const struct fake_domain *d = &f->domain[FAKE_TARGET];
	const struct start_info *si = fake_page(f, target_frame(f, f->start_info_pfn));
	const struct shared_info *shared = fake_page(f, d->shared_info);

	assert_int_equal(out->store_frame, target_frame(f, f->store_pfn));
	assert_int_equal(out->console_frame, target_frame(f, f->console_pfn));
	assert_int_equal(si->store_mfn, out->store_frame);
	assert_int_equal(si->store_evtchn, 7);
	assert_int_equal(si->console.domU.mfn, out->console_frame);
	assert_int_equal(si->console.domU.evtchn, 9);
	assert_int_equal(si->shared_info, d->shared_info * 4096);
	assert_int_equal(shared->arch.max_pfn, FAKE_PAGES);
	assert_int_equal(shared->arch.p2m_cr3, 0);
	assert_int_equal(shared->evtchn_mask[63], ~0UL);
	assert_int_equal(d->tsc.khz, 2000000);
	assert_int_equal(d->tsc.elapsed, 12345678);
	assert_int_equal(d->tsc.incarnation, 3);
	assert_int_equal(d->policies_set, 1);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		const struct fake_vcpu *v = &d->vcpu[i];

		assert_true(v->online);
		assert_int_equal(v->context.ctrlreg[3], target_frame(f, f->root_pfn) << 12);
		assert_int_equal(v->context.ctrlreg[1], target_frame(f, f->user_root_pfn) << 12 | 1);
		assert_int_equal(v->context.gdt_frames[0], target_frame(f, f->gdt_pfn));
		assert_int_equal(v->context.user_regs.rip, 0xffffffff81000000 + i);
		assert_int_equal(v->context.user_regs.rdx, i ? 99 : target_frame(f, f->start_info_pfn));
		assert_int_equal(v->extended.syscall32_callback_eip, 0x1234);
		assert_int_equal(v->xstate_bytes, sizeof(v->xstate));
		assert_int_equal(v->xstate[100], 0x40 + i);
	}
}

/* ---- Round trips ---- */

static void round_trip(bool linear, bool live, void (*running)(struct fake *))
{
	struct fake *f = fake_make(linear);
	struct migrate_restored out;
	struct migrate_progress p;
	int fd = stream_file();

	f->running = running;
	assert_int_equal(save(f, fd, live, &p), 0);
	assert_int_equal(suspends, 1);
	assert_int_equal(p.stage, MIGRATE_DONE);
	assert_int_equal(p.bytes, lseek(fd, 0, SEEK_CUR));
	assert_false(f->domain[FAKE_SOURCE].logging);
	assert_int_equal(restore(f, fd, &out), 0);
	assert_int_equal(out.pages, f->domain[FAKE_SOURCE].owned);
	memory_compare(f);
	state_compare(f, &out);
	assert_int_equal(f->mapped, 0);
	close(fd);
	fake_free(f);
}

static void stopped(void **state)
{
	(void)state;
	round_trip(true, false, NULL);
	round_trip(false, false, NULL);
}

/* The domain writes pages and page tables while it is saved, gives pages away and takes others. */
static void busy(struct fake *f)
{
	static unsigned int n;
	uint64_t pfn = 100 + n % 50, *p2m = fake_page(f, FAKE_FIRST + f->p2m_pfn[0]);

	n++;
	if (fake_source_frame(f, pfn) != UINT64_MAX)
		fake_write(f, pfn, n % 512, n);
	fake_write(f, 4, 300, (FAKE_FIRST + 200 + n % 10) << 12 | 0x65);
	if (n == 1) {
		/* Balloon: page 150 goes, page 77 comes. */
		f->owner[FAKE_FIRST + 150] = 0;
		f->m2p[FAKE_FIRST + 150] = UINT64_MAX;
		p2m[150] = UINT64_MAX;
		((uint64_t *)fake_page(f, FAKE_FIRST + 4))[150] = 0;
		f->owner[FAKE_FIRST + 77] = FAKE_SOURCE;
		f->m2p[FAKE_FIRST + 77] = 77;
		p2m[77] = FAKE_FIRST + 77;
		fake_write(f, 77, 0, 0x7777);
		f->domain[FAKE_SOURCE].dirty[6 / 8] |= 1 << 6;
	}
}

static void live(void **state)
{
	(void)state;
	round_trip(true, true, NULL);
	round_trip(true, true, busy);
}

/* A page table that changes between being typed and being read: an entry that is not the domain's is sent later. */
static void torn_once(struct fake *f)
{
	static bool done;
	uint64_t *table = fake_page(f, FAKE_FIRST + 4);

	if (!done)
		table[400] = UINT64_C(0xabc) << 12 | 1;
	else
		table[400] = (FAKE_FIRST + 400) << 12 | 1;
	f->domain[FAKE_SOURCE].dirty[0] |= 1 << 4;
	done = true;
}

static void torn_tables(void **state)
{
	(void)state;
	round_trip(true, true, torn_once);
}

static void foreign_mapping_is_refused(void **state)
{
	struct fake *f = fake_make(true);
	int fd = stream_file();

	(void)state;
	((uint64_t *)fake_page(f, FAKE_FIRST + 4))[400] = UINT64_C(0xabc) << 12 | 1;
	assert_int_equal(save(f, fd, true, NULL), -EOPNOTSUPP);
	assert_non_null(strstr(reason_get(), "page 4 "));
	assert_false(f->domain[FAKE_SOURCE].logging);
	assert_int_equal(f->mapped, 0);
	close(fd);
	fake_free(f);
}

/* ---- Limits of the pre-copy ---- */

static void writes_all(struct fake *f)
{
	memset(f->domain[FAKE_SOURCE].dirty, 0xff, sizeof(f->domain[FAKE_SOURCE].dirty));
}

static int save_policy(enum migrate_policy policy, unsigned int rounds, struct migrate_progress *p)
{
	struct fake *f = fake_make(true);
	int fd = stream_file(), rc;
	const struct migrate_save s = { .domid = FAKE_SOURCE, .fd = fd, .live = true, .suspend = suspend, .throttle = throttle,
					.context = f, .policy = policy, .max_downtime = 1, .max_rounds = rounds };

	f->running = writes_all;
	suspends = throttles = 0;
	percent_least = percent_last = 100;
	rc = migrate_save(f->ctrl, &s, p);
	assert_false(f->domain[FAKE_SOURCE].logging);
	assert_int_equal(f->mapped, 0);
	close(fd);
	fake_free(f);
	return rc;
}

static void does_not_converge(void **state)
{
	struct migrate_progress p;

	(void)state;
	assert_int_equal(save_policy(MIGRATE_FORCE, 0, &p), 0);
	assert_int_equal(suspends, 1);
	assert_true(p.round >= 2 && p.round < 30);
	assert_int_equal(save_policy(MIGRATE_ABORT, 0, &p), -ETIME);
	assert_int_equal(suspends, 0);
	assert_int_equal(save_policy(MIGRATE_THROTTLE, 1000, &p), 0);
	assert_int_equal(suspends, 1);
	assert_int_equal(percent_least, 10);
	assert_int_equal(percent_last, 100);
	assert_int_equal(save_policy(MIGRATE_FORCE, 1, &p), 0);
	assert_int_equal(p.round, 0);
}

static int stop_now(void *context, const struct migrate_progress *p)
{
	(void)context;
	return p->pages_sent > 100 ? -EINTR : 0;
}

static int cannot_suspend(void *context)
{
	(void)context;
	return reason_set(ETIMEDOUT, "the guest does not answer");
}

static void gives_up(void **state)
{
	struct fake *f = fake_make(true);
	int fd = stream_file(), full = open("/dev/full", O_WRONLY);
	struct migrate_save s = { .domid = FAKE_SOURCE, .fd = fd, .live = true, .suspend = suspend, .progress = stop_now,
				  .context = f };

	(void)state;
	assert_int_equal(migrate_save(f->ctrl, &s, NULL), -EINTR);
	s.progress = NULL;
	s.suspend = cannot_suspend;
	assert_int_equal(migrate_save(f->ctrl, &s, NULL), -ETIMEDOUT);
	s.suspend = suspend;
	s.fd = full;
	assert_int_equal(migrate_save(f->ctrl, &s, NULL), -ENOSPC);
	s.domid = 9;
	assert_int_equal(migrate_save(f->ctrl, &s, NULL), -ESRCH);
	assert_false(f->domain[FAKE_SOURCE].logging);
	for (int n = 0; n < 12; n++) {
		f->fail_map_after = n;
		s.domid = FAKE_SOURCE;
		s.fd = fd;
		(void)migrate_save(f->ctrl, &s, NULL);
		assert_int_equal(f->mapped, 0);
	}
	close(fd);
	close(full);
	fake_free(f);
}

/* ---- Header of a file ---- */

static void file_header(void **state)
{
	static const uint8_t start[] = "Xen saved domain, xl format\n \0 \r\4\3\2\1\3\0\0\0\0\0\0\0\7\0\0\0\3\0\0\0{}\0rest";
	uint8_t bytes[sizeof(start)];
	char *config = NULL;
	size_t n;
	int fd = stream_file();

	(void)state;
	assert_int_equal(migrate_header_write(fd, "{}", 2), 0);
	assert_int_equal(write(fd, "rest", 4), 4);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(start) - 1);
	assert_memory_equal(bytes, start, sizeof(start) - 1);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(migrate_header_read(fd, &config, &n), 0);
	assert_string_equal(config, "{}");
	assert_int_equal(n, 2);
	free(config);
	assert_int_equal(read(fd, bytes, 10), 4);
	for (size_t at = 0; at < 52; at++) {
		uint8_t bad = (uint8_t)(start[at] ^ 0x80);

		assert_int_equal(pwrite(fd, &bad, 1, (off_t)at), 1);
		lseek(fd, 0, SEEK_SET);
		config = NULL;
		if (migrate_header_read(fd, &config, &n) == 0)
			assert_true(at >= 40 && at < 44);
		free(config);
		assert_int_equal(pwrite(fd, start + at, 1, (off_t)at), 1);
	}
	for (int cut = 0; cut < 55; cut++) {
		assert_int_equal(ftruncate(fd, cut), 0);
		lseek(fd, 0, SEEK_SET);
		assert_int_not_equal(migrate_header_read(fd, &config, &n), 0);
		assert_int_equal(pwrite(fd, start, sizeof(start) - 1, 0), sizeof(start) - 1);
	}
	close(fd);
}

/* ---- Hostile streams ---- */

static size_t stream_bytes(struct fake *f, uint8_t **bytes)
{
	int fd = stream_file();
	size_t n;

	assert_int_equal(save(f, fd, false, NULL), 0);
	n = (size_t)lseek(fd, 0, SEEK_CUR);
	*bytes = malloc(n);
	assert_int_equal(pread(fd, *bytes, n, 0), n);
	close(fd);
	return n;
}

static int restore_bytes(struct fake *f, const uint8_t *bytes, size_t n)
{
	struct migrate_restored out;
	int fd = stream_file(), rc;

	assert_int_equal(write(fd, bytes, n), n);
	rc = restore(f, fd, &out);
	close(fd);
	assert_int_equal(f->mapped, 0);
	fake_target_reset(f);
	return rc;
}

static void cut_streams(void **state)
{
	struct fake *f = fake_make(true);
	uint8_t *bytes;
	size_t n = stream_bytes(f, &bytes);

	(void)state;
	assert_int_equal(restore_bytes(f, bytes, n), 0);
	for (size_t cut = 0; cut < n; cut += cut < 8192 || n - cut < 16384 ? 37 : 99991)
		assert_int_equal(restore_bytes(f, bytes, cut), -EPIPE);
	free(bytes);
	fake_free(f);
}

/* One byte of what is not contents of pages is wrong: an error, or a domain that differs; never a crash. */
static void damaged_streams(void **state)
{
	struct fake *f = fake_make(true);
	uint8_t *bytes;
	size_t n = stream_bytes(f, &bytes), refused = 0, tried = 0;

	(void)state;
	for (size_t at = 0; at < n; at += at < 6000 || n - at < 12000 ? 13 : 65537) {
		uint8_t was = bytes[at];

		bytes[at] ^= (uint8_t)(1 + at % 255);
		refused += restore_bytes(f, bytes, n) != 0;
		tried++;
		bytes[at] = was;
	}
	assert_true(refused > tried / 4);
	free(bytes);
	fake_free(f);
}

static void too_large(void **state)
{
	struct fake *f = fake_make(true);
	uint8_t *bytes;
	size_t n = stream_bytes(f, &bytes);

	(void)state;
	f->domain[FAKE_TARGET].max_pages = 500;
	assert_int_equal(restore_bytes(f, bytes, n), -ENOMEM);
	((struct shared_info *)fake_page(f, f->domain[FAKE_SOURCE].shared_info))->arch.max_pfn = UINT64_C(1) << 40;
	assert_int_equal(save(f, 1, false, NULL), -ERANGE);
	free(bytes);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped),	     cmocka_unit_test(live),
		cmocka_unit_test(torn_tables),	     cmocka_unit_test(foreign_mapping_is_refused),
		cmocka_unit_test(does_not_converge), cmocka_unit_test(gives_up),
		cmocka_unit_test(cut_streams),	     cmocka_unit_test(damaged_streams),
		cmocka_unit_test(too_large),	     cmocka_unit_test(file_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
