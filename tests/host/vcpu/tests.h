/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VCPU_TESTS_H
#define VCPU_TESTS_H

/* The tests of test_sched_op.c. */
int sched_op_tests(void);

#endif
