// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_parts.c - the settings of an image that workload.yaml replaces: "run" */
#include <errno.h>
#include <string.h>
#include "capabilities.h"
#include "sandbox.h"
#include "workload.h"
#include "workload_fields.h"
#include "workload_parts.h"

#define AT(f) offsetof(struct ccdm_workload, f)

/* ---- environment -------------------------------------------------------------------- */

static int ccdm_run_variable(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			     const yaml_node_t *value, void *arg)
{
	const char *text;
	int r;

	if (!*word || strlen(word) > 128 || (*word >= '0' && *word <= '9') ||
	    strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
		    strlen(word))
		return ccdm_yaml_bad(y, key,
				     "expected the name of a variable: letters, digits and _ . -; "
				     "found",
				     word);
	text = ccdm_field_text(y, value, &r);
	if (!r && json_object_set_new(arg, word, json_string(text)))
		r = -ENOMEM;
	return r;
}

static int ccdm_run_environment(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;

	return ccdm_yaml_members(y, n, ccdm_run_variable, w->environment);
}

/* ---- mounts ------------------------------------------------------------------------- */

/* A size and a path of tmpfs. */
struct ccdm_run_tmpfs {
	char path[CCDM_WORKLOAD_PATH_MAX];
	uint64_t size;
};

/* Is nothing else at this place of the container? Links of the image are followed later. */
static int ccdm_run_place(const struct ccdm_yaml *y, const yaml_node_t *n, const char *path)
{
	const char *why = ccdm_sandbox_reserved(path);

	return why ? ccdm_yaml_bad(y, n, why, NULL) : 0;
}

static int ccdm_run_tmpfs_one(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	static const struct ccdm_field fields[] = {
		{ "path", CCDM_FIELD_PATH, offsetof(struct ccdm_run_tmpfs, path), 0,
		  CCDM_WORKLOAD_PATH_MAX - 1, NULL, NULL },
		{ "size", CCDM_FIELD_SIZE, offsetof(struct ccdm_run_tmpfs, size), 4096, 1ULL << 40,
		  NULL, NULL },
		{ NULL, 0, 0, 0, 0, NULL, NULL },
	};
	struct ccdm_run_tmpfs one = { "", 0 };
	int r;

	if (n->type == YAML_MAPPING_NODE)
		r = ccdm_fields_read(y, n, fields, &one);
	else
		r = ccdm_field_path(y, n, one.path, sizeof(one.path));
	if (!r && !one.path[0])
		r = ccdm_yaml_bad(y, n, "expected a path", NULL);
	if (!r)
		r = ccdm_run_place(y, n, one.path);
	return r ? r
		 : ccdm_field_append(arg, json_pack("{s:s,s:I}", "path", one.path, "size",
						    (json_int_t)one.size));
}

static int ccdm_run_tmpfs(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;

	return ccdm_field_array(y, n, CCDM_WORKLOAD_MOUNTS, ccdm_run_tmpfs_one, &w->tmpfs);
}

static int ccdm_run_volume(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	char path[CCDM_WORKLOAD_PATH_MAX];
	int r = ccdm_field_path(y, n, path, sizeof(path));

	if (!r)
		r = ccdm_run_place(y, n, path);
	return r ? r : ccdm_field_append(arg, json_string(path));
}

static int ccdm_run_volumes(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;

	return ccdm_field_array(y, n, CCDM_WORKLOAD_MOUNTS, ccdm_run_volume, &w->volumes);
}

/* ---- rights ------------------------------------------------------------------------- */

static int ccdm_run_signal(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;
	const char *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (!r && ccdm_signal_name(text, w->stop_signal))
		r = ccdm_yaml_bad(y, n, "expected a signal (SIGTERM, QUIT, 15), found", text);
	return r;
}

static int ccdm_run_capability(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	uint64_t *set = arg, bit;
	const char *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	bit = ccdm_capabilities_find(text);
	if (!bit)
		return ccdm_yaml_bad(y, n, "expected a capability (NET_ADMIN), found", text);
	*set |= bit;
	return 0;
}

static int ccdm_run_capabilities(struct ccdm_yaml *y, const yaml_node_t *n, uint64_t *set)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return ccdm_yaml_bad(y, n, "expected a list of capabilities", NULL);
	if (n->data.sequence.items.start == n->data.sequence.items.top)
		return 0;
	return ccdm_yaml_elements(y, n, ccdm_run_capability, set);
}

static int ccdm_run_add(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	return ccdm_run_capabilities(y, n, &((struct ccdm_workload *)to)->cap_add);
}

/* A list, or ALL */
static int ccdm_run_drop(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;
	const char *text = ccdm_yaml_text(n);

	if (text && !strcmp(text, "ALL")) {
		w->cap_drop = CCDM_CAPABILITIES_ALL;
		return 0;
	}
	return ccdm_run_capabilities(y, n, &w->cap_drop);
}

static int ccdm_run_caps(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	static const struct ccdm_field fields[] = {
		{ "add", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_run_add },
		{ "drop", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_run_drop },
		{ NULL, 0, 0, 0, 0, NULL, NULL },
	};
	struct ccdm_workload *w = to;
	int r = ccdm_fields_read(y, n, fields, to);

	if (!r && w->cap_drop != CCDM_CAPABILITIES_ALL && (w->cap_add & w->cap_drop))
		r = ccdm_yaml_bad(y, n, "a capability is both added and dropped", NULL);
	return r;
}

/* ---- the whole ---------------------------------------------------------------------- */

int ccdm_workload_run_fields(struct ccdm_yaml *y, const yaml_node_t *n, void *workload)
{
	static const struct ccdm_field fields[] = {
		{ "entrypoint", CCDM_FIELD_LIST, AT(entrypoint), 0, 4096, NULL, NULL },
		{ "command", CCDM_FIELD_LIST, AT(command), 0, 4096, NULL, NULL },
		{ "environment", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_run_environment },
		{ "workdir", CCDM_FIELD_PATH, AT(workdir), 0, CCDM_WORKLOAD_PATH_MAX - 1, NULL,
		  NULL },
		{ "user", CCDM_FIELD_TEXT, AT(user), 0, 255, NULL, NULL },
		{ "volumes", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_run_volumes },
		{ "tmpfs", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_run_tmpfs },
		{ "read_only", CCDM_FIELD_BOOL, AT(read_only), 0, 0, NULL, NULL },
		{ "stop_signal", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_run_signal },
		{ "stop_timeout", CCDM_FIELD_DURATION, AT(stop_timeout), 0, 86400, NULL, NULL },
		{ "capabilities", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_run_caps },
		{ "no_new_privileges", CCDM_FIELD_BOOL, AT(no_new_privileges), 0, 0, NULL, NULL },
		{ "memory", CCDM_FIELD_SIZE, AT(memory), 4 << 20, 1ULL << 46, NULL, NULL },
		{ "pids", CCDM_FIELD_NUMBER, AT(pids), 1, 4194304, NULL, NULL },
		{ "shm_size", CCDM_FIELD_SIZE, AT(shm_size), 4096, 1ULL << 40, NULL, NULL },
		{ NULL, 0, 0, 0, 0, NULL, NULL },
	};

	return ccdm_fields_read(y, n, fields, workload);
}
