/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions in the hypervisor itself, and those that arrive on stacks of their own. */
#include <hv/extable.h>
#include <hv/hypercall.h>
#include <hv/image.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/pv.h>
#include <hv/domain.h>
#include <hv/x86.h>

#include "cpu.h"

#define DUMP_WORDS 512		/* words of the stack that are looked at for return addresses */
#define DUMP_CALLERS 24

static const char *const exception_names[32] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "device not available",
	"double fault", NULL, "invalid TSS", "segment not present", "stack fault", "general protection", "page fault", NULL,
	"x87 error", "alignment check", "machine check", "SIMD error", "virtualisation", "control protection",
};

static void address_print(const char *what, u64 addr)
{
	u64 offset = 0;
	const char *name = symbol_lookup(addr, &offset);

	if (name)
		log_always("%s %016lx %s+0x%lx", what, addr, name, offset);
	else
		log_always("%s %016lx", what, addr);
}

/* Without frame pointers: every word of the stack that points into a function may be a return address. */
static void callers_print(u64 sp)
{
	u64 block = sp & ~(STACK_SIZE - 1);
	u64 end = sp < block + STACK_GUARD_PAGE * PAGE_SIZE ? ROUND_UP(sp + 1, PAGE_SIZE) :
							      block + STACK_SIZE - sizeof(struct cpu_info);
	unsigned int found = 0;

	sp &= ~7UL;
	for (unsigned int i = 0; i < DUMP_WORDS && sp < end && found < DUMP_CALLERS; i++, sp += 8) {
		u64 word = *(const u64 *)sp, offset = 0;

		if (symbol_lookup(word, &offset) && offset != 0) {
			address_print("  from", word);
			found++;
		}
	}
}

void registers_dump(const struct regs *r)
{
	log_always("CPU %u, entered by vector %u (%s), error code %08x", this_cpu(), r->vector,
		   r->vector < 32 && exception_names[r->vector] ? exception_names[r->vector] : "-", r->error);
	address_print("rip", r->rip);
	log_always("cs %04lx ss %04lx rsp %016lx rflags %08lx", r->cs, r->ss, r->rsp, r->rflags);
	log_always("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	log_always("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	log_always("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	log_always("r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
	log_always("cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx", cr0_read(), cr2_read(), cr3_read(), cr4_read());
	if (!regs_from_guest(r))
		callers_print(r->rsp);
}

void stack_dump(void)
{
	u64 sp;

	__asm__ volatile("movq %%rsp, %0" : "=r"(sp));
	callers_print(sp);
}

/* Guest memory whose writes are logged is not writable until the first one. */
static bool guest_access_retry(const struct regs *r)
{
	struct vcpu *v = cpu_info()->current;
	u64 addr = cr2_read();

	return v->domain->logging && v->domain->ops->access_fault(v, addr, r->error);
}

void exception_hypervisor(struct regs *r)
{
	u64 to = extable_find(r->rip);

	if (to != 0) {
		if (r->vector == TRAP_PF && guest_access_retry(r))
			return;
		cpu_info()->fault = (u64)r->vector << 32 | r->error;
		r->rip = to;
		return;
	}
	registers_dump(r);
	panic("exception %u (%s) in the hypervisor", r->vector,
	      exception_names[r->vector] ? exception_names[r->vector] : "reserved");
}

/* In the hypervisor a debug exception is what a guest's MOV SS or SYSENTER with single-stepping left behind. */
static void debug_exception(struct regs *r)
{
	if (dr_read(6) & DR6_BS)
		r->rflags &= ~(u64)FLAG_TF;
	dr_write(6, DR6_INIT);
}

void exception_ist(struct regs *r)
{
	switch (r->vector) {
	case TRAP_DB:
		debug_exception(r);
		break;
	case TRAP_NMI:
		nmi_handle(r);
		break;
	case TRAP_MC:
		machine_check_handle(r);
		break;
	default:
		registers_dump(r);
		panic("double fault");
	}
}

void software_interrupt(struct vcpu *v, struct regs *r)
{
	if (r->vector == VECTOR_HYPERCALL && v->pv->kernel_mode)
		hypercall_dispatch(v, r);
	else
		pv_software_interrupt(v, r, (u8)r->vector);
}
