/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: page tables of PV guests. The input is a program of operations of a privileged domain and two others on two CPUs:
 * hypercalls, stores, faults, grants, memory given back and taken, preemption, hypercalls that are given up half way, and
 * teardown. Everything is checked (sim_check) at the end of an input, and after each operation with FUZZ_CHECK=1 in the environment and in
 * tests/host/mmu, which runs this over random input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/grant.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/regs.h>
#include <hv/string.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include "../host/sim/sim.h"
#include "../../hypervisor/arch/x86/pv/mmu_mirror.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The fuzzer checks at the end of an input only: that is ten times as many of them. */
static bool fuzzing;
static u64 calls;

#define DOMAINS 3u
#define PAGES 40u
#define CPUS 2u
#define HOLDS 8u
#define SCRATCH_PAGES 3u
#define STEPS_MAX 200u
#define RESTARTS_MAX 20000u

struct input {
	const u8 *p, *end;
};

/* What the grant layer or a descriptor table would hold. */
struct hold {
	struct frame *f;
	enum frame_type type;	/* FRAME_NONE: a general reference only */
};

static struct domain *doms[DOMAINS];
/* Pages that each domain may have; 0 where it gave one back. Page numbers are places in this array. */
static u64 page_mfn[DOMAINS][PAGES];
static struct hold holds[HOLDS];
static u64 io_frame;
static bool dead[DOMAINS];
/* Level of page table that a page was last made to look like. */
static u8 looks_like[DOMAINS][PAGES];

/* What the frames of a logged domain had in them when they were clean last. */
struct snapshot {
	bool valid;
	u64 pfn, hash;
};
#define FRAMES 1024u
#define LOG_PAGES 64u
static struct snapshot snapshots[DOMAINS][FRAMES];

static u8 next8(struct input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

static u32 below(struct input *in, u32 n)
{
	return next8(in) % n;
}

static void holders(void)
{
	for (u32 i = 0; i < HOLDS; i++)
		if (holds[i].f)
			sim_hold(frame_mfn(holds[i].f), holds[i].type != FRAME_NONE);
}

/* --- values --- */

/* A frame number: mostly of the domain d, often one of its page tables. */
static u64 some_frame(struct input *in, u32 d)
{
	u8 how = next8(in);

	if (how < 200)
		return page_mfn[d][how % PAGES];
	if (how < 230)
		return page_mfn[how % DOMAINS][next8(in) % PAGES];
	switch (how % 8) {
	case 0: return io_frame;
	case 1: return SIM_HOLE_FIRST + 1;
	case 2: return SIM_FRAMES;
	case 3: return 0xffffffffffUL;
	case 4: return 0;
	case 5: return next8(in) * 64u;	/* the hypervisor's, or free */
	case 6: return virt_mfn(doms[d]->shared).v;
	default: return page_mfn[d][PAGES - 1];
	}
}

static u64 some_entry(struct input *in, u32 d)
{
	static const u64 flags[16] = { 0x67, 0x67, 0x65, 0x65, 0x63, 0x61, 0x7, 0x5, 0x27, 0x25, 0x167, 0xe7, 0x7f, 0x0, 0x66, 0x1 };
	u8 f = next8(in);
	u64 e = flags[f & 15] | (f & 16 ? PTE_NX : 0) | (f & 32 ? 0xe00 : 0) | (f & 64 ? 1UL << 58 : 0);

	return (f & 15) == 13 ? f >> 4 : e | some_frame(in, d) << PAGE_SHIFT;
}

/* Few entries of each table are used, so that things meet. */
static u32 some_index(struct input *in)
{
	static const u16 index[16] = { 0, 1, 2, 3, 4, 5, 30, 31, 37, 38, 39, 273, 511, 256, 271, 272 };

	return index[next8(in) & 15];
}

static gva_t some_va(struct input *in)
{
	u8 how = next8(in);

	if (how < 220)
		return sim_va(how % (PAGES + 8)) + (how & 1 ? 8u * (next8(in) & 15) : 0);
	switch (how % 5) {
	case 0: return HV_VIRT_START + 0x1000;
	case 1: return 0x1000;
	case 2: return 1UL << 47;
	case 3: return SIM_GUEST_BASE + (1UL << 39);
	default: return SIM_GUEST_BASE + (1UL << 30) + 0x3000;
	}
}

/* --- operations --- */

static struct vcpu *actor_of(u32 d)
{
	return sim_run(doms[d]->vcpu[0], doms[d]->vcpu[0]->cpu);
}

/* Some hypercalls are given up after a few restarts, as when the domain dies or its handler goes elsewhere. */
static long call(struct input *in, u32 d, hypercall_fn *fn, u64 a0, u64 a1, u64 a2, u64 a3)
{
	u64 args[6] = { a0, a1, a2, a3 };
	u8 patience = next8(in);
	long rc;

	calls++;
	rc = sim_call_limited(actor_of(d), fn, args, patience < 32 ? patience & 3 : RESTARTS_MAX);

	if (rc == -ERESTART && patience >= 32)
		sim_fail("a hypercall restarts for ever");
	return rc;
}

/* Guest memory that the machine's tables do not depend on is at the beginning: requests are put there, if the guest can write it. */
static gva_t request(u32 d, const void *what, size_t size)
{
	gva_t at = sim_va(0) + 64;

	if (guest_copy_out(actor_of(d), at, what, size))
		return 8;
	return at;
}

static u32 some_foreign(struct input *in, u32 d)
{
	static const u32 ids[8] = { DOMID_SELF, 0, 1, 2, 7, DOMID_IO, DOMID_XEN, DOMID_INVALID };
	u8 how = next8(in);
	u32 foreign = how < 150 ? DOMID_SELF : ids[how & 7];

	(void)d;
	if (how >= 230)
		foreign |= ((how & 3) + 1) << 16;
	return foreign;
}

static void do_update(struct input *in, u32 d)
{
	struct mmu_update u[3];
	u32 n = 1 + below(in, 3), foreign = some_foreign(in, d);
	u32 pt = foreign >> 16 ? ((foreign >> 16) - 1) % DOMAINS : d, data = (foreign & 0xffff) < DOMAINS ? foreign & 0xffff : d;

	for (u32 i = 0; i < n; i++) {
		u64 table = next8(in) < 200 ? page_mfn[pt][PAGES - 1 - below(in, 8)] : some_frame(in, pt);

		u[i].ptr = table << PAGE_SHIFT | some_index(in) * 8 | (next8(in) & 7 ? 0 : next8(in) & 7);
		u[i].val = some_entry(in, data);
	}
	(void)call(in, d, do_mmu_update, request(d, u, n * sizeof(u[0])), n, next8(in) & 1 ? sim_va(0) : 0, foreign);
}

static void do_va(struct input *in, u32 d)
{
	u64 flags[6] = { UVMF_NONE, UVMF_INVLPG, UVMF_TLB_FLUSH, UVMF_INVLPG | UVMF_ALL, UVMF_TLB_FLUSH | UVMF_ALL, 3 };
	u64 flag = flags[below(in, 6)];
	u8 how = next8(in);
	u32 foreign = some_foreign(in, d) & 0xffff;

	if (how < 160)
		(void)call(in, d, do_update_va_mapping, some_va(in), some_entry(in, d), flag, 0);
	else
		(void)call(in, d, do_update_va_mapping_otherdomain, some_va(in),
			   some_entry(in, foreign < DOMAINS ? foreign : d), flag, foreign);
}

static void do_ext(struct input *in, u32 d)
{
	struct mmuext_op op[2];
	u32 n = 1 + below(in, 2), foreign = some_foreign(in, d) & 0xffff;
	u32 fd = foreign < DOMAINS ? foreign : d;

	memset(op, 0, sizeof(op));
	for (u32 i = 0; i < n; i++) {
		op[i].cmd = below(in, 22);
		if (op[i].cmd == MMUEXT_TLB_FLUSH_LOCAL || op[i].cmd >= MMUEXT_TLB_FLUSH_MULTI)
			op[i].cmd = next8(in) & 1 ? op[i].cmd : below(in, 6);
		if (op[i].cmd == MMUEXT_INVLPG_LOCAL || op[i].cmd == MMUEXT_INVLPG_MULTI || op[i].cmd == MMUEXT_INVLPG_ALL)
			op[i].arg1.linear_addr = some_va(in);
		else
			op[i].arg1.mfn = some_frame(in, fd);
		if (op[i].cmd == MMUEXT_COPY_PAGE)
			op[i].arg2.src_mfn = some_frame(in, fd);
		else if (op[i].cmd == MMUEXT_TLB_FLUSH_MULTI || op[i].cmd == MMUEXT_INVLPG_MULTI)
			op[i].arg2.vcpumask.p = (void *)sim_va(0);
	}
	(void)call(in, d, do_mmuext_op, request(d, op, n * sizeof(op[0])), n, 0, foreign);
}

/* The guest writes; what faults goes to the fault handler as a store instruction. */
static void do_store(struct input *in, u32 d)
{
	static const char code[8][6] = { "\x48\x89\x07", "\xf0\x48\x0f\xb1\x0f", "\xf0\x48\x09\x07", "\x48\x87\x07",
		"\xf0\x48\x21\x07", "\xf0\x48\x0f\xba\x37\x01", "\xc6\x07\x25", "\xf0\x80\x27\xfd" };
	struct vcpu *v = actor_of(d);
	gva_t va = some_va(in);
	u64 val = some_entry(in, d);
	u8 how = next8(in);

	if (sim_store(v, va & ~7UL, val) || how & 8)
		return;
	if (guest_copy_out(v, sim_va(1) + 0xff8, code[how & 7], 6))
		return;
	v->regs->rip = sim_va(1) + 0xff8;
	v->regs->cs = FLAT_KERNEL_CS64;
	v->regs->rax = val;
	v->regs->rcx = some_entry(in, d);
	v->regs->error = PFEC_PRESENT | PFEC_WRITE | PFEC_USER;
	v->domain->vm_assist = how & 16 ? 0 : 1UL << VMASST_TYPE_writable_pagetables;
	(void)pv_fault_fixup(v, v->regs, va);
}

/*
 * What a guest does to make a page table: a page is mapped writable, filled, mapped read-only, and perhaps pinned. Each of these may fail,
 * in which case the next one is tried all the same.
 */
static void do_build(struct input *in, u32 d)
{
	u32 i = SCRATCH_PAGES + below(in, 12), n = below(in, 6), level = 1 + below(in, 4);
	u64 m = page_mfn[d][i] << PAGE_SHIFT;
	struct vcpu *v = actor_of(d);
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L1_TABLE + level - 1, .arg1.mfn = page_mfn[d][i] };
	u8 how = next8(in);

	(void)call(in, d, do_update_va_mapping, sim_va(i), m | 0x67, UVMF_INVLPG, 0);
	for (u32 k = 0; k < n; k++) {
		u32 below_page = SCRATCH_PAGES + below(in, 12);
		u64 e = some_entry(in, d);

		if (level > 1 && looks_like[d][below_page] == level - 1)
			e = page_mfn[d][below_page] << PAGE_SHIFT | 0x67;
		(void)sim_store(v, sim_va(i) + some_index(in) * 8, e);
	}
	looks_like[d][i] = (u8)level;
	(void)call(in, d, do_update_va_mapping, sim_va(i), how & 1 ? m | 0x25 : 0, how & 2 ? UVMF_INVLPG : 0, 0);
	if (how & 4)
		(void)call(in, d, do_mmuext_op, request(d, &op, sizeof(op)), 1, 0, DOMID_SELF);
}

static void do_load(struct input *in, u32 d)
{
	u64 val;

	for (u32 i = 0; i < 4; i++)
		(void)sim_load(actor_of(d), some_va(in) & ~7UL, &val);
}

/* As the grant layer: references of its own, then the mapping. */
static void do_grant(struct input *in, u32 d)
{
	u32 slot = below(in, HOLDS), other = below(in, DOMAINS), flags = GNTMAP_host_map | (next8(in) & 1 ? GNTMAP_readonly : 0);
	struct hold *h = &holds[slot];
	struct vcpu *v = actor_of(d);
	u64 where = some_va(in), m;
	u8 how = next8(in);

	if (how & 1) {
		flags |= GNTMAP_contains_pte;
		where = page_mfn[d][PAGES - 1 - below(in, 8)] << PAGE_SHIFT | some_index(in) * 8;
	}
	if (!h->f) {
		m = page_mfn[other][below(in, PAGES)];
		if (!m || dead[other])
			return;
		h->f = frame_of(mfn(m));
		h->type = flags & GNTMAP_readonly ? FRAME_NONE : FRAME_WRITABLE;
		if (h->type == FRAME_NONE ? !frame_get(h->f, doms[other]) : !frame_get_writable(v, h->f, doms[other])) {
			h->f = NULL;
			return;
		}
		(void)pv_grant_host_ops.map(v, where, mfn(m), flags);
	} else if (how & 2) {
		(void)pv_grant_host_ops.unmap(v, where, how & 4 ? some_va(in) : 0, frame_mfn(h->f), flags);
	} else {
		if (h->type == FRAME_NONE)
			frame_put(h->f);
		else if (h->type == FRAME_WRITABLE)
			frame_put_writable(h->f);
		else
			frame_type_put(v, h->f, h->type);
		h->f = NULL;
	}
}

/* As a descriptor table would hold a page. */
static void do_segdesc(struct input *in, u32 d)
{
	struct hold *h = &holds[below(in, HOLDS)];
	u64 m = page_mfn[d][below(in, PAGES)];
	struct frame *f;

	if (h->f || !m)
		return;
	f = frame_of(mfn(m));
	if (!frame_get(f, doms[d]))
		return;
	if (frame_type_get(actor_of(d), f, FRAME_SEGDESC) == 0)
		*h = (struct hold){ f, FRAME_SEGDESC };
	frame_put(f);
}

static void do_memory(struct input *in, u32 d)
{
	u32 i = SCRATCH_PAGES + below(in, PAGES - SCRATCH_PAGES);
	struct frame *f;

	actor_of(d);
	if (page_mfn[d][i]) {
		f = frame_of(mfn(page_mfn[d][i]));
		if (!frame_get(f, doms[d])) {
			page_mfn[d][i] = 0;
			return;
		}
		(void)!domain_frame_release(doms[d], f);
		frame_put(f);
		page_mfn[d][i] = 0;
	} else {
		f = domain_frames_alloc(doms[d], 0, 0);
		page_mfn[d][i] = f ? frame_mfn(f).v : 0;
	}
}

/* --- logging --- */

/* The grant layer's part: what the holds stand for. */
u32 grant_writers_mark(struct domain *d, u32 from, u32 count)
{
	(void)from;
	(void)count;
	for (u32 i = 0; i < HOLDS; i++)
		if (holds[i].f && holds[i].type == FRAME_WRITABLE && holds[i].f->owner == d->id)
			dirty_log_mark(holds[i].f);
	return 0;
}

static bool logged_frame(u32 d, u32 n, u64 *pfn, u64 *hash)
{
	const struct frame *f = frame_of(mfn(n));
	const u64 *p;

	if (!frame_valid(mfn(n)) || f->owner != d || !(f->refs & FRAME_REFS) || (f->flags & FRAME_SHARED))
		return false;
	*pfn = m2p_get(mfn(n));
	p = mfn_virt(mfn(n));
	*hash = 0xcbf29ce484222325UL;
	for (u32 i = 0; i < 512; i++)
		*hash = (*hash ^ p[i]) * 0x100000001b3UL + (*hash >> 29);
	return *pfn < LOG_PAGES;
}

static void snapshot_take(u32 d)
{
	for (u32 n = 0; n < FRAMES; n++)
		snapshots[d][n].valid = logged_frame(d, n, &snapshots[d][n].pfn, &snapshots[d][n].hash);
}

/* Every page that is not what it was is in the bit map; pages that others have had mapped writable without a grant may change later. */
static void snapshot_compare(u32 d, u64 bits)
{
	u64 pfn, hash;

	for (u32 n = 0; n < FRAMES; n++) {
		const struct snapshot *s = &snapshots[d][n];

		if (!logged_frame(d, n, &pfn, &hash) || (bits >> pfn & 1) || (frame_of(mfn(n))->type & FRAME_TYPE_FOREIGN))
			continue;
		if (!s->valid || s->pfn != pfn || s->hash != hash)
			sim_fail("frame %#x, page %lu of domain %u, was written and is not in the log: %d, page %lu then", n,
				 (unsigned long)pfn, d, s->valid, (unsigned long)s->pfn);
	}
}

static long log_call(struct input *in, u32 d, struct xen_domctl_shadow_op *op)
{
	u8 patience = next8(in);
	u32 restarts = patience < 32 ? patience & 3 : RESTARTS_MAX;
	bool out;
	long rc;

	do
		rc = pv_shadow_op(actor_of(0), doms[d], op, &out);
	while (rc == -ERESTART && restarts--);
	if (rc == -ERESTART && patience >= 32)
		sim_fail("an operation on the log restarts for ever");
	return rc;
}

static void do_log(struct input *in, u32 d)
{
	static const u32 ops[8] = { XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_OP_CLEAN,
		XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_OP_PEEK, XEN_DOMCTL_SHADOW_OP_OFF,
		XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION };
	struct xen_domctl_shadow_op op = { .op = ops[below(in, 8)], .pages = LOG_PAGES };
	u64 bits = 0;

	/* dom0's domain does not log itself; the domctl sees to that. */
	if (d == 0)
		return;
	if (op.op == XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION) {
		(void)pv_pool_set(doms[d], next8(in) & 31);
		return;
	}
	if (op.op == XEN_DOMCTL_SHADOW_OP_CLEAN || op.op == XEN_DOMCTL_SHADOW_OP_PEEK) {
		op.mode = XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL;
		op.dirty_bitmap.p = (void *)(sim_va(2) + 128);
	}
	if (log_call(in, d, &op))
		return;
	if (op.op == XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY)
		snapshot_take(d);
	if (!op.dirty_bitmap.p || guest_read64(actor_of(0), &bits, sim_va(2) + 128))
		return;
	snapshot_compare(d, bits);
	if (op.op == XEN_DOMCTL_SHADOW_OP_CLEAN)
		snapshot_take(d);
}

static void kill(u32 d, u32 limit)
{
	struct vcpu *other;

	for_each_vcpu(doms[d], other)
		sim_deschedule(other);
	doms[d]->life = DOMAIN_DYING;
	while (pv_guest_ops.domain_relinquish(&sim_idle, doms[d]) == -ERESTART)
		if (limit-- == 0)
			return;
	dead[d] = true;
	memset(page_mfn[d], 0, sizeof(page_mfn[d]));
	while (domain_memory_relinquish(doms[d], 5) == -ERESTART)
		;
}

static void do_machine(struct input *in, u32 d)
{
	switch (below(in, 8)) {
	case 0:
		sim_preempt_every(next8(in) & 3);
		break;
	case 1:
		sim_run(doms[d]->vcpu[0], below(in, CPUS));
		break;
	case 2:
		if (next8(in) < 16 && d != 0)
			kill(d, RESTARTS_MAX);
		break;
	case 3:
		if (next8(in) < 16 && d != 0)
			kill(d, below(in, 8));
		break;
	default:
		sim_deschedule(doms[d]->vcpu[0]);
		break;
	}
}

static void step(struct input *in)
{
	static void (*const op[16])(struct input *in, u32 d) = {
		do_update, do_update, do_va, do_va, do_ext, do_ext, do_build, do_build, do_build, do_log, do_store, do_load,
		do_grant, do_segdesc, do_memory, do_machine,
	};
	u8 what = next8(in);
	u32 d = (what >> 4) % DOMAINS;

	/* A domain that is being torn down does not run. */
	if (doms[d]->life != DOMAIN_LIVE) {
		if (!dead[d])
			kill(d, 1);
		return;
	}
	op[what & 15](in, d);
}

static void machine_start(void)
{
	sim_frames = 1024;
	sim_start(CPUS);
	sim_holders = holders;
	memset(holds, 0, sizeof(holds));
	memset(dead, 0, sizeof(dead));
	memset(snapshots, 0, sizeof(snapshots));
	memset(looks_like, 0, sizeof(looks_like));
	for (u32 d = 0; d < DOMAINS; d++) {
		doms[d] = sim_domain((domid_t)d, d == 0, 1, PAGES);
		for (u32 i = 0; i < PAGES; i++)
			page_mfn[d][i] = sim_mfn(doms[d], i).v;
	}
	io_frame = SIM_HOLE_FIRST + 2;
	if (rangeset_add(doms[0]->iomem, SIM_HOLE_FIRST + 1, SIM_HOLE_LAST) || rangeset_add(doms[1]->iomem, io_frame, io_frame))
		abort();
}

static void machine_stop(void)
{
	for (u32 i = 0; i < HOLDS; i++) {
		struct frame *f = holds[i].f;

		if (f && holds[i].type == FRAME_NONE)
			frame_put(f);
		else if (f)
			frame_type_put(&sim_idle, f, holds[i].type);
		holds[i].f = NULL;
	}
	for (u32 d = DOMAINS; d-- > 0;)
		if (!dead[d])
			kill(d, RESTARTS_MAX);
	sim_stop();
	sim_frames = SIM_FRAMES;
}

static void rate_print(void)
{
	double seconds = (double)clock() / CLOCKS_PER_SEC;

	fprintf(stderr, "fuzz: %lu hypercalls in %.1f s of CPU time: %.0f hypercalls/s\n", (unsigned long)calls, seconds, (double)calls / seconds);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzzing = getenv("FUZZ_CHECK") == NULL;
	atexit(rate_print);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };

	machine_start();
	sim_preempt_every(next8(&in) & 3);
	for (u32 n = 0; n < (fuzzing ? 4 * STEPS_MAX : STEPS_MAX) && in.p < in.end; n++) {
		step(&in);
		if (!fuzzing)
			sim_check();
	}
	machine_stop();
	return 0;
}
