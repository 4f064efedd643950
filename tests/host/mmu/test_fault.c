/* SPDX-License-Identifier: BSD-2-Clause */
/* Stale translations, and stores to page tables: compared with what this computer does with the same instruction. */
#include "fixture.h"
#include <hv/regs.h>

#define FLAGS_ARITHMETIC 0x8d5u
#define TEXT 2u			/* page of d where the instructions are */

static u64 plain_assist(void)
{
	return 1UL << VMASST_TYPE_writable_pagetables;
}

static bool fault(gva_t addr, u32 error)
{
	v->regs->error = error;
	return pv_fault_fixup(v, v->regs, addr);
}

static void code(const char *bytes, u32 len)
{
	assert_int_equal(guest_copy_out(v, sim_va(TEXT) + 16, bytes, len), 0);
	v->regs->rip = sim_va(TEXT) + 16;
	v->regs->cs = FLAT_KERNEL_CS64;
}

static void test_spurious(void **state)
{
	u32 page = sim_alloc_page(d);
	u64 word;

	(void)state;
	/* A permission was added without a flush. */
	assert_int_equal(va_set(v, page, entry(d, page, RO), UVMF_INVLPG), 0);
	assert_true(sim_load(v, sim_va(page), &word));
	assert_int_equal(va_set(v, page, entry(d, page, RW), 0), 0);
	sim_counts.flush_page = 0;
	assert_true(fault(sim_va(page) + 5, PFEC_PRESENT | PFEC_WRITE | PFEC_USER));
	assert_int_equal(sim_counts.flush_page, 1);
	assert_true(fault(sim_va(page), PFEC_PRESENT | PFEC_USER | PFEC_FETCH));
	/* Real ones: not present, read-only, no execution, reserved bits, the hypervisor's addresses. */
	assert_int_equal(va_set(v, page, entry(d, page, RO | PTE_NX), UVMF_INVLPG), 0);
	assert_false(fault(sim_va(page), PFEC_PRESENT | PFEC_WRITE | PFEC_USER));
	assert_false(fault(sim_va(page), PFEC_PRESENT | PFEC_USER | PFEC_FETCH));
	assert_true(fault(sim_va(page), PFEC_PRESENT | PFEC_USER));
	assert_false(fault(sim_va(page), PFEC_PRESENT | PFEC_USER | PFEC_RESERVED));
	assert_int_equal(va_set(v, page, 0, UVMF_INVLPG), 0);
	assert_false(fault(sim_va(page), PFEC_PRESENT | PFEC_USER));
	assert_false(fault(0x1000, PFEC_PRESENT | PFEC_USER));
	assert_false(fault(HV_VIRT_START, PFEC_PRESENT | PFEC_USER));
	assert_false(fault(1UL << 50, PFEC_PRESENT | PFEC_USER));
	/* Read-only by a table above. */
	assert_int_equal(va_set(v, page, entry(d, page, RW), UVMF_INVLPG), 0);
	assert_int_equal(update(v, (mfn_of(sim_table(d, 3, 0)) << PAGE_SHIFT) + (SIM_GUEST_BASE >> 30 & 511) * 8,
				entry(d, sim_table(d, 2, 0), RO)), 0);
	assert_false(fault(sim_va(page), PFEC_PRESENT | PFEC_WRITE | PFEC_USER));
	assert_true(fault(sim_va(page), PFEC_PRESENT | PFEC_USER));
	/* In user mode its own tables count. */
	assert_int_equal(update(v, (mfn_of(sim_table(d, 3, 0)) << PAGE_SHIFT) + (SIM_GUEST_BASE >> 30 & 511) * 8,
				entry(d, sim_table(d, 2, 0), RW)), 0);
}

/* --- stores --- */

static u32 l1;		/* a pinned L1 of d; it is seen read-only */
static gva_t place;	/* of its entry 9 */

static int start_store(void **state)
{
	start(state);
	(void)sim_alloc(d, 4 * PAGE_SIZE);
	l1 = table_page((s64[]){ -1 });
	place = sim_va(l1) + 9 * 8;
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), 0);
	d->vm_assist = plain_assist();
	return 0;
}

static u64 *target(void)
{
	return &sim_page(d, l1)[9];
}

#define STORE (PFEC_PRESENT | PFEC_WRITE | PFEC_USER)

static void test_mov(void **state)
{
	u32 page = sim_alloc_page(d);

	(void)state;
	code("\x48\x89\x07", 3);
	v->regs->rax = entry(d, page, RW);
	assert_true(fault(place, STORE));
	assert_int_equal(v->regs->rip, sim_va(TEXT) + 19);
	assert_int_equal(*target(), entry(d, page, RW));
	assert_int_equal(frame_type_count(frame_at(page)), 2);
	sim_check();
	/* Parts of an entry. */
	code("\xc6\x07\x65", 3);
	assert_true(fault(place, STORE));
	assert_int_equal(*target(), entry(d, page, 0x65));
	assert_int_equal(frame_type_count(frame_at(page)), 1);
	code("\x66\xc7\x07\x00\x0e", 5);
	assert_true(fault(place + 6, STORE));
	assert_int_equal(*target(), entry(d, page, 0x65) | 0x0e00UL << 48);
	code("\xc7\x07\x00\x00\x00\x00", 6);
	assert_true(fault(place, STORE));
	assert_int_equal(*target(), 0x0e00UL << 48);
	code("\x88\x27", 2);
	v->regs->rax = 0x8000;
	assert_true(fault(place + 7, STORE));
	assert_int_equal(*target(), 0x8000UL << 48);
	code("\x48\xc7\x07\x00\xff\xff\xff", 7);
	assert_true(fault(place, STORE));
	assert_int_equal(*target(), 0xffffffffffffff00);
	/* The instruction may lie across two pages. */
	assert_int_equal(guest_copy_out(v, sim_va(TEXT + 1) - 2, "\x48\x89\x07", 3), 0);
	v->regs->rip = sim_va(TEXT + 1) - 2;
	v->regs->rax = 0;
	assert_true(fault(place, STORE));
	assert_int_equal(*target(), 0);
}

static void test_store_refused(void **state)
{
	u32 page = sim_alloc_page(d);
	u64 before = *target();

	(void)state;
	/* What the guest may not have, it may not have this way; the fault is its own then. */
	code("\x48\x89\x07", 3);
	v->regs->rax = entry(d, l1, RW);
	assert_false(fault(place, STORE));
	v->regs->rax = entry(control, 3, RO);
	assert_false(fault(place, STORE));
	assert_int_equal(v->regs->rip, sim_va(TEXT) + 16);
	v->regs->rax = entry(d, page, RW);
	/* Not asked for; not in user mode; not by 32-bit code; not over the end of an entry; not to higher tables. */
	d->vm_assist = 0;
	assert_false(fault(place, STORE));
	d->vm_assist = plain_assist();
	v->regs->cs = FLAT_KERNEL_CS32;
	assert_false(fault(place, STORE));
	v->regs->cs = FLAT_KERNEL_CS64;
	assert_false(fault(place + 1, STORE));
	assert_false(fault(sim_va(sim_table(d, 2, 0)), STORE));
	assert_false(fault(sim_va(sim_table(d, 4, 0)), STORE));
	assert_false(fault(place, PFEC_PRESENT | PFEC_USER | PFEC_FETCH) && *target() != before);
	/* Read-only memory that is no table. */
	assert_int_equal(va_set(v, page, entry(d, page, RO), UVMF_INVLPG), 0);
	assert_false(fault(sim_va(page), STORE));
	/* Other instructions; none at all. */
	code("\xf3\x48\xab", 3);
	assert_false(fault(place, STORE));
	code("\x48\x11\x07", 3);
	assert_false(fault(place, STORE));
	v->regs->rip = sim_va(PAGES);
	assert_false(fault(place, STORE));
	v->regs->rip = HV_VIRT_START;
	assert_false(fault(place, STORE));
	assert_int_equal(*target(), before);
	/* User mode. */
	assert_int_equal(pv_root_set(v, v, v->pv->kernel_root, true), 0);
	code("\x48\x89\x07", 3);
	v->pv->kernel_mode = false;
	assert_false(fault(place, STORE));
	v->pv->kernel_mode = true;
	assert_int_equal(*target(), before);
}

/* Runs an instruction of the form "op [rdi], rax or rcx" here, with these registers and flags. */
struct native {
	u64 mem, rax, rcx, flags;
};

#define NATIVE(name, insn) \
static void name(struct native *n) \
{ \
	u64 flags = n->flags; \
	__asm__ volatile("pushq %[f]\n\tpopfq\n\t" insn "\n\tpushfq\n\tpopq %[f]" \
			 : "+a"(n->rax), "+c"(n->rcx), [f] "+r"(flags) : "D"(&n->mem) : "cc", "memory"); \
	n->flags = flags; \
}

NATIVE(n_add, "addq %%rcx, (%%rdi)")
NATIVE(n_sub, "subq %%rcx, (%%rdi)")
NATIVE(n_and, "lock andq %%rcx, (%%rdi)")
NATIVE(n_or, "lock orq %%rcx, (%%rdi)")
NATIVE(n_xor, "xorq %%rcx, (%%rdi)")
NATIVE(n_xchg, "xchgq %%rcx, (%%rdi)")
NATIVE(n_cmpxchg, "lock cmpxchgq %%rcx, (%%rdi)")
NATIVE(n_xadd, "lock xaddq %%rcx, (%%rdi)")
NATIVE(n_addl, "addl %%ecx, (%%rdi)")
NATIVE(n_subw, "subw %%cx, (%%rdi)")
NATIVE(n_andb, "lock andb $0xfd, (%%rdi)")
NATIVE(n_orb, "orb %%ch, (%%rdi)")
NATIVE(n_cmpxchgb, "cmpxchgb %%cl, (%%rdi)")
NATIVE(n_cmpxchgl, "cmpxchgl %%ecx, (%%rdi)")
NATIVE(n_xchgl, "xchgl %%ecx, (%%rdi)")
NATIVE(n_xaddb, "xaddb %%ch, (%%rdi)")
NATIVE(n_bts, "lock btsq $1, (%%rdi)")
NATIVE(n_btr, "lock btrq $63, (%%rdi)")
NATIVE(n_btc, "btcl $7, (%%rdi)")
NATIVE(n_addimm, "addq $-4096, (%%rdi)")

static const struct {
	void (*native)(struct native *n);
	const char *bytes;
	u32 len;
} forms[] = {
	{ n_add, "\x48\x01\x0f", 3 }, { n_sub, "\x48\x29\x0f", 3 }, { n_and, "\xf0\x48\x21\x0f", 4 },
	{ n_or, "\xf0\x48\x09\x0f", 4 }, { n_xor, "\x48\x31\x0f", 3 }, { n_xchg, "\x48\x87\x0f", 3 },
	{ n_cmpxchg, "\xf0\x48\x0f\xb1\x0f", 5 }, { n_xadd, "\xf0\x48\x0f\xc1\x0f", 5 }, { n_addl, "\x01\x0f", 2 },
	{ n_subw, "\x66\x29\x0f", 3 }, { n_andb, "\xf0\x80\x27\xfd", 4 }, { n_orb, "\x08\x2f", 2 },
	{ n_cmpxchgb, "\x0f\xb0\x0f", 3 }, { n_cmpxchgl, "\x0f\xb1\x0f", 3 }, { n_xchgl, "\x87\x0f", 2 },
	{ n_xaddb, "\x0f\xc0\x2f", 3 }, { n_bts, "\xf0\x48\x0f\xba\x2f\x01", 6 }, { n_btr, "\xf0\x48\x0f\xba\x37\x3f", 6 },
	{ n_btc, "\x0f\xba\x3f\x07", 4 }, { n_addimm, "\x48\x81\x07\x00\xf0\xff\xff", 7 },
};

/* Bits that each instruction defines; AND, OR and XOR leave AF undefined, and BTx all but CF. */
static u64 flags_defined(u32 form)
{
	if (forms[form].native == n_and || forms[form].native == n_or || forms[form].native == n_xor ||
	    forms[form].native == n_andb || forms[form].native == n_orb)
		return FLAGS_ARITHMETIC & ~0x10u;
	if (forms[form].native == n_bts || forms[form].native == n_btr || forms[form].native == n_btc)
		return FLAG_CF;
	return FLAGS_ARITHMETIC;
}

static u64 random64(void)
{
	u64 a = (u64)random() << 33 ^ (u64)random() << 11 ^ (u64)random();

	return random() % 4 ? a : random() & 1 ? a & 0xff : ~0UL << (a & 63);
}

/* Entries that are not present may be anything, so that results can be compared. */
static void test_read_modify_write(void **state)
{
	u32 done = 0;

	(void)state;
	srandom(7);
	for (u32 n = 0; n < 20000; n++) {
		u32 form = (u32)random() % ARRAY_SIZE(forms);
		struct native here = { random64(), random64(), random64(), 0x202 | ((u64)random() & FLAGS_ARITHMETIC) };

		if (random() & 1)
			here.rax = here.mem;
		*target() = here.mem & ~PTE_PRESENT;
		here.mem = *target();
		code(forms[form].bytes, forms[form].len);
		v->regs->rax = here.rax;
		v->regs->rcx = here.rcx;
		v->regs->rflags = here.flags;
		forms[form].native(&here);
		if (here.mem & PTE_PRESENT) {
			(void)fault(place, STORE);
			assert_int_equal(va_set(v, 1, entry(d, 1, RW), 0), 0);
			assert_int_equal(update(v, (mfn_of(l1) << PAGE_SHIFT) + 9 * 8, 0), 0);
			continue;
		}
		if (!fault(place, STORE))
			fail_msg("form %u is refused", form);
		if (*target() != here.mem || v->regs->rax != here.rax || v->regs->rcx != here.rcx ||
		    (v->regs->rflags ^ here.flags) & flags_defined(form))
			fail_msg("form %u: %#lx %#lx %#lx %#lx, here %#lx %#lx %#lx %#lx", form, *target(), v->regs->rax, v->regs->rcx,
				 v->regs->rflags, here.mem, here.rax, here.rcx, here.flags);
		assert_int_equal(v->regs->rip, sim_va(TEXT) + 16 + forms[form].len);
		done++;
	}
	assert_true(done > 5000);
	*target() = 0;
}

/* The bit that makes an entry writable, as kernels set and clear it. */
static void test_write_protect(void **state)
{
	u32 page = sim_alloc_page(d);

	(void)state;
	assert_int_equal(update(v, (mfn_of(l1) << PAGE_SHIFT) + 9 * 8, entry(d, page, RW)), 0);
	assert_int_equal(frame_type_count(frame_at(page)), 2);
	code("\xf0\x80\x27\xfd", 4);
	assert_true(fault(place, STORE));
	assert_int_equal(*target(), entry(d, page, RW & ~PTE_WRITE));
	assert_int_equal(frame_type_count(frame_at(page)), 1);
	sim_check();
	code("\xf0\x48\x0f\xba\x2f\x01", 6);
	assert_true(fault(place, STORE));
	assert_int_equal(frame_type_count(frame_at(page)), 2);
	code("\x48\x87\x0f", 3);
	v->regs->rcx = 0;
	assert_true(fault(place, STORE));
	assert_int_equal(v->regs->rcx, entry(d, page, RW));
	assert_int_equal(frame_type_count(frame_at(page)), 1);
}

int fault_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spurious),
#define STORES(name) cmocka_unit_test_setup_teardown(name, start_store, stop)
		STORES(test_mov), STORES(test_store_refused), STORES(test_read_modify_write), STORES(test_write_protect),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
