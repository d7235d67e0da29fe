// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* sandbox.c - see sandbox.h */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "sandbox.h"

/* Does @path lie at or below @folder? Both have neither doubled slashes nor "."; see _clean(). */
static bool ccdm_sandbox_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

/* "/a//b/./c/" -> "/a/b/c"; "/" -> "". @to has as much room as @path. */
static void ccdm_sandbox_clean(const char *path, char *to)
{
	size_t n;

	while (*(path += strspn(path, "/"))) {
		n = strcspn(path, "/");
		if (n != 1 || *path != '.') {
			*to++ = '/';
			memcpy(to, path, n);
			to += n;
		}
		path += n;
	}
	*to = '\0';
}

static const char *const ccdm_sandbox_system[] = { "/proc", "/sys", "/dev" };

/* The same for a path that is clean; @own: for mounts of ccdm's. */
static const char *ccdm_sandbox_why(const char *clean, bool own)
{
	static const char *const files[] = { "/etc/hosts", "/etc/hostname", "/etc/resolv.conf" };
	size_t i;

	if (!clean[0])
		return "expected a path below /, found /";
	for (i = 0; i < ARRAY_SIZE(ccdm_sandbox_system); i++)
		if (ccdm_sandbox_below(clean, ccdm_sandbox_system[i]))
			return "nothing may be put below /proc, /sys and /dev of the container";
	if (own)
		return NULL;
	if (ccdm_sandbox_below(clean, CCDM_SANDBOX_SECRETS))
		return "nothing may be put below " CCDM_SANDBOX_SECRETS
		       ", where ccdm puts the secrets";
	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (ccdm_sandbox_below(clean, files[i]))
			return "ccdm writes /etc/hosts, /etc/hostname and /etc/resolv.conf";
	return NULL;
}

const char *ccdm_sandbox_reserved(const char *path)
{
	char clean[CCDM_ROOTFS_PATH + 1];

	if (strlen(path) >= sizeof(clean))
		return "this path is too long";
	ccdm_sandbox_clean(path, clean);
	return ccdm_sandbox_why(clean, false);
}

bool ccdm_sandbox_variable(const char *name)
{
	static const char *const names[] = { "PATH",	 "HOME",      "IFS",	       "ENV",
					     "BASH_ENV", "SHELLOPTS", "GLIBC_TUNABLES" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return false;
	return strncmp(name, "LD_", 3) != 0;
}

/* ---- paths in the container ------------------------------------------------------------ */

/**
 * struct ccdm_sandbox_way - a path that is being resolved
 * @done: what has no links; "" is the root
 * @node: the node of @done; NULL: it is not there, and neither is what is below it
 * @rest: what is left
 * @hops: links so far
 */
struct ccdm_sandbox_way {
	char done[CCDM_ROOTFS_PATH + 1];
	const struct ccdm_rootfs_node *node;
	char rest[2 * CCDM_ROOTFS_PATH + 2];
	unsigned int hops;
};

/* One step up; the root is its own parent. */
static void ccdm_sandbox_up(const struct ccdm_rootfs *fs, struct ccdm_sandbox_way *way)
{
	char *slash = strrchr(way->done, '/');

	if (slash)
		*slash = '\0';
	way->node = way->done[0] ? ccdm_rootfs_find(fs, way->done) : fs->root;
}

/* Put the target of a link before what is left. */
static int ccdm_sandbox_follow(const struct ccdm_rootfs *fs, struct ccdm_sandbox_way *way,
			       const char *target)
{
	size_t n = strlen(target), left = strlen(way->rest);

	if (way->hops++ == CCDM_ROOTFS_HOPS)
		return -ELOOP;
	if (n + left + 2 > sizeof(way->rest))
		return -ENAMETOOLONG;
	memmove(way->rest + n + 1, way->rest, left + 1);
	memcpy(way->rest, target, n);
	way->rest[n] = '/';
	if (*target == '/') {
		way->done[0] = '\0';
		way->node = fs->root;
	}
	return 0;
}

/* One part of the path, which was taken off @rest. */
static int ccdm_sandbox_step(const struct ccdm_rootfs *fs, struct ccdm_sandbox_way *way,
			     const char *part, bool last)
{
	const struct ccdm_rootfs_node *child;
	bool end = !way->rest[0];
	size_t done;

	if (!strcmp(part, "..")) {
		ccdm_sandbox_up(fs, way);
		return 0;
	}
	if (way->node && !S_ISDIR(way->node->inode->mode))
		return -ENOTDIR;
	child = way->node ? ccdm_rootfs_child(way->node, part) : NULL;
	if (child && S_ISLNK(child->inode->mode) && (last || !end))
		return ccdm_sandbox_follow(fs, way, child->inode->target);
	done = strlen(way->done);
	if (done + strlen(part) + 2 > sizeof(way->done))
		return -ENAMETOOLONG;
	way->done[done] = '/';
	memcpy(way->done + done + 1, part, strlen(part) + 1);
	way->node = child;
	return 0;
}

static int ccdm_sandbox_walk(const struct ccdm_rootfs *fs, struct ccdm_sandbox_way *way, bool last)
{
	char part[CCDM_ROOTFS_NAME + 1];
	size_t skip, n;
	int r = 0;

	while (!r) {
		skip = strspn(way->rest, "/");
		n = strcspn(way->rest + skip, "/");
		if (!n)
			return 0;
		if (n >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, way->rest + skip, n);
		part[n] = '\0';
		memmove(way->rest, way->rest + skip + n, strlen(way->rest + skip + n) + 1);
		if (strcmp(part, "."))
			r = ccdm_sandbox_step(fs, way, part, last);
	}
	return r;
}

int ccdm_sandbox_resolve(const struct ccdm_rootfs *fs, const char *path,
			 enum ccdm_sandbox_kind kind, char *to,
			 const struct ccdm_rootfs_node **node, struct ccdm_err *err)
{
	struct ccdm_sandbox_way way = { .node = fs->root };
	char clean[CCDM_ROOTFS_PATH + 1] = "";
	const char *why;
	int r = -ENAMETOOLONG;

	if (strlen(path) <= CCDM_ROOTFS_PATH) {
		ccdm_sandbox_clean(path, clean);
		memcpy(way.rest, clean, strlen(clean) + 1);
		r = ccdm_sandbox_walk(fs, &way, kind != CCDM_SANDBOX_FILE);
	}
	if (r)
		return ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
	why = ccdm_sandbox_why(way.done, kind == CCDM_SANDBOX_OWN);
	if (why && strcmp(clean, way.done))
		return ccdm_err_set(err, -EINVAL,
				    "%s: a symbolic link of the image leads to %s: %s", path,
				    way.done[0] ? way.done : "/", why);
	if (why)
		return ccdm_err_set(err, -EINVAL, "%s: %s", path, why);
	memcpy(to, way.done, strlen(way.done) + 1);
	*node = way.node;
	return 0;
}

int ccdm_sandbox_root(const struct ccdm_rootfs *fs, struct ccdm_err *err)
{
	const struct ccdm_rootfs_node *node;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_sandbox_system); i++) {
		node = ccdm_rootfs_child(fs->root, ccdm_sandbox_system[i] + 1);
		if (node && !S_ISDIR(node->inode->mode))
			return ccdm_err_set(err, -EINVAL,
					    "the image's %s: expected a folder, found another kind "
					    "of file",
					    ccdm_sandbox_system[i]);
	}
	return 0;
}
