/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything but memory: what the domain was made of, and its clocks, shared page and vCPUs once it is stopped. */
#include <errno.h>
#include <stdlib.h>

#include "argon/reason.h"
#include "pv.h"

/* Records without contents are left out. */
static int record_if(struct stream_out *out, uint32_t type, const void *head, size_t head_bytes, const void *tail, size_t tail_bytes)
{
	return tail_bytes ? stream_record(out, type, head, head_bytes, tail, tail_bytes) : 0;
}

static int headers_write(const struct pv_source *s, struct stream_out *out)
{
	struct xc_image_header image = { XC_MARKER, __builtin_bswap32(XC_ID), __builtin_bswap32(XC_VERSION), 0, { 0 } };
	struct xc_domain_header domain = { XC_TYPE_X86_PV, 12, 0, 0, 0 };
	struct ctrl_version *version = calloc(1, sizeof(*version));
	int rc = version ? ctrl_version(s->ctrl, version) : reason_set(ENOMEM, "no memory");

	if (!rc) {
		domain.xen_major = version->major;
		domain.xen_minor = version->minor;
		rc = stream_put(out, &image, sizeof(image));
	}
	free(version);
	return rc ? rc : stream_put(out, &domain, sizeof(domain));
}

static int policy_write(const struct pv_source *s, struct stream_out *out)
{
	struct ctrl_policy policy;
	int rc = ctrl_domain_get_policy(s->ctrl, s->domid, &policy);

	if (rc)
		return rc;
	rc = record_if(out, XC_X86_CPUID_POLICY, NULL, 0, policy.leaves, policy.leaf_count * sizeof(*policy.leaves));
	if (!rc)
		rc = record_if(out, XC_X86_MSR_POLICY, NULL, 0, policy.msrs, policy.msr_count * sizeof(*policy.msrs));
	ctrl_policy_free(&policy);
	return rc;
}

static int p2m_frames_write(const struct pv_source *s, struct stream_out *out)
{
	struct xc_p2m_frames head = { 0, (uint32_t)(s->pages - 1) };
	uint64_t *pfns = calloc(s->p2m_frames, sizeof(*pfns));
	int rc = pfns ? 0 : reason_set(ENOMEM, "no memory for the list of the guest's frames");

	for (size_t i = 0; !rc && i < s->p2m_frames; i++) {
		pfns[i] = pv_source_pfn(s, s->p2m_frame[i]);
		if (pfns[i] == INVALID_FRAME)
			rc = reason_set(EPROTO, "the guest's list of frames is not in its own memory");
	}
	if (!rc)
		rc = stream_record(out, XC_X86_PV_P2M_FRAMES, &head, sizeof(head), pfns, s->p2m_frames * sizeof(*pfns));
	free(pfns);
	return rc;
}

int save_static(const struct pv_source *s, struct stream_out *out)
{
	struct xc_pv_info info = { 8, 4, { 0 } };
	int rc = headers_write(s, out);

	if (!rc)
		rc = stream_record(out, XC_X86_PV_INFO, &info, sizeof(info), NULL, 0);
	if (!rc)
		rc = policy_write(s, out);
	if (!rc)
		rc = stream_record(out, XC_STATIC_DATA_END, NULL, 0, NULL, 0);
	return rc ? rc : p2m_frames_write(s, out);
}

/* ---- vCPUs ---- */

static int frame_to_pfn(const struct pv_source *s, unsigned long *frame, const char *what, uint32_t vcpu)
{
	uint64_t pfn = pv_source_pfn(s, *frame);

	if (pfn == INVALID_FRAME)
		return reason_set(EPROTO, "%s of vCPU %u is not in the guest's memory", what, vcpu);
	*frame = pfn;
	return 0;
}

static int root_to_pfn(const struct pv_source *s, unsigned long *cr3, const char *what, uint32_t vcpu)
{
	unsigned long frame = *cr3 >> 12, low = *cr3 & 4095;
	int rc = frame_to_pfn(s, &frame, what, vcpu);

	*cr3 = frame << 12 | low;
	return rc;
}

/* Machine frames become pfns: page tables, GDT, and the start info page, which a kernel that suspends has in rdx. */
static int context_to_pfns(const struct pv_source *s, uint32_t vcpu, struct vcpu_guest_context *c)
{
	int rc = root_to_pfn(s, &c->ctrlreg[3], "the page table", vcpu);

	if (!rc && c->ctrlreg[1])
		rc = root_to_pfn(s, &c->ctrlreg[1], "the user page table", vcpu);
	for (unsigned long i = 0; !rc && i < 16 && i * 512 < c->gdt_ents; i++)
		rc = frame_to_pfn(s, &c->gdt_frames[i], "the GDT", vcpu);
	if (!rc && vcpu == 0)
		rc = frame_to_pfn(s, &c->user_regs.rdx, "the start info page", vcpu);
	return rc;
}

static int basic_write(const struct pv_source *s, struct stream_out *out, uint32_t vcpu)
{
	struct xc_vcpu head = { vcpu, 0 };
	struct vcpu_guest_context *c = malloc(sizeof(*c));
	int rc = c ? ctrl_vcpu_get_context(s->ctrl, s->domid, vcpu, c) : reason_set(ENOMEM, "no memory");

	if (!rc)
		rc = context_to_pfns(s, vcpu, c);
	if (!rc)
		rc = stream_record(out, XC_X86_PV_VCPU_BASIC, &head, sizeof(head), c, sizeof(*c));
	free(c);
	return rc;
}

static int vcpu_write(const struct pv_source *s, struct stream_out *out, uint32_t vcpu)
{
	struct xc_vcpu head = { vcpu, 0 };
	struct xen_domctl_ext_vcpucontext extended;
	struct xen_domctl_vcpu_msr *msrs = NULL;
	void *xstate = NULL;
	size_t bytes = 0;
	uint32_t count = 0;
	int rc = basic_write(s, out, vcpu);

	if (!rc)
		rc = ctrl_vcpu_get_ext_context(s->ctrl, s->domid, vcpu, &extended);
	if (!rc)
		rc = stream_record(out, XC_X86_PV_VCPU_EXTENDED, &head, sizeof(head), &extended, sizeof(extended));
	if (!rc)
		rc = ctrl_vcpu_get_xstate(s->ctrl, s->domid, vcpu, &xstate, &bytes);
	if (!rc)
		rc = record_if(out, XC_X86_PV_VCPU_XSAVE, &head, sizeof(head), xstate, bytes);
	if (!rc)
		rc = ctrl_vcpu_get_msrs(s->ctrl, s->domid, vcpu, &msrs, &count);
	if (!rc)
		rc = record_if(out, XC_X86_PV_VCPU_MSRS, &head, sizeof(head), msrs, count * sizeof(*msrs));
	free(msrs);
	free(xstate);
	return rc;
}

int save_state(const struct pv_source *s, struct stream_out *out)
{
	struct xc_tsc_info tsc = { .mode = 0 };
	struct ctrl_tsc now;
	int rc = ctrl_domain_get_tsc(s->ctrl, s->domid, &now);

	if (!rc) {
		tsc = (struct xc_tsc_info){ now.mode, now.khz, now.elapsed, now.incarnation, 0 };
		rc = stream_record(out, XC_X86_TSC_INFO, &tsc, sizeof(tsc), NULL, 0);
	}
	if (!rc)
		rc = stream_record(out, XC_SHARED_INFO, NULL, 0, s->shared, PAGE_BYTES);
	for (uint32_t i = 0; !rc && i <= s->info.max_vcpu_id; i++) {
		struct ctrl_vcpu_info vcpu;

		rc = ctrl_vcpu_info(s->ctrl, s->domid, i, &vcpu);
		if (!rc && vcpu.online)
			rc = vcpu_write(s, out, i);
	}
	return rc;
}
