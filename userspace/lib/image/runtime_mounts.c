// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* runtime_mounts.c - "mounts" of config.json: the system's, the image's, the workload's, secrets */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/json.h"
#include "runtime_parts.h"
#include "sandbox.h"

#define CCDM_RUNTIME_BUNDLE  "/run/ccdm/workload"
#define CCDM_RUNTIME_VOLUMES "/var/lib/ccdm/volumes"

/* ---- lists that are sorted by path ------------------------------------------------------ */

/* Insert, so that a mount comes before those below it. Return: -EEXIST if the path has one. */
static int ccdm_mounts_insert(json_t *list, const char *path, json_t *mount, struct ccdm_err *err)
{
	size_t i;
	int order = -1;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *other = json_array_get(list, i);
		const char *at = json_is_string(other)
					 ? json_string_value(other)
					 : json_string_value(json_object_get(other, "destination"));

		order = strcmp(path, at);
		if (order <= 0)
			break;
	}
	if (i < json_array_size(list) && !order) {
		json_decref(mount);
		return ccdm_err_set(err, -EINVAL, "%s: two mounts of the container have this path",
				    path);
	}
	return json_array_insert_new(list, i, mount) ? ccdm_err_memory(err) : 0;
}

/* ---- volumes ---------------------------------------------------------------------------- */

int ccdm_runtime_volumes(struct ccdm_runtime_parts *p, struct ccdm_err *err)
{
	const struct ccdm_workload *w = p->in->workload;
	const json_t *list = w->volumes ? w->volumes : p->in->image->volumes;
	const struct ccdm_rootfs_node *node;
	char path[CCDM_ROOTFS_PATH + 1];
	size_t i;
	int r = 0;

	p->volumes = json_array();
	if (!p->volumes)
		return ccdm_err_memory(err);
	for (i = 0; !r && i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));

		r = ccdm_sandbox_resolve(p->in->fs, one, CCDM_SANDBOX_MOUNT, path, &node, err);
		if (!r && node && !S_ISDIR(node->inode->mode))
			r = ccdm_err_set(err, -EINVAL,
					 "volume %s: expected a folder of the image, found another "
					 "kind of file",
					 one);
		/* (the guest reads as many) */
		if (!r && strlen(path) >= CCDM_WORKLOAD_PATH_MAX)
			r = ccdm_err_set(err, -EINVAL, "volume %s: this path is too long", one);
		if (!r)
			r = ccdm_mounts_insert(p->volumes, path, json_string(path), err);
		if (r && !w->volumes)
			ccdm_err_hint(err,
				      "The image says VOLUME %s. To replace the image's volumes, "
				      "write 'volumes: []' below 'run' of workload.yaml.",
				      one);
	}
	return r;
}

/* ---- single mounts ---------------------------------------------------------------------- */

static json_t *ccdm_mount_make(const char *path, const char *type, const char *source,
			       const char *options)
{
	json_t *mount = json_object(), *list = json_array();
	size_t n;

	for (; *options; options += n + (options[n] ? 1 : 0)) {
		n = strcspn(options, ",");
		ccdm_json_add(&list, json_stringn(options, n));
	}
	ccdm_json_put(&mount, "destination", json_string(path));
	ccdm_json_put(&mount, "type", json_string(type));
	ccdm_json_put(&mount, "source", json_string(source));
	ccdm_json_put(&mount, "options", list);
	return mount;
}

/* A mount of a path that is resolved first. @folder: it must not be another kind of file there */
static int ccdm_mount_add(const struct ccdm_runtime_parts *p, json_t *list, const char *path,
			  enum ccdm_sandbox_kind kind, bool folder, const char *type,
			  const char *source, const char *options, struct ccdm_err *err)
{
	const struct ccdm_rootfs_node *node;
	char to[CCDM_ROOTFS_PATH + 1];
	int r = ccdm_sandbox_resolve(p->in->fs, path, kind, to, &node, err);

	if (!r && node && !S_ISDIR(node->inode->mode) == folder)
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected a %s of the image, found another kind "
				 "of file",
				 path, folder ? "folder" : "file");
	return r ? r
		 : ccdm_mounts_insert(list, to, ccdm_mount_make(to, type, source, options), err);
}

/* ---- the kinds -------------------------------------------------------------------------- */

/* As Docker has them; the cgroup and sysfs are read-only. */
static json_t *ccdm_mounts_system(uint64_t shm_size)
{
	json_t *list = json_array();
	char shm[96];

	snprintf(shm, sizeof(shm), "nosuid,noexec,nodev,mode=1777,size=%llu",
		 (unsigned long long)shm_size);
	ccdm_json_add(&list, ccdm_mount_make("/proc", "proc", "proc", "nosuid,noexec,nodev"));
	ccdm_json_add(&list, ccdm_mount_make("/dev", "tmpfs", "tmpfs",
					     "nosuid,strictatime,mode=755,size=65536k"));
	ccdm_json_add(&list,
		      ccdm_mount_make("/dev/pts", "devpts", "devpts",
				      "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"));
	ccdm_json_add(&list, ccdm_mount_make("/dev/shm", "tmpfs", "shm", shm));
	ccdm_json_add(&list,
		      ccdm_mount_make("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"));
	ccdm_json_add(&list, ccdm_mount_make("/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"));
	ccdm_json_add(&list, ccdm_mount_make("/sys/fs/cgroup", "cgroup", "cgroup",
					     "nosuid,noexec,nodev,relatime,ro"));
	return list;
}

static int ccdm_mounts_tmpfs(const struct ccdm_runtime_parts *p, json_t *list, struct ccdm_err *err)
{
	const json_t *tmpfs = p->in->workload->tmpfs;
	char options[96];
	size_t i;
	int r = 0;

	for (i = 0; !r && i < json_array_size(tmpfs); i++) {
		const json_t *one = json_array_get(tmpfs, i);
		json_int_t size = json_integer_value(json_object_get(one, "size"));

		snprintf(options, sizeof(options), "nosuid,nodev,noexec,mode=1777");
		if (size)
			snprintf(options, sizeof(options),
				 "nosuid,nodev,noexec,mode=1777,size=%lld", (long long)size);
		r = ccdm_mount_add(p, list, json_string_value(json_object_get(one, "path")),
				   CCDM_SANDBOX_MOUNT, true, "tmpfs", "tmpfs", options, err);
	}
	return r;
}

static int ccdm_mounts_volumes(const struct ccdm_runtime_parts *p, json_t *list,
			       struct ccdm_err *err)
{
	const char *path;
	char source[64];
	size_t i;
	int r = 0;

	for (i = 0; !r && i < json_array_size(p->volumes); i++) {
		path = json_string_value(json_array_get(p->volumes, i));
		snprintf(source, sizeof(source), CCDM_RUNTIME_VOLUMES "/%zu", i);
		r = ccdm_mounts_insert(
			list, path, ccdm_mount_make(path, "bind", source, "bind,rw,nosuid,nodev"),
			err);
	}
	return r;
}

/* The files of the network, which the guest writes. */
static int ccdm_mounts_etc(const struct ccdm_runtime_parts *p, json_t *list, struct ccdm_err *err)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
	char path[32], source[64];
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/etc/%s", names[i]);
		snprintf(source, sizeof(source), CCDM_RUNTIME_BUNDLE "/etc/%s", names[i]);
		r = ccdm_mount_add(p, list, path, CCDM_SANDBOX_OWN, false, "bind", source,
				   "bind,ro,nosuid,nodev,noexec", err);
	}
	return r;
}

static int ccdm_mounts_secrets(const struct ccdm_runtime_parts *p, json_t *list,
			       struct ccdm_err *err)
{
	const struct ccdm_workload *w = p->in->workload;
	char path[128], source[128];
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < w->nr_secrets; i++) {
		const struct ccdm_workload_want *s = &w->secret[i];

		if (s->env[0])
			continue;
		snprintf(path, sizeof(path), CCDM_SANDBOX_SECRETS "/%s", s->name);
		snprintf(source, sizeof(source), CCDM_RUNTIME_BUNDLE "/secrets/%s", s->name);
		r = ccdm_mount_add(p, list, s->path[0] ? s->path : path,
				   s->path[0] ? CCDM_SANDBOX_MOUNT : CCDM_SANDBOX_OWN, false,
				   "bind", source, "bind,ro,nosuid,nodev,noexec", err);
	}
	return r;
}

int ccdm_runtime_mounts(const struct ccdm_runtime_parts *p, json_t **mounts, struct ccdm_err *err)
{
	json_t *list = json_array();
	int r = list ? 0 : ccdm_err_memory(err);

	*mounts = NULL;
	if (!r)
		r = ccdm_mounts_tmpfs(p, list, err);
	if (!r)
		r = ccdm_mounts_volumes(p, list, err);
	if (!r)
		r = ccdm_mounts_etc(p, list, err);
	if (!r)
		r = ccdm_mounts_secrets(p, list, err);
	if (!r) {
		*mounts = ccdm_mounts_system(p->in->workload->shm_size);
		if (!*mounts || json_array_extend(*mounts, list))
			r = ccdm_err_memory(err);
	}
	json_decref(list);
	return r;
}
