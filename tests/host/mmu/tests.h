/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MMU_TESTS_H
#define MMU_TESTS_H

/* Each runs the tests of one file; number of failures. */
int type_tests(void);
int update_tests(void);
int ext_tests(void);
int fault_tests(void);
int grant_tests(void);
int teardown_tests(void);
int log_tests(void);
int random_tests(void);

#endif
