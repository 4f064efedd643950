/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own selectors, beside the flat guest segments of the ABI (FLAT_RING3_*); all in GDT page 14. */
#ifndef HV_DESCRIPTORS_H
#define HV_DESCRIPTORS_H

/* SYSCALL loads HV_CS and HV_CS + 8; SYSRET takes its selectors from FLAT_RING3_CS32 on. */
#define HV_CS 0xe008
#define HV_DS 0xe010
#define HV_TSS 0xe040
#define HV_LDT 0xe050

/* Interrupt stacks: which entry of the TSS, and where in the stack block (hv/cpu.h) they end. */
#define IST_NMI 1
#define IST_MC 2
#define IST_DF 3
#define IST_DB 4

#endif
