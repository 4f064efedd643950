/* SPDX-License-Identifier: BSD-2-Clause */
/* The CMOS clock. dom0 owns it later; the hypervisor reads it once, at boot. */
#include <hv/time.h>
#include <hv/acpi.h>
#include <hv/io.h>
#include <hv/log.h>
#include <hv/string.h>
#include "rtc_decode.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define RTC_STATUS_A 10u
#define RTC_STATUS_B 11u
#define RTC_A_UPDATING 0x80u
/* FADT boot flags: there is no CMOS clock. */
#define FADT_NO_RTC (1u << 5)
/* An update takes 2 ms, and a read of a port about a microsecond. */
#define UPDATE_READS 10000u

static u8 cmos_read(u8 index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}

static void registers_read(struct rtc_registers *r)
{
	u8 century = acpi_info.fadt.present ? acpi_info.fadt.rtc_century : 0;

	for (u32 i = 0; i < UPDATE_READS && (cmos_read(RTC_STATUS_A) & RTC_A_UPDATING); i++)
		continue;
	*r = (struct rtc_registers){
		.second = cmos_read(0), .minute = cmos_read(2), .hour = cmos_read(4), .day = cmos_read(7),
		.month = cmos_read(8), .year = cmos_read(9), .status_b = cmos_read(RTC_STATUS_B),
		.century = century && century < 128 ? cmos_read(century) : 0,
	};
}

u64 rtc_read(void)
{
	struct rtc_registers a, b;
	u64 sec;

	if (acpi_info.fadt.present && (acpi_info.fadt.boot_flags & FADT_NO_RTC)) {
		log_warn("no CMOS clock: the wall clock begins in 1970 until dom0 sets it");
		return 0;
	}
	/* An update between two reads shows: then once more. Twice in a row it cannot happen. */
	registers_read(&a);
	for (int i = 0; i < 4; i++) {
		registers_read(&b);
		if (memcmp(&a, &b, sizeof(a)) == 0)
			break;
		a = b;
	}
	sec = rtc_decode(&a);
	if (!sec)
		log_warn("CMOS clock holds no date: the wall clock begins in 1970 until dom0 sets it");
	return sec;
}
