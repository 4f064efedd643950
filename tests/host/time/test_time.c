/* SPDX-License-Identifier: BSD-2-Clause */
/* Clock arithmetic, the CMOS clock's registers, and time as a guest reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/timer.h>
#include "../../../hypervisor/arch/x86/irq/rtc_decode.h"
#include "../sim/sim.h"

#define SECOND 1000000000ULL

/* The machine's clock: a TSC that starts at a large value at time 0. */
static u64 host_hz = 2596138000ULL;
static struct time_scale line;
static bool common = true;
static u64 rtc_seconds;

void tsc_init(void)
{
	line = (struct time_scale){ 0x123456789abULL, 0, time_ratio_make(host_hz, SECOND) };
}

void tsc_init_cpu(void)
{
}

u64 tsc_khz(void)
{
	return host_hz / 1000;
}

bool tsc_reliable(void)
{
	return common;
}

void time_scale_get(struct time_scale *scale, bool *stable)
{
	*scale = line;
	*stable = common;
}

u64 rtc_read(void)
{
	return rtc_seconds;
}

void log_clock_set(ns_t (*now)(void))
{
	(void)now;
}

static int start(void **state)
{
	(void)state;
	common = true;
	sim_start(2);
	time_init();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

/* --- arithmetic --- */

static void test_ratio_precision(void **state)
{
	static const u64 hz[] = { 1, 1000, 32768, 1193182, 3579545, 14318180, 100000000, 999999999, 1000000000, 1000000001,
				  2596138000ULL, 4000000000ULL, 5999999999ULL, 1ULL << 40 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hz); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(hz); k++) {
			struct time_ratio r = time_ratio_make(hz[i], hz[k]);
			/* Ten seconds' worth of counts. */
			unsigned __int128 x = (unsigned __int128)hz[i] * 10, y = (unsigned __int128)hz[k] * 10;
			u64 got;

			assert_true(r.mul >= 1u << 31);
			if (r.shift < -31 || r.shift > 31)
				continue;
			if (r.shift > 0 && x << r.shift >> 64)
				continue;
			got = time_ratio_apply(r, (u64)x);
			assert_true(got <= y);
			assert_true(y - got <= (y >> 31) + 1);
		}
	}
}

static void test_ratio_invert(void **state)
{
	(void)state;
	srand(3);
	for (int i = 0; i < 100000; i++) {
		struct time_ratio r = time_ratio_make(1000000 + (u64)rand() * 3, SECOND);
		u64 y = ((u64)rand() << 25) ^ (u64)rand();
		u64 x = time_ratio_invert(r, y), back = time_ratio_apply(r, x);
		u64 step = time_ratio_apply(r, x + (r.shift < 0 ? 1u << -r.shift : 1)) - back + 1;

		assert_true(back <= y + step && y <= back + step);
	}
}

static void test_scale_is_monotonic(void **state)
{
	struct time_scale s = { 1000, 5000, time_ratio_make(3000000001ULL, SECOND) };
	ns_t last = 0;

	(void)state;
	assert_int_equal(time_scale_apply(&s, 0), 5000);
	for (u64 tsc = 0; tsc < 100000; tsc++) {
		ns_t now = time_scale_apply(&s, tsc);

		assert_true(now >= last);
		last = now;
	}
}

/* --- CMOS clock --- */

static u8 bcd(int n)
{
	return (u8)(n / 10 << 4 | n % 10);
}

static void test_rtc_all_days(void **state)
{
	(void)state;
	for (time_t t = 0; t < 4102444800; t += 86400 / 2 + 12345) {
		struct tm tm;
		struct rtc_registers r = { .status_b = RTC_B_24H };

		gmtime_r(&t, &tm);
		r.second = bcd(tm.tm_sec);
		r.minute = bcd(tm.tm_min);
		r.hour = bcd(tm.tm_hour);
		r.day = bcd(tm.tm_mday);
		r.month = bcd(tm.tm_mon + 1);
		r.year = bcd(tm.tm_year % 100);
		r.century = bcd(19 + tm.tm_year / 100);
		assert_int_equal(rtc_decode(&r), t);
		/* Without a century register two digits are enough until 2069. */
		r.century = 0;
		if (t < 3155760000)
			assert_int_equal(rtc_decode(&r), t);
		/* Binary, 12 hours. */
		r = (struct rtc_registers){ (u8)tm.tm_sec, (u8)tm.tm_min, 0, (u8)tm.tm_mday, (u8)(tm.tm_mon + 1),
					    (u8)(tm.tm_year % 100), (u8)(19 + tm.tm_year / 100), RTC_B_BINARY };
		r.hour = (u8)((tm.tm_hour + 11) % 12 + 1);
		if (tm.tm_hour >= 12)
			r.hour |= RTC_HOUR_PM;
		assert_int_equal(rtc_decode(&r), t);
	}
}

static void test_rtc_nonsense(void **state)
{
	const struct rtc_registers good = { 0x59, 0x59, 0x23, 0x31, 0x12, 0x99, 0x19, RTC_B_24H };
	struct rtc_registers r = good;

	(void)state;
	assert_int_equal(rtc_decode(&r), 946684799);
	r.month = 0x13;
	assert_int_equal(rtc_decode(&r), 0);
	r = good;
	r.day = 0;
	assert_int_equal(rtc_decode(&r), 0);
	r = good;
	r.hour = 0x24;
	assert_int_equal(rtc_decode(&r), 0);
	memset(&r, 0xff, sizeof(r));
	assert_int_equal(rtc_decode(&r), 0);
	memset(&r, 0, sizeof(r));
	assert_int_equal(rtc_decode(&r), 0);
	srand(4);
	for (int i = 0; i < 100000; i++) {
		for (size_t k = 0; k < sizeof(r); k++)
			((u8 *)&r)[k] = (u8)rand();
		assert_true(rtc_decode(&r) < 253402300800ULL);
	}
}

/* --- what a guest reads --- */

/* As a guest computes it (public header xen.h), from a TSC value. */
static ns_t guest_time(const struct vcpu_time_info *t, u64 tsc)
{
	u64 delta = tsc - t->tsc_timestamp;

	assert_false(t->version & 1);
	delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
	return t->system_time + (u64)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
}

static void test_time_info(void **state)
{
	struct domain *d = sim_domain(1, false, 1, 64);
	struct vcpu *v = sim_run_vcpu(d, 0);
	struct vcpu_time_info *t = &v->info->time;
	u32 version;

	(void)state;
	time_update_vcpu(v);
	version = t->version;
	assert_true(version > 0);
	for (ns_t now = 0; now < 1000 * SECOND; now += 777777777) {
		u64 tsc = line.tsc + time_ratio_invert(line.ratio, now);

		assert_true(guest_time(t, tsc) - now + 2 <= 4);
		/* What the guest shifts out is less than a nanosecond. */
		assert_true(time_scale_apply(&line, tsc) - guest_time(t, tsc) <= 1);
	}
	assert_int_equal(t->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
	/* Nothing changed, nothing is written. */
	time_update_vcpu(v);
	assert_int_equal(t->version, version);
	time_update_vcpu_force(v);
	assert_int_equal(t->version, version + 2);
	/* Another line, as on a CPU whose TSC differs. */
	line.tsc += 12345;
	common = false;
	time_update_vcpu(v);
	assert_int_equal(t->version, version + 4);
	assert_int_equal(t->flags, 0);
	assert_int_equal(t->tsc_timestamp, line.tsc);
}

static void test_secondary_copy(void **state)
{
	struct domain *d = sim_domain(1, false, 1, 64);
	struct vcpu *v = sim_run_vcpu(d, 0);
	gva_t va = sim_alloc(d, PAGE_SIZE);
	struct vcpu_time_info *copy = sim_ptr(d, va + 8);

	(void)state;
	v->time_guest = va + 8;
	time_update_vcpu_force(v);
	assert_false(v->time_guest_stale);
	assert_false(copy->version & 1);
	assert_true(copy->version > 0);
	assert_int_equal(copy->tsc_to_system_mul, v->info->time.tsc_to_system_mul);
	assert_int_equal(guest_time(copy, line.tsc), 0);
	/* Where it is not mapped it is tried again, until it is. */
	v->time_guest = sim_va(1000);
	time_update_vcpu_force(v);
	assert_true(v->time_guest_stale);
	v->time_guest = va + 64;
	time_update_vcpu(v);
	assert_false(v->time_guest_stale);
	assert_int_equal(((struct vcpu_time_info *)sim_ptr(d, va + 64))->system_time, v->info->time.system_time);
}

static void wallclock_check(const struct domain *d, u64 sec, u32 nsec)
{
	const struct shared_info *s = d->shared;

	assert_false(s->wc_version & 1);
	assert_int_equal((u64)s->wc_sec_hi << 32 | s->wc_sec, sec);
	assert_int_equal(s->wc_nsec, nsec);
}

static void test_wallclock(void **state)
{
	struct domain *d = sim_domain(1, false, 1, 64);
	u64 sec;
	u32 nsec;

	(void)state;
	/* 10.5 s after boot it was 5000000000.25: so it was 4999999989.75 at boot. */
	wallclock_set(5000000000ULL, 250000000, 10 * SECOND + 500000000);
	wallclock_update(d);
	wallclock_check(d, 4999999989ULL, 750000000);
	d->wallclock_offset = -3600;
	wallclock_update(d);
	wallclock_check(d, 4999999989ULL - 3600, 750000000);
	sim_clock = 2 * SECOND + 400000000;
	wallclock_now(&sec, &nsec);
	assert_int_equal(sec, 4999999992ULL);
	assert_int_equal(nsec, 150000000);
	/* A clock before boot's 1970 is taken as 1970 at boot. */
	wallclock_set(3, 0, 10 * SECOND);
	d->wallclock_offset = 0;
	wallclock_update(d);
	wallclock_check(d, 0, 0);
}

static void test_boot_wallclock(void **state)
{
	struct domain *d;

	(void)state;
	rtc_seconds = 1700000000;
	sim_clock = SECOND / 2;
	time_init();
	d = sim_domain(1, false, 1, 64);
	wallclock_update(d);
	wallclock_check(d, 1699999999, 500000000);
}

/* --- TSC modes --- */

static void test_tsc_modes(void **state)
{
	struct domain *d = sim_domain(1, false, 1, 64);
	u32 mode, khz, incarnation;
	u64 elapsed;

	(void)state;
	/* Same frequency, good TSC: native. */
	assert_int_equal(tsc_mode_set(d, 0, 0, (u32)tsc_khz(), 1), 0);
	assert_false(d->vtsc);
	assert_int_equal(tsc_guest_khz(d), tsc_khz());
	/* Another frequency: emulated, and it goes on from where it was. */
	assert_int_equal(tsc_mode_set(d, 0, 3600 * SECOND, 2000000, 2), 0);
	assert_true(d->vtsc);
	assert_int_equal(tsc_guest_khz(d), 2000000);
	assert_true(tsc_guest_read(d) / 1000000 == 3600ULL * 2000);
	sim_clock += 5 * SECOND;
	tsc_mode_get(d, &mode, &elapsed, &khz, &incarnation);
	assert_int_equal(mode, 0);
	assert_int_equal(khz, 2000000);
	assert_int_equal(incarnation, 2);
	assert_int_equal(elapsed, 3605 * SECOND);
	/* A TSC that cannot be trusted: emulated, unless the domain wants it as it is. */
	common = false;
	assert_int_equal(tsc_mode_set(d, 0, 0, 0, 0), 0);
	assert_true(d->vtsc);
	assert_int_equal(tsc_mode_set(d, 2, 0, 0, 0), 0);
	assert_false(d->vtsc);
	common = true;
	assert_int_equal(tsc_mode_set(d, 1, 0, 0, 0), 0);
	assert_true(d->vtsc);
	assert_int_equal(tsc_mode_set(d, 3, 0, 0, 0), -EINVAL);
	assert_int_equal(tsc_mode_set(d, 1, 0, 10, 0), -EINVAL);
	assert_true(d->vtsc);
}

/* The guest's own arithmetic on an emulated TSC gives system time, after years too. */
static void test_emulated_tsc_agrees(void **state)
{
	struct domain *d = sim_domain(1, false, 1, 64);
	struct vcpu *v = sim_run_vcpu(d, 0);

	(void)state;
	assert_int_equal(tsc_mode_set(d, 1, 5 * SECOND, 2345678, 0), 0);
	for (u64 i = 0; i < 60; i++) {
		sim_clock += (i * i * i * i) * SECOND + 12345;
		time_update_vcpu(v);
		assert_int_equal(v->info->time.flags, XEN_PVCLOCK_TSC_STABLE_BIT);
		assert_true(guest_time(&v->info->time, tsc_guest_read(d)) - sim_clock + 4 <= 8);
	}
}

static long set_timer(struct vcpu *v, u64 when)
{
	return sim_call(v, do_set_timer_op, when, 0, 0, 0, 0, 0);
}

static u32 fired;
static void fire(void *arg)
{
	(void)arg;
	fired++;
}

static void test_set_timer_op(void **state)
{
	struct domain *d = sim_domain(1, false, 1, 64);
	struct vcpu *v = sim_run_vcpu(d, 0);

	(void)state;
	fired = 0;
	timer_init(&v->singleshot, fire, v, 1);
	assert_int_equal(set_timer(v, sim_clock + 1000), 0);
	assert_int_equal(v->singleshot.cpu, v->cpu);
	sim_clock_advance(999);
	assert_int_equal(fired, 0);
	sim_clock_advance(1);
	assert_int_equal(fired, 1);
	/* The past, and what is negative. */
	assert_int_equal(set_timer(v, 1), 0);
	sim_clock_advance(0);
	assert_int_equal(fired, 2);
	assert_int_equal(set_timer(v, (u64)-5), 0);
	sim_clock_advance(0);
	assert_int_equal(fired, 3);
	assert_int_equal(set_timer(v, sim_clock + 1000), 0);
	assert_int_equal(set_timer(v, 0), 0);
	sim_clock_advance(5000);
	assert_int_equal(fired, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ratio_precision), cmocka_unit_test(test_ratio_invert),
		cmocka_unit_test(test_scale_is_monotonic), cmocka_unit_test(test_rtc_all_days),
		cmocka_unit_test(test_rtc_nonsense), TEST(test_time_info), TEST(test_secondary_copy), TEST(test_wallclock),
		TEST(test_boot_wallclock), TEST(test_tsc_modes), TEST(test_emulated_tsc_agrees), TEST(test_set_timer_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
