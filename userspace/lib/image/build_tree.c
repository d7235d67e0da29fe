// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_tree.c - a root file system in a folder becomes the base */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/ini.h"
#include "build.h"
#include "evidence/manifest.h"
#include "ext4.h"
#include "guid.h"
#include "rootfs.h"

#define KERNEL_MAX (256 << 20)
#define INITRD_MAX (512 << 20)
#define SMALL_MAX  (1 << 20)

/* Places of a file; % stands for the version of the kernel. */
static const char *const tree_kernels[] = { "boot/vmlinuz-%", "usr/lib/modules/%/vmlinuz", NULL };
static const char *const tree_initrds[] = { "boot/initrd.img-%", "boot/initrd-%.img",
					    "boot/initramfs-%.img", "boot/initrd.img", NULL };
static const char *const tree_stubs[] = { "usr/lib/systemd/boot/efi/linuxx64.efi.stub", NULL };
static const char *const tree_releases[] = { "etc/os-release", "usr/lib/os-release", NULL };

/* The only folder with modules. */
static int ccdm_build_uname(struct ccdm_build *b, struct ccdm_err *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "%s/usr/lib/modules", b->ask->tree);
	dir = opendir(path);
	if (!dir)
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	while (!r && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		if (b->uname[0])
			r = ccdm_err_set(err, -EINVAL,
					 "%s: expected one kernel, found %s and %s; remove one",
					 path, b->uname, e->d_name);
		else if (snprintf(b->uname, sizeof(b->uname), "%s", e->d_name) >=
			 (int)sizeof(b->uname))
			r = ccdm_err_set(err, -EINVAL, "%s: a name is too long", path);
	}
	closedir(dir);
	if (!r && !b->uname[0])
		r = ccdm_err_set(err, -EINVAL, "%s: expected a kernel's modules, found none", path);
	return r;
}

static const struct ccdm_rootfs_node *ccdm_build_find(const struct ccdm_build *b,
						      const struct ccdm_rootfs *fs,
						      const char *const *places)
{
	const struct ccdm_rootfs_node *node = NULL;
	char path[512];
	size_t n;

	for (; !node && *places; places++) {
		n = strcspn(*places, "%");
		snprintf(path, sizeof(path), "%.*s%s%s", (int)n, *places,
			 (*places)[n] ? b->uname : "", (*places)[n] ? *places + n + 1 : "");
		node = ccdm_rootfs_find(fs, path);
		if (node && !S_ISREG(node->inode->mode))
			node = NULL;
	}
	return node;
}

/* A file of the tree, into the working folder. */
static int ccdm_build_take(struct ccdm_build *b, const struct ccdm_rootfs *fs,
			   const struct ccdm_rootfs_node *node, size_t max, const char *name,
			   char to[PATH_MAX], struct ccdm_err *err)
{
	size_t size;
	char *text;
	int r = ccdm_rootfs_read(fs, node, max, &text, &size, err);

	if (r)
		return r;
	ccdm_build_path(b, name, to);
	if (size)
		r = ccdm_file_write(to, text, size, 0600, err);
	else
		r = ccdm_err_set(err, -EINVAL, "%s: expected the tree's %s, found an empty file",
				 b->ask->tree, name);
	free(text);
	return r;
}

/* Find the parts of the UKI; the initrd may be missing. */
static int ccdm_build_boot(struct ccdm_build *b, const struct ccdm_rootfs *fs, struct ccdm_err *err)
{
	static const char host_stub[] = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
	const struct ccdm_rootfs_node *node = ccdm_build_find(b, fs, tree_kernels);
	int r;

	if (!node)
		return ccdm_err_set(err, -EINVAL, "%s: expected the kernel boot/vmlinuz-%s",
				    b->ask->tree, b->uname);
	r = ccdm_build_take(b, fs, node, KERNEL_MAX, "vmlinuz", b->kernel, err);
	node = ccdm_build_find(b, fs, tree_initrds);
	if (!r && node)
		r = ccdm_build_take(b, fs, node, INITRD_MAX, "initrd", b->initrd, err);
	node = ccdm_build_find(b, fs, tree_releases);
	if (!r && !node)
		r = ccdm_err_set(err, -EINVAL, "%s: expected the file etc/os-release",
				 b->ask->tree);
	if (!r)
		r = ccdm_build_take(b, fs, node, SMALL_MAX, "os-release", b->release, err);
	if (!r && b->date < 0) {
		b->date = node->inode->mtime;
		if (b->date < 315532800 || b->date > 4354819199)
			r = ccdm_err_set(
				err, -EINVAL,
				"%s: etc/os-release: expected a modification time from 1980 on: it "
				"becomes the image's date",
				b->ask->tree);
	}
	node = ccdm_build_find(b, fs, tree_stubs);
	if (!r && b->ask->stub)
		snprintf(b->stub, sizeof(b->stub), "%s", b->ask->stub);
	else if (!r && node)
		r = ccdm_build_take(b, fs, node, SMALL_MAX, "stub", b->stub, err);
	else
		snprintf(b->stub, sizeof(b->stub), "%s", host_stub);
	if (r || !access(b->stub, R_OK))
		return r;
	ccdm_err_hint(err, "install systemd-boot-efi in the tree or here, or give --stub");
	return ccdm_err_set(err, -ENOENT, "%s: %s", b->stub, strerror(errno));
}

/* Leave kernel, initrd and configuration out of the base: they are in the UKI. */
static int ccdm_build_without(struct ccdm_build *b, struct ccdm_rootfs *fs, struct ccdm_err *err)
{
	struct ccdm_rootfs_node *node = ccdm_rootfs_find(fs, CCDM_CONFIG_FILE);
	int r = 0;

	if (node)
		r = ccdm_rootfs_read(fs, node, CCDM_INI_MAX, &b->own_conf, &b->own_conf_size, err);
	if (r)
		return r;
	if (node) {
		struct ccdm_rootfs_node *folder = node->parent;

		ccdm_rootfs_remove(fs, node);
		/* (the base is the same as without the file) */
		if (!folder->children && folder != fs->root)
			ccdm_rootfs_remove(fs, folder);
	}
	node = ccdm_rootfs_child(fs->root, "boot");
	if (!node)
		return 0;
	ccdm_rootfs_remove(fs, node);
	return ccdm_rootfs_put(fs, "boot", S_IFDIR | 0755, 0, 0, NULL, 0, err);
}

static int ccdm_build_tar(struct ccdm_build *b, struct ccdm_rootfs *fs, const char *tar,
			  struct ccdm_digest *digest, struct ccdm_ext4 *make, struct ccdm_err *err)
{
	int fd = open(tar, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return ccdm_err_set(err, -errno, "%s: %s", tar, strerror(errno));
	r = ccdm_rootfs_tar(fs, NULL, b->date, fd, digest, &make->bytes, &make->entries, err);
	if (close(fd) && !r)
		r = ccdm_err_set(err, -errno, "%s: %s", tar, strerror(errno));
	return r;
}

/* The file system and its hash tree, out of the archive. */
static int ccdm_build_verity(struct ccdm_build *b, const struct ccdm_ext4 *make,
			     struct ccdm_err *err)
{
	uint8_t salt[32];
	uint64_t blocks;
	int r;

	ccdm_build_path(b, "base.img", b->base_file);
	ccdm_build_path(b, "base.hash", b->hash_file);
	r = ccdm_build_step(b, "base", 0, 2, err);
	if (!r)
		r = ccdm_ext4_make(make, b->base_file, &blocks, err);
	unlink(make->tar);
	if (!r)
		r = ccdm_build_step(b, "base", 1, 2, err);
	if (!r)
		r = ccdm_guid_bytes("verity salt", make->sha256, 32, salt);
	if (!r)
		r = ccdm_hashtree_make(b->base_file, blocks, b->hash_file, salt, &b->base, err);
	return r ? r : ccdm_build_step(b, "base", 2, 2, err);
}

/* --product, or the name of the disk; a policy knows no blanks */
static int ccdm_build_tree_product(struct ccdm_build *b, struct ccdm_err *err)
{
	const char *name = strrchr(b->ask->output, '/');
	char short_name[CCDM_MANIFEST_PRODUCT + 1 - 6], *p;

	b->svn = b->ask->svn >= 0 ? b->ask->svn : 1;
	if (b->ask->product)
		return ccdm_build_product(b, b->ask->product, strlen(b->ask->product), err);
	/* (a long name is cut: there is room for "-debug") */
	name = name ? name + 1 : b->ask->output;
	snprintf(short_name, sizeof(short_name), "%.*s", (int)strcspn(name, "."), name);
	for (p = short_name; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '-';
	name = short_name[0] ? short_name : "image";
	return ccdm_build_product(b, name, strlen(name), err);
}

int ccdm_build_tree(struct ccdm_build *b, struct ccdm_err *err)
{
	struct ccdm_ext4 make = { .label = "base" };
	struct ccdm_rootfs *fs = NULL;
	struct ccdm_digest digest;
	char tar[PATH_MAX];
	int r = ccdm_build_uname(b, err);

	if (!r)
		r = ccdm_build_tree_product(b, err);
	ccdm_build_path(b, "base.tar", tar);
	if (!r)
		r = ccdm_build_step(b, "tree", 0, 2, err);
	if (!r)
		r = ccdm_rootfs_new(&fs, b->work, err);
	if (!r)
		r = ccdm_rootfs_folder(fs, b->ask->tree, NULL, err);
	if (!r)
		r = ccdm_build_boot(b, fs, err);
	if (!r)
		r = ccdm_build_without(b, fs, err);
	if (!r)
		r = ccdm_build_step(b, "tree", 1, 2, err);
	if (!r)
		r = ccdm_build_tar(b, fs, tar, &digest, &make, err);
	/* (its spool takes as much room as the archive) */
	if (!r)
		r = ccdm_rootfs_forget(fs, err);
	if (!r)
		r = ccdm_build_step(b, "tree", 2, 2, err);
	if (!r) {
		ccdm_build_input(b, "tree", &digest);
		memcpy(make.sha256, digest.bytes, 32);
		make.tar = tar;
		make.date = b->date;
		make.fs = fs;
		r = ccdm_build_verity(b, &make, err);
	}
	ccdm_rootfs_free(fs);
	return r;
}
