/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of PV guests. */
#include "tests.h"

int main(void)
{
	return type_tests() + update_tests() + ext_tests() + fault_tests() + grant_tests() + teardown_tests() + log_tests() +
	       random_tests();
}
