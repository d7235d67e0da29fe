// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_json.c - see workload_json.h */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/file.h"
#include "workload_json.h"

#define FILE_NAME CCDM_WORKLOAD_JSON_FILE
#define UPPER	  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER	  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	  "0123456789"

#define SECONDS_MAX 31536000 /* a year */

static int ccdm_workload_json_bad(const char *what, const char *expected, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, FILE_NAME ": %s: expected %s", what, expected);
}

/* The index of a word among words separated by blanks, or -1. */
static int ccdm_workload_json_place(const char *words, const char *word)
{
	size_t n = strlen(word);
	int place = 0;

	for (; *words; words += strcspn(words, " "), words += strspn(words, " "), place++)
		if (strcspn(words, " ") == n && !strncmp(words, word, n))
			return place;
	return -1;
}

/* Check that it is an object without unknown members. */
static int ccdm_workload_json_object(json_t *o, const char *what, const char *words,
				     struct ccdm_err *err)
{
	char expected[256];
	const char *key;
	json_t *value;

	if (!json_is_object(o))
		return ccdm_workload_json_bad(what, "an object", err);
	json_object_foreach(o, key, value)
	{
		if (ccdm_workload_json_place(words, key) >= 0)
			continue;
		snprintf(expected, sizeof(expected), "one of: %s; found '%.32s'", words, key);
		return ccdm_workload_json_bad(what, expected, err);
	}
	return 0;
}

/* Read a text of 1 to @size - 1 bytes; @letters: the allowed characters, or NULL. */
static int ccdm_workload_json_text(const json_t *value, const char *what, const char *letters,
				   char *to, size_t size, struct ccdm_err *err)
{
	const char *text = json_string_value(value);
	char expected[64];
	size_t n = text ? strlen(text) : 0;

	snprintf(expected, sizeof(expected), "a text of 1 to %zu bytes", size - 1);
	/* a zero byte would hide the rest of the text */
	if (!n || n >= size || n != json_string_length(value))
		return ccdm_workload_json_bad(what, expected, err);
	if (letters && text[strspn(text, letters)])
		return ccdm_workload_json_bad(what, "a text without special characters", err);
	memcpy(to, text, n + 1);
	return 0;
}

static int ccdm_workload_json_number(const json_t *value, const char *what, uint64_t min,
				     uint64_t max, uint64_t *to, struct ccdm_err *err)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "a number from %llu to %llu", (unsigned long long)min,
		 (unsigned long long)max);
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) < min || (uint64_t)json_integer_value(value) > max)
		return ccdm_workload_json_bad(what, expected, err);
	*to = json_integer_value(value);
	return 0;
}

/* The same for an optional member; @to keeps its value if it is missing. */
static int ccdm_workload_json_small(const json_t *o, const char *key, const char *what,
				    unsigned int max, unsigned int *to, struct ccdm_err *err)
{
	const json_t *value = json_object_get(o, key);
	uint64_t number;
	int r;

	if (!value)
		return 0;
	r = ccdm_workload_json_number(value, what, 0, max, &number, err);
	if (!r)
		*to = (unsigned int)number;
	return r;
}

/* Read one of @words; the default is the first one. @to: its index. */
static int ccdm_workload_json_word(const json_t *o, const char *key, const char *what,
				   const char *words, unsigned int *to, struct ccdm_err *err)
{
	const json_t *value = json_object_get(o, key);
	char expected[96];
	int place;

	if (!value)
		return 0;
	place = json_is_string(value) ? ccdm_workload_json_place(words, json_string_value(value))
				      : -1;
	snprintf(expected, sizeof(expected), "one of: %s", words);
	if (place < 0)
		return ccdm_workload_json_bad(what, expected, err);
	*to = place;
	return 0;
}

/* Read seconds, perhaps with a fraction, as milliseconds. */
static int ccdm_workload_json_seconds(const json_t *o, const char *key, const char *what,
				      uint64_t *to, struct ccdm_err *err)
{
	const json_t *value = json_object_get(o, key);
	double seconds = json_number_value(value);

	if (!value)
		return 0;
	if (!json_is_number(value) || !(seconds >= 0 && seconds <= SECONDS_MAX))
		return ccdm_workload_json_bad(what, "seconds, at most a year", err);
	*to = (uint64_t)(seconds * 1000 + 0.5);
	return 0;
}

/* ---- network -------------------------------------------------------------------- */

static bool ccdm_workload_json_is_ip(const char *text, int *bits)
{
	unsigned char bytes[16];

	*bits = strchr(text, ':') ? 128 : 32;
	return inet_pton(*bits == 128 ? AF_INET6 : AF_INET, text, bytes) == 1;
}

static int ccdm_workload_json_ip(const json_t *value, const char *what, char *to, size_t size,
				 struct ccdm_err *err)
{
	int bits, r = ccdm_workload_json_text(value, what, NULL, to, size, err);

	if (r || ccdm_workload_json_is_ip(to, &bits))
		return r;
	return ccdm_workload_json_bad(what, "an IP address", err);
}

/* Parse ADDRESS/BITS. */
static int ccdm_workload_json_cidr(const json_t *value, char *to, size_t size, struct ccdm_err *err)
{
	static const char what[] = "network.address";
	char address[64], *slash;
	unsigned long bits;
	int most, r = ccdm_workload_json_text(value, what, NULL, to, size, err);

	if (r)
		return r;
	snprintf(address, sizeof(address), "%s", to);
	slash = strchr(address, '/');
	if (slash)
		*slash++ = '\0';
	if (!slash || !ccdm_workload_json_is_ip(address, &most) || !*slash ||
	    slash[strspn(slash, DIGITS)] || strlen(slash) > 3)
		return ccdm_workload_json_bad(what, "ADDRESS/BITS", err);
	bits = strtoul(slash, NULL, 10);
	return bits && bits <= (unsigned long)most
		       ? 0
		       : ccdm_workload_json_bad(what, "ADDRESS/BITS", err);
}

static int ccdm_workload_json_dns(json_t *value, struct ccdm_workload_json *w, struct ccdm_err *err)
{
	size_t i, n = json_is_array(value) ? json_array_size(value) : 1;
	int r = 0;

	if (!value)
		return 0;
	if (n > CCDM_WORKLOAD_JSON_DNS)
		return ccdm_workload_json_bad("network.dns", "at most 3 addresses", err);
	for (i = 0; !r && i < n; i++)
		r = ccdm_workload_json_ip(json_is_array(value) ? json_array_get(value, i) : value,
					  "network.dns", w->dns[i], sizeof(w->dns[i]), err);
	w->nr_dns = (unsigned int)n;
	return r;
}

static int ccdm_workload_json_net(json_t *root, struct ccdm_workload_json *w, struct ccdm_err *err)
{
	json_t *o = json_object_get(root, "network"), *gateway;
	unsigned int word = 0;
	int r;

	if (!json_is_object(o)) {
		r = ccdm_workload_json_word(root, "network", "network", "dhcp none", &word, err);
		w->net = word ? CCDM_WORKLOAD_OFFLINE : CCDM_WORKLOAD_DHCP;
		return r;
	}
	w->net = CCDM_WORKLOAD_STATIC;
	r = ccdm_workload_json_object(o, "network", "address gateway dns", err);
	if (!r)
		r = ccdm_workload_json_cidr(json_object_get(o, "address"), w->address,
					    sizeof(w->address), err);
	gateway = json_object_get(o, "gateway");
	if (!r && gateway && !json_is_null(gateway))
		r = ccdm_workload_json_ip(gateway, "network.gateway", w->gateway,
					  sizeof(w->gateway), err);
	gateway = json_object_get(o, "dns");
	return r || json_is_null(gateway) ? r : ccdm_workload_json_dns(gateway, w, err);
}

static int ccdm_workload_json_ports(json_t *root, struct ccdm_workload_json *w,
				    struct ccdm_err *err)
{
	json_t *list = json_object_get(root, "ports"), *value;
	uint64_t port;
	size_t i;
	int r;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > CCDM_WORKLOAD_JSON_PORTS)
		return ccdm_workload_json_bad("ports", "an array of at most 256 ports, or null",
					      err);
	w->has_ports = true;
	json_array_foreach(list, i, value)
	{
		r = ccdm_workload_json_number(value, "ports", 1, 65535, &port, err);
		if (r)
			return r;
		w->port[w->nr_ports++] = (uint16_t)port;
	}
	return 0;
}

/* ---- volumes, secrets, health ------------------------------------------------------ */

static int ccdm_workload_json_volumes(json_t *root, struct ccdm_workload_json *w,
				      struct ccdm_err *err)
{
	json_t *list = json_object_get(root, "volumes"), *value;
	char *path;
	size_t i;
	int r = 0;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > CCDM_WORKLOAD_JSON_VOLUMES)
		return ccdm_workload_json_bad("volumes", "an array of at most 64 volumes", err);
	json_array_foreach(list, i, value)
	{
		path = w->volume[w->nr_volumes++];
		r = ccdm_workload_json_object(value, "volumes", "path", err);
		if (!r)
			r = ccdm_workload_json_text(json_object_get(value, "path"), "volumes.path",
						    NULL, path, CCDM_WORKLOAD_JSON_PATH, err);
		if (!r && path[0] != '/')
			r = ccdm_workload_json_bad("volumes.path", "an absolute path", err);
		if (r)
			return r;
	}
	return 0;
}

/* Read a secret's name, which becomes a file name. */
static int ccdm_workload_json_name(const json_t *value, const struct ccdm_workload_json *w,
				   char *name, size_t size, struct ccdm_err *err)
{
	unsigned int i;
	int r = ccdm_workload_json_text(value, "secrets.name", UPPER LOWER DIGITS "._-", name, size,
					err);

	if (r)
		return r;
	if (name[0] == '.')
		return ccdm_workload_json_bad("secrets.name", "no dot at the beginning", err);
	for (i = 0; i + 1 < w->nr_secrets; i++)
		if (!strcmp(w->secret[i].name, name))
			return ccdm_workload_json_bad("secrets.name", "each name once", err);
	return 0;
}

static int ccdm_workload_json_env(const json_t *value, char *env, size_t size, struct ccdm_err *err)
{
	int r = ccdm_workload_json_text(value, "secrets.env", UPPER LOWER DIGITS "_", env, size,
					err);

	if (!r && strchr(DIGITS, env[0]))
		r = ccdm_workload_json_bad("secrets.env", "no digit at the beginning", err);
	return r;
}

/* Parse octal digits, as for chmod. */
static int ccdm_workload_json_mode(const json_t *value, unsigned int *mode, struct ccdm_err *err)
{
	char text[8];
	int r;

	*mode = 0400;
	if (!value)
		return 0;
	r = ccdm_workload_json_text(value, "secrets.mode", "01234567", text, sizeof(text), err);
	if (r)
		return r;
	*mode = (unsigned int)strtoul(text, NULL, 8);
	return *mode <= 0777 ? 0 : ccdm_workload_json_bad("secrets.mode", "0000 to 0777", err);
}

static int ccdm_workload_json_secret(json_t *o, struct ccdm_workload_json *w, struct ccdm_err *err)
{
	struct ccdm_workload_secret *s = &w->secret[w->nr_secrets++];
	json_t *env = json_object_get(o, "env"), *path = json_object_get(o, "path");
	json_t *file = json_object_get(o, "file");
	char place[CCDM_WORKLOAD_JSON_PATH];
	int r = ccdm_workload_json_object(o, "secrets", "name env file path mode", err);

	if (!r)
		r = ccdm_workload_json_name(json_object_get(o, "name"), w, s->name, sizeof(s->name),
					    err);
	if (!r && !!env + !!path + !!file != 1)
		r = ccdm_workload_json_bad("secrets", "one of: env, file, path", err);
	if (!r && env)
		r = ccdm_workload_json_env(env, s->env, sizeof(s->env), err);
	if (!r && !env) {
		r = ccdm_workload_json_text(path ? path : file, "secrets.path", NULL, place,
					    sizeof(place), err);
		if (!r && place[0] != '/')
			r = ccdm_workload_json_bad("secrets.path", "an absolute path", err);
	}
	return r ? r : ccdm_workload_json_mode(json_object_get(o, "mode"), &s->mode, err);
}

static int ccdm_workload_json_secrets(json_t *root, struct ccdm_workload_json *w,
				      struct ccdm_err *err)
{
	json_t *list = json_object_get(root, "secrets"), *value;
	size_t i;
	int r = 0;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > CCDM_WORKLOAD_JSON_SECRETS)
		return ccdm_workload_json_bad("secrets", "an array of at most 64 secrets", err);
	json_array_foreach(list, i, value)
	{
		r = ccdm_workload_json_secret(value, w, err);
		if (r)
			return r;
	}
	return 0;
}

/* Check: CMD and at least one word, or CMD-SHELL and one line. */
static int ccdm_workload_json_test(json_t *list, struct ccdm_err *err)
{
	const char *kind = json_string_value(json_array_get(list, 0));
	size_t i, n = json_array_size(list);

	if (n < 2 || n > 256 || !kind || (strcmp(kind, "CMD") && strcmp(kind, "CMD-SHELL")) ||
	    (!strcmp(kind, "CMD-SHELL") && n != 2))
		return ccdm_workload_json_bad("health.test",
					      "CMD and a command, or CMD-SHELL and one line", err);
	for (i = 1; i < n; i++)
		if (!json_is_string(json_array_get(list, i)) ||
		    strlen(json_string_value(json_array_get(list, i))) !=
			    json_string_length(json_array_get(list, i)))
			return ccdm_workload_json_bad("health.test", "an array of texts", err);
	return 0;
}

static int ccdm_workload_json_health(json_t *root, struct ccdm_workload_health *h,
				     struct ccdm_err *err)
{
	json_t *o = json_object_get(root, "health");
	unsigned int action = 0;
	int r;

	if (!o || json_is_null(o))
		return 0;
	/* Docker's defaults */
	h->interval = h->timeout = 30000;
	h->retries = 3;
	r = ccdm_workload_json_object(o, "health",
				      "test interval timeout retries start_period action", err);
	if (!r)
		r = ccdm_workload_json_test(json_object_get(o, "test"), err);
	if (!r)
		r = ccdm_workload_json_seconds(o, "interval", "health.interval", &h->interval, err);
	if (!r)
		r = ccdm_workload_json_seconds(o, "timeout", "health.timeout", &h->timeout, err);
	if (!r)
		r = ccdm_workload_json_seconds(o, "start_period", "health.start_period",
					       &h->start_period, err);
	if (!r)
		r = ccdm_workload_json_small(o, "retries", "health.retries", 1000, &h->retries,
					     err);
	if (!r)
		r = ccdm_workload_json_word(o, "action", "health.action", "none restart poweroff",
					    &action, err);
	if (r)
		return r;
	h->action = action;
	h->test = json_incref(json_object_get(o, "test"));
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------- */

static int ccdm_workload_json_user(json_t *root, struct ccdm_workload_json *w, struct ccdm_err *err)
{
	json_t *o = json_object_get(root, "user");
	uint64_t uid = 0, gid = 0;
	int r = ccdm_workload_json_object(o, "user", "uid gid", err);

	/* the highest number is not a user: chown(2) would change nothing */
	if (!r)
		r = ccdm_workload_json_number(json_object_get(o, "uid"), "user.uid", 0,
					      UINT32_MAX - 1, &uid, err);
	if (!r)
		r = ccdm_workload_json_number(json_object_get(o, "gid"), "user.gid", 0,
					      UINT32_MAX - 1, &gid, err);
	w->uid = (uint32_t)uid;
	w->gid = (uint32_t)gid;
	return r;
}

/* Read what happens when the container ends. */
static int ccdm_workload_json_end(json_t *root, struct ccdm_workload_json *w, struct ccdm_err *err)
{
	json_t *o = json_object_get(root, "restart"), *signal;
	unsigned int on_exit = 0, when = 0;
	int r = ccdm_workload_json_word(root, "on_exit", "on_exit", "poweroff reboot", &on_exit,
					err);

	if (!r && o)
		r = ccdm_workload_json_object(o, "restart", "when delay most", err);
	if (!r && o)
		r = ccdm_workload_json_word(o, "when", "restart.when", "never failure always",
					    &when, err);
	if (!r && o)
		r = ccdm_workload_json_small(o, "delay", "restart.delay", 86400, &w->delay, err);
	if (!r && o)
		r = ccdm_workload_json_small(o, "most", "restart.most", 1000000, &w->most, err);
	w->on_exit = on_exit;
	w->restart = when;
	signal = json_object_get(root, "stop_signal");
	if (!r && signal) {
		r = ccdm_workload_json_text(signal, "stop_signal", UPPER DIGITS "+-",
					    w->stop_signal, sizeof(w->stop_signal), err);
		if (!r && (strncmp(w->stop_signal, "SIG", 3) || !w->stop_signal[3]))
			r = ccdm_workload_json_bad("stop_signal", "SIGTERM or another name", err);
	}
	return r ? r
		 : ccdm_workload_json_small(root, "stop_timeout", "stop_timeout", 86400,
					    &w->stop_timeout, err);
}

static int ccdm_workload_json_root(json_t *root, struct ccdm_workload_json *w, struct ccdm_err *err)
{
	unsigned int logs = 0;
	uint64_t version;
	int r;

	r = ccdm_workload_json_object(root, "the file",
				      "version product user on_exit restart stop_signal "
				      "stop_timeout logs network ports volumes secrets health",
				      err);
	if (!r)
		r = ccdm_workload_json_number(json_object_get(root, "version"), "version", 1, 1,
					      &version, err);
	if (!r)
		r = ccdm_workload_json_text(json_object_get(root, "product"), "product",
					    UPPER LOWER DIGITS "._-/+:", w->product,
					    sizeof(w->product), err);
	if (!r)
		r = ccdm_workload_json_user(root, w, err);
	if (!r)
		r = ccdm_workload_json_end(root, w, err);
	if (!r)
		r = ccdm_workload_json_word(root, "logs", "logs", "journal none console", &logs,
					    err);
	w->logs = logs;
	if (!r)
		r = ccdm_workload_json_net(root, w, err);
	if (!r)
		r = ccdm_workload_json_ports(root, w, err);
	if (!r)
		r = ccdm_workload_json_volumes(root, w, err);
	if (!r)
		r = ccdm_workload_json_secrets(root, w, err);
	return r ? r : ccdm_workload_json_health(root, &w->health, err);
}

int ccdm_workload_json_parse(const char *text, size_t size, struct ccdm_workload_json *w,
			     struct ccdm_err *err)
{
	json_error_t where;
	json_t *root;
	int r;

	memset(w, 0, sizeof(*w));
	strcpy(w->stop_signal, "SIGTERM");
	w->stop_timeout = 10;
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
	if (!root)
		return ccdm_err_set(err, -EINVAL, FILE_NAME ":%d:%d: %s", where.line, where.column,
				    where.text);
	r = ccdm_workload_json_root(root, w, err);
	json_decref(root);
	return r;
}

int ccdm_workload_json_load(const char *folder, struct ccdm_workload_json *w, struct ccdm_err *err)
{
	char file[256], *text;
	size_t size;
	int r;

	memset(w, 0, sizeof(*w));
	snprintf(file, sizeof(file), "%s/" FILE_NAME, folder);
	r = ccdm_file_read(file, CCDM_WORKLOAD_JSON_MAX, &text, &size, err);
	if (r)
		return r;
	r = ccdm_workload_json_parse(text, size, w, err);
	free(text);
	return r;
}

void ccdm_workload_json_drop(struct ccdm_workload_json *w)
{
	json_decref(w->health.test);
	w->health.test = NULL;
}
