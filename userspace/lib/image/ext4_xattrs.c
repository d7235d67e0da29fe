// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ext4_xattrs.c - see ext4_xattrs.h */
#include <inttypes.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "ext4_xattrs.h"
#include "program.h"

#define ACL_USER  2
#define ACL_GROUP 8

/**
 * struct ccdm_ext4_walk - a tree whose attributes are written, or compared
 * @folder: of the values: "0", "1", ... as they should be, "0.found" as they are
 * @prefix: "/rootfs", or ""
 * @set, @get: orders for debugfs
 * @count: attributes so far
 * @compare: compare what was found
 */
struct ccdm_ext4_walk {
	const char *folder;
	const char *prefix;
	FILE *set;
	FILE *get;
	uint64_t count;
	bool compare;
	struct ccdm_err *err;
	int r;
};

static bool ccdm_ext4_left_out(const struct ccdm_rootfs_xattr *x)
{
	return strcmp(x->name, "security.capability") != 0;
}

static const struct ccdm_rootfs_xattr *ccdm_ext4_first(const struct ccdm_rootfs_inode *inode)
{
	const struct ccdm_rootfs_xattr *x = inode->xattrs;

	while (x && !ccdm_ext4_left_out(x))
		x = x->next;
	return x;
}

static void ccdm_ext4_count(const void *at, VISIT visit, void *count)
{
	const struct ccdm_rootfs_node *node;

	if (visit != postorder && visit != leaf)
		return;
	node = ccdm_rootfs_at(at);
	*(uint64_t *)count += ccdm_ext4_first(node->inode) != NULL;
	twalk_r(node->children, ccdm_ext4_count, count);
}

uint64_t ccdm_ext4_xattrs_count(const struct ccdm_rootfs *fs)
{
	uint64_t count = ccdm_ext4_first(fs->root->inode) != NULL;

	twalk_r(fs->root->children, ccdm_ext4_count, &count);
	return count;
}

/* A word of an order, in quotes; a quote in it is doubled. */
static void ccdm_ext4_word(FILE *f, const char *before, const char *text)
{
	fputs(" \"", f);
	for (; *before; before++)
		fputc(*before, f);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

/*
 * Is a value what was written? Of a list of access control, debugfs prints no ID where the entry is
 * about no named user and no named group (include/uapi/linux/posix_acl_xattr.h).
 */
static bool ccdm_ext4_same(const struct ccdm_rootfs_xattr *x, const uint8_t *found, size_t size)
{
	size_t i;

	if (size != x->size)
		return false;
	if (strncmp(x->name, "system.posix_acl_", 17) != 0)
		return !memcmp(found, x->value, size);
	for (i = 4; i + 8 <= size; i += 8)
		if (memcmp(found + i, x->value + i,
			   x->value[i] == ACL_USER || x->value[i] == ACL_GROUP ? 8 : 4) != 0)
			return false;
	return i == size && !memcmp(found, x->value, 4);
}

/* Compare the next value. */
static void ccdm_ext4_compare(struct ccdm_ext4_walk *w, const char *path,
			      const struct ccdm_rootfs_xattr *x)
{
	char file[PATH_MAX], *text = NULL;
	size_t size = 0;
	int r;

	snprintf(file, sizeof(file), "%s/%" PRIu64 ".found", w->folder, w->count);
	r = ccdm_file_read(file, x->size + 1, &text, &size, w->err);
	if (r == -ENOMEM || r == -EINTR)
		w->r = r;
	else if (r || !ccdm_ext4_same(x, (const uint8_t *)text, size))
		w->r = ccdm_err_set(
			w->err, -EIO,
			"/%.200s: the extended attribute %.100s of %zu bytes does not fit into "
			"the file system",
			path, x->name, x->size);
	free(text);
}

static void ccdm_ext4_order(struct ccdm_ext4_walk *w, const char *path,
			    const struct ccdm_rootfs_xattr *x)
{
	char file[PATH_MAX];

	if (strpbrk(path, "\n\r") || strpbrk(x->name, "\n\r")) {
		w->r = ccdm_err_set(
			w->err, -EINVAL,
			"/%.200s: an extended attribute of a file whose name has a line break",
			path);
		return;
	}
	snprintf(file, sizeof(file), "%s/%" PRIu64, w->folder, w->count);
	w->r = ccdm_file_write(file, x->value, x->size, 0600, w->err);
	fprintf(w->set, "ea_set -f \"%s\"", file);
	fprintf(w->get, "ea_get -f \"%s.found\"", file);
	ccdm_ext4_word(w->set, w->prefix, path);
	ccdm_ext4_word(w->get, w->prefix, path);
	ccdm_ext4_word(w->set, "", x->name);
	ccdm_ext4_word(w->get, "", x->name);
	fputc('\n', w->set);
	fputc('\n', w->get);
}

static void ccdm_ext4_node(struct ccdm_ext4_walk *w, const struct ccdm_rootfs_node *node)
{
	char path[CCDM_ROOTFS_PATH + 2] = "/";
	const struct ccdm_rootfs_xattr *x = ccdm_ext4_first(node->inode);

	if (x)
		ccdm_rootfs_path(node, path + 1);
	for (; x && !w->r; x = x->next) {
		if (!ccdm_ext4_left_out(x))
			continue;
		if (w->compare)
			ccdm_ext4_compare(w, path + 1, x);
		else
			ccdm_ext4_order(w, path, x);
		w->count++;
	}
}

static void ccdm_ext4_each(const void *at, VISIT visit, void *arg)
{
	struct ccdm_ext4_walk *w = arg;

	if (w->r || (visit != postorder && visit != leaf))
		return;
	ccdm_ext4_node(w, ccdm_rootfs_at(at));
	twalk_r(ccdm_rootfs_at(at)->children, ccdm_ext4_each, w);
}

static int ccdm_ext4_walk(struct ccdm_ext4_walk *w, const struct ccdm_rootfs *fs)
{
	w->count = 0;
	ccdm_ext4_node(w, fs->root);
	twalk_r(fs->root->children, ccdm_ext4_each, w);
	return w->r;
}

static int ccdm_ext4_debugfs(const char *file, const char *folder, const char *orders, bool write,
			     int64_t date, struct ccdm_err *err)
{
	struct ccdm_program_found found;
	char script[PATH_MAX], time[48];
	const char *const env[] = { time, NULL };
	const char *const argv[] = { found.path, "-f", script, file, write ? "-w" : NULL, NULL };
	int r = ccdm_program_find("debugfs", &found, err);

	snprintf(script, sizeof(script), "%s/%s", folder, orders);
	snprintf(time, sizeof(time), "SOURCE_DATE_EPOCH=%" PRId64, date);
	return r ? r : ccdm_program_run(argv, env, -1, NULL, err);
}

static FILE *ccdm_ext4_open(const char *folder, const char *orders)
{
	char script[PATH_MAX];

	snprintf(script, sizeof(script), "%s/%s", folder, orders);
	return fopen(script, "we");
}

static int ccdm_ext4_orders(struct ccdm_ext4_walk *w, const struct ccdm_rootfs *fs)
{
	int r = 0;

	w->set = ccdm_ext4_open(w->folder, "set");
	w->get = ccdm_ext4_open(w->folder, "get");
	if (w->set && w->get)
		r = ccdm_ext4_walk(w, fs);
	else
		r = ccdm_err_set(w->err, -errno, "%s: cannot write: %s", w->folder,
				 strerror(errno));
	if (w->set && fclose(w->set) && !r)
		r = ccdm_err_set(w->err, -errno, "%s: cannot write: %s", w->folder,
				 strerror(errno));
	if (w->get && fclose(w->get) && !r)
		r = ccdm_err_set(w->err, -errno, "%s: cannot write: %s", w->folder,
				 strerror(errno));
	return r;
}

static void ccdm_ext4_clean(const char *folder, uint64_t count)
{
	char file[PATH_MAX];
	uint64_t i;

	for (i = 0; i <= count; i++) {
		snprintf(file, sizeof(file), "%s/%" PRIu64, folder, i);
		unlink(file);
		snprintf(file, sizeof(file), "%s/%" PRIu64 ".found", folder, i);
		unlink(file);
	}
	snprintf(file, sizeof(file), "%s/set", folder);
	unlink(file);
	snprintf(file, sizeof(file), "%s/get", folder);
	unlink(file);
	rmdir(folder);
}

int ccdm_ext4_xattrs(const char *file, const struct ccdm_rootfs *fs, const char *prefix,
		     int64_t date, struct ccdm_err *err)
{
	char folder[PATH_MAX - 64], before[CCDM_ROOTFS_PATH + 2] = "";
	struct ccdm_ext4_walk w = { .folder = folder, .prefix = before, .err = err };
	int r;

	if (prefix && *prefix)
		snprintf(before, sizeof(before), "/%s", prefix);
	if (snprintf(folder, sizeof(folder), "%s.xattrs", file) >= (int)sizeof(folder) ||
	    strpbrk(file, "\"\n\r"))
		return ccdm_err_set(err, -EINVAL, "%s: expected a shorter path, without quotes",
				    file);
	if (mkdir(folder, 0700))
		return ccdm_err_set(err, -errno, "%s: %s", folder, strerror(errno));
	r = ccdm_ext4_orders(&w, fs);
	if (!r && w.count)
		r = ccdm_ext4_debugfs(file, folder, "set", true, date, err);
	if (!r && w.count)
		r = ccdm_ext4_debugfs(file, folder, "get", false, date, err);
	w.compare = true;
	if (!r)
		r = ccdm_ext4_walk(&w, fs);
	ccdm_ext4_clean(folder, w.count + 1);
	return r;
}
