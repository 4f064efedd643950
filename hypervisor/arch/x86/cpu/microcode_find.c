/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of microcode: Intel's (SDM volume 3, 9.11: updates one after the other) and AMD's (containers with a table that maps CPUs to
 * equivalence ids, and patches). All that is read lies inside of data; sizes are checked before they are used.
 */
#include <hv/microcode.h>
#include <hv/errno.h>
#include <hv/string.h>

/* Intel: offsets in the header, and in the extended signature table behind the update's data. */
#define INTEL_HEADER 48u
#define INTEL_VERSION 0
#define INTEL_REVISION 4
#define INTEL_SIGNATURE 12
#define INTEL_PLATFORM 24
#define INTEL_DATA_SIZE 28
#define INTEL_TOTAL_SIZE 32
#define INTEL_DATA_DEFAULT 2000u
#define INTEL_EXT_HEADER 20u
#define INTEL_EXT_ENTRY 12u

/* AMD. */
#define AMD_MAGIC 0x00414d44u
#define AMD_SECTION_EQUIVALENCE 0u
#define AMD_SECTION_PATCH 1u
#define AMD_EQUIVALENCE_ENTRY 16u
#define AMD_PATCH_HEADER 64u
#define AMD_PATCH_REVISION 4
#define AMD_PATCH_CPU 24

static u32 words_sum(const u8 *data, u32 size)
{
	u32 sum = 0;

	for (u32 i = 0; i + 4 <= size; i += 4)
		sum += get_le32(data + i);
	return sum;
}

static bool intel_match(u32 signature, u32 platform, const struct microcode_cpu *cpu)
{
	return signature == cpu->signature && (platform & cpu->platform || platform == cpu->platform);
}

/* Is an update (of checked sizes) for this CPU, by its header or by its extended signatures? */
static bool intel_fits(const u8 *p, u32 data_size, u32 total_size, const struct microcode_cpu *cpu)
{
	u32 at = INTEL_HEADER + data_size, count;

	if (intel_match(get_le32(p + INTEL_SIGNATURE), get_le32(p + INTEL_PLATFORM), cpu))
		return true;
	if (total_size - at < INTEL_EXT_HEADER)
		return false;
	count = get_le32(p + at);
	at += INTEL_EXT_HEADER;
	for (; count && total_size - at >= INTEL_EXT_ENTRY; count--, at += INTEL_EXT_ENTRY)
		if (intel_match(get_le32(p + at), get_le32(p + at + 4), cpu))
			return true;
	return false;
}

int microcode_find_intel(const u8 *data, u32 size, const struct microcode_cpu *cpu, struct microcode_patch *out)
{
	u32 at = 0;

	out->revision = cpu->revision;
	out->size = 0;
	while (size - at >= INTEL_HEADER) {
		const u8 *p = data + at;
		u32 data_size = get_le32(p + INTEL_DATA_SIZE), total_size = get_le32(p + INTEL_TOTAL_SIZE);

		if (!data_size) {
			data_size = INTEL_DATA_DEFAULT;
			total_size = INTEL_HEADER + INTEL_DATA_DEFAULT;
		}
		if (get_le32(p + INTEL_VERSION) != 1 || total_size > size - at || total_size % 4 || data_size % 4 ||
		    total_size < INTEL_HEADER || data_size > total_size - INTEL_HEADER)
			return -EINVAL;
		/* Revisions are signed: negative ones are debugging versions. */
		if ((s32)get_le32(p + INTEL_REVISION) > (s32)out->revision && intel_fits(p, data_size, total_size, cpu)) {
			if (words_sum(p, INTEL_HEADER + data_size))
				return -EINVAL;
			*out = (struct microcode_patch){ at, total_size, get_le32(p + INTEL_REVISION) };
		}
		at += total_size;
	}
	return out->size ? 0 : at == size && size ? -ENOENT : -EINVAL;
}

/* The equivalence id of the CPU in a table of size bytes; 0 if it is not there. */
static u32 amd_equivalence(const u8 *table, u32 size, u32 signature)
{
	for (u32 i = 0; i + AMD_EQUIVALENCE_ENTRY <= size; i += AMD_EQUIVALENCE_ENTRY) {
		u32 installed = get_le32(table + i);

		if (!installed)
			break;
		if (installed == signature)
			return get_le16(table + i + 12);
	}
	return 0;
}

int microcode_find_amd(const u8 *data, u32 size, const struct microcode_cpu *cpu, struct microcode_patch *out)
{
	u32 at = 0, id = 0;

	out->revision = cpu->revision;
	out->size = 0;
	if (size < 4 || get_le32(data) != AMD_MAGIC)
		return -EINVAL;
	while (size - at >= 4) {
		u32 type, length;
		const u8 *section;

		/* Containers for several families may follow each other. */
		if (get_le32(data + at) == AMD_MAGIC) {
			at += 4;
			id = 0;
			continue;
		}
		if (size - at < 8)
			return -EINVAL;
		type = get_le32(data + at);
		length = get_le32(data + at + 4);
		section = data + at + 8;
		if (length > size - at - 8 || type > AMD_SECTION_PATCH)
			return -EINVAL;
		if (type == AMD_SECTION_EQUIVALENCE) {
			id = amd_equivalence(section, length, cpu->signature);
		} else if (length < AMD_PATCH_HEADER) {
			return -EINVAL;
		} else if (id && get_le16(section + AMD_PATCH_CPU) == id &&
			   get_le32(section + AMD_PATCH_REVISION) > out->revision) {
			*out = (struct microcode_patch){ at + 8, length, get_le32(section + AMD_PATCH_REVISION) };
		}
		at += 8 + length;
	}
	return out->size ? 0 : -ENOENT;
}
