/* SPDX-License-Identifier: BSD-2-Clause */
/* Within arch/x86/boot. */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H

#include <hv/compiler.h>
#include <hv/types.h>

#define ARGON_VERSION "0.1"

/* C entry, from head.S: physical addresses of the loader's information and of the image. */
void boot_main(u64 mbi, u64 image) noreturn_fn;

extern bool opt_noreboot;	/* core/domain_run.c */

/* trampoline.S: copied below 1 MiB; positions in it that depend on where. */
extern const u8 trampoline_start[], trampoline_end[];
extern const u8 trampoline_gdt_pointer[], trampoline_far[], trampoline_cr3[];
extern u64 boot_l4[512];

#endif
