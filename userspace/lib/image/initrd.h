/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * initrd.h - files of an initrd: cpio archives one behind the other, plain, gzip or zstd
 *
 * It is read as the kernel unpacks it, without writing anything. What the kernel understands
 * differently, or gives up at, is an error; an honest initrd has none of it. (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst, init/initramfs.c,
 * lib/decompress_inflate.c)
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
 * @links: more than 1: its content may stand at another name
 * @inode: archive, device and inode: the same for all names of a file
 * @owner: user and group
 * @device: of a device file, major and minor number
 * @size: of its content
 * @content: of what was asked for; else NULL
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
 * @want: the content of this entry is needed; NULL: of none is
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
 * @content: the caller frees it; a NUL stands behind it
 *
 * Return: 0, -ENOENT; -EINVAL for a file that is there twice, is a link or has hard links; for any
 * entry behind a symbolic link, through which the kernel might write the file; and as above.
 */
int __must_check ccdm_initrd_find(const char *name, const uint8_t *bytes, size_t size,
				  const char *path, size_t max, char **content,
				  size_t *content_size, struct ccdm_err *err);

#endif
