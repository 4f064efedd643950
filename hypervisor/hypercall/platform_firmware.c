/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op: what firmware told, MTRRs, microcode, and the hypervisor's symbols. */
#include "platform.h"
#include <hv/boot.h>
#include <hv/efi.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/image.h>
#include <hv/microcode.h>
#include <hv/mtrr.h>
#include <hv/string.h>

/* Byte of the BIOS data area that INT 16h function 2 returns. */
#define BIOS_SHIFT_FLAGS 0x417
#define SYMBOL_NAME_MAX 128u

/* --- Firmware --- */

static long efi_vendor(struct vcpu *v, union xenpf_efi_info *i)
{
	u32 size = 0;

	while (efi_info.vendor[size])
		size++;
	size = (size + 1) * (u32)sizeof(efi_info.vendor[0]);
	i->vendor.revision = efi_info.firmware_revision;
	i->vendor.bufsz = MIN(i->vendor.bufsz, size);
	if (!i->vendor.name.p || !i->vendor.bufsz)
		return 0;
	if (guest_copy_out(v, (gva_t)(uintptr_t)i->vendor.name.p, efi_info.vendor, i->vendor.bufsz))
		return -EFAULT;
	return 0;
}

static long efi_memory(union xenpf_efi_info *i)
{
	for (u32 n = 0; n < boot_info.nr_efi_memory; n++) {
		const struct boot_efi_memory *m = &boot_info.efi_memory[n];

		if (i->mem.addr - m->start >= m->size)
			continue;
		i->mem.addr = m->start;
		i->mem.size = m->size;
		i->mem.attr = m->attributes;
		i->mem.type = m->type;
		return 0;
	}
	return -ESRCH;
}

static long efi_get(struct vcpu *v, u32 index, union xenpf_efi_info *i)
{
	if (!efi_info.present)
		return -ENODEV;
	switch (index) {
	case XEN_FW_EFI_VERSION:
		i->version = efi_info.revision;
		return 0;
	case XEN_FW_EFI_RT_VERSION:
		i->version = efi_info.runtime_revision;
		return 0;
	case XEN_FW_EFI_CONFIG_TABLE:
		i->cfg.addr = efi_info.config_table.v;
		i->cfg.nent = efi_info.config_entries;
		return 0;
	case XEN_FW_EFI_VENDOR:
		return efi_vendor(v, i);
	case XEN_FW_EFI_MEM_INFO:
		return efi_memory(i);
	case XEN_FW_EFI_PCI_ROM:
	case XEN_FW_EFI_APPLE_PROPERTIES:
		/* Boot services knew these; the boot loader had ended them. */
		return -ENODEV;
	default:
		return -EINVAL;
	}
}

static long shift_flags(u8 *flags)
{
	mfn_t first = mfn(0);
	const u8 *bios;

	if (efi_info.present || !frame_valid(first))
		return -ENODEV;
	bios = frame_map(first);
	*flags = bios[BIOS_SHIFT_FLAGS];
	frame_unmap(bios);
	return 0;
}

long platform_firmware_info(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_firmware_info *f = &op->u.firmware_info;

	switch (f->type) {
	case XEN_FW_EFI_INFO:
		return efi_get(v, f->index, &f->u.efi_info);
	case XEN_FW_KBD_SHIFT_FLAGS:
		return f->index ? -ESRCH : shift_flags(&f->u.kbd_shift_flags);
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		/* Nobody made BIOS calls for these: GRUB starts the hypervisor in protected mode. The list is empty. */
		return -ESRCH;
	default:
		return -EINVAL;
	}
}

/* --- Microcode --- */

long platform_microcode(struct vcpu *v, struct xen_platform_op *op)
{
	gva_t from = (gva_t)(uintptr_t)op->u.microcode.data.p;
	u32 size = op->u.microcode.length;
	unsigned int order = 0;
	struct frame *f;
	u8 *copy;
	long rc;

	if (!size)
		return -EINVAL;
	if (size > MICROCODE_MAX)
		return -E2BIG;
	while (PAGE_SIZE << order < size)
		order++;
	f = frames_alloc(order, 0);
	if (!f)
		return -ENOMEM;
	copy = frame_map(frame_mfn(f));
	rc = guest_copy_in(v, copy, from, size);
	if (!rc)
		rc = microcode_update(copy, size);
	frame_unmap(copy);
	frames_free(f, order);
	return rc;
}

/* --- MTRRs --- */

/* Uses of each register beside firmware's, so that what was added can be deleted. Nothing is ever reprogrammed. */
static u32 memtype_uses[32];

long platform_memtype_read(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_read_memtype *m = &op->u.read_memtype;
	struct mtrr_range range;
	int rc = mtrr_read(m->reg, &range);

	(void)v;
	if (rc)
		return rc;
	m->mfn = range.first_frame;
	m->nr_mfns = range.frames;
	m->type = range.type;
	return 0;
}

long platform_memtype_add(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_add_memtype *m = &op->u.add_memtype;
	struct mtrr_range range;

	(void)v;
	if (!m->nr_mfns || m->mfn + m->nr_mfns < m->mfn)
		return -EINVAL;
	for (u32 reg = 0; reg < ARRAY_SIZE(memtype_uses) && mtrr_read(reg, &range) == 0; reg++) {
		if (range.first_frame != m->mfn || range.frames != m->nr_mfns || range.type != m->type)
			continue;
		__atomic_fetch_add(&memtype_uses[reg], 1, __ATOMIC_RELAXED);
		m->reg = reg;
		m->handle = reg + 1;
		return 0;
	}
	/* Page attributes do what a new range would do. */
	return -EOPNOTSUPP;
}

long platform_memtype_delete(struct vcpu *v, struct xen_platform_op *op)
{
	const struct xenpf_del_memtype *m = &op->u.del_memtype;
	u32 uses;

	(void)v;
	if (m->reg >= ARRAY_SIZE(memtype_uses) || (m->handle && m->handle != m->reg + 1))
		return -EINVAL;
	uses = __atomic_load_n(&memtype_uses[m->reg], __ATOMIC_RELAXED);
	do {
		if (!uses)
			return -EINVAL;
	} while (!__atomic_compare_exchange_n(&memtype_uses[m->reg], &uses, uses - 1, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return 0;
}

/* --- Symbols --- */

long platform_symbol(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_symdata *s = &op->u.symdata;
	const char *name = symbol_get(s->symnum, &s->address);
	u32 room = s->namelen, length;

	/* Behind the last one: symnum stays, and that tells the caller. */
	if (!name)
		return s->symnum && symbol_get(s->symnum - 1, &s->address) ? 0 : -ERANGE;
	length = (u32)strnlen(name, SYMBOL_NAME_MAX);
	if (room && guest_copy_out(v, (gva_t)(uintptr_t)s->name.p, name, MIN(room, length + 1)))
		return -EFAULT;
	s->namelen = length;
	s->type = 't';
	s->symnum++;
	return 0;
}
