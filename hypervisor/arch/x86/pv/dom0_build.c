/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds dom0: memory, kernel, start-of-day structures, first vCPU. Runs once, at boot; what goes wrong ends in a clear message. */
#include <hv/boot.h>
#include <hv/cmdline.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/options.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <xen/arch-x86/xen.h>
#include <xen/domctl.h>
#include <xen/features.h>
#include "dom0.h"

#define DOM0_MAX_ORDER 18u
/* Smallest dom0 that is worth a try. */
#define DOM0_MIN_PAGES (16UL << 8)
/* Left to the hypervisor for guests' tables and its own growth. */
#define HEAP_RESERVE_PAGES (8UL << 8)

static struct dom0_memory opt_mem;
static struct dom0_vcpus opt_vcpus = { .min = 1, .max = UINT32_MAX };
static bool opt_vcpus_pin;
static struct dom0_memory_map memory_map;

static int mem_parse(const char *value)
{
	return option_dom0_mem(value, &opt_mem);
}

static int vcpus_parse(const char *value)
{
	return option_dom0_max_vcpus(value, &opt_vcpus);
}

BOOT_OPTION_CUSTOM("dom0_mem", mem_parse, "Memory of dom0: size, min:size, max:size; a negative size is left to others.");
BOOT_OPTION_CUSTOM("dom0_max_vcpus", vcpus_parse, "vCPUs of dom0: number, or least-most.");
BOOT_OPTION_BOOL("dom0_vcpus_pin", opt_vcpus_pin, "Pin each vCPU of dom0 to the CPU of the same number.");

static u64 pages_wanted(u64 *max_pages)
{
	u64 free = heap_free_frames(), available, bytes, max;

	available = (free > HEAP_RESERVE_PAGES ? free - HEAP_RESERVE_PAGES : 0) * PAGE_SIZE;
	if (opt_mem.plain.set && !opt_mem.plain.negative && opt_mem.plain.bytes > available)
		panic("dom0_mem asks for %lu MiB, but only %lu MiB are free; use a smaller dom0_mem",
		      opt_mem.plain.bytes >> 20, available >> 20);
	bytes = dom0_memory_bytes(&opt_mem, available, &max);
	*max_pages = max == UINT64_MAX ? UINT64_MAX : max / PAGE_SIZE;
	if (bytes / PAGE_SIZE < DOM0_MIN_PAGES)
		panic("dom0 would get %lu MiB of memory, which is too little; use a larger dom0_mem or more memory", bytes >> 20);
	return bytes / PAGE_SIZE;
}

static void extent_add(struct dom0_memory_map *map, mfn_t m, u64 count)
{
	struct dom0_extent *last = map->count ? &map->extent[map->count - 1] : NULL;

	if (last && last->mfn + last->count == m.v) {
		last->count += count;
	} else {
		if (map->count == DOM0_EXTENTS)
			panic("dom0: memory is in too many pieces");
		map->extent[map->count++] = (struct dom0_extent){ .pfn = map->pages, .mfn = m.v, .count = count };
	}
	map->pages += count;
}

/* Takes dom0's memory in runs as long as there are, so that its own I/O buffers are contiguous. */
static void memory_allocate(struct domain *d, struct dom0_memory_map *map, u64 pages)
{
	unsigned int order = DOM0_MAX_ORDER;

	while (map->pages < pages) {
		struct frame *f;

		while ((1UL << order) > pages - map->pages)
			order--;
		f = domain_frames_alloc(d, order, 0);
		if (f)
			extent_add(map, frame_mfn(f), 1UL << order);
		else if (order == 0)
			panic("dom0: out of memory after %lu of %lu MiB; use a smaller dom0_mem", map->pages >> 8, pages >> 8);
		else
			order--;
	}
	for (u32 i = 0; i < map->count; i++)
		for (u64 k = 0; k < map->extent[i].count; k++)
			m2p_set(mfn(map->extent[i].mfn + k), map->extent[i].pfn + k);
}

/* Copies to (or clears, src NULL) dom0's memory at a pseudo-physical address. */
static int pseudo_write(void *ctx, u64 address, const void *src, size_t len)
{
	const struct dom0_memory_map *map = ctx;

	if (address + len < address || address + len > map->pages * PAGE_SIZE)
		return -ENOMEM;
	while (len) {
		size_t part = MIN(len, PAGE_SIZE - address % PAGE_SIZE);
		char *dst = (char *)dom0_page(map, address >> PAGE_SHIFT) + address % PAGE_SIZE;

		if (src) {
			memcpy(dst, src, part);
			src = (const char *)src + part;
		} else {
			memset(dst, 0, part);
		}
		frame_unmap(dst);
		address += part;
		len -= part;
	}
	return 0;
}

static void kernel_parse(const void *data, size_t size, struct elf_image *image, struct elf_notes *notes,
			 struct elf_pv_layout *layout)
{
	const char *why = NULL;

	if (elf_parse(image, data, size, &why))
		panic("dom0: the kernel is not a usable ELF image: %s", why);
	if (elf_notes_read(image, notes) == 0)
		panic("dom0: the kernel has no Xen notes, so it cannot run paravirtualised; use one built with CONFIG_XEN_PV");
	if (elf_pv_layout_get(image, notes, layout, &why))
		panic("dom0: the kernel cannot run as dom0: %s", why);
	if (elf_note_present(notes, ELF_NOTE_SUPPORTED_FEATURES) && !(notes->features_supported & (1u << XENFEAT_dom0)))
		panic("dom0: the kernel does not support being dom0; use one built with CONFIG_XEN_DOM0");
}

static void p2m_write(const struct dom0_layout *l, struct dom0_memory_map *map)
{
	u64 at = l->p2m_outside ? l->p2m_first_pfn << PAGE_SHIFT : l->p2m - l->base;

	for (u32 i = 0; i < map->count; i++)
		for (u64 k = 0; k < map->extent[i].count; k++) {
			u64 pfn = map->extent[i].pfn + k;
			u64 *page = dom0_page(map, (at >> PAGE_SHIFT) + pfn / (PAGE_SIZE / 8));

			page[pfn % (PAGE_SIZE / 8)] = map->extent[i].mfn + k;
			frame_unmap(page);
		}
}

static size_t video_fill(struct dom0_vga_console_info *info)
{
	const struct boot_video *v = &boot_info.video;

	memset(info, 0, sizeof(*info));
	if (!v->valid)
		return 0;
	if (v->text) {
		info->video_type = XEN_VGATYPE_TEXT_MODE_3;
		info->u.text_mode_3.font_height = 16;
		info->u.text_mode_3.rows = (u16)v->height;
		info->u.text_mode_3.columns = (u16)v->width;
		return sizeof(*info);
	}
	info->video_type = boot_info.efi_systab.v ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
	info->u.vesa_lfb.width = (u16)v->width;
	info->u.vesa_lfb.height = (u16)v->height;
	info->u.vesa_lfb.bytes_per_line = (u16)v->pitch;
	info->u.vesa_lfb.bits_per_pixel = v->bpp;
	info->u.vesa_lfb.lfb_base = (u32)v->addr.v;
	info->u.vesa_lfb.ext_lfb_base = (u32)(v->addr.v >> 32);
	info->u.vesa_lfb.lfb_size = (v->pitch * v->height + 0xffff) >> 16;
	info->u.vesa_lfb.red_pos = v->red_pos;
	info->u.vesa_lfb.red_size = v->red_size;
	info->u.vesa_lfb.green_pos = v->green_pos;
	info->u.vesa_lfb.green_size = v->green_size;
	info->u.vesa_lfb.blue_pos = v->blue_pos;
	info->u.vesa_lfb.blue_size = v->blue_size;
	return sizeof(*info);
}

static void start_info_write(struct domain *d, const struct dom0_layout *l, const struct dom0_memory_map *map,
			     const char *cmdline)
{
	struct start_info *si = dom0_page(map, (l->start_info - l->base) >> PAGE_SHIFT);

	memset(si, 0, PAGE_SIZE);
	strlcpy(si->magic, "xen-3.0-x86_64", sizeof(si->magic));
	si->nr_pages = map->pages;
	si->shared_info = mfn_paddr(virt_mfn(d->shared)).v;
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	si->pt_base = l->tables;
	si->nr_pt_frames = l->nr_tables;
	si->mfn_list = l->p2m;
	if (l->p2m_outside) {
		si->first_p2m_pfn = l->p2m_first_pfn;
		si->nr_p2m_frames = l->p2m_pages + l->p2m_tables;
	}
	si->mod_len = l->initrd_size;
	if (l->initrd_mapped) {
		si->mod_start = l->initrd;
	} else if (l->initrd_size) {
		si->mod_start = l->initrd >> PAGE_SHIFT;
		si->flags |= SIF_MOD_START_PFN;
	}
	if (strlcpy((char *)si->cmd_line, cmdline, sizeof(si->cmd_line)) >= sizeof(si->cmd_line))
		log_warn("dom0: the kernel's command line is cut to %zu characters\n", sizeof(si->cmd_line) - 1);
	si->console.dom0.info_off = sizeof(*si);
	si->console.dom0.info_size = (u32)video_fill((void *)(si + 1));
	frame_unmap(si);
}

static void vcpu_start(struct vcpu *v, const struct dom0_layout *l, u64 entry, mfn_t root)
{
	struct vcpu_guest_context *c = hv_alloc(sizeof(*c));
	int rc;

	if (!c)
		panic("dom0: out of memory");
	c->flags = VGCF_in_kernel | VGCF_online;
	c->user_regs.rip = entry;
	c->user_regs.rsp = l->stack + PAGE_SIZE;
	c->user_regs.rsi = l->start_info;
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->user_regs.rflags = FLAG_IF;
	c->kernel_ss = FLAT_KERNEL_SS;
	c->kernel_sp = l->stack + PAGE_SIZE;
	c->ctrlreg[3] = xen_pfn_to_cr3(root.v);
	do
		rc = v->domain->ops->context_set(v, v, c);
	while (rc == -ERESTART);
	hv_free(c);
	if (rc)
		panic("dom0: first page tables or registers are refused (error %d)", -rc);
	/* The kernel expects its first root pinned, and unpins it itself. */
	do
		rc = pv_root_pin(v, root);
	while (rc == -ERESTART);
	if (rc)
		panic("dom0: cannot pin the first page tables (error %d)", -rc);
	__atomic_fetch_and(&v->pause_flags, ~VPF_DOWN, __ATOMIC_SEQ_CST);
}

static struct domain *dom0_create(void)
{
	struct xen_domctl_createdomain cfg = {
		.max_vcpus = dom0_vcpus_count(&opt_vcpus, cpumask_weight(&cpu_online_map), MAX_VCPUS),
		.max_evtchn_port = UINT32_MAX,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.grant_opts = XEN_DOMCTL_GRANT_version(2),
	};
	struct domain *d = NULL;
	int rc = domain_create(0, &cfg, true, &d);

	if (rc)
		panic("dom0: cannot create the domain (error %d)", -rc);
	dom0 = d;
	for (u32 i = 0, cpu = cpumask_next(&cpu_online_map, 0); i < cfg.max_vcpus; i++) {
		struct cpumask one = cpumask_of(cpu);
		struct vcpu *v;

		rc = vcpu_create(d, i, cpu, &v);
		if (!rc && opt_vcpus_pin)
			rc = vcpu_affinity_set_hard(v, &one);
		if (rc)
			panic("dom0: cannot create vCPU %u (error %d)", i, -rc);
		cpu = cpumask_next(&cpu_online_map, cpu + 1);
		if (cpu >= MAX_CPUS)
			cpu = cpumask_next(&cpu_online_map, 0);
	}
	dom0_permissions_set(d);
	return d;
}

struct domain *dom0_build(const struct boot_module *kernel, const struct boot_module *initrd, const char *cmdline)
{
	struct dom0_memory_map *map = &memory_map;
	struct frame *block = NULL;
	struct elf_pv_layout layout;
	struct elf_writer writer;
	struct elf_notes notes;
	struct elf_image image;
	unsigned int order = 0;
	struct dom0_layout l;
	struct domain *d;
	const void *data;
	u64 pages, max;
	size_t size;
	mfn_t root;
	int rc;

	data = dom0_kernel_unpack(kernel, &size, &block, &order);
	kernel_parse(data, size, &image, &notes, &layout);
	d = dom0_create();
	pages = pages_wanted(&max);
	d->memory.max = MAX(max, pages);
	rc = dom0_layout_make(&l, &layout, notes.mod_start_pfn, initrd ? initrd->size : 0, pages);
	if (rc)
		panic("dom0: kernel and initrd do not fit into %lu MiB; use a larger dom0_mem", pages >> 8);
	memory_allocate(d, map, pages);

	writer = (struct elf_writer){ .write = pseudo_write, .ctx = map, .bias = layout.load_bias };
	rc = elf_load(&image, &writer);
	if (!rc && initrd) {
		u64 at = l.initrd_mapped ? l.initrd - l.base : l.initrd;

		rc = pseudo_write(map, at, (char *)frame_map(paddr_mfn(initrd->start)) + initrd->start.v % PAGE_SIZE,
				  initrd->size);
	}
	if (rc)
		panic("dom0: the kernel does not fit into its memory");
	if (layout.has_hypercall_page) {
		void *page = dom0_page(map, (layout.hypercall_page - l.base) >> PAGE_SHIFT);

		pv_hypercall_page_fill(page);
		frame_unmap(page);
	}
	p2m_write(&l, map);
	start_info_write(d, &l, map, cmdline);
	root = dom0_tables_make(&l, map);
	vcpu_start(d->vcpu[0], &l, layout.entry, root);
	if (block)
		frames_free(block, order);
	log_info("dom0: %lu MiB, %u vCPUs, kernel %#lx-%#lx, entry %#lx\n", pages >> 8, d->max_vcpus, layout.kernel_start,
		 layout.kernel_end, layout.entry);
	return d;
}
