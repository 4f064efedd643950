/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercall page of 64-bit PV guests: a 32-byte stub for each hypercall. */
#include <hv/pv.h>
#include <hv/string.h>

#define STUB_SIZE 32u

void pv_hypercall_page_fill(void *page)
{
	/* push %rcx; push %r11; mov $nr,%eax; syscall; pop %r11; pop %rcx; ret */
	static const u8 call[] = {
		0x51, 0x41, 0x53, 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3,
	};
	/* iret does not come back: push %rcx; push %r11; push %rax; mov $nr,%eax; syscall; ud2 */
	static const u8 iret[] = {
		0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b,
	};
	u8 *stub = page;

	memset(page, 0xcc, PAGE_SIZE);
	for (u32 nr = 0; nr < PAGE_SIZE / STUB_SIZE; nr++, stub += STUB_SIZE) {
		if (nr == __HYPERVISOR_iret) {
			memcpy(stub, iret, sizeof(iret));
			continue;
		}
		memcpy(stub, call, sizeof(call));
		stub[4] = (u8)nr;
	}
}
