/* SPDX-License-Identifier: BSD-2-Clause */
/* Restoring a domain: takes the stream apart, record by record. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "argon/migrate.h"
#include "argon/reason.h"
#include "pv.h"

struct restorer {
	struct pv_target target;
	struct stream_in in;
	struct record record;
};

/* ---- libxc stream ---- */

static int headers_read(struct restorer *rs)
{
	struct xc_image_header image;
	struct xc_domain_header domain;
	int rc = stream_get(&rs->in, &image, sizeof(image));

	if (!rc)
		rc = stream_get(&rs->in, &domain, sizeof(domain));
	if (rc)
		return rc;
	if (image.marker != XC_MARKER || image.id != __builtin_bswap32(XC_ID))
		return reason_set(EBADMSG, "this is not the image of a domain");
	if (image.version != __builtin_bswap32(XC_VERSION) && image.version != __builtin_bswap32(2))
		return reason_set(EOPNOTSUPP, "the image has version %u of the format; 2 and 3 are known",
				  __builtin_bswap32(image.version));
	if (__builtin_bswap16(image.options) & XC_OPTION_BIG_ENDIAN)
		return reason_set(EOPNOTSUPP, "the image was written by a big-endian machine");
	if (domain.type != XC_TYPE_X86_PV || domain.page_shift != 12)
		return reason_set(EOPNOTSUPP, "the image is of a guest of type %u; only PV guests (1) can be restored", domain.type);
	return 0;
}

/* The CPUs that the guest knows must be there before it has memory that depends on them. */
static int policy_set(struct restorer *rs)
{
	struct pv_target *t = &rs->target;
	int rc;

	if (!t->policy.leaf_count && !t->policy.msr_count)
		return 0;
	rc = ctrl_domain_set_policy(t->ctrl, t->options->domid, &t->policy);
	return rc ? reason_prefix(rc, "this machine's CPUs lack something that the guest's had: ") : 0;
}

static int record_apply(struct restorer *rs)
{
	struct record *r = &rs->record;
	int rc;

	switch (r->header.type) {
	case XC_PAGE_DATA:
		return restore_pages(&rs->target, &rs->in, r);
	case XC_X86_PV_P2M_FRAMES:
		rc = policy_set(rs);
		return rc ? rc : restore_p2m_frames(&rs->target, &rs->in, r);
	default:
		rc = record_get_body(&rs->in, r, r->header.bytes);
		if (!rc)
			rc = record_get_padding(&rs->in, r);
		return rc ? rc : restore_state_record(&rs->target, r);
	}
}

static int report(const struct restorer *rs)
{
	const struct migrate_restore *o = rs->target.options;
	struct migrate_progress p = { .stage = MIGRATE_PRECOPY, .pages_total = rs->target.pages,
				      .pages_sent = rs->target.populated, .bytes = rs->in.bytes };

	return o->progress ? o->progress(o->context, &p) : 0;
}

static int image_read(struct restorer *rs)
{
	int rc = headers_read(rs);

	while (!rc) {
		rc = record_get_header(&rs->in, &rs->record);
		if (!rc && rs->record.header.type == XC_END)
			return rs->record.header.bytes ? reason_set(EBADMSG, "the stream's last record is not empty") : 0;
		if (!rc)
			rc = record_apply(rs);
		if (!rc)
			rc = report(rs);
	}
	return rc;
}

/* ---- libxl stream ---- */

static int stream_header_read(struct restorer *rs)
{
	struct xl_stream_header h;
	int rc = stream_get(&rs->in, &h, sizeof(h));
	uint32_t options;

	if (rc)
		return rc;
	if (h.ident != __builtin_bswap64(XL_IDENT))
		return reason_set(EBADMSG, "this is not a stream of a domain");
	if (h.version != __builtin_bswap32(XL_VERSION))
		return reason_set(EOPNOTSUPP, "the stream has version %u; %u is known", __builtin_bswap32(h.version), XL_VERSION);
	options = __builtin_bswap32(h.options);
	if (options & XL_OPTION_BIG_ENDIAN || options & XL_OPTION_LEGACY)
		return reason_set(EOPNOTSUPP, "the stream was written by a big-endian machine, or converted from a very old one");
	return 0;
}

static int stream_read(struct restorer *rs)
{
	struct record *r = &rs->record;
	bool seen = false;
	int rc = stream_header_read(rs);

	while (!rc) {
		rc = record_get_header(&rs->in, r);
		if (rc)
			break;
		if (r->header.type == XL_END)
			return seen ? 0 : reason_set(EBADMSG, "the stream has no domain in it");
		if (r->header.type == XL_LIBXC_CONTEXT) {
			if (r->header.bytes || seen)
				return reason_set(EBADMSG, "the stream has two domains in it, or is damaged");
			seen = true;
			rc = image_read(rs);
			continue;
		}
		/* What emulators say does not concern PV guests, and optional records may be skipped. */
		if (!(r->header.type & RECORD_OPTIONAL) && r->header.type != XL_EMULATOR_STORE)
			return reason_set(EOPNOTSUPP, "the stream has a record of type 0x%x, which is not for PV guests",
					  r->header.type);
		rc = record_get_body(&rs->in, r, r->header.bytes);
		if (!rc)
			rc = record_get_padding(&rs->in, r);
	}
	return rc;
}

int migrate_restore(struct ctrl *ctrl, const struct migrate_restore *restore, struct migrate_restored *out)
{
	struct restorer *rs = calloc(1, sizeof(*rs));
	int rc;

	*out = (struct migrate_restored){ .pages = 0 };
	if (!rs)
		return reason_set(ENOMEM, "no memory");
	stream_in_init(&rs->in, restore->fd);
	rc = pv_target_open(ctrl, restore, &rs->target);
	if (!rc)
		rc = stream_read(rs);
	if (!rc)
		rc = restore_tables(&rs->target);
	if (!rc)
		rc = restore_state(&rs->target, out);
	record_free(&rs->record);
	pv_target_close(&rs->target);
	free(rs);
	return rc;
}
