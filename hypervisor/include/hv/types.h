/* SPDX-License-Identifier: BSD-2-Clause */
/* Basic types. Frame numbers and physical addresses are distinct struct types so that the compiler tells them apart. */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* Machine frame number: index of a 4 KiB frame of the real machine. */
typedef struct { u64 v; } mfn_t;
/* Guest frame number: a guest's own idea of a frame. A PV guest's gfn is an mfn (it is not translated). */
typedef struct { u64 v; } gfn_t;
/* Pseudo-physical frame number: what a PV guest's P2M is indexed by and what the M2P table holds. */
typedef struct { u64 v; } pfn_t;
/* Physical (machine) byte address. */
typedef struct { u64 v; } paddr_t;
/* Linear address in the address space of a guest vCPU; never dereferenced directly. */
typedef u64 gva_t;
/* Time in nanoseconds since the hypervisor booted. */
typedef u64 ns_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))

static inline mfn_t mfn(u64 v) { return (mfn_t){ v }; }
static inline gfn_t gfn(u64 v) { return (gfn_t){ v }; }
static inline pfn_t pfn(u64 v) { return (pfn_t){ v }; }
static inline paddr_t paddr(u64 v) { return (paddr_t){ v }; }
static inline paddr_t mfn_paddr(mfn_t m) { return (paddr_t){ m.v << PAGE_SHIFT }; }
static inline mfn_t paddr_mfn(paddr_t p) { return (mfn_t){ p.v >> PAGE_SHIFT }; }
static inline bool mfn_eq(mfn_t a, mfn_t b) { return a.v == b.v; }

/* The value that stands for "no frame". */
#define INVALID_MFN mfn(~0UL)
#define INVALID_PFN pfn(~0UL)

#endif
