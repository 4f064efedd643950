/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing vCPUs up: contexts that must be refused, going down and up many times, and vCPUs that do not exist. */
#include <guest/guest.h>
#include <xen/vcpu.h>

static struct vcpu_guest_context context;
static volatile unsigned int runs;

static void run(void *arg)
{
	(void)arg;
	runs++;
}

static void context_good(void)
{
	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel;
	context.user_regs.rip = VIRT_BASE;
	context.user_regs.rsp = VIRT_BASE;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.user_regs.rflags = 0x1000;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.ctrlreg[3] = xen_pfn_to_cr3(va_mfn(kernel_root()));
}

static long try(void)
{
	long ret = HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, &context);

	context_good();
	return ret;
}

static void test_refused(void)
{
	u64 *page = page_alloc();

	test_begin("contexts that are refused");
	context_good();
	/* Roots: a page, a frame that does not exist, one of the hypervisor's, none. */
	context.ctrlreg[3] = xen_pfn_to_cr3(va_mfn(page));
	expect(try() < 0);
	context.ctrlreg[3] = xen_pfn_to_cr3(0xfffffff);
	expect(try() < 0);
	context.ctrlreg[3] = xen_pfn_to_cr3(va_mfn(pte_find(page)));
	expect(try() < 0);
	/* Descriptor tables: too long, in a page table. */
	context.gdt_ents = 0xffff;
	expect(try() < 0);
	context.gdt_ents = 512;
	context.gdt_frames[0] = va_mfn(kernel_root());
	expect(try() < 0);
	context.gdt_ents = 512;
	context.gdt_frames[0] = 0xfffffff;
	expect(try() < 0);
	context.ldt_ents = 0xffff;
	context.ldt_base = VIRT_BASE;
	expect(try() < 0);
	/* Bases and entry points that are not canonical. */
	context.gs_base_kernel = 0x800000000000UL;
	expect(try() < 0);
	context.fs_base = 0x800000000000UL;
	expect(try() < 0);
	context.event_callback_eip = 0x800000000000UL;
	expect(try() < 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, NULL) < 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, (void *)HYPERVISOR_VIRT_START) < 0);
	/* None of them left it ready. */
	expect(HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL) < 0);
	expect_eq(vcpu_is_up(1), 0);
	expect_eq(page_protect(page, false), 0);
	expect_eq(page_protect(page, true), 0);
	page_free(page);
}

static void test_numbers(void)
{
	static const unsigned int bad[] = { 2, 31, 32, 127, 128, 8192, 0x7fffffff, 0xffffffff };
	struct vcpu_runstate_info info;
	unsigned int i, cmd;

	test_begin("vCPUs that do not exist");
	context_good();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (cmd = 0; cmd < 16; cmd++)
			expect_msg(HYPERVISOR_vcpu_op(cmd, bad[i], &context) < 0, "operation %u of vCPU %u", cmd, bad[i]);
		expect(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, bad[i], &info) < 0);
	}
	expect_eq(HYPERVISOR_vcpu_op(99, 0, NULL), -XEN_ENOSYS);
}

static void test_up_and_down(void)
{
	unsigned int i;

	test_begin("up");
	if (!expect_eq(vcpu_start(1, run, NULL), 0))
		return;
	expect(spin_until(runs == 1, 5 * S));
	expect(spin_until(vcpu_is_up(1) == 0, 5 * S));
	context_good();
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, &context), -XEN_EEXIST);
	/* It goes on after its call to go down, which it then makes again. */
	test_begin("up and down a hundred times");
	for (i = 0; i < 100; i++) {
		expect_eq(HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL), 0);
		expect_eq(HYPERVISOR_vcpu_op(VCPUOP_down, 1, NULL), 0);
		expect_eq(vcpu_is_up(1), 0);
	}
}

void guest_main(void)
{
	test_begin("set up");
	if (vcpus_max() < 2) {
		test_skip("there is one vCPU");
		return;
	}
	test_refused();
	test_numbers();
	test_up_and_down();
}
