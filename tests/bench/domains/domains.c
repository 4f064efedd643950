/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What things cost with 1, 10, 100 and 500 domains beside dom0: "scale WHAT DOMAINS TICKS". The domains are as small as can be: first ones that
 * wait for a timer far away, then ones that yield for ever.
 */
#include <guest/domain.h>
#include <guest/guest.h>
#include <xen/memory.h>

#define CODE	0x400000UL
#define PAGES	8	/* four tables, code, stack, two more */
#define DOMAINS 500
#define ROUNDS	32
#define REPEATS 5

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	"timer_begin:\n\t"
	"movabs $0x4000000000000, %rdi\n\t"
	"mov $15, %eax\n\t"	/* set_timer_op */
	"syscall\n"
	"1:\tmov $29, %eax\n\t"	/* sched_op: block */
	"mov $1, %edi\n\t"
	"xor %esi, %esi\n\t"
	"syscall\n\t"
	"jmp 1b\n"
	"timer_end:\n"
	"yield_begin:\n"
	"1:\tmov $29, %eax\n\t"
	"xor %edi, %edi\n\t"
	"xor %esi, %esi\n\t"
	"syscall\n\t"
	"jmp 1b\n"
	"yield_end:\n"
	".popsection\n");
extern char timer_begin[], timer_end[], yield_begin[], yield_end[];

static struct xen_domctl op;
static struct vcpu_guest_context context;
static xen_pfn_t frames[PAGES];
static domid_t domains[DOMAINS + 1];
static unsigned int count;
static u64 *window;

static long control(u32 cmd, domid_t dom)
{
	return domain_control(cmd, dom, &op);
}

/* Creates a domain without contents. */
static int create(domid_t *dom)
{
	struct xen_memory_reservation res = { .nr_extents = PAGES };

	memset(&op, 0, sizeof(op));
	op.u.createdomain.handle[0] = 0x42;
	op.u.createdomain.max_vcpus = 1;
	op.u.createdomain.max_evtchn_port = 1023;
	op.u.createdomain.max_grant_frames = 1;
	op.u.createdomain.max_maptrack_frames = 1;
	op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
	if (!require(control(XEN_DOMCTL_createdomain, 0)))
		return -1;
	*dom = op.domain;
	memset(&op.u, 0, sizeof(op.u));
	op.u.max_vcpus.max = 1;
	require(control(XEN_DOMCTL_max_vcpus, *dom));
	memset(&op.u, 0, sizeof(op.u));
	op.u.max_mem.max_memkb = PAGES * 4;
	require(control(XEN_DOMCTL_max_mem, *dom));
	for (unsigned int i = 0; i < PAGES; i++)
		frames[i] = i;
	res.domid = *dom;
	set_xen_guest_handle(res.extent_start, frames);
	return HYPERVISOR_memory_op(XENMEM_populate_physmap, &res) == PAGES ? 0 : -1;
}

static void destroy(domid_t dom)
{
	memset(&op.u, 0, sizeof(op.u));
	require(control(XEN_DOMCTL_destroydomain, dom));
}

static bool fill(domid_t dom, const char *code, size_t size)
{
	static const unsigned int slot[3] = { CODE >> 39 & 511, CODE >> 30 & 511, CODE >> 21 & 511 };

	for (unsigned int i = 0; i < 6; i++) {
		if (!require(window_open(window, dom, frames[i], PTE_KERNEL)))
			return false;
		memset(window, 0, PAGE_SIZE);
		if (i < 3)
			window[slot[i]] = mfn_pte(frames[i + 1], PTE_TABLE);
		if (i == 3) {
			window[0] = mfn_pte(frames[4], PTE_READONLY);
			window[1] = mfn_pte(frames[5], PTE_KERNEL);
		}
		if (i == 4)
			memcpy(window, code, size);
	}
	window_close(window);
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
	return require(control(XEN_DOMCTL_setvcpucontext, dom));
}

static void all(u32 cmd)
{
	for (unsigned int i = 0; i < count; i++) {
		memset(&op.u, 0, sizeof(op.u));
		require(control(cmd, domains[i]));
	}
}

static void grow(unsigned int n, const char *code, size_t size, bool run)
{
	for (; count < n; count++) {
		if (create(&domains[count]) || !fill(domains[count], code, size))
			guest_panic("no domain %u\n", count);
		memset(&op.u, 0, sizeof(op.u));
		if (run)
			require(control(XEN_DOMCTL_unpausedomain, domains[count]));
	}
}

static void shrink(void)
{
	while (count)
		destroy(domains[--count]);
}

static void report(const char *what, u64 ticks)
{
	print("scale %s %u %lu\n", what, count, ticks);
}

/* The least of some times ROUNDS calls. */
#define cost(statement)                                                                            \
	__extension__({                                                                            \
		u64 __least = ~0UL;                                                                \
		for (unsigned int __i = 0; __i < REPEATS; __i++) {                                 \
			u64 __start = rdtsc();                                                     \
			for (unsigned int __n = 0; __n < ROUNDS; __n++)                            \
				statement;                                                         \
			__start = rdtsc() - __start;                                               \
			__least = __start < __least ? __start : __least;                           \
		}                                                                                  \
		__least / ROUNDS;                                                                  \
	})

static void measure_idle(evtchn_port_t port)
{
	u64 least = ~0UL, when = time_now() + 100 * S;

	for (unsigned int i = 0; i < REPEATS; i++) {
		u64 start = rdtsc();

		if (create(&domains[count]))
			guest_panic("no domain\n");
		destroy(domains[count]);
		start = rdtsc() - start;
		least = start < least ? start : least;
	}
	report("create_destroy", least);
	report("event_send", cost((event_clear(port), event_send(port))));
	report("timer_set", cost(timer_set(when += MS)));
	timer_set(0);
	/* Two numbers that were just used, so that only looking the domain up takes time. */
	memset(&op.u, 0, sizeof(op.u));
	report("domain_lookup", cost((void)control(XEN_DOMCTL_getdomaininfo, domains[count / 2])));
}

static u64 counter(const char *name)
{
	static xen_sysctl_perfc_desc_t desc[256];
	static xen_sysctl_perfc_val_t val[256];
	static struct xen_sysctl sys;

	memset(&sys, 0, sizeof(sys));
	sys.u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query;
	set_xen_guest_handle(sys.u.perfc_op.desc, desc);
	set_xen_guest_handle(sys.u.perfc_op.val, val);
	if (!require(system_control(XEN_SYSCTL_perfc_op, &sys)))
		return 0;
	for (unsigned int i = 0; i < sys.u.perfc_op.nr_counters && i < ARRAY_SIZE(desc); i++)
		if (!strcmp(desc[i].name, name))
			return val[i];
	return 0;
}

/* Everybody yields all the time: ticks for each switch, the yielding domain's few instructions included. */
static void measure_switch(void)
{
	u64 switches, start;

	all(XEN_DOMCTL_unpausedomain);
	for (unsigned int i = 0; i < 4; i++)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	switches = counter("vcpu_switch");
	start = rdtsc();
	for (unsigned int i = 0; i < 8; i++)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	start = rdtsc() - start;
	switches = counter("vcpu_switch") - switches;
	all(XEN_DOMCTL_pausedomain);
	report("switch", switches ? start / switches : 0);
}

void guest_main(void)
{
	static const unsigned int numbers[] = { 1, 10, 100, DOMAINS };
	int port = event_bind_ipi(0);

	/* The end of the hypervisor's boot, for tests/bench/count.c. */
	__asm__ volatile("nopl 0x454e4542(%%rax)" : : : "memory");
	test_begin("domains");
	window = page_alloc();
	if (strcmp((const char *)start_info->cmd_line, "boot") == 0 || !require(port))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		grow(numbers[i], timer_begin, (size_t)(timer_end - timer_begin), true);
		/* Each gets as far as its timer. */
		time_spin(20 * MS);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
		measure_idle((evtchn_port_t)port);
	}
	shrink();
	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		grow(numbers[i], yield_begin, (size_t)(yield_end - yield_begin), false);
		measure_switch();
	}
	shrink();
}
