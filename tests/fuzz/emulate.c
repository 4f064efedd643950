/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the decoder of emulated instructions. The first byte chooses the code mode, the rest are instruction bytes. Built as a
 * libFuzzer program (clang -fsanitize=fuzzer), and run over random bytes by tests/host/pv_decode.
 */
#include <stdlib.h>
#include <hv/errno.h>
#include "../../hypervisor/arch/x86/pv/decode.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check(const struct insn *i, u32 given)
{
	if (i->op > INSN_BTC || i->len == 0 || i->len > given)
		abort();
	if (i->addr_size != 2 && i->addr_size != 4 && i->addr_size != 8)
		abort();
	if (i->op == INSN_UNKNOWN)
		return;
	if ((i->rm != INSN_NO_REG && i->rm > 15) || (i->base != INSN_NO_REG && i->base > 15) ||
	    (i->index != INSN_NO_REG && i->index > 15) || i->scale > 3 || i->reg > 15 || i->seg > SEG_GS)
		abort();
	if (i->op >= INSN_MOV_STORE && (i->size == 0 || i->size > 8 || (i->size & (i->size - 1)) || (i->reg_high && i->size != 1)))
		abort();
	if (i->op >= INSN_IN && i->op <= INSN_OUTS && i->size != 1 && i->size != 2 && i->size != 4)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	enum code_mode mode;
	struct insn whole, part;
	u32 count;
	int rc;

	if (size < 2)
		return 0;
	mode = data[0] % 3;
	data++;
	count = (u32)MIN(size - 1, INSN_MAX);
	rc = insn_decode(&whole, data, count, mode);
	if (rc == 0)
		check(&whole, count);
	else if (rc != -EAGAIN && rc != -EINVAL)
		abort();
	if (rc == -EAGAIN && count == INSN_MAX)
		abort();
	/* A part is enough exactly when it holds the whole instruction, and gives the same result. */
	for (u32 n = 1; n < count && rc == 0; n++) {
		int part_rc = insn_decode(&part, data, n, mode);

		if (n < whole.len ? part_rc != -EAGAIN : part_rc != 0 || part.len != whole.len || part.op != whole.op)
			abort();
	}
	return 0;
}
