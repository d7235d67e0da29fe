// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_oci.c - a container image becomes the workload's partition of an image with a finished base */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/file.h"
#include "build.h"
#include "ext4.h"
#include "guid.h"
#include "oci.h"
#include "runtime.h"

#define SECCOMP_MAX (1 << 20)
#define TAR_TRAILER 1024 /* bytes of zeros that end an archive */

/* ---- the base --------------------------------------------------------------------------- */

static void ccdm_build_base_input(struct ccdm_build *b, const char *name, enum ccdm_base_file file)
{
	struct ccdm_digest digest = { .alg = CCDM_ALG_SHA256, .size = 32 };

	memcpy(digest.bytes, b->from->sha256[file], 32);
	ccdm_build_input(b, name, &digest);
}

static void ccdm_build_base_path(const struct ccdm_build *b, enum ccdm_base_file file,
				 char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s", b->from->path[file]);
}

int ccdm_build_base(struct ccdm_build *b, struct ccdm_err *err)
{
	int r = ccdm_build_step(b, "base", 0, 1, err);

	if (r)
		return r;
	b->from = calloc(1, sizeof(*b->from));
	if (!b->from)
		return ccdm_err_memory(err);
	r = ccdm_base_open(b->ask->base, b->from, err);
	if (r)
		return r;
	ccdm_build_base_path(b, CCDM_BASE_IMG, b->base_file);
	ccdm_build_base_path(b, CCDM_BASE_HASH, b->hash_file);
	ccdm_build_base_path(b, CCDM_BASE_VMLINUZ, b->kernel);
	ccdm_build_base_path(b, CCDM_BASE_INITRD, b->initrd);
	ccdm_build_base_path(b, CCDM_BASE_STUB, b->stub);
	ccdm_build_base_path(b, CCDM_BASE_OS_RELEASE, b->release);
	if (b->ask->stub)
		snprintf(b->stub, sizeof(b->stub), "%s", b->ask->stub);
	b->base = b->from->verity;
	snprintf(b->uname, sizeof(b->uname), "%s", b->from->kernel);
	snprintf(b->cmdline, sizeof(b->cmdline), "%s", b->from->words);
	if (b->date < 0)
		b->date = b->from->date;
	ccdm_build_base_input(b, "base.img", CCDM_BASE_IMG);
	ccdm_build_base_input(b, "base.hash", CCDM_BASE_HASH);
	ccdm_build_base_input(b, "seccomp.json", CCDM_BASE_SECCOMP);
	return ccdm_build_step(b, "base", 1, 1, err);
}

/* ---- the container's files -------------------------------------------------------------- */

static void ccdm_build_layer(uint64_t done, uint64_t all, void *arg)
{
	const struct ccdm_build_ask *ask = arg;

	if (ask->step)
		ask->step(ask->arg, "layers", done, all);
}

/* "docker.io/library/web:1.0" -> "web" */
static int ccdm_build_oci_product(struct ccdm_build *b, const char *name, struct ccdm_err *err)
{
	const char *from = b->ask->product;
	size_t n;
	int r;

	if (!from && b->workload.product[0])
		from = b->workload.product;
	if (!from && name[0]) {
		from = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
		n = strcspn(from, ":@");
	} else {
		from = from ? from : "";
		n = strlen(from);
	}
	/* an image without a name has no product */
	r = n ? ccdm_build_product(b, from, n, err) : 0;
	if (!r && b->product[strspn(b->product, CCDM_WORKLOAD_PRODUCT)]) {
		ccdm_err_hint(err, "give another name with --product NAME");
		r = ccdm_err_set(err, -EINVAL,
				 "product '%s': expected letters, digits and . _ - / + : only",
				 b->product);
	}
	/* (workload.json has it, too) */
	snprintf(b->workload.product, sizeof(b->workload.product), "%s", b->product);
	b->svn = b->ask->svn >= 0 ? b->ask->svn : (int64_t)b->workload.svn;
	return r;
}

static int ccdm_build_settings_file(struct ccdm_build *b, struct ccdm_err *err)
{
	const char *file = b->ask->config;
	int r = file ? ccdm_workload_load(file, &b->workload, err)
		     : ccdm_workload_default(&b->workload, err);

	return r || !file ? r : ccdm_build_input_file(b, "workload.yaml", file, err);
}

/* Sources of files are relative to the folder of workload.yaml. */
static int ccdm_build_own_files(struct ccdm_build *b, struct ccdm_rootfs *fs, struct ccdm_err *err)
{
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s", b->ask->config ? b->ask->config : "./none");
	return ccdm_workload_files(&b->workload, dirname(file), fs, err);
}

static int ccdm_build_runtime(struct ccdm_build *b, struct ccdm_oci *oci, struct ccdm_rootfs *fs,
			      struct ccdm_runtime *runtime, struct ccdm_err *err)
{
	const char *seccomp_name = b->from->path[CCDM_BASE_SECCOMP], *text;
	struct ccdm_image_config image = { 0 };
	char *seccomp = NULL;
	size_t size, seccomp_size = 0;
	int r;

	text = ccdm_oci_config(oci, &size);
	r = ccdm_image_config_parse(b->ask->oci, text, size, &image, err);
	if (!r)
		r = ccdm_file_read(seccomp_name, SECCOMP_MAX, &seccomp, &seccomp_size, err);
	if (!r) {
		const struct ccdm_runtime_input in = { .image_name = b->ask->oci,
						       .image = &image,
						       .workload = &b->workload,
						       .product = b->product,
						       .fs = fs,
						       .seccomp_name = seccomp_name,
						       .seccomp = seccomp,
						       .seccomp_size = seccomp_size };

		r = ccdm_runtime_make(&in, runtime, err);
	}
	free(seccomp);
	ccdm_image_config_drop(&image);
	return r;
}

/* ---- the partition ---------------------------------------------------------------------- */

/* config.json and workload.json, as an archive without its end. */
static int ccdm_build_top(struct ccdm_build *b, const struct ccdm_runtime *runtime, int fd,
			  struct ccdm_digest *digest, struct ccdm_ext4 *make, struct ccdm_err *err)
{
	struct ccdm_rootfs *top;
	int r = ccdm_rootfs_new(&top, b->work, err);

	if (r)
		return r;
	r = ccdm_rootfs_put(top, "config.json", 0644, 0, 0, runtime->config, runtime->config_size,
			    err);
	if (!r)
		r = ccdm_rootfs_put(top, "workload.json", 0644, 0, 0, runtime->workload,
				    runtime->workload_size, err);
	if (!r)
		r = ccdm_rootfs_tar(top, NULL, b->date, fd, digest, &make->bytes, &make->entries,
				    err);
	ccdm_rootfs_free(top);
	if (!r && lseek(fd, -TAR_TRAILER, SEEK_CUR) < 0)
		r = ccdm_err_set(err, -errno, "cannot seek in an archive: %s", strerror(errno));
	return r;
}

/* The archive of the whole partition; make->sha256 is of the digests of its two parts. */
static int ccdm_build_archive(struct ccdm_build *b, struct ccdm_rootfs *fs,
			      const struct ccdm_runtime *runtime, struct ccdm_ext4 *make,
			      struct ccdm_err *err)
{
	int fd = open(make->tar, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r;
	struct ccdm_digest top, files, all;
	uint64_t bytes, entries;

	if (fd < 0)
		return ccdm_err_set(err, -errno, "%s: %s", make->tar, strerror(errno));
	r = ccdm_build_top(b, runtime, fd, &top, make, err);
	if (!r)
		r = ccdm_rootfs_tar(fs, "rootfs", b->date, fd, &files, &bytes, &entries, err);
	if (close(fd) && !r)
		r = ccdm_err_set(err, -errno, "%s: %s", make->tar, strerror(errno));
	if (r)
		return r;
	make->bytes += bytes;
	make->entries += entries;
	if (ccdm_digest_of(CCDM_ALG_SHA256, top.bytes, 32, files.bytes, 32, &all))
		return ccdm_err_set(err, -EIO, "hashing failed");
	memcpy(make->sha256, all.bytes, 32);
	return 0;
}

static int ccdm_build_filesystem(struct ccdm_build *b, const struct ccdm_ext4 *make,
				 struct ccdm_err *err)
{
	uint8_t salt[32];
	uint64_t blocks;
	int r = ccdm_build_step(b, "workload", 1, 3, err);

	ccdm_build_path(b, "workload.img", b->root_file);
	if (!r)
		r = ccdm_ext4_make(make, b->root_file, &blocks, err);
	unlink(make->tar);
	if (!r)
		r = ccdm_build_step(b, "workload", 2, 3, err);
	if (!r)
		r = ccdm_guid_bytes("verity salt", make->sha256, 32, salt);
	if (!r)
		r = ccdm_hashtree_make(b->root_file, blocks, b->root_file, salt, &b->root, err);
	return r ? r : ccdm_build_step(b, "workload", 3, 3, err);
}

static int ccdm_build_tree_of(struct ccdm_build *b, struct ccdm_oci *oci, struct ccdm_rootfs *fs,
			      struct ccdm_err *err)
{
	struct ccdm_runtime runtime = { 0 };
	struct ccdm_ext4 make = {
		.label = "workload", .date = b->date, .fs = fs, .prefix = "rootfs"
	};
	char tar[PATH_MAX];
	int r = ccdm_oci_rootfs(oci, fs, ccdm_build_layer, (void *)b->ask, &b->count, err);

	ccdm_build_path(b, "workload.tar", tar);
	make.tar = tar;
	if (!r)
		r = ccdm_build_step(b, "workload", 0, 3, err);
	if (!r)
		r = ccdm_build_own_files(b, fs, err);
	if (!r)
		r = ccdm_build_runtime(b, oci, fs, &runtime, err);
	if (!r)
		r = ccdm_build_archive(b, fs, &runtime, &make, err);
	if (!r)
		r = ccdm_build_filesystem(b, &make, err);
	if (!r)
		b->said = json_incref(runtime.said);
	ccdm_runtime_drop(&runtime);
	return r;
}

/* ---- ccdm.conf -------------------------------------------------------------------------- */

static int ccdm_build_oci_conf(struct ccdm_build *b, struct ccdm_err *err)
{
	char base[64], hash[64], root[64];
	const struct ccdm_workload_conf conf = {
		.cmdline = b->cmdline,
		.base = &b->base,
		.base_device = base,
		.base_hash_device = hash,
		.root = &b->root,
		.root_device = root,
		.tpm = b->ask->tpm,
		.signer = b->signer ? CCDM_BUILD_SIGNER : NULL,
		.broker = b->ask->broker,
		.ca = b->ask->ca ? CCDM_BUILD_CA : NULL,
		.workload = &b->workload,
		.lockdown = b->ask->debug ? "no" : NULL,
	};
	const struct {
		const struct ccdm_hashtree *tree;
		const char *name;
		char *device;
	} devices[] = { { &b->base, "base", base },
			{ &b->base, "base hash", hash },
			{ &b->root, "workload", root } };
	char uuid[37];
	size_t i, size, n = strlen(b->cmdline);

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		if (ccdm_build_base_guid(devices[i].tree, devices[i].name, uuid))
			return ccdm_err_set(err, -EIO, "hashing failed");
		snprintf(devices[i].device, 64, "PARTUUID=%s", uuid);
	}
	if (b->ask->debug && snprintf(b->cmdline + n, sizeof(b->cmdline) - n, "%s",
				      CCDM_BUILD_DEBUG_WORDS) >= (int)(sizeof(b->cmdline) - n))
		return ccdm_err_set(err, -EINVAL, "the kernel's command line is too long");
	return ccdm_workload_conf_make(&conf, &b->conf, &size, err);
}

int ccdm_build_oci(struct ccdm_build *b, struct ccdm_err *err)
{
	struct ccdm_rootfs *fs = NULL;
	struct ccdm_oci *oci = NULL;
	int r = ccdm_build_settings_file(b, err);

	if (!r)
		r = ccdm_build_step(b, "layers", 0, 0, err);
	if (!r)
		r = ccdm_oci_open(b->ask->oci, b->ask->image, b->work, &oci, err);
	if (!r) {
		b->image = *ccdm_oci_digest(oci);
		ccdm_build_input(b, "image", &b->image);
		r = ccdm_build_oci_product(b, ccdm_oci_name(oci), err);
	}
	if (!r)
		r = ccdm_rootfs_new(&fs, b->work, err);
	if (!r)
		r = ccdm_build_tree_of(b, oci, fs, err);
	ccdm_rootfs_free(fs);
	ccdm_oci_close(oci);
	return r ? r : ccdm_build_oci_conf(b, err);
}
