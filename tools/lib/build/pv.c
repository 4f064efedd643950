/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds a PV domain. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/features.h>
#include <xen/xen.h>

#include "argon/build.h"
#include "argon/reason.h"
#include "image.h"
#include "layout.h"
#include "writer.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define LARGE_ORDER  9u /* 2 MiB, the largest extents that the hypervisors hand out */
#define SMALL_CHUNK  16384u /* single pages in one call */
#define FLAG_IF	     0x200u
#define E820_RAM     1u

/* What is at work while a domain is built. */
struct building {
	struct ctrl *ctrl;
	uint32_t domid;
	const struct build_image *image;
	const struct build_config *config;
	struct build_result *result;
	struct layout layout;
	uint64_t *p2m;
	uint64_t (*tables)[512];
};

static uint64_t pages_of_config(const struct build_config *config)
{
	return config->memory_kib / KIB_PER_PAGE;
}

static uint64_t pages_most(const struct build_config *config)
{
	uint64_t most = config->max_memory_kib / KIB_PER_PAGE, pages = pages_of_config(config);

	return most > pages ? most : pages;
}

static uint64_t pages_needed(const struct build_image *image, uint64_t pages)
{
	struct layout l = { 0 };
	int rc = layout_make(&image->kernel.info, image->ramdisk_bytes, pages, &l);

	return rc == 0 || rc == -ENOMEM ? l.used : UINT64_MAX;
}

uint64_t build_memory_least(const struct build_image *image)
{
	uint64_t pages = 1, needed;

	/* More memory needs a longer P2M list, which needs more memory. */
	while ((needed = pages_needed(image, pages)) > pages && needed != UINT64_MAX)
		pages = needed;
	return needed == UINT64_MAX ? UINT64_MAX : pages * KIB_PER_PAGE;
}

/* ---- Checks, before anything is done ---- */
static int features_check(const struct building *b)
{
	/* What the hypervisor tells this kernel holds for the new one, which is PV as well, but for what belongs to its kind of domain. */
	const uint32_t never = 1u << XENFEAT_auto_translated_physmap | 1u << XENFEAT_supervisor_mode_kernel | 1u << XENFEAT_dom0;
	/* These two are switched on by vm_assist, which every 64-bit PV kernel may do. */
	const uint32_t always = 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_pae_pgdir_above_4gb;
	uint32_t required = b->image->kernel.info.features_required, offered = 0, missing;
	int rc = ctrl_features(b->ctrl, &offered);

	if (rc)
		return rc;
	missing = required & ~((offered & ~never) | always);
	for (unsigned int i = 0; missing && i < 32; i++)
		if (missing & 1u << i)
			return reason_set(ENOEXEC, "kernel %s requires feature %u of <xen/features.h>, which this hypervisor does not offer",
					  b->image->name, i);
	return 0;
}

static int config_check(struct building *b)
{
	const struct build_config *config = b->config;
	int rc;

	if (config->type != BUILD_PV)
		return reason_set(EOPNOTSUPP, "%s guests cannot be built yet; use type=\"pv\"", config->type == BUILD_PVH ? "PVH" : "HVM");
	if (config->command_line && strlen(config->command_line) >= MAX_GUEST_CMDLINE)
		return reason_set(E2BIG, "the kernel's command line has %zu characters; %u fit", strlen(config->command_line),
				  MAX_GUEST_CMDLINE - 1);
	rc = layout_make(&b->image->kernel.info, b->image->ramdisk_bytes, pages_of_config(config), &b->layout);
	if (rc == -ENOMEM)
		return reason_set(ENOMEM, "%llu MiB of memory are too little for kernel %s%s%s: give the domain at least %llu MiB",
				  (unsigned long long)config->memory_kib >> 10, b->image->name,
				  b->image->ramdisk ? " and ramdisk " : "", b->image->ramdisk ? b->image->ramdisk : "",
				  (unsigned long long)(build_memory_least(b->image) + 1023) >> 10);
	if (rc)
		return reason_set(-rc, "kernel %s asks for addresses that cannot be had with %llu MiB of memory", b->image->name,
				  (unsigned long long)config->memory_kib >> 10);
	return features_check(b);
}

/* ---- Memory ---- */
static int out_of_memory(const struct building *b, uint64_t got)
{
	struct ctrl_physinfo info = { 0 };
	uint64_t missing = (b->layout.pages - got) * KIB_PER_PAGE;

	if (ctrl_physinfo(b->ctrl, &info))
		return -ENOMEM;
	return reason_set(ENOMEM, "not enough free memory: the domain needs %llu MiB, of which %llu KiB are missing; %llu MiB are free now. "
			  "Stop another domain or shrink one (xl mem-set)",
			  (unsigned long long)b->config->memory_kib >> 10, (unsigned long long)missing,
			  (unsigned long long)(info.free_pages - info.outstanding_pages) >> 8);
}

/* Extents of 2 MiB from page 0 on. @return pages got, or -errno */
static int64_t populate_large(struct building *b)
{
	uint64_t count = b->layout.pages >> LARGE_ORDER;
	uint64_t *extent = malloc((count + 1) * sizeof(*extent));
	int64_t got = 0;

	if (!extent)
		return reason_set(ENOMEM, "out of memory");
	for (uint64_t i = 0; i < count; i++)
		extent[i] = i << LARGE_ORDER;
	if (count)
		got = ctrl_memory_populate(b->ctrl, b->domid, LARGE_ORDER, 0, count, extent);
	for (int64_t i = 0; i < got; i++)
		for (uint64_t k = 0; k < 1u << LARGE_ORDER; k++)
			b->p2m[((uint64_t)i << LARGE_ORDER) + k] = extent[i] + k;
	free(extent);
	/* That there is no such piece left is no reason to give up. */
	return got < 0 ? (got == -ENOMEM ? 0 : got) : got << LARGE_ORDER;
}

static int populate(struct building *b)
{
	int64_t got = populate_large(b);
	uint64_t done = got > 0 ? (uint64_t)got : 0;

	while (got >= 0 && done < b->layout.pages) {
		uint64_t n = b->layout.pages - done < SMALL_CHUNK ? b->layout.pages - done : SMALL_CHUNK;

		for (uint64_t i = 0; i < n; i++)
			b->p2m[done + i] = done + i;
		got = ctrl_memory_populate(b->ctrl, b->domid, 0, 0, n, b->p2m + done);
		if (got > 0)
			done += (uint64_t)got;
		if (got == -ENOMEM || (got >= 0 && (uint64_t)got < n))
			return out_of_memory(b, done);
	}
	return got < 0 ? (int)got : 0;
}

static int memory_make(struct building *b)
{
	const struct ctrl_memory_region ram = { .size = pages_most(b->config) * PAGE_SIZE, .type = E820_RAM };
	int rc = ctrl_domain_set_max_memory(b->ctrl, b->domid, pages_most(b->config) * KIB_PER_PAGE);

	if (!rc && b->config->claim) {
		rc = ctrl_memory_claim(b->ctrl, b->domid, b->layout.pages);
		if (rc == -ENOMEM)
			return out_of_memory(b, 0);
		if (rc == -ENOSYS || rc == -EOPNOTSUPP)
			rc = 0;
	}
	if (!rc)
		rc = ctrl_domain_set_memory_map(b->ctrl, b->domid, &ram, 1);
	if (rc)
		return rc;
	b->p2m = malloc(b->layout.pages * sizeof(*b->p2m));
	if (!b->p2m)
		return reason_set(ENOMEM, "no memory in dom0 for the domain's list of %llu frames", (unsigned long long)b->layout.pages);
	return populate(b);
}

/* ---- Contents ---- */
static int kernel_write(struct building *b, struct writer *w)
{
	const struct kernel *k = &b->image->kernel;
	uint64_t *frames;
	int rc = 0;

	if (!k->page)
		rc = writer_file_pages(w, k->content, k->content_count, k->fd, k->offset, "the cached kernel");
	for (uint32_t i = 0; !rc && k->page && i < k->content_count; i++)
		rc = writer_page(w, k->content[i], k->page[i]);
	if (rc || !k->zero_count)
		return rc;
	frames = malloc(k->zero_count * sizeof(*frames));
	if (!frames)
		return reason_set(ENOMEM, "out of memory");
	for (uint32_t i = 0; i < k->zero_count; i++)
		frames[i] = b->p2m[k->zero[i]];
	rc = ctrl_memory_clear(b->ctrl, b->domid, k->zero_count, frames);
	free(frames);
	return rc;
}

static void start_info_fill(const struct building *b, struct start_info *si)
{
	const struct layout *l = &b->layout;
	uint64_t base = b->image->kernel.info.virt_base;

	memset(si, 0, sizeof(*si));
	strcpy(si->magic, "xen-3.0-x86_64");
	si->nr_pages = l->pages;
	si->shared_info = b->result->shared_info_frame << PAGE_SHIFT;
	si->store_mfn = b->p2m[l->store];
	si->store_evtchn = b->result->store_port;
	si->console.domU.mfn = b->p2m[l->console];
	si->console.domU.evtchn = b->result->console_port;
	si->pt_base = base + l->tables * PAGE_SIZE;
	si->nr_pt_frames = l->table_count;
	si->mfn_list = l->p2m_address;
	if (l->p2m_outside) {
		si->first_p2m_pfn = l->p2m;
		si->nr_p2m_frames = l->p2m_pages + l->p2m_table_count;
	}
	if (l->ramdisk_pages) {
		si->mod_start = l->ramdisk_mapped ? base + l->ramdisk * PAGE_SIZE : l->ramdisk;
		si->mod_len = b->image->ramdisk_bytes;
		si->flags |= l->ramdisk_mapped ? 0 : SIF_MOD_START_PFN;
	}
	if (b->config->command_line)
		strcpy((char *)si->cmd_line, b->config->command_line);
}

/* Everything but the kernel's own pages that are zero. All mappings are gone afterwards, so that page tables can be validated. */
static int contents_write(struct building *b)
{
	const struct layout *l = &b->layout;
	struct writer *w = writer_new(b->ctrl, b->domid, b->p2m);
	struct start_info *si = calloc(1, PAGE_SIZE);
	int rc = -ENOMEM;

	b->tables = calloc(l->table_count + l->p2m_table_count, sizeof(*b->tables));
	if (!w || !si || !b->tables) {
		reason_set(ENOMEM, "out of memory");
	} else {
		start_info_fill(b, si);
		tables_make(&b->image->kernel.info, l, b->p2m, b->tables);
		rc = kernel_write(b, w);
		if (!rc && l->ramdisk_pages)
			rc = writer_file(w, l->ramdisk, b->image->ramdisk_fd, 0, b->image->ramdisk_bytes, b->image->ramdisk);
		if (!rc)
			rc = writer_memory(w, l->p2m, b->p2m, l->pages * sizeof(*b->p2m));
		if (!rc)
			rc = writer_memory(w, l->start_info, si, PAGE_SIZE);
		if (!rc)
			rc = writer_memory(w, l->store, NULL, 2 * PAGE_SIZE); /* and console */
		if (!rc)
			rc = writer_memory(w, l->tables, b->tables, l->table_count * PAGE_SIZE);
		if (!rc && l->p2m_table_count)
			rc = writer_memory(w, l->p2m_tables, b->tables + l->table_count, l->p2m_table_count * PAGE_SIZE);
		if (!rc)
			rc = writer_flush(w);
	}
	free(si);
	writer_free(w);
	return rc;
}

/* ---- The domain's other parts ---- */
static int ports_make(struct building *b)
{
	int store = ctrl_evtchn_alloc_unbound(b->ctrl, b->domid, b->config->store_domid), console;

	if (store < 0)
		return store;
	console = ctrl_evtchn_alloc_unbound(b->ctrl, b->domid, b->config->console_domid);
	if (console < 0)
		return console;
	b->result->store_port = (uint32_t)store;
	b->result->console_port = (uint32_t)console;
	return 0;
}

static int vcpus_make(struct building *b)
{
	struct ctrl_tsc tsc = { .mode = b->config->tsc_mode };
	struct ctrl_domain_info info;
	int rc = ctrl_domain_set_max_vcpus(b->ctrl, b->domid, b->config->vcpus ? b->config->vcpus : 1);

	if (!rc && b->config->policy)
		rc = ctrl_domain_set_policy(b->ctrl, b->domid, b->config->policy);
	if (!rc && b->config->tsc_mode)
		rc = ctrl_domain_set_tsc(b->ctrl, b->domid, &tsc);
	if (!rc)
		rc = ctrl_domain_info(b->ctrl, b->domid, &info);
	if (!rc && info.hvm)
		rc = reason_set(EINVAL, "domain %u was created as an HVM guest", b->domid);
	if (!rc && info.pages)
		rc = reason_set(EINVAL, "domain %u has memory already", b->domid);
	if (!rc)
		b->result->shared_info_frame = info.shared_info_frame;
	return rc;
}

static int vcpu_start(struct building *b)
{
	const struct layout *l = &b->layout;
	uint64_t base = b->image->kernel.info.virt_base, root = b->p2m[l->tables];
	struct vcpu_guest_context *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return reason_set(ENOMEM, "out of memory");
	c->flags = VGCF_in_kernel | VGCF_online;
	c->user_regs.rip = b->image->kernel.info.entry;
	c->user_regs.rsp = base + (l->stack + 1) * PAGE_SIZE;
	c->user_regs.rsi = base + l->start_info * PAGE_SIZE;
	c->user_regs.rflags = FLAG_IF;
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->user_regs.ds = c->user_regs.es = c->user_regs.fs = c->user_regs.gs = FLAT_KERNEL_DS;
	c->kernel_ss = FLAT_KERNEL_SS;
	c->kernel_sp = c->user_regs.rsp;
	c->ctrlreg[3] = xen_pfn_to_cr3(root);
	rc = ctrl_memory_pin(b->ctrl, b->domid, 4, 1, &root);
	if (!rc)
		rc = ctrl_vcpu_set_context(b->ctrl, b->domid, 0, c);
	free(c);
	b->result->start_info = base + l->start_info * PAGE_SIZE;
	b->result->entry = b->image->kernel.info.entry;
	return rc;
}

static int rings_make(struct building *b)
{
	b->result->store_frame = b->p2m[b->layout.store];
	b->result->console_frame = b->p2m[b->layout.console];
	return ctrl_grant_seed(b->ctrl, b->domid, b->result->console_frame, b->config->console_domid, b->result->store_frame,
			       b->config->store_domid);
}

/* A kernel starts with event upcalls masked, which it finds in the shared page; the rest of it is the hypervisor's to fill in. */
static int upcalls_mask(struct building *b)
{
	uint64_t frame = b->result->shared_info_frame;
	struct shared_info *shared = dev_map(ctrl_dev(b->ctrl), b->domid, PROT_READ | PROT_WRITE, 1, &frame, NULL);

	if (!shared)
		return -(errno ? errno : EIO);
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		shared->vcpu_info[i].evtchn_upcall_mask = 1;
	dev_unmap(ctrl_dev(b->ctrl), shared, 1);
	return 0;
}

static int hypercall_page(struct building *b)
{
	const struct kernel_info *k = &b->image->kernel.info;

	if (!k->has_hypercall_page)
		return 0;
	return ctrl_domain_hypercall_page(b->ctrl, b->domid, b->p2m[(k->hypercall_page - k->virt_base) >> PAGE_SHIFT]);
}

int build_pv(struct ctrl *ctrl, uint32_t domid, const struct build_image *image, const struct build_config *config,
	     struct build_result *out)
{
	static int (*const steps[])(struct building *) = { config_check, vcpus_make, ports_make, memory_make, contents_write,
							   upcalls_mask, hypercall_page, rings_make, vcpu_start };
	struct building b = { .ctrl = ctrl, .domid = domid, .image = image, .config = config, .result = out };
	int rc = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; !rc && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = steps[i](&b);
	out->pages = b.layout.pages;
	free(b.p2m);
	free(b.tables);
	return rc;
}
