/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op: the machine's clock, firmware, CPUs and power, for dom0. */
#include "platform.h"
#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/time.h>

#define NANOSECONDS 1000000000u

static long settime(u64 sec, u32 nsec, ns_t at)
{
	if (nsec >= NANOSECONDS)
		return -EINVAL;
	wallclock_set(sec, nsec, at);
	return 0;
}

static long op_settime32(struct vcpu *v, struct xen_platform_op *op)
{
	(void)v;
	return settime(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
}

static long op_settime64(struct vcpu *v, struct xen_platform_op *op)
{
	(void)v;
	if (op->u.settime64.mbz)
		return -EINVAL;
	return settime(op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
}

static long op_quirk(struct vcpu *v, struct xen_platform_op *op)
{
	(void)v;
	switch (op->u.platform_quirk.quirk_id) {
	case QUIRK_NOIRQBALANCING:
		irq_balance_disable();
		return 0;
	case QUIRK_IOAPIC_BAD_REGSEL:
	case QUIRK_IOAPIC_GOOD_REGSEL:
		/* The register is selected anew for each access anyway. */
		return 0;
	default:
		return -EINVAL;
	}
}

/* The hypervisor makes no EFI calls: dom0 gets along without. */
static long op_efi_call(struct vcpu *v, struct xen_platform_op *op)
{
	(void)v;
	(void)op;
	return -ENOSYS;
}

/* Memory that is added to a running machine is not taken into use. */
static long op_memory_hotadd(struct vcpu *v, struct xen_platform_op *op)
{
	(void)v;
	(void)op;
	return -EOPNOTSUPP;
}

struct platform_desc {
	platform_fn *fn;
	bool out;		/* the arguments are written back on success */
};

#define FIRST XENPF_settime32
#define OP(name) [XENPF_##name - FIRST]

static const struct platform_desc ops[] = {
	OP(settime32) = { op_settime32, false },
	OP(settime64) = { op_settime64, false },
	OP(add_memtype) = { platform_memtype_add, true },
	OP(del_memtype) = { platform_memtype_delete, false },
	OP(read_memtype) = { platform_memtype_read, true },
	OP(microcode_update) = { platform_microcode, false },
	OP(platform_quirk) = { op_quirk, false },
	OP(efi_runtime_call) = { op_efi_call, false },
	OP(firmware_info) = { platform_firmware_info, true },
	OP(enter_acpi_sleep) = { platform_sleep, false },
	OP(change_freq) = { platform_frequency, false },
	OP(getidletime) = { platform_idle_time, true },
	OP(set_processor_pminfo) = { platform_pminfo, false },
	OP(get_cpuinfo) = { platform_cpu_info, true },
	OP(get_cpu_version) = { platform_cpu_version, true },
	OP(cpu_online) = { platform_cpu_online, false },
	OP(cpu_offline) = { platform_cpu_offline, false },
	OP(cpu_hotadd) = { platform_cpu_hotadd, false },
	OP(mem_hotadd) = { op_memory_hotadd, false },
	OP(core_parking) = { platform_parking, true },
	OP(resource_op) = { platform_resource, false },
	OP(get_symbol) = { platform_symbol, true },
};

long do_platform_op(struct vcpu *v, u64 *args)
{
	struct xen_platform_op op;
	const struct platform_desc *desc;
	u32 nr;
	long rc;

	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, args[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	nr = op.cmd - FIRST;
	if (nr >= ARRAY_SIZE(ops))
		return -ENOSYS;
	desc = &ops[index_clamp(nr, ARRAY_SIZE(ops))];
	if (!desc->fn)
		return -ENOSYS;
	rc = desc->fn(v, &op);
	if (rc >= 0 && desc->out && guest_copy_out(v, args[0], &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
