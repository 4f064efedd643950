/* SPDX-License-Identifier: BSD-2-Clause */
/* A restored domain's page tables, P2M, shared pages, clocks and vCPUs: what is done once all of the stream is there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "argon/reason.h"
#include "pv.h"

/* ---- Records ---- */

static int copy_keep(void **to, size_t *bytes, const uint8_t *from, size_t n)
{
	free(*to);
	*to = malloc(n ? n : 1);
	*bytes = n;
	if (!*to)
		return reason_set(ENOMEM, "no memory for the guest's state");
	memcpy(*to, from, n);
	return 0;
}

static int vcpu_keep(struct pv_target *t, const struct record *r, unsigned int part)
{
	struct xc_vcpu head;

	if (r->header.bytes < sizeof(head))
		return reason_set(EBADMSG, "the stream has a vCPU's record of %u bytes", r->header.bytes);
	memcpy(&head, r->body, sizeof(head));
	if (head.vcpu > t->info.max_vcpu_id)
		return reason_set(EBADMSG, "the stream has a vCPU %u, but the configuration says that there are %u", head.vcpu,
				  t->info.max_vcpu_id + 1);
	/* Old senders wrote empty records, which say nothing. */
	if (r->header.bytes == sizeof(head))
		return 0;
	return copy_keep(&t->vcpus[head.vcpu].part[part], &t->vcpus[head.vcpu].bytes[part], r->body + sizeof(head),
			 r->header.bytes - sizeof(head));
}

static int info_check(struct pv_target *t, const struct record *r)
{
	const struct xc_pv_info *info = (const struct xc_pv_info *)r->body;

	if (r->header.bytes < sizeof(*info))
		return reason_set(EBADMSG, "the stream has a PV_INFO record of %u bytes", r->header.bytes);
	if (info->guest_width != 8 || info->pt_levels != 4)
		return reason_set(EOPNOTSUPP, "the stream's guest has %u-bit words and %u levels of page tables; only 64-bit PV guests "
				  "can be restored", info->guest_width * 8, info->pt_levels);
	t->have_info = true;
	return 0;
}

static int policy_keep(struct pv_target *t, const struct record *r)
{
	bool msrs = r->header.type == XC_X86_MSR_POLICY;
	size_t each = msrs ? sizeof(*t->policy.msrs) : sizeof(*t->policy.leaves), bytes;
	void *list = NULL;
	int rc;

	if (r->header.bytes % each || r->header.bytes / each > 4096)
		return reason_set(EBADMSG, "the stream has a CPU policy of %u bytes", r->header.bytes);
	rc = copy_keep(&list, &bytes, r->body, r->header.bytes);
	if (rc)
		return rc;
	if (msrs) {
		free(t->policy.msrs);
		t->policy.msrs = list;
		t->policy.msr_count = (uint32_t)(bytes / each);
	} else {
		free(t->policy.leaves);
		t->policy.leaves = list;
		t->policy.leaf_count = (uint32_t)(bytes / each);
	}
	return 0;
}

static int exact(const struct record *r, size_t bytes, const char *what)
{
	return r->header.bytes == bytes ? 0 : reason_set(EBADMSG, "the stream has a record for %s of %u bytes", what,
							   r->header.bytes);
}

int restore_state_record(struct pv_target *t, const struct record *r)
{
	size_t bytes;
	int rc;

	switch (r->header.type) {
	case XC_X86_PV_INFO:
		return info_check(t, r);
	case XC_X86_CPUID_POLICY:
	case XC_X86_MSR_POLICY:
		return policy_keep(t, r);
	case XC_X86_TSC_INFO:
		rc = exact(r, sizeof(t->tsc), "the TSC");
		if (!rc)
			memcpy(&t->tsc, r->body, sizeof(t->tsc));
		t->have_tsc = !rc;
		return rc;
	case XC_SHARED_INFO:
		rc = exact(r, PAGE_BYTES, "the shared info page");
		return rc ? rc : copy_keep((void **)&t->shared, &bytes, r->body, PAGE_BYTES);
	case XC_X86_PV_VCPU_BASIC:
		return vcpu_keep(t, r, 0);
	case XC_X86_PV_VCPU_EXTENDED:
		return vcpu_keep(t, r, 1);
	case XC_X86_PV_VCPU_XSAVE:
		return vcpu_keep(t, r, 2);
	case XC_X86_PV_VCPU_MSRS:
		return vcpu_keep(t, r, 3);
	case XC_STATIC_DATA_END:
		return 0;
	case XC_VERIFY:
		t->verifying = true;
		return 0;
	default:
		if (r->header.type & RECORD_OPTIONAL)
			return 0;
		return reason_set(EOPNOTSUPP, "the stream has a record of type 0x%x, which is not for PV guests or not known to this "
				  "version", r->header.type);
	}
}

/* ---- Page tables and P2M ---- */

static int tables_rename(struct pv_target *t, const uint64_t *pfns, uint32_t count)
{
	uint64_t frames[BATCH_PAGES], copy[PAGE_ENTRIES];
	uint8_t *map;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++)
		frames[i] = t->frames[pfns[i]];
	map = dev_map(t->dev, t->options->domid, PROT_READ | PROT_WRITE, count, frames, NULL);
	if (!map)
		return reason_prefix(-errno, "mapping the new guest's page tables: ");
	for (uint32_t i = 0; !rc && i < count; i++) {
		uint64_t *table = (uint64_t *)(map + (size_t)i * PAGE_BYTES);

		if (table_rename(type_level(t->types[pfns[i]]), copy, table, pv_target_frame, t))
			rc = reason_set(EBADMSG, "page table %llu of the stream maps a page that was not sent",
					(unsigned long long)pfns[i]);
		else
			memcpy(table, copy, PAGE_BYTES);
	}
	dev_unmap(t->dev, map, count);
	return rc;
}

static int tables_pin(struct pv_target *t)
{
	uint64_t frames[BATCH_PAGES];
	int rc = 0;

	for (unsigned int level = 1; level <= 4; level++) {
		uint32_t count = 0;

		for (uint64_t pfn = 0; !rc && pfn < t->pages; pfn++) {
			if (t->types[pfn] == (TYPE_PINNED | level) && t->frames[pfn] != INVALID_FRAME)
				frames[count++] = t->frames[pfn];
			if (count && (count == BATCH_PAGES || pfn + 1 == t->pages)) {
				rc = ctrl_memory_pin(t->ctrl, t->options->domid, level, count, frames);
				count = 0;
			}
		}
	}
	return rc < 0 ? reason_prefix(rc, "the stream's page tables are not valid: ") : 0;
}

static int p2m_write(struct pv_target *t)
{
	for (size_t i = 0; i < t->p2m_frames; i++) {
		uint64_t frame = pv_target_frame(t, t->p2m_pfn[i]), *page;

		if (frame == INVALID_FRAME || type_level(t->types[t->p2m_pfn[i]]))
			return reason_set(EBADMSG, "the stream does not have page %llu, which holds the guest's P2M",
					  (unsigned long long)t->p2m_pfn[i]);
		page = dev_map(t->dev, t->options->domid, PROT_READ | PROT_WRITE, 1, &frame, NULL);
		if (!page)
			return reason_prefix(-errno, "mapping the new guest's P2M: ");
		for (size_t n = 0; n < PAGE_ENTRIES; n++)
			page[n] = pv_target_frame(t, i * PAGE_ENTRIES + n);
		dev_unmap(t->dev, page, 1);
	}
	return 0;
}

int restore_tables(struct pv_target *t)
{
	uint64_t pfns[BATCH_PAGES];
	uint32_t count = 0;
	int rc = t->pages ? 0 : reason_set(EBADMSG, "the stream has no memory in it");

	for (uint64_t pfn = 0; !rc && pfn < t->pages; pfn++) {
		if (type_level(t->types[pfn]) && t->frames[pfn] != INVALID_FRAME)
			pfns[count++] = pfn;
		if (count && (count == BATCH_PAGES || pfn + 1 == t->pages)) {
			rc = tables_rename(t, pfns, count);
			count = 0;
		}
	}
	if (!rc)
		rc = p2m_write(t);
	return rc ? rc : tables_pin(t);
}

/* ---- Shared info and start info ---- */

static int shared_write(struct pv_target *t)
{
	uint64_t frame = t->info.shared_info_frame;
	struct shared_info *to;

	if (!t->shared)
		return reason_set(EBADMSG, "the stream has no shared info page");
	to = dev_map(t->dev, t->options->domid, PROT_READ | PROT_WRITE, 1, &frame, NULL);
	if (!to)
		return reason_prefix(-errno, "mapping the shared info page: ");
	/* Event channels begin anew, all masked; the list of frames is somewhere else now; clocks are the hypervisor's. */
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
		struct vcpu_info *v = &to->vcpu_info[i];

		v->evtchn_upcall_pending = 0;
		v->evtchn_upcall_mask = t->shared->vcpu_info[i].evtchn_upcall_mask;
		v->evtchn_pending_sel = 0;
		v->arch = t->shared->vcpu_info[i].arch;
	}
	memset(to->evtchn_pending, 0, sizeof(to->evtchn_pending));
	memset(to->evtchn_mask, 0xff, sizeof(to->evtchn_mask));
	to->arch.max_pfn = t->pages;
	to->arch.pfn_to_mfn_frame_list_list = 0;
	to->arch.nmi_reason = t->shared->arch.nmi_reason;
	to->arch.p2m_cr3 = 0;
	dev_unmap(t->dev, to, 1);
	return 0;
}

static int ring_find(const struct pv_target *t, uint64_t pfn, const char *what, uint64_t *frame)
{
	*frame = pv_target_frame(t, pfn);
	return *frame != INVALID_FRAME ? 0 : reason_set(EBADMSG, "the stream does not have the page of the guest's %s ring", what);
}

/* The kernel reads its start info anew when it goes on. It named the rings by pfn before it suspended. */
static int start_info_write(struct pv_target *t, uint64_t frame, struct migrate_restored *out)
{
	struct start_info *si = dev_map(t->dev, t->options->domid, PROT_READ | PROT_WRITE, 1, &frame, NULL);
	int rc;

	if (!si)
		return reason_prefix(-errno, "mapping the start info page: ");
	rc = ring_find(t, si->store_mfn, "store", &out->store_frame);
	if (!rc)
		rc = ring_find(t, si->console.domU.mfn, "console", &out->console_frame);
	if (!rc) {
		si->nr_pages = t->pages;
		si->shared_info = t->info.shared_info_frame * PAGE_BYTES;
		si->flags = 0;
		si->store_mfn = out->store_frame;
		si->store_evtchn = t->options->store_port;
		si->console.domU.mfn = out->console_frame;
		si->console.domU.evtchn = t->options->console_port;
	}
	dev_unmap(t->dev, si, 1);
	return rc;
}

/* ---- vCPUs ---- */

static int pfn_to_frame(const struct pv_target *t, unsigned long *pfn, const char *what, uint32_t vcpu)
{
	uint64_t frame = pv_target_frame(t, *pfn);

	if (frame == INVALID_FRAME)
		return reason_set(EBADMSG, "%s of vCPU %u is not in the stream", what, vcpu);
	*pfn = frame;
	return 0;
}

static int root_to_frame(const struct pv_target *t, unsigned long *cr3, const char *what, uint32_t vcpu)
{
	unsigned long pfn = *cr3 >> 12, low = *cr3 & 4095;
	int rc = pfn_to_frame(t, &pfn, what, vcpu);

	*cr3 = pfn << 12 | low;
	return rc;
}

static int context_set(struct pv_target *t, uint32_t vcpu, struct migrate_restored *out)
{
	struct vcpu_guest_context *c = t->vcpus[vcpu].part[0];
	int rc;

	if (t->vcpus[vcpu].bytes[0] != sizeof(*c))
		return reason_set(EBADMSG, "the stream has a context of vCPU %u of %zu bytes", vcpu, t->vcpus[vcpu].bytes[0]);
	if (c->gdt_ents > 512 * 16)
		return reason_set(EBADMSG, "the stream's vCPU %u has a GDT of %lu entries", vcpu, c->gdt_ents);
	rc = root_to_frame(t, &c->ctrlreg[3], "the page table", vcpu);
	if (!rc && c->ctrlreg[1])
		rc = root_to_frame(t, &c->ctrlreg[1], "the user page table", vcpu);
	for (unsigned long i = 0; !rc && i < 16 && i * 512 < c->gdt_ents; i++)
		rc = pfn_to_frame(t, &c->gdt_frames[i], "the GDT", vcpu);
	if (!rc && vcpu == 0)
		rc = pfn_to_frame(t, &c->user_regs.rdx, "the start info page", vcpu);
	if (!rc && vcpu == 0)
		rc = start_info_write(t, c->user_regs.rdx, out);
	return rc ? rc : ctrl_vcpu_set_context(t->ctrl, t->options->domid, vcpu, c);
}

static int vcpu_restore(struct pv_target *t, uint32_t vcpu, struct migrate_restored *out)
{
	const struct pv_vcpu_state *s = &t->vcpus[vcpu];
	uint32_t domid = t->options->domid;
	int rc = context_set(t, vcpu, out);

	if (!rc && s->part[1]) {
		struct xen_domctl_ext_vcpucontext extended = { .vcpu = vcpu };

		if (s->bytes[1] > sizeof(extended))
			return reason_set(EBADMSG, "the stream's vCPU %u has an extended context of %zu bytes", vcpu, s->bytes[1]);
		memcpy(&extended, s->part[1], s->bytes[1]);
		rc = ctrl_vcpu_set_ext_context(t->ctrl, domid, vcpu, &extended);
	}
	if (!rc && s->part[2])
		rc = ctrl_vcpu_set_xstate(t->ctrl, domid, vcpu, s->part[2], s->bytes[2]);
	if (!rc && s->part[3] && s->bytes[3] % sizeof(struct xen_domctl_vcpu_msr))
		rc = reason_set(EBADMSG, "the stream's vCPU %u has %zu bytes of MSRs", vcpu, s->bytes[3]);
	if (!rc && s->part[3])
		rc = ctrl_vcpu_set_msrs(t->ctrl, domid, vcpu, s->part[3],
					(uint32_t)(s->bytes[3] / sizeof(struct xen_domctl_vcpu_msr)));
	return rc;
}

static int clocks_restore(struct pv_target *t)
{
	struct ctrl_tsc tsc = { t->tsc.mode, t->tsc.khz, t->tsc.incarnation, t->tsc.nsec };

	return t->have_tsc ? ctrl_domain_set_tsc(t->ctrl, t->options->domid, &tsc) : 0;
}

int restore_state(struct pv_target *t, struct migrate_restored *out)
{
	int rc = shared_write(t);

	if (!rc && !t->vcpus[0].part[0])
		rc = reason_set(EBADMSG, "the stream ends without the state of vCPU 0");
	if (!rc)
		rc = clocks_restore(t);
	for (uint32_t i = 0; !rc && i <= t->info.max_vcpu_id; i++)
		if (t->vcpus[i].part[0])
			rc = vcpu_restore(t, i, out);
	if (!rc)
		rc = ctrl_grant_seed(t->ctrl, t->options->domid, out->console_frame, t->options->console_domid, out->store_frame,
				     t->options->store_domid);
	out->pages = t->populated;
	return rc;
}
