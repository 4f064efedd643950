/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that dom0 has told of or that have interrupts set up, and dom0's guarded access to their registers. */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/rangeset.h>
#include "pci.h"

#define BUCKETS 64u

struct spinlock pci_lock = SPINLOCK(LOCK_PCI);
static struct list bucket[BUCKETS];

static struct list *bucket_of(u32 sbdf)
{
	struct list *b = &bucket[(sbdf ^ sbdf >> 8) % BUCKETS];

	if (!b->next)
		list_init(b);
	return b;
}

struct pci_device *pci_device_find(u32 sbdf)
{
	struct pci_device *dev;
	struct list *b = bucket_of(sbdf);

	list_for_each_entry(dev, b, link)
		if (dev->sbdf == sbdf)
			return dev;
	return NULL;
}

static struct pci_device *device_create(u32 sbdf)
{
	struct pci_device *dev = hv_alloc(sizeof(*dev));
	u32 ctrl;

	if (!dev)
		return NULL;
	dev->sbdf = sbdf;
	dev->physical = PCI_SBDF_NONE;
	list_init(&dev->msis);
	dev->msi = (u16)pci_capability_find(sbdf, PCI_CAP_MSI);
	dev->msix = (u16)pci_capability_find(sbdf, PCI_CAP_MSIX);
	if (dev->msi) {
		ctrl = pci_config_read(sbdf, dev->msi, 4);
		dev->msi_64bit = ctrl & MSI_64BIT;
		dev->msi_maskable = ctrl & MSI_MASKABLE;
	}
	list_add_tail(bucket_of(sbdf), &dev->link);
	return dev;
}

struct pci_device *pci_device_get(u32 sbdf)
{
	struct pci_device *dev = pci_device_find(sbdf);

	if (!dev && pci_config_read(sbdf, PCI_VENDOR, 2) != 0xffff)
		dev = device_create(sbdf);
	return dev;
}

int pci_device_add(u32 sbdf, bool is_virtual, u32 physical)
{
	struct pci_device *dev;
	int rc = 0;

	spin_lock(&pci_lock);
	dev = pci_device_find(sbdf);
	/* A virtual function has no vendor id. */
	if (!dev && !is_virtual && pci_config_read(sbdf, PCI_VENDOR, 2) == 0xffff)
		rc = -ENODEV;
	else if (!dev && !(dev = device_create(sbdf)))
		rc = -ENOMEM;
	else
		dev->physical = is_virtual ? physical : PCI_SBDF_NONE;
	spin_unlock(&pci_lock);
	return rc;
}

int pci_device_remove(u32 sbdf)
{
	struct pci_device *dev;
	int rc = -ENODEV;

	spin_lock(&pci_lock);
	dev = pci_device_find(sbdf);
	if (dev && (!list_empty(&dev->msis) || dev->prepared || dev->hidden)) {
		rc = -EBUSY;
	} else if (dev) {
		list_remove(&dev->link);
		hv_free(dev);
		rc = 0;
	}
	spin_unlock(&pci_lock);
	return rc;
}

/* --- dom0's access --- */

u32 pci_config_read_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size)
{
	return d->privileged ? pci_config_read(sbdf, reg, size) : ~0u >> (32 - 8 * MIN(size, 4u));
}

void pci_config_write_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size, u32 val)
{
	unsigned int shift = 8 * (reg & 3), at = reg & ~3u;
	u32 width = ~0u >> (32 - 8 * size), mask = width << shift;
	struct config_guard guard = { 0, 0 };
	struct pci_device *dev;
	bool hidden = false;

	if (!d->privileged)
		return;
	val = (val & width) << shift;
	spin_lock(&pci_lock);
	/* The header has nothing to guard in functions that are not the hypervisor's own. */
	dev = pci_device_find(sbdf);
	if (!dev && reg >= 0x40)
		dev = pci_device_get(sbdf);
	if (dev) {
		hidden = dev->hidden;
		guard = msi_guard(dev, at);
	}
	if (hidden) {
		log_guest(LOG_DEBUG, "PCI %04x:%02x:%02x.%u is the hypervisor's: write of register %#x ignored", PCI_SEG(sbdf),
			  PCI_BUS(sbdf), PCI_DEVFN(sbdf) >> 3, PCI_DEVFN(sbdf) & 7, reg);
	} else if (!((guard.keep | guard.clear_only) & mask)) {
		pci_config_write(sbdf, reg, size, val >> shift);
	} else {
		/* Of what is guarded, only bits that may be cleared change, from 1 to 0. */
		u32 old = pci_config_read(sbdf, at, 4);
		u32 clear = (mask & ~guard.keep & ~guard.clear_only) | (guard.clear_only & mask & ~val);

		val = (old & ~clear) | (val & mask & ~guard.keep & ~guard.clear_only);
		if ((val ^ old) & mask)
			pci_config_write(sbdf, reg, size, val >> shift);
	}
	spin_unlock(&pci_lock);
}

/* --- MSI-X tables of functions that go to other domains --- */

static struct rangeset *readonly_frames;

int pci_frames_guard(paddr_t table, u64 size, bool guard)
{
	u64 first = table.v >> PAGE_SHIFT, last = (table.v + size - 1) >> PAGE_SHIFT;

	if (!readonly_frames)
		readonly_frames = rangeset_create();
	if (!readonly_frames)
		return -ENOMEM;
	return guard ? rangeset_add(readonly_frames, first, last) : rangeset_remove(readonly_frames, first, last);
}

bool pci_frame_readonly(mfn_t m)
{
	return readonly_frames && rangeset_contains(readonly_frames, m.v, m.v);
}

void pci_init(void)
{
	pci_mmcfg_init();
	pci_uart_init();
}
