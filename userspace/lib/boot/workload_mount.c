// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_mount.c - see workload_mount.h */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "config.h"
#include "workload_bundle.h"
#include "workload_mount.h"
#include "workload_run.h"

#define ROOTFS_RO CCDM_WORKLOAD_RO "/rootfs"
#define ROOTFS	  CCDM_WORKLOAD_BUNDLE "/rootfs"
#define UPPER	  CCDM_WORKLOAD_STATE "/upper"
#define WORK	  CCDM_WORKLOAD_STATE "/work"

static int ccdm_workload_mount_folder(const char *path, mode_t mode, struct ccdm_err *err)
{
	int r = mkdir(path, mode) && errno != EEXIST ? -errno : 0;

	return r ? ccdm_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static int ccdm_workload_mount_on(const char *what, const char *where, const char *type,
				  unsigned long flags, const char *options, struct ccdm_err *err)
{
	int r = ccdm_workload_mount_folder(where, 0700, err);

	if (r || !mount(what, where, type, flags, options))
		return r;
	r = -errno;
	return ccdm_err_set(err, r, "%s: cannot mount %s: %s", where, type, strerror(-r));
}

int ccdm_workload_mount_ro(struct ccdm_err *err)
{
	int r = ccdm_workload_mount_folder("/run/ccdm", 0755, err);

	/* its programs run through the overlay, which has its own flags */
	return r ? r
		 : ccdm_workload_mount_on(CCDM_WORKLOAD_PATH, CCDM_WORKLOAD_RO, "ext4",
					  MS_RDONLY | MS_NODEV | MS_NOSUID, NULL, err);
}

int ccdm_workload_mount_undo(struct ccdm_err *err)
{
	int r = umount2(CCDM_WORKLOAD_RO, 0) ? -errno : 0;

	return r ? ccdm_err_set(err, r, CCDM_WORKLOAD_RO ": cannot unmount it: %s", strerror(-r))
		 : 0;
}

int ccdm_workload_mount_bundle(struct ccdm_err *err)
{
	return ccdm_workload_mount_on("ramfs", CCDM_WORKLOAD_BUNDLE, "ramfs",
				      MS_NODEV | MS_NOSUID | MS_NOEXEC, "mode=0700", err);
}

/* The root of an overlay takes owner and mode from its upper folder. */
static int ccdm_workload_mount_same(int from, const char *to, struct ccdm_err *err)
{
	struct stat st;
	int r = 0;

	if (fstat(from, &st) || lchown(to, st.st_uid, st.st_gid) || chmod(to, st.st_mode & 07777))
		r = -errno;
	return r ? ccdm_err_set(err, r, "%s: %s", to, strerror(-r)) : 0;
}

int ccdm_workload_mount_rootfs(struct ccdm_err *err)
{
	int fd, r = ccdm_workload_mount_folder("/var/lib/ccdm", 0755, err);

	if (!r)
		r = ccdm_workload_mount_folder(CCDM_WORKLOAD_STATE, 0700, err);
	if (!r)
		r = ccdm_workload_mount_folder(UPPER, 0755, err);
	if (!r)
		r = ccdm_workload_mount_folder(WORK, 0700, err);
	if (r)
		return r;
	fd = open(ROOTFS_RO, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ccdm_err_set(err, -errno, ROOTFS_RO ": %s", strerror(errno));
	r = ccdm_workload_mount_same(fd, UPPER, err);
	close(fd);
	return r ? r
		 : ccdm_workload_mount_on("overlay", ROOTFS, "overlay", MS_NODEV,
					  "lowerdir=" ROOTFS_RO ",upperdir=" UPPER ",workdir=" WORK
					  ",redirect_dir=on,metacopy=off",
					  err);
}

/* ---- volumes ------------------------------------------------------------------------ */

/* Open the image's folder at the place of a volume. Return: -ENOENT if the image has none. */
static int ccdm_workload_mount_find(int root, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* cp -a keeps owners, modes, times, links, extended attributes and ACLs */
static int ccdm_workload_mount_seed(int from, const char *to, struct ccdm_err *err)
{
	char source[64];
	const char *const argv[] = { "/usr/bin/cp", "-a", "--", source, to, NULL };
	int r;

	snprintf(source, sizeof(source), "/proc/self/fd/%d/.", from);
	r = ccdm_workload_run_well(argv, err);
	return r ? r : ccdm_workload_mount_same(from, to, err);
}

int ccdm_workload_mount_volumes(const struct ccdm_workload_json *w, const char *rootfs,
				const char *to, struct ccdm_err *err)
{
	int root = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, r;
	char path[PATH_MAX];
	unsigned int i;

	if (root < 0)
		return ccdm_err_set(err, -errno, "%s: %s", rootfs, strerror(errno));
	r = ccdm_workload_mount_folder(to, 0700, err);
	for (i = 0; !r && i < w->nr_volumes; i++) {
		snprintf(path, sizeof(path), "%s/%u", to, i);
		r = ccdm_workload_mount_folder(path, 0755, err);
		if (r)
			break;
		fd = ccdm_workload_mount_find(root, w->volume[i]);
		if (fd == -ENOENT) /* as with Docker: empty, owned by root */
			continue;
		if (fd < 0) {
			r = ccdm_err_set(err, fd, "volume %s: %s", w->volume[i], strerror(-fd));
			break;
		}
		r = ccdm_workload_mount_seed(fd, path, err);
		close(fd);
	}
	close(root);
	return r;
}
