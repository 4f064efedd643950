/* SPDX-License-Identifier: BSD-2-Clause */
/* A daemon with dom0's socket and one guest's ring, for fuzz targets. */
#ifndef STORE_WORLD_H
#define STORE_WORLD_H

#include "tools/xenstored/xs.h"

extern struct xs world;
extern struct xenstore_domain_interface world_ring; /* of domain 1 */
extern char world_dir[64];

/** Start afresh, or from the journal that is there. @return false if it could not */
bool world_start(void);
void world_end(void);
/** Serve until nothing is ready. */
void world_run(void);
/** A socket to the daemon, which does not block. */
int world_connect(void);
void world_introduce(void);
/** Abort unless accounts, positions and lists agree. */
void world_check(void);

#endif
