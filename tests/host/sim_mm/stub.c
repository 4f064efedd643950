/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/frame.h>
__attribute__((weak)) void frame_type_owner_set(struct frame *f, domid_t o) { (void)f; (void)o; }
__attribute__((weak)) void frame_type_share(struct frame *f, bool w) { (void)f; (void)w; }
