/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/domain.h>
#include <guest/domain_image.h>
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/smp.h>
#include <guest/start.h>
#include <guest/time.h>
#include <xen/io/console.h>
#include <xen/memory.h>

#define KIB_PAGES 4
#define BATCH	  512

static struct xen_domctl domctl;
static struct vcpu_guest_context context;
static void *window;

long domain_control(u32 cmd, domid_t dom, struct xen_domctl *op)
{
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = dom;
	return HYPERVISOR_domctl(op);
}

long system_control(u32 cmd, struct xen_sysctl *op)
{
	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return HYPERVISOR_sysctl(op);
}

u64 free_pages(void)
{
	static struct xen_sysctl op;

	return system_control(XEN_SYSCTL_physinfo, &op) ? 0 : op.u.physinfo.free_pages + op.u.physinfo.scrub_pages;
}

static unsigned int or_default(unsigned int value, unsigned int otherwise)
{
	return value ? value : otherwise;
}

static int memory_populate(struct domain *d)
{
	unsigned int i, n;

	for (i = 0; i < d->pages; i++)
		d->frames[i] = i;
	for (i = 0; i < d->pages; i += n) {
		struct xen_memory_reservation res = { .domid = d->id };
		long ret;

		n = d->pages - i < BATCH ? d->pages - i : BATCH;
		res.nr_extents = n;
		set_xen_guest_handle(res.extent_start, &d->frames[i]);
		ret = HYPERVISOR_memory_op(XENMEM_populate_physmap, &res);
		if (ret != n)
			return ret < 0 ? (int)ret : -XEN_ENOMEM;
	}
	return 0;
}

int domain_create(struct domain *d, const struct domain_config *config)
{
	struct xen_domctl_createdomain *c = &domctl.u.createdomain;
	long ret;

	memset(d, 0, sizeof(*d));
	d->pages = or_default(config->pages, DOMAIN_PAGES_MAX);
	d->vcpus = or_default(config->vcpus, 1);
	memset(&domctl, 0, sizeof(domctl));
	c->handle[0] = 0x42;
	c->max_vcpus = d->vcpus;
	c->max_evtchn_port = or_default(config->max_port, 1023);
	c->max_grant_frames = config->grant_frames ? config->grant_frames : 8;
	c->max_maptrack_frames = config->maptrack_frames ? config->maptrack_frames : 8;
	c->grant_opts = XEN_DOMCTL_GRANT_version(or_default(config->grant_version, 2));
	c->cpupool_id = config->pool;
	ret = domain_control(XEN_DOMCTL_createdomain, 0, &domctl);
	if (ret)
		return (int)ret;
	d->id = domctl.domain;
	d->paused = true;
	memset(&domctl.u, 0, sizeof(domctl.u));
	domctl.u.max_vcpus.max = d->vcpus;
	ret = domain_control(XEN_DOMCTL_max_vcpus, d->id, &domctl);
	domctl.u.max_mem.max_memkb = d->pages * KIB_PAGES;
	ret = ret ? ret : domain_control(XEN_DOMCTL_max_mem, d->id, &domctl);
	ret = ret ? ret : memory_populate(d);
	if (ret)
		domain_destroy(d);
	return (int)ret;
}

int window_open(void *page, domid_t dom, u64 mfn, u64 flags)
{
	struct mmu_update req = { .ptr = pte_maddr(page), .val = mfn_pte(mfn, flags) };
	unsigned int done = 0;
	int ret = (int)HYPERVISOR_mmu_update(&req, 1, &done, dom);

	if (!ret)
		flush_page(page);
	return ret;
}

int window_close(void *page)
{
	return va_map(page, mfn_pte(va_mfn(page), PTE_KERNEL));
}

void *domain_page(struct domain *d, unsigned int pfn)
{
	if (!window)
		window = page_alloc();
	if (pfn >= d->pages)
		return NULL;
	return window_open(window, d->id, d->frames[pfn], PTE_KERNEL) ? NULL : window;
}

void domain_page_done(void)
{
	if (window)
		window_close(window);
}

static int console_make(struct domain *d)
{
	int port = event_alloc_unbound(d->id, DOMID_SELF);

	if (port < 0)
		return port;
	d->console_remote = (evtchn_port_t)port;
	port = event_bind_interdomain(d->id, d->console_remote);
	if (port < 0)
		return port;
	d->console_port = (evtchn_port_t)port;
	d->console = page_alloc();
	port = window_open(d->console, d->id, d->frames[d->console_pfn], PTE_KERNEL);
	if (port) {
		page_free(d->console);
		d->console = NULL;
	}
	return port;
}

int domain_load(struct domain *d, const void *elf, size_t size, const char *cmdline)
{
	struct domain_image image;
	unsigned int pfn;
	int ret = image_parse(&image, elf, size, d->pages);

	if (ret)
		return ret;
	d->entry = image.entry;
	d->hypercall_page = image.hypercall_page;
	d->p2m_pfn = image.p2m_pfn;
	d->info_pfn = image.info_pfn;
	d->console_pfn = image.console_pfn;
	d->root_pfn = image.root_pfn;
	d->stack_pfn = image.stack_pfn;
	if (domain_control(XEN_DOMCTL_getdomaininfo, d->id, &domctl))
		return -XEN_ESRCH;
	image.shared_info = domctl.u.getdomaininfo.shared_info_frame << PAGE_SHIFT;
	image.frames = d->frames;
	image.cmdline = cmdline;
	for (pfn = image.first_pfn; pfn < image.end_pfn; pfn++) {
		void *page = domain_page(d, pfn);

		if (!page)
			return -XEN_EFAULT;
		memset(page, 0, PAGE_SIZE);
		if (pfn == image.console_pfn) {
			ret = console_make(d);
			if (ret)
				return ret;
			image.console_port = d->console_remote;
		}
		image_page(&image, pfn, page);
	}
	domain_page_done();
	domctl.u.hypercall_init.gmfn = d->frames[va_pfn((void *)d->hypercall_page)];
	return (int)domain_control(XEN_DOMCTL_hypercall_init, d->id, &domctl);
}

int domain_context_set(struct domain *d)
{
	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel | VGCF_online;
	context.user_regs.rip = d->entry;
	context.user_regs.rsp = (u64)pfn_va(d->stack_pfn) + PAGE_SIZE - 8;
	context.user_regs.rsi = (u64)pfn_va(d->info_pfn);
	context.user_regs.rflags = 0x1000;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = context.user_regs.rsp;
	context.ctrlreg[3] = xen_pfn_to_cr3(d->frames[d->root_pfn]);
	memset(&domctl.u, 0, sizeof(domctl.u));
	set_xen_guest_handle(domctl.u.vcpucontext.ctxt, &context);
	return (int)domain_control(XEN_DOMCTL_setvcpucontext, d->id, &domctl);
}

int domain_start(struct domain *d)
{
	int ret = domain_context_set(d);

	if (!ret)
		ret = (int)domain_control(XEN_DOMCTL_unpausedomain, d->id, &domctl);
	d->paused = ret != 0;
	return ret;
}

int domain_destroy(struct domain *d)
{
	if (d->console) {
		window_close(d->console);
		page_free(d->console);
		d->console = NULL;
	}
	if (d->console_port)
		event_close(d->console_port);
	d->console_port = 0;
	return (int)domain_control(XEN_DOMCTL_destroydomain, d->id, &domctl);
}

u32 domain_state(domid_t dom)
{
	if (domain_control(XEN_DOMCTL_getdomaininfo, dom, &domctl) || domctl.domain != dom)
		return XEN_DOMINF_dying;
	return domctl.u.getdomaininfo.flags;
}

bool domain_exists(domid_t dom)
{
	return !domain_control(XEN_DOMCTL_getdomaininfo, dom, &domctl) && domctl.domain == dom;
}

size_t domain_console_read(struct domain *d, char *buf, size_t size)
{
	volatile struct xencons_interface *ring = d->console;
	u32 cons, prod;
	size_t n = 0;

	if (!ring)
		return 0;
	cons = ring->out_cons;
	prod = ring->out_prod;
	__asm__ volatile("" ::: "memory");
	/* The other side may write anything there. */
	if (prod - cons > sizeof(ring->out))
		prod = cons;
	while (n < size && cons != prod)
		buf[n++] = ring->out[MASK_XENCONS_IDX(cons++, ring->out)];
	__asm__ volatile("" ::: "memory");
	ring->out_cons = cons;
	if (n && d->console_port)
		event_send(d->console_port);
	return n;
}

const void *boot_module(size_t *size)
{
	*size = start_info->mod_len;
	return *size ? (const void *)start_info->mod_start : NULL;
}

int child_start(struct domain *d, const struct domain_config *config, const char *cmdline)
{
	size_t size;
	const void *image = boot_module(&size);
	int ret = domain_create(d, config);

	if (ret)
		return ret;
	ret = domain_load(d, image, size, cmdline);
	if (!ret)
		ret = domain_start(d);
	if (ret)
		domain_destroy(d);
	return ret;
}

int child_wait(struct domain *d, u64 ns)
{
	u64 end = time_now() + ns;
	u32 state;

	do {
		state = domain_state(d->id);
		if (state & XEN_DOMINF_shutdown)
			return (int)domain_shutdown_reason(state);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	} while (time_now() < end);
	return -XEN_EAGAIN;
}

int domain_pin(struct domain *d, unsigned int cpu)
{
	u64 mask = 1UL << cpu;
	unsigned int i;
	long ret = 0;

	for (i = 0; i < d->vcpus && !ret; i++) {
		memset(&domctl.u, 0, sizeof(domctl.u));
		domctl.u.vcpuaffinity.vcpu = i;
		domctl.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
		set_xen_guest_handle(domctl.u.vcpuaffinity.cpumap_hard.bitmap, (u8 *)&mask);
		domctl.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
		ret = domain_control(XEN_DOMCTL_setvcpuaffinity, d->id, &domctl);
	}
	return (int)ret;
}
