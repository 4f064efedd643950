/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of domains, and JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#include "argon/reason.h"
#include "xl.h"

void domains_free(struct domain_row *rows, int count)
{
	int i;

	for (i = 0; rows != NULL && i < count; i++)
		free(rows[i].name);
	free(rows);
}

/* Names of all rows, in one go. */
static struct domain_row *names_add(struct xl *xl, struct domain_row *rows, int count)
{
	uint32_t *domids = calloc((size_t)count + 1, sizeof(*domids));
	char **names = calloc((size_t)count + 1, sizeof(*names));
	int i, err = domids == NULL || names == NULL ? reason_set(ENOMEM, "out of memory") : 0;

	for (i = 0; err == 0 && i < count; i++)
		domids[i] = rows[i].info.domid;
	if (err == 0)
		err = domain_names(xl->host, domids, (size_t)count, names);
	for (i = 0; err == 0 && i < count; i++) {
		rows[i].name = names[i] != NULL ? names[i] : strdup(rows[i].info.domid == 0 ? "Domain-0" : "(null)");
		if (rows[i].name == NULL)
			err = reason_set(ENOMEM, "out of memory");
	}
	free(names);
	free(domids);
	if (err == 0)
		return rows;
	(void)fail(xl);
	domains_free(rows, count);
	return NULL;
}

struct domain_row *domains_get(struct xl *xl, int *count)
{
	struct ctrl_domain_info *infos;
	struct domain_row *rows;
	struct ctrl *ctrl;
	int i;

	if (!ctrl_arg(xl, &ctrl))
		return NULL;
	*count = ctrl_domain_list_all(ctrl, &infos);
	if (*count < 0) {
		(void)fail(xl);
		return NULL;
	}
	rows = calloc((size_t)*count + 1, sizeof(*rows));
	for (i = 0; rows != NULL && i < *count; i++)
		rows[i].info = infos[i];
	free(infos);
	return rows != NULL ? names_add(xl, rows, *count) : NULL;
}

struct domain_row *domains_args(struct xl *xl, int argc, char **argv, int *count)
{
	struct domain_row *rows;
	struct ctrl *ctrl;
	uint32_t domid;
	int i;

	if (argc == 0)
		return domains_get(xl, count);
	if (!ctrl_arg(xl, &ctrl))
		return NULL;
	rows = calloc((size_t)argc, sizeof(*rows));
	for (i = 0; rows != NULL && i < argc; i++) {
		if (!domain_arg(xl, argv[i], &domid) ||
		    (ctrl_domain_info(ctrl, domid, &rows[i].info) != 0 && fail(xl) != 0)) {
			free(rows);
			return NULL;
		}
	}
	*count = argc;
	return rows != NULL ? names_add(xl, rows, argc) : NULL;
}

char *pool_name(struct xl *xl, uint32_t pool)
{
	struct store *store;
	char *name = NULL, number[24];

	if (host_store(xl->host, &store) == 0 &&
	    store_readf(store, STORE_NO_TX, &name, "/local/pool/%u/name", pool) == 0)
		return name;
	snprintf(number, sizeof(number), "Pool-%u", pool);
	return strdup(number);
}

void state_text(const struct ctrl_domain_info *info, char text[7])
{
	text[0] = info->running ? 'r' : '-';
	text[1] = info->blocked ? 'b' : '-';
	text[2] = info->paused ? 'p' : '-';
	text[3] = info->shutdown ? 's' : '-';
	text[4] = info->shutdown && info->shutdown_reason == SHUTDOWN_crash ? 'c' : '-';
	text[5] = info->dying ? 'd' : '-';
	text[6] = '\0';
}

/* ---- JSON ---- */

struct json_object *json_begin(const char *schema)
{
	struct json_object *o = json_object_new_object();
	char name[64];

	snprintf(name, sizeof(name), "xl.%s", schema);
	json_text(o, "schema", name);
	json_number(o, "version", 1);
	return o;
}

int json_print(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	return EXIT_SUCCESS;
}

int json_end(struct json_object *o)
{
	json_print(o);
	json_object_put(o);
	return EXIT_SUCCESS;
}

void json_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, text != NULL ? json_object_new_string(text) : NULL);
}

void json_number(struct json_object *o, const char *key, int64_t number)
{
	json_object_object_add(o, key, json_object_new_int64(number));
}

void json_flag(struct json_object *o, const char *key, bool on)
{
	json_object_object_add(o, key, json_object_new_boolean(on));
}

void json_uuid(struct json_object *o, const char *key, const uint8_t uuid[16])
{
	char text[DOMAIN_UUID_TEXT];

	uuid_format(uuid, text);
	json_text(o, key, text);
}
