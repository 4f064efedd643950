/* SPDX-License-Identifier: BSD-2-Clause */
#include <xen/event_channel.h>
#include <xen/physdev.h>
#include "fuzz.h"

#define EVENT(f, cmd, op) call_op((f), __HYPERVISOR_event_channel_op, (cmd), (op), sizeof(*(op)))
#define PHYSDEV(f, cmd, op) call_op((f), __HYPERVISOR_physdev_op, (cmd), (op), sizeof(*(op)))

static void bind(struct fuzz *f)
{
	struct evtchn_alloc_unbound unbound = { .dom = some_domid(f), .remote_dom = some_domid(f) };
	struct evtchn_bind_interdomain inter = { .remote_dom = some_domid(f), .remote_port = some_port(f) };
	struct evtchn_bind_virq virq = { .virq = f8(f) % 26, .vcpu = some_vcpu(f) };
	struct evtchn_bind_ipi ipi = { .vcpu = some_vcpu(f) };
	struct evtchn_bind_pirq pirq = { .pirq = f8(f) % 32, .flags = f8(f) & 3 };

	switch (f8(f) % 8) {
	case 0: case 1: (void)EVENT(f, EVTCHNOP_alloc_unbound, &unbound); break;
	case 2: case 3: (void)EVENT(f, EVTCHNOP_bind_interdomain, &inter); break;
	case 4: (void)EVENT(f, EVTCHNOP_bind_virq, &virq); break;
	case 5: (void)EVENT(f, EVTCHNOP_bind_ipi, &ipi); break;
	default: (void)EVENT(f, EVTCHNOP_bind_pirq, &pirq); break;
	}
}

static void use(struct fuzz *f)
{
	struct evtchn_send send = { some_port(f) };
	struct evtchn_close close = { some_port(f) };
	struct evtchn_unmask unmask = { some_port(f) };
	struct evtchn_bind_vcpu vcpu = { some_port(f), some_vcpu(f) };
	struct evtchn_status status = { .dom = some_domid(f), .port = some_port(f) };
	struct evtchn_set_priority priority = { some_port(f), f8(f) & 31 };
	struct evtchn_reset reset = { some_domid(f) };

	switch (f8(f) % 16) {
	case 0: case 1: case 2: case 3: case 4: (void)EVENT(f, EVTCHNOP_send, &send); break;
	case 5: case 6: (void)EVENT(f, EVTCHNOP_close, &close); break;
	case 7: case 8: (void)EVENT(f, EVTCHNOP_unmask, &unmask); break;
	case 9: case 10: (void)EVENT(f, EVTCHNOP_bind_vcpu, &vcpu); break;
	case 11: (void)EVENT(f, EVTCHNOP_status, &status); break;
	case 12: case 13: (void)EVENT(f, EVTCHNOP_set_priority, &priority); break;
	case 14:
		if (one_in(f, 4))
			(void)EVENT(f, EVTCHNOP_reset, &reset);
		break;
	default: (void)call(f, __HYPERVISOR_event_channel_op_compat, some_address(f), 0, 0, 0, 0); break;
	}
}

static void fifo(struct fuzz *f)
{
	struct evtchn_init_control control = { .control_gfn = some_frame(f, f->d), .offset = (f8(f) & 7) * 512u, .vcpu = some_vcpu(f) };
	struct evtchn_expand_array array = { some_frame(f, f->d) };

	if (one_in(f, 8))
		control.offset = (u32)some_number(f);
	if (f8(f) & 1)
		(void)EVENT(f, EVTCHNOP_init_control, &control);
	else
		(void)EVENT(f, EVTCHNOP_expand_array, &array);
}

/* What the guest writes to memory that it shares: masks, selectors, event words, queue heads. */
static void scribble(struct fuzz *f)
{
	struct shared_info *s = f->v->domain->shared;
	u64 word = f64(f);

	switch (f8(f) & 7) {
	case 0: s->evtchn_mask[f8(f) & 1] = word; break;
	case 1: s->evtchn_pending[f8(f) & 1] = word; break;
	case 2: f->v->info->evtchn_upcall_mask = f8(f) & 1; break;
	case 3: f->v->info->evtchn_upcall_pending = f8(f) & 1; break;
	case 4: f->v->info->evtchn_pending_sel = word; break;
	default: (void)sim_store(f->v, sim_va(f8(f) % FUZZ_PAGES) + (f8(f) & 15) * 8u, word); break;
	}
}

static void pirq(struct fuzz *f)
{
	struct physdev_map_pirq map = { .domid = some_domid(f), .type = f8(f) % 5, .index = f8(f) % 30, .pirq = (int)(f8(f) % 40) - 4 };
	struct physdev_unmap_pirq unmap = { .domid = some_domid(f), .pirq = f8(f) % 32 };
	struct physdev_eoi eoi = { f8(f) % 32 };
	struct physdev_irq_status_query status = { .irq = f8(f) % 32 };
	struct physdev_pirq_eoi_gmfn map_page = { some_frame(f, f->d) };
	struct physdev_setup_gsi setup = { .gsi = f8(f) % 30, .triggering = f8(f) & 3, .polarity = f8(f) & 3 };
	struct physdev_get_free_pirq free_pirq = { .type = f8(f) % 4 };

	switch (f8(f) % 8) {
	case 0: case 1: (void)PHYSDEV(f, PHYSDEVOP_map_pirq, &map); break;
	case 2: (void)PHYSDEV(f, PHYSDEVOP_unmap_pirq, &unmap); break;
	case 3: (void)PHYSDEV(f, PHYSDEVOP_eoi, &eoi); break;
	case 4: (void)PHYSDEV(f, PHYSDEVOP_irq_status_query, &status); break;
	case 5: (void)PHYSDEV(f, f8(f) & 1 ? PHYSDEVOP_pirq_eoi_gmfn_v1 : PHYSDEVOP_pirq_eoi_gmfn_v2, &map_page); break;
	case 6: (void)PHYSDEV(f, PHYSDEVOP_setup_gsi, &setup); break;
	default: (void)PHYSDEV(f, PHYSDEVOP_get_free_pirq, &free_pirq); break;
	}
}

void fuzz_event(struct fuzz *f)
{
	static fuzz_step *const what[8] = { bind, bind, use, use, use, fifo, scribble, pirq };

	what[f8(f) & 7](f);
}
