/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/start.h>
#include <guest/user.h>

#define USER_CS	   FLAT_USER_CS64
#define USER_SS	   FLAT_USER_SS64
#define FLAGS_IF   0x200

static u64 *user_root;

int user_init(void)
{
	int ret;

	user_root = page_alloc();
	ret = table_pin(user_root, 4);
	return ret ? ret : mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, va_mfn(user_root));
}

int user_map(u64 va, u64 mfn, u64 flags)
{
	return root_map(user_root, va, mfn_pte(mfn, flags | PTE_US));
}

const u64 *user_entry(u64 va)
{
	return pte_find_in(user_root, va, 1);
}

int user_load(const void *code, size_t n)
{
	size_t at;
	int ret;

	for (at = 0; at < n; at += PAGE_SIZE) {
		u8 *page = page_alloc();
		size_t part = n - at < PAGE_SIZE ? n - at : PAGE_SIZE;

		memcpy(page, (const u8 *)code + at, part);
		ret = user_map(USER_CODE + at, va_mfn(page), PTE_READONLY);
		if (ret)
			return ret;
	}
	return user_map(USER_STACK - PAGE_SIZE, va_mfn(page_alloc()), PTE_KERNEL);
}

void user_frame(struct trap_frame *f, u64 offset, u64 arg)
{
	*f = (struct trap_frame){
		.rdi = arg,
		.rip = USER_CODE + offset,
		.cs = USER_CS,
		.rflags = FLAGS_IF,
		/* As if called: the ABI wants the stack 8 below a multiple of 16. */
		.rsp = USER_STACK - 8,
		.ss = USER_SS,
	};
}

void user_run(struct trap_frame *f)
{
	struct vcpu_data *v = vcpu_this();
	struct context here;

	if (context_save(&here) == 0) {
		v->user_frame = f;
		v->user_caller = &here;
		trap_frame_enter(f);
	}
	v->user_caller = NULL;
}
