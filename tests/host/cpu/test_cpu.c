/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot-time patching, the exception table, and the check of the lock order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <hv/alternative.h>
#include <hv/extable.h>
#include <hv/features.h>
#include <hv/log.h>
#include "../../../hypervisor/arch/x86/cpu/lock_order.h"

bool cpu_feature[CPU_FEATURES];

struct cpuid_leaf cpuid_host(u32 leaf, u32 subleaf)
{
	(void)leaf;
	(void)subleaf;
	return (struct cpuid_leaf){ 0 };
}

void bug_report(const char *what, const char *file, unsigned int line)
{
	fail_msg("%s:%u: %s", file, line, what);
	__builtin_unreachable();
}

/* One block, so that the distances fit into 32 bits as they do in the image. */
static struct {
	u8 old[16], new[16];
	struct alternative alt;
	struct extable_entry table[3];
	u8 text[64];
} t;

/* What the linker script gives in the image: tables without entries. */
__asm__(".globl alternatives_start, alternatives_end, extable_start, extable_end\n"
	".set alternatives_start, host_no_table\n.set alternatives_end, host_no_table\n"
	".data\n.balign 8\nhost_no_table: .quad 0\n"
	"extable_start:\n.long 1f - .\n.long 2f - .\n.long 3f - .\n.long 1f - .\nextable_end:\n"
	".text\n.globl place1, place2, place3\nplace1: 1: nop\nplace2: 2: nop\nplace3: 3: nop\n");
extern const u8 place1[], place2[], place3[];

static void alternative_set(u16 feature, u8 old_size, u8 new_size)
{
	t.alt = (struct alternative){
		.old = (s32)(t.old - (u8 *)&t.alt.old), .new = (s32)(t.new - (u8 *)&t.alt.new),
		.feature = feature, .old_size = old_size, .new_size = new_size,
	};
}

static void test_alternative(void **state)
{
	bool features[CPU_FEATURES] = { false };
	u8 code[16];

	(void)state;
	/* Nothing, padded to three bytes, or CLAC. */
	memset(t.old, 0x90, 3);
	memcpy(t.new, "\x0f\x01\xca", 3);
	alternative_set(CPU_SMAP, 3, 3);
	alternative_build(&t.alt, features, code);
	assert_memory_equal(code, "\x0f\x1f\x00", 3);
	features[CPU_SMAP] = true;
	alternative_build(&t.alt, features, code);
	assert_memory_equal(code, "\x0f\x01\xca", 3);
	/* The other way round. */
	alternative_set(CPU_SMAP | ALTERNATIVE_NOT, 3, 3);
	alternative_build(&t.alt, features, code);
	assert_memory_equal(code, "\x0f\x1f\x00", 3);
	/* A shorter replacement is padded with one long no-op; a longer original keeps its code. */
	memcpy(t.old, "\x48\x89\xe0\x48\x89\xc4\xc3", 7);
	memcpy(t.new, "\xc3", 1);
	alternative_set(CPU_SMAP, 7, 1);
	alternative_build(&t.alt, features, code);
	assert_memory_equal(code, "\xc3\x66\x0f\x1f\x44\x00\x00", 7);
	features[CPU_SMAP] = false;
	alternative_build(&t.alt, features, code);
	assert_memory_equal(code, t.old, 7);
	/* A removal of more than the longest no-op. */
	memset(t.old, 0x90, 12);
	alternative_set(CPU_SMAP, 12, 0);
	alternative_build(&t.alt, features, code);
	assert_memory_equal(code, "\x66\x0f\x1f\x84\x00\x00\x00\x00\x00\x0f\x1f\x00", 12);
}

static void test_alternative_jump(void **state)
{
	bool features[CPU_FEATURES] = { [CPU_SMEP] = true };
	s32 distance = 0x1000, moved;
	u8 code[16];

	(void)state;
	memset(t.old, 0x90, 8);
	t.new[0] = 0xe9;
	memcpy(t.new + 1, &distance, 4);
	alternative_set(CPU_SMEP, 8, 5);
	alternative_build(&t.alt, features, code);
	memcpy(&moved, code + 1, 4);
	/* The target as seen from the new place is the same. */
	assert_ptr_equal(t.new + 5 + distance, t.old + 5 + moved);
	assert_memory_equal(code + 5, "\x0f\x1f\x00", 3);
}

static void test_extable(void **state)
{
	(void)state;
	assert_int_equal(extable_find((u64)place1), (u64)place2);
	assert_int_equal(extable_find((u64)place3), (u64)place1);
	assert_int_equal(extable_find((u64)place2), 0);
	assert_int_equal(extable_find(0), 0);
}

static void test_lock_order(void **state)
{
	struct lock_order o = { 0 };

	(void)state;
	assert_true(lock_order_allows(&o, LOCK_DOMAIN, false));
	assert_true(lock_order_push(&o, LOCK_DOMAIN));
	assert_false(lock_order_allows(&o, LOCK_DOMAIN, false));
	assert_true(lock_order_allows(&o, LOCK_DOMAIN, true));
	assert_false(lock_order_allows(&o, LOCK_DOMLIST, true));
	assert_true(lock_order_allows(&o, LOCK_HEAP, false));
	assert_true(lock_order_allows(&o, 0, false));
	assert_true(lock_order_push(&o, LOCK_HEAP));
	assert_int_equal(lock_order_highest(&o), LOCK_HEAP);
	/* Released in another order than taken. */
	assert_true(lock_order_pop(&o, LOCK_DOMAIN));
	assert_false(lock_order_pop(&o, LOCK_DOMAIN));
	assert_int_equal(lock_order_highest(&o), LOCK_HEAP);
	assert_true(lock_order_pop(&o, LOCK_HEAP));
	assert_int_equal(lock_order_highest(&o), 0);
	for (unsigned int i = 0; i < LOCK_ORDER_DEPTH; i++)
		assert_true(lock_order_push(&o, 0));
	assert_false(lock_order_push(&o, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alternative), cmocka_unit_test(test_alternative_jump), cmocka_unit_test(test_extable),
		cmocka_unit_test(test_lock_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
