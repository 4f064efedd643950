/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space through ports and memory, capabilities, MSI and MSI-X set-up, dom0's guarded writes, on made-up devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/acpi.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/irq.h>
#include <hv/pci.h>
#include <hv/string.h>
#include "../sim/sim.h"

#define DEVICES 5
#define TABLE_ADDRESS 0xfebd0000UL
#define TABLE_ENTRIES 8u

struct acpi_info acpi_info;

/* --- devices --- */

static struct device {
	u32 sbdf;
	u8 config[4096];
} devices[DEVICES];
static u32 device_count;
static u32 address_port;
static u32 msix_table[TABLE_ENTRIES * 4];
static u32 mmcfg_maps;

static struct device *device_at(u32 sbdf)
{
	for (u32 i = 0; i < device_count; i++)
		if (devices[i].sbdf == sbdf)
			return &devices[i];
	return NULL;
}

static struct device *device_new(u32 sbdf, u32 ids, u32 class)
{
	struct device *d = &devices[device_count++];

	memset(d, 0, sizeof(*d));
	d->sbdf = sbdf;
	memcpy(d->config, &ids, 4);
	memcpy(d->config + 8, &class, 4);
	return d;
}

static void put(struct device *d, u32 reg, u32 val)
{
	memcpy(d->config + reg, &val, 4);
}

static u32 get(const struct device *d, u32 reg)
{
	return get_le32(d->config + reg);
}

static u32 port_in(u16 port, u32 size)
{
	struct device *d = device_at(address_port >> 8 & 0xffff);
	u32 val = ~0u;

	assert_true(port >= 0xcfc && port + size <= 0xd00);
	assert_true(address_port >> 31);
	if (d)
		memcpy(&val, d->config + (address_port & 0xfc) + (port & 3), size);
	return val;
}

static void port_out(u16 port, u32 val, u32 size)
{
	struct device *d = device_at(address_port >> 8 & 0xffff);

	assert_true(port >= 0xcfc && port + size <= 0xd00);
	if (d)
		memcpy(d->config + (address_port & 0xfc) + (port & 3), &val, size);
}

u8 inb(u16 port)
{
	return (u8)port_in(port, 1);
}

u16 inw(u16 port)
{
	return (u16)port_in(port, 2);
}

u32 inl(u16 port)
{
	return port_in(port, 4);
}

void outb(u16 port, u8 val)
{
	port_out(port, val, 1);
}

void outw(u16 port, u16 val)
{
	port_out(port, val, 2);
}

void outl(u16 port, u32 val)
{
	if (port == 0xcf8)
		address_port = val;
	else
		port_out(port, val, 4);
}

/* Memory: the MSI-X table, and an MMCFG window at 0xe0000000 for segment 0, one at 0xd0000000 for segment 1. */
static u8 *mmcfg_memory;

void *ioremap(paddr_t p, size_t size)
{
	if (p.v == TABLE_ADDRESS) {
		assert_int_equal(size, sizeof(msix_table));
		return msix_table;
	}
	assert_true(p.v == 0xe0000000 || p.v == 0xd0000000);
	assert_int_equal(size, 1 << 20);
	mmcfg_maps++;
	return mmcfg_memory;
}

void iounmap(const volatile void *p, size_t size)
{
	assert_ptr_equal(p, msix_table);
	assert_int_equal(size, sizeof(msix_table));
}

u32 mmio_read32(const volatile void *p)
{
	return *(const volatile u32 *)p;
}

void mmio_write32(volatile void *p, u32 val)
{
	*(volatile u32 *)p = val;
}

void mmio_write16(volatile void *p, u16 val)
{
	*(volatile u16 *)p = val;
}

void mmio_write8(volatile void *p, u8 val)
{
	*(volatile u8 *)p = val;
}

/* --- interrupts: numbers from 100 on, vectors from 0x40 on, on APIC id 7 --- */

static struct irq {
	const struct irq_chip *chip;
	void *data;
} irqs[64];
static u32 irq_next;
static int irq_fail;

int irq_create(const struct irq_chip *chip, void *const data[], u32 count)
{
	u32 first = ROUND_UP(irq_next, count);

	if (irq_fail)
		return irq_fail;
	for (u32 i = 0; i < count; i++) {
		struct irq_route r = { 7, (u8)(0x40 + first + i) };

		irqs[first + i] = (struct irq){ chip, data[i] };
		chip->route(data[i], &r);
	}
	irq_next = first + count;
	return (int)(100 + first);
}

void irq_destroy(u32 irq, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		assert_non_null(irqs[irq - 100 + i].chip);
		irqs[irq - 100 + i] = (struct irq){ 0 };
	}
}

void irq_restore(u32 irq)
{
	struct irq_route r = { 7, (u8)(0x40 + irq - 100) };

	irqs[irq - 100].chip->route(irqs[irq - 100].data, &r);
	irqs[irq - 100].chip->unmask(irqs[irq - 100].data);
}

static void irq_unmask(u32 irq)
{
	irqs[irq - 100].chip->unmask(irqs[irq - 100].data);
}

static void irq_mask(u32 irq)
{
	irqs[irq - 100].chip->mask(irqs[irq - 100].data);
}

static void irq_give_up(u32 irq)
{
	irqs[irq - 100].chip->release(irqs[irq - 100].data);
}

/* --- console --- */

static struct uart_option uart[2];
static struct { u16 io_base; u32 calls; } attached;

const struct uart_option *console_uart_option(unsigned int index)
{
	return &uart[index];
}

void console_uart_attach(unsigned int index, u16 io_base, volatile void *mmio, u8 reg_shift, u8 reg_width)
{
	(void)index;
	(void)mmio;
	(void)reg_shift;
	(void)reg_width;
	attached.io_base = io_base;
	attached.calls++;
}

/* --- */

static struct domain *dom0_, *domu;

void *hv_alloc(size_t size)
{
	return calloc(1, size);
}

void hv_free(void *p)
{
	free(p);
}

#define NET PCI_BDF(0, 3, 0)
#define DISK PCI_BDF(0, 4, 0)
#define PLAIN PCI_BDF(0, 5, 0)
#define SERIAL PCI_BDF(0, 6, 1)

static struct device *net, *disk, *plain;

static int start(void **state)
{
	struct device *d;

	(void)state;
	sim_start(2);
	device_count = 0;
	irq_fail = 0;
	memset(msix_table, 0, sizeof(msix_table));
	/* MSI with mask bits, 64 bits, 8 vectors, at 0x50; before it a capability of no interest. */
	d = disk = device_new(DISK, 0x10018086, 0x01060100);
	put(d, 4, 0x00100007);
	put(d, 0x34, 0x40);
	put(d, 0x40, 0x00005001);
	put(d, 0x50, 0x01860005);
	/* MSI-X at 0x60: table in BAR 4 (64 bits) at 0x1000. */
	d = net = device_new(NET, 0x10411af4, 0x02000000);
	put(d, 4, 0x00100007);
	put(d, 0x34, 0x60);
	put(d, 0x60, (TABLE_ENTRIES - 1) << 16 | 0x0011);
	put(d, 0x64, 0x1004);
	put(d, 0x20, (TABLE_ADDRESS - 0x1000) | 0xc);
	/* The simplest MSI: 32 bits, one vector, no mask. */
	d = plain = device_new(PLAIN, 0x12345678, 0x0c030000);
	put(d, 4, 0x00100007);
	put(d, 0x34, 0x70);
	put(d, 0x70, 0x00000005);
	dom0_ = sim_domain(0, true, 1, 64);
	domu = sim_domain(1, false, 1, 64);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	(void)!pci_device_remove(NET);
	(void)!pci_device_remove(DISK);
	(void)!pci_device_remove(PLAIN);
	sim_stop();
	return 0;
}

static void test_access(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(DISK, 0, 4), 0x10018086);
	assert_int_equal(pci_config_read(DISK, 2, 2), 0x1001);
	assert_int_equal(pci_config_read(DISK, 3, 1), 0x10);
	assert_int_equal(pci_config_read(PCI_BDF(0, 9, 0), 0, 4), ~0u);
	assert_int_equal(pci_config_read(DISK, 1, 2), ~0u);
	assert_int_equal(pci_config_read(DISK, 4096, 4), ~0u);
	assert_int_equal(pci_config_read(DISK, 0, 3), ~0u);
	pci_config_write(DISK, 0x3c, 1, 0x5a);
	assert_int_equal(disk->config[0x3c], 0x5a);
	pci_config_update(DISK, 0x3c, 0xff, 0x100);
	assert_int_equal(get(disk, 0x3c), 0x100);
	assert_int_equal(pci_capability_find(DISK, 5), 0x50);
	assert_int_equal(pci_capability_find(DISK, 0x11), 0);
	/* A list that bites its tail. */
	put(disk, 0x50, 0x01864005);
	assert_int_equal(pci_capability_find(DISK, 0x11), 0);
	put(disk, 4, 0x00000007);
	assert_int_equal(pci_capability_find(DISK, 5), 0);
}

static void test_mmcfg(void **state)
{
	unsigned int reg;
	u32 sbdf;

	(void)state;
	mmcfg_memory = calloc(1, 1 << 20);
	acpi_info.mcfgs = 2;
	acpi_info.mcfg[0] = (struct acpi_mcfg){ { 0xe0000000 }, 0, 0, 255 };
	acpi_info.mcfg[1] = (struct acpi_mcfg){ { 0xd0000000 }, 1, 0, 15 };
	uart[0].where = UART_PCI;
	uart[0].port_bdf = UART_BDF_NONE;
	device_new(SERIAL, 0x00021b36, 0x07000200);
	devices[device_count - 1].config[0x10] = 0x81;
	devices[device_count - 1].config[0x11] = 0xc0;
	/* Function 1 is looked at only if there is a function 0 with more. */
	device_new(SERIAL & ~1u, 0x00031b36, 0x06000000)->config[0x0e] = 0x80;
	pci_init();
	assert_int_equal(attached.calls, 1);
	assert_int_equal(attached.io_base, 0xc080);
	memcpy(mmcfg_memory + (3 << 15) + 0x100, "\x12\x34\x56\x78", 4);
	assert_int_equal(pci_config_read(NET, 0x100, 4), 0x78563412);
	assert_int_equal(pci_config_read(NET, 0x102, 2), 0x7856);
	assert_int_equal(pci_config_read(NET, 0x103, 1), 0x78);
	pci_config_write(NET, 0x101, 1, 0xee);
	assert_int_equal(mmcfg_memory[(3 << 15) + 0x101], 0xee);
	pci_config_write(NET, 0x102, 2, 0xbeef);
	assert_int_equal(pci_config_read(NET, 0x100, 4), 0xbeefee12);
	assert_int_equal(mmcfg_maps, 1);
	/* Another segment has no ports. */
	assert_int_equal(pci_config_read(PCI_SBDF(1, 0, 3 << 3), 0x100, 4), 0xbeefee12);
	assert_int_equal(pci_config_read(PCI_SBDF(2, 0, 3 << 3), 0x100, 4), ~0u);
	assert_int_equal(pci_config_read(PCI_SBDF(1, 16, 3 << 3), 0x100, 4), ~0u);
	assert_true(pci_mmcfg_decode(paddr(0xd0000000 + (5 << 20) + (0x1a << 12) + 0x124), &sbdf, &reg));
	assert_int_equal(sbdf, PCI_SBDF(1, 5, 0x1a));
	assert_int_equal(reg, 0x124);
	assert_false(pci_mmcfg_decode(paddr(0xd0000000 + (16 << 20)), &sbdf, &reg));
	assert_false(pci_mmcfg_decode(paddr(0xf0000000), &sbdf, &reg));
	assert_int_equal(pci_mmcfg_confirm(paddr(0xe0000000), 0, 0, 255, false), 0);
	assert_int_equal(pci_config_read(NET, 0x100, 4), ~0u);
	assert_int_equal(pci_mmcfg_confirm(paddr(0xe0000000), 0, 0, 127, true), -ENODEV);
	/* The hypervisor's serial port: dom0 reads it and changes nothing. */
	assert_int_equal(pci_config_read_guarded(dom0_, SERIAL, 0, 4), 0x00021b36);
	pci_config_write_guarded(dom0_, SERIAL, 4, 2, 0);
	assert_int_equal(pci_config_read(SERIAL, 4, 2), 1);
	assert_int_equal(pci_device_remove(SERIAL), -EBUSY);
	free(mmcfg_memory);
}

static void test_msi_block(void **state)
{
	int irq;

	(void)state;
	assert_int_equal(pci_msi_count(DISK), 8);
	assert_int_equal(pci_msi_setup(DISK, 16), -ERANGE);
	assert_int_equal(pci_msi_setup(DISK, 3), -ERANGE);
	irq_fail = -ENOSPC;
	assert_int_equal(pci_msi_setup(DISK, 4), -ENOSPC);
	irq_fail = 0;
	irq = pci_msi_setup(DISK, 4);
	assert_true(irq >= 100);
	assert_int_equal(pci_msi_setup(DISK, 1), -EEXIST);
	assert_int_equal(pci_device_remove(DISK), -EBUSY);
	assert_int_equal(get(disk, 0x54), 0xfee07000);
	assert_int_equal(get(disk, 0x58), 0);
	assert_int_equal(get(disk, 0x5c), 0x40 + irq - 100);
	assert_int_equal(get(disk, 0x60), 0xf);
	/* Not on before someone wants it. Log2 of 4 vectors. */
	assert_int_equal(get(disk, 0x50), 0x01a60005);
	irq_unmask((u32)irq + 2);
	assert_int_equal(get(disk, 0x50), 0x01a70005);
	assert_int_equal(get(disk, 0x60), 0xb);
	irq_mask((u32)irq + 2);
	assert_int_equal(get(disk, 0x60), 0xf);
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(pci_device_remove(DISK), -EBUSY);
		irq_give_up((u32)irq + i);
	}
	assert_int_equal(get(disk, 0x50), 0x01860005);
	assert_int_equal(pci_device_remove(DISK), 0);
	assert_int_equal(pci_device_remove(DISK), -ENODEV);
	assert_int_equal(pci_msi_setup(PCI_BDF(0, 9, 0), 1), -ENODEV);
	assert_int_equal(pci_msi_setup(NET, 1), -ENODEV);
}

static void test_msi_plain(void **state)
{
	int irq = pci_msi_setup(PLAIN, 1);

	(void)state;
	assert_true(irq >= 100);
	assert_int_equal(get(plain, 0x74), 0xfee07000);
	assert_int_equal(get(plain, 0x78), 0x40 + irq - 100);
	assert_int_equal(get(plain, 0x70), 5);
	irq_unmask((u32)irq);
	assert_int_equal(get(plain, 0x70), 0x00010005);
	assert_int_equal(get(plain, 0x7c), 0);
	/* After a reset of the device. */
	put(plain, 0x70, 5);
	put(plain, 0x74, 0);
	assert_int_equal(pci_msi_restore(PLAIN), 0);
	assert_int_equal(get(plain, 0x74), 0xfee07000);
	assert_int_equal(get(plain, 0x70), 0x00010005);
	irq_give_up((u32)irq);
	assert_int_equal(get(plain, 0x70), 5);
	assert_int_equal(pci_msi_restore(PCI_BDF(0, 9, 0)), -ENODEV);
}

static void test_msix(void **state)
{
	int a, b;

	(void)state;
	put(net, 4, 0x00100005);
	assert_int_equal(pci_msix_setup(NET, 0, paddr(TABLE_ADDRESS)), -ENXIO);
	put(net, 4, 0x00100007);
	assert_int_equal(pci_msix_setup(NET, TABLE_ENTRIES, paddr(TABLE_ADDRESS)), -ERANGE);
	assert_int_equal(get(net, 0x60) >> 30, 0);
	a = pci_msix_setup(NET, 3, paddr(TABLE_ADDRESS));
	b = pci_msix_setup(NET, 0, paddr(TABLE_ADDRESS));
	assert_true(a >= 100 && b == a + 1);
	assert_int_equal(pci_msix_setup(NET, 3, paddr(TABLE_ADDRESS)), -EEXIST);
	assert_int_equal(get(net, 0x60) >> 30, 2);
	for (u32 i = 0; i < TABLE_ENTRIES; i++)
		assert_int_equal(msix_table[4 * i + 3], 1);
	assert_int_equal(msix_table[4 * 3], 0xfee07000);
	assert_int_equal(msix_table[4 * 3 + 2], 0x40 + a - 100);
	irq_unmask((u32)a);
	assert_int_equal(msix_table[4 * 3 + 3], 0);
	assert_int_equal(msix_table[3], 1);
	irq_mask((u32)a);
	assert_int_equal(msix_table[4 * 3 + 3], 1);
	/* Registers lost, as by a function-level reset. */
	memset(msix_table, 0xff, sizeof(msix_table));
	put(net, 0x60, (TABLE_ENTRIES - 1) << 16 | 0x0011);
	assert_int_equal(pci_msi_restore(NET), 0);
	assert_int_equal(get(net, 0x60) >> 30, 2);
	assert_int_equal(msix_table[4 * 3], 0xfee07000);
	assert_int_equal(msix_table[4 * 5 + 3], 1);
	irq_give_up((u32)a);
	assert_int_equal(get(net, 0x60) >> 30, 2);
	irq_give_up((u32)b);
	assert_int_equal(get(net, 0x60) >> 30, 0);
	/* A table where memory is: no. */
	put(net, 0x20, 0x5000 | 0xc);
	assert_int_equal(pci_msix_setup(NET, 0, paddr(0)), -EINVAL);
	put(net, 0x20, 0xc);
	assert_int_equal(pci_msix_setup(NET, 0, paddr(0x7000)), -EINVAL);
	assert_int_equal(pci_msix_setup(NET, 0, paddr(~0UL)), -EINVAL);
}

static void test_msix_prepare(void **state)
{
	const mfn_t frame = mfn(TABLE_ADDRESS >> PAGE_SHIFT);

	(void)state;
	assert_false(pci_frame_readonly(frame));
	assert_int_equal(pci_msix_prepare(NET), 0);
	assert_true(pci_frame_readonly(frame));
	assert_false(pci_frame_readonly(mfn(frame.v + 1)));
	assert_int_equal(pci_device_remove(NET), -EBUSY);
	assert_int_equal(pci_msix_prepare(NET), 0);
	assert_int_equal(pci_msix_unprepare(NET), 0);
	assert_true(pci_frame_readonly(frame));
	assert_int_equal(pci_msix_unprepare(NET), 0);
	assert_false(pci_frame_readonly(frame));
	assert_int_equal(get(net, 0x60) >> 30, 0);
	assert_int_equal(pci_msix_unprepare(NET), 0);
	assert_int_equal(pci_msix_prepare(PCI_BDF(0, 9, 0)), -ENODEV);
}

static void test_guard(void **state)
{
	int irq;

	(void)state;
	/* Others see nothing. */
	assert_int_equal(pci_config_read_guarded(domu, DISK, 0, 4), ~0u);
	assert_int_equal(pci_config_read_guarded(domu, DISK, 0, 1), 0xff);
	pci_config_write_guarded(domu, DISK, 0x3c, 1, 9);
	assert_int_equal(disk->config[0x3c], 0);
	/* dom0: everything that is not ours. */
	pci_config_write_guarded(dom0_, DISK, 0x3c, 1, 9);
	assert_int_equal(disk->config[0x3c], 9);
	pci_config_write_guarded(dom0_, DISK, 0x10, 4, 0xfebc0000);
	assert_int_equal(get(disk, 0x10), 0xfebc0000);
	/* MSI that firmware left on may be switched off, and not on. */
	put(disk, 0x50, 0x01870005);
	pci_config_write_guarded(dom0_, DISK, 0x52, 2, 0x0187);
	assert_int_equal(get(disk, 0x50), 0x01870005);
	pci_config_write_guarded(dom0_, DISK, 0x52, 2, 0x0186);
	assert_int_equal(get(disk, 0x50), 0x01860005);
	pci_config_write_guarded(dom0_, DISK, 0x52, 1, 0x87);
	assert_int_equal(get(disk, 0x50), 0x01860005);
	/* Messages never. */
	for (u32 reg = 0x54; reg < 0x64; reg += 4) {
		put(disk, reg, 0x11223344);
		pci_config_write_guarded(dom0_, DISK, reg, 4, 0);
		pci_config_write_guarded(dom0_, DISK, reg + 1, 1, 0);
		pci_config_write_guarded(dom0_, DISK, reg + 2, 2, 0);
		assert_int_equal(get(disk, reg), 0x11223344);
	}
	irq = pci_msi_setup(DISK, 2);
	irq_unmask((u32)irq);
	assert_int_equal(get(disk, 0x50), 0x01970005);
	pci_config_write_guarded(dom0_, DISK, 0x52, 2, 0x0006);
	assert_int_equal(get(disk, 0x50), 0x00170005);
	irq_give_up((u32)irq);
	irq_give_up((u32)irq + 1);
	/* MSI-X: dom0 may mask, not enable. */
	pci_config_write_guarded(dom0_, NET, 0x62, 2, 0xc007);
	assert_int_equal(get(net, 0x60) >> 30, 1);
	pci_config_write_guarded(dom0_, NET, 0x62, 2, 0x0007);
	irq = pci_msix_setup(NET, 1, paddr(TABLE_ADDRESS));
	pci_config_write_guarded(dom0_, NET, 0x62, 2, 0x4007);
	assert_int_equal(get(net, 0x60) >> 30, 2);
	irq_give_up((u32)irq);
}

static void test_virtual_function(void **state)
{
	int irq;

	(void)state;
	/* Its vendor id and BARs read as nothing; dom0 knows better. */
	put(net, 0, ~0u);
	put(net, 0x20, 0);
	assert_int_equal(pci_device_add(NET, false, PCI_SBDF_NONE), -ENODEV);
	assert_int_equal(pci_device_add(NET, true, DISK), 0);
	irq = pci_msix_setup(NET, 1, paddr(TABLE_ADDRESS));
	assert_true(irq >= 100);
	irq_give_up((u32)irq);
	assert_int_equal(pci_device_add(DISK, false, PCI_SBDF_NONE), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_access), TEST(test_msi_block), TEST(test_msi_plain), TEST(test_msix), TEST(test_msix_prepare),
		TEST(test_guard), TEST(test_virtual_function), TEST(test_mmcfg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
