/* SPDX-License-Identifier: BSD-2-Clause */
/* SRAT and SLIT: which node processors and memory belong to, and how far nodes are apart (ACPI 6.4, 5.2.16 and 5.2.17). */
#include <hv/string.h>
#include "internal.h"

#define SRAT_ENTRIES 48
#define SLIT_MATRIX 44
#define DISTANCE_LOCAL 10
#define DISTANCE_REMOTE 20
#define FLAG_ENABLED 1
#define FLAG_HOTPLUG 2
#define FLAG_NONVOLATILE 4

enum srat_type { SRAT_LAPIC = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2 };

/* What an entry says; nothing is stored before the whole table is known to fit. */
struct affinity {
	enum srat_type type;
	u32 pxm, apic_id, flags;
	u64 start, size;
};

/* False for entries that are disabled, too short or of other types. */
static bool affinity_read(const u8 *p, u32 len, u8 revision, struct affinity *a)
{
	static const u8 min_len[] = { [SRAT_LAPIC] = 16, [SRAT_MEMORY] = 40, [SRAT_X2APIC] = 24 };

	if (p[0] >= ARRAY_SIZE(min_len) || len < min_len[p[0]])
		return false;
	*a = (struct affinity){ .type = (enum srat_type)p[0] };
	switch (a->type) {
	case SRAT_LAPIC:
		/* The upper bytes of the domain were reserved in revision 1. */
		a->pxm = p[2] | (revision >= 2 ? (u32)p[9] << 8 | (u32)p[10] << 16 | (u32)p[11] << 24 : 0);
		a->apic_id = p[3];
		a->flags = get_le32(p + 4);
		break;
	case SRAT_MEMORY:
		a->pxm = revision >= 2 ? get_le32(p + 2) : p[2];
		a->start = get_le64(p + 8);
		a->size = get_le64(p + 16);
		a->flags = get_le32(p + 28);
		break;
	case SRAT_X2APIC:
		a->pxm = get_le32(p + 4);
		a->apic_id = get_le32(p + 8);
		a->flags = get_le32(p + 12);
		break;
	}
	return (a->flags & FLAG_ENABLED) != 0;
}

/* Node of a proximity domain; a new one if it has none. ACPI_MAX_NODES if there is no room. */
static u32 node_get(struct acpi_info *info, u32 pxm)
{
	u32 node = 0;

	while (node < info->nodes && info->pxm[node] != pxm)
		node++;
	if (node == info->nodes && node < ACPI_MAX_NODES)
		info->pxm[info->nodes++] = pxm;
	return node;
}

static void cpu_place(struct acpi_info *info, u32 apic_id, u32 node)
{
	for (u32 i = 0; i < info->cpus; i++)
		if (info->cpu[i].apic_id == apic_id)
			info->cpu[i].node = (u8)node;
}

/* Keeps the ranges in order of address. */
static void memory_add(const struct acpi_reader *reader, const struct affinity *a, u32 node)
{
	struct acpi_info *info = reader->info;
	const struct acpi_memory range = {
		.start = paddr(a->start), .size = a->size, .node = (u8)node, .hotplug = (a->flags & FLAG_HOTPLUG) != 0,
		.nonvolatile = (a->flags & FLAG_NONVOLATILE) != 0,
	};
	u32 at = info->memory_ranges;

	if (a->size == 0)
		return;
	while (at > 0 && info->memory[at - 1].start.v > a->start)
		at--;
	if (a->start + a->size < a->start || info->memory_ranges == ACPI_MAX_MEMORY_RANGES ||
	    (at > 0 && a->start - info->memory[at - 1].start.v < info->memory[at - 1].size) ||
	    (at < info->memory_ranges && info->memory[at].start.v - a->start < a->size)) {
		acpi_complain(reader, "SRAT's memory at 0x%lx (0x%lx bytes) overlaps or does not fit: ignored",
			      a->start, a->size);
		return;
	}
	memmove(&info->memory[at + 1], &info->memory[at], (info->memory_ranges - at) * sizeof(range));
	info->memory[at] = range;
	info->memory_ranges++;
}

static void srat_parse(const struct acpi_reader *reader)
{
	struct acpi_info *info = reader->info;
	struct acpi_view view;
	struct affinity a;
	u32 offset = SRAT_ENTRIES, len;
	bool crowded = false;
	const u8 *p;

	if (!acpi_table_view(reader, "SRAT", 0, SRAT_ENTRIES, &view))
		return;
	info->nodes = 0;
	while ((p = acpi_entry_next(reader, &view, "SRAT", &offset, &len)) != NULL) {
		u32 node;

		if (!affinity_read(p, len, view.data[8], &a))
			continue;
		node = node_get(info, a.pxm);
		if (node == ACPI_MAX_NODES)
			crowded = true;
		else if (a.type == SRAT_MEMORY)
			memory_add(reader, &a, node);
		else
			cpu_place(info, a.apic_id, node);
	}
	if (crowded)
		acpi_complain(reader, "SRAT has more than %u nodes: the rest counts as node 0", ACPI_MAX_NODES);
	info->nodes = MAX(info->nodes, 1U);
}

/* The distance the matrix gives for two nodes, or 0 if it does not cover them. */
static u8 slit_distance(const struct acpi_info *info, const u8 *matrix, u64 localities, u32 from, u32 to)
{
	if (info->pxm[from] >= localities || info->pxm[to] >= localities)
		return 0;
	return matrix[info->pxm[from] * localities + info->pxm[to]];
}

static bool slit_sound(const struct acpi_info *info, const u8 *matrix, u64 localities)
{
	for (u32 i = 0; i < info->nodes; i++)
		for (u32 j = 0; j < info->nodes; j++) {
			u8 d = slit_distance(info, matrix, localities, i, j);

			if (i == j ? d != DISTANCE_LOCAL : d < DISTANCE_LOCAL)
				return false;
		}
	return true;
}

static void distances_default(struct acpi_info *info)
{
	for (u32 i = 0; i < info->nodes; i++)
		for (u32 j = 0; j < info->nodes; j++)
			info->distance[i][j] = i == j ? DISTANCE_LOCAL : DISTANCE_REMOTE;
}

static void slit_parse(const struct acpi_reader *reader)
{
	struct acpi_info *info = reader->info;
	struct acpi_view view;
	u64 localities;

	distances_default(info);
	if (!acpi_table_view(reader, "SLIT", 0, SLIT_MATRIX, &view))
		return;
	localities = get_le64(view.data + 36);
	if (localities > 4096 || localities * localities > view.len - SLIT_MATRIX ||
	    !slit_sound(info, view.data + SLIT_MATRIX, localities)) {
		acpi_complain(reader, "SLIT is broken: ignored");
		return;
	}
	for (u32 i = 0; i < info->nodes; i++)
		for (u32 j = 0; j < info->nodes; j++)
			info->distance[i][j] = slit_distance(info, view.data + SLIT_MATRIX, localities, i, j);
}

void acpi_numa_parse(const struct acpi_reader *reader)
{
	srat_parse(reader);
	slit_parse(reader);
}

unsigned int acpi_memory_node(const struct acpi_info *info, paddr_t address)
{
	for (u32 i = 0; i < info->memory_ranges; i++)
		if (address.v >= info->memory[i].start.v && address.v - info->memory[i].start.v < info->memory[i].size)
			return info->memory[i].node;
	return 0;
}
