/* SPDX-License-Identifier: BSD-2-Clause */
/* physdev_op: interrupts of devices as dom0 sees them, and numbers that are out of range. */
#include <guest/guest.h>
#include <xen/physdev.h>

static void test_interrupts(void)
{
	struct physdev_irq_status_query query = { .irq = 0x7fffffff };
	struct physdev_eoi eoi = { .irq = 0x7fffffff };
	struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 9, .pirq = 9 };
	struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = 0x7fffffff };
	struct physdev_get_free_pirq free_pirq = { .type = MAP_PIRQ_TYPE_MSI };

	test_begin("numbers out of range");
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_irq_status_query, &query) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &eoi) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &unmap) < 0);
	map.index = 0x7fffffff;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
	map.index = -1;
	map.pirq = -1;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
	map.index = 9;
	map.pirq = 0x7fffffff;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
	map.pirq = 9;
	map.type = 77;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
	map.type = MAP_PIRQ_TYPE_GSI;
	map.domid = 0x7e00;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_get_free_pirq, &free_pirq), 0);
	expect(HYPERVISOR_physdev_op(99, &query) < 0);
}

/* The clock's interrupt, which nobody else wants here. */
static void test_gsi(void)
{
	struct physdev_setup_gsi gsi = { .gsi = 8, .triggering = 0, .polarity = 0 };
	struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 8, .pirq = 8 };
	struct physdev_irq_status_query query = { .irq = 8 };
	struct evtchn_bind_pirq bind = { .pirq = 8 };
	struct physdev_eoi eoi = { .irq = 8 };
	struct evtchn_bind_pirq again;

	test_begin("an interrupt of a device");
	HYPERVISOR_physdev_op(PHYSDEVOP_setup_gsi, &gsi);
	if (!expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map), 0))
		return;
	expect_eq(map.pirq, 8);
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_irq_status_query, &query), 0);
	if (!expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind), 0))
		return;
	again = bind;
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &again) < 0);
	/* Nothing to end: harmless. */
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &eoi), 0);
	expect_eq(event_close(bind.port), 0);
	bind.port = 0;
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind), 0);
	expect_eq(event_close(bind.port), 0);
}

static void test_pci(void)
{
	struct physdev_pci_device_add add = { .seg = 0x7777, .bus = 0xff, .devfn = 0xff };
	struct physdev_pci_device remove = { .seg = 0x7777, .bus = 0xff, .devfn = 0xff };
	struct physdev_pci_mmcfg_reserved mmcfg = { .address = 0xffffffffff000000UL, .end_bus = 255 };

	test_begin("PCI devices that do not exist");
	HYPERVISOR_physdev_op(PHYSDEVOP_pci_device_add, &add);
	HYPERVISOR_physdev_op(PHYSDEVOP_pci_device_remove, &remove);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_pci_device_remove, &remove) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_prepare_msix, &remove) < 0);
	HYPERVISOR_physdev_op(PHYSDEVOP_pci_mmcfg_reserved, &mmcfg);
	expect_eq(HYPERVISOR_xen_version(0, NULL), 4 << 16 | 17);
}

void guest_main(void)
{
	test_interrupts();
	test_gsi();
	test_pci();
}
