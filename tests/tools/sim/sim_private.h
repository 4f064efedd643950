/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_SIM_PRIVATE_H
#define TESTS_SIM_PRIVATE_H

#include "sim.h"

struct sim_domain *sim_domain(struct sim *sim, uint32_t domid);
bool sim_owned(struct sim *sim, uint64_t mfn, uint32_t domid);
/* 0: none left. */
uint64_t sim_take(struct sim *sim, uint32_t domid, unsigned int order);
void sim_give_back(struct sim *sim, uint64_t mfn);
int sim_pin(struct sim *sim, uint32_t domid, uint64_t mfn);
int64_t sim_hypercall(struct sim *sim, uint32_t number, const uint64_t a[5]);
/* Which frames are mapped where. */
void sim_mapping_add(struct sim *sim, void *address, size_t pages, const uint64_t *frames, const int *errors);
void sim_mapping_remove(struct sim *sim, void *address, size_t pages);
void sim_mappings_free(struct sim *sim);

#endif
