// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload.c - see workload.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "evidence/manifest.h"
#include "sandbox.h"
#include "workload.h"
#include "workload_fields.h"
#include "workload_parts.h"

#define CCDM_WORKLOAD_NODES 8192 /* keys and values */
#define AT(f)		    offsetof(struct ccdm_workload, f)
#define END                                  \
	{                                    \
		NULL, 0, 0, 0, 0, NULL, NULL \
	}

static const char *const ccdm_workload_exits[] = { "poweroff", "reboot", NULL };
static const char *const ccdm_workload_restarts[] = { "never", "failure", "always", NULL };
static const char *const ccdm_workload_actions[] = { "none", "restart", "poweroff", NULL };
static const char *const ccdm_workload_logs[] = { "journal", "none", "console", NULL };

static int ccdm_workload_product(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;
	const char *text;
	size_t size;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	size = strlen(text);
	if (!size || size > CCDM_MANIFEST_PRODUCT || strspn(text, CCDM_WORKLOAD_PRODUCT) != size)
		return ccdm_yaml_bad(
			y, n, "expected 1 to 63 letters, digits and . _ - / + : ; found", text);
	memcpy(w->product, text, size + 1);
	return 0;
}

/* ---- files ------------------------------------------------------------------------ */

struct ccdm_workload_file {
	char path[CCDM_WORKLOAD_PATH_MAX];
	char source[CCDM_WORKLOAD_PATH_MAX];
	uint64_t mode;
};

/* The name of a file of this machine. */
static int ccdm_workload_source(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload_file *file = to;
	const char *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	if (!*text || strlen(text) >= sizeof(file->source))
		return ccdm_yaml_bad(y, n, "expected the name of a file", NULL);
	memcpy(file->source, text, strlen(text) + 1);
	return 0;
}

static int ccdm_workload_file(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	static const struct ccdm_field fields[] = {
		{ "path", CCDM_FIELD_PATH, offsetof(struct ccdm_workload_file, path), 0,
		  CCDM_WORKLOAD_PATH_MAX - 1, NULL, NULL },
		{ "source", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_source },
		{ "mode", CCDM_FIELD_MODE, offsetof(struct ccdm_workload_file, mode), 0, 0777, NULL,
		  NULL },
		END,
	};
	struct ccdm_workload_file file = { "", "", 0644 };
	int r = ccdm_fields_read(y, n, fields, &file);
	const char *why;

	if (!r && (!file.path[0] || !file.source[0]))
		r = ccdm_yaml_bad(y, n, "a file needs 'path' and 'source'", NULL);
	if (r)
		return r;
	why = ccdm_sandbox_reserved(file.path);
	if (why)
		return ccdm_yaml_bad(y, n, why, NULL);
	return ccdm_field_append(arg, json_pack("{s:s,s:s,s:I}", "path", file.path, "source",
						file.source, "mode", (json_int_t)file.mode));
}

static int ccdm_workload_file_list(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;

	return ccdm_field_array(y, n, CCDM_WORKLOAD_MOUNTS, ccdm_workload_file, &w->files);
}

/*
 * ---- exit, restart, health ---------------------------------------------------------------------
 */

static int ccdm_workload_restart(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	static const struct ccdm_field fields[] = {
		{ "when", CCDM_FIELD_WORD, AT(restart), 0, 0, ccdm_workload_restarts, NULL },
		{ "delay", CCDM_FIELD_DURATION, AT(restart_delay), 0, 86400, NULL, NULL },
		{ "most", CCDM_FIELD_NUMBER, AT(restart_most), 0, 1000000, NULL, NULL },
		END,
	};

	return ccdm_fields_read(y, n, fields, to);
}

static int ccdm_workload_test(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	static const struct ccdm_field list = {
		"test", CCDM_FIELD_LIST, AT(health.test), 1, 255, NULL, NULL
	};
	struct ccdm_workload *w = to;
	const char *text = ccdm_yaml_text(n);

	w->health.off = text && !strcmp(text, "none");
	if (w->health.off)
		return 0;
	if (text || (n->type == YAML_SEQUENCE_NODE &&
		     n->data.sequence.items.start == n->data.sequence.items.top))
		return ccdm_yaml_bad(
			y, n, "expected a list of a command and its arguments, or none", NULL);
	return ccdm_field_value(y, n, &list, to);
}

static int ccdm_workload_health(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	static const struct ccdm_field fields[] = {
		{ "test", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_test },
		{ "interval", CCDM_FIELD_DURATION, AT(health.interval), 1, 86400, NULL, NULL },
		{ "timeout", CCDM_FIELD_DURATION, AT(health.timeout), 1, 86400, NULL, NULL },
		{ "retries", CCDM_FIELD_NUMBER, AT(health.retries), 1, 1000, NULL, NULL },
		{ "start_period", CCDM_FIELD_DURATION, AT(health.start_period), 0, 86400, NULL,
		  NULL },
		{ "action", CCDM_FIELD_WORD, AT(health.action), 0, 0, ccdm_workload_actions, NULL },
		END,
	};

	return ccdm_fields_read(y, n, fields, to);
}

static int ccdm_workload_port(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	uint64_t port = 0;
	size_t i;
	int r = ccdm_yaml_number(y, n, 1, 65535, &port);

	for (i = 0; !r && i < json_array_size(arg); i++)
		if (json_integer_value(json_array_get(arg, i)) == (json_int_t)port)
			r = ccdm_yaml_bad(y, n, "this port appears twice:", ccdm_yaml_text(n));
	return r ? r : ccdm_field_append(arg, json_integer((json_int_t)port));
}

static int ccdm_workload_ports(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;

	return ccdm_field_array(y, n, CCDM_WORKLOAD_PORTS, ccdm_workload_port, &w->ports);
}

/* ---- the whole -------------------------------------------------------------------- */

/* A variable has one source. */
static int ccdm_workload_variables(const struct ccdm_yaml *y, const yaml_node_t *top,
				   const struct ccdm_workload *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_secrets; i++)
		if (w->secret[i].env[0] && json_object_get(w->environment, w->secret[i].env))
			return ccdm_yaml_bad(y, top,
					     "a secret and 'environment' have the same variable",
					     w->secret[i].env);
	return 0;
}

/* The document that is read, with its version. */
struct ccdm_workload_top {
	struct ccdm_workload w;
	uint64_t version;
};

static int ccdm_workload_document(struct ccdm_yaml *y, const yaml_node_t *top, void *arg)
{
	static const struct ccdm_field fields[] = {
		{ "version", CCDM_FIELD_NUMBER, offsetof(struct ccdm_workload_top, version), 1, 1,
		  NULL, NULL },
		{ "product", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_product },
		{ "svn", CCDM_FIELD_NUMBER, AT(svn), 0, CCDM_MANIFEST_SVN, NULL, NULL },
		{ "secrets", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_secrets },
		{ "run", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_run_fields },
		{ "files", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_file_list },
		{ "on_exit", CCDM_FIELD_WORD, AT(on_exit), 0, 0, ccdm_workload_exits, NULL },
		{ "restart", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_restart },
		{ "health", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_health },
		{ "logs", CCDM_FIELD_WORD, AT(logs), 0, 0, ccdm_workload_logs, NULL },
		{ "network", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_network },
		{ "ports", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_workload_ports },
		END,
	};
	struct ccdm_workload_top *t = arg;
	int r = ccdm_fields_read(y, top, fields, t);

	if (!r && !t->version)
		r = ccdm_yaml_bad(y, top, "expected 'version: 1', found no version", NULL);
	return r ? r : ccdm_workload_variables(y, top, &t->w);
}

int ccdm_workload_default(struct ccdm_workload *w, struct ccdm_err *err)
{
	memset(w, 0, sizeof(*w));
	w->svn = 1;
	w->environment = json_object();
	w->tmpfs = json_array();
	w->files = json_array();
	w->dns = json_array();
	w->stop_timeout = 10;
	w->no_new_privileges = true;
	w->shm_size = 64 << 20;
	w->on_exit = ccdm_workload_exits[0];
	w->restart = ccdm_workload_restarts[0];
	w->restart_delay = 1;
	w->health.interval = w->health.timeout = UINT64_MAX;
	w->health.start_period = w->health.retries = UINT64_MAX;
	w->health.action = ccdm_workload_actions[0];
	w->logs = ccdm_workload_logs[0];
	w->network = "dhcp";
	return w->environment && w->tmpfs && w->files && w->dns ? 0 : ccdm_err_memory(err);
}

int ccdm_workload_parse(const char *file, const char *text, size_t size, struct ccdm_workload *w,
			struct ccdm_err *err)
{
	struct ccdm_workload_top *top = calloc(1, sizeof(*top));
	int r;

	memset(w, 0, sizeof(*w));
	if (!top)
		return ccdm_err_memory(err);
	r = ccdm_workload_default(&top->w, err);
	if (!r)
		r = ccdm_yaml_one(file, text, size, CCDM_WORKLOAD_MAX, CCDM_WORKLOAD_NODES,
				  ccdm_workload_document, top, err);
	*w = top->w;
	free(top);
	return r;
}

int ccdm_workload_load(const char *file, struct ccdm_workload *w, struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r;

	memset(w, 0, sizeof(*w));
	r = ccdm_file_read(file, CCDM_WORKLOAD_MAX, &text, &size, err);
	if (r)
		return r;
	r = ccdm_workload_parse(file, text, size, w, err);
	free(text);
	return r;
}

void ccdm_workload_drop(struct ccdm_workload *w)
{
	json_decref(w->entrypoint);
	json_decref(w->command);
	json_decref(w->environment);
	json_decref(w->volumes);
	json_decref(w->tmpfs);
	json_decref(w->files);
	json_decref(w->health.test);
	json_decref(w->dns);
	json_decref(w->ports);
	memset(w, 0, sizeof(*w));
}
