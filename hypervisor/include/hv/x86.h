/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileged registers of the executing CPU. In host tests these are ordinary functions that the simulated machine (or the
 * test) supplies. The *_safe forms return 0, or -EFAULT when the instruction faulted.
 */
#ifndef HV_X86_H
#define HV_X86_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/errno.h>
#include <hv/extable.h>

#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_PG (1u << 31)

#define CR4_VME (1u << 0)
#define CR4_PVI (1u << 1)
#define CR4_TSD (1u << 2)
#define CR4_DE (1u << 3)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_MCE (1u << 6)
#define CR4_PGE (1u << 7)
#define CR4_PCE (1u << 8)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_LA57 (1u << 12)
#define CR4_VMXE (1u << 13)
#define CR4_FSGSBASE (1u << 16)
#define CR4_PCIDE (1u << 17)
#define CR4_OSXSAVE (1u << 18)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)
#define CR4_PKE (1u << 22)

#define DR6_INIT 0xffff0ff0UL
#define DR6_BS (1UL << 14)
#define DR7_INIT 0x400UL
#define DR7_ENABLE_MASK 0xffUL
#define DR7_GD (1UL << 13)

#if __STDC_HOSTED__
u64 rdmsr(u32 msr);
void wrmsr(u32 msr, u64 val);
int rdmsr_safe(u32 msr, u64 *val) must_check;
int wrmsr_safe(u32 msr, u64 val) must_check;
u64 cr0_read(void);
void cr0_write_reg(u64 val);
u64 cr2_read(void);
u64 cr3_read(void);
u64 cr4_read(void);
void cr4_write_reg(u64 val);
void clts(void);
u64 dr_read(unsigned int n);
void dr_write(unsigned int n, u64 val);
u64 rdtsc(void);
u16 sel_read_ds(void);
u16 sel_read_es(void);
u16 sel_read_fs(void);
u16 sel_read_gs(void);
int sel_load_ds(u16 sel) must_check;
int sel_load_es(u16 sel) must_check;
int sel_load_fs(u16 sel) must_check;
int sel_load_gs(u16 sel) must_check;
u64 rdfsbase(void);
u64 rdgsbase(void);
void wrfsbase(u64 base);
void wrgsbase(u64 base);
void swapgs(void);
void lldt(u16 sel);
void wbinvd(void);
#else
static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 val)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
}

static inline int must_check rdmsr_safe(u32 msr, u64 *val)
{
	u32 lo = 0, hi = 0;
	int bad = 1;

	__asm__ volatile("1: rdmsr\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
			 : "+r"(bad), "+a"(lo), "+d"(hi) : "c"(msr));
	*val = (u64)hi << 32 | lo;
	return bad ? -EFAULT : 0;
}

static inline int must_check wrmsr_safe(u32 msr, u64 val)
{
	int bad = 1;

	__asm__ volatile("1: wrmsr\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
			 : "+r"(bad) : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
	return bad ? -EFAULT : 0;
}

#define X86_REG_ACCESS(name, reg) \
static inline u64 name##_read(void) \
{ \
	u64 val; \
	__asm__ volatile("mov %%" reg ", %0" : "=r"(val) : : "memory"); \
	return val; \
}
X86_REG_ACCESS(cr0, "cr0")
X86_REG_ACCESS(cr2, "cr2")
X86_REG_ACCESS(cr3, "cr3")
X86_REG_ACCESS(cr4, "cr4")
#undef X86_REG_ACCESS

static inline void cr0_write_reg(u64 val)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(val) : "memory");
}

static inline void cr4_write_reg(u64 val)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(val) : "memory");
}

static inline void clts(void)
{
	__asm__ volatile("clts" : : : "memory");
}

/* n: 0 to 3, 6, 7. */
static inline u64 dr_read(unsigned int n)
{
	u64 val;

	switch (n) {
	case 0: __asm__ volatile("mov %%db0, %0" : "=r"(val)); break;
	case 1: __asm__ volatile("mov %%db1, %0" : "=r"(val)); break;
	case 2: __asm__ volatile("mov %%db2, %0" : "=r"(val)); break;
	case 3: __asm__ volatile("mov %%db3, %0" : "=r"(val)); break;
	case 6: __asm__ volatile("mov %%db6, %0" : "=r"(val)); break;
	default: __asm__ volatile("mov %%db7, %0" : "=r"(val)); break;
	}
	return val;
}

static inline void dr_write(unsigned int n, u64 val)
{
	switch (n) {
	case 0: __asm__ volatile("mov %0, %%db0" : : "r"(val)); break;
	case 1: __asm__ volatile("mov %0, %%db1" : : "r"(val)); break;
	case 2: __asm__ volatile("mov %0, %%db2" : : "r"(val)); break;
	case 3: __asm__ volatile("mov %0, %%db3" : : "r"(val)); break;
	case 6: __asm__ volatile("mov %0, %%db6" : : "r"(val)); break;
	default: __asm__ volatile("mov %0, %%db7" : : "r"(val)); break;
	}
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

/* Selectors. A load that faults leaves the null selector. Loading FS or GS also sets the base from the descriptor. */
#define X86_SEL_ACCESS(name) \
static inline u16 sel_read_##name(void) \
{ \
	u32 sel; \
	__asm__ volatile("movl %%" #name ", %0" : "=r"(sel)); \
	return (u16)sel; \
} \
static inline int must_check sel_load_##name(u16 sel) \
{ \
	int bad = 1; \
	__asm__ volatile("1: movl %k1, %%" #name "\n\txorl %k0, %k0\n\tjmp 3f\n" \
			 "2: movl %k2, %%" #name "\n3:\n\t" EXTABLE(1b, 2b) \
			 : "+&r"(bad) : "r"((u32)sel), "r"(0)); \
	return bad ? -EFAULT : 0; \
}
X86_SEL_ACCESS(ds)
X86_SEL_ACCESS(es)
X86_SEL_ACCESS(fs)
X86_SEL_ACCESS(gs)
#undef X86_SEL_ACCESS

/* These four need CR4.FSGSBASE; the addresses must be canonical. */
static inline u64 rdfsbase(void)
{
	u64 base;

	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline u64 rdgsbase(void)
{
	u64 base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

static inline void wrfsbase(u64 base)
{
	__asm__ volatile("wrfsbase %0" : : "r"(base));
}

static inline void wrgsbase(u64 base)
{
	__asm__ volatile("wrgsbase %0" : : "r"(base));
}

/* The hypervisor has no use for GS: both bases always are the guest's (present mode, and other mode). */
static inline void swapgs(void)
{
	__asm__ volatile("swapgs" : : : "memory");
}

static inline void lldt(u16 sel)
{
	__asm__ volatile("lldt %w0" : : "r"((u32)sel) : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}
#endif

static inline bool is_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

#endif
