/* SPDX-License-Identifier: BSD-2-Clause */
/* Paravirtual guests: what other folders need of arch/x86/pv. */
#ifndef HV_PV_H
#define HV_PV_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/frame.h>

struct vcpu;
struct domain;
struct regs;
struct guest_ops;

extern const struct guest_ops pv_guest_ops;

/* Trap-bounce record set by VCPU trap table: one per vector. */
struct pv_trap {
	u64 address;		/* handler; 0 = none */
	u16 cs;
	u8 flags;		/* TI_GET_DPL and TI_GET_IF */
};

/* CPU state of a PV vCPU beside its registers. */
struct pv_vcpu {
	/* Address space. guest_table: kernel root (L4), user_table: user root, both validated L4 frames with a type reference held. */
	mfn_t kernel_root, user_root;
	bool kernel_mode;		/* guest kernel (true) or guest user (false) */
	bool ts;			/* guest asked for CR0.TS */
	bool syscall_masks_events, failsafe_masks_events, sysenter_masks_events, syscall32_masks_events;
	u8 iopl;			/* virtual I/O privilege, 0..3 */

	u64 event_callback, failsafe_callback, syscall_callback, syscall32_callback, sysenter_callback, nmi_callback;
	u16 event_cs, failsafe_cs, syscall32_cs, sysenter_cs;
	u64 kernel_sp;			/* stack for entries into the guest kernel; stack_switch */
	u16 kernel_ss;

	u64 fs_base, gs_base, gs_base_other;	/* gs_base of the present mode, and of the other one */
	u16 ds, es, fs, gs;

	struct pv_trap traps[256];

	/* Descriptor tables: frames with a FRAME_SEGDESC reference. */
	mfn_t gdt_frame[16];
	u32 gdt_entries;
	gva_t ldt_base;
	u32 ldt_entries;
	u32 ldt_mapped;			/* pages of the LDT window that are mapped in */

	u64 dr[8];			/* dr[7]: 0 = no break points in use */
	u64 cr2;			/* guest's view, also in vcpu_info.arch */
	u64 cr4_guest;

	const void *iobmp;		/* SYS PHYSDEVOP_set_iobitmap: guest address */
	gva_t iobmp_va;
	u32 iobmp_limit;
};

/* State of a PV domain: pv/domain.c has the struct. */

/* --- pv/mmu: --- */
/* Loads the address space of v (kernel or user root, by kernel_mode) on this CPU. */
void pv_cr3_load(struct vcpu *v);
/* Drops the two roots of v; -ERESTART when preempted. */
int pv_roots_drop(struct vcpu *actor, struct vcpu *v) must_check;
/* Sets the kernel (user) root from a frame number given by the guest (context_set, new_baseptr): validates and takes references. */
int pv_root_set(struct vcpu *actor, struct vcpu *v, mfn_t root, bool user) must_check;
/* A page fault that the guest itself did not cause (stale TLB after a permission increase, LDT demand mapping, writable page tables): true = handled. */
bool pv_fault_fixup(struct vcpu *v, struct regs *r, gva_t addr);
/* Fills slots 256..271 of a new L4 with the hypervisor's own entries. */
void pv_l4_init(void *l4);
/* Types pages of d as page tables at domain build (dom0 build) by normal validation. */

/* --- pv/traps: --- */
/* Exceptions from the guest: emulate, fix up or bounce. Entry code calls this for vectors < 0x20 from ring 3. */
void pv_exception(struct vcpu *v, struct regs *r);
/* int $n (n >= 0x20) executed by the guest: bounce through its trap table. */
void pv_software_interrupt(struct vcpu *v, struct regs *r, u8 vector);
/* SYSCALL by guest user mode, and by guest kernel mode a hypercall: which one is decided here. */
void pv_syscall(struct vcpu *v, struct regs *r);
/* SYSENTER / 32-bit SYSCALL entries. */
void pv_sysenter(struct vcpu *v, struct regs *r);
void pv_syscall32(struct vcpu *v, struct regs *r);
/* Delivers exception `vector` to the guest kernel (error code and cr2 as given); crashes the domain when it has no handler. */
void pv_inject(struct vcpu *v, struct regs *r, u8 vector, u32 error);
void pv_inject_pf(struct vcpu *v, struct regs *r, gva_t addr, u32 error);

/* --- pv/dom0_build.c: --- */
struct boot_module;
/* Builds dom0 from the kernel and initrd modules; halts with a clear message when it cannot. */
struct domain *dom0_build(const struct boot_module *kernel, const struct boot_module *initrd, const char *cmdline);

#endif
