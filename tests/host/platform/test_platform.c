/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op: who may, what is refused, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/boot.h>
#include <hv/control.h>
#include <hv/cpu.h>
#include <hv/efi.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/image.h>
#include <hv/irq.h>
#include <hv/microcode.h>
#include <hv/mtrr.h>
#include <hv/power.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/time.h>
#include <xen/platform.h>
#include "../sim/sim.h"

#define CPUS 4u

/* Power data stays for ever: its memory is not the simulated machine's to count. */
void *hv_alloc(size_t size)
{
	return calloc(1, size);
}

void hv_free(void *p)
{
	free(p);
}

/* --- what the operations reach --- */

struct boot_info boot_info;
struct efi_info efi_info;

static struct { u64 sec; u32 nsec; ns_t at; u32 calls; } wall;
void wallclock_set(u64 sec, u32 nsec, ns_t at)
{
	wall.sec = sec;
	wall.nsec = nsec;
	wall.at = at;
	wall.calls++;
}

ns_t tsc_to_ns(u64 tsc)
{
	return tsc + 7;
}

static u32 balance_off;
void irq_balance_disable(void)
{
	balance_off++;
}

int mtrr_read(u32 reg, struct mtrr_range *out)
{
	if (reg > 2)
		return -EINVAL;
	*out = reg == 1 ? (struct mtrr_range){ 0xc0000, 0x40000, 0 } : (struct mtrr_range){ 0, 0, 0 };
	return 0;
}

static u32 microcode_size;
int microcode_update(const u8 *data, u32 size)
{
	for (u32 i = 0; i < size; i++)
		assert_int_equal(data[i], (u8)(i * 3));
	microcode_size = size;
	return 0;
}

const char *symbol_get(u32 index, u64 *addr)
{
	static const char *const name[] = { "first", "a_rather_long_name_of_a_function", "last" };

	if (index >= 3)
		return NULL;
	*addr = 0x1000 + index;
	return name[index];
}

ns_t sched_idle_time(unsigned int cpu)
{
	return 1000 * (cpu + 1);
}

struct cpuid_leaf cpuid_host(u32 leaf, u32 subleaf)
{
	(void)subleaf;
	if (leaf == 1)
		return (struct cpuid_leaf){ 0x00800f12, 0, 0, 0 };
	return (struct cpuid_leaf){ 1, 0x68747541, 0x444d4163, 0x69746e65 };
}

static struct { u16 a, b; u32 extended; } sleep_values;
static jmp_buf off;
void machine_sleep_values(u16 a, u16 b)
{
	sleep_values.a = a;
	sleep_values.b = b;
}

void machine_sleep_type(u16 type)
{
	sleep_values.extended = type;
}

void machine_poweroff(void)
{
	longjmp(off, 1);
}

/* --- */

static struct domain *dom0_;
static struct vcpu *v;
static gva_t arg;
static struct xen_platform_op *op;

static int start(void **state)
{
	(void)state;
	sim_start(CPUS);
	dom0_ = sim_domain(0, true, 4, 256);
	v = sim_run_vcpu(dom0_, 0);
	arg = sim_alloc(dom0_, PAGE_SIZE);
	op = sim_ptr(dom0_, arg);
	for (u32 i = 0; i < CPUS; i++) {
		cpu_topology[i] = (struct cpu_topology){ .apic_id = 2 * i, .acpi_id = 100 + i };
		cpumask_set(&cpu_present_map, i);
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static long call(u32 cmd)
{
	op->cmd = cmd;
	op->interface_version = XENPF_INTERFACE_VERSION;
	return sim_call(v, do_platform_op, arg, 0, 0, 0, 0, 0);
}

static void test_refusals(void **state)
{
	struct domain *other = sim_domain(1, false, 1, 64);
	gva_t va = sim_alloc(other, PAGE_SIZE);

	(void)state;
	op->interface_version = XENPF_INTERFACE_VERSION + 1;
	op->cmd = XENPF_settime64;
	assert_int_equal(sim_call(v, do_platform_op, arg, 0, 0, 0, 0, 0), -EACCES);
	assert_int_equal(sim_call(v, do_platform_op, 8, 0, 0, 0, 0, 0), -EFAULT);
	for (u32 cmd = 0; cmd < 100; cmd++)
		if (cmd < 17 || (cmd > 17 && cmd < 31) || cmd == 34 || cmd > 63)
			assert_int_equal(call(cmd), -ENOSYS);
	assert_int_equal(call(~0u), -ENOSYS);
	sim_run_vcpu(other, 0);
	memcpy(sim_ptr(other, va), op, sizeof(*op));
	assert_int_equal(sim_call(other->vcpu[0], do_platform_op, va, 0, 0, 0, 0, 0), -EPERM);
	sim_run_vcpu(dom0_, 0);
	assert_int_equal(call(XENPF_efi_runtime_call), -ENOSYS);
	assert_int_equal(call(XENPF_mem_hotadd), -EOPNOTSUPP);
	assert_int_equal(wall.calls, 0);
}

static void test_settime(void **state)
{
	(void)state;
	op->u.settime64 = (struct xenpf_settime64){ 5000000000ULL, 999999999, 0, 12345 };
	assert_int_equal(call(XENPF_settime64), 0);
	assert_int_equal(wall.sec, 5000000000ULL);
	assert_int_equal(wall.nsec, 999999999);
	assert_int_equal(wall.at, 12345);
	op->u.settime64.nsecs = 1000000000;
	assert_int_equal(call(XENPF_settime64), -EINVAL);
	op->u.settime64 = (struct xenpf_settime64){ 1, 2, 1, 3 };
	assert_int_equal(call(XENPF_settime64), -EINVAL);
	assert_int_equal(wall.calls, 1);
	op->u.settime32 = (struct xenpf_settime32){ 77, 5, 6 };
	assert_int_equal(call(XENPF_settime32), 0);
	assert_int_equal(wall.sec, 77);
	wall.calls = 0;
}

static void test_memtype(void **state)
{
	(void)state;
	op->u.read_memtype.reg = 1;
	assert_int_equal(call(XENPF_read_memtype), 0);
	assert_int_equal(op->u.read_memtype.mfn, 0xc0000);
	assert_int_equal(op->u.read_memtype.nr_mfns, 0x40000);
	op->u.read_memtype.reg = 3;
	assert_int_equal(call(XENPF_read_memtype), -EINVAL);
	op->u.add_memtype = (struct xenpf_add_memtype){ .mfn = 0xc0000, .nr_mfns = 0x40000, .type = 0 };
	assert_int_equal(call(XENPF_add_memtype), 0);
	assert_int_equal(op->u.add_memtype.reg, 1);
	op->u.del_memtype = (struct xenpf_del_memtype){ 2, 1 };
	assert_int_equal(call(XENPF_del_memtype), 0);
	op->u.del_memtype = (struct xenpf_del_memtype){ 0, 1 };
	assert_int_equal(call(XENPF_del_memtype), -EINVAL);
	op->u.add_memtype = (struct xenpf_add_memtype){ .mfn = 0xd0000, .nr_mfns = 0x10, .type = 1 };
	assert_int_equal(call(XENPF_add_memtype), -EOPNOTSUPP);
	op->u.add_memtype.nr_mfns = 0;
	assert_int_equal(call(XENPF_add_memtype), -EINVAL);
}

static void test_quirks(void **state)
{
	(void)state;
	op->u.platform_quirk.quirk_id = QUIRK_NOIRQBALANCING;
	assert_int_equal(call(XENPF_platform_quirk), 0);
	assert_int_equal(balance_off, 1);
	op->u.platform_quirk.quirk_id = 9;
	assert_int_equal(call(XENPF_platform_quirk), -EINVAL);
}

static void test_microcode(void **state)
{
	gva_t data = sim_alloc(dom0_, 3 * PAGE_SIZE);
	u8 *p = sim_ptr(dom0_, data);

	(void)state;
	for (u32 i = 0; i < PAGE_SIZE; i++)
		p[i] = (u8)(i * 3);
	op->u.microcode.data.p = (void *)data;
	op->u.microcode.length = 3000;
	assert_int_equal(call(XENPF_microcode_update), 0);
	assert_int_equal(microcode_size, 3000);
	op->u.microcode.length = 0;
	assert_int_equal(call(XENPF_microcode_update), -EINVAL);
	op->u.microcode.length = MICROCODE_MAX + 1;
	assert_int_equal(call(XENPF_microcode_update), -E2BIG);
	op->u.microcode.length = 3000;
	op->u.microcode.data.p = (void *)8UL;
	assert_int_equal(call(XENPF_microcode_update), -EFAULT);
}

static long firmware(u32 type, u32 index)
{
	op->u.firmware_info.type = type;
	op->u.firmware_info.index = index;
	return call(XENPF_firmware_info);
}

static void test_firmware_bios(void **state)
{
	(void)state;
	memset(&efi_info, 0, sizeof(efi_info));
	assert_int_equal(firmware(XEN_FW_DISK_INFO, 0), -ESRCH);
	assert_int_equal(firmware(XEN_FW_VBEDDC_INFO, 0), -ESRCH);
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_VERSION), -ENODEV);
	assert_int_equal(firmware(99, 0), -EINVAL);
	assert_int_equal(firmware(XEN_FW_KBD_SHIFT_FLAGS, 1), -ESRCH);
}

static void test_firmware_efi(void **state)
{
	static const u16 name[] = { 'E', 'D', 'K', ' ', 'I', 'I' };
	gva_t text = sim_alloc(dom0_, PAGE_SIZE);
	const u16 *got = sim_ptr(dom0_, text);

	(void)state;
	efi_info = (struct efi_info){ .present = true, .revision = 0x20046, .runtime_revision = 0x2001e, .firmware_revision = 3,
				      .config_table = { 0x7f000000 }, .config_entries = 9 };
	memcpy(efi_info.vendor, name, sizeof(name));
	boot_info.nr_efi_memory = 2;
	boot_info.efi_memory[0] = (struct boot_efi_memory){ 0x1000, 0x9000, 0xf, 7 };
	boot_info.efi_memory[1] = (struct boot_efi_memory){ 0x7e000000, 0x100000, 0x800000000000000f, 5 };
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_VERSION), 0);
	assert_int_equal(op->u.firmware_info.u.efi_info.version, 0x20046);
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_RT_VERSION), 0);
	assert_int_equal(op->u.firmware_info.u.efi_info.version, 0x2001e);
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_CONFIG_TABLE), 0);
	assert_int_equal(op->u.firmware_info.u.efi_info.cfg.addr, 0x7f000000);
	assert_int_equal(op->u.firmware_info.u.efi_info.cfg.nent, 9);
	op->u.firmware_info.u.efi_info.vendor.bufsz = 100;
	op->u.firmware_info.u.efi_info.vendor.name.p = (void *)text;
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_VENDOR), 0);
	assert_int_equal(op->u.firmware_info.u.efi_info.vendor.revision, 3);
	assert_int_equal(op->u.firmware_info.u.efi_info.vendor.bufsz, 14);
	assert_memory_equal(got, name, sizeof(name));
	assert_int_equal(got[6], 0);
	op->u.firmware_info.u.efi_info.mem.addr = 0x7e0fffff;
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_MEM_INFO), 0);
	assert_int_equal(op->u.firmware_info.u.efi_info.mem.addr, 0x7e000000);
	assert_int_equal(op->u.firmware_info.u.efi_info.mem.type, 5);
	op->u.firmware_info.u.efi_info.mem.addr = 0x7e100000;
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_MEM_INFO), -ESRCH);
	assert_int_equal(firmware(XEN_FW_EFI_INFO, XEN_FW_EFI_PCI_ROM), -ENODEV);
	assert_int_equal(firmware(XEN_FW_EFI_INFO, 77), -EINVAL);
	assert_int_equal(firmware(XEN_FW_KBD_SHIFT_FLAGS, 0), -ENODEV);
}

static void test_symbols(void **state)
{
	gva_t text = sim_alloc(dom0_, PAGE_SIZE);
	struct xenpf_symdata *s = &op->u.symdata;
	char *got = sim_ptr(dom0_, text);

	(void)state;
	*s = (struct xenpf_symdata){ .namelen = 8, .symnum = 0 };
	s->name.p = (void *)text;
	assert_int_equal(call(XENPF_get_symbol), 0);
	assert_string_equal(got, "first");
	assert_int_equal(s->symnum, 1);
	assert_int_equal(s->namelen, 5);
	assert_int_equal(s->address, 0x1000);
	memset(got, 'x', 20);
	s->namelen = 8;
	assert_int_equal(call(XENPF_get_symbol), 0);
	assert_int_equal(s->namelen, 32);
	assert_memory_equal(got, "a_ratherxxx", 11);
	s->namelen = 100;
	assert_int_equal(call(XENPF_get_symbol), 0);
	assert_string_equal(got, "last");
	assert_int_equal(s->symnum, 3);
	assert_int_equal(call(XENPF_get_symbol), 0);
	assert_int_equal(s->symnum, 3);
	s->symnum = 4;
	assert_int_equal(call(XENPF_get_symbol), -ERANGE);
}

/* --- CPUs --- */

static void test_cpu_info(void **state)
{
	(void)state;
	cpumask_clear(&cpu_online_map, 3);
	op->u.pcpu_info.xen_cpuid = 3;
	assert_int_equal(call(XENPF_get_cpuinfo), 0);
	assert_int_equal(op->u.pcpu_info.max_present, 3);
	assert_int_equal(op->u.pcpu_info.flags, 0);
	assert_int_equal(op->u.pcpu_info.apic_id, 6);
	assert_int_equal(op->u.pcpu_info.acpi_id, 103);
	op->u.pcpu_info.xen_cpuid = 1;
	assert_int_equal(call(XENPF_get_cpuinfo), 0);
	assert_int_equal(op->u.pcpu_info.flags, XEN_PCPU_FLAGS_ONLINE);
	op->u.pcpu_info.xen_cpuid = 4;
	assert_int_equal(call(XENPF_get_cpuinfo), 0);
	assert_int_equal(op->u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
	op->u.pcpu_version.xen_cpuid = 1;
	assert_int_equal(call(XENPF_get_cpu_version), 0);
	assert_memory_equal(op->u.pcpu_version.vendor_id, "AuthenticAMD", 12);
	assert_int_equal(op->u.pcpu_version.family, 0x17);
	assert_int_equal(op->u.pcpu_version.model, 0x1);
	assert_int_equal(op->u.pcpu_version.stepping, 2);
	op->u.pcpu_version.xen_cpuid = 1000000;
	assert_int_equal(call(XENPF_get_cpu_version), 0);
	assert_int_equal(op->u.pcpu_version.family, 0);
}

static long on_off(u32 cmd, u32 cpu)
{
	op->u.cpu_ol.cpuid = cpu;
	return call(cmd);
}

static void test_cpu_online(void **state)
{
	(void)state;
	assert_int_equal(on_off(XENPF_cpu_offline, 0), -EINVAL);
	assert_int_equal(on_off(XENPF_cpu_offline, 4), -EINVAL);
	assert_int_equal(on_off(XENPF_cpu_offline, 1000000), -EINVAL);
	assert_int_equal(on_off(XENPF_cpu_offline, 2), 0);
	assert_false(cpu_online(2));
	assert_int_equal(on_off(XENPF_cpu_offline, 2), 0);
	assert_int_equal(on_off(XENPF_cpu_online, 2), 0);
	assert_true(cpu_online(2));
	assert_int_equal(on_off(XENPF_cpu_online, 2), 0);
	assert_int_equal(on_off(XENPF_cpu_online, 4), -EINVAL);
	op->u.cpu_add = (struct xenpf_cpu_hotadd){ 4, 102, 0 };
	assert_int_equal(call(XENPF_cpu_hotadd), 2);
	op->u.cpu_add.acpi_id = 7;
	assert_int_equal(call(XENPF_cpu_hotadd), -EOPNOTSUPP);
}

static long on_off_once(u32 cmd, u32 cpu)
{
	u64 args[6] = { arg };

	op->cmd = cmd;
	op->interface_version = XENPF_INTERFACE_VERSION;
	op->u.cpu_ol.cpuid = cpu;
	return sim_call_limited(v, do_platform_op, args, 3);
}

/* While a domctl or sysctl runs on CPU 3, CPUs neither come nor go: the caller tries again. */
static void test_cpu_control_lock(void **state)
{
	(void)state;
	for (u32 up = 0; up < 2; up++) {
		u32 cmd = up ? XENPF_cpu_online : XENPF_cpu_offline;

		sim_cpu_switch(3);
		assert_true(control_lock());
		sim_cpu_switch(v->cpu);
		assert_int_equal(on_off_once(cmd, 2), -ERESTART);
		assert_int_equal(cpu_online(2), !up);
		sim_cpu_switch(3);
		control_unlock();
		sim_cpu_switch(v->cpu);
		assert_int_equal(on_off_once(cmd, 2), 0);
		assert_int_equal(cpu_online(2), up);
	}
}

/* The caller runs on the CPU that is to go: CPU 0 takes it off, the caller goes on elsewhere. */
static void test_cpu_offline_self(void **state)
{
	u64 args[6] = { arg };

	(void)state;
	v = sim_run(dom0_->vcpu[1], 2);
	op->cmd = XENPF_cpu_offline;
	op->interface_version = XENPF_INTERFACE_VERSION;
	op->u.cpu_ol.cpuid = 2;
	assert_int_equal(sim_call_limited(v, do_platform_op, args, 3), -ERESTART);
	assert_true(cpu_online(2));
	/* Somebody else's request for its own CPU has to wait its turn. */
	sim_run(dom0_->vcpu[2], 3);
	op->u.cpu_ol.cpuid = 3;
	assert_int_equal(sim_call_limited(dom0_->vcpu[2], do_platform_op, args, 3), -EBUSY);
	sim_deschedule(v);
	sim_run(v, 1);
	sim_cpu_switch(0);
	sim_clock_advance(0);
	assert_false(cpu_online(2));
	sim_cpu_switch(1);
	op->u.cpu_ol.cpuid = 2;
	assert_int_equal(sim_call_limited(v, do_platform_op, args, 3), 0);
	assert_int_equal(sim_call_limited(v, do_platform_op, args, 3), 0);
}

static void test_parking(void **state)
{
	(void)state;
	op->u.core_parking = (struct xenpf_core_parking){ XEN_CORE_PARKING_SET, 2 };
	assert_int_equal(call(XENPF_core_parking), 0);
	assert_int_equal(cpumask_weight(&cpu_online_map), 2);
	op->u.core_parking = (struct xenpf_core_parking){ XEN_CORE_PARKING_GET, 0 };
	assert_int_equal(call(XENPF_core_parking), 0);
	assert_int_equal(op->u.core_parking.idle_nums, 2);
	op->u.core_parking = (struct xenpf_core_parking){ XEN_CORE_PARKING_SET, 100 };
	assert_int_equal(call(XENPF_core_parking), -EBUSY);
	assert_int_equal(cpumask_weight(&cpu_online_map), 1);
	op->u.core_parking = (struct xenpf_core_parking){ XEN_CORE_PARKING_SET, 0 };
	assert_int_equal(call(XENPF_core_parking), 0);
	assert_int_equal(cpumask_weight(&cpu_online_map), 4);
	op->u.core_parking.type = 9;
	assert_int_equal(call(XENPF_core_parking), -EINVAL);
}

static void test_idle_time(void **state)
{
	gva_t bits = sim_alloc(dom0_, PAGE_SIZE), times = sim_alloc(dom0_, PAGE_SIZE);
	u8 *map = sim_ptr(dom0_, bits);
	u64 *time = sim_ptr(dom0_, times);

	(void)state;
	map[0] = 0x3b;
	map[1] = 1;
	memset(time, 0xff, 100);
	op->u.getidletime.cpumap_bitmap.p = (void *)bits;
	op->u.getidletime.idletime.p = (void *)times;
	op->u.getidletime.cpumap_nr_cpus = 9;
	assert_int_equal(call(XENPF_getidletime), 0);
	assert_int_equal(map[0], 0x0b);
	assert_int_equal(map[1], 0);
	assert_int_equal(time[0], 1000);
	assert_int_equal(time[1], 2000);
	assert_int_equal(time[2], ~0UL);
	assert_int_equal(time[3], 4000);
	assert_int_equal(time[4], 0);
	assert_int_equal(time[8], 0);
	assert_int_equal(time[9], ~0UL);
	assert_int_equal(op->u.getidletime.now, sim_clock);
	op->u.getidletime.idletime.p = (void *)8UL;
	assert_int_equal(call(XENPF_getidletime), -EFAULT);
}

static void test_frequency(void **state)
{
	(void)state;
	op->u.change_freq = (struct xenpf_change_freq){ 0, 1, 2000000000 };
	assert_int_equal(call(XENPF_change_freq), 0);
	op->u.change_freq.flags = 1;
	assert_int_equal(call(XENPF_change_freq), -EINVAL);
	op->u.change_freq = (struct xenpf_change_freq){ 0, 9, 2000000000 };
	assert_int_equal(call(XENPF_change_freq), -EINVAL);
}

static void test_resource(void **state)
{
	gva_t list = sim_alloc(dom0_, PAGE_SIZE);
	struct xenpf_resource_entry *e = sim_ptr(dom0_, list);

	(void)state;
	op->u.resource_op.nr_entries = 2;
	op->u.resource_op.cpu = 1;
	op->u.resource_op.entries.p = (void *)list;
	e[0] = (struct xenpf_resource_entry){ .u.cmd = XEN_RESOURCE_OP_MSR_READ, .idx = 0x10 };
	e[1] = (struct xenpf_resource_entry){ .u.cmd = XEN_RESOURCE_OP_MSR_READ, .idx = 0xc0000080 };
	assert_int_equal(call(XENPF_resource_op), 1);
	assert_int_equal(e[1].u.ret, -EPERM);
	e[0].rsvd = 1;
	assert_int_equal(call(XENPF_resource_op), 0);
	assert_int_equal(e[0].u.ret, -EINVAL);
	e[0] = (struct xenpf_resource_entry){ .u.cmd = XEN_RESOURCE_OP_MSR_WRITE, .idx = 0x10 };
	assert_int_equal(call(XENPF_resource_op), 0);
	assert_int_equal(e[0].u.ret, -EPERM);
	op->u.resource_op.nr_entries = 1000;
	assert_int_equal(call(XENPF_resource_op), -EINVAL);
	op->u.resource_op.nr_entries = 1;
	op->u.resource_op.cpu = 77;
	assert_int_equal(call(XENPF_resource_op), -ENODEV);
}

/* --- power --- */

static void test_sleep(void **state)
{
	static bool is_off;

	(void)state;
	op->u.enter_acpi_sleep = (struct xenpf_enter_acpi_sleep){ 0x1400, 0, 3, 0 };
	assert_int_equal(call(XENPF_enter_acpi_sleep), -EOPNOTSUPP);
	op->u.enter_acpi_sleep = (struct xenpf_enter_acpi_sleep){ 0x1400, 0, 5, 8 };
	assert_int_equal(call(XENPF_enter_acpi_sleep), -EINVAL);
	op->u.enter_acpi_sleep = (struct xenpf_enter_acpi_sleep){ 0x1400, 0x2400, 5, 0 };
	if (setjmp(off) == 0)
		call(XENPF_enter_acpi_sleep);
	else
		is_off = true;
	assert_true(is_off);
	assert_int_equal(sleep_values.a, 0x1400);
	assert_int_equal(sleep_values.b, 0x2400);
}

static void test_pminfo(void **state)
{
	gva_t list = sim_alloc(dom0_, PAGE_SIZE);
	struct xenpf_set_processor_pminfo *p = &op->u.set_pminfo;
	struct xen_processor_px *px = sim_ptr(dom0_, list);
	struct xen_processor_cx *cx = sim_ptr(dom0_, list);
	u32 *pdc = sim_ptr(dom0_, list);
	static struct power_data data;

	(void)state;
	assert_int_equal(power_data_get(1, &data), -ENODATA);
	assert_int_equal(power_data_get(MAX_CPUS, &data), -EINVAL);
	for (u32 i = 0; i < 3; i++)
		px[i] = (struct xen_processor_px){ 3000 - 500 * i, 90, 10, 10, i, i };
	memset(p, 0, sizeof(*p));
	p->id = 101;
	p->type = XEN_PM_PX;
	p->u.perf.flags = XEN_PX_PSS | XEN_PX_PPC;
	p->u.perf.state_count = 3;
	p->u.perf.states.p = (void *)list;
	p->u.perf.platform_limit = 1;
	assert_int_equal(call(XENPF_set_processor_pminfo), 0);
	assert_int_equal(power_data_get(1, &data), 0);
	assert_int_equal(data.px_count, 3);
	assert_int_equal(data.px[1].frequency, 2500);
	assert_int_equal(data.px_limit, 1);
	/* Refused: the old data stays. */
	p->u.perf.platform_limit = 3;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);
	p->u.perf.platform_limit = 0;
	p->u.perf.state_count = 1000;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);
	p->u.perf.state_count = 2;
	px[1].core_frequency = 0;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);
	p->u.perf.states.p = (void *)8UL;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EFAULT);
	p->u.perf.flags = 0x100;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);
	p->id = 999;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);
	assert_int_equal(power_data_get(1, &data), 0);
	assert_int_equal(data.px_count, 3);

	memset(p, 0, sizeof(*p));
	p->id = 101;
	p->type = XEN_PM_CX;
	p->u.power.count = 2;
	p->u.power.states.p = (void *)list;
	memset(cx, 0, 2 * sizeof(*cx));
	cx[0].type = 1;
	cx[0].reg.space_id = 0x7f;
	cx[1].type = 2;
	cx[1].latency = 50;
	assert_int_equal(call(XENPF_set_processor_pminfo), 0);
	assert_int_equal(power_data_get(1, &data), 0);
	assert_int_equal(data.cx_count, 2);
	assert_int_equal(data.cx[1].latency, 50);
	assert_int_equal(data.px_count, 3);
	cx[1].type = 4;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);

	p->type = XEN_PM_PDC;
	p->u.pdc.p = (void *)list;
	pdc[0] = pdc[1] = 1;
	pdc[2] = 0xb;
	assert_int_equal(call(XENPF_set_processor_pminfo), 0);
	pdc[1] = 70;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);
	p->type = XEN_PM_TX;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EOPNOTSUPP);
	p->type = 12;
	assert_int_equal(call(XENPF_set_processor_pminfo), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refusals), TEST(test_settime), TEST(test_memtype), TEST(test_quirks), TEST(test_microcode),
		TEST(test_firmware_bios), TEST(test_firmware_efi), TEST(test_symbols), TEST(test_cpu_info),
		TEST(test_cpu_online), TEST(test_cpu_offline_self), TEST(test_cpu_control_lock), TEST(test_parking), TEST(test_idle_time),
		TEST(test_frequency), TEST(test_resource), TEST(test_sleep), TEST(test_pminfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
