/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port I/O of PV guests. A guest may execute the instruction when its virtual I/O privilege or its port bitmap says so (else #GP);
 * what the access then does depends on the ports that the domain was given: others read as all ones and ignore writes.
 */
#include "emulate.h"
#include "segment.h"

#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/io.h>
#include <hv/pci.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/softirq.h>

#define PORT_PIT_CHANNEL2 0x42
#define PORT_PIT_CONTROL 0x43
#define PORT_SYSTEM_CONTROL 0x61
#define PORT_CMOS_INDEX 0x70
#define PORT_CMOS_DATA 0x71
#define PORT_PCI_ADDRESS 0xcf8
#define PORT_PCI_DATA 0xcfc
#define PCI_ADDRESS_ENABLE (1u << 31)

/* Elements of a repeated INS or OUTS between two looks at what else is to do. */
#define REP_BATCH 32u
#define REP_MAX 1024u

/* A byte of kernel memory, which need not be mapped in user mode. */
static bool kernel_byte(const struct vcpu *v, gva_t va, u8 *val)
{
	const u8 *page;
	mfn_t m;

	if (!guest_range_ok(va, 1) || !pv_kernel_frame(v, va, &m) || !frame_valid(m) || !frame_get(frame_of(m), v->domain))
		return false;
	page = frame_map(m);
	*val = READ_ONCE(page[va & ~PAGE_MASK]);
	frame_unmap(page);
	frame_put(frame_of(m));
	return true;
}

/* A clear bit of the guest's bitmap allows the port. */
static bool bitmap_allows(const struct vcpu *v, u32 port)
{
	u8 bits;

	return port < v->pv->iobmp_limit && kernel_byte(v, v->pv->iobmp_va + port / 8, &bits) && !(bits >> (port & 7) & 1);
}

static bool may_execute(const struct vcpu *v, u16 port, u32 size)
{
	if (v->pv->iopl >= pv_cpl(v))
		return true;
	for (u32 i = 0; i < size; i++)
		if (!bitmap_allows(v, port + i))
			return false;
	return true;
}

static u32 hardware_in(u16 port, u32 size)
{
	switch (size) {
	case 1: return inb(port);
	case 2: return inw(port);
	default: return inl(port);
	}
}

static void hardware_out(u16 port, u32 size, u32 val)
{
	switch (size) {
	case 1: outb(port, (u8)val); break;
	case 2: outw(port, (u16)val); break;
	default: outl(port, val); break;
	}
}

static u32 all_ones(u32 size)
{
	return size == 4 ? ~0u : (1u << 8 * size) - 1;
}

static bool permitted(const struct domain *d, u16 port, u32 size)
{
	return rangeset_contains(d->ioports, port, (u64)port + size - 1);
}

/* ---- ports of the chipset that a privileged domain shares with the hypervisor ---- */

static bool is_pci_config(u16 port, u32 size)
{
	return (port == PORT_PCI_ADDRESS && size == 4) || (port & ~3u) == PORT_PCI_DATA;
}

static bool pci_function(const struct vcpu *v, u16 port, u32 *sbdf, u32 *reg)
{
	u32 address = v->pv->pci_address;

	if (!(address & PCI_ADDRESS_ENABLE))
		return false;
	*sbdf = address >> 8 & 0xffff;
	/* Bits 27:24 carry the extended register number on AMD. */
	*reg = (address & 0xfc) | (address >> 16 & 0xf00) | (port & 3);
	return true;
}

static u32 pci_in(struct vcpu *v, u16 port, u32 size)
{
	u32 sbdf, reg;

	if (port == PORT_PCI_ADDRESS)
		return v->pv->pci_address;
	if ((port & (size - 1)) || !pci_function(v, port, &sbdf, &reg))
		return all_ones(size);
	return pci_config_read_guarded(v->domain, sbdf, reg, size);
}

static void pci_out(struct vcpu *v, u16 port, u32 size, u32 val)
{
	u32 sbdf, reg;

	if (port == PORT_PCI_ADDRESS)
		v->pv->pci_address = val;
	else if (!(port & (size - 1)) && pci_function(v, port, &sbdf, &reg))
		pci_config_write_guarded(v->domain, sbdf, reg, size, val);
}

/* Channel 2 (the speaker) is free for dom0; the other channels of the PIT are the hypervisor's. */
static bool pit_write_ok(u16 port, u32 val)
{
	return port != PORT_PIT_CONTROL || val >> 6 == 2;
}

static bool is_shared_byte(u16 port, u32 size)
{
	return size == 1 && (port == PORT_PIT_CHANNEL2 || port == PORT_PIT_CONTROL || port == PORT_SYSTEM_CONTROL ||
			     port == PORT_CMOS_INDEX || port == PORT_CMOS_DATA);
}

static u32 shared_in(const struct vcpu *v, u16 port)
{
	if (port == PORT_CMOS_INDEX)
		return v->pv->cmos_index;
	if (port == PORT_CMOS_DATA)
		outb(PORT_CMOS_INDEX, v->pv->cmos_index);
	return inb(port);
}

static void shared_out(struct vcpu *v, u16 port, u8 val)
{
	if (port == PORT_CMOS_INDEX) {
		v->pv->cmos_index = val;
		return;
	}
	if (port == PORT_CMOS_DATA)
		outb(PORT_CMOS_INDEX, v->pv->cmos_index);
	if (pit_write_ok(port, val))
		outb(port, val);
}

static u32 port_in(struct vcpu *v, u16 port, u32 size)
{
	bool privileged = is_privileged(v);

	if (privileged && is_pci_config(port, size))
		return pci_in(v, port, size);
	if (privileged && is_shared_byte(port, size))
		return shared_in(v, port);
	if (permitted(v->domain, port, size))
		return hardware_in(port, size);
	return all_ones(size);
}

static void port_out(struct vcpu *v, u16 port, u32 size, u32 val)
{
	bool privileged = is_privileged(v);

	if (privileged && is_pci_config(port, size))
		pci_out(v, port, size, val);
	else if (privileged && is_shared_byte(port, size))
		shared_out(v, port, (u8)val);
	else if (permitted(v->domain, port, size))
		hardware_out(port, size, val);
}

/* ---- strings ---- */

static u64 address_mask(const struct insn *i)
{
	return i->addr_size == 8 ? ~0UL : (1UL << 8 * i->addr_size) - 1;
}

/* rsi, rdi or rcx after a string instruction: of a 16-bit address only the lowest part changes. */
static void string_register_set(u64 *reg, const struct insn *i, u64 val)
{
	u64 mask = address_mask(i);

	*reg = i->addr_size == 2 ? (*reg & ~mask) | (val & mask) : val & mask;
}

/* One element; false when guest memory is not there (a page fault was injected). */
static bool string_step(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode, u16 port)
{
	bool ins = i->op == INSN_INS;
	u64 *pointer = ins ? &r->rdi : &r->rsi;
	u64 offset = *pointer & address_mask(i);
	gva_t addr = pv_segment_base(v, r, ins ? SEG_ES : i->seg, mode) + offset;
	u32 val = 0;

	/* For INS the memory is tried before the device is read, which may lose data by it. */
	if (guest_copy_in(v, &val, addr, i->size) || (ins && guest_copy_out(v, addr, &val, i->size))) {
		pv_inject_pf(v, r, addr, ins ? PFEC_WRITE : 0);
		return false;
	}
	if (ins) {
		val = port_in(v, port, i->size);
		if (guest_copy_out(v, addr, &val, i->size)) {
			pv_inject_pf(v, r, addr, PFEC_WRITE);
			return false;
		}
	} else {
		port_out(v, port, i->size, val);
	}
	string_register_set(pointer, i, r->rflags & FLAG_DF ? offset - i->size : offset + i->size);
	return true;
}

static enum emulation string_emulate(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode, u16 port)
{
	u64 left = i->rep ? r->rcx & address_mask(i) : 1;

	for (u32 n = 0; left > 0; n++) {
		/* The registers hold the progress, as if an interrupt had come between two elements. */
		if (n == REP_MAX || (n % REP_BATCH == REP_BATCH - 1 && preempt_needed()))
			return EMULATE_AGAIN;
		if (!string_step(v, r, i, mode, port))
			return EMULATE_INJECTED;
		left--;
		if (i->rep)
			string_register_set(&r->rcx, i, left);
	}
	return EMULATED;
}

enum emulation pv_emulate_port(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode)
{
	u16 port = i->port_dx ? (u16)r->rdx : i->port;

	if (!may_execute(v, port, i->size))
		return EMULATE_REFUSED;
	switch (i->op) {
	case INSN_IN:
		pv_gpr_write(r, 0, i->size, port_in(v, port, i->size));
		return EMULATED;
	case INSN_OUT:
		port_out(v, port, i->size, (u32)r->rax & all_ones(i->size));
		return EMULATED;
	default:
		return string_emulate(v, r, i, mode, port);
	}
}
