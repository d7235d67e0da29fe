/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * cpio.h - write a cpio archive ("newc"), the same bytes for the same entries
 *
 * Entries are sorted by name. Inode numbers count from 1, every owner is 0, every entry has one link
 * and the same time. The order in which entries are added has no effect. (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst)
 */
#ifndef CCDM_CPIO_H
#define CCDM_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_CPIO_NAME 4095		   /* bytes of a path, at most */
#define CCDM_CPIO_ALL  ((uint64_t)1 << 30) /* bytes of an archive without its trailer, at most */

/**
 * struct ccdm_cpio_entry - an entry
 * @path: "etc/ccdm/ccdm.conf", without "/" before it; "." for the root
 * @mode: with its kind, as in stat(2)
 * @device: of a device file, major and minor number
 * @content: @size bytes of a file, or of what a symbolic link points to; may be NULL if @size is 0
 */
struct ccdm_cpio_entry {
	const char *path;
	uint32_t mode;
	uint32_t device[2];
	const void *content;
	uint32_t size;
};

struct ccdm_cpio;

/**
 * ccdm_cpio_new() - begin an archive
 * @date: time of all entries, seconds since 1970
 *
 * Return: the archive, which the caller frees with ccdm_cpio_free(); NULL: out of memory.
 */
struct ccdm_cpio *ccdm_cpio_new(int64_t date);
void ccdm_cpio_free(struct ccdm_cpio *cpio);

/**
 * ccdm_cpio_add() - add an entry
 *
 * The path is copied; the content must stay where it is until ccdm_cpio_end().
 *
 * Return: 0; -EINVAL for a path that is empty, too long, begins with "/" or is "TRAILER!!!", or for
 * an entry with a content that is neither a file nor a link; -EFBIG above CCDM_CPIO_ALL; -ENOMEM.
 */
int __must_check ccdm_cpio_add(struct ccdm_cpio *cpio, const struct ccdm_cpio_entry *entry,
			       struct ccdm_err *err);

/**
 * ccdm_cpio_end() - make the archive
 * @bytes: set to the archive, which the caller frees
 * @size: its bytes, a multiple of 4
 *
 * Return: 0; -EEXIST for a path that was added twice; -ENOMEM.
 */
int __must_check ccdm_cpio_end(struct ccdm_cpio *cpio, uint8_t **bytes, size_t *size,
			       struct ccdm_err *err);

#endif
