/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a call failed, in words that a person can act on. Every function of the libargon* libraries that can fail returns a
 * negative errno (or NULL) and leaves here a sentence that says what failed and, where there is one, what to do about it.
 */
#ifndef ARGON_REASON_H
#define ARGON_REASON_H

/**
 * Record why the calling thread's current operation fails.
 * @param error  an errno, positive
 * @return -error, so that callers can write `return reason_set(ENOENT, "bridge %s does not exist", name);`
 */
int reason_set(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Put words in front of the reason that is recorded, as in "disk xvda: " + "file x.img does not exist".
 * @return error as it was passed (negative errno)
 */
int reason_prefix(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The last recorded reason of this thread; "" when there is none. Valid until the next call that fails. */
const char *reason_get(void);

/** Forget the recorded reason. */
void reason_clear(void);

#endif
