/* SPDX-License-Identifier: BSD-2-Clause */
/* setvcpucontext and getvcpucontext: registers and frames that a vCPU must not have are refused, or made harmless. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct domain d;
static struct xen_domctl op;
static struct vcpu_guest_context context;

static long set(unsigned int vcpu)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
	return domain_control(XEN_DOMCTL_setvcpucontext, d.id, &op);
}

static long get(unsigned int vcpu)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
	return domain_control(XEN_DOMCTL_getvcpucontext, d.id, &op);
}

static void good(void)
{
	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel | VGCF_online;
	context.user_regs.rip = d.entry;
	context.user_regs.rflags = 0x1000;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.user_regs.rsp = (u64)pfn_va(d.stack_pfn) + PAGE_SIZE - 8;
	context.user_regs.rsi = (u64)pfn_va(d.info_pfn);
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = context.user_regs.rsp;
	context.ctrlreg[3] = xen_pfn_to_cr3(d.frames[d.root_pfn]);
}

static void test_refused(void)
{
	unsigned int i;

	test_begin("refused");
	good();
	expect(set(1) < 0);
	expect(set(0xffffffff) < 0);
	expect(get(1) < 0);
	/* Roots that are not its own, or no roots. */
	for (i = 0; i < 5; i++) {
		static const u64 other[] = { 0, 0xfffffff, 0x100 };

		good();
		context.ctrlreg[3] = xen_pfn_to_cr3(i < 3 ? other[i] : i == 3 ? va_mfn(kernel_root()) : d.frames[d.stack_pfn + 3]);
		if (i == 4)
			/* An empty page is a root without mappings. */
			continue;
		expect_msg(set(0) < 0, "root %u", i);
	}
	good();
	context.ctrlreg[1] = xen_pfn_to_cr3(va_mfn(kernel_root())) | 1;
	expect(set(0) < 0);
	good();
	context.gdt_ents = 512;
	context.gdt_frames[0] = va_mfn(kernel_root());
	expect(set(0) < 0);
	good();
	context.gdt_ents = 0x10000;
	expect(set(0) < 0);
	good();
	context.ldt_ents = 8193;
	context.ldt_base = VIRT_BASE;
	expect(set(0) < 0);
	good();
	context.gs_base_user = 0x800000000000UL;
	expect(set(0) < 0);
}

static void test_privilege(void)
{
	test_begin("more privilege than there is");
	good();
	context.user_regs.cs = 0xe008;
	context.user_regs.ss = 0xe010;
	context.user_regs.rflags = 0xffffffff & ~0x100UL;
	context.debugreg[0] = HYPERVISOR_VIRT_START;
	context.debugreg[7] = 0xffff;
	if (set(0) == 0 && expect_eq(get(0), 0)) {
		expect_eq(context.user_regs.cs & 3, 3);
		expect_eq(context.user_regs.ss & 3, 3);
		expect(context.debugreg[0] < HYPERVISOR_VIRT_START);
		/* Interrupts on, no virtual interrupts, no nested task. */
		expect(!(context.user_regs.rflags & (1UL << 14 | 1UL << 17 | 1UL << 19 | 1UL << 20)));
	}
}

static void test_run(void)
{
	test_begin("a good one, which runs");
	/* A context that is already set up may be replaced while the domain is paused. */
	good();
	if (!expect_eq(set(0), 0))
		return;
	expect_eq(domain_control(XEN_DOMCTL_unpausedomain, d.id, &op), 0);
	expect_eq(child_wait(&d, 5 * S), SHUTDOWN_poweroff);
	expect_eq(get(0), 0);
	expect_eq(context.ctrlreg[3], xen_pfn_to_cr3(d.frames[d.root_pfn]));
}

void guest_main(void)
{
	const void *image;
	size_t size;

	if (!(start_info->flags & SIF_INITDOMAIN))
		guest_shutdown(SHUTDOWN_poweroff);
	test_begin("set up");
	image = boot_module(&size);
	if (!expect_eq(domain_create(&d, &(struct domain_config){ 0 }), 0) || !expect_eq(domain_load(&d, image, size, ""), 0))
		return;
	test_refused();
	test_privilege();
	expect_eq(domain_destroy(&d), 0);
	if (!expect_eq(domain_create(&d, &(struct domain_config){ 0 }), 0) || !expect_eq(domain_load(&d, image, size, ""), 0))
		return;
	test_run();
	expect_eq(domain_destroy(&d), 0);
}
