// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* runtime_process.c - "process" of config.json: arguments, environment, user, rights */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "capabilities.h"
#include "runtime_parts.h"

/* Docker's and umoci's, for an image that has no PATH. */
static const char ccdm_runtime_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/*
 * An entrypoint of workload.yaml replaces the image's Entrypoint and its Cmd, because Cmd has the
 * arguments of Entrypoint.
 */
static int ccdm_runtime_args(const struct ccdm_runtime_parts *p, json_t **args,
			     struct ccdm_err *err)
{
	const struct ccdm_workload *w = p->in->workload;
	json_t *entrypoint = w->entrypoint ? w->entrypoint : p->in->image->entrypoint;
	json_t *command = w->command ? w->command : w->entrypoint ? NULL : p->in->image->cmd;

	*args = json_array();
	if (!*args || json_array_extend(*args, entrypoint) ||
	    (command && json_array_extend(*args, command)))
		return ccdm_err_memory(err);
	if (!json_array_size(*args) || !*json_string_value(json_array_get(*args, 0)))
		return ccdm_err_set(
			err, -EINVAL,
			"image %s: it has neither an entrypoint nor a command; name one "
			"in workload.yaml (run: command)",
			p->in->image_name);
	return 0;
}

/* Set NAME=VALUE at the place that NAME has, or at the end. */
static void ccdm_runtime_variable(json_t **env, const char *one)
{
	size_t i, n = strcspn(one, "=") + 1;

	for (i = 0; i < json_array_size(*env); i++)
		if (!strncmp(one, json_string_value(json_array_get(*env, i)), n))
			break;
	if (i == json_array_size(*env)) {
		ccdm_json_add(env, json_string(one));
	} else if (json_array_set_new(*env, i, json_string(one))) {
		json_decref(*env);
		*env = NULL;
	}
}

static bool ccdm_runtime_has(const json_t *env, const char *name)
{
	size_t i;

	for (i = 0; i < json_array_size(env); i++)
		if (!strncmp(name, json_string_value(json_array_get(env, i)), strlen(name)))
			return true;
	return false;
}

static json_t *ccdm_runtime_env(const struct ccdm_runtime_parts *p)
{
	const json_t *image = p->in->image->env;
	json_t *env = json_array(), *value;
	const char *key;
	char *one;
	size_t i;

	ccdm_runtime_variable(&env, ccdm_runtime_path);
	ccdm_runtime_variable(&env, "TERM=xterm");
	for (i = 0; i < json_array_size(image); i++)
		ccdm_runtime_variable(&env, json_string_value(json_array_get(image, i)));
	json_object_foreach(p->in->workload->environment, key, value)
	{
		if (asprintf(&one, "%s=%s", key, json_string_value(value)) < 0) {
			json_decref(env);
			return NULL;
		}
		ccdm_runtime_variable(&env, one);
		free(one);
	}
	if (!ccdm_runtime_has(env, "HOME="))
		ccdm_json_add(&env, json_sprintf("HOME=%s", p->user.home));
	return env;
}

/* A relative WorkingDir of an image begins at the root, as with Docker. */
static json_t *ccdm_runtime_cwd(const struct ccdm_runtime_parts *p)
{
	const char *own = p->in->workload->workdir;
	const char *cwd = *own ? own : p->in->image->workdir;

	return json_sprintf("%s%s", *cwd == '/' ? "" : "/", cwd);
}

/*
 * Root has all capabilities of the set. For another user the set is only the bounding set; but the
 * user has the capabilities that workload.yaml adds, because under no_new_privileges they would
 * otherwise have no effect.
 */
static json_t *ccdm_runtime_caps(const struct ccdm_runtime_parts *p)
{
	uint64_t own = p->user.uid ? p->in->workload->cap_add & p->caps : p->caps;
	uint64_t kept = p->user.uid ? own : 0;
	json_t *caps = json_object();

	ccdm_json_put(&caps, "bounding", ccdm_capabilities_json(p->caps));
	ccdm_json_put(&caps, "effective", ccdm_capabilities_json(own));
	ccdm_json_put(&caps, "permitted", ccdm_capabilities_json(own));
	ccdm_json_put(&caps, "inheritable", ccdm_capabilities_json(kept));
	ccdm_json_put(&caps, "ambient", ccdm_capabilities_json(kept));
	return caps;
}

static json_t *ccdm_runtime_user(const struct ccdm_runtime_parts *p)
{
	json_t *user = json_object();

	ccdm_json_put(&user, "uid", json_integer(p->user.uid));
	ccdm_json_put(&user, "gid", json_integer(p->user.gid));
	if (json_array_size(p->user.groups))
		ccdm_json_put(&user, "additionalGids", json_incref(p->user.groups));
	return user;
}

int ccdm_runtime_process(const struct ccdm_runtime_parts *p, json_t **process, struct ccdm_err *err)
{
	json_t *args = NULL;
	int r = ccdm_runtime_args(p, &args, err);

	*process = NULL;
	if (r) {
		json_decref(args);
		return r;
	}
	*process = json_object();
	ccdm_json_put(process, "args", args);
	ccdm_json_put(process, "env", ccdm_runtime_env(p));
	ccdm_json_put(process, "cwd", ccdm_runtime_cwd(p));
	ccdm_json_put(process, "user", ccdm_runtime_user(p));
	ccdm_json_put(process, "capabilities", ccdm_runtime_caps(p));
	ccdm_json_put(process, "noNewPrivileges", json_boolean(p->in->workload->no_new_privileges));
	ccdm_json_put(process, "terminal", json_false());
	ccdm_json_put(process, "oomScoreAdj", json_integer(0));
	ccdm_json_put(process, "rlimits",
		      json_pack("[{s:s,s:i,s:i}]", "type", "RLIMIT_NOFILE", "hard", 1048576, "soft",
				1024));
	return *process ? 0 : ccdm_err_memory(err);
}
