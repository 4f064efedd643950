/* SPDX-License-Identifier: BSD-2-Clause */
/* xl.cfg and what follows from it: any text is read or refused with a reason; what was read survives JSON and back. */
#include <json-c/json.h>
#include <stdlib.h>

#include "argon/config.h"
#include "argon/domain_config.h"
#include "argon/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct domain_config *dc)
{
	struct json_object *json = domain_config_json(dc), *again;
	struct domain_config other;

	again = json_tokener_parse(json_object_to_json_string(json));
	domain_config_init(&other);
	/* Text that is not UTF-8 may not survive, but must not break anything. */
	if (again != NULL)
		(void)domain_config_read_json(&other, again);
	domain_config_free(&other);
	json_object_put(again);
	json_object_put(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain_config dc;
	struct config *c;

	if (config_new(&c) != 0)
		return 0;
	reason_clear();
	domain_config_init(&dc);
	if (config_parse(c, "fuzz", (const char *)data, size, (size & 1) != 0) == 0 && domain_config_read(&dc, c, NULL) == 0)
		round_trip(&dc);
	else if (reason_get()[0] == '\0')
		abort();
	domain_config_free(&dc);
	config_free(c);
	return 0;
}
