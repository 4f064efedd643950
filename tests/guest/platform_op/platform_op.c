/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op, for dom0: CPUs, time, firmware; versions and commands that do not exist. */
#include <guest/guest.h>
#include <xen/platform.h>

static struct xen_platform_op op;

static long call(u32 cmd)
{
	op.cmd = cmd;
	op.interface_version = XENPF_INTERFACE_VERSION;
	return HYPERVISOR_platform_op(&op);
}

static void test_cpus(void)
{
	test_begin("CPUs");
	memset(&op, 0, sizeof(op));
	if (expect_eq(call(XENPF_get_cpuinfo), 0)) {
		expect(op.u.pcpu_info.flags & XEN_PCPU_FLAGS_ONLINE);
		expect_eq(op.u.pcpu_info.max_present, 0);
	}
	memset(&op, 0, sizeof(op));
	op.u.pcpu_info.xen_cpuid = 4000;
	if (call(XENPF_get_cpuinfo) == 0)
		expect(op.u.pcpu_info.flags & XEN_PCPU_FLAGS_INVALID);
	memset(&op, 0, sizeof(op));
	op.u.pcpu_version.xen_cpuid = 0;
	if (expect_eq(call(XENPF_get_cpu_version), 0))
		expect(op.u.pcpu_version.family >= 6);
	memset(&op, 0, sizeof(op));
	op.u.cpu_ol.cpuid = 4000;
	expect(call(XENPF_cpu_offline) < 0);
	expect(call(XENPF_cpu_online) < 0);
}

static void test_time(void)
{
	u64 before = time_wall();

	test_begin("wall clock");
	memset(&op, 0, sizeof(op));
	op.u.settime64.secs = 1700000000;
	op.u.settime64.nsecs = 5;
	op.u.settime64.system_time = time_now();
	expect_eq(call(XENPF_settime64), 0);
	expect_msg(time_wall() >= 1700000000 && time_wall() < 1700000100, "%lu", time_wall());
	op.u.settime64.mbz = 1;
	expect(call(XENPF_settime64) < 0);
	op.u.settime64.mbz = 0;
	op.u.settime64.secs = before;
	op.u.settime64.system_time = time_now();
	expect_eq(call(XENPF_settime64), 0);
}

static void test_refused(void)
{
	u64 *buf = page_alloc();

	test_begin("refused");
	memset(&op, 0, sizeof(op));
	op.cmd = XENPF_get_cpuinfo;
	op.interface_version = 1;
	expect(HYPERVISOR_platform_op(&op) < 0);
	expect(call(9999) < 0);
	expect(HYPERVISOR_platform_op(NULL) < 0);
	/* Microcode that is none. */
	memset(&op, 0, sizeof(op));
	set_xen_guest_handle(op.u.microcode.data, buf);
	op.u.microcode.length = 4096;
	expect(call(XENPF_microcode_update) < 0);
	op.u.microcode.length = 0xffffffff;
	expect(call(XENPF_microcode_update) < 0);
	op.u.microcode.length = 0;
	expect(call(XENPF_microcode_update) < 0);
	/* Sleep with values that are not the machine's. */
	memset(&op, 0, sizeof(op));
	op.u.enter_acpi_sleep.sleep_state = 9;
	expect(call(XENPF_enter_acpi_sleep) < 0);
	/* Memory that is not there to be added. */
	memset(&op, 0, sizeof(op));
	op.u.mem_add.spfn = 0;
	op.u.mem_add.epfn = ~0UL;
	expect(call(XENPF_mem_hotadd) < 0);
	page_free(buf);
}

void guest_main(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN)) {
		test_begin("platform_op");
		test_skip("for dom0");
		return;
	}
	test_cpus();
	test_time();
	test_refused();
}
