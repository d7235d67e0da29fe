/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * base.h - a base: the folder that "ccdm-image base" writes and "ccdm-image build" reads
 *
 * base.json names each other file of the folder with its SHA-256 and size. (ccdm-image(1), section
 * "A base")
 */
#ifndef CCDM_BASE_H
#define CCDM_BASE_H

#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "hashtree.h"

#define CCDM_BASE_NAME_MAX  65 /* bytes of a name, with its NUL */
#define CCDM_BASE_WORDS_MAX 2048

/* The files of a base beside base.json. */
enum ccdm_base_file {
	CCDM_BASE_IMG,
	CCDM_BASE_HASH,
	CCDM_BASE_VMLINUZ,
	CCDM_BASE_INITRD,
	CCDM_BASE_STUB,
	CCDM_BASE_OS_RELEASE,
	CCDM_BASE_SECCOMP,
	CCDM_BASE_FILES
};

/**
 * struct ccdm_base - a base
 * @folder: where it is
 * @name: "trixie-7"
 * @svn: its security version number
 * @date: seconds since 1970; the time of files of images with this base
 * @suite: "trixie"
 * @source: "snapshot STAMP" or "mirror"
 * @kernel: release of its kernel
 * @ccdm: version of ccdm in it
 * @words: of its kernel's command line
 * @verity: of its file system
 * @path, @sha256, @size: of each file
 * @json: base.json
 */
struct ccdm_base {
	char folder[PATH_MAX];
	char name[CCDM_BASE_NAME_MAX];
	uint64_t svn;
	int64_t date;
	char suite[32];
	char source[64];
	char kernel[65];
	char ccdm[65];
	char words[CCDM_BASE_WORDS_MAX];
	struct ccdm_hashtree verity;
	char path[CCDM_BASE_FILES][PATH_MAX];
	uint8_t sha256[CCDM_BASE_FILES][32];
	uint64_t size[CCDM_BASE_FILES];
	json_t *json;
};

/* "base.img" */
const char *ccdm_base_file_name(enum ccdm_base_file file);

/**
 * ccdm_base_parse() - read the text of base.json, and nothing else
 * @folder: where it is
 * @text: @size untrusted bytes
 * @base: filled; the caller ends with ccdm_base_close(), also after an error
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG, -ENOMEM.
 */
int __must_check ccdm_base_parse(const char *folder, const char *text, size_t size,
				 struct ccdm_base *base, struct ccdm_err *err);

/**
 * ccdm_base_open() - read base.json, and verify the size and SHA-256 of each file
 * @base: filled; the caller ends with ccdm_base_close(), also after an error
 *
 * Return: 0; -EINVAL for a base.json that is not valid, or for a file that differs from it; -ENOMEM;
 * errors of open(2) and read(2).
 */
int __must_check ccdm_base_open(const char *folder, struct ccdm_base *base, struct ccdm_err *err);
void ccdm_base_close(struct ccdm_base *base);

#endif
