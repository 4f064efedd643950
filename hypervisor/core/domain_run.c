/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a domain runs: pausing, shutting down, resuming, crashing. */
#include "domain_private.h"
#include <hv/boot.h>
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/event.h>
#include <hv/format.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <hv/time.h>
#include <hv/trace.h>
#include <xen/sched.h>

#define STACK_WORDS 24u

bool opt_noreboot;
BOOT_OPTION_BOOL("noreboot", opt_noreboot, "Halt instead of rebooting after an error.");

void domain_pause_nosync(struct domain *d)
{
	struct vcpu *v;

	__atomic_fetch_add(&d->pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu(d, v)
		vcpu_sleep_nosync(v);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	/* All are told first, so that they stop at the same time. */
	domain_pause_nosync(d);
	for_each_vcpu(d, v)
		vcpu_sleep_sync(v);
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	if (__atomic_sub_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST) != 0)
		return;
	for_each_vcpu(d, v)
		vcpu_wake(v);
}

static noreturn_fn void machine_error(const char *what)
{
	if (opt_noreboot) {
		log_always("%s: halting the machine (noreboot)", what);
		machine_halt();
	}
	log_always("%s: rebooting the machine", what);
	machine_restart();
}

/* dom0 is the machine's operating system: what happens to it happens to the machine. */
static noreturn_fn void dom0_shutdown(u32 reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		log_always("dom0 has shut down: powering off");
		machine_poweroff();
	case SHUTDOWN_reboot:
		log_always("dom0 has shut down: rebooting the machine");
		machine_restart();
	case SHUTDOWN_crash:
		machine_error("dom0 has crashed");
	case SHUTDOWN_watchdog:
		machine_error("dom0's watchdog has fired");
	default:
		machine_error("dom0 has stopped for an unknown reason");
	}
}

void domain_shutdown(struct domain *d, u32 reason)
{
	u32 none = SHUTDOWN_CODE_NONE;

	if (d == dom0)
		dom0_shutdown(reason);
	/* No lock: the first one that sets the flag does the rest, and resume is possible only when it has. */
	if (__atomic_exchange_n(&d->is_shutting_down, true, __ATOMIC_SEQ_CST))
		return;
	/* SCHEDOP_shutdown_code may have set the code before. */
	__atomic_compare_exchange_n(&d->shutdown_code, &none, reason, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	domain_pause_nosync(d);
	if (d->vcpu[0])
		trace_note(this_cpu(), time_now(), TRACE_SHUTDOWN, d->vcpu[0], reason);
	__atomic_store_n(&d->is_shut_down, true, __ATOMIC_SEQ_CST);
	/* A port that the guest has closed since is the guest's loss. */
	if (d->shutdown_code == SHUTDOWN_suspend && d->suspend_port && event_send(d, d->suspend_port) == 0)
		return;
	event_send_global_virq(VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
	bool was;

	spin_lock(&d->lock);
	was = d->is_shut_down;
	if (was) {
		d->is_shut_down = false;
		d->shutdown_code = SHUTDOWN_CODE_NONE;
		__atomic_store_n(&d->is_shutting_down, false, __ATOMIC_SEQ_CST);
	}
	spin_unlock(&d->lock);
	if (was)
		domain_unpause(d);
}

static void stack_dump(struct vcpu *v)
{
	u64 word[4];

	for (u32 i = 0; i < STACK_WORDS; i += ARRAY_SIZE(word)) {
		if (guest_copy_in(v, word, v->regs->rsp + i * sizeof(word[0]), sizeof(word)))
			return;
		log_guest(LOG_WARNING, "  stack %016lx %016lx %016lx %016lx", word[0], word[1], word[2], word[3]);
	}
}

static void line_print(bool always, const char *fmt, ...) format_like(2, 3);
static void line_print(bool always, const char *fmt, ...)
{
	char line[160];
	va_list args;

	va_start(args, fmt);
	hv_vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (always)
		log_always("%s", line);
	else
		log_guest(LOG_WARNING, "%s", line);
}

static void registers_print(struct vcpu *v, bool always)
{
	const struct regs *r = v->regs;

	line_print(always, "d%uv%u on CPU %u, vector %x, error %x", v->domain->id, v->id, v->cpu, r->vector, r->error);
	line_print(always, "  rip %04lx:%016lx rflags %016lx", r->cs, r->rip, r->rflags);
	line_print(always, "  rsp %04lx:%016lx rbp %016lx cr2 %016lx", r->ss, r->rsp, r->rbp, v->info->arch.cr2);
	line_print(always, "  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	line_print(always, "  rsi %016lx rdi %016lx r8  %016lx r9  %016lx", r->rsi, r->rdi, r->r8, r->r9);
	line_print(always, "  r10 %016lx r11 %016lx r12 %016lx r13 %016lx", r->r10, r->r11, r->r12, r->r13);
	line_print(always, "  r14 %016lx r15 %016lx", r->r14, r->r15);
}

void vcpu_dump(struct vcpu *v, bool is_actor)
{
	registers_print(v, false);
	if (is_actor)
		stack_dump(v);
}

void vcpu_dump_always(struct vcpu *v)
{
	registers_print(v, true);
}

void domain_crash(struct vcpu *v, const char *fmt, ...)
{
	char why[128];
	va_list args;

	if (READ_ONCE(v->domain->is_shutting_down))
		return;
	va_start(args, fmt);
	hv_vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	log_guest(LOG_ERROR, "d%uv%u: %s: domain crashed", v->domain->id, v->id, why);
	vcpu_dump(v, true);
	domain_shutdown(v->domain, SHUTDOWN_crash);
}
