/* SPDX-License-Identifier: BSD-2-Clause */
/* Paravirtual guests: what other folders need of arch/x86/pv. */
#ifndef HV_PV_H
#define HV_PV_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/frame.h>

/* vm_assist modes that 64-bit guests may use (the first two are accepted, without effect: they are about 32-bit segments). */
#define PV_VM_ASSIST (1UL << VMASST_TYPE_4gb_segments | 1UL << VMASST_TYPE_4gb_segments_notify | \
		      1UL << VMASST_TYPE_writable_pagetables | 1UL << VMASST_TYPE_architectural_iopl | \
		      1UL << VMASST_TYPE_runstate_update_flag)

struct vcpu;
struct domain;
struct regs;
struct guest_ops;
struct frame_type_ops;
struct grant_host_ops;

extern const struct guest_ops pv_guest_ops;

/* Trap-bounce record set by VCPU trap table: one per vector. */
struct pv_trap {
	u64 address;		/* handler; 0 = none */
	u16 cs;
	u8 flags;		/* TI_GET_DPL and TI_GET_IF */
};

/* CPU state of a PV vCPU beside its registers. */
struct pv_vcpu {
	/* Address space: kernel and user root, validated L4 frames with a type reference held; INVALID_MFN = none. */
	mfn_t kernel_root, user_root;
	bool kernel_mode;		/* guest kernel (true) or guest user (false) */
	bool ts;			/* guest asked for CR0.TS */
	bool syscall_masks_events, failsafe_masks_events, sysenter_masks_events, syscall32_masks_events;
	u8 iopl;			/* virtual I/O privilege, 0..3 */

	/* Entry points; 0 = none. The guest kernel is always entered with the flat segments. NMI: traps[TRAP_NMI]. */
	u64 event_callback, failsafe_callback, syscall_callback, syscall32_callback, sysenter_callback;
	u64 kernel_sp;			/* stack for entries into the guest kernel; stack_switch */
	u16 kernel_ss;

	/* In the CPU's registers while v runs (guests change them without trapping); here after context_save. */
	u64 fs_base, gs_base, gs_base_other;	/* gs_base of the present mode, and of the other one */
	u16 ds, es, fs, gs;

	struct pv_trap traps[256];

	/* Descriptor tables: frames with a FRAME_SEGDESC reference. */
	mfn_t gdt_frame[16];
	u32 gdt_entries;
	gva_t ldt_base;
	u32 ldt_entries;
	u32 ldt_mapped;			/* bit n: ldt_frame[n] is valid, holds a FRAME_SEGDESC reference and is in the window */
	mfn_t ldt_frame[16];

	u64 dr[8];			/* dr[7]: 0 = no break points in use */
	u64 cr4_guest;			/* bits of CR4 that the guest owns */
	u32 tsc_aux;			/* MSR_TSC_AUX */
	u32 spec_ctrl;			/* MSR_SPEC_CTRL, in force while v runs */
	bool cpuid_faults;		/* the guest kernel wants CPUID to fault in its user mode */
	u32 pci_address;		/* port 0xcf8 */
	u8 cmos_index;			/* port 0x70 */

	gva_t iobmp_va;			/* PHYSDEVOP_set_iobitmap: bitmap of nr_ports bits, a clear bit allows the port */
	u32 iobmp_limit;		/* nr_ports; 0 = none */
};

/* State of a PV domain: pv/domain.c has the struct. */

/* --- pv/mmu*.c --- */
extern const struct frame_type_ops pv_frame_type_ops;
extern const struct grant_host_ops pv_grant_host_ops;
/* Loads the address space of v (kernel or user root, by kernel_mode) on this CPU. */
void pv_cr3_load(struct vcpu *v);
/* Drops the two roots of v, which does not run; -ERESTART when preempted. */
int pv_roots_drop(struct vcpu *actor, struct vcpu *v) must_check;
/*
 * Sets the kernel (user) root from a frame number given by the guest (context_set, new_baseptr): validates, takes a reference, and
 * loads it if v runs (it is the actor then) in that mode. 0 as user root: none. 0, -EINVAL, -ERESTART.
 */
int pv_root_set(struct vcpu *actor, struct vcpu *v, mfn_t root, bool user) must_check;
/*
 * A page fault on a present page, or with reserved bits, that the guest did not cause: a stale translation after a permission was added, or
 * a store to one of its own L1 tables, which is emulated (vm_assist writable_pagetables). True = handled.
 */
bool pv_fault_fixup(struct vcpu *v, struct regs *r, gva_t addr);
/* Fills slots HV_L4_FIRST to HV_L4_LAST of a new L4 with the hypervisor's own entries. */
void pv_l4_init(void *l4);

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

/*
 * Called by the fault handler of hypervisor context when the IRETQ (or SYSRET) to the guest faulted on the state in r: the stack is
 * rewound to an empty one and r is the guest's frame as it was to be loaded. Changes r so that the guest kernel learns of it.
 */
void pv_iret_fault(struct vcpu *v, struct regs *r);

/* --- pv/xpti.c --- */
/* Boot, before the CPU starts, and after its window was made: tables for it if any domain needs them. 0 or -ENOMEM. */
int xpti_cpu_init(unsigned int cpu) must_check;
/* v goes on this CPU to that root: with its copy without the hypervisor, if v's domain is to have one. */
void xpti_load(const struct vcpu *v, mfn_t root);
/* Slot `index` of the guest's L4 has changed: this CPU's copy, if it has one, follows. */
void xpti_slot_refresh(unsigned int index);
/* An L4 of d was changed: the copies follow before this returns. Locks may be held. */
void xpti_root_changed(const struct domain *d, mfn_t root);

/* --- pv/context.c: members of pv_guest_ops --- */
/* Allocates v->pv with its reset values; frees it (descriptor tables and roots were dropped before). */
int pv_vcpu_init(struct vcpu *v) must_check;
void pv_vcpu_free(struct vcpu *v);
void pv_context_save(struct vcpu *v);
void pv_context_load(struct vcpu *v, struct vcpu *prev);
int pv_context_set(struct vcpu *actor, struct vcpu *v, const void *ctxt) must_check;
void pv_context_get(struct vcpu *v, void *ctxt);
bool pv_exit_work(struct vcpu *v, struct regs *r);
/*
 * Goes to guest kernel or guest user mode: flag, gs bases and address space. v runs here. False when v has no user root (the
 * domain is then crashed).
 */
bool pv_mode_set(struct vcpu *v, bool kernel);

/* --- pv/segment.c --- */
/* A descriptor as the guest gives it: made safe (privilege 3 for code and data); false when it may not be used at all. */
bool pv_descriptor_fix(u64 *desc);
/* Replaces the GDT of v: frames[0 .. pages) become its pages. v is the actor, or not running. 0, -EINVAL. */
int pv_gdt_set(struct vcpu *actor, struct vcpu *v, const mfn_t *frames, u32 entries) must_check;
/* MMUEXT_SET_LDT: base page-aligned, entries <= 8192 (0: none). */
int pv_ldt_set(struct vcpu *v, gva_t base, u32 entries) must_check;
/* Page fault at addr in the LDT window of this CPU: maps the page of the guest's LDT; true = retry. */
bool pv_ldt_fault(struct vcpu *v, gva_t addr);
/* Drops GDT and LDT references of v, which does not run; the LDT's alone. */
void pv_descriptors_drop(struct vcpu *actor, struct vcpu *v);
void pv_ldt_drop(struct vcpu *actor, struct vcpu *v);

/* Pins a validated or own frame as L4, as MMUEXT_PIN_L4_TABLE does for v's domain: 0, -EINVAL, -ERESTART (pv/mmu). */
int pv_root_pin(struct vcpu *v, mfn_t root) must_check;
/* Fills a hypercall page (domain build and XEN_DOMCTL_hypercall_init). */
void pv_hypercall_page_fill(void *page);

/* --- pv/dom0_build.c: --- */
struct boot_module;
/* Builds dom0 from the kernel and initrd modules; halts with a clear message when it cannot. */
struct domain *dom0_build(const struct boot_module *kernel, const struct boot_module *initrd, const char *cmdline);

#endif
