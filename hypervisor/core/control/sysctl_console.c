/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl: console ring, debug keys, counters, lists of domains, page offlining. */
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/format.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/perf.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include "control.h"

#define COPY_PIECE 512u
/* One call copies no more, whatever the ring holds: readers ask again until they get nothing. */
#define READ_MAX 65536u
#define KEYS_MAX 32u
#define LIST_MAX 1024u
#define OFFLINE_MAX 1024u

long sysctl_read_console(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	u32 index = r->incremental ? r->index : console_ring_start();
	u32 done = 0, count = MIN(r->count, READ_MAX);
	char piece[COPY_PIECE];

	while (done < count) {
		size_t n = console_ring_read(&index, piece, MIN(count - done, COPY_PIECE));

		if (!n)
			break;
		if (guest_copy_out(v, HANDLE(r->buffer) + done, piece, n))
			return -EFAULT;
		done += (u32)n;
	}
	if (r->clear)
		console_ring_clear(index);
	r->count = done;
	r->index = index;
	*out = true;
	return 0;
}

long sysctl_debug_keys(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	char keys[KEYS_MAX];
	u32 n = MIN(op->u.debug_keys.nr_keys, KEYS_MAX);

	(void)out;
	if (guest_copy_in(v, keys, HANDLE(op->u.debug_keys.keys), n))
		return -EFAULT;
	for (u32 i = 0; i < n; i++)
		(void)debug_key_run(keys[i]);
	return 0;
}

static long counters_copy(struct vcpu *v, const struct xen_sysctl_perfc_op *p)
{
	for (u32 nr = 0; nr < perf_list_length(); nr++) {
		xen_sysctl_perfc_desc_t desc = { .nr_vals = 1 };
		xen_sysctl_perfc_val_t val = (u32)perf_list_value(nr);

		memcpy(desc.name, perf_list_name(nr), MIN(strlen(perf_list_name(nr)), sizeof(desc.name) - 1));
		if (guest_array_out(v, HANDLE(p->desc), nr, &desc) || guest_array_out(v, HANDLE(p->val), nr, &val))
			return -EFAULT;
	}
	return 0;
}

long sysctl_perf_counters(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_perfc_op *p = &op->u.perfc_op;
	long rc = 0;

	if (p->cmd == XEN_SYSCTL_PERFCOP_reset)
		perf_list_reset();
	else if (p->cmd != XEN_SYSCTL_PERFCOP_query)
		return -EINVAL;
	p->nr_counters = p->nr_vals = perf_list_length();
	if (HANDLE(p->desc) && HANDLE(p->val))
		rc = counters_copy(v, p);
	*out = true;
	return rc;
}

long sysctl_domain_list(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	u32 room = MIN(l->max_domains, LIST_MAX), n = 0;
	struct xen_domctl_getdomaininfo info;
	domid_t next = l->first_domain;
	struct domain *d;

	while (n < room && (d = domain_next(next)) != NULL) {
		next = (domid_t)(d->id + 1);
		domain_info_fill(d, &info);
		domain_put(d);
		if (guest_array_out(v, HANDLE(l->buffer), n, &info))
			return -EFAULT;
		n++;
	}
	l->num_domains = n;
	*out = true;
	return 0;
}

long sysctl_offline(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_page_offline_op *p = &op->u.page_offline;
	u32 status;
	int rc = 0;

	(void)out;
	if (p->end < p->start || p->end - p->start >= OFFLINE_MAX)
		return -EINVAL;
	/* Counted in 64 bits: the last frame may be the greatest number of 32. */
	for (u64 n = p->start; !rc && n <= p->end; n++) {
		if (p->cmd == sysctl_page_offline)
			rc = heap_frame_offline(mfn(n), false, &status);
		else if (p->cmd == sysctl_page_online)
			rc = heap_frame_online(mfn(n), &status);
		else if (p->cmd == sysctl_query_page_offline)
			status = heap_frame_offline_status(mfn(n));
		else
			return -EINVAL;
		if (guest_array_out(v, HANDLE(p->status), n - p->start, &status))
			return -EFAULT;
	}
	return rc;
}
