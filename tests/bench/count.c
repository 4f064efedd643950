/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugin of QEMU's emulator: counts instructions between the marks that the kernel in tests/bench/paths executes, by address, and
 * those that cost more on hardware than their number says. Writes to the file of argument out=FILE, for each stretch:
 *	begin
 *	insn ADDRESS COUNT [CLASS]	(in no order)
 *	ipi COUNT			(writes to the local APIC's command register)
 *	end
 * With boot=FILE instead it counts all instructions since the firmware ran for the last time, which is when the boot loader handed over:
 *	boot HYPERVISOR OTHER HYPERVISOR OTHER	(at the first end mark; the first two since the kernel runs at its own addresses)
 * With latency=FILE and symbols=FILE (lines "address name") it measures stretches in the hypervisor, and says at the end which was the longest of each
 * entry, by the last symbol that was entered:
 *	longest NAME UNPREEMPTIBLE INTERRUPTS_OFF	(from the entry, a preemption point or STI to the next of these or the way out)
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The part of version 1 of the interface that is used here. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
enum { CB_NO_REGS = 0, MEM_WRITE = 2, INLINE_ADD = 0 };
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*cb)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned int cpu, void *data), int flags,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned int cpu, uint32_t info, uint64_t vaddr, void *data), int flags, int rw,
				      void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*cb)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr, uint64_t imm);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t vaddr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *h);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

#define MARK_BEGIN "\x0f\x1f\x80" "BENK"
#define MARK_END   "\x0f\x1f\x80" "BENE"
#define APIC_COMMAND 0xfee00300u
#define BUCKETS 65536

struct insn {
	struct insn *next;
	uint64_t address, count;
	const char *class;
};

static struct insn *buckets[BUCKETS];
static bool active;
static uint64_t ipis;
static FILE *out;

/* What is expensive, or says how the TLB is treated. */
static const char *classify(const uint8_t *c, size_t n)
{
	size_t i = 0;
	bool lock = false;
	uint8_t reg;

	while (i < n && (c[i] == 0xf0 || c[i] == 0xf2 || c[i] == 0xf3 || c[i] == 0x2e || c[i] == 0x3e || c[i] == 0x66 || c[i] == 0x65 ||
			 c[i] == 0x64 || (c[i] & 0xf0) == 0x40))
		lock |= c[i++] == 0xf0;
	if (lock)
		return "locked";
	if (i + 1 >= n)
		return i < n && c[i] == 0xcf ? "iret" : i < n && (c[i] & 0xf6) == 0xe4 ? "port" : i < n && c[i] >= 0xec && c[i] <= 0xef ? "port" : NULL;
	reg = i + 2 < n ? c[i + 2] >> 3 & 7 : 0;
	/* XCHG with memory locks by itself. */
	if ((c[i] == 0x86 || c[i] == 0x87) && c[i + 1] >> 6 != 3)
		return "locked";
	if (c[i] == 0x8e)
		return "segment";
	if (c[i] == 0xcf)
		return "iret";
	if (c[i] >= 0xe4 && c[i] <= 0xe7)
		return "port";
	if (c[i] != 0x0f)
		return NULL;
	switch (c[i + 1]) {
	case 0x00:
		return reg == 2 || reg == 3 ? "segment" : reg == 4 || reg == 5 ? "verw" : NULL;
	case 0x01:
		return i + 2 >= n || c[i + 2] >> 6 == 3 ? NULL : reg == 7 ? "invlpg" : reg == 2 || reg == 3 ? "segment" : NULL;
	case 0x07:
		return "sysret";
	case 0x22:
		return reg == 3 ? "cr3" : reg == 4 ? "cr4" : "cr0";
	case 0x06:
		return "cr0";
	case 0x30:
		return "wrmsr";
	case 0x32:
		return "rdmsr";
	case 0xa2:
		return "cpuid";
	default:
		return NULL;
	}
}

static struct insn *insn_get(uint64_t address, const char *class)
{
	struct insn **at = &buckets[address % BUCKETS], *i;

	for (i = *at; i; i = i->next)
		if (i->address == address && i->class == class)
			return i;
	i = calloc(1, sizeof(*i));
	*i = (struct insn){ .next = *at, .address = address, .class = class };
	*at = i;
	return i;
}

static void on_insn(unsigned int cpu, void *data)
{
	(void)cpu;
	((struct insn *)data)->count += active;
}

static void on_begin(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	active = true;
}

static void on_end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (!active)
		return;
	active = false;
	fprintf(out, "begin\n");
	for (unsigned int b = 0; b < BUCKETS; b++)
		for (struct insn *i = buckets[b]; i; i = i->next) {
			if (i->count)
				fprintf(out, "insn %llx %llu %s\n", (unsigned long long)i->address,
					(unsigned long long)i->count, i->class ? i->class : "");
			i->count = 0;
		}
	fprintf(out, "ipi %llu\nend\n", (unsigned long long)ipis);
	ipis = 0;
	fflush(out);
}

static void on_store(unsigned int cpu, uint32_t info, uint64_t vaddr, void *data)
{
	const struct qemu_plugin_hwaddr *h;

	(void)cpu;
	(void)data;
	/* Only pages of device memory have this offset of the command register in them, and few stores get here. */
	if (!active || (vaddr & 0xfff) != (APIC_COMMAND & 0xfff))
		return;
	h = qemu_plugin_get_hwaddr(info, vaddr);
	ipis += h && (qemu_plugin_hwaddr_phys_addr(h) & 0xffffffff) == APIC_COMMAND;
}

static void on_translate(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		const uint8_t *code = qemu_plugin_insn_data(insn);
		size_t size = qemu_plugin_insn_size(insn);

		/* The early boot, GRUB among it, and user mode are no one's concern. */
		if (address >> 32 == 0 && address >> 22 != 1)
			continue;
		if (size == 7 && !memcmp(code, MARK_BEGIN, 7)) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, CB_NO_REGS, NULL);
		} else if (size == 7 && !memcmp(code, MARK_END, 7)) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, NULL);
		} else {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, CB_NO_REGS, insn_get(address, classify(code, size)));
			qemu_plugin_register_vcpu_mem_cb(insn, on_store, CB_NO_REGS, MEM_WRITE, NULL);
		}
	}
}

/* --- the boot --- */

static uint64_t done[2], before[2];	/* instructions of the hypervisor, of all else */
static bool kernel_runs;

static void on_firmware(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	done[0] = done[1] = 0;
}

static void on_kernel(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (!kernel_runs)
		memcpy(before, done, sizeof(before));
	kernel_runs = true;
}

static void on_booted(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	fprintf(out, "boot %llu %llu %llu %llu\n", (unsigned long long)(done[0] - before[0]), (unsigned long long)(done[1] - before[1]),
		(unsigned long long)done[0], (unsigned long long)done[1]);
	fflush(out);
}

static void on_translate_boot(plugin_id id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (address >= 0xf0000 && address < 0x100000) {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_firmware, CB_NO_REGS, NULL);
		return;
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, &done[address >> 43 == 0xffff800000000000 >> 43 ? 0 : 1], n);
	if (!kernel_runs && address >= 0xffffffff80000000)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_kernel, CB_NO_REGS, NULL);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (qemu_plugin_insn_size(insn) == 7 && !memcmp(qemu_plugin_insn_data(insn), MARK_END, 7))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_booted, CB_NO_REGS, NULL);
	}
}

/* --- stretches in the hypervisor --- */

#define CPUS 64
#define OPCODE_STI 0xfb

struct symbol {
	uint64_t address, unpreemptible, masked;	/* the longest */
	char name[64];
};

static struct symbol symbols[4096], other = { .name = "other" };
static unsigned int nr_symbols;
static const char *preempt_name = "preempt_needed";

struct block {
	unsigned int size;
	bool inside, preempts, opens;	/* the hypervisor's; is a preemption point; lets interrupts in at its end */
	struct symbol *symbol;
};

static struct cpu {
	uint64_t unpreemptible, masked;
	struct symbol *symbol;
	bool inside, opened, guest_ran;
} cpus[CPUS];

static void longest(uint64_t *most, uint64_t *now)
{
	if (*now > *most)
		*most = *now;
	*now = 0;
}

static void on_block(unsigned int cpu, void *data)
{
	const struct block *b = data;
	struct cpu *c = &cpus[cpu % CPUS];

	if (!b->inside) {
		if (c->inside && c->guest_ran) {
			longest(&c->symbol->unpreemptible, &c->unpreemptible);
			longest(&c->symbol->masked, &c->masked);
		}
		c->inside = false;
		c->guest_ran = true;
		return;
	}
	if (!c->guest_ran)
		return;
	if (!c->inside) {
		c->inside = true;
		c->symbol = &other;
		c->unpreemptible = c->masked = 0;
	} else if (c->opened) {
		longest(&c->symbol->masked, &c->masked);
		longest(&c->symbol->unpreemptible, &c->unpreemptible);
	}
	if (b->preempts)
		longest(&c->symbol->unpreemptible, &c->unpreemptible);
	if (b->symbol)
		c->symbol = b->symbol;
	c->opened = b->opens;
	c->unpreemptible += b->size;
	c->masked += b->size;
}

static void on_translate_latency(plugin_id id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b;

	(void)id;
	/* Before the first guest runs nothing counts: its addresses are the upper half's, or user mode's from the kernel's on. */
	if (address < 0xffff800000000000 && !cpus[0].guest_ran)
		return;
	b = calloc(1, sizeof(*b));
	b->size = (unsigned int)n;
	b->inside = address >> 43 == 0xffff800000000000 >> 43;
	for (unsigned int i = 0; b->inside && i < nr_symbols; i++)
		if (symbols[i].address == address) {
			b->preempts = !strcmp(symbols[i].name, preempt_name);
			b->symbol = b->preempts ? NULL : &symbols[i];
		}
	b->opens = *(const uint8_t *)qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, n - 1)) == OPCODE_STI;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, CB_NO_REGS, b);
}

static void on_exit_latency(plugin_id id, void *data)
{
	(void)id;
	(void)data;
	for (unsigned int i = 0; i < nr_symbols; i++)
		if (symbols[i].masked || symbols[i].unpreemptible)
			fprintf(out, "longest %s %llu %llu\n", symbols[i].name, (unsigned long long)symbols[i].unpreemptible,
				(unsigned long long)symbols[i].masked);
	fprintf(out, "longest %s %llu %llu\n", other.name, (unsigned long long)other.unpreemptible, (unsigned long long)other.masked);
	fflush(out);
}

static void symbols_read(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned long long address;

	while (f && nr_symbols < 4096 && fscanf(f, "%llx %63s", &address, symbols[nr_symbols].name) == 2)
		symbols[nr_symbols++].address = address;
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	bool boot = false, latency = false;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "symbols=", 8)) {
			symbols_read(argv[i] + 8);
			continue;
		}
		boot |= !strncmp(argv[i], "boot=", 5);
		latency |= !strncmp(argv[i], "latency=", 8);
		out = fopen(strchr(argv[i], '=') + 1, "w");
	}
	if (!out)
		return -1;
	if (latency)
		qemu_plugin_register_atexit_cb(id, on_exit_latency, NULL);
	qemu_plugin_register_vcpu_tb_trans_cb(id, latency ? on_translate_latency : boot ? on_translate_boot : on_translate);
	return 0;
}
