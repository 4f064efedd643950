/* SPDX-License-Identifier: BSD-2-Clause */
/* physdev_op: physical interrupts, I/O privilege and PCI, for dom0 and domains that have devices. */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/pci.h>
#include <hv/pirq.h>
#include <hv/pv.h>
#include <xen/physdev.h>

/* A number that the public header leaves out, though Linux knows it: how many pirqs the caller may have. */
#define PHYSDEVOP_get_nr_pirqs 22
#define PORTS 65536u

struct physdev_nr_pirqs {
	u32 nr_pirqs;
};

union physdev_arg {
	struct physdev_eoi eoi;
	struct physdev_pirq_eoi_gmfn eoi_gmfn;
	struct physdev_irq_status_query status;
	struct physdev_set_iopl iopl;
	struct physdev_set_iobitmap iobitmap;
	struct physdev_apic apic;
	struct physdev_irq irq;
	struct physdev_map_pirq map;
	struct physdev_unmap_pirq unmap;
	struct physdev_manage_pci manage;
	struct physdev_manage_pci_ext manage_ext;
	struct physdev_restore_msi restore;
	struct physdev_setup_gsi gsi;
	struct physdev_nr_pirqs nr;
	struct physdev_get_free_pirq free_pirq;
	struct physdev_pci_mmcfg_reserved mmcfg;
	struct physdev_pci_device_add device_add;
	struct physdev_pci_device device;
	struct physdev_dbgp_op dbgp;
};

/* --- Interrupts --- */

static int op_eoi(struct vcpu *v, union physdev_arg *a)
{
	return pirq_eoi(v->domain, a->eoi.irq);
}

static int op_eoi_map_v1(struct vcpu *v, union physdev_arg *a)
{
	return pirq_eoi_map_set(v, a->eoi_gmfn.gmfn, true);
}

static int op_eoi_map_v2(struct vcpu *v, union physdev_arg *a)
{
	return pirq_eoi_map_set(v, a->eoi_gmfn.gmfn, false);
}

static int op_status(struct vcpu *v, union physdev_arg *a)
{
	int flags = pirq_status(v->domain, a->status.irq);

	if (flags < 0)
		return flags;
	a->status.flags = (u32)flags;
	return 0;
}

static int op_apic_read(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return ioapic_guest_read(a->apic.apic_physbase, a->apic.reg, &a->apic.value);
}

static int op_apic_write(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return ioapic_guest_write(a->apic.apic_physbase, a->apic.reg, a->apic.value);
}

/* Kernels older than map_pirq: the line becomes the pirq of the same number. */
static int op_alloc_vector(struct vcpu *v, union physdev_arg *a)
{
	int vector = irq_gsi_vector(a->irq.irq);
	int pirq;

	if (vector < 0)
		return vector;
	pirq = pirq_map(v->domain, (int)a->irq.irq, a->irq.irq);
	if (pirq < 0)
		return pirq;
	a->irq.vector = (u32)vector;
	return 0;
}

static int op_free_vector(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	/* Lines keep their vectors. */
	return a->irq.irq < irq_gsi_count() ? 0 : -EINVAL;
}

static int map_gsi(struct vcpu *v, struct domain *d, struct physdev_map_pirq *m)
{
	int pirq;

	if (m->index < 0 || (u32)m->index >= irq_gsi_count())
		return -EINVAL;
	if (!is_privileged(v) && !irq_permitted(v->domain, (u32)m->index))
		return -EPERM;
	pirq = pirq_map(d, m->pirq, (u32)m->index);
	if (pirq < 0)
		return pirq;
	m->pirq = pirq;
	return 0;
}

/* Gives d count irqs, from irq on, as pirqs in a row. The irqs go when that fails. */
static int map_irqs(struct domain *d, int want, u32 irq, u32 count)
{
	int first = want, rc = 0;
	u32 done = 0;

	if (want < 0 && count > 1)
		rc = first = pirq_find_free(d, count);
	while (rc >= 0 && done < count) {
		rc = pirq_map(d, first < 0 ? first : first + (int)done, irq + done);
		if (rc >= 0)
			done++;
	}
	/* One alone may have been given any number. */
	if (rc >= 0)
		return count == 1 ? rc : first;
	irq_release(irq + done, count - done);
	for (u32 i = done; i-- > 0;)
		(void)!pirq_unmap(d, (u32)first + i);
	return rc;
}

/* What a map_pirq of the MSI types asks for. */
static int map_msi(struct domain *d, struct physdev_map_pirq *m)
{
	u32 bus = m->type == MAP_PIRQ_TYPE_MSI ? (u32)m->bus & 0xff : (u32)m->bus;
	u32 sbdf = PCI_SBDF(bus >> 16, bus & 0xff, m->devfn & 0xff), count = 1;
	int irq, pirq;

	if (m->type == MAP_PIRQ_TYPE_MULTI_MSI) {
		if (m->entry_nr < 1 || m->entry_nr > 32)
			return -EINVAL;
		/* Functions ask for a power of two; the vectors beyond what is wanted are spare. */
		while (count < (u32)m->entry_nr)
			count *= 2;
	}
	if (m->table_base && m->type != MAP_PIRQ_TYPE_MULTI_MSI)
		irq = m->entry_nr < 0 ? -EINVAL : pci_msix_setup(sbdf, (u32)m->entry_nr, paddr(m->table_base));
	else
		irq = pci_msi_setup(sbdf, count);
	if (irq == -ERANGE && m->type == MAP_PIRQ_TYPE_MULTI_MSI)
		m->entry_nr = (int)pci_msi_count(sbdf);
	if (irq < 0)
		return irq;
	pirq = map_irqs(d, m->pirq, (u32)irq, count);
	if (pirq < 0)
		return pirq;
	m->pirq = pirq;
	return 0;
}

static int op_map_pirq(struct vcpu *v, union physdev_arg *a)
{
	struct physdev_map_pirq *m = &a->map;
	struct domain *d = domain_get_by_any_id(v, m->domid);
	int rc;

	if (!d)
		return -ESRCH;
	if (d != v->domain && !is_privileged(v)) {
		rc = -EPERM;
		goto out;
	}
	switch (m->type) {
	case MAP_PIRQ_TYPE_GSI:
		rc = map_gsi(v, d, m);
		break;
	case MAP_PIRQ_TYPE_MSI:
	case MAP_PIRQ_TYPE_MSI_SEG:
	case MAP_PIRQ_TYPE_MULTI_MSI:
		/* A function's MSI is set up by who owns the machine's PCI, on behalf of others too. */
		rc = is_privileged(v) ? map_msi(d, m) : -EPERM;
		break;
	default:
		rc = -EINVAL;
		break;
	}
out:
	domain_put(d);
	return rc;
}

static int op_unmap_pirq(struct vcpu *v, union physdev_arg *a)
{
	struct domain *d = domain_get_by_any_id(v, a->unmap.domid);
	int rc = -EPERM;

	if (!d)
		return -ESRCH;
	if (d == v->domain || is_privileged(v))
		rc = a->unmap.pirq < 0 ? -EINVAL : pirq_unmap(d, (u32)a->unmap.pirq);
	domain_put(d);
	return rc;
}

static int op_setup_gsi(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	if (a->gsi.gsi < 0)
		return -EINVAL;
	return irq_gsi_configure((u32)a->gsi.gsi, a->gsi.triggering, a->gsi.polarity);
}

static int op_get_nr_pirqs(struct vcpu *v, union physdev_arg *a)
{
	a->nr.nr_pirqs = pirq_limit(v->domain);
	return 0;
}

static int op_get_free_pirq(struct vcpu *v, union physdev_arg *a)
{
	int pirq;

	if (a->free_pirq.type != MAP_PIRQ_TYPE_GSI && a->free_pirq.type != MAP_PIRQ_TYPE_MSI)
		return -EINVAL;
	pirq = pirq_reserve(v->domain);
	if (pirq < 0)
		return pirq;
	a->free_pirq.pirq = (u32)pirq;
	return 0;
}

/* --- I/O ports --- */

static int op_set_iopl(struct vcpu *v, union physdev_arg *a)
{
	if (!v->pv)
		return -ENOSYS;
	if (a->iopl.iopl > 3)
		return -EINVAL;
	v->pv->iopl = (u8)a->iopl.iopl;
	return 0;
}

static int op_set_iobitmap(struct vcpu *v, union physdev_arg *a)
{
	gva_t va = (gva_t)(uintptr_t)a->iobitmap.bitmap.p;
	u32 ports = a->iobitmap.nr_ports;

	if (!v->pv)
		return -ENOSYS;
	if (ports > PORTS || !guest_range_ok(va, (ports + 7) / 8))
		return -EINVAL;
	v->pv->iobmp_va = va;
	v->pv->iobmp_limit = ports;
	return 0;
}

/* --- PCI --- */

static int op_manage_add(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_device_add(PCI_SBDF(0, a->manage.bus, a->manage.devfn), false, PCI_SBDF_NONE);
}

static int op_manage_remove(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_device_remove(PCI_SBDF(0, a->manage.bus, a->manage.devfn));
}

static int op_manage_add_ext(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_device_add(PCI_SBDF(0, a->manage_ext.bus, a->manage_ext.devfn), a->manage_ext.is_virtfn,
			      PCI_SBDF(0, a->manage_ext.physfn.bus, a->manage_ext.physfn.devfn));
}

static int op_device_add(struct vcpu *v, union physdev_arg *a)
{
	const struct physdev_pci_device_add *add = &a->device_add;

	(void)v;
	if (add->flags & ~(u32)(XEN_PCI_DEV_EXTFN | XEN_PCI_DEV_VIRTFN | XEN_PCI_DEV_PXM))
		return -EINVAL;
	/* The proximity domain that may follow serves the placement of an IOMMU's tables. */
	return pci_device_add(PCI_SBDF(add->seg, add->bus, add->devfn), add->flags & XEN_PCI_DEV_VIRTFN,
			      PCI_SBDF(add->seg, add->physfn.bus, add->physfn.devfn));
}

static u32 device_sbdf(const union physdev_arg *a)
{
	return PCI_SBDF(a->device.seg, a->device.bus, a->device.devfn);
}

static int op_device_remove(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_device_remove(device_sbdf(a));
}

static int op_restore_msi(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_msi_restore(PCI_SBDF(0, a->restore.bus, a->restore.devfn));
}

static int op_restore_msi_ext(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_msi_restore(device_sbdf(a));
}

static int op_prepare_msix(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_msix_prepare(device_sbdf(a));
}

static int op_release_msix(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	return pci_msix_unprepare(device_sbdf(a));
}

static int op_mmcfg_reserved(struct vcpu *v, union physdev_arg *a)
{
	const struct physdev_pci_mmcfg_reserved *m = &a->mmcfg;

	(void)v;
	return pci_mmcfg_confirm(paddr(m->address), m->segment, m->start_bus, m->end_bus,
				 m->flags & XEN_PCI_MMCFG_RESERVED);
}

static int op_dbgp(struct vcpu *v, union physdev_arg *a)
{
	(void)v;
	if (a->dbgp.op != PHYSDEVOP_DBGP_RESET_PREPARE && a->dbgp.op != PHYSDEVOP_DBGP_RESET_DONE)
		return -EINVAL;
	/* The console never is on a USB debug port: any controller may be reset. */
	return a->dbgp.bus > PHYSDEVOP_DBGP_BUS_PCI ? -EINVAL : 0;
}

/* --- Dispatch --- */

struct physdev_desc {
	int (*fn)(struct vcpu *v, union physdev_arg *a);
	u8 size;
	bool out;		/* written back, also on failure */
	bool privileged;
	bool compat;		/* known to the old form of the hypercall */
};

static const struct physdev_desc ops[] = {
	[PHYSDEVOP_irq_status_query] = { op_status, sizeof(struct physdev_irq_status_query), true, false, true },
	[PHYSDEVOP_set_iopl] = { op_set_iopl, sizeof(struct physdev_set_iopl), false, false, true },
	[PHYSDEVOP_set_iobitmap] = { op_set_iobitmap, sizeof(struct physdev_set_iobitmap), false, false, true },
	[PHYSDEVOP_apic_read] = { op_apic_read, sizeof(struct physdev_apic), true, true, true },
	[PHYSDEVOP_apic_write] = { op_apic_write, sizeof(struct physdev_apic), false, true, true },
	[PHYSDEVOP_alloc_irq_vector] = { op_alloc_vector, sizeof(struct physdev_irq), true, true, true },
	[PHYSDEVOP_free_irq_vector] = { op_free_vector, sizeof(struct physdev_irq), false, true, true },
	[PHYSDEVOP_eoi] = { op_eoi, sizeof(struct physdev_eoi), false, false, false },
	[PHYSDEVOP_map_pirq] = { op_map_pirq, sizeof(struct physdev_map_pirq), true, false, false },
	[PHYSDEVOP_unmap_pirq] = { op_unmap_pirq, sizeof(struct physdev_unmap_pirq), false, false, false },
	[PHYSDEVOP_manage_pci_add] = { op_manage_add, sizeof(struct physdev_manage_pci), false, true, false },
	[PHYSDEVOP_manage_pci_remove] = { op_manage_remove, sizeof(struct physdev_manage_pci), false, true, false },
	[PHYSDEVOP_pirq_eoi_gmfn_v1] = { op_eoi_map_v1, sizeof(struct physdev_pirq_eoi_gmfn), false, false, false },
	[PHYSDEVOP_restore_msi] = { op_restore_msi, sizeof(struct physdev_restore_msi), false, true, false },
	[PHYSDEVOP_manage_pci_add_ext] = { op_manage_add_ext, sizeof(struct physdev_manage_pci_ext), false, true,
					   false },
	[PHYSDEVOP_setup_gsi] = { op_setup_gsi, sizeof(struct physdev_setup_gsi), false, true, false },
	[PHYSDEVOP_get_nr_pirqs] = { op_get_nr_pirqs, sizeof(struct physdev_nr_pirqs), true, false, false },
	[PHYSDEVOP_get_free_pirq] = { op_get_free_pirq, sizeof(struct physdev_get_free_pirq), true, false, false },
	[PHYSDEVOP_pci_mmcfg_reserved] = { op_mmcfg_reserved, sizeof(struct physdev_pci_mmcfg_reserved), false, true,
					   false },
	[PHYSDEVOP_pci_device_add] = { op_device_add, sizeof(struct physdev_pci_device_add), false, true, false },
	[PHYSDEVOP_pci_device_remove] = { op_device_remove, sizeof(struct physdev_pci_device), false, true, false },
	[PHYSDEVOP_restore_msi_ext] = { op_restore_msi_ext, sizeof(struct physdev_pci_device), false, true, false },
	[PHYSDEVOP_pirq_eoi_gmfn_v2] = { op_eoi_map_v2, sizeof(struct physdev_pirq_eoi_gmfn), false, false, false },
	[PHYSDEVOP_dbgp_op] = { op_dbgp, sizeof(struct physdev_dbgp_op), false, true, false },
	[PHYSDEVOP_prepare_msix] = { op_prepare_msix, sizeof(struct physdev_pci_device), false, true, false },
	[PHYSDEVOP_release_msix] = { op_release_msix, sizeof(struct physdev_pci_device), false, true, false },
};

/* arg: where the operation's own struct is. */
static long physdev(struct vcpu *v, u32 cmd, gva_t arg, bool compat)
{
	const struct physdev_desc *op;
	union physdev_arg a = { 0 };
	int rc;

	if (cmd >= ARRAY_SIZE(ops))
		return -ENOSYS;
	op = &ops[index_clamp(cmd, ARRAY_SIZE(ops))];
	if (!op->fn || (compat && !op->compat))
		return -ENOSYS;
	if (op->privileged && !is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &a, arg, op->size))
		return -EFAULT;
	rc = op->fn(v, &a);
	if (op->out && guest_copy_out(v, arg, &a, op->size) && !rc)
		rc = -EFAULT;
	return rc;
}

long do_physdev_op(struct vcpu *v, u64 *args)
{
	return physdev(v, (u32)args[0], args[1], false);
}

long do_physdev_op_compat(struct vcpu *v, u64 *args)
{
	u32 cmd;

	if (guest_copy_in(v, &cmd, args[0] + offsetof(struct physdev_op, cmd), sizeof(cmd)))
		return -EFAULT;
	return physdev(v, cmd, args[0] + offsetof(struct physdev_op, u), true);
}
