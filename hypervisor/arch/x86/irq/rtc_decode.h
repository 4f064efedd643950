/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a CMOS clock (MC146818) and what date they mean. Pure. */
#ifndef ARCH_X86_IRQ_RTC_DECODE_H
#define ARCH_X86_IRQ_RTC_DECODE_H

#include <hv/types.h>

struct rtc_registers {
	u8 second, minute, hour, day, month, year;
	u8 century;		/* 0 if there is no such register */
	u8 status_b;
};

#define RTC_B_BINARY 4u
#define RTC_B_24H 2u
#define RTC_HOUR_PM 0x80u

static inline unsigned int rtc_number(const struct rtc_registers *r, u8 val)
{
	return r->status_b & RTC_B_BINARY ? val : (unsigned int)(val >> 4) * 10 + (val & 15);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; year from 1970, month from 1, day from 1. */
static inline u64 days_since_1970(unsigned int year, unsigned int month, unsigned int day)
{
	/* The year begins in March, so that the leap day is its last. */
	unsigned int y = month > 2 ? year : year - 1;
	unsigned int m = month > 2 ? month - 3 : month + 9;

	return (u64)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* Seconds since 1970; 0 when the registers hold no date. */
static inline u64 rtc_decode(const struct rtc_registers *r)
{
	static const u8 month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned int second = rtc_number(r, r->second), minute = rtc_number(r, r->minute);
	unsigned int hour = rtc_number(r, r->hour & (u8)~RTC_HOUR_PM), day = rtc_number(r, r->day);
	unsigned int month = rtc_number(r, r->month), year = rtc_number(r, r->year);
	unsigned int century = r->century ? rtc_number(r, r->century) : 0;

	if (!(r->status_b & RTC_B_24H)) {
		if (hour < 1 || hour > 12)
			return 0;
		hour = hour % 12 + (r->hour & RTC_HOUR_PM ? 12 : 0);
	}
	if (second > 59 || minute > 59 || hour > 23 || month < 1 || month > 12 || year > 99 || day < 1 ||
	    day > month_days[month - 1])
		return 0;
	/* A century register that holds nonsense counts as none; two digits mean 1970 to 2069. */
	year += century >= 19 && century <= 99 ? century * 100 : year < 70 ? 2000 : 1900;
	if (year < 1970)
		return 0;
	return ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

#endif
