/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONTROL_TESTS_H
#define CONTROL_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/control.h>
#include <hv/hypercall.h>
#include "../full/kit.h"

int control_start(void **state);
int control_stop(void **state);
#define T(f) cmocka_unit_test_setup_teardown(f, control_start, control_stop)

/* A bit map of 64 bits in dom0's memory. */
struct xenctl_bitmap bitmap_of(u64 bits);
u64 bitmap_value(const struct xenctl_bitmap *map);

int domctl_tests(void);
int vcpu_tests(void);
int sysctl_tests(void);
int pool_tests(void);

#endif
