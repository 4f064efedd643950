/* SPDX-License-Identifier: BSD-2-Clause */
/* physdev_op: permission, decoding, and that what fails leaves nothing behind. Interrupts and PCI are recorded calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/pci.h>
#include <hv/pirq.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <xen/physdev.h>
#include "../sim/sim.h"

#define GSIS 24u
#define PIRQS 64
#define MSI_FIRST 100u

/* --- interrupts --- */

static struct { u32 irq; const struct domain *d; } pirqs[PIRQS];	/* irq 0: not mapped */
static bool live[64];				/* MSIs that exist */
static u32 eoi_last, gsi_mode[GSIS];
static int map_fails_at;			/* the n-th map from now fails */

u32 irq_gsi_count(void)
{
	return GSIS;
}

u32 pirq_limit(const struct domain *d)
{
	(void)d;
	return PIRQS;
}

int pirq_map(struct domain *d, int want, u32 irq)
{
	if (map_fails_at && !--map_fails_at)
		return -EEXIST;
	if (want < 0)
		for (want = PIRQS - 1; want >= 0 && pirqs[want].d; want--)
			;
	if (want < 0 || want >= PIRQS)
		return -EINVAL;
	if (pirqs[want].d)
		return -EEXIST;
	pirqs[want].irq = irq;
	pirqs[want].d = d;
	return want;
}

int pirq_unmap(struct domain *d, u32 pirq)
{
	if (pirq >= PIRQS || pirqs[pirq].d != d)
		return -EINVAL;
	if (pirqs[pirq].irq >= MSI_FIRST)
		live[pirqs[pirq].irq - MSI_FIRST] = false;
	pirqs[pirq].d = NULL;
	return 0;
}

int pirq_find_free(struct domain *d, u32 n)
{
	(void)d;
	return PIRQS - (int)n - 8;
}

int pirq_reserve(struct domain *d)
{
	(void)d;
	return 33;
}

int pirq_eoi(struct domain *d, u32 pirq)
{
	(void)d;
	eoi_last = pirq;
	return pirq < PIRQS ? 0 : -EINVAL;
}

int pirq_status(struct domain *d, u32 pirq)
{
	(void)d;
	return pirq < PIRQS ? (int)XENIRQSTAT_needs_eoi : -EINVAL;
}

static u64 eoi_gmfn;
static bool eoi_auto;
int pirq_eoi_map_set(struct vcpu *actor, u64 gmfn, bool auto_unmask)
{
	(void)actor;
	eoi_gmfn = gmfn;
	eoi_auto = auto_unmask;
	return 0;
}

bool irq_permitted(const struct domain *d, u32 irq)
{
	return d->id == 1 && irq == 20;
}

void irq_release(u32 irq, u32 count)
{
	for (u32 i = 0; i < count; i++)
		live[irq - MSI_FIRST + i] = false;
}

int irq_gsi_configure(u32 gsi, bool level, bool low)
{
	if (gsi >= GSIS)
		return -EINVAL;
	gsi_mode[gsi] = 1u | (level ? 2u : 0) | (low ? 4u : 0);
	return 0;
}

int irq_gsi_vector(u32 gsi)
{
	return gsi < GSIS ? (int)(0x30 + gsi) : -EINVAL;
}

int ioapic_guest_read(u64 address, u32 reg, u32 *val)
{
	*val = 0x170020;
	return address == 0xfec00000 && reg < 0x40 ? 0 : -EINVAL;
}

int ioapic_guest_write(u64 address, u32 reg, u32 val)
{
	(void)val;
	return address == 0xfec00000 && reg < 0x40 ? 0 : -EINVAL;
}

/* --- PCI --- */

static u32 pci_last, pci_physical, msi_next;
static bool pci_virtual;

int pci_device_add(u32 sbdf, bool is_virtual, u32 physical)
{
	pci_last = sbdf;
	pci_virtual = is_virtual;
	pci_physical = physical;
	return 0;
}

int pci_device_remove(u32 sbdf)
{
	pci_last = sbdf;
	return 0;
}

static int msis_make(u32 sbdf, u32 count)
{
	u32 irq = MSI_FIRST + msi_next;

	pci_last = sbdf;
	for (u32 i = 0; i < count; i++)
		live[msi_next + i] = true;
	msi_next += count;
	return (int)irq;
}

int pci_msi_setup(u32 sbdf, u32 count)
{
	return count > 4 ? -ERANGE : msis_make(sbdf, count);
}

static u32 msix_entry;
static paddr_t msix_table;
int pci_msix_setup(u32 sbdf, u32 entry, paddr_t table)
{
	msix_entry = entry;
	msix_table = table;
	return msis_make(sbdf, 1);
}

u32 pci_msi_count(u32 sbdf)
{
	(void)sbdf;
	return 4;
}

int pci_msi_restore(u32 sbdf)
{
	pci_last = sbdf;
	return 0;
}

int pci_msix_prepare(u32 sbdf)
{
	pci_last = sbdf;
	return 0;
}

int pci_msix_unprepare(u32 sbdf)
{
	pci_last = sbdf;
	return 0;
}

int pci_mmcfg_confirm(paddr_t address, u16 segment, u8 bus_start, u8 bus_end, bool reserved)
{
	assert_int_equal(segment, 1);
	assert_int_equal(bus_start, 2);
	assert_int_equal(bus_end, 3);
	return address.v == 0xe0000000 && reserved ? 0 : -ENODEV;
}

/* --- */

static struct domain *dom0_, *domu;
static struct vcpu *v;
static gva_t arg, arg_u;

static int start(void **state)
{
	(void)state;
	sim_start(2);
	memset(pirqs, 0, sizeof(pirqs));
	memset(live, 0, sizeof(live));
	msi_next = 0;
	map_fails_at = 0;
	dom0_ = sim_domain(0, true, 1, 64);
	domu = sim_domain(1, false, 1, 64);
	arg = sim_alloc(dom0_, PAGE_SIZE);
	arg_u = sim_alloc(domu, PAGE_SIZE);
	v = sim_run_vcpu(dom0_, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

/* As dom0 / as the other domain; the struct is copied in and back out. */
static long call_as(struct domain *d, u32 cmd, void *p, size_t size)
{
	gva_t va = d == dom0_ ? arg : arg_u;
	long rc;

	memset(sim_ptr(d, va), 0xee, 256);
	memcpy(sim_ptr(d, va), p, size);
	rc = sim_call(sim_run_vcpu(d, 0), do_physdev_op, cmd, va, 0, 0, 0, 0);
	memcpy(p, sim_ptr(d, va), size);
	return rc;
}

#define CALL(cmd, s) call_as(dom0_, PHYSDEVOP_##cmd, &(s), sizeof(s))
#define CALL_U(cmd, s) call_as(domu, PHYSDEVOP_##cmd, &(s), sizeof(s))

static bool any_left(void)
{
	for (u32 i = 0; i < 64; i++)
		if (live[i])
			return true;
	for (u32 i = 0; i < PIRQS; i++)
		if (pirqs[i].d)
			return true;
	return false;
}

static void test_unknown(void **state)
{
	u8 any[64] = { 0 };

	(void)state;
	for (u32 cmd = 0; cmd < 64; cmd++)
		if (cmd < 5 || cmd == 16 + 2 || cmd > 31)
			assert_int_equal(call_as(dom0_, cmd, any, sizeof(any)), -ENOSYS);
	assert_int_equal(call_as(dom0_, ~0u, any, sizeof(any)), -ENOSYS);
	sim_run_vcpu(dom0_, 0);
	assert_int_equal(sim_call(v, do_physdev_op, PHYSDEVOP_eoi, 8, 0, 0, 0, 0), -EFAULT);
}

static void test_permission(void **state)
{
	static const u32 dom0_only[] = {
		PHYSDEVOP_apic_read, PHYSDEVOP_apic_write, PHYSDEVOP_alloc_irq_vector, PHYSDEVOP_free_irq_vector,
		PHYSDEVOP_manage_pci_add, PHYSDEVOP_manage_pci_remove, PHYSDEVOP_restore_msi, PHYSDEVOP_manage_pci_add_ext,
		PHYSDEVOP_setup_gsi, PHYSDEVOP_pci_mmcfg_reserved, PHYSDEVOP_pci_device_add, PHYSDEVOP_pci_device_remove,
		PHYSDEVOP_restore_msi_ext, PHYSDEVOP_dbgp_op, PHYSDEVOP_prepare_msix, PHYSDEVOP_release_msix,
	};
	u8 any[64] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dom0_only); i++)
		assert_int_equal(call_as(domu, dom0_only[i], any, sizeof(any)), -EPERM);
}

static void test_interrupts(void **state)
{
	struct physdev_eoi eoi = { 12 };
	struct physdev_irq_status_query q = { 5, 0 };
	struct physdev_pirq_eoi_gmfn g = { 0x77 };
	struct physdev_setup_gsi s = { 9, 1, 1 };
	struct physdev_irq irq = { 7, 0 };
	struct physdev_apic apic = { 0xfec00000, 1, 0 };
	struct { u32 n; } nr = { 0 };
	struct physdev_get_free_pirq f = { MAP_PIRQ_TYPE_MSI, 0 };

	(void)state;
	assert_int_equal(CALL(eoi, eoi), 0);
	assert_int_equal(eoi_last, 12);
	assert_int_equal(CALL_U(eoi, eoi), 0);
	eoi.irq = 1000;
	assert_int_equal(CALL(eoi, eoi), -EINVAL);
	assert_int_equal(CALL(irq_status_query, q), 0);
	assert_int_equal(q.flags, XENIRQSTAT_needs_eoi);
	assert_int_equal(CALL(pirq_eoi_gmfn_v2, g), 0);
	assert_true(eoi_gmfn == 0x77 && !eoi_auto);
	assert_int_equal(CALL(pirq_eoi_gmfn_v1, g), 0);
	assert_true(eoi_auto);
	assert_int_equal(CALL(setup_gsi, s), 0);
	assert_int_equal(gsi_mode[9], 7);
	s.gsi = -1;
	assert_int_equal(CALL(setup_gsi, s), -EINVAL);
	assert_int_equal(CALL(alloc_irq_vector, irq), 0);
	assert_int_equal(irq.vector, 0x37);
	assert_ptr_equal(pirqs[7].d, dom0_);
	assert_int_equal(CALL(free_irq_vector, irq), 0);
	assert_int_equal(CALL(apic_read, apic), 0);
	assert_int_equal(apic.value, 0x170020);
	apic.apic_physbase++;
	assert_int_equal(CALL(apic_read, apic), -EINVAL);
	assert_int_equal(call_as(dom0_, 22, &nr, sizeof(nr)), 0);
	assert_int_equal(nr.n, PIRQS);
	assert_int_equal(CALL(get_free_pirq, f), 0);
	assert_int_equal(f.pirq, 33);
	f.type = 9;
	assert_int_equal(CALL(get_free_pirq, f), -EINVAL);
}

static struct physdev_map_pirq map_arg(domid_t d, int type, int index, int pirq)
{
	return (struct physdev_map_pirq){ .domid = d, .type = type, .index = index, .pirq = pirq };
}

static void test_map_gsi(void **state)
{
	struct physdev_map_pirq m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_GSI, 9, 9);
	struct physdev_unmap_pirq u = { DOMID_SELF, 9 };

	(void)state;
	assert_int_equal(CALL(map_pirq, m), 0);
	assert_int_equal(m.pirq, 9);
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_GSI, GSIS, -1);
	assert_int_equal(CALL(map_pirq, m), -EINVAL);
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_GSI, -1, -1);
	assert_int_equal(CALL(map_pirq, m), -EINVAL);
	m = map_arg(55, MAP_PIRQ_TYPE_GSI, 9, 9);
	assert_int_equal(CALL(map_pirq, m), -ESRCH);
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_UNKNOWN, 9, 9);
	assert_int_equal(CALL(map_pirq, m), -EINVAL);
	/* A domain without privilege: itself, and what it was permitted. */
	m = map_arg(0, MAP_PIRQ_TYPE_GSI, 20, -1);
	assert_int_equal(CALL_U(map_pirq, m), -EPERM);
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_GSI, 19, -1);
	assert_int_equal(CALL_U(map_pirq, m), -EPERM);
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_GSI, 20, -1);
	assert_int_equal(CALL_U(map_pirq, m), 0);
	assert_ptr_equal(pirqs[m.pirq].d, domu);
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_MSI, -1, -1);
	assert_int_equal(CALL_U(map_pirq, m), -EPERM);
	u.domid = 0;
	assert_int_equal(CALL_U(unmap_pirq, u), -EPERM);
	assert_int_equal(CALL(unmap_pirq, u), 0);
	assert_int_equal(CALL(unmap_pirq, u), -EINVAL);
	u.pirq = -1;
	assert_int_equal(CALL(unmap_pirq, u), -EINVAL);
	u.domid = 66;
	assert_int_equal(CALL(unmap_pirq, u), -ESRCH);
	/* dom0 for the other. */
	m = map_arg(1, MAP_PIRQ_TYPE_GSI, 10, 10);
	assert_int_equal(CALL(map_pirq, m), 0);
	assert_ptr_equal(pirqs[10].d, domu);
}

static void test_map_msi(void **state)
{
	struct physdev_map_pirq m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_MSI_SEG, -1, -1);

	(void)state;
	m.bus = 2 << 16 | 5;
	m.devfn = 0x1a;
	assert_int_equal(CALL(map_pirq, m), 0);
	assert_int_equal(pci_last, PCI_SBDF(2, 5, 0x1a));
	assert_true(m.pirq >= 0 && pirqs[m.pirq].irq == MSI_FIRST);
	/* The old form knows segment 0 only. */
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_MSI, -1, -1);
	m.bus = 2 << 16 | 5;
	m.table_base = 0xfebd0000;
	m.entry_nr = 6;
	assert_int_equal(CALL(map_pirq, m), 0);
	assert_int_equal(pci_last, PCI_SBDF(0, 5, 0));
	assert_int_equal(msix_entry, 6);
	assert_int_equal(msix_table.v, 0xfebd0000);
	m.entry_nr = -3;
	m.pirq = -1;
	assert_int_equal(CALL(map_pirq, m), -EINVAL);
}

static void test_map_multi(void **state)
{
	struct physdev_map_pirq m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_MULTI_MSI, -1, -1);

	(void)state;
	m.entry_nr = 3;
	assert_int_equal(CALL(map_pirq, m), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pirqs[m.pirq + i].irq, MSI_FIRST + (u32)i);
	m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_MULTI_MSI, -1, 1);
	m.entry_nr = 8;
	assert_int_equal(CALL(map_pirq, m), -ERANGE);
	assert_int_equal(m.entry_nr, 4);
	for (int n = -1; n < 50; n += n < 1 ? 1 : 40) {
		m.entry_nr = n;
		assert_int_equal(CALL(map_pirq, m), n == 1 ? 0 : -EINVAL);
	}
}

/* Whichever map of a block fails: nothing stays. */
static void test_map_rollback(void **state)
{
	(void)state;
	for (int at = 1; at <= 4; at++) {
		struct physdev_map_pirq m = map_arg(DOMID_SELF, MAP_PIRQ_TYPE_MULTI_MSI, -1, -1);

		m.entry_nr = 4;
		map_fails_at = at;
		assert_int_equal(CALL(map_pirq, m), -EEXIST);
		assert_false(any_left());
	}
}

static void test_ports(void **state)
{
	struct physdev_set_iopl iopl = { 3 };
	struct physdev_set_iobitmap map = { .nr_ports = 1024 };

	(void)state;
	assert_int_equal(CALL_U(set_iopl, iopl), 0);
	assert_int_equal(domu->vcpu[0]->pv->iopl, 3);
	iopl.iopl = 4;
	assert_int_equal(CALL_U(set_iopl, iopl), -EINVAL);
	map.bitmap.p = (void *)arg_u;
	assert_int_equal(CALL_U(set_iobitmap, map), 0);
	assert_int_equal(domu->vcpu[0]->pv->iobmp_va, arg_u);
	assert_int_equal(domu->vcpu[0]->pv->iobmp_limit, 1024);
	map.nr_ports = 65537;
	assert_int_equal(CALL_U(set_iobitmap, map), -EINVAL);
	map.nr_ports = 100;
	map.bitmap.p = (void *)0xffff800000000000UL;
	assert_int_equal(CALL_U(set_iobitmap, map), -EINVAL);
	assert_int_equal(domu->vcpu[0]->pv->iobmp_limit, 1024);
}

static void test_pci(void **state)
{
	struct physdev_manage_pci manage = { 3, 0x21 };
	struct physdev_manage_pci_ext ext = { 3, 0x22, 0, 1, { 4, 8 } };
	struct physdev_pci_device_add add = { .seg = 1, .bus = 2, .devfn = 3, .flags = XEN_PCI_DEV_VIRTFN, .physfn = { 5, 6 } };
	struct physdev_pci_device dev = { 7, 8, 9 };
	struct physdev_restore_msi restore = { 1, 2 };
	struct physdev_pci_mmcfg_reserved m = { 0xe0000000, 1, 2, 3, XEN_PCI_MMCFG_RESERVED };
	struct physdev_dbgp_op dbgp = { PHYSDEVOP_DBGP_RESET_PREPARE, PHYSDEVOP_DBGP_BUS_PCI, { { 0, 0, 0 } } };

	(void)state;
	assert_int_equal(CALL(manage_pci_add, manage), 0);
	assert_int_equal(pci_last, PCI_SBDF(0, 3, 0x21));
	assert_false(pci_virtual);
	assert_int_equal(CALL(manage_pci_remove, manage), 0);
	assert_int_equal(CALL(manage_pci_add_ext, ext), 0);
	assert_true(pci_virtual && pci_physical == PCI_SBDF(0, 4, 8));
	assert_int_equal(CALL(pci_device_add, add), 0);
	assert_int_equal(pci_last, PCI_SBDF(1, 2, 3));
	assert_true(pci_virtual && pci_physical == PCI_SBDF(1, 5, 6));
	add.flags = 0x80;
	assert_int_equal(CALL(pci_device_add, add), -EINVAL);
	assert_int_equal(CALL(pci_device_remove, dev), 0);
	assert_int_equal(pci_last, PCI_SBDF(7, 8, 9));
	pci_last = 0;
	assert_int_equal(CALL(restore_msi_ext, dev), 0);
	assert_int_equal(CALL(prepare_msix, dev), 0);
	assert_int_equal(CALL(release_msix, dev), 0);
	assert_int_equal(pci_last, PCI_SBDF(7, 8, 9));
	assert_int_equal(CALL(restore_msi, restore), 0);
	assert_int_equal(pci_last, PCI_SBDF(0, 1, 2));
	assert_int_equal(CALL(pci_mmcfg_reserved, m), 0);
	m.flags = 0;
	assert_int_equal(CALL(pci_mmcfg_reserved, m), -ENODEV);
	assert_int_equal(CALL(dbgp_op, dbgp), 0);
	dbgp.op = 3;
	assert_int_equal(CALL(dbgp_op, dbgp), -EINVAL);
}

static void test_compat(void **state)
{
	struct physdev_op *op = sim_ptr(dom0_, arg);

	(void)state;
	op->cmd = PHYSDEVOP_irq_status_query;
	op->u.irq_status_query.irq = 4;
	assert_int_equal(sim_call(v, do_physdev_op_compat, arg, 0, 0, 0, 0, 0), 0);
	assert_int_equal(op->u.irq_status_query.flags, XENIRQSTAT_needs_eoi);
	op->cmd = PHYSDEVOP_set_iopl;
	op->u.set_iopl.iopl = 2;
	assert_int_equal(sim_call(v, do_physdev_op_compat, arg, 0, 0, 0, 0, 0), 0);
	assert_int_equal(v->pv->iopl, 2);
	op->cmd = PHYSDEVOP_map_pirq;
	assert_int_equal(sim_call(v, do_physdev_op_compat, arg, 0, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(sim_call(v, do_physdev_op_compat, 8, 0, 0, 0, 0, 0), -EFAULT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unknown), TEST(test_permission), TEST(test_interrupts), TEST(test_map_gsi), TEST(test_map_msi),
		TEST(test_map_multi), TEST(test_map_rollback), TEST(test_ports), TEST(test_pci), TEST(test_compat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
