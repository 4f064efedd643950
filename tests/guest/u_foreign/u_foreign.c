/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of other domains, from a domain without privileges: not mapped, not pinned, not cleared, not used as anything. */
#include <guest/guest.h>
#include <xen/memory.h>
#include <xen/vcpu.h>

enum { FRAME = 1, TABLE, ROOT, DONE };

static u64 *window;

static void refused(u64 mfn, const char *what)
{
	const domid_t owners[] = { DOMID_SELF, group_domain(0), 0, DOMID_XEN, DOMID_IO };
	struct mmuext_op op = { .arg1.mfn = mfn };
	xen_pfn_t frame = mfn;
	unsigned int i, cmd, done = 0;

	for (i = 0; i < ARRAY_SIZE(owners); i++) {
		struct mmu_update req = { .ptr = pte_maddr(window), .val = mfn_pte(mfn, PTE_KERNEL) };

		expect_msg(HYPERVISOR_mmu_update(&req, 1, &done, owners[i]) < 0, "%s: as %x's", what, owners[i]);
		req.val = mfn_pte(mfn, PTE_READONLY);
		expect_msg(HYPERVISOR_mmu_update(&req, 1, &done, owners[i]) < 0, "%s: read-only, as %x's", what, owners[i]);
		/* Entries in tables of the other. */
		req = (struct mmu_update){ .ptr = mfn << PAGE_SHIFT };
		expect(HYPERVISOR_mmu_update(&req, 1, &done, owners[i]) < 0);
		expect(HYPERVISOR_mmu_update(&req, 1, &done, (owners[i] + 1U) << 16 | DOMID_SELF) < 0);
		req.ptr = mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
		expect(HYPERVISOR_mmu_update(&req, 1, &done, owners[i]) < 0);
		for (cmd = MMUEXT_PIN_L1_TABLE; cmd <= MMUEXT_NEW_BASEPTR; cmd++) {
			op.cmd = cmd;
			expect_msg(HYPERVISOR_mmuext_op(&op, 1, &done, owners[i]) < 0, "%s: operation %u as %x's", what, cmd,
				   owners[i]);
		}
		op.cmd = MMUEXT_NEW_USER_BASEPTR;
		expect(HYPERVISOR_mmuext_op(&op, 1, &done, owners[i]) < 0);
		op.cmd = MMUEXT_CLEAR_PAGE;
		expect(HYPERVISOR_mmuext_op(&op, 1, &done, owners[i]) < 0);
		op.cmd = MMUEXT_COPY_PAGE;
		op.arg2.src_mfn = va_mfn(window);
		expect(HYPERVISOR_mmuext_op(&op, 1, &done, owners[i]) < 0);
	}
	/* The copy the other way round: into a page of ours. */
	op = (struct mmuext_op){ .cmd = MMUEXT_COPY_PAGE, .arg1.mfn = va_mfn(window), .arg2.src_mfn = mfn };
	expect(HYPERVISOR_mmuext_op(&op, 1, &done, DOMID_SELF) < 0);
	expect(HYPERVISOR_set_gdt(&frame, 512) < 0);
	expect(HYPERVISOR_update_descriptor(mfn << PAGE_SHIFT, 0) < 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &(struct vcpu_register_vcpu_info){ .mfn = mfn }) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &(struct evtchn_init_control){ .control_gfn = mfn }) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &(struct evtchn_expand_array){ .array_gfn = mfn }) < 0);
}

static void test_memory(u64 mfn)
{
	xen_pfn_t frame = mfn;
	struct xen_memory_reservation res = { .nr_extents = 1, .domid = DOMID_SELF };

	test_begin("giving away what another has");
	set_xen_guest_handle(res.extent_start, &frame);
	expect(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &res) <= 0);
	res.domid = group_domain(0);
	expect(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &res) <= 0);
	frame = 5;
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, &res) <= 0);
	res.domid = 0;
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, &res) <= 0);
	expect(HYPERVISOR_memory_op(XENMEM_current_reservation, &(struct xen_memory_domain){ .domid = 0 }) < 0);
}

void guest_main(void)
{
	u64 *mine = page_alloc();

	test_begin("set up");
	if (!require(group_join()))
		return;
	window = page_alloc();
	if (group_role() == 0) {
		*mine = 0x5ec4e7;
		group_post(FRAME, va_mfn(mine));
		group_post(TABLE, va_mfn((void *)((u64)pte_find(mine) & PAGE_MASK)));
		group_post(ROOT, va_mfn(kernel_root()));
		expect(group_wait(DONE));
		expect_eq(*mine, 0x5ec4e7);
		return;
	}
	if (!expect(group_wait(ROOT)))
		return;
	test_begin("frames of others");
	refused(group_look(FRAME), "a page");
	refused(group_look(TABLE), "a page table");
	refused(group_look(ROOT), "a root");
	test_memory(group_look(FRAME));
	expect_eq(pte_mfn(*pte_find(window)), va_mfn(window));
	group_post(DONE, 1);
}
