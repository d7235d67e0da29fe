// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* image_config.c - see image_config.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "image_config.h"

#define CCDM_IMAGE_CONFIG_SECOND 1000000000 /* times are in nanoseconds */

/* The configuration that is read: the image's name, and the place of errors. */
struct ccdm_image_reader {
	const char *name;
	struct ccdm_err *err;
};

static int ccdm_image_bad(const struct ccdm_image_reader *in, const char *field,
			  const char *expected, const char *found)
{
	return ccdm_err_set(in->err, -EINVAL, "image %s: configuration: %s: expected %s%s%s%s",
			    in->name, field, expected, found ? ", found '" : "", found ? found : "",
			    found ? "'" : "");
}

/* A string, or "" for what is absent or null. */
static int ccdm_image_text(const struct ccdm_image_reader *in, const json_t *o, const char *field,
			   const char **text)
{
	const json_t *value = json_object_get(o, field);

	*text = value && !json_is_null(value) ? json_string_value(value) : "";
	return *text ? 0 : ccdm_image_bad(in, field, "a string", NULL);
}

/* An array of strings, or an empty array for what is absent or null. */
static int ccdm_image_texts(const struct ccdm_image_reader *in, const json_t *o, const char *field,
			    json_t **list)
{
	json_t *value = json_object_get(o, field);
	size_t i;

	*list = !value || json_is_null(value) ? json_array() : json_incref(value);
	if (!*list)
		return -ENOMEM;
	if (!json_is_array(*list))
		return ccdm_image_bad(in, field, "an array of strings", NULL);
	for (i = 0; i < json_array_size(*list); i++)
		if (!json_is_string(json_array_get(*list, i)))
			return ccdm_image_bad(in, field, "an array of strings", NULL);
	return 0;
}

/* The names of an object, sorted; an empty array for what is absent or null. */
static int ccdm_image_names(const struct ccdm_image_reader *in, const json_t *o, const char *field,
			    json_t **list)
{
	json_t *value = json_object_get(o, field), *member;
	const char *key;
	size_t i;

	*list = json_array();
	if (!*list)
		return -ENOMEM;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return ccdm_image_bad(in, field, "an object", NULL);
	json_object_foreach(value, key, member)
	{
		for (i = 0; i < json_array_size(*list); i++)
			if (strcmp(key, json_string_value(json_array_get(*list, i))) < 0)
				break;
		if (json_array_insert_new(*list, i, json_string(key)))
			return -ENOMEM;
	}
	return 0;
}

/* Each NAME=VALUE once, at the place of the first and with the value of the last. */
static int ccdm_image_env(const struct ccdm_image_reader *in, const json_t *o, json_t **env)
{
	json_t *list = NULL;
	size_t i, j, n;
	int r = ccdm_image_texts(in, o, "Env", &list);

	*env = r ? NULL : json_array();
	if (!r && !*env)
		r = -ENOMEM;
	for (i = 0; !r && i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));

		n = strcspn(one, "=");
		if (!n || !one[n]) {
			r = ccdm_image_bad(in, "Env", "NAME=VALUE", one);
			break;
		}
		for (j = 0; j < json_array_size(*env); j++)
			if (!strncmp(one, json_string_value(json_array_get(*env, j)), n + 1))
				break;
		if (j < json_array_size(*env) ? json_array_set_new(*env, j, json_string(one))
					      : json_array_append_new(*env, json_string(one)))
			r = -ENOMEM;
	}
	json_decref(list);
	return r;
}

static int ccdm_image_seconds(const struct ccdm_image_reader *in, const json_t *o,
			      const char *field, uint64_t unset, uint64_t *seconds)
{
	const json_t *value = json_object_get(o, field);
	json_int_t n = json_integer_value(value);

	if (value && !json_is_null(value) &&
	    (!json_is_integer(value) || n < 0 || n > (json_int_t)86400 * CCDM_IMAGE_CONFIG_SECOND))
		return ccdm_image_bad(in, field, "nanoseconds, at most a day", NULL);
	*seconds =
		n ? (uint64_t)(n + CCDM_IMAGE_CONFIG_SECOND - 1) / CCDM_IMAGE_CONFIG_SECOND : unset;
	return 0;
}

/* ["CMD", WORD, ...], ["CMD-SHELL", LINE], ["NONE"] or [] */
static int ccdm_image_test(const struct ccdm_image_reader *in, const json_t *o, json_t *test,
			   json_t **command)
{
	const char *kind = json_string_value(json_array_get(test, 0));
	size_t n = json_array_size(test);
	json_t *words = NULL;
	int r = 0;

	if (!n || (n == 1 && !strcmp(kind, "NONE")))
		return 0;
	if (!strcmp(kind, "CMD") && n > 1) {
		*command = json_copy(test);
		return *command && !json_array_remove(*command, 0) ? 0 : -ENOMEM;
	}
	if (strcmp(kind, "CMD-SHELL") || n != 2)
		return ccdm_image_bad(in, "Healthcheck.Test",
				      "NONE, CMD with a command, or CMD-SHELL with a line", kind);
	r = ccdm_image_texts(in, o, "Shell", &words);
	if (!r) {
		*command = json_array_size(words) ? json_copy(words)
						  : json_pack("[ss]", "/bin/sh", "-c");
		if (!*command || json_array_append(*command, json_array_get(test, 1)))
			r = -ENOMEM;
	}
	json_decref(words);
	return r;
}

static int ccdm_image_health(const struct ccdm_image_reader *in, const json_t *o,
			     struct ccdm_image_health *h)
{
	const json_t *check = json_object_get(o, "Healthcheck"), *retries;
	json_t *test = NULL;
	int r;

	if (!check || json_is_null(check))
		return 0;
	if (!json_is_object(check))
		return ccdm_image_bad(in, "Healthcheck", "an object", NULL);
	r = ccdm_image_texts(in, check, "Test", &test);
	if (!r)
		r = ccdm_image_test(in, o, test, &h->test);
	json_decref(test);
	if (!r)
		r = ccdm_image_seconds(in, check, "Interval", 30, &h->interval);
	if (!r)
		r = ccdm_image_seconds(in, check, "Timeout", 30, &h->timeout);
	if (!r)
		r = ccdm_image_seconds(in, check, "StartPeriod", 0, &h->start_period);
	retries = json_object_get(check, "Retries");
	h->retries = (uint64_t)json_integer_value(retries);
	if (!r && retries && (!json_is_integer(retries) || h->retries > 1000))
		r = ccdm_image_bad(in, "Retries", "a number from 0 to 1000", NULL);
	if (!h->retries)
		h->retries = 3;
	return r;
}

static int ccdm_image_volumes(const struct ccdm_image_reader *in, const json_t *o, json_t **list)
{
	int r = ccdm_image_names(in, o, "Volumes", list);
	size_t i;

	if (!r && json_array_size(*list) > CCDM_IMAGE_CONFIG_VOLUMES)
		r = ccdm_image_bad(in, "Volumes", "at most 64 volumes", NULL);
	for (i = 0; !r && i < json_array_size(*list); i++)
		if (*json_string_value(json_array_get(*list, i)) != '/')
			r = ccdm_image_bad(in, "Volumes", "absolute paths",
					   json_string_value(json_array_get(*list, i)));
	return r;
}

static int ccdm_image_members(const struct ccdm_image_reader *in, const json_t *o,
			      struct ccdm_image_config *c)
{
	const char *signal;
	int r = ccdm_image_texts(in, o, "Entrypoint", &c->entrypoint);

	if (!r)
		r = ccdm_image_texts(in, o, "Cmd", &c->cmd);
	if (!r)
		r = ccdm_image_env(in, o, &c->env);
	if (!r)
		r = ccdm_image_text(in, o, "WorkingDir", &c->workdir);
	if (!r)
		r = ccdm_image_text(in, o, "User", &c->user);
	if (!r)
		r = ccdm_image_volumes(in, o, &c->volumes);
	if (!r)
		r = ccdm_image_names(in, o, "ExposedPorts", &c->exposed);
	if (!r)
		r = ccdm_image_health(in, o, &c->health);
	if (!r)
		r = ccdm_image_text(in, o, "StopSignal", &signal);
	if (!r && *signal && ccdm_signal_name(signal, c->stop_signal))
		r = ccdm_image_bad(in, "StopSignal", "a signal", signal);
	return r;
}

/* An image for another system cannot run. */
static int ccdm_image_platform(const struct ccdm_image_reader *in, const json_t *root)
{
	const char *os, *architecture;
	int r = ccdm_image_text(in, root, "os", &os);

	if (!r)
		r = ccdm_image_text(in, root, "architecture", &architecture);
	if (!r && *os && strcmp(os, "linux"))
		r = ccdm_image_bad(in, "os", "linux", os);
	if (!r && *architecture && strcmp(architecture, "amd64"))
		r = ccdm_image_bad(in, "architecture", "amd64", architecture);
	return r;
}

int ccdm_image_config_parse(const char *name, const char *text, size_t size,
			    struct ccdm_image_config *config, struct ccdm_err *err)
{
	const struct ccdm_image_reader in = { name, err };
	json_error_t where;
	json_t *o;
	int r;

	memset(config, 0, sizeof(*config));
	if (size > CCDM_IMAGE_CONFIG_MAX)
		return ccdm_err_set(err, -EINVAL, "image %s: configuration: larger than %u bytes",
				    name, CCDM_IMAGE_CONFIG_MAX);
	config->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!config->json && json_error_code(&where) == json_error_out_of_memory)
		return ccdm_err_memory(err);
	if (!config->json)
		return ccdm_err_set(err, -EINVAL, "image %s: configuration:%d:%d: %s", name,
				    where.line, where.column, where.text);
	r = json_is_object(config->json) ? ccdm_image_platform(&in, config->json)
					 : ccdm_image_bad(&in, "top", "an object", NULL);
	o = json_object_get(config->json, "config");
	if (!r && o && !json_is_null(o) && !json_is_object(o))
		r = ccdm_image_bad(&in, "config", "an object", NULL);
	if (!r)
		r = ccdm_image_members(&in, o, config);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}

void ccdm_image_config_drop(struct ccdm_image_config *config)
{
	json_decref(config->entrypoint);
	json_decref(config->cmd);
	json_decref(config->env);
	json_decref(config->volumes);
	json_decref(config->exposed);
	json_decref(config->health.test);
	json_decref(config->json);
	memset(config, 0, sizeof(*config));
}
