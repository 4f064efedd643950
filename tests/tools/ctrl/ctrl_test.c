/* SPDX-License-Identifier: BSD-2-Clause */
/* libargonctrl on a simulated machine: what is sent, what comes back, what errors say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/sysctl.h>

#include "argon/ctrl.h"
#include "argon/reason.h"
#include "tests/tools/sim/sim.h"

struct world {
	struct sim *sim;
	struct dev *dev;
	struct ctrl *ctrl;
};

static int setup(void **state)
{
	static struct world w;

	w.sim = sim_new(70000);
	w.dev = sim_dev(w.sim);
	assert_int_equal(ctrl_open_dev(w.dev, &w.ctrl), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ctrl_close(w->ctrl);
	dev_close(w->dev);
	assert_int_equal(w->sim->mappings, 0);
	assert_int_equal(w->sim->buffers, 0);
	sim_free(w->sim);
	return 0;
}

static uint32_t domain_make(struct world *w, uint32_t wanted)
{
	struct ctrl_domain_create create = { .uuid = { 1, 2, 3 }, .max_vcpus = 4, .max_grant_frames = -1, .max_maptrack_frames = -1 };
	uint32_t domid = 0;

	assert_int_equal(ctrl_domain_create(w->ctrl, &create, wanted, &domid), 0);
	return domid;
}

static void test_life(void **state)
{
	struct ctrl_domain_create create = { .max_vcpus = 1 };
	struct world *w = *state;
	struct ctrl_domain_info info;
	uint32_t domid = domain_make(w, 0), other = domain_make(w, 20), taken;

	assert_int_equal(domid, 1);
	assert_int_equal(other, 20);
	assert_int_equal(ctrl_domain_create(w->ctrl, &create, 20, &taken), -EEXIST);
	assert_string_equal(reason_get(), "no new domain: its number is taken");
	assert_int_equal(ctrl_domain_info(w->ctrl, domid, &info), 0);
	assert_int_equal(info.domid, 1);
	assert_int_equal(info.uuid[2], 3);
	assert_true(info.paused);
	assert_int_equal(info.max_vcpu_id, UINT32_MAX);
	assert_int_equal(ctrl_domain_unpause(w->ctrl, domid), 0);
	assert_int_equal(ctrl_domain_info(w->ctrl, domid, &info), 0);
	assert_false(info.paused);
	/* The hypervisor would answer with the next one, 20. */
	assert_int_equal(ctrl_domain_info(w->ctrl, 5, &info), -ESRCH);
	assert_string_equal(reason_get(), "domain 5 cannot be looked at: there is no such domain");
	assert_int_equal(ctrl_domain_pause(w->ctrl, 5), -ESRCH);
	assert_int_equal(ctrl_domain_destroy(w->ctrl, domid), 0);
	assert_int_equal(ctrl_domain_destroy(w->ctrl, domid), -ESRCH);
	assert_int_equal(w->sim->used, 2);
}

static void test_list(void **state)
{
	struct ctrl_domain_info few[3], *all;
	struct world *w = *state;

	for (uint32_t i = 1; i < SIM_DOMAINS; i++)
		if (i % 3)
			domain_make(w, i);
	assert_int_equal(ctrl_domain_list(w->ctrl, 0, few, 3), 3);
	assert_int_equal(few[0].domid, 0);
	assert_int_equal(few[2].domid, 2);
	assert_int_equal(ctrl_domain_list(w->ctrl, 62, few, 3), 1);
	assert_int_equal(ctrl_domain_list_all(w->ctrl, &all), 43);
	for (int i = 1; i < 43; i++)
		assert_true(all[i].domid > all[i - 1].domid && all[i].domid % 3);
	free(all);
}

static void test_memory(void **state)
{
	static uint64_t numbers[40000];
	struct world *w = *state;
	uint32_t domid = domain_make(w, 0);
	uint64_t few[2] = { 0, 512 };

	assert_int_equal(ctrl_domain_set_max_memory(w->ctrl, domid, (40000 + 512) * 4), 0);
	assert_int_equal(ctrl_memory_populate(w->ctrl, domid, 9, 0, 1, few), 1);
	assert_true(few[0] >= SIM_FIRST_MFN);
	/* More than goes into one call, and more than there may be: what was done is told. */
	for (uint64_t i = 0; i < 40000; i++)
		numbers[i] = 512 + i;
	w->sim->domain[domid].max_pages -= 100;
	assert_int_equal(ctrl_memory_populate(w->ctrl, domid, 0, 0, 40000, numbers), 39900);
	for (uint64_t i = 0; i < 40000; i++)
		assert_int_equal(numbers[i] >= SIM_FIRST_MFN, i < 39900);
	assert_int_equal(ctrl_memory_decrease(w->ctrl, domid, 0, 39900, numbers), 39900);
	assert_int_equal(w->sim->domain[domid].pages, 512);
	/* The second call fails: the first one counts. */
	for (uint64_t i = 0; i < 40000; i++)
		numbers[i] = 512 + i;
	w->sim->fail_hypercall = 2;
	assert_int_equal(ctrl_memory_populate(w->ctrl, domid, 0, 0, 39900, numbers), 32768);
	w->sim->fail_hypercall = 1;
	assert_int_equal(ctrl_memory_populate(w->ctrl, domid, 0, 0, 10, numbers), -ENOMEM);
	assert_int_equal(ctrl_memory_populate(w->ctrl, 9, 0, 0, 10, numbers), -ESRCH);
	assert_int_equal(ctrl_memory_claim(w->ctrl, domid, 1u << 30), -ENOMEM);
	few[0] = SIM_FIRST_MFN + 600; /* nobody's */
	assert_int_equal(ctrl_memory_pin(w->ctrl, domid, 4, 1, few), -EINVAL);
	assert_int_equal(ctrl_memory_pin(w->ctrl, domid, 5, 1, few), -EINVAL);
}

static void test_clear(void **state)
{
	struct world *w = *state;
	uint32_t domid = domain_make(w, 0);
	uint64_t frames[1300];

	for (uint64_t i = 0; i < 1300; i++)
		frames[i] = i;
	assert_int_equal(ctrl_domain_set_max_memory(w->ctrl, domid, 1300 * 4), 0);
	assert_int_equal(ctrl_memory_populate(w->ctrl, domid, 0, 0, 1300, frames), 1300);
	w->sim->hypercalls = 0;
	assert_int_equal(ctrl_memory_clear(w->ctrl, domid, 1299, frames), 0);
	assert_int_equal(w->sim->hypercalls, 3);
	for (uint64_t i = 0; i < 1300; i++)
		assert_int_equal(sim_page(w->sim, frames[i])[4095], i < 1299 ? 0 : SIM_RUBBISH);
	frames[600] = 0;
	assert_int_equal(ctrl_memory_clear(w->ctrl, domid, 1299, frames), -EINVAL);
}

static void test_mappings(void **state)
{
	struct world *w = *state;
	uint32_t domid = domain_make(w, 0);
	uint64_t frames[3] = { 0, 1, 2 };
	int errors[3];
	uint8_t *map;

	assert_int_equal(ctrl_domain_set_max_memory(w->ctrl, domid, 64), 0);
	assert_int_equal(ctrl_memory_populate(w->ctrl, domid, 0, 0, 3, frames), 3);
	map = dev_map(w->dev, domid, PROT_READ | PROT_WRITE, 3, frames, NULL);
	assert_non_null(map);
	map[4096] = 'm';
	assert_int_equal(sim_page(w->sim, frames[1])[0], 'm');
	dev_unmap(w->dev, map, 3);
	frames[1] = SIM_FIRST_MFN; /* nobody's */
	assert_null(dev_map(w->dev, domid, PROT_READ, 3, frames, NULL));
	assert_int_equal(errno, EINVAL);
	assert_string_equal(reason_get(), "frame 0x100000 of domain 1 cannot be mapped: Invalid argument");
	map = dev_map(w->dev, domid, PROT_READ, 3, frames, errors);
	assert_non_null(map);
	assert_int_equal(errors[0], 0);
	assert_int_equal(errors[1], -EINVAL);
	assert_int_equal(map[8192], SIM_RUBBISH);
	dev_unmap(w->dev, map, 3);
	assert_null(dev_map(w->dev, domid, PROT_READ, 0, frames, NULL));
	w->sim->fail_map = 1;
	assert_null(dev_map(w->dev, domid, PROT_READ, 1, frames, NULL));
	assert_int_equal(errno, ENOMEM);
}

static void test_buffers(void **state)
{
	struct world *w = *state;
	char *one = dev_buffer_get(w->dev, 10), *again;

	memset(one, 'x', 4096);
	dev_buffer_put(w->dev, one, 10);
	again = dev_buffer_get(w->dev, 4096);
	assert_ptr_equal(again, one);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(again[i], 0);
	dev_buffer_put(w->dev, again, 4096);
	dev_buffer_put(w->dev, NULL, 4096);
	w->sim->fail_buffer = 1;
	assert_null(dev_buffer_get(w->dev, 4097));
}

/* A child does not write into the pages of its parent. */
static void test_fork(void **state)
{
	struct world *w = *state;
	void *buffer = dev_buffer_get(w->dev, 1);
	int status;
	pid_t child;

	dev_buffer_put(w->dev, buffer, 1);
	child = fork();
	if (child == 0) {
		void *other = dev_buffer_get(w->dev, 1), *again;

		dev_buffer_put(w->dev, other, 1);
		again = dev_buffer_get(w->dev, 1);
		_exit(other != buffer && again == other ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_ptr_equal(dev_buffer_get(w->dev, 1), buffer);
	dev_buffer_put(w->dev, buffer, 1);
}

static void test_grants_and_ports(void **state)
{
	struct world *w = *state;
	uint32_t domid = domain_make(w, 0), frames, most;
	const struct grant_entry_v1 *table = (const void *)sim_page(w->sim, w->sim->domain[domid].grant_mfn);
	int port = ctrl_evtchn_alloc_unbound(w->ctrl, domid, 7);

	assert_int_equal(w->sim->domain[domid].remote[port], 7);
	assert_int_equal(ctrl_evtchn_alloc_unbound(w->ctrl, 40, 7), -ESRCH);
	for (int i = 0; i < 2; i++) {
		w->sim->no_resources = i;
		assert_int_equal(ctrl_grant_seed(w->ctrl, domid, 0x1234 + (unsigned int)i, 5, 0, 6), 0);
		assert_int_equal(table[GNTTAB_RESERVED_CONSOLE].frame, 0x1234 + i);
		assert_int_equal(table[GNTTAB_RESERVED_CONSOLE].domid, 5);
		assert_int_equal(table[GNTTAB_RESERVED_CONSOLE].flags, GTF_permit_access);
		assert_int_equal(table[GNTTAB_RESERVED_XENSTORE].flags, 0);
	}
	assert_int_equal(ctrl_grant_seed(w->ctrl, 40, 1, 0, 1, 0), -EINVAL);
	assert_int_equal(ctrl_grant_seed(w->ctrl, domid, 1ull << 32, 0, 1, 0), -EINVAL);
	assert_int_equal(ctrl_grant_size(w->ctrl, domid, &frames, &most), 0);
	assert_int_equal(most, 64);
	assert_int_equal(ctrl_grant_size(w->ctrl, 40, &frames, &most), -ESRCH);
}

static void test_machine(void **state)
{
	struct ctrl_cpu_topology *topology;
	struct ctrl_counters counters;
	struct world *w = *state;
	struct ctrl_version version;
	struct ctrl_physinfo info;
	struct ctrl_policy policy;
	uint32_t index = 10;
	char text[100];

	assert_int_equal(ctrl_physinfo(w->ctrl, &info), 0);
	assert_int_equal(info.total_pages, 70000);
	assert_int_equal(ctrl_cpu_topology(w->ctrl, &topology), 4);
	assert_int_equal(topology[3].socket, 1);
	free(topology);
	assert_int_equal(ctrl_counters(w->ctrl, &counters), 0);
	assert_string_equal(counters.names[1].name, "exits");
	assert_int_equal(counters.names[1].first, 1);
	assert_int_equal(counters.values[2], 20);
	free(counters.names);
	free(counters.values);
	assert_int_equal(ctrl_machine_policy(w->ctrl, XEN_SYSCTL_cpu_policy_host, &policy), 0);
	assert_int_equal(policy.leaf_count, 2);
	assert_int_equal(policy.msrs[0].idx, 0xce);
	ctrl_policy_free(&policy);
	assert_int_equal(ctrl_version(w->ctrl, &version), 0);
	assert_int_equal(version.minor, 17);
	assert_string_equal(version.extra, ".5-sim");
	assert_string_equal(version.capabilities, "");
	/* Piece by piece, and from where the last read ended. */
	assert_int_equal(ctrl_console_read(w->ctrl, text, sizeof(text), NULL, false), 39);
	assert_memory_equal(text, "(argon) first line\n", 19);
	assert_int_equal(ctrl_console_read(w->ctrl, text, 5, &index, false), 5);
	assert_memory_equal(text, "rst l", 5);
	assert_int_equal(index, 15);
	assert_int_equal(ctrl_debug_keys(w->ctrl, "q"), -ENOSYS);
	assert_string_equal(reason_get(), "debug keys cannot be sent: this hypervisor cannot do that");
}

static void test_parameters(void **state)
{
	struct world *w = *state;
	uint32_t number;

	assert_int_equal(ctrl_parameter_set(w->ctrl, "text", "a/b"), 0);
	assert_string_equal((char *)w->sim->parameter[0], "a/b");
	assert_int_equal(ctrl_parameter_set(w->ctrl, "text", "too long"), -EINVAL);
	assert_int_equal(ctrl_parameter_set(w->ctrl, "number", "0x12345"), 0);
	memcpy(&number, w->sim->parameter[1], 4);
	assert_int_equal(number, 0x12345);
	assert_int_equal(ctrl_parameter_set(w->ctrl, "number", "5000000000"), -EINVAL);
	assert_int_equal(ctrl_parameter_set(w->ctrl, "number", "-1"), -EINVAL);
	assert_int_equal(ctrl_parameter_set(w->ctrl, "number", "12x"), -EINVAL);
	assert_string_equal(reason_get(), "parameter number cannot be \"12x\"");
	assert_int_equal(ctrl_parameter_set(w->ctrl, "truth", "On"), 0);
	assert_int_equal(w->sim->parameter[2][0], 1);
	assert_int_equal(ctrl_parameter_set(w->ctrl, "truth", "perhaps"), -EINVAL);
	assert_int_equal(ctrl_parameter_set(w->ctrl, "nothing", "1"), -ENOENT);
	assert_int_equal(ctrl_parameter_set(w->ctrl, "../text", "1"), -ENOENT);
}

/* Every way that the hypervisor fails us comes back as an error, with nothing kept. */
static void test_failures(void **state)
{
	struct ctrl_domain_info *all;
	struct ctrl_cpu_topology *topology;
	struct ctrl_counters counters;
	struct ctrl_policy policy;
	struct world *w = *state;
	int rc;

	for (int kind = 0; kind < 4; kind++) {
		rc = -1;
		for (uint64_t n = 1; rc < 0 && n < 10; n++) {
			w->sim->fail_hypercall = n;
			rc = kind == 0	 ? ctrl_domain_list_all(w->ctrl, &all)
			     : kind == 1 ? ctrl_cpu_topology(w->ctrl, &topology)
			     : kind == 2 ? ctrl_counters(w->ctrl, &counters)
					 : ctrl_machine_policy(w->ctrl, 1, &policy);
			if (rc < 0)
				assert_int_equal(rc, -ENOMEM);
		}
		assert_true(rc >= 0);
		w->sim->fail_hypercall = 0;
	}
	free(all);
	free(topology);
	free(counters.names);
	free(counters.values);
	ctrl_policy_free(&policy);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = { T(life),	 T(list),	       T(memory),  T(clear),   T(mappings),
					    T(buffers), T(grants_and_ports), T(machine), T(failures), T(fork), T(parameters) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
