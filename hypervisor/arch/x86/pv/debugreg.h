/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug registers of PV guests. Private to arch/x86/pv. */
#ifndef PV_DEBUGREG_H
#define PV_DEBUGREG_H

#include <hv/types.h>
#include <hv/compiler.h>

struct vcpu;
struct pv_vcpu;

/* What a guest's DR6 or DR7 becomes when it is loaded; DR7: -EINVAL when it asks for what guests may not have. */
u64 pv_dr6_make(u64 val);
int pv_dr7_make(u64 val, u64 *out) must_check;
/* True when val may be in DR0 to DR3: not an address of the hypervisor. */
bool pv_dr_address_ok(u64 val);
/* Sets a register of v, which runs here. 0, -EINVAL, -EPERM (an address of the hypervisor). n 4, 5: -EINVAL. */
int pv_dr_set(struct vcpu *v, u32 n, u64 val) must_check;
/* Loads all into the CPU when break points are in use; off: no break points from here on. */
void pv_dr_load(const struct pv_vcpu *pv);
void pv_dr_off(const struct pv_vcpu *pv);

#endif
