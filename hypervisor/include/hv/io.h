/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port and memory-mapped I/O of the real machine. In host tests these are ordinary functions that the test supplies.
 */
#ifndef HV_IO_H
#define HV_IO_H

#include <hv/types.h>

#if __STDC_HOSTED__
u8 inb(u16 port);
u16 inw(u16 port);
u32 inl(u16 port);
void outb(u16 port, u8 val);
void outw(u16 port, u16 val);
void outl(u16 port, u32 val);
u8 mmio_read8(const volatile void *p);
u32 mmio_read32(const volatile void *p);
u64 mmio_read64(const volatile void *p);
void mmio_write8(volatile void *p, u8 val);
void mmio_write16(volatile void *p, u16 val);
void mmio_write32(volatile void *p, u32 val);
void mmio_write64(volatile void *p, u64 val);
#else
static inline u8 inb(u16 port)
{
	u8 val;

	__asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline u16 inw(u16 port)
{
	u16 val;

	__asm__ volatile("inw %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline u32 inl(u16 port)
{
	u32 val;

	__asm__ volatile("inl %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline void outb(u16 port, u8 val)
{
	__asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 val)
{
	__asm__ volatile("outw %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 val)
{
	__asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline u8 mmio_read8(const volatile void *p)
{
	u8 val;

	__asm__ volatile("movb %1, %0" : "=q"(val) : "m"(*(const volatile u8 *)p) : "memory");
	return val;
}

static inline u32 mmio_read32(const volatile void *p)
{
	u32 val;

	__asm__ volatile("movl %1, %0" : "=r"(val) : "m"(*(const volatile u32 *)p) : "memory");
	return val;
}

static inline u64 mmio_read64(const volatile void *p)
{
	u64 val;

	__asm__ volatile("movq %1, %0" : "=r"(val) : "m"(*(const volatile u64 *)p) : "memory");
	return val;
}

static inline void mmio_write8(volatile void *p, u8 val)
{
	__asm__ volatile("movb %0, %1" : : "q"(val), "m"(*(volatile u8 *)p) : "memory");
}

static inline void mmio_write16(volatile void *p, u16 val)
{
	__asm__ volatile("movw %0, %1" : : "r"(val), "m"(*(volatile u16 *)p) : "memory");
}

static inline void mmio_write32(volatile void *p, u32 val)
{
	__asm__ volatile("movl %0, %1" : : "r"(val), "m"(*(volatile u32 *)p) : "memory");
}

static inline void mmio_write64(volatile void *p, u64 val)
{
	__asm__ volatile("movq %0, %1" : : "r"(val), "m"(*(volatile u64 *)p) : "memory");
}
#endif

#endif
