/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/event.h>
#include <guest/hypercall.h>
#include <guest/print.h>
#include <guest/start.h>
#include <guest/trap.h>
#include <xen/callback.h>

#define VECTORS 32

/* From entry.S, ended by address 0. */
extern const struct { u64 vector, address; } trap_entries[];
void trap_entry_event(void);
void trap_entry_syscall(void);
void trap_entry_failsafe(void);
void trap_entry_nmi(void);

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "entry.S");

static struct trap_info table[VECTORS];
static trap_handler_t handlers[TRAP_MAX];

const struct trap_info *trap_table(void)
{
	return table;
}

void trap_handler_set(unsigned int vector, trap_handler_t handler)
{
	handlers[vector] = handler;
}

static void callback_set(u16 type, void (*entry)(void))
{
	struct callback_register cb = { .type = type, .address = (u64)entry };
	long ret = HYPERVISOR_callback_op(CALLBACKOP_register, &cb);

	if (ret)
		guest_panic("callback %u: %ld\n", type, ret);
}

void trap_init(void)
{
	unsigned int i;
	long ret;

	for (i = 0; trap_entries[i].address && i < VECTORS - 1; i++) {
		unsigned int vector = (unsigned int)trap_entries[i].vector;

		table[i].vector = (u8)vector;
		table[i].cs = FLAT_KERNEL_CS;
		table[i].address = trap_entries[i].address;
		/* INT3, INTO and INT 0x80 are open to user mode. */
		if (vector == TRAP_BREAKPOINT || vector == 4 || vector == TRAP_INT80)
			TI_SET_DPL(&table[i], 3);
	}
	ret = HYPERVISOR_set_trap_table(table);
	if (ret)
		guest_panic("trap table: %ld\n", ret);
	callback_set(CALLBACKTYPE_event, trap_entry_event);
	callback_set(CALLBACKTYPE_failsafe, trap_entry_failsafe);
	callback_set(CALLBACKTYPE_syscall, trap_entry_syscall);
}

static _Noreturn void trap_unexpected(const struct trap_frame *f)
{
	guest_panic("unexpected exception %lu, error %lx, at %lx, cr2 %lx, cs %lx, rflags %lx, rsp %lx\n"
		    "rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx\n",
		    f->vector, f->error, f->rip, vcpu_this()->info->arch.cr2, f->cs, f->rflags, f->rsp, f->rax, f->rbx,
		    f->rcx, f->rdx, f->rsi, f->rdi, f->rbp);
}

void trap_dispatch(struct trap_frame *f)
{
	struct vcpu_data *v = vcpu_this();

	if (f->vector == TRAP_EVENT) {
		event_dispatch();
		return;
	}
	if (f->vector < TRAP_MAX && handlers[f->vector] && handlers[f->vector](f))
		return;
	if ((f->cs & 3) == 3 && v->user_caller) {
		*v->user_frame = *f;
		context_restore(v->user_caller);
	}
	if (f->vector == TRAP_SYSCALL && v->user_caller) {
		*v->user_frame = *f;
		context_restore(v->user_caller);
	}
	if (v->catcher) {
		*v->record = (struct trap_record){ true, f->vector, f->error, f->rip, f->rsp, f->cs, f->rflags,
						   v->info->arch.cr2 };
		context_restore(v->catcher);
	}
	trap_unexpected(f);
}

bool trap_catch(struct trap_record *rec, void (*fn)(void *arg), void *arg)
{
	struct vcpu_data *v = vcpu_this();
	struct context here;

	*rec = (struct trap_record){ .taken = false };
	v->record = rec;
	if (context_save(&here) == 0) {
		v->catcher = &here;
		fn(arg);
	}
	v->catcher = NULL;
	return rec->taken;
}
