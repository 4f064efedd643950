/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of pv/ need beside the simulated machine: devices, CPUID and MSRs, descriptor windows, faults. */
#ifndef PV_TRAPS_MACHINE_H
#define PV_TRAPS_MACHINE_H

#include "../sim/sim.h"

/* Last port access of the hypervisor to the machine; port_value is what reads give. */
extern u16 port_last;
extern u32 port_size, port_value, port_written, port_accesses;
/* Last guarded PCI access. */
extern u32 pci_sbdf, pci_reg, pci_size, pci_value;
/* CR2 at the next page fault. */
extern u64 cr2_now;
extern u32 hypercalls, ldt_entries_loaded, fxsaves;
/* MSRs of guests: reads give msr_value, unless msr_refused. */
extern bool msr_refused;
extern u64 msr_value;
extern u32 msr_written;
/* Selectors of this value cannot be loaded. */
extern u16 selector_bad;
/* Page table entries of the simulated CPUs' windows. */
extern u64 window_ptes[SIM_CPUS][256];

#endif
