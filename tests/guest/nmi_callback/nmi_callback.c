/* SPDX-License-Identifier: BSD-2-Clause */
/* The NMI callback: registering it, sending one to oneself, masking until iret, taking it back. */
#include <guest/guest.h>
#include <xen/nmi.h>
#include <xen/vcpu.h>

void trap_entry_nmi(void);

static volatile unsigned int nmis;

static bool nmi(struct trap_frame *f)
{
	(void)f;
	nmis++;
	/* Another one waits until this is over. */
	if (nmis == 1)
		HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL);
	return true;
}

void guest_main(void)
{
	struct xennmi_callback cb = { .handler_address = (unsigned long)trap_entry_nmi };

	trap_handler_set(TRAP_NMI, nmi);
	test_begin("register");
	expect_eq(HYPERVISOR_nmi_op(XENNMI_register_callback, &cb), 0);
	expect(HYPERVISOR_nmi_op(99, NULL) < 0);
	test_begin("send");
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
	expect_msg(spin_until(nmis == 2, S), "%u came", nmis);
	HYPERVISOR_xen_version(0, NULL);
	expect_eq(nmis, 2);
	expect(HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 50, NULL) < 0);
	test_begin("unregister");
	expect_eq(HYPERVISOR_nmi_op(XENNMI_unregister_callback, NULL), 0);
	HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL);
	time_spin(MS);
	expect_eq(nmis, 2);
}
