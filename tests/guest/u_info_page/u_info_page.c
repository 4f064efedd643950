/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of a registered vcpu_info: it stays the hypervisor's to write to, whatever the domain does with it. */
#include <guest/guest.h>
#include <xen/memory.h>
#include <xen/vcpu.h>

void guest_main(void)
{
	u64 *page = page_alloc();
	struct vcpu_register_vcpu_info op = { .mfn = va_mfn(page), .offset = 64 };
	struct xen_memory_reservation res = { .nr_extents = 1, .domid = DOMID_SELF };
	xen_pfn_t frame = va_mfn(page);
	int port;

	test_begin("a page that is in use");
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 1, &op), 0);
	/* Writable for the hypervisor: it cannot become a table, even with no mapping of the guest's. */
	require(va_map(page, 0));
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, frame) < 0);
	expect(mmuext_mfn(MMUEXT_PIN_L4_TABLE, frame) < 0);
	expect(HYPERVISOR_set_gdt(&frame, 512) < 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 1, &op) < 0);
	test_begin("given back to the hypervisor");
	set_xen_guest_handle(res.extent_start, &frame);
	HYPERVISOR_memory_op(XENMEM_decrease_reservation, &res);
	/* Whoever owns it now: events to that vCPU do no harm. */
	port = event_bind_ipi(1);
	if (require(port)) {
		event_unmask((evtchn_port_t)port);
		expect_eq(event_send((evtchn_port_t)port), 0);
	}
	test_begin("the shared page itself");
	op = (struct vcpu_register_vcpu_info){ .mfn = start_info->shared_info >> PAGE_SHIFT, .offset = 2048 };
	HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &op);
	expect_eq(HYPERVISOR_xen_version(0, NULL), 4 << 16 | 17);
	frame = start_info->shared_info >> PAGE_SHIFT;
	expect(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &res) <= 0);
	expect(mmuext_mfn(MMUEXT_PIN_L2_TABLE, frame) < 0);
}
