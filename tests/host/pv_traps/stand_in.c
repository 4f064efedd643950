/* SPDX-License-Identifier: BSD-2-Clause */
/* Weak stand-ins for frame types: every frame may have every type. */
#include <hv/frame.h>
#include "../sim/sim.h"

#define STAND_IN __attribute__((weak))

STAND_IN int frame_type_get(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	(void)actor;
	(void)f;
	(void)t;
	return 0;
}

STAND_IN int frame_type_put(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	(void)actor;
	(void)f;
	(void)t;
	return 0;
}

STAND_IN enum frame_type frame_type(const struct frame *f)
{
	(void)f;
	return FRAME_NONE;
}

STAND_IN bool frame_get_writable(struct vcpu *actor, struct frame *f, const struct domain *d)
{
	(void)actor;
	return frame_get(f, d);
}

STAND_IN void frame_put_writable(struct frame *f)
{
	frame_put(f);
}

STAND_IN void *frame_map_window(mfn_t m)
{
	sim_fail("frame %#lx is above the direct map", m.v);
}

STAND_IN void frame_unmap_window(const void *p)
{
	(void)p;
}
