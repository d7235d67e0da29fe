// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_pack.c - see base_pack.h */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base.h"
#include "base/file.h"
#include "base/json.h"
#include "base_pack.h"
#include "base_root.h"
#include "crypto/digest.h"
#include "ext4.h"
#include "repack.h"
#include "rootfs.h"

#define INITRD_MAX ((size_t)1 << 30)
#define PACK_LINE  4096

/*
 * Not in a base's initrd: the configuration that dracut's module saw (each image adds its own), a
 * database of hardware that no rule of the initrd needs, what dracut says of its own run, and the
 * devices that dracut of Debian 12 makes if it may: root of a user namespace may not. The kernel has
 * /dev/console of its own until the initrd mounts devtmpfs.
 */
static const char *const pack_drop[] = { "dev/console",
					 "dev/kmsg",
					 "dev/null",
					 "dev/random",
					 "dev/urandom",
					 "etc/ccdm/ccdm.conf",
					 "etc/ccdm/ca.pem",
					 "etc/udev/hwdb.bin",
					 "usr/lib/udev/hwdb.bin",
					 "usr/lib/dracut/build-parameter.txt",
					 "usr/lib/dracut/dracut-cmdline-reproducible",
					 NULL };

/* "FOLDER/NAME" in @path. */
static int ccdm_pack_path(const char *folder, const char *name, char path[PATH_MAX],
			  struct ccdm_err *err)
{
	if ((size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", folder);
	return 0;
}

/* Move a file of the work folder to the base. */
static int ccdm_pack_move(const struct ccdm_base_pack *pack, const char *name, struct ccdm_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	int r = ccdm_pack_path(pack->work, name, from, err);

	if (!r)
		r = ccdm_pack_path(pack->out, name, to, err);
	if (!r && (chmod(from, 0644) || rename(from, to)))
		r = ccdm_err_set(err, -errno, "%s: %s", from, strerror(errno));
	return r;
}

/* ---- the initrd ------------------------------------------------------------------------ */

/* The step "compress" makes initrd of initrd.cpio. */
static int ccdm_pack_initrd(const struct ccdm_base_pack *pack, struct ccdm_err *err)
{
	char from[PATH_MAX], to[PATH_MAX], *bytes = NULL;
	uint8_t *cpio = NULL;
	size_t size, cpio_size = 0;
	int r = ccdm_pack_path(pack->work, "initrd.dracut", from, err);

	if (!r)
		r = ccdm_pack_path(pack->work, "initrd.cpio", to, err);
	if (!r)
		r = ccdm_file_read(from, INITRD_MAX, &bytes, &size, err);
	if (!r)
		r = ccdm_initrd_repack(from, (const uint8_t *)bytes, size, pack_drop, pack->date,
				       &cpio, &cpio_size, err);
	free(bytes);
	if (!r)
		r = ccdm_file_write(to, cpio, cpio_size, 0644, err);
	free(cpio);
	if (!r)
		r = ccdm_base_step(pack->build, pack->work, pack->date, "compress", err);
	return r ? r : ccdm_pack_move(pack, "initrd", err);
}

/* ---- the file system ------------------------------------------------------------------- */

static int ccdm_pack_tar(const struct ccdm_base_pack *pack, const char *tar, struct ccdm_ext4 *make,
			 struct ccdm_err *err)
{
	struct ccdm_rootfs *fs = NULL;
	struct ccdm_digest digest;
	char root[PATH_MAX];
	int fd, r = ccdm_pack_path(pack->work, "root", root, err);

	if (!r)
		r = ccdm_rootfs_new(&fs, pack->work, err);
	if (!r)
		r = ccdm_rootfs_folder(fs, root, NULL, err);
	if (r) {
		ccdm_rootfs_free(fs);
		return r;
	}
	fd = open(tar, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		r = ccdm_err_set(err, -errno, "%s: %s", tar, strerror(errno));
	else
		r = ccdm_rootfs_tar(fs, NULL, pack->date, fd, &digest, NULL, &make->entries, err);
	if (fd >= 0 && close(fd) && !r)
		r = ccdm_err_set(err, -errno, "%s: %s", tar, strerror(errno));
	if (!r) {
		memcpy(make->sha256, digest.bytes, sizeof(make->sha256));
		make->bytes = fs->spool_size;
	}
	ccdm_rootfs_free(fs);
	return r;
}

static int ccdm_pack_root(const struct ccdm_base_pack *pack, struct ccdm_hashtree *tree,
			  struct ccdm_err *err)
{
	static const char salt_name[] = "verity salt";
	char tar[PATH_MAX], image[PATH_MAX], hash[PATH_MAX];
	struct ccdm_ext4 make = { .tar = tar, .date = pack->date, .label = "base" };
	struct ccdm_digest salt;
	uint64_t blocks = 0;
	int r = ccdm_pack_path(pack->work, "base.tar", tar, err);

	if (!r)
		r = ccdm_pack_path(pack->out, "base.img", image, err);
	if (!r)
		r = ccdm_pack_path(pack->out, "base.hash", hash, err);
	if (!r)
		r = ccdm_pack_tar(pack, tar, &make, err);
	if (!r)
		r = ccdm_ext4_make(&make, image, &blocks, err);
	if (!r && ccdm_digest_of(CCDM_ALG_SHA256, salt_name, strlen(salt_name), make.sha256,
				 sizeof(make.sha256), &salt))
		r = ccdm_err_set(err, -EIO, "hashing failed");
	if (!r)
		r = ccdm_hashtree_make(image, blocks, hash, salt.bytes, tree, err);
	if (!r && (chmod(image, 0644) || chmod(hash, 0644)))
		r = ccdm_err_set(err, -errno, "%s: %s", image, strerror(errno));
	return r;
}

/* ---- base.json ------------------------------------------------------------------------- */

/* A file of one line in the work folder, as JSON. */
static int ccdm_pack_line(const struct ccdm_base_pack *pack, const char *name, json_t *object,
			  const char *key, struct ccdm_err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t size;
	int r = ccdm_pack_path(pack->work, name, path, err);

	if (!r)
		r = ccdm_file_read(path, PACK_LINE, &text, &size, err);
	if (r)
		return r;
	text[strcspn(text, "\n")] = '\0';
	ccdm_err_plain(text);
	if (!text[0])
		r = ccdm_err_set(err, -EINVAL, "%s: expected a line, found nothing", path);
	else if (json_object_set_new(object, key, json_string(text)))
		r = ccdm_err_memory(err);
	free(text);
	return r;
}

/* {"sha256", "size"} of a file of the base */
static json_t *ccdm_pack_file(const char *folder, const char *name, int *r, struct ccdm_err *err)
{
	char path[PATH_MAX], hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest digest;
	struct stat st;
	json_t *object;

	*r = ccdm_pack_path(folder, name, path, err);
	if (*r)
		return NULL;
	*r = ccdm_digest_file(CCDM_ALG_SHA256, path, &digest);
	if (!*r && stat(path, &st))
		*r = -errno;
	if (*r) {
		*r = ccdm_err_set(err, *r, "%s: %s", path, strerror(-*r));
		return NULL;
	}
	ccdm_hex(digest.bytes, digest.size, hex);
	object = json_pack("{s:s, s:I}", "sha256", hex, "size", (json_int_t)st.st_size);
	if (!object)
		*r = ccdm_err_memory(err);
	return object;
}

static json_t *ccdm_pack_verity(const struct ccdm_hashtree *tree)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:i, s:i}", "roothash", tree->roothash, "salt",
			 tree->salt, "algorithm", tree->algorithm, "data_blocks",
			 (json_int_t)tree->data_blocks, "hash_start", (json_int_t)tree->hash_start,
			 "data_block_size", (int)tree->data_block_size, "hash_block_size",
			 (int)tree->hash_block_size);
}

static int ccdm_pack_json(const struct ccdm_base_pack *pack, const struct ccdm_hashtree *tree,
			  struct ccdm_err *err)
{
	json_t *files = json_object(), *object, *file;
	char path[PATH_MAX], *text = NULL;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < CCDM_BASE_FILES; i++) {
		file = ccdm_pack_file(pack->out, ccdm_base_file_name(i), &r, err);
		if (!r)
			ccdm_json_put(&files, ccdm_base_file_name(i), file);
	}
	if (r) {
		json_decref(files);
		return r;
	}
	object = json_pack("{s:i, s:s, s:I, s:I, s:s, s:s, s:s, s:o, s:o, s:O}", "version", 1,
			   "name", pack->name, "svn", (json_int_t)pack->svn, "date",
			   (json_int_t)pack->date, "suite", pack->suite, "source", pack->source,
			   "sources", pack->sources, "verity", ccdm_pack_verity(tree), "files",
			   files, "packages", pack->packages);
	if (!object)
		return ccdm_err_memory(err);
	r = ccdm_pack_line(pack, "kernel", object, "kernel", err);
	if (!r)
		r = ccdm_pack_line(pack, "version", object, "ccdm", err);
	if (!r)
		r = ccdm_pack_line(pack, "words", object, "words", err);
	if (!r)
		r = ccdm_pack_path(pack->out, "base.json", path, err);
	if (!r) {
		text = ccdm_json_dump(object, JSON_INDENT(1) | JSON_SORT_KEYS);
		r = text ? ccdm_file_write(path, text, strlen(text), 0644, err)
			 : ccdm_err_memory(err);
	}
	free(text);
	json_decref(object);
	return r;
}

int ccdm_base_pack(const struct ccdm_base_pack *pack, struct ccdm_err *err)
{
	static const char *const as_they_are[] = { "vmlinuz", "stub", "os-release",
						   "seccomp.json" };
	struct ccdm_hashtree tree;
	size_t i;
	int r = ccdm_pack_initrd(pack, err);

	for (i = 0; !r && i < ARRAY_SIZE(as_they_are); i++)
		r = ccdm_pack_move(pack, as_they_are[i], err);
	if (!r)
		r = ccdm_pack_root(pack, &tree, err);
	return r ? r : ccdm_pack_json(pack, &tree, err);
}
