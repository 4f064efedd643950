/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests.h"

int control_start(void **state)
{
	(void)state;
	kit_start();
	return 0;
}

int control_stop(void **state)
{
	(void)state;
	sim_check();
	sim_stop();
	full_xsave = false;
	return 0;
}

struct xenctl_bitmap bitmap_of(u64 bits)
{
	struct xenctl_bitmap map = { .nr_bits = 64 };

	map.bitmap.p = (void *)kit_put(kit_v0, &bits, sizeof(bits));
	return map;
}

u64 bitmap_value(const struct xenctl_bitmap *map)
{
	u64 bits;

	kit_get(kit_v0, &bits, (gva_t)map->bitmap.p, sizeof(bits));
	return bits;
}

int main(void)
{
	return domctl_tests() + vcpu_tests() + sysctl_tests() + pool_tests();
}
