/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the other headers are written with: the revision of the interface, numbers, arrays, and handles.
 *
 * A source file may name the revision that it is written for, 0x00MMmm00 for hypervisor release MM.mm, as
 * __XEN_INTERFACE_VERSION__. Older revisions differ in a few names and layouts; Argon's headers describe the latest one
 * alone, so a file that asks for an earlier one is told so instead of being given something else under the same name. A
 * file that does not ask gets the latest.
 */
#ifndef XEN_PUBLIC_XEN_COMPAT_H
#define XEN_PUBLIC_XEN_COMPAT_H

#define __XEN_LATEST_INTERFACE_VERSION__ 0x00040e00

#if defined(__XEN__) || defined(__XEN_TOOLS__)
#undef __XEN_INTERFACE_VERSION__
#endif
#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#endif

#if __XEN_INTERFACE_VERSION__ != __XEN_LATEST_INTERFACE_VERSION__
#error "only interface version 0x00040e00 is described by these headers"
#endif

/* ---- Arrays ------------------------------------------------------------------------------------------------------- */
/* Dimension of an array that ends a structure and has as many elements as the caller says elsewhere. */
#define XEN_FLEX_ARRAY_DIM
#define COMPAT_FLEX_ARRAY_DIM XEN_FLEX_ARRAY_DIM

/* ---- Numbers ------------------------------------------------------------------------------------------------------ */
#ifdef __ASSEMBLY__
/* The assembler knows no suffixes. */
#define xen_mk_uint(x)	 x
#define xen_mk_ulong(x)	 x
#define xen_mk_ullong(x) x
#else
#include <stddef.h>
#include <stdint.h>
#define __xen_mk_uint(x)   x##U
#define __xen_mk_ulong(x)  x##UL
#define __xen_mk_ullong(x) x##ULL
#define xen_mk_uint(x)	   __xen_mk_uint(x)
#define xen_mk_ulong(x)	   __xen_mk_ulong(x)
#define xen_mk_ullong(x)   __xen_mk_ullong(x)
#endif

/* ---- Handles ------------------------------------------------------------------------------------------------------ */
/*
 * A guest pointer inside of a structure, wrapped so that it is not dereferenced by accident. In the control interfaces
 * (domctl, sysctl) handles are 64 bits wide also for 32-bit callers: XEN_GUEST_HANDLE_64.
 */
#define __XEN_GUEST_HANDLE(name)     __guest_handle_##name
#define XEN_GUEST_HANDLE(name)	     __XEN_GUEST_HANDLE(name)
#define XEN_GUEST_HANDLE_PARAM(name) XEN_GUEST_HANDLE(name)

#if defined(__i386__) && (defined(__XEN__) || defined(__XEN_TOOLS__))
#define int64_aligned_t		    int64_t __attribute__((aligned(8)))
#define uint64_aligned_t	    uint64_t __attribute__((aligned(8)))
#define __XEN_GUEST_HANDLE_64(name) __guest_handle_64_##name
#define XEN_GUEST_HANDLE_64(name)   __XEN_GUEST_HANDLE_64(name)
#define ___DEFINE_XEN_GUEST_HANDLE(name, type)                                                     \
	typedef struct { type *p; } __guest_handle_##name;                                         \
	typedef struct { union { type *p; uint64_aligned_t q; }; } __guest_handle_64_##name
/* The upper half of a 64-bit handle must not be left undefined. */
#define set_xen_guest_handle_raw(hnd, val)                                                         \
	do {                                                                                       \
		__builtin_memset(&(hnd), 0, sizeof(hnd));                                          \
		(hnd).p = val;                                                                     \
	} while (0)
#else
#define ___DEFINE_XEN_GUEST_HANDLE(name, type) typedef struct { type *p; } __guest_handle_##name
#define set_xen_guest_handle_raw(hnd, val)                                                         \
	do {                                                                                       \
		(hnd).p = val;                                                                     \
	} while (0)
#if defined(__XEN__) || defined(__XEN_TOOLS__)
#define int64_aligned_t		  int64_t
#define uint64_aligned_t	  uint64_t
#define XEN_GUEST_HANDLE_64(name) XEN_GUEST_HANDLE(name)
#endif
#endif

#define set_xen_guest_handle(hnd, val) set_xen_guest_handle_raw(hnd, val)

/* Each definition makes two types: NAME and const_NAME. */
#define __DEFINE_XEN_GUEST_HANDLE(name, type)                                                      \
	___DEFINE_XEN_GUEST_HANDLE(name, type);                                                    \
	___DEFINE_XEN_GUEST_HANDLE(const_##name, const type)
#define DEFINE_XEN_GUEST_HANDLE(name) __DEFINE_XEN_GUEST_HANDLE(name, name)

#endif
