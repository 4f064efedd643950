/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op: sleep states of the machine, and power data of the CPUs. */
#include "platform.h"
#include <hv/boot.h>
#include <hv/compiler.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/power.h>

/* --- Sleep --- */

#define SLEEP_OFF 5u

long platform_sleep(struct vcpu *v, struct xen_platform_op *op)
{
	const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

	(void)v;
	if (s->flags & ~(u32)XENPF_ACPI_SLEEP_EXTENDED)
		return -EINVAL;
	if (s->sleep_state != SLEEP_OFF) {
		log_warn("dom0 asks for sleep state S%u: only S5 (off) is supported", s->sleep_state);
		return -EOPNOTSUPP;
	}
	if (s->flags & XENPF_ACPI_SLEEP_EXTENDED)
		machine_sleep_type(s->val_a);
	else
		machine_sleep_values(s->val_a, s->val_b);
	machine_poweroff();
}

/* --- Power data --- */

static struct power_data *power_data[MAX_CPUS];
/* One at a time; nothing is locked within. */
static struct spinlock power_lock = SPINLOCK(LOCK_CONTROL);

int power_data_get(unsigned int cpu, struct power_data *out)
{
	int rc = -ENODATA;

	if (cpu >= MAX_CPUS)
		return -EINVAL;
	spin_lock(&power_lock);
	if (power_data[cpu]) {
		*out = *power_data[cpu];
		rc = 0;
	}
	spin_unlock(&power_lock);
	return rc;
}

/* The CPU with an ACPI processor id, or -EINVAL. */
static int cpu_by_acpi_id(u32 id)
{
	unsigned int cpu;

	for_each_cpu(cpu, &cpu_present_map)
		if (cpu_topology[cpu].acpi_id == id)
			return (int)cpu;
	return -EINVAL;
}

static int cx_read(struct vcpu *v, const struct xen_processor_power *from, struct power_data *to)
{
	if (!from->count || from->count > POWER_CX_MAX)
		return -EINVAL;
	to->cx_count = from->count;
	for (u32 i = 0; i < from->count; i++) {
		struct xen_processor_cx cx;

		if (guest_array_in(v, &cx, from->states.p, i))
			return -EFAULT;
		/* C1 to C3, and registers in I/O space or "functional fixed hardware". */
		if (!cx.type || cx.type > 3 || cx.reg.space_id > 0x7f)
			return -EINVAL;
		to->cx[i] = (struct power_cx){ cx.type, (u8)cx.reg.space_id, cx.latency, cx.power, cx.reg.address };
	}
	return 0;
}

static int px_states_read(struct vcpu *v, const struct xen_processor_performance *from, struct power_data *to)
{
	if (!from->state_count || from->state_count > POWER_PX_MAX)
		return -EINVAL;
	to->px_count = from->state_count;
	for (u32 i = 0; i < from->state_count; i++) {
		struct xen_processor_px px;

		if (guest_array_in(v, &px, from->states.p, i))
			return -EFAULT;
		if (!px.core_frequency || px.core_frequency >> 32 || px.power >> 32 || px.transition_latency >> 32)
			return -EINVAL;
		to->px[i] = (struct power_px){ (u32)px.core_frequency, (u32)px.power, (u32)px.transition_latency,
					       px.control, px.status };
	}
	return 0;
}

/* flags says which parts there are; the others keep what an earlier call gave. */
static int px_read(struct vcpu *v, const struct xen_processor_performance *from, struct power_data *to)
{
	int rc = 0;

	if (!from->flags || from->flags & ~(u32)(XEN_PX_PCT | XEN_PX_PSS | XEN_PX_PPC | XEN_PX_PSD))
		return -EINVAL;
	if (from->flags & XEN_PX_PSS)
		rc = px_states_read(v, from, to);
	if (!rc && (from->flags & XEN_PX_PSD)) {
		if (from->shared_type < XEN_CPUPERF_SHARED_TYPE_HW || from->shared_type > XEN_CPUPERF_SHARED_TYPE_ANY ||
		    from->domain_info.domain >> 32)
			return -EINVAL;
		to->px_shared = from->shared_type;
		to->px_domain = (u32)from->domain_info.domain;
	}
	if (!rc && (from->flags & XEN_PX_PPC)) {
		if (to->px_count && from->platform_limit >= to->px_count)
			return -EINVAL;
		to->px_limit = from->platform_limit;
	}
	return rc;
}

/* The _PDC buffer: revision, number of words, capabilities. dom0's own proposal stands: nothing has to be added to it. */
static int pdc_check(struct vcpu *v, const struct xenpf_set_processor_pminfo *p)
{
	u32 words[3];

	if (guest_copy_in(v, words, (gva_t)(uintptr_t)p->u.pdc.p, sizeof(words)))
		return -EFAULT;
	return words[0] == 1 && words[1] == 1 ? 0 : -EINVAL;
}

static int data_set(struct vcpu *v, const struct xenpf_set_processor_pminfo *p, unsigned int cpu)
{
	struct power_data *new = hv_alloc(sizeof(*new)), *old;
	int rc;

	if (!new)
		return -ENOMEM;
	(void)!power_data_get(cpu, new);
	rc = p->type == XEN_PM_CX ? cx_read(v, &p->u.power, new) : px_read(v, &p->u.perf, new);
	if (rc) {
		hv_free(new);
		return rc;
	}
	spin_lock(&power_lock);
	old = power_data[cpu];
	power_data[cpu] = new;
	spin_unlock(&power_lock);
	hv_free(old);
	return 0;
}

long platform_pminfo(struct vcpu *v, struct xen_platform_op *op)
{
	const struct xenpf_set_processor_pminfo *p = &op->u.set_pminfo;
	int cpu = cpu_by_acpi_id(p->id);

	switch (p->type) {
	case XEN_PM_CX:
	case XEN_PM_PX:
		return cpu < 0 ? cpu : data_set(v, p, (unsigned int)cpu);
	case XEN_PM_PDC:
		return pdc_check(v, p);
	case XEN_PM_TX:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}
