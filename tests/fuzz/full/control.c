/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/pv.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include "fuzz.h"

/* Bytes: mostly zeroes and small numbers. */
static void bytes(struct fuzz *f, void *to, size_t size)
{
	u32 *w = to;

	for (size_t i = 0; i < size / 4; i++)
		w[i] = one_in(f, 4) ? (u32)some_number(f) : 0;
}

static struct xenctl_bitmap bitmap(struct fuzz *f)
{
	u64 bits = f8(f);
	struct xenctl_bitmap map = { .nr_bits = one_in(f, 8) ? (u32)some_number(f) : 64 };

	map.bitmap.p = (void *)argument(f, &bits, sizeof(bits));
	return map;
}

static gva_t context(struct fuzz *f, u32 d)
{
	static struct vcpu_guest_context c;
	struct domain *of = domain_peek((domid_t)d);
	struct vcpu *v = of ? domain_vcpu(of, 0) : NULL;

	memset(&c, 0, sizeof(c));
	c.flags = f8(f) & (VGCF_in_kernel | VGCF_online | 1);
	c.user_regs.cs = c.user_regs.ss = FLAT_KERNEL_CS;
	c.user_regs.rsp = c.kernel_sp = sim_va(8);
	c.kernel_ss = FLAT_KERNEL_SS64;
	c.event_callback_eip = c.failsafe_callback_eip = 0xffffffff81100000UL;
	c.ctrlreg[3] = (v && v->pv && (f8(f) & 3) ? v->pv->kernel_root.v : some_frame(f, d)) << PAGE_SHIFT;
	if (one_in(f, 4)) {
		c.gdt_ents = f32(f) % 9000;
		for (u32 i = 0; i < 16; i++)
			c.gdt_frames[i] = some_frame(f, d);
	}
	return argument(f, &c, sizeof(c));
}

static void create(struct fuzz *f, struct xen_domctl *op)
{
	struct xen_domctl_createdomain *c = &op->u.createdomain;

	*c = (struct xen_domctl_createdomain){ .max_vcpus = 1 + (f8(f) & 3), .max_evtchn_port = f8(f), .max_grant_frames = f8(f) & 7,
					       .max_maptrack_frames = f8(f) & 7, .grant_opts = f8(f) & 3 };
	if (one_in(f, 8))
		bytes(f, c, sizeof(*c));
	op->domain = 9 + (f8(f) & 1);
}

static void fields(struct fuzz *f, struct xen_domctl *op)
{
	switch (op->cmd) {
	case XEN_DOMCTL_createdomain: create(f, op); break;
	case XEN_DOMCTL_max_vcpus: op->u.max_vcpus.max = 1 + (f8(f) & 3); break;
	case XEN_DOMCTL_setvcpucontext: case XEN_DOMCTL_getvcpucontext:
		op->u.vcpucontext.vcpu = some_vcpu(f);
		op->u.vcpucontext.ctxt.p = one_in(f, 5) ? NULL : (void *)context(f, op->domain);
		break;
	case XEN_DOMCTL_setvcpuaffinity: case XEN_DOMCTL_getvcpuaffinity:
		op->u.vcpuaffinity = (struct xen_domctl_vcpuaffinity){ some_vcpu(f), f8(f) & 7, bitmap(f), bitmap(f) };
		break;
	case XEN_DOMCTL_setnodeaffinity: case XEN_DOMCTL_getnodeaffinity: op->u.nodeaffinity.nodemap = bitmap(f); break;
	case XEN_DOMCTL_max_mem: op->u.max_mem.max_memkb = f8(f) & 7 ? 100000 : some_number(f); break;
	case XEN_DOMCTL_iomem_permission:
		op->u.iomem_permission = (struct xen_domctl_iomem_permission){ SIM_HOLE_FIRST + f8(f) % 40, f8(f) % 40, f8(f) & 1 };
		break;
	case XEN_DOMCTL_ioport_permission:
		op->u.ioport_permission = (struct xen_domctl_ioport_permission){ f8(f) * 4u, f8(f), f8(f) & 1 };
		break;
	case XEN_DOMCTL_irq_permission:
		op->u.irq_permission.pirq = f8(f) % 32;
		op->u.irq_permission.allow_access = f8(f) & 1;
		break;
	case XEN_DOMCTL_hypercall_init: op->u.hypercall_init.gmfn = some_frame(f, op->domain); break;
	case XEN_DOMCTL_getpageframeinfo3: {
		u64 l[4] = { some_frame(f, 0), some_frame(f, 1), some_frame(f, 0), some_frame(f, 1) };

		op->u.getpageframeinfo3.num = f8(f) % 6;
		op->u.getpageframeinfo3.array.p = (void *)argument(f, l, sizeof(l));
		break;
	}
	case XEN_DOMCTL_set_target: op->u.set_target.target = some_domid(f); break;
	case XEN_DOMCTL_set_virq_handler: op->u.set_virq_handler.virq = f8(f) % 26; break;
	case XEN_DOMCTL_subscribe: op->u.subscribe.port = some_port(f); break;
	case XEN_DOMCTL_scheduler_op:
		op->u.scheduler_op.sched_id = f8(f) & 7 ? XEN_SCHEDULER_CREDIT2 : f8(f) % 10;
		op->u.scheduler_op.cmd = f8(f) & 3;
		op->u.scheduler_op.u.credit2 = (struct xen_domctl_sched_credit2){ (u16)some_number(f), (u16)some_number(f) };
		break;
	case XEN_DOMCTL_settscinfo: op->u.tsc_info.tsc_mode = f8(f) & 3; op->u.tsc_info.gtsc_khz = (u32)some_number(f); break;
	case XEN_DOMCTL_set_cpu_policy: case XEN_DOMCTL_get_cpu_policy:
		op->u.cpu_policy.nr_leaves = f8(f) % 140;
		op->u.cpu_policy.nr_msrs = f8(f) & 3;
		op->u.cpu_policy.leaves.p = (void *)answer(f);
		op->u.cpu_policy.msrs.p = (void *)answer(f);
		break;
	case XEN_DOMCTL_shadow_op:
		bytes(f, &op->u, 32);
		op->u.shadow_op.op = f8(f) % 34;
		op->u.shadow_op.dirty_bitmap.p = (void *)answer(f);
		op->u.shadow_op.pages = f8(f) * 8u;
		break;
	case XEN_DOMCTL_setvcpuextstate: case XEN_DOMCTL_getvcpuextstate:
		op->u.vcpuextstate.vcpu = some_vcpu(f);
		op->u.vcpuextstate.size = f8(f) & 1 ? 848 : some_number(f);
		op->u.vcpuextstate.buffer.p = (void *)answer(f);
		break;
	default: bytes(f, &op->u, 48); break;
	}
}

static void domctl(struct fuzz *f)
{
	static const u8 common[16] = { XEN_DOMCTL_createdomain, XEN_DOMCTL_max_vcpus, XEN_DOMCTL_destroydomain, XEN_DOMCTL_unpausedomain,
		XEN_DOMCTL_setvcpucontext, XEN_DOMCTL_setvcpuaffinity, XEN_DOMCTL_iomem_permission, XEN_DOMCTL_set_target,
		XEN_DOMCTL_scheduler_op, XEN_DOMCTL_max_mem, XEN_DOMCTL_pausedomain, XEN_DOMCTL_resumedomain, XEN_DOMCTL_set_virq_handler,
		XEN_DOMCTL_shadow_op, XEN_DOMCTL_hypercall_init, XEN_DOMCTL_settscinfo };
	static const domid_t ids[8] = { 1, 1, 1, 9, 9, 9, 10, 0 };
	struct xen_domctl op = { .interface_version = XEN_DOMCTL_INTERFACE_VERSION };

	op.cmd = f8(f) & 1 ? common[f8(f) & 15] : f8(f) % 92;
	op.domain = one_in(f, 12) ? some_domid(f) : ids[f8(f) & 7];
	/* The guest is needed: it goes seldom. */
	if (op.cmd == XEN_DOMCTL_destroydomain && op.domain == 1 && !one_in(f, 12))
		op.domain = 9;
	fields(f, &op);
	(void)call(f, __HYPERVISOR_domctl, argument(f, &op, sizeof(op)), 0, 0, 0, 0);
	if (op.cmd == XEN_DOMCTL_pausedomain && (f8(f) & 3)) {
		op.cmd = XEN_DOMCTL_unpausedomain;
		(void)call(f, __HYPERVISOR_domctl, argument(f, &op, sizeof(op)), 0, 0, 0, 0);
	}
}

static void pool(struct fuzz *f, struct xen_sysctl *op)
{
	op->u.cpupool_op = (struct xen_sysctl_cpupool_op){ .op = 1 + f8(f) % 7, .cpupool_id = f8(f) & 3,
		.sched_id = f8(f) & 1 ? XEN_SCHEDULER_CREDIT2 : 5u + (f8(f) & 7), .domid = some_domid(f), .cpu = f8(f) % 6,
		.cpumap = bitmap(f) };
	if (one_in(f, 6))
		op->u.cpupool_op.cpu = op->u.cpupool_op.cpupool_id = ~0u;
}

static void sysctl(struct fuzz *f)
{
	struct xen_sysctl op = { .cmd = f8(f) % 32, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	char keys[8];

	bytes(f, &op.u, 48);
	switch (op.cmd) {
	case XEN_SYSCTL_cpupool_op: pool(f, &op); break;
	case XEN_SYSCTL_debug_keys:
		for (u32 i = 0; i < sizeof(keys); i++) {
			keys[i] = (char)f8(f);
			if (keys[i] == 'R')
				keys[i] = 'q';
		}
		op.u.debug_keys.nr_keys = f8(f) & 7;
		op.u.debug_keys.keys.p = (void *)argument(f, keys, sizeof(keys));
		break;
	case XEN_SYSCTL_page_offline_op:
		op.u.page_offline.cmd = f8(f) & 3;
		op.u.page_offline.start = (u32)some_frame(f, f8(f));
		op.u.page_offline.end = op.u.page_offline.start + (f8(f) & 7);
		op.u.page_offline.status.p = (void *)answer(f);
		/* Memory that is broken for good ends every run. */
		if (op.u.page_offline.cmd == sysctl_page_offline && !one_in(f, 16))
			op.u.page_offline.cmd = sysctl_query_page_offline;
		break;
	case XEN_SYSCTL_scheduler_op:
		op.u.scheduler_op = (struct xen_sysctl_scheduler_op){ f8(f) & 3, f8(f) & 3 ? XEN_SCHEDULER_CREDIT2 : f8(f) % 10, f8(f) & 3,
			.u.sched_credit = { f8(f), (u32)some_number(f), 0 } };
		break;
	case XEN_SYSCTL_readconsole:
		op.u.readconsole.count = f8(f) * 8u;
		op.u.readconsole.buffer.p = (void *)answer(f);
		break;
	default: break;
	}
	(void)call(f, __HYPERVISOR_sysctl, argument(f, &op, sizeof(op)), 0, 0, 0, 0);
}

void fuzz_control(struct fuzz *f)
{
	if (f8(f) & 3)
		domctl(f);
	else
		sysctl(f);
}
