/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/regs.h>
#include <hv/sched.h>
#include "fuzz.h"

#define FRAMES 512u
#define STEPS_MIN 500u
#define STEPS_MAX 1000u

static u64 frame_of_page[2][FUZZ_PAGES];
static u64 total_calls, total_runs, total_steps, total_idle, total_ended;
static bool started;

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* --- the input --- */

u8 f8(struct fuzz *f)
{
	if (f->p < f->end)
		return *f->p++;
	f->random = f->random * 6364136223846793005UL + 1442695040888963407UL;
	return (u8)(f->random >> 56);
}

u32 f32(struct fuzz *f) { return (u32)f8(f) | (u32)f8(f) << 8 | (u32)f8(f) << 16 | (u32)f8(f) << 24; }
u64 f64(struct fuzz *f) { return f32(f) | (u64)f32(f) << 32; }

u64 some_number(struct fuzz *f)
{
	static const u64 limits[] = { 0, 1, 0x7f, 0xff, 0x100, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 1UL << 47, ~0UL >> 1, ~0UL };
	u8 how = f8(f);

	if (how < 160)
		return how & 15;
	if (how < 200)
		return f8(f);
	return how < 245 ? limits[f8(f) % ARRAY_SIZE(limits)] : f64(f);
}

domid_t some_domid(struct fuzz *f)
{
	static const domid_t ids[16] = { DOMID_SELF, DOMID_SELF, DOMID_SELF, DOMID_SELF, 0, 0, 0, 1, 1, 1, 9, 10, DOMID_IO, DOMID_XEN,
		DOMID_INVALID, 0x1234 };

	return ids[f8(f) & 15];
}

u64 some_frame(struct fuzz *f, u32 d)
{
	u8 how = f8(f);

	d &= 1;
	if (how < 170)
		return frame_of_page[d][how % FUZZ_PAGES];
	if (how < 190)
		return frame_of_page[d][FUZZ_PAGES - 1 - (how & 3)];
	if (how < 220)
		return frame_of_page[!d][f8(f) % FUZZ_PAGES];
	if (how < 235)
		return f8(f) * 2u + (how & 1);
	switch (how & 7) {
	case 0: return SIM_HOLE_FIRST + 1;
	case 1: return FRAMES;
	case 2: return 0;
	case 3: return ~0UL;
	case 4: return ~0UL >> 12;
	case 5: return FRAMES - 1;
	case 6: return 0x100000;
	default: return f64(f);
	}
}

gva_t some_address(struct fuzz *f)
{
	u8 how = f8(f);

	if (how < 215)
		return sim_va(how % FUZZ_PAGES) + (f8(f) & 15) * 8u;
	switch (how & 7) {
	case 0: return 0x1000;
	case 1: return 0xffff808000001000UL;
	case 2: return 1UL << 47;
	case 3: return sim_va(FUZZ_PAGES) - 4;
	case 4: return 0;
	case 5: return ~0UL;
	case 6: return sim_va(FUZZ_PAGES + 5);
	default: return f64(f);
	}
}

u64 some_entry(struct fuzz *f, u32 d)
{
	static const u64 flags[16] = { 0x67, 0x67, 0x67, 0x65, 0x65, 0x25, 0x63, 0x61, 0x7, 0x5, 0x167, 0xe7, 0x7f, 0x0, 0x66, 0x1 };
	u8 how = f8(f);

	if ((how & 15) == 13)
		return 0;
	return flags[how & 15] | (how & 16 ? 1UL << 63 : 0) | (how & 32 ? 0xe00 : 0) | some_frame(f, d) << PAGE_SHIFT;
}

u32 some_port(struct fuzz *f)
{
	u8 how = f8(f);

	return how < 235 ? how & 15 : how < 250 ? how * 16u : f32(f);
}

u32 some_vcpu(struct fuzz *f)
{
	u8 how = f8(f);

	return how < 240 ? how & 1 : how < 250 ? how : f32(f);
}

/* An earlier call of this step may have stopped it. */
static bool runs(const struct fuzz *f)
{
	return full_current(f->v->cpu) == f->v && f->v->running;
}

gva_t argument(struct fuzz *f, const void *what, size_t size)
{
	gva_t at = f->next;

	if (!runs(f))
		return 0;
	if (size > PAGE_SIZE - 512)
		size = PAGE_SIZE - 512;
	if (at + size > sim_va(FUZZ_ARGS))
		at = sim_va(0);
	f->next = at + ROUND_UP(size, 16UL);
	/* Where the guest has made its own arguments unreachable the call fails as it should. */
	(void)!guest_copy_out(f->v, at, what, size);
	return one_in(f, 60) ? some_address(f) : at;
}

gva_t answer(struct fuzz *f)
{
	return one_in(f, 30) ? some_address(f) : sim_va(FUZZ_ARGS);
}

long call(struct fuzz *f, unsigned int nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	if (!runs(f))
		return 0;
	f->calls++;
	return full_hypercall(f->v, nr, a0, a1, a2, a3, a4);
}

long call_op(struct fuzz *f, unsigned int nr, u64 cmd, const void *what, size_t size)
{
	return call(f, nr, cmd, argument(f, what, size), 0, 0, 0);
}

/* --- steps that are no hypercalls --- */

static void machine_step(struct fuzz *f)
{
	static const ns_t times[4] = { 1000, 100000, 3000000, 40000000 };

	switch (f8(f) % 6) {
	case 0: sim_preempt_every(f8(f) & 3); break;
	case 1: sim_fail_alloc(f8(f) & 7); break;
	case 2: full_line_raise(f8(f) % FULL_PINS); break;
	default: full_time(times[f8(f) & 3]); break;
	}
}

/* The actor of the next step: what runs on one of the CPUs. */
static bool actor_choose(struct fuzz *f)
{
	u32 cpu = f8(f) & 3;

	for (u32 i = 0; i < 4; i++, cpu = (cpu + 1) & 3) {
		struct vcpu *v = full_current(cpu);

		if (!v || v->domain->id > 1 || v->domain->life != DOMAIN_LIVE)
			continue;
		f->v = v;
		f->d = v->domain->id;
		sim_cpu_switch(cpu);
		return true;
	}
	return false;
}

/* Nobody runs: as an administrator would, resumes, unpauses and wakes what there is. */
static void rescue(void)
{
	for (domid_t id = 0; id < 2; id++) {
		struct domain *d = domain_get_by_id(id);
		struct vcpu *v;

		if (!d)
			continue;
		if (d->life == DOMAIN_LIVE) {
			domain_resume(d);
			for (; d->controller_pause_count; d->controller_pause_count--)
				domain_unpause(d);
			for_each_vcpu(d, v) {
				vcpu_unblock(v);
				if (v->initialised && (__atomic_fetch_and(&v->pause_flags, ~VPF_DOWN, __ATOMIC_SEQ_CST) & VPF_DOWN))
					vcpu_wake(v);
			}
		}
		domain_put(d);
	}
	full_time(2000000);
}

struct run {
	struct fuzz *f;
	fuzz_step *const *areas;
	u32 count;
};

static void steps(void *arg)
{
	const struct run *r = arg;
	struct fuzz *f = r->f;
	bool careful = getenv("FUZZ_CHECK") != NULL;

	for (u32 n = 0; n < STEPS_MIN || (n < STEPS_MAX && f->p < f->end); n++) {
		u8 what = f8(f);

		total_steps++;
		if (what >= 244) {
			machine_step(f);
			continue;
		}
		if (!actor_choose(f)) {
			total_idle++;
			rescue();
			continue;
		}
		f->next = sim_va(0) + (f8(f) & 7) * 256u;
		r->areas[what % r->count](f);
		if (careful)
			sim_check();
	}
	sim_preempt_every(0);
	sim_fail_alloc(0);
	full_settle();
}

/* --- runs --- */

static void rates_print(void)
{
	struct rusage u;
	double seconds;

	getrusage(RUSAGE_SELF, &u);
	seconds = (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	fprintf(stderr, "fuzz: %lu inputs, %lu hypercalls in %.1f s of CPU time: %.0f hypercalls/s\n", (unsigned long)total_runs,
		(unsigned long)total_calls, seconds, (double)total_calls / (seconds > 0 ? seconds : 1));
	fprintf(stderr, "fuzz: %lu steps, %lu with no vCPU to run, %lu inputs ended the machine\n", (unsigned long)total_steps,
		(unsigned long)total_idle, (unsigned long)total_ended);
}

/* The kernel's entry points, as a kernel that has booted has them. */
static void kernel_make(struct vcpu *v)
{
	struct pv_vcpu *pv = v->pv;

	for (u32 i = 0; i < 256; i++)
		pv->traps[i] = (struct pv_trap){ .address = 0xffffffff81000000UL + i * 64, .cs = FLAT_KERNEL_CS64,
						 .flags = i == 3 || i == 0x80 ? 3 : 0 };
	pv->event_callback = 0xffffffff81100000UL;
	pv->failsafe_callback = 0xffffffff81100100UL;
	pv->syscall_callback = 0xffffffff81100200UL;
	pv->kernel_ss = FLAT_KERNEL_SS64;
	pv->kernel_sp = v->regs->rsp = sim_va(8);
	v->regs->cs = FLAT_KERNEL_CS64;
	v->regs->ss = FLAT_KERNEL_SS64;
}

static void machine_make(void)
{
	struct domain *d[2];

	sim_frames = FRAMES;
	full_xsave = true;
	sim_start(4);
	for (u32 i = 0; i < 2; i++) {
		d[i] = sim_domain((domid_t)i, i == 0, 2, FUZZ_PAGES);
		for (u32 k = 0; k < FUZZ_PAGES; k++)
			frame_of_page[i][k] = sim_mfn(d[i], k).v;
		sim_run(d[i]->vcpu[0], 2 * i);
		sim_run(d[i]->vcpu[1], 2 * i + 1);
		kernel_make(d[i]->vcpu[0]);
		kernel_make(d[i]->vcpu[1]);
	}
	if (rangeset_add(dom0->iomem, SIM_HOLE_FIRST, SIM_HOLE_LAST) || rangeset_add(dom0->ioports, 0, 0x3ff) ||
	    rangeset_add(dom0->irqs, 0, FULL_PINS - 1))
		sim_fail("rangeset_add");
	sim_check();
	full_save();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	machine_make();
	sim_bugs_abort = true;
	started = true;
	atexit(rates_print);
	return 0;
}

int fuzz_run(const u8 *data, size_t size, fuzz_step *const areas[], u32 count)
{
	struct fuzz f = { .p = data, .end = data + size, .random = 88172645463325252UL };
	struct run r = { &f, areas, count };
	enum full_end end;

	if (!started)
		LLVMFuzzerInitialize(NULL, NULL);
	for (size_t i = 0; i < size; i++)
		f.random = (f.random ^ data[i]) * 0x9e3779b97f4a7c15UL;
	full_restore();
	end = full_run(steps, &r);
	total_calls += f.calls;
	total_runs++;
	/* The machine may have been told to stop, which ends it in the middle of things. */
	if (end != FULL_GOES_ON) {
		total_ended++;
		return 0;
	}
	sim_check();
	if (total_runs % 16 == 0 || getenv("FUZZ_CHECK"))
		sim_stop();
	return 0;
}
