/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder of emulated instructions: bytes as an assembler makes them, and random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/string.h>
#include "../../../hypervisor/arch/x86/pv/decode.h"

#define NONE INSN_NO_REG

#include "../../fuzz/emulate.c"

struct expected {
	const char *bytes;
	u8 len, mode, op, size, addr_size, rm, reg;
	bool rep;
};

static const struct expected table[] = {
	/* in al,0x60; in eax,0x60; 66 in ax,dx; in eax,dx */
	{ "\xe4\x60", 2, CODE_64, INSN_IN, 1, 8, NONE, 0, false },
	{ "\xe5\x60", 2, CODE_64, INSN_IN, 4, 8, NONE, 0, false },
	{ "\x66\xed", 2, CODE_64, INSN_IN, 2, 8, NONE, 0, false },
	{ "\xed", 1, CODE_64, INSN_IN, 4, 8, NONE, 0, false },
	{ "\x48\xed", 2, CODE_64, INSN_IN, 4, 8, NONE, 0, false },
	{ "\xed", 1, CODE_16, INSN_IN, 2, 2, NONE, 0, false },
	{ "\x66\xed", 2, CODE_16, INSN_IN, 4, 2, NONE, 0, false },
	{ "\xee", 1, CODE_64, INSN_OUT, 1, 8, NONE, 0, false },
	{ "\xe7\x80", 2, CODE_32, INSN_OUT, 4, 4, NONE, 0, false },
	{ "\xf3\x6d", 2, CODE_64, INSN_INS, 4, 8, NONE, 0, true },
	{ "\xf3\x66\x6f", 3, CODE_64, INSN_OUTS, 2, 8, NONE, 0, true },
	{ "\x67\x6c", 2, CODE_64, INSN_INS, 1, 4, NONE, 0, false },
	{ "\x67\x6c", 2, CODE_32, INSN_INS, 1, 2, NONE, 0, false },
	{ "\xfa", 1, CODE_64, INSN_CLI, 0, 8, NONE, 0, false },
	{ "\xfb", 1, CODE_64, INSN_STI, 0, 8, NONE, 0, false },
	{ "\xf4", 1, CODE_64, INSN_UNKNOWN, 0, 8, NONE, 0, false },
	{ "\x0f\x06", 2, CODE_64, INSN_CLTS, 0, 8, NONE, 0, false },
	{ "\x0f\x08", 2, CODE_64, INSN_INVD, 0, 8, NONE, 0, false },
	{ "\x0f\x09", 2, CODE_64, INSN_WBINVD, 0, 8, NONE, 0, false },
	{ "\x0f\x30", 2, CODE_64, INSN_WRMSR, 0, 8, NONE, 0, false },
	{ "\x0f\x31", 2, CODE_64, INSN_RDTSC, 0, 8, NONE, 0, false },
	{ "\x0f\x32", 2, CODE_64, INSN_RDMSR, 0, 8, NONE, 0, false },
	{ "\x0f\x33", 2, CODE_64, INSN_RDPMC, 0, 8, NONE, 0, false },
	{ "\x0f\xa2", 2, CODE_64, INSN_CPUID, 0, 8, NONE, 0, false },
	{ "\x0f\x01\xd1", 3, CODE_64, INSN_XSETBV, 0, 8, 1, 0, false },
	{ "\x0f\x01\xf8", 3, CODE_64, INSN_SWAPGS, 0, 8, 0, 0, false },
	{ "\x0f\x01\xf8", 3, CODE_32, INSN_UNKNOWN, 0, 4, 0, 0, false },
	{ "\x0f\x01\xf9", 3, CODE_64, INSN_RDTSCP, 0, 8, 1, 0, false },
	/* mov rax,cr0; mov cr3,rbx; mov r9,cr8; mov dr7,rdi; mov esi,dr6 in 32-bit code */
	{ "\x0f\x20\xc0", 3, CODE_64, INSN_MOV_FROM_CR, 8, 8, 0, 0, false },
	{ "\x0f\x22\xdb", 3, CODE_64, INSN_MOV_TO_CR, 8, 8, 3, 3, false },
	{ "\x45\x0f\x20\xc1", 4, CODE_64, INSN_MOV_FROM_CR, 8, 8, 9, 8, false },
	{ "\x0f\x23\xff", 3, CODE_64, INSN_MOV_TO_DR, 8, 8, 7, 7, false },
	{ "\x0f\x21\xf6", 3, CODE_32, INSN_MOV_FROM_DR, 4, 4, 6, 6, false },
	/* smsw eax; smsw [rax]; lmsw cx; invlpg [rdi] */
	{ "\x0f\x01\xe0", 3, CODE_64, INSN_SMSW, 4, 8, 0, 0, false },
	{ "\x48\x0f\x01\xe0", 4, CODE_64, INSN_SMSW, 8, 8, 0, 0, false },
	{ "\x0f\x01\x20", 3, CODE_64, INSN_SMSW, 2, 8, NONE, 0, false },
	{ "\x0f\x01\xf1", 3, CODE_64, INSN_LMSW, 2, 8, 1, 0, false },
	{ "\x0f\x01\x3f", 3, CODE_64, INSN_INVLPG, 0, 8, NONE, 0, false },
	/* A REX prefix in front of another prefix is lost; LOCK makes it somebody else's; other instructions. */
	{ "\x48\x66\xed", 3, CODE_64, INSN_IN, 2, 8, NONE, 0, false },
	{ "\xf0\x0f\x32", 3, CODE_64, INSN_UNKNOWN, 0, 8, NONE, 0, false },
	{ "\x90", 1, CODE_64, INSN_UNKNOWN, 0, 8, NONE, 0, false },
	{ "\x0f\x01\xd0", 3, CODE_64, INSN_UNKNOWN, 0, 8, 0, 0, false },
	/* Stores: mov [rdi],rax; mov [rdi],ah; mov [rdi],spl; mov qword [rdi],imm; mov byte [rdi],imm; mov word [rdi],imm */
	{ "\x48\x89\x07", 3, CODE_64, INSN_MOV_STORE, 8, 8, NONE, 0, false },
	{ "\x88\x27", 2, CODE_64, INSN_MOV_STORE, 1, 8, NONE, 0, false },
	{ "\x40\x88\x27", 3, CODE_64, INSN_MOV_STORE, 1, 8, NONE, 4, false },
	{ "\x48\xc7\x07\x01\x02\x03\x04", 7, CODE_64, INSN_MOV_STORE, 8, 8, NONE, 0, false },
	{ "\xc6\x07\x05", 3, CODE_64, INSN_MOV_STORE, 1, 8, NONE, 0, false },
	{ "\x66\xc7\x07\x05\x06", 5, CODE_64, INSN_MOV_STORE, 2, 8, NONE, 0, false },
	/* lock andb $0xfd,[rdi]; lock or [rdi],rax; xor [rbx+8],r9; add dword [rdi],imm8; sub qword [rdi],imm32 */
	{ "\xf0\x80\x27\xfd", 4, CODE_64, INSN_AND, 1, 8, NONE, 0, false },
	{ "\xf0\x48\x09\x07", 4, CODE_64, INSN_OR, 8, 8, NONE, 0, false },
	{ "\x4c\x31\x4b\x08", 4, CODE_64, INSN_XOR, 8, 8, NONE, 9, false },
	{ "\x83\x07\x01", 3, CODE_64, INSN_ADD, 4, 8, NONE, 0, false },
	{ "\x48\x81\x2f\x00\x10\x00\x00", 7, CODE_64, INSN_SUB, 8, 8, NONE, 0, false },
	/* lock cmpxchg [rdi],rcx; xchg [rdi],rax; lock xadd [rdi],edx; lock btr [rdi],rax; lock bts/btr/btc qword [rdi],1 */
	{ "\xf0\x48\x0f\xb1\x0f", 5, CODE_64, INSN_CMPXCHG, 8, 8, NONE, 1, false },
	{ "\x48\x87\x07", 3, CODE_64, INSN_XCHG, 8, 8, NONE, 0, false },
	{ "\xf0\x0f\xc1\x17", 4, CODE_64, INSN_XADD, 4, 8, NONE, 2, false },
	{ "\xf0\x48\x0f\xb3\x07", 5, CODE_64, INSN_BTR, 8, 8, NONE, 0, false },
	{ "\xf0\x48\x0f\xba\x2f\x01", 6, CODE_64, INSN_BTS, 8, 8, NONE, 0, false },
	{ "\xf0\x48\x0f\xba\x37\x01", 6, CODE_64, INSN_BTR, 8, 8, NONE, 0, false },
	{ "\xf0\x48\x0f\xba\x3f\x01", 6, CODE_64, INSN_BTC, 8, 8, NONE, 0, false },
	/* To a register: bt; cmp; adc; mov r, r */
	{ "\x48\x0f\xba\x27\x01", 5, CODE_64, INSN_UNKNOWN, 8, 8, NONE, 0, false },
	{ "\x48\x83\x3f\x01", 4, CODE_64, INSN_UNKNOWN, 8, 8, NONE, 0, false },
	{ "\x48\x83\x17\x01", 4, CODE_64, INSN_UNKNOWN, 8, 8, NONE, 0, false },
	{ "\x48\x89\xc7", 3, CODE_64, INSN_UNKNOWN, 8, 8, NONE, 0, false },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(table); n++) {
		const struct expected *e = &table[n];
		struct insn i;

		assert_int_equal(insn_decode(&i, (const u8 *)e->bytes, e->len, e->mode), 0);
		if (i.op != e->op || i.len != e->len)
			fail_msg("entry %zu: op %u length %u", n, i.op, i.len);
		assert_int_equal(i.addr_size, e->addr_size);
		if (i.op == INSN_UNKNOWN)
			continue;
		assert_int_equal(i.size, e->size);
		assert_int_equal(i.rm, e->rm);
		assert_int_equal(i.reg, e->reg);
		assert_int_equal(i.rep, e->rep);
		for (u32 part = 0; part < e->len; part++)
			assert_int_equal(insn_decode(&i, (const u8 *)e->bytes, part, e->mode), -EAGAIN);
	}
}

static struct insn decode(const char *bytes, u32 len, enum code_mode mode)
{
	struct insn i;

	assert_int_equal(insn_decode(&i, (const u8 *)bytes, len, mode), 0);
	assert_int_equal(i.len, len);
	return i;
}

static void test_operands(void **state)
{
	struct insn i;

	(void)state;
	i = decode("\xe4\x71", 2, CODE_64);
	assert_false(i.port_dx);
	assert_int_equal(i.port, 0x71);
	assert_true(decode("\xef", 1, CODE_64).port_dx);
	/* invlpg [r12 + rcx * 4 + 0x12345678], [rip - 2], gs:[rbp - 8], [0x1000] */
	i = decode("\x41\x0f\x01\xbc\x8c\x78\x56\x34\x12", 9, CODE_64);
	assert_int_equal(i.base, 12);
	assert_int_equal(i.index, 1);
	assert_int_equal(i.scale, 2);
	assert_int_equal(i.disp, 0x12345678);
	i = decode("\x0f\x01\x3d\xfe\xff\xff\xff", 7, CODE_64);
	assert_true(i.rip_relative);
	assert_int_equal(i.base, INSN_NO_REG);
	assert_int_equal(i.disp, -2);
	i = decode("\x65\x0f\x01\x7d\xf8", 5, CODE_64);
	assert_int_equal(i.seg, SEG_GS);
	assert_int_equal(i.base, 5);
	assert_int_equal(i.disp, -8);
	i = decode("\x0f\x01\x3c\x25\x00\x10\x00\x00", 8, CODE_64);
	assert_int_equal(i.base, INSN_NO_REG);
	assert_int_equal(i.index, INSN_NO_REG);
	assert_int_equal(i.disp, 0x1000);
	assert_int_equal(i.seg, SEG_DS);
	/* rsp as a base means the stack segment; as an index, none; r12 can be one */
	i = decode("\x0f\x01\x3c\x24", 4, CODE_64);
	assert_int_equal(i.base, 4);
	assert_int_equal(i.index, INSN_NO_REG);
	assert_int_equal(i.seg, SEG_SS);
	assert_int_equal(decode("\x42\x0f\x01\x3c\x20", 5, CODE_64).index, 12);
	assert_int_equal(decode("\x64\x6e", 2, CODE_64).seg, SEG_FS);
	assert_int_equal(decode("\x6e", 1, CODE_64).seg, SEG_DS);
}

static void test_length(void **state)
{
	u8 bytes[INSN_MAX + 1];
	struct insn i;

	(void)state;
	memset(bytes, 0x66, sizeof(bytes));
	bytes[14] = 0xfa;
	assert_int_equal(insn_decode(&i, bytes, 15, CODE_64), 0);
	assert_int_equal(i.len, 15);
	bytes[14] = 0x66;
	bytes[15] = 0xfa;
	assert_int_equal(insn_decode(&i, bytes, 16, CODE_64), -EINVAL);
	assert_int_equal(insn_decode(&i, bytes, 14, CODE_64), -EAGAIN);
	assert_int_equal(insn_decode(&i, bytes, 0, CODE_64), -EAGAIN);
}

/* Bytes that lead somewhere are more frequent. */
static void test_random(void **state)
{
	static const u8 likely_bytes[] = { 0x0f, 0x01, 0x66, 0x67, 0xf3, 0xf2, 0x48, 0x6c, 0x6f, 0xec, 0xe4, 0x20, 0x22, 0x64 };
	u8 data[INSN_MAX + 1];

	(void)state;
	srandom(1);
	for (u32 n = 0; n < 300000; n++) {
		u32 len = 1 + (u32)random() % sizeof(data);

		for (u32 k = 0; k < len; k++)
			data[k] = random() & 1 ? (u8)random() : likely_bytes[(size_t)random() % sizeof(likely_bytes)];
		LLVMFuzzerTestOneInput(data, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
