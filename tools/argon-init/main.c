/* SPDX-License-Identifier: BSD-2-Clause */
/* argon-init: dom0's own nodes in the store, once after the store daemon has been started. Run again, it changes nothing. */
#include <stdio.h>
#include <string.h>

#include <argon/reason.h>
#include <argon/store.h>

int main(void)
{
	static const struct store_entry nodes[] = {
		{ .path = "/local/domain/0/domid", .value = "0" },
		{ .path = "/local/domain/0/name", .value = "Domain-0" },
	};
	struct store *store;
	int error = store_open(&store);

	if (!error) {
		error = store_put(store, STORE_NO_TX, nodes, sizeof(nodes) / sizeof(nodes[0]));
		store_close(store);
	}
	if (error) {
		fprintf(stderr, "argon-init: %s\n", *reason_get() ? reason_get() : strerror(-error));
		return 1;
	}
	return 0;
}
