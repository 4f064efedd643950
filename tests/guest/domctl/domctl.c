/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0 makes a domain of one vCPU and some pages, runs it until it shuts itself down, and takes it apart; no page is lost. */
/* The headers of these interfaces are for tools alone. */
#define __XEN_TOOLS__ 1
#include <guest/guest.h>
#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

#define CODE	  0x400000UL
#define PAGES	  32
#define KIB_PAGES 4

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl domain_begin, domain_end\n"
	"domain_begin:\n"
	/* Marks its stack, and asks sched_op for a shutdown of kind suspend, with the argument there. */
	"movq $0x1234, -16(%rsp); movl $2, -8(%rsp); mov $29, %eax; mov $2, %edi; lea -8(%rsp), %rsi; syscall; ud2\n"
	"domain_end:\n"
	".popsection\n");
extern char domain_begin[], domain_end[];

static struct xen_domctl op;
static struct vcpu_guest_context context;
static xen_pfn_t frames[PAGES];
static u64 *window;

static long control(u32 cmd, domid_t dom)
{
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = dom;
	return HYPERVISOR_domctl(&op);
}

static u64 free_pages(void)
{
	static struct xen_sysctl sys;

	sys = (struct xen_sysctl){ .cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	return expect_eq(HYPERVISOR_sysctl(&sys), 0) ? sys.u.physinfo.free_pages + sys.u.physinfo.scrub_pages : 0;
}

/* A page of the domain's, in the window. */
static bool look_at(domid_t dom, unsigned int pfn)
{
	struct mmu_update req = { .ptr = pte_maddr(window), .val = mfn_pte(frames[pfn], PTE_KERNEL) };
	unsigned int done = 0;

	if (!expect_eq(HYPERVISOR_mmu_update(&req, 1, &done, dom), 0))
		return false;
	flush_page(window);
	return true;
}

static void window_close(void)
{
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
}

static int create(void)
{
	memset(&op, 0, sizeof(op));
	op.u.createdomain.handle[0] = 0x42;
	op.u.createdomain.max_vcpus = 1;
	op.u.createdomain.max_evtchn_port = 1023;
	op.u.createdomain.max_grant_frames = 4;
	op.u.createdomain.max_maptrack_frames = 4;
	op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
	if (!expect_eq(control(XEN_DOMCTL_createdomain, 0), 0))
		return -1;
	return op.domain;
}

static bool memory_give(domid_t dom)
{
	struct xen_memory_reservation res = { .nr_extents = PAGES, .domid = dom };
	unsigned int i;

	memset(&op.u, 0, sizeof(op.u));
	op.u.max_vcpus.max = 1;
	if (!expect_eq(control(XEN_DOMCTL_max_vcpus, dom), 0))
		return false;
	memset(&op.u, 0, sizeof(op.u));
	op.u.max_mem.max_memkb = PAGES * KIB_PAGES;
	if (!expect_eq(control(XEN_DOMCTL_max_mem, dom), 0))
		return false;
	for (i = 0; i < PAGES; i++)
		frames[i] = i;
	set_xen_guest_handle(res.extent_start, frames);
	if (!expect_eq(HYPERVISOR_memory_op(XENMEM_populate_physmap, &res), PAGES))
		return false;
	/* Not one more than it may have. */
	res.nr_extents = 1;
	set_xen_guest_handle(res.extent_start, &(xen_pfn_t){ PAGES });
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, &res) <= 0);
	return true;
}

/* Frames 0 to 3 are its tables, 4 its code, 5 its stack. */
static bool tables_make(domid_t dom)
{
	static const unsigned int slot[3] = { CODE >> 39 & 511, CODE >> 30 & 511, CODE >> 21 & 511 };
	unsigned int i;

	for (i = 0; i < 6; i++) {
		if (!look_at(dom, i))
			return false;
		memset(window, 0, PAGE_SIZE);
		if (i < 3)
			window[slot[i]] = mfn_pte(frames[i + 1], PTE_TABLE);
		if (i == 3) {
			window[0] = mfn_pte(frames[4], PTE_READONLY);
			window[1] = mfn_pte(frames[5], PTE_KERNEL);
		}
		if (i == 4)
			memcpy(window, domain_begin, (size_t)(domain_end - domain_begin));
	}
	window_close();
	return true;
}

static bool start(domid_t dom)
{
	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel | VGCF_online;
	context.user_regs.rip = CODE;
	context.user_regs.rsp = CODE + 2 * PAGE_SIZE;
	context.user_regs.rflags = 0x1000;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = CODE + 2 * PAGE_SIZE;
	context.ctrlreg[3] = xen_pfn_to_cr3(frames[0]);
	memset(&op.u, 0, sizeof(op.u));
	set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
	return expect_eq(control(XEN_DOMCTL_setvcpucontext, dom), 0) && expect_eq(control(XEN_DOMCTL_unpausedomain, dom), 0);
}

static u32 state(domid_t dom)
{
	memset(&op.u, 0, sizeof(op.u));
	if (control(XEN_DOMCTL_getdomaininfo, dom) || op.domain != dom)
		return XEN_DOMINF_dying;
	return op.u.getdomaininfo.flags;
}

static void cycle(void)
{
	int id = create();
	domid_t dom = (domid_t)id;

	if (id < 0)
		return;
	expect(id > 0);
	expect(state(dom) & XEN_DOMINF_paused);
	if (memory_give(dom) && tables_make(dom) && start(dom)) {
		expect(spin_until(state(dom) & XEN_DOMINF_shutdown, 10 * S));
		expect_eq(state(dom) >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, SHUTDOWN_suspend);
		if (look_at(dom, 5))
			expect_eq(window[PAGE_SIZE / 8 - 2], 0x1234);
		/* Its tables are read-only to us as well. */
		expect(HYPERCALL4(update_va_mapping_otherdomain, window, mfn_pte(frames[0], PTE_KERNEL), 0, dom) < 0);
		window_close();
	}
	expect_eq(control(XEN_DOMCTL_destroydomain, dom), 0);
	expect(spin_until(state(dom) & XEN_DOMINF_dying, 5 * S));
	/* Gone, and its frames with it. */
	expect(va_map(window, mfn_pte(frames[5], PTE_KERNEL)) < 0);
	expect(HYPERCALL4(update_va_mapping_otherdomain, window, mfn_pte(frames[5], PTE_KERNEL), 0, dom) < 0);
}

static void test_cycles(void)
{
	unsigned int i;
	u64 before;

	test_begin("create, run, destroy");
	cycle();
	time_spin(20 * MS);
	before = free_pages();
	for (i = 0; i < 5; i++)
		cycle();
	/* Some of it may be freed a little later. */
	expect_msg(spin_until(free_pages() >= before, 5 * S), "%lu pages free before, %lu after", before, free_pages());
}

static void test_refused(void)
{
	unsigned int i;

	test_begin("refused");
	memset(&op, 0, sizeof(op));
	for (i = 2; i < 90; i++) {
		/* A domain that does not exist; those about none in particular are another matter. */
		if (i == XEN_DOMCTL_getdomaininfo || i == XEN_DOMCTL_test_assign_device)
			continue;
		expect_msg(control(i, 0x7000) < 0, "command %u", i);
	}
	expect(control(XEN_DOMCTL_destroydomain, 0) < 0);
	expect(control(XEN_DOMCTL_pausedomain, 0) < 0);
	op.interface_version = 1;
	op.cmd = XEN_DOMCTL_createdomain;
	expect_eq(HYPERVISOR_domctl(&op), -XEN_EACCES);
	expect(HYPERVISOR_domctl(NULL) < 0);
	memset(&op, 0, sizeof(op));
	op.u.createdomain.flags = ~0U;
	expect(control(XEN_DOMCTL_createdomain, 0) < 0);
}

void guest_main(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN)) {
		test_begin("domctl");
		test_skip("for dom0");
		return;
	}
	window = page_alloc();
	test_cycles();
	test_refused();
}
