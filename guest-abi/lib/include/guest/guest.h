/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole guest library. */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include <guest/event.h>
#include <guest/grant.h>
#include <guest/group.h>
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/print.h>
#include <guest/smp.h>
#include <guest/start.h>
#include <guest/test.h>
#include <guest/time.h>
#include <guest/trap.h>
#include <guest/types.h>
#include <guest/user.h>

#endif
