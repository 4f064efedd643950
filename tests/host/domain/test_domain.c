/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <xen/version.h>
#include "../full/full.h"

static void test_start(void **state)
{
	struct domain *d;
	struct vcpu *v;

	(void)state;
	sim_start(2);
	d = sim_domain(1, false, 2, 64);
	v = sim_run_vcpu(d, 0);
	assert_int_equal(full_hypercall(v, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0), 4 << 16 | 17);
	sim_check();
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start), cmocka_unit_test(test_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
