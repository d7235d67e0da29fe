// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_json.c - see base.h: what base.json says */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base.h"
#include "base/bytes.h"

static const char *const base_files[CCDM_BASE_FILES] = {
	[CCDM_BASE_IMG] = "base.img",
	[CCDM_BASE_HASH] = "base.hash",
	[CCDM_BASE_VMLINUZ] = "vmlinuz",
	[CCDM_BASE_INITRD] = "initrd",
	[CCDM_BASE_STUB] = "stub",
	[CCDM_BASE_OS_RELEASE] = "os-release",
	[CCDM_BASE_SECCOMP] = "seccomp.json",
};

const char *ccdm_base_file_name(enum ccdm_base_file file)
{
	return base_files[file];
}

static int ccdm_base_bad(const struct ccdm_base *base, const char *what, const char *expected,
			 struct ccdm_err *err)
{
	ccdm_err_hint(err, "make the base again");
	return ccdm_err_set(err, -EINVAL, "%s/base.json: %s: expected %s", base->folder, what,
			    expected);
}

/* True if a text has one line that a terminal may show. */
static bool ccdm_base_plain(const char *text)
{
	while ((unsigned char)*text >= ' ' && *text != 0x7f)
		text++;
	return !*text;
}

static int ccdm_base_text(const struct ccdm_base *base, const json_t *object, const char *key,
			  char *to, size_t size, struct ccdm_err *err)
{
	const char *text = json_string_value(json_object_get(object, key));
	char expected[64];

	if (text && strlen(text) == json_string_length(json_object_get(object, key)) &&
	    strlen(text) < size && ccdm_base_plain(text)) {
		memcpy(to, text, strlen(text) + 1);
		return 0;
	}
	snprintf(expected, sizeof(expected), "a text of at most %zu bytes in one line", size - 1);
	return ccdm_base_bad(base, key, expected, err);
}

static int ccdm_base_number(const struct ccdm_base *base, const json_t *object, const char *key,
			    uint64_t max, uint64_t *to, struct ccdm_err *err)
{
	const json_t *value = json_object_get(object, key);

	/* (a negative number becomes one above every limit) */
	if (!json_is_integer(value) || (uint64_t)json_integer_value(value) > max)
		return ccdm_base_bad(base, key, "a number", err);
	*to = (uint64_t)json_integer_value(value);
	return 0;
}

static int ccdm_base_verity(struct ccdm_base *base, struct ccdm_err *err)
{
	const json_t *object = json_object_get(base->json, "verity");
	struct ccdm_hashtree *v = &base->verity;
	uint64_t data_size = 0, hash_size = 0;
	uint8_t bytes[32];
	int r = ccdm_base_text(base, object, "roothash", v->roothash, sizeof(v->roothash), err);

	if (!r)
		r = ccdm_base_text(base, object, "salt", v->salt, sizeof(v->salt), err);
	if (!r)
		r = ccdm_base_text(base, object, "algorithm", v->algorithm, sizeof(v->algorithm),
				   err);
	if (!r && (ccdm_unhex(v->roothash, bytes, 32) || ccdm_unhex(v->salt, bytes, 32)))
		return ccdm_base_bad(base, "verity", "64 hex digits as roothash and salt", err);
	if (!r && strcmp(v->algorithm, "sha256"))
		return ccdm_base_bad(base, "verity: algorithm", "sha256", err);
	if (!r)
		r = ccdm_base_number(base, object, "data_blocks", (uint64_t)1 << 40,
				     &v->data_blocks, err);
	if (!r)
		r = ccdm_base_number(base, object, "hash_start", (uint64_t)1 << 40, &v->hash_start,
				     err);
	if (!r)
		r = ccdm_base_number(base, object, "data_block_size", 4096, &data_size, err);
	if (!r)
		r = ccdm_base_number(base, object, "hash_block_size", 4096, &hash_size, err);
	if (!r && (data_size != CCDM_HASHTREE_BLOCK || hash_size != CCDM_HASHTREE_BLOCK))
		return ccdm_base_bad(base, "verity: block sizes", "4096", err);
	v->data_block_size = (uint32_t)data_size;
	v->hash_block_size = (uint32_t)hash_size;
	return r;
}

/* What base.json says of a file. */
static int ccdm_base_file(struct ccdm_base *base, unsigned int i, struct ccdm_err *err)
{
	const json_t *object = json_object_get(json_object_get(base->json, "files"), base_files[i]);
	char sha256[65], path[PATH_MAX];
	int r = ccdm_base_text(base, object, "sha256", sha256, sizeof(sha256), err);

	if (!r && ccdm_unhex(sha256, base->sha256[i], 32))
		return ccdm_base_bad(base, base_files[i], "64 hex digits as sha256", err);
	if (!r)
		r = ccdm_base_number(base, object, "size", (uint64_t)1 << 48, &base->size[i], err);
	if (r)
		return r;
	/* (the compiler cannot tell that the folder's name is not in the array of paths) */
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", base->folder, base_files[i]) >=
	    sizeof(path))
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", base->folder);
	memcpy(base->path[i], path, sizeof(path));
	return 0;
}

int ccdm_base_parse(const char *folder, const char *text, size_t size, struct ccdm_base *base,
		    struct ccdm_err *err)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} texts[] = {
		{ "name", base->name, sizeof(base->name) },
		{ "suite", base->suite, sizeof(base->suite) },
		{ "source", base->source, sizeof(base->source) },
		{ "kernel", base->kernel, sizeof(base->kernel) },
		{ "ccdm", base->ccdm, sizeof(base->ccdm) },
		{ "words", base->words, sizeof(base->words) },
	};
	uint64_t version = 0, date = 0;
	json_error_t error;
	unsigned int i;
	int r;

	memset(base, 0, sizeof(*base));
	if (strlen(folder) >= sizeof(base->folder))
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", folder);
	memcpy(base->folder, folder, strlen(folder) + 1);
	base->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!base->json && json_error_code(&error) == json_error_out_of_memory)
		return ccdm_err_memory(err);
	if (!base->json) {
		ccdm_err_hint(err, "make the base again");
		return ccdm_err_set(err, -EINVAL, "%s/base.json:%d:%d: %s", folder, error.line,
				    error.column, error.text);
	}
	if (!json_is_object(base->json))
		return ccdm_base_bad(base, "JSON", "an object", err);
	r = ccdm_base_number(base, base->json, "version", 1, &version, err);
	if (!r && version != 1)
		return ccdm_base_bad(base, "version", "1", err);
	for (i = 0; !r && i < ARRAY_SIZE(texts); i++)
		r = ccdm_base_text(base, base->json, texts[i].key, texts[i].to, texts[i].size, err);
	if (!r)
		r = ccdm_base_number(base, base->json, "svn", UINT32_MAX, &base->svn, err);
	if (!r)
		r = ccdm_base_number(base, base->json, "date", UINT32_MAX, &date, err);
	base->date = (int64_t)date;
	if (!r)
		r = ccdm_base_verity(base, err);
	for (i = 0; !r && i < CCDM_BASE_FILES; i++)
		r = ccdm_base_file(base, i, err);
	return r;
}
