// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_bundle.c - see workload_bundle.h */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "workload_bundle.h"

static void ccdm_workload_bundle_zero(char *text, size_t size)
{
	if (text)
		explicit_bzero(text, size);
	free(text);
}

/* Write a new file. @uid: -1: the caller's. */
static int ccdm_workload_bundle_put(const char *file, const void *bytes, size_t size, mode_t mode,
				    uid_t uid, gid_t gid, struct ccdm_err *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), r = 0;
	size_t at = 0;
	ssize_t n = 0;

	while (fd >= 0 && at < size && (n = write(fd, (const char *)bytes + at, size - at)) > 0)
		at += n;
	/* chown() clears bits of the mode, so set it afterwards */
	if (fd < 0 || at < size || fchown(fd, uid, gid) || fchmod(fd, mode))
		r = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "%s: %s", file, strerror(-r)) : 0;
}

static int ccdm_workload_bundle_folder(const char *to, const char *name, mode_t mode,
				       struct ccdm_err *err)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", to, name);
	r = mkdir(path, mode) ? -errno : 0;
	return r ? ccdm_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

/* ---- secrets ---------------------------------------------------------------------- */

/* Put NAME=VALUE into the environment; replace a variable of this name. */
static int ccdm_workload_bundle_env(json_t *config, const struct ccdm_workload_secret *s,
				    const char *bytes, size_t size, struct ccdm_err *err)
{
	json_t *env = json_object_get(json_object_get(config, "process"), "env"), *value, *made;
	size_t i, n = strlen(s->env);
	const char *text;
	char *line;

	if (!json_is_array(env))
		return ccdm_err_set(err, -EINVAL, "config.json: expected the array process.env");
	if (memchr(bytes, '\0', size))
		return ccdm_err_set(err, -ENOKEY,
				    "secret '%s': expected text for the variable %s, found a zero "
				    "byte",
				    s->name, s->env);
	line = malloc(n + size + 2);
	if (!line)
		return ccdm_err_memory(err);
	sprintf(line, "%s=", s->env);
	memcpy(line + n + 1, bytes, size);
	made = json_stringn(line, n + 1 + size);
	ccdm_workload_bundle_zero(line, n + 1 + size);
	if (!made)
		return ccdm_err_set(err, -ENOKEY, "secret '%s': expected UTF-8 for the variable %s",
				    s->name, s->env);
	json_array_foreach(env, i, value)
	{
		text = json_string_value(value);
		if (text && !strncmp(text, s->env, n) && text[n] == '=')
			return json_array_set_new(env, i, made) ? ccdm_err_memory(err) : 0;
	}
	return json_array_append_new(env, made) ? ccdm_err_memory(err) : 0;
}

static int ccdm_workload_bundle_secret(const struct ccdm_workload_json *w,
				       const struct ccdm_workload_secret *s, const char *credstore,
				       const char *to, json_t *config, struct ccdm_err *err)
{
	char file[PATH_MAX], *bytes;
	struct ccdm_err why;
	size_t size;
	int r;

	snprintf(file, sizeof(file), "%s/%s", credstore, s->name);
	r = ccdm_file_read(file, CCDM_WORKLOAD_SECRET_MAX, &bytes, &size, &why);
	if (r) {
		ccdm_err_hint(err,
			      "[secrets] of ccdm.conf names the secrets that the boot fetches");
		return ccdm_err_set(err, -ENOKEY, "secret '%s' of the workload: %s", s->name,
				    why.text);
	}
	if (s->env[0]) {
		r = ccdm_workload_bundle_env(config, s, bytes, size, err);
	} else {
		snprintf(file, sizeof(file), "%s/secrets/%s", to, s->name);
		r = ccdm_workload_bundle_put(file, bytes, size, s->mode, w->uid, w->gid, err);
	}
	ccdm_workload_bundle_zero(bytes, size);
	return r;
}

/* Remove the secrets from the credential store: they are in the bundle now. */
static int ccdm_workload_bundle_forget(const struct ccdm_workload_json *w, const char *credstore,
				       struct ccdm_err *err)
{
	char file[PATH_MAX];
	unsigned int i;
	int r;

	for (i = 0; i < w->nr_secrets; i++) {
		snprintf(file, sizeof(file), "%s/%s", credstore, w->secret[i].name);
		r = unlink(file) ? -errno : 0;
		if (r)
			return ccdm_err_set(err, r, "%s: %s", file, strerror(-r));
	}
	return 0;
}

/* ---- the files of the bundle ------------------------------------------------------- */

static int ccdm_workload_bundle_config(const char *from, json_t **config, struct ccdm_err *err)
{
	char file[PATH_MAX], *text;
	json_error_t where;
	size_t size;
	int r;

	snprintf(file, sizeof(file), "%s/config.json", from);
	r = ccdm_file_read(file, CCDM_WORKLOAD_CONFIG_MAX, &text, &size, err);
	if (r)
		return r;
	*config = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (json_is_object(*config))
		return 0;
	return ccdm_err_set(err, -EINVAL, "%s:%d:%d: %s", file, where.line, where.column,
			    *config ? "expected an object" : where.text);
}

static int ccdm_workload_bundle_write(json_t *config, const char *to, struct ccdm_err *err)
{
	char file[PATH_MAX], *text = ccdm_json_dump(config, JSON_INDENT(1));
	int r;

	if (!text)
		return ccdm_err_memory(err);
	snprintf(file, sizeof(file), "%s/config.json", to);
	r = ccdm_workload_bundle_put(file, text, strlen(text), 0400, -1, -1, err);
	ccdm_workload_bundle_zero(text, strlen(text));
	return r;
}

static int ccdm_workload_bundle_etc(const char *hostname, const char *to, struct ccdm_err *err)
{
	char file[PATH_MAX], text[512];
	int r = ccdm_workload_bundle_folder(to, "etc", 0755, err);

	if (r)
		return r;
	snprintf(text, sizeof(text),
		 "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
		 "127.0.1.1\t%s\n",
		 hostname);
	snprintf(file, sizeof(file), "%s/etc/hosts", to);
	r = ccdm_workload_bundle_put(file, text, strlen(text), 0644, -1, -1, err);
	if (r)
		return r;
	snprintf(text, sizeof(text), "%s\n", hostname);
	snprintf(file, sizeof(file), "%s/etc/hostname", to);
	r = ccdm_workload_bundle_put(file, text, strlen(text), 0644, -1, -1, err);
	if (r)
		return r;
	snprintf(file, sizeof(file), "%s/etc/resolv.conf", to);
	return ccdm_workload_bundle_put(file, "", 0, 0644, -1, -1, err);
}

/* The host name in the container's configuration: at most 64 letters, digits and "-.". */
static const char *ccdm_workload_bundle_hostname(const json_t *config)
{
	const char *name = json_string_value(json_object_get(config, "hostname"));
	size_t n = name ? strlen(name) : 0;

	if (!n || n > 64 ||
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.")])
		return "workload";
	return name;
}

int ccdm_workload_bundle(const struct ccdm_workload_json *w, const char *from,
			 const char *credstore, const char *to, struct ccdm_err *err)
{
	json_t *config = NULL;
	unsigned int i;
	int r = ccdm_workload_bundle_config(from, &config, err);

	if (!r)
		r = ccdm_workload_bundle_folder(to, "secrets", 0700, err);
	for (i = 0; !r && i < w->nr_secrets; i++)
		r = ccdm_workload_bundle_secret(w, &w->secret[i], credstore, to, config, err);
	if (!r)
		r = ccdm_workload_bundle_write(config, to, err);
	if (!r)
		r = ccdm_workload_bundle_etc(ccdm_workload_bundle_hostname(config), to, err);
	json_decref(config);
	return r ? r : ccdm_workload_bundle_forget(w, credstore, err);
}

int ccdm_workload_bundle_update(const char *file, const char *text, struct ccdm_err *err)
{
	size_t size, length = strlen(text);
	char *old;
	bool same;
	int fd, r = ccdm_file_read(file, 1 << 16, &old, &size, err);

	if (r)
		return r;
	same = size == length && !memcmp(old, text, length);
	free(old);
	if (same)
		return 0;
	fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || pwrite(fd, text, length, 0) != (ssize_t)length || ftruncate(fd, length))
		r = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "%s: %s", file, strerror(-r)) : 0;
}

int ccdm_workload_bundle_wipe(const char *bundle, const char *crun, struct ccdm_err *err)
{
	struct ccdm_err ignored;
	char path[PATH_MAX];
	int r, k;

	snprintf(path, sizeof(path), "%s/secrets", bundle);
	r = ccdm_file_wipe_all(path, err);
	snprintf(path, sizeof(path), "%s/config.json", bundle);
	k = ccdm_file_wipe(path, r ? &ignored : err);
	r = r ? r : k;
	snprintf(path, sizeof(path), "%s/config.json", crun);
	k = ccdm_file_wipe(path, r ? &ignored : err);
	return r ? r : k;
}
