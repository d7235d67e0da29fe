// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_dracut.c - let the dracut of a tree make an initrd, without a change of the tree */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "build.h"
#include "program.h"
#include "repack.h"

#define INITRD_MAX (512 << 20)

/*
 * $1: the tree, $2: the working folder, $3: version of the kernel. The changes that dracut makes in
 * the tree go to memory. The mounts are in the namespace of this process, and end with it.
 */
static const char dracut_script[] =
	"set -e; tree=$1 work=$2 kernel=$3; mkdir -p \"$work/memory\"; cd \"$work\"\n"
	"mount -t tmpfs tmpfs memory; mkdir memory/up memory/work memory/root\n"
	"mount -t overlay -o \"lowerdir=$tree,upperdir=memory/up,workdir=memory/work\" overlay memory/root\n"
	"root=memory/root; mkdir -p $root/etc/ccdm $root/proc $root/sys $root/dev $root/mnt\n"
	"cp conf/* $root/etc/ccdm/\n"
	"mount -t proc proc $root/proc; mount -t sysfs sysfs $root/sys || :\n"
	"mount --bind /dev $root/dev; mount --bind . $root/mnt\n"
	"exec chroot $root dracut --force --no-hostonly --no-early-microcode --reproducible --kver \"$kernel\" /mnt/dracut\n";

/* A file in the folder that becomes /etc/ccdm for dracut. */
static int ccdm_build_dracut_file(struct ccdm_build *b, const char *name, const char *from,
				  struct ccdm_err *err)
{
	char path[PATH_MAX], short_path[64];
	size_t size;
	char *text;
	int r;

	if (!from)
		return 0;
	snprintf(short_path, sizeof(short_path), "conf/%s", strrchr(name, '/') + 1);
	ccdm_build_path(b, short_path, path);
	r = ccdm_file_read(from, 65536, &text, &size, err);
	if (r)
		return r;
	r = ccdm_file_write(path, text, size, 0644, err);
	free(text);
	return r;
}

static int ccdm_build_dracut_conf(struct ccdm_build *b, struct ccdm_err *err)
{
	char path[PATH_MAX];
	int r = 0;

	ccdm_build_path(b, "conf", path);
	if (mkdir(path, 0755))
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	ccdm_build_path(b, "conf/ccdm.conf", path);
	r = ccdm_file_write(path, b->conf, strlen(b->conf), 0644, err);
	if (!r)
		r = ccdm_build_dracut_file(b, CCDM_BUILD_CA, b->ask->ca, err);
	if (!r && b->signer) {
		ccdm_build_path(b, "conf/signer.pem", path);
		r = ccdm_file_write(path, b->signer, strlen(b->signer), 0644, err);
	}
	return r;
}

int ccdm_build_initrd(struct ccdm_build *b, const char *file, struct ccdm_err *err)
{
	/*
	 * (leave out what the image adds itself: "measure" refuses an initrd with a file that is
	 * there twice)
	 */
	const char *const drop[] = { &CCDM_CONFIG_FILE[1],
				     b->ask->ca ? &CCDM_BUILD_CA[1] : &CCDM_CONFIG_FILE[1],
				     b->signer ? &CCDM_BUILD_SIGNER[1] : &CCDM_CONFIG_FILE[1],
				     NULL };
	uint8_t *cpio, *packed = NULL;
	size_t size;
	char *bytes;
	int r = ccdm_build_read(file, INITRD_MAX, &bytes, &size, err);

	if (r)
		return r;
	r = ccdm_initrd_repack("initrd", (const uint8_t *)bytes, size, drop, b->date, &cpio, &size,
			       err);
	free(bytes);
	if (r)
		return r;
	r = ccdm_initrd_compress(cpio, size, &packed, &size, err);
	free(cpio);
	if (r)
		return r;
	ccdm_build_path(b, "initrd.packed", b->initrd);
	r = ccdm_file_write(b->initrd, packed, size, 0600, err);
	free(packed);
	b->packed = true;
	return r;
}

int ccdm_build_dracut(struct ccdm_build *b, struct ccdm_err *err)
{
	char tree[PATH_MAX], work[PATH_MAX], made[PATH_MAX], date[48];
	const char *const env[] = { date, NULL };
	struct ccdm_program_found found;
	const char *const argv[] = { found.path, "--mount", "/bin/sh", "-c",	 dracut_script,
				     "sh",	 tree,	    work,      b->uname, NULL };
	int r;

	if (geteuid()) {
		ccdm_err_hint(err,
			      "as root, \"arch-chroot TREE dracut --force --no-hostonly "
			      "/boot/initrd.img-VERSION VERSION\" makes it; see ccdm-image(1)");
		return ccdm_err_set(err, -EACCES,
				    "%s: has no initrd boot/initrd.img-%s, and only root can run "
				    "dracut in it",
				    b->ask->tree, b->uname);
	}
	r = ccdm_program_find("unshare", &found, err);
	if (r)
		return r;
	if (!realpath(b->ask->tree, tree) || !realpath(b->work, work))
		return ccdm_err_set(err, -errno, "%s: %s", b->ask->tree, strerror(errno));
	snprintf(date, sizeof(date), "SOURCE_DATE_EPOCH=%" PRId64, b->date);
	ccdm_build_path(b, "dracut", made);
	r = ccdm_build_dracut_conf(b, err);
	if (!r)
		r = ccdm_program_run(argv, env, -1, NULL, err);
	if (!r)
		r = ccdm_build_initrd(b, made, err);
	unlink(made);
	return r;
}
