/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * initrd.h - files of an initrd: cpio archives one after the other, plain, gzip or zstd
 *
 * The functions read an initrd as the kernel unpacks it, and write no files. If the kernel would
 * unpack something differently, or stop at it, they return an error; an honest initrd contains
 * nothing of the kind. (Linux, Documentation/driver-api/early-userspace/buffer-format.rst,
 * init/initramfs.c, lib/decompress_inflate.c)
 */
#ifndef CCDM_INITRD_H
#define CCDM_INITRD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_INITRD_NAME  4096
#define CCDM_INITRD_ALL	  ((uint64_t)1 << 30) /* unpacked bytes, at most */
#define CCDM_INITRD_PARTS 64		      /* plain or compressed, at most */
#define CCDM_INITRD_FILES 65536		      /* entries, at most */

/**
 * struct ccdm_initrd_file - an entry
 * @path: without "/" or "./" before it, and without empty parts, "." and ".."; or "."
 * @mode: with its kind, as in stat(2)
 * @links: more than 1: another name of the file may have the content
 * @inode: archive, device and inode: the same for all names of a file
 * @owner: user and group
 * @device: of a device file, major and minor number
 * @size: of its content
 * @content: of the entry that was asked for; else NULL
 */
struct ccdm_initrd_file {
	char path[CCDM_INITRD_NAME];
	uint32_t mode;
	uint32_t links;
	uint32_t inode[4];
	uint32_t owner[2];
	uint32_t device[2];
	uint32_t size;
	uint8_t *content;
};

/**
 * ccdm_initrd_walk() - walk through all entries
 * @name: of the file, for messages
 * @want: path of the entry whose content is needed; NULL: none
 * @each: called for each entry; a nonzero result ends the walk and is returned. It may take the
 *	content by setting it to NULL
 *
 * Return: 0; -EINVAL for what the kernel would not unpack, or for a compression that is not
 * known here; -ENOMEM.
 */
int __must_check ccdm_initrd_walk(const char *name, const uint8_t *bytes, size_t size,
				  bool (*want)(const struct ccdm_initrd_file *file, void *arg),
				  int (*each)(struct ccdm_initrd_file *file, void *arg), void *arg,
				  struct ccdm_err *err);

/**
 * ccdm_initrd_find() - the content of a file after everything is unpacked (initrd_find.c)
 * @path: "etc/ccdm/ccdm.conf"
 * @max: size limit in bytes
 * @content: the caller frees it; a NUL follows the content
 *
 * Return: 0, -ENOENT; -EINVAL for a file that is there twice, is a link or has hard links; for any
 * entry whose path leads through a symbolic link, because the kernel could write the file through
 * it; and as above.
 */
int __must_check ccdm_initrd_find(const char *name, const uint8_t *bytes, size_t size,
				  const char *path, size_t max, char **content,
				  size_t *content_size, struct ccdm_err *err);

#endif
