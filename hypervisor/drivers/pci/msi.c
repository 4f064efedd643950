/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message-signalled interrupts (PCI local bus specification 3.0, 6.8). The hypervisor alone writes messages, enable and mask bits. An irq is
 * made masked; MSI is enabled when its first irq is unmasked, MSI-X when its first entry is set up, with all entries masked.
 * Chip members run under the irq's lock, the rest under pci_lock.
 */
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/irq.h>
#include <hv/log.h>
#include "pci.h"

#define MSI_COUNT_MAX 32u
/* Where the parts of a message are, from the capability. */
#define MSI_ADDRESS_LOW 4u
#define MSI_ADDRESS_HIGH 8u
#define MSI_DATA(dev) ((dev)->msi_64bit ? 12u : 8u)
#define MSI_MASK(dev) ((dev)->msi_64bit ? 16u : 12u)
#define MSIX_TABLE 4u
/* Of an entry of an MSI-X table. */
#define ENTRY_ADDRESS_LOW 0u
#define ENTRY_ADDRESS_HIGH 4u
#define ENTRY_DATA 8u
#define ENTRY_CONTROL 12u

/* Fixed delivery, edge, to one physical APIC id (SDM volume 3, 11.11). */
static u32 message_address(const struct irq_route *r)
{
	return MSI_ADDRESS | (r->apic_id & 0xff) << 12;
}

/* --- MSI --- */

static void msi_mask_write(struct pci_device *dev, u32 clear, u32 set)
{
	pci_config_update(dev->sbdf, dev->msi + MSI_MASK(dev), clear, set);
}

static void msi_mask(void *data)
{
	struct msi_irq *m = data;

	msi_mask_write(m->dev, 0, 1u << m->index);
}

static void msi_plain_mask(void *data)
{
	/* Without mask bits there is only the enable bit, and a device with that bit cleared falls back to its line. */
	(void)data;
}

static void msi_unmask(void *data)
{
	struct msi_irq *m = data;

	pci_config_update(m->dev->sbdf, m->dev->msi, 0, MSI_ENABLE);
	if (m->dev->msi_maskable)
		msi_mask_write(m->dev, 1u << m->index, 0);
}

static void msi_route(void *data, const struct irq_route *r)
{
	struct msi_irq *m = data;
	const struct pci_device *dev = m->dev;

	/* One message serves all of a block: the device adds the index to the data, so to the vector. */
	if (m->index)
		return;
	pci_config_write(dev->sbdf, dev->msi + MSI_ADDRESS_LOW, 4, message_address(r));
	if (dev->msi_64bit)
		pci_config_write(dev->sbdf, dev->msi + MSI_ADDRESS_HIGH, 4, 0);
	pci_config_write(dev->sbdf, dev->msi + MSI_DATA(dev), 2, r->vector);
}

static void msi_irq_release(void *data);

static const struct irq_chip msi_chip = {
	.name = "MSI", .can_mask = true, .mask = msi_mask, .unmask = msi_unmask, .route = msi_route,
	.release = msi_irq_release,
};
static const struct irq_chip msi_plain_chip = {
	.name = "MSI", .can_mask = false, .mask = msi_plain_mask, .unmask = msi_unmask, .route = msi_route,
	.release = msi_irq_release,
};

u32 pci_msi_count(u32 sbdf)
{
	struct pci_device *dev;
	u32 log2 = 0;

	spin_lock(&pci_lock);
	dev = pci_device_get(sbdf);
	if (dev && dev->msi)
		log2 = MSI_CAPABLE(pci_config_read(sbdf, dev->msi, 4)) + 1;
	spin_unlock(&pci_lock);
	return log2 && log2 <= 6 ? 1u << (log2 - 1) : 0;
}

static void msi_list_free(struct msi_irq *const m[], u32 count)
{
	for (u32 i = 0; i < count; i++)
		hv_free(m[i]);
}

/* Allocates for count irqs. False: no memory, nothing allocated. */
static bool msi_list_alloc(struct msi_irq *m[], u32 count, struct pci_device *dev)
{
	for (u32 i = 0; i < count; i++) {
		m[i] = hv_alloc(sizeof(*m[i]));
		if (!m[i]) {
			msi_list_free(m, i);
			return false;
		}
		m[i]->dev = dev;
		m[i]->index = i;
	}
	return true;
}

static int msi_setup_locked(u32 sbdf, u32 count)
{
	struct pci_device *dev = pci_device_get(sbdf);
	struct msi_irq *m[MSI_COUNT_MAX];
	u32 ctrl;
	int irq;

	if (!dev || !dev->msi)
		return -ENODEV;
	if (!list_empty(&dev->msis))
		return -EEXIST;
	ctrl = pci_config_read(sbdf, dev->msi, 4);
	if (!count || count > MSI_COUNT_MAX || (count & (count - 1)) || count > 1u << MSI_CAPABLE(ctrl))
		return -ERANGE;
	if (!msi_list_alloc(m, count, dev))
		return -ENOMEM;
	pci_config_update(sbdf, dev->msi, MSI_ENABLE | MSI_MULTIPLE_MASK,
			  MSI_MULTIPLE((u32)__builtin_ctz(count)));
	if (dev->msi_maskable)
		msi_mask_write(dev, 0, count == 32 ? ~0u : (1u << count) - 1);
	irq = irq_create(dev->msi_maskable ? &msi_chip : &msi_plain_chip, (void *const *)m, count);
	if (irq < 0) {
		msi_list_free(m, count);
		return irq;
	}
	dev->is_msix = false;
	for (u32 i = 0; i < count; i++) {
		m[i]->irq = (u32)irq + i;
		list_add_tail(&dev->msis, &m[i]->link);
	}
	return irq;
}

int pci_msi_setup(u32 sbdf, u32 count)
{
	int irq;

	spin_lock(&pci_lock);
	irq = msi_setup_locked(sbdf, count);
	spin_unlock(&pci_lock);
	return irq;
}

/* --- MSI-X --- */

static void msix_mask(void *data)
{
	struct msi_irq *m = data;

	mmio_write32(m->entry + ENTRY_CONTROL, MSIX_ENTRY_MASKED);
	/* The write has arrived when something was read. */
	(void)mmio_read32(m->entry + ENTRY_CONTROL);
}

static void msix_unmask(void *data)
{
	struct msi_irq *m = data;

	mmio_write32(m->entry + ENTRY_CONTROL, 0);
}

static void msix_route(void *data, const struct irq_route *r)
{
	struct msi_irq *m = data;

	mmio_write32(m->entry + ENTRY_ADDRESS_LOW, message_address(r));
	mmio_write32(m->entry + ENTRY_ADDRESS_HIGH, 0);
	mmio_write32(m->entry + ENTRY_DATA, r->vector);
	(void)mmio_read32(m->entry + ENTRY_DATA);
}

static const struct irq_chip msix_chip = {
	.name = "MSI-X", .can_mask = true, .mask = msix_mask, .unmask = msix_unmask, .route = msix_route,
	.release = msi_irq_release,
};

/* Address of the table by the function's own registers; 0 if they do not tell. */
static u64 msix_table_address(const struct pci_device *dev)
{
	u32 where = pci_config_read(dev->sbdf, dev->msix + MSIX_TABLE, 4);
	unsigned int bar = where & 7;
	u64 base;
	u32 low;

	if (dev->physical != PCI_SBDF_NONE || bar > 5)
		return 0;
	low = pci_config_read(dev->sbdf, PCI_BAR(bar), 4);
	if (low & 1)
		return 0;
	base = low & ~15u;
	if ((low & 6) == 4 && bar < 5)
		base |= (u64)pci_config_read(dev->sbdf, PCI_BAR(bar + 1), 4) << 32;
	return base ? base + (where & ~7u) : 0;
}

/* None of the table's pages may be memory: a guest must not have the hypervisor write there. */
static bool table_ok(u64 address, u64 size)
{
	if (!address || address + size < address || (address + size) >> 52)
		return false;
	for (u64 m = address >> PAGE_SHIFT; m <= (address + size - 1) >> PAGE_SHIFT; m++)
		if (frame_valid(mfn(m)))
			return false;
	return true;
}

/* Maps the table, masks every entry, and enables MSI-X. pci_lock held. */
static int msix_enable(struct pci_device *dev, paddr_t hint)
{
	u32 ctrl = pci_config_read(dev->sbdf, dev->msix, 4);
	u32 command_at = dev->physical != PCI_SBDF_NONE ? dev->physical : dev->sbdf;
	u64 address = msix_table_address(dev);

	if (dev->table_map)
		return 0;
	if (!(pci_config_read(command_at, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return -ENXIO;
	dev->table_size = MSIX_SIZE(ctrl);
	if (!address)
		address = hint.v;
	if (!table_ok(address, dev->table_size * MSIX_ENTRY_SIZE))
		return -EINVAL;
	dev->table_map = ioremap(paddr(address), dev->table_size * MSIX_ENTRY_SIZE);
	if (!dev->table_map)
		return -ENOMEM;
	dev->table = paddr(address);
	pci_config_update(dev->sbdf, dev->msix, 0, MSIX_ENABLE | MSIX_MASK_ALL);
	for (u32 i = 0; i < dev->table_size; i++)
		mmio_write32(dev->table_map + i * MSIX_ENTRY_SIZE + ENTRY_CONTROL, MSIX_ENTRY_MASKED);
	return 0;
}

static void msix_disable(struct pci_device *dev)
{
	if (!dev->table_map || dev->prepared || !list_empty(&dev->msis))
		return;
	pci_config_update(dev->sbdf, dev->msix, MSIX_ENABLE | MSIX_MASK_ALL, 0);
	iounmap((const void *)dev->table_map, dev->table_size * MSIX_ENTRY_SIZE);
	dev->table_map = NULL;
	dev->table = paddr(0);
}

static bool msix_entry_used(const struct pci_device *dev, u32 entry)
{
	const struct msi_irq *m;

	list_for_each_entry(m, &dev->msis, link)
		if (m->index == entry)
			return true;
	return false;
}

static int msix_setup_locked(u32 sbdf, u32 entry, paddr_t table)
{
	struct pci_device *dev = pci_device_get(sbdf);
	struct msi_irq *m;
	void *data;
	int rc;

	if (!dev || !dev->msix)
		return -ENODEV;
	if (!list_empty(&dev->msis) && (!dev->is_msix || msix_entry_used(dev, entry)))
		return -EEXIST;
	rc = msix_enable(dev, table);
	if (rc)
		return rc;
	if (entry >= dev->table_size) {
		rc = -ERANGE;
		goto out;
	}
	m = hv_alloc(sizeof(*m));
	if (!m) {
		rc = -ENOMEM;
		goto out;
	}
	m->dev = dev;
	m->index = entry;
	m->entry = dev->table_map + entry * MSIX_ENTRY_SIZE;
	data = m;
	rc = irq_create(&msix_chip, &data, 1);
	if (rc < 0) {
		hv_free(m);
		goto out;
	}
	m->irq = (u32)rc;
	dev->is_msix = true;
	list_add_tail(&dev->msis, &m->link);
	/* Every entry has its own mask bit from here on. */
	pci_config_update(sbdf, dev->msix, MSIX_MASK_ALL, 0);
	return rc;
out:
	msix_disable(dev);
	return rc;
}

int pci_msix_setup(u32 sbdf, u32 entry, paddr_t table)
{
	int irq;

	spin_lock(&pci_lock);
	irq = msix_setup_locked(sbdf, entry, table);
	spin_unlock(&pci_lock);
	return irq;
}

int pci_msix_prepare(u32 sbdf)
{
	struct pci_device *dev;
	int rc = 0;

	spin_lock(&pci_lock);
	dev = pci_device_get(sbdf);
	if (!dev)
		rc = -ENODEV;
	else if (dev->msix)
		rc = msix_enable(dev, paddr(0));
	if (!rc && dev->msix && !dev->prepared)
		rc = pci_frames_guard(dev->table, dev->table_size * MSIX_ENTRY_SIZE, true);
	if (!rc && dev->msix)
		dev->prepared++;
	else if (dev && dev->msix)
		msix_disable(dev);
	spin_unlock(&pci_lock);
	return rc;
}

int pci_msix_unprepare(u32 sbdf)
{
	struct pci_device *dev;
	int rc = 0;

	spin_lock(&pci_lock);
	dev = pci_device_find(sbdf);
	if (!dev)
		rc = -ENODEV;
	else if (!list_empty(&dev->msis))
		rc = -EBUSY;
	else if (dev->prepared == 1)
		rc = pci_frames_guard(dev->table, dev->table_size * MSIX_ENTRY_SIZE, false);
	if (!rc && dev->prepared && !--dev->prepared)
		msix_disable(dev);
	spin_unlock(&pci_lock);
	return rc;
}

/* --- Both --- */

/* The last irq of a function has gone: the function stops using messages. pci_lock held. */
static void msi_disable(struct pci_device *dev)
{
	if (dev->is_msix)
		msix_disable(dev);
	else
		pci_config_update(dev->sbdf, dev->msi, MSI_ENABLE | MSI_MULTIPLE_MASK, 0);
}

/* One of a function's irqs was given up. A block of MSIs goes as a whole, with its last one. */
static void msi_irq_release(void *data)
{
	struct msi_irq *m = data, *next;
	struct pci_device *dev = m->dev;
	u32 first = ~0u, count = 0;

	spin_lock(&pci_lock);
	if (dev->is_msix) {
		msix_mask(m);
		irq_destroy(m->irq, 1);
		list_remove(&m->link);
		hv_free(m);
	} else {
		m->released = true;
		list_for_each_entry(m, &dev->msis, link) {
			if (!m->released)
				break;
			first = MIN(first, m->irq);
			count++;
		}
		if (&m->link == &dev->msis) {
			pci_config_update(dev->sbdf, dev->msi, MSI_ENABLE, 0);
			irq_destroy(first, count);
			list_for_each_entry_safe(m, next, &dev->msis, link) {
				list_remove(&m->link);
				hv_free(m);
			}
		}
	}
	if (list_empty(&dev->msis))
		msi_disable(dev);
	spin_unlock(&pci_lock);
}

int pci_msi_restore(u32 sbdf)
{
	struct pci_device *dev;
	const struct msi_irq *m;
	u32 count = 0;

	spin_lock(&pci_lock);
	dev = pci_device_find(sbdf);
	if (!dev) {
		spin_unlock(&pci_lock);
		return -ENODEV;
	}
	list_for_each_entry(m, &dev->msis, link)
		count++;
	if (count && dev->is_msix) {
		pci_config_update(sbdf, dev->msix, 0, MSIX_ENABLE | MSIX_MASK_ALL);
		for (u32 i = 0; i < dev->table_size; i++)
			mmio_write32(dev->table_map + i * MSIX_ENTRY_SIZE + ENTRY_CONTROL, MSIX_ENTRY_MASKED);
	} else if (count) {
		pci_config_update(sbdf, dev->msi, MSI_ENABLE | MSI_MULTIPLE_MASK,
				  MSI_MULTIPLE((u32)__builtin_ctz(count)));
		if (dev->msi_maskable)
			msi_mask_write(dev, 0, ~0u);
	}
	list_for_each_entry(m, &dev->msis, link)
		irq_restore(m->irq);
	if (count && dev->is_msix)
		pci_config_update(sbdf, dev->msix, MSIX_MASK_ALL, 0);
	spin_unlock(&pci_lock);
	return 0;
}

struct config_guard msi_guard(const struct pci_device *dev, unsigned int reg)
{
	bool used = !list_empty(&dev->msis) || dev->prepared;
	struct config_guard g = { 0, 0 };

	if (dev->msi && reg == dev->msi) {
		if (used && !dev->is_msix)
			g.keep = MSI_ENABLE | MSI_MULTIPLE_MASK;
		else
			g.clear_only = MSI_ENABLE;
	} else if (dev->msi && reg > dev->msi && reg <= dev->msi + (dev->msi_maskable ? MSI_MASK(dev) : MSI_DATA(dev))) {
		g.keep = ~0u;
	} else if (dev->msix && reg == dev->msix) {
		if (dev->table_map)
			g.keep = MSIX_ENABLE | MSIX_MASK_ALL;
		else
			g.clear_only = MSIX_ENABLE;
	}
	return g;
}
