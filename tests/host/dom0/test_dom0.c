/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0 is built from a kernel that the test makes, and runs; kernels and machines that will not do end in a clear message. XPTI. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/boot.h>
#include <hv/elf.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <xen/features.h>
#include <zlib.h>
#include "../full/full.h"
#include "../../../hypervisor/arch/x86/pv/mmu.h"

#define BASE 0xffffffff80000000UL
#define TEXT 0x100000UL
#define FILE_SIZE 0x4000u
#define KERNEL_FRAME 0x100u
#define INITRD_FRAME 0x120u

static u8 file[FILE_SIZE];
static size_t notes_len;
/* What the notes say. */
static u32 supported = 1u << XENFEAT_dom0 | 1;
static u64 virt_base = BASE, init_p2m = 0x8000000000UL;
static struct boot_module kernel, initrd;
static const char *cmdline;
static struct domain *d;

static void note_add(u32 type, const void *desc, u32 len)
{
	u32 header[] = { 4, len, type };
	u8 *p = file + 0x800 + notes_len;

	memcpy(p, header, 12);
	memcpy(p + 12, "Xen", 4);
	memcpy(p + 16, desc, len);
	notes_len += ROUND_UP(16 + len, 4U);
	((Elf64_Phdr *)(file + sizeof(Elf64_Ehdr)) + 1)->p_filesz = notes_len;
}

static void note_u64(u32 type, u64 val) { note_add(type, &val, 8); }
static void note_text(u32 type, const char *text) { note_add(type, text, (u32)strlen(text) + 1); }

static void file_make(bool p2m, bool initrd_pfn)
{
	Elf64_Ehdr *e = (Elf64_Ehdr *)file;
	Elf64_Phdr *ph = (Elf64_Phdr *)(file + sizeof(*e));
	u32 one = 1;

	memset(file, 0, sizeof(file));
	notes_len = 0;
	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS64;
	e->e_ident[EI_DATA] = ELFDATA2LSB;
	e->e_type = ET_EXEC;
	e->e_machine = EM_X86_64;
	e->e_entry = TEXT;
	e->e_phoff = sizeof(*e);
	e->e_phentsize = sizeof(*ph);
	e->e_phnum = 2;
	ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = 7, .p_offset = 0x1000, .p_paddr = TEXT, .p_vaddr = BASE + TEXT,
			      .p_filesz = 0x3000, .p_memsz = 0x8000 };
	ph[1] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x800, .p_align = 4 };
	note_text(ELF_NOTE_GUEST_OS, "linux");
	note_text(ELF_NOTE_XEN_VERSION, "xen-3.0");
	note_u64(ELF_NOTE_VIRT_BASE, virt_base);
	note_u64(ELF_NOTE_ENTRY, BASE + TEXT + 0x40);
	note_u64(ELF_NOTE_HYPERCALL_PAGE, BASE + TEXT + 0x4000);
	note_add(ELF_NOTE_SUPPORTED_FEATURES, &supported, 4);
	if (p2m)
		note_u64(ELF_NOTE_INIT_P2M, init_p2m);
	if (initrd_pfn)
		note_add(ELF_NOTE_MOD_START_PFN, &one, 4);
	for (u32 i = 0; i < 0x3000; i++)
		file[0x1000 + i] = (u8)(i * 7 + 1);
}

/* The modules lie in memory that the heap does not have. */
static void module_place(struct boot_module *m, u32 frame, const void *data, size_t size)
{
	*m = (struct boot_module){ .start = paddr((u64)frame << PAGE_SHIFT), .size = size };
	memcpy(sim_direct_map + m->start.v, data, size);
}

static struct frame *taken;

static void machine(u32 frames)
{
	sim_frames = frames;
	sim_start(2);
	/* The heap gives this block to nobody else. */
	taken = frames_alloc(6, 0);
	assert_non_null(taken);
	module_place(&kernel, (u32)frame_mfn(taken).v, file, sizeof(file));
	cmdline = "root=/dev/sda1 console=hvc0";
}

static void build(void *arg)
{
	d = dom0_build(&kernel, arg, cmdline);
}

static u64 walk(gva_t va)
{
	u64 table = d->vcpu[0]->pv->kernel_root.v, e = 0;

	for (unsigned int level = 4; level >= 1; level--) {
		e = ((u64 *)mfn_virt(mfn(table)))[pte_index(va, level)];
		if (!(e & PTE_PRESENT))
			return 0;
		table = pte_mfn(e).v;
	}
	return e;
}

static void *at(gva_t va)
{
	u64 e = walk(va);

	assert_true(e & PTE_PRESENT);
	return (u8 *)mfn_virt(pte_mfn(e)) + va % PAGE_SIZE;
}

static void check_start_info(bool p2m, bool pfn, size_t initrd_size)
{
	struct vcpu *v = d->vcpu[0];
	struct start_info *si = at(v->saved_regs.rsi);
	u64 *list;

	assert_string_equal(si->magic, "xen-3.0-x86_64");
	assert_int_equal(si->nr_pages, d->memory.pages);
	assert_int_equal(si->flags & (SIF_PRIVILEGED | SIF_INITDOMAIN), SIF_PRIVILEGED | SIF_INITDOMAIN);
	assert_string_equal((char *)si->cmd_line, cmdline);
	assert_int_equal(si->mod_len, initrd_size);
	assert_int_equal((si->flags & SIF_MOD_START_PFN) != 0, pfn && initrd_size);
	assert_int_equal(si->mfn_list, p2m ? 0x8000000000UL : si->mfn_list);
	/* Each entry of the list is a frame of dom0's that knows its number. */
	for (u64 i = 0; i < si->nr_pages; i++) {
		list = at(si->mfn_list + i * 8);
		assert_int_equal(m2p_get(mfn(*list)), i);
		assert_int_equal(frame_of(mfn(*list))->owner, 0);
	}
	if (initrd_size && !pfn)
		assert_int_equal(*(u8 *)at(si->mod_start + 5), 5);
	if (initrd_size && pfn)
		assert_int_equal(((u8 *)mfn_virt(mfn(*(u64 *)at(si->mfn_list + si->mod_start * 8))))[5], 5);
	/* Its tables are read-only for it, and pinned. */
	for (u64 i = 0; i < si->nr_pt_frames; i++)
		assert_false(walk(si->pt_base + i * PAGE_SIZE) & PTE_WRITE);
	assert_true(frame_type_pinned(frame_of(v->pv->kernel_root)));
}

static void test_build(void **state)
{
	u8 disk[5000];

	(void)state;
	for (u32 i = 0; i < sizeof(disk); i++)
		disk[i] = (u8)i;
	for (u32 how = 0; how < 8; how++) {
		bool p2m = how & 1, pfn = how & 2, with = how & 4;

		file_make(p2m, pfn);
		machine(16384);
		sim_preempt_every(how == 7);
		module_place(&initrd, (u32)frame_mfn(taken).v + 16, disk, sizeof(disk));
		assert_int_equal(full_run(build, with ? &initrd : NULL), FULL_GOES_ON);
		sim_preempt_every(0);
		assert_ptr_equal(d, dom0);
		assert_memory_equal(at(BASE + TEXT), file + 0x1000, 0x1000);
		/* Memory behind the file's part is clear, and the hypercall page is not. */
		assert_int_equal(*(u8 *)at(BASE + TEXT + 0x3000), 0);
		assert_int_not_equal(*(u8 *)at(BASE + TEXT + 0x4000), 0);
		assert_int_equal(d->vcpu[0]->saved_regs.rip, BASE + TEXT + 0x40);
		check_start_info(p2m, pfn, with ? sizeof(disk) : 0);
		sim_check();
		/* It may touch most of the machine, and not the interrupt controllers. */
		assert_true(rangeset_contains(d->ioports, 0x1f0, 0x1f7));
		assert_false(rangeset_overlaps(d->ioports, 0x20, 0x21));
		assert_false(rangeset_overlaps(d->iomem, 0xfee00, 0xfee00));
		assert_false(rangeset_overlaps(d->iomem, 0xfec00, 0xfec00));
		/* And it runs. */
		domain_put(d);
		d->controller_pause_count = 0;
		domain_unpause(d);
		full_settle();
		assert_true(full_current(d->vcpu[0]->cpu) == d->vcpu[0]);
		assert_int_equal(full_hypercall(d->vcpu[0], __HYPERVISOR_xen_version, 0, 0, 0, 0, 0), 4 << 16 | 17);
		frames_free(taken, 6);
		sim_stop();
	}
}

static void test_compressed(void **state)
{
	static u8 packed[FILE_SIZE];
	z_stream z = { .next_in = file, .avail_in = sizeof(file), .next_out = packed, .avail_out = sizeof(packed) };

	(void)state;
	file_make(true, true);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	machine(16384);
	module_place(&kernel, (u32)frame_mfn(taken).v, packed, z.total_out);
	assert_int_equal(full_run(build, NULL), FULL_GOES_ON);
	assert_memory_equal(at(BASE + TEXT), file + 0x1000, 0x1000);
	domain_put(d);
	frames_free(taken, 6);
	sim_stop();
	/* A damaged one is refused. */
	for (u32 i = 20; i < z.total_out; i += 97) {
		packed[i] ^= 0x40;
		machine(16384);
		module_place(&kernel, (u32)frame_mfn(taken).v, packed, z.total_out);
		assert_int_equal(full_run(build, NULL), FULL_BUG);
		packed[i] ^= 0x40;
	}
}

static void test_refused(void **state)
{
	(void)state;
	for (u32 i = 0; i < 9; i++) {
		u32 frames = 16384, none = 0;

		supported = i == 4 ? none : 1u << XENFEAT_dom0 | 1;
		init_p2m = i == 6 ? BASE + TEXT : 0x8000000000UL;
		virt_base = i == 8 ? HV_VIRT_START : BASE;
		file_make(true, true);
		switch (i) {
		case 0: file[0] = 0; break;				/* neither ELF nor compressed */
		case 1: ((Elf64_Ehdr *)file)->e_machine = 3; break;
		case 2: memset(file + 0x800, 0, 0x200); break;		/* no notes */
		case 3: file[sizeof(Elf64_Ehdr) + 4] = 0; ((Elf64_Ehdr *)file)->e_phoff = 0x10000; break;
		case 5: frames = 4096; break;				/* too little memory */
		case 7: ((Elf64_Phdr *)(file + sizeof(Elf64_Ehdr)))->p_memsz = 1UL << 34; break;
		default: break;						/* the notes */
		}
		machine(frames);
		if (full_run(build, NULL) != FULL_BUG)
			fail_msg("kernel %u is accepted", i);
	}
	virt_base = BASE;
	/* No machine is left in a state that the next one inherits. */
	file_make(true, true);
	machine(16384);
	frames_free(taken, 6);
	sim_stop();
}

/* Memory runs out at every point: a message, never a fault. */
static void test_no_memory(void **state)
{
	(void)state;
	file_make(true, true);
	for (u32 n = 1; n < 60; n++) {
		enum full_end end;

		machine(16384);
		sim_fail_alloc(n);
		end = full_run(build, NULL);
		if (!sim_alloc_failed())
			break;
		/* dom0's memory comes in smaller pieces when there are no larger ones. */
		assert_true(end == FULL_BUG || end == FULL_GOES_ON);
	}
}

/* --- XPTI --- */

static void test_xpti(void **state)
{
	struct vcpu *v;
	u64 *shadow, *l4;
	u32 pfn;

	(void)state;
	sim_frames = 2048;
	full_xpti = true;
	sim_start(2);
	d = sim_domain(1, false, 1, 64);
	v = sim_run_vcpu(d, 0);
	assert_int_not_equal(cpu_info_of(0)->shadow_cr3, 0);
	assert_int_equal(cpu_info_of(0)->guest_cr3, mfn_paddr(v->pv->kernel_root).v);
	shadow = mfn_virt(paddr_mfn(paddr(cpu_info_of(0)->shadow_cr3)));
	l4 = mfn_virt(v->pv->kernel_root);
	assert_memory_equal(shadow, l4, HV_L4_FIRST * 8);
	assert_memory_equal(shadow + HV_L4_LAST + 1, l4 + HV_L4_LAST + 1, (511 - HV_L4_LAST) * 8);
	/* Of the hypervisor there is the first slot alone, and that one is not the whole one. */
	assert_int_not_equal(shadow[HV_L4_FIRST], l4[HV_L4_FIRST]);
	for (u32 i = HV_L4_FIRST + 1; i <= HV_L4_LAST; i++)
		assert_int_equal(shadow[i], 0);
	/* A change of the root is followed at once. */
	pfn = sim_table(d, 4, 0);
	{
		struct mmu_update u = { .ptr = mfn_paddr(sim_mfn(d, pfn)).v + 8 * 3 };
		gva_t list = sim_alloc(d, 64);

		u.val = mfn_paddr(sim_mfn(d, sim_table(d, 3, 0))).v | 0x67;
		assert_int_equal(guest_copy_out(v, list, &u, sizeof(u)), 0);
		assert_int_equal(full_hypercall(v, __HYPERVISOR_mmu_update, list, 1, 0, DOMID_SELF, 0), 0);
	}
	assert_int_not_equal(l4[3], 0);
	assert_int_equal(shadow[3], l4[3]);
	full_xpti = false;
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build), cmocka_unit_test(test_compressed), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_xpti),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
