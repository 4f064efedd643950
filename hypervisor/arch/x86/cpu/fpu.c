/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floating point and other extended state, switched eagerly. Between vCPUs XCR0 is the machine's own (xcr0_host), so that saving and
 * loading move every component, whatever the guest has enabled at the moment. CR0.TS is clear whenever this code runs.
 */
#include <hv/domain.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "cpu.h"

#define XCR0_X87 1UL
#define XCR0_SSE 2UL
#define XCR0_AVX 4UL
#define XCR0_AVX512 0xe0UL
#define XCR0_KNOWN (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)

#define FXSAVE_SIZE 512
#define FXSAVE_MXCSR 24
#define FXSAVE_MXCSR_MASK 28
#define XSAVE_HEADER 512	/* u64 xstate_bv, u64 xcomp_bv, 48 bytes that are zero */
#define XSAVE_MIN 576
#define MXCSR_DEFAULT 0x1f80U
#define MXCSR_MASK_DEFAULT 0xffbfU
#define FCW_DEFAULT 0x37f
#define RECORD_WORDS 2		/* in front of the XSAVE area: XCR0, accumulated XCR0 */

struct fpu_area {
	u64 xcr0;		/* what the guest has enabled */
	u64 xcr0_accumulated;	/* what it ever had enabled: its state may have these components */
	u8 state[] aligned_to(64);
};

static u64 xcr0_host;
static u32 area_size = FXSAVE_SIZE;
static u32 mxcsr_mask = MXCSR_MASK_DEFAULT;

static void xsetbv(u64 val)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
}

void fpu_init_cpu(void)
{
	u8 image[FXSAVE_SIZE] aligned_to(16);

	__asm__ volatile("clts\n\tfninit" : : : "memory");
	if (this_cpu() == 0) {
		memset(image, 0, sizeof(image));
		__asm__ volatile("fxsaveq %0" : "=m"(image));
		if (get_le32(image + FXSAVE_MXCSR_MASK) != 0)
			mxcsr_mask = get_le32(image + FXSAVE_MXCSR_MASK);
	}
	if (!cpu_has(CPU_XSAVE))
		return;
	if (this_cpu() == 0) {
		struct cpuid_leaf leaf = cpuid_host(0xd, 0);

		xcr0_host = ((u64)leaf.d << 32 | leaf.a) & XCR0_KNOWN;
		if ((xcr0_host & XCR0_AVX512) != XCR0_AVX512 || !(xcr0_host & XCR0_AVX))
			xcr0_host &= ~XCR0_AVX512;
	}
	xsetbv(xcr0_host);
	if (this_cpu() == 0)
		area_size = MAX(XSAVE_MIN, cpuid_host(0xd, 0).b);
}

static void area_reset(struct fpu_area *area)
{
	u32 mxcsr = MXCSR_DEFAULT;
	u16 fcw = FCW_DEFAULT;

	memset(area->state, 0, area_size);
	memcpy(area->state, &fcw, sizeof(fcw));
	memcpy(area->state + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

int fpu_init_vcpu(struct vcpu *v)
{
	struct fpu_area *area = hv_alloc(sizeof(*area) + area_size);

	if (!area)
		return -ENOMEM;
	area->xcr0 = area->xcr0_accumulated = XCR0_X87;
	area_reset(area);
	v->fpu = area;
	return 0;
}

void fpu_free_vcpu(struct vcpu *v)
{
	hv_free(v->fpu);
	v->fpu = NULL;
}

void fpu_save(struct vcpu *v)
{
	struct fpu_area *area = v->fpu;

	if (!cpu_has(CPU_XSAVE)) {
		__asm__ volatile("fxsaveq (%0)" : : "r"(area->state) : "memory");
		return;
	}
	if (area->xcr0 != xcr0_host)
		xsetbv(xcr0_host);
	if (cpu_has(CPU_XSAVEOPT))
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area->state), "a"((u32)~0U), "d"((u32)~0U) : "memory");
	else
		__asm__ volatile("xsave64 (%0)" : : "r"(area->state), "a"((u32)~0U), "d"((u32)~0U) : "memory");
}

void fpu_load(struct vcpu *v)
{
	const struct fpu_area *area = v->fpu;

	if (!cpu_has(CPU_XSAVE)) {
		__asm__ volatile("fxrstorq (%0)" : : "r"(area->state) : "memory");
		return;
	}
	__asm__ volatile("xrstor64 (%0)" : : "r"(area->state), "a"((u32)~0U), "d"((u32)~0U) : "memory");
	if (area->xcr0 != xcr0_host)
		xsetbv(area->xcr0);
}

void fpu_get_fxsave(struct vcpu *v, void *out512)
{
	memcpy(out512, v->fpu->state, FXSAVE_SIZE);
}

void fpu_set_fxsave(struct vcpu *v, const void *in512)
{
	u32 mxcsr = get_le32((const u8 *)in512 + FXSAVE_MXCSR) & mxcsr_mask;
	u64 present = XCR0_X87 | XCR0_SSE;

	area_reset(v->fpu);
	memcpy(v->fpu->state, in512, FXSAVE_SIZE);
	memcpy(v->fpu->state + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	if (cpu_has(CPU_XSAVE))
		memcpy(v->fpu->state + XSAVE_HEADER, &present, sizeof(present));
}

size_t xstate_size(struct vcpu *v)
{
	(void)v;
	return area_size;
}

size_t xstate_record_size(struct vcpu *v)
{
	(void)v;
	return cpu_has(CPU_XSAVE) ? RECORD_WORDS * sizeof(u64) + area_size : 0;
}

void xstate_record_get(struct vcpu *v, void *record)
{
	u64 words[RECORD_WORDS] = { v->fpu->xcr0, v->fpu->xcr0_accumulated };

	memcpy(record, words, sizeof(words));
	memcpy((u8 *)record + sizeof(words), v->fpu->state, area_size);
}

int xstate_record_set(struct vcpu *v, const void *record)
{
	const u8 *state = (const u8 *)record + RECORD_WORDS * sizeof(u64);
	u64 words[RECORD_WORDS], header[8];

	memcpy(words, record, sizeof(words));
	memcpy(header, state + XSAVE_HEADER, sizeof(header));
	if (!xcr0_valid(words[0], xcr0_host) || !xcr0_valid(words[1], xcr0_host) || (words[0] & ~words[1]))
		return -EINVAL;
	/* What XRSTOR would fault on. */
	if (header[0] & ~words[1])
		return -EINVAL;
	for (u32 i = 1; i < ARRAY_SIZE(header); i++)
		if (header[i])
			return -EINVAL;
	if (get_le32(state + FXSAVE_MXCSR) & ~mxcsr_mask)
		return -EINVAL;
	v->fpu->xcr0 = words[0];
	v->fpu->xcr0_accumulated = words[1];
	memcpy(v->fpu->state, state, area_size);
	return 0;
}

u64 xcr0_get(struct vcpu *v)
{
	return v->fpu->xcr0;
}

u64 xcr0_supported(void)
{
	return xcr0_host;
}

bool xcr0_valid(u64 val, u64 supported)
{
	if ((val & ~supported) || !(val & XCR0_X87))
		return false;
	if ((val & XCR0_AVX) && !(val & XCR0_SSE))
		return false;
	return !(val & XCR0_AVX512) || ((val & XCR0_AVX512) == XCR0_AVX512 && (val & XCR0_AVX));
}

int xcr0_set(struct vcpu *v, u32 index, u64 val)
{
	if (index != 0 || !cpu_has(CPU_XSAVE) || !xcr0_valid(val, xcr0_host))
		return -EINVAL;
	v->fpu->xcr0 = val;
	v->fpu->xcr0_accumulated |= val;
	if (cpu_info()->current == v)
		xsetbv(val);
	return 0;
}
