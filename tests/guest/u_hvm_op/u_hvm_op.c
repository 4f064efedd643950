/* SPDX-License-Identifier: BSD-2-Clause */
/* hvm_op from a PV domain: nothing of it is for it, not on itself and not on others. */
#include <guest/guest.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

void guest_main(void)
{
	static const domid_t doms[] = { DOMID_SELF, 0, 1, DOMID_INVALID };
	unsigned int i, cmd, n;

	test_begin("parameters");
	for (i = 0; i < ARRAY_SIZE(doms); i++)
		for (n = 0; n < 64; n++) {
			struct xen_hvm_param p = { .domid = doms[i], .index = n, .value = 0x5a5a };

			expect_msg(HYPERVISOR_hvm_op(HVMOP_set_param, &p) < 0, "set %u of %x", n, doms[i]);
			expect_msg(HYPERVISOR_hvm_op(HVMOP_get_param, &p) < 0, "get %u of %x", n, doms[i]);
			expect_eq(p.value, 0x5a5a);
		}
	test_begin("other operations");
	for (cmd = 2; cmd < 40; cmd++) {
		static u64 arg[64];

		/* The time is no secret, and marks in the trace (11) are anybody's. */
		memset(arg, 0, sizeof(arg));
		if (cmd == HVMOP_guest_request_vm_event || cmd == HVMOP_flush_tlbs || cmd == HVMOP_get_time || cmd == 11)
			continue;
		expect_msg(HYPERVISOR_hvm_op(cmd, arg) < 0, "operation %u", cmd);
		expect_msg(HYPERVISOR_hvm_op(cmd, (void *)HYPERVISOR_VIRT_START) < 0, "operation %u, bad pointer", cmd);
	}
}
