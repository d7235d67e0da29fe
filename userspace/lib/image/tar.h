/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tar.h - the frame of an untrusted tar archive: where each entry and its content are
 *
 * If an archive gives a value twice, programs that read tar archives use different ones of the two,
 * and find different files. This walk refuses such archives before libarchive reads them: extended
 * headers or records that occur twice, content of an entry that cannot have any, kinds of entries
 * that only some programs know, and malformed records.
 *
 * Formats: ustar and pax (POSIX.1-2008, pax), and GNU tar's (GNU tar manual, "Basic Tar Format").
 */
#ifndef CCDM_TAR_H
#define CCDM_TAR_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "source.h"

#define CCDM_TAR_MORE (1 << 20) /* bytes of an extended header, at most */

/**
 * struct ccdm_tar - an archive that is walked
 * @source: where it is
 * @begin: its first byte
 * @at: its next header
 * @end: the byte after its last one
 * @name: what the last header says, for messages
 */
struct ccdm_tar {
	const struct ccdm_source *source;
	uint64_t begin;
	uint64_t at;
	uint64_t end;
	char name[101];
};

/**
 * struct ccdm_tar_entry - an entry's place in the source
 * @type: letter of its header: '0' a file, '5' a folder, ...; 'S' a sparse file of GNU tar
 * @content: where its stored content begins
 * @size: bytes of that
 */
struct ccdm_tar_entry {
	char type;
	uint64_t content;
	uint64_t size;
};

/**
 * ccdm_tar_next() - go to the next entry
 * @tar: @at is moved to the next entry
 * @entry: filled
 *
 * Return: 0; -ENODATA after the last entry; -EINVAL, -ENOMEM, errors of read(2).
 */
int __must_check ccdm_tar_next(struct ccdm_tar *tar, struct ccdm_tar_entry *entry,
			       struct ccdm_err *err);

#endif
