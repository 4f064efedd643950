/* SPDX-License-Identifier: BSD-2-Clause */
/* physdev_op from a domain that has no device: no interrupt of the machine, no PCI, no IO-APIC; wrong numbers of all kinds. */
#include <guest/guest.h>
#include <xen/physdev.h>

static const u32 numbers[] = { 0, 1, 9, 16, 23, 24, 255, 256, 1023, 0x7fffffff, 0x80000000, 0xffffffff };

static void test_interrupts(void)
{
	unsigned int i;

	test_begin("interrupts of the machine");
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = (int)numbers[i],
						.pirq = -1 };
		struct physdev_irq irq = { .irq = numbers[i] };
		struct physdev_eoi eoi = { .irq = numbers[i] };
		struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = (int)numbers[i] };
		struct evtchn_bind_pirq bind = { .pirq = numbers[i] };
		struct physdev_setup_gsi gsi = { .gsi = (int)numbers[i] };

		expect_msg(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0, "map %x", numbers[i]);
		map.domid = 0;
		expect_msg(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0, "map %x for dom0", numbers[i]);
		expect_msg(HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind) < 0, "bind %x", numbers[i]);
		expect_msg(HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &unmap) < 0, "unmap %x", numbers[i]);
		unmap.domid = 0;
		expect_msg(HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &unmap) < 0, "unmap dom0's %x", numbers[i]);
		expect_msg(HYPERVISOR_physdev_op(PHYSDEVOP_setup_gsi, &gsi) < 0, "set up %x", numbers[i]);
		expect_msg(HYPERVISOR_physdev_op(PHYSDEVOP_alloc_irq_vector, &irq) < 0, "vector of %x", numbers[i]);
		/* Allowed at most to say that there is nothing to end. */
		HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &eoi);
	}
}

static void test_msi(void)
{
	static const int types[] = { MAP_PIRQ_TYPE_MSI, MAP_PIRQ_TYPE_MSI_SEG, MAP_PIRQ_TYPE_MULTI_MSI, 5, -1, 0x7fffffff };
	unsigned int i, devfn;

	test_begin("message-signalled interrupts");
	for (i = 0; i < ARRAY_SIZE(types); i++)
		for (devfn = 0; devfn < 32; devfn++) {
			struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = types[i], .index = -1, .pirq = -1,
							.devfn = (int)devfn, .entry_nr = 1 };

			expect_msg(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) < 0, "type %d, device %u", types[i], devfn);
		}
}

static void test_machine(void)
{
	struct physdev_apic apic = { .apic_physbase = 0xfec00000 };
	struct physdev_pci_device_add add = { .devfn = 8 };
	struct physdev_pci_device dev = { .devfn = 8 };
	struct physdev_pirq_eoi_gmfn eoi = { .gmfn = va_mfn(kernel_root()) };
	struct physdev_pci_mmcfg_reserved area = { .address = 0xb0000000, .end_bus = 255 };
	u32 cmd;

	test_begin("the machine's devices");
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_apic_read, &apic) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_apic_write, &apic) < 0);
	apic.apic_physbase = 0xfee00000;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_apic_read, &apic) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_pci_device_add, &add) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_pci_device_remove, &dev) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_prepare_msix, &dev) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_release_msix, &dev) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_restore_msi_ext, &dev) < 0);
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_pci_mmcfg_reserved, &area) < 0);
	/* A page of bits that the hypervisor writes to: not one that is a page table, not somebody else's. */
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &eoi) < 0);
	eoi.gmfn = 0xffffffff;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &eoi) < 0);
	for (cmd = 0; cmd < 40; cmd++) {
		if (cmd == PHYSDEVOP_IRQ_UNMASK_NOTIFY)
			continue;
		expect_msg(HYPERVISOR_physdev_op(cmd, (void *)HYPERVISOR_VIRT_START) < 0, "operation %u", cmd);
		expect_msg(HYPERVISOR_physdev_op(cmd, NULL) < 0 || cmd == PHYSDEVOP_IRQ_UNMASK_NOTIFY, "operation %u", cmd);
	}
}

void guest_main(void)
{
	test_interrupts();
	test_msi();
	test_machine();
}
