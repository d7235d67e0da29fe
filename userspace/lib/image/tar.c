// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tar.c - see tar.h */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "tar.h"

#define BLOCK	  512
#define SIZE_AT	  124
#define SUM_AT	  148
#define TYPE_AT	  156
#define SPARSE_AT 482 /* of GNU tar's header of a sparse file: another block follows */
#define MORE_AT	  504 /* the same, in such a block */

/**
 * struct ccdm_tar_record - a record of an extended header
 * @key, @key_size: not terminated
 */
struct ccdm_tar_record {
	const char *key;
	size_t key_size;
};

/**
 * struct ccdm_tar_more - the extended headers before the header of an entry
 * @pax, @name, @link: there was an extended header, a long name or a long link of GNU tar
 * @sized: a record gives the size of the content
 * @size: the size
 */
struct ccdm_tar_more {
	bool pax, name, link, sized;
	uint64_t size;
};

static int ccdm_tar_bad(const struct ccdm_tar *tar, const char *why, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "tar archive, near byte %llu, '%s': %s",
			    (unsigned long long)(tar->at - tar->begin), tar->name, why);
}

/* Is the sum of the header's bytes, signed or not, the one that it names? */
static bool ccdm_tar_sum(const uint8_t *h)
{
	int sum = 0, with_sign = 0, named = 0;
	unsigned int i;

	for (i = 0; i < BLOCK; i++) {
		uint8_t c = i >= SUM_AT && i < SUM_AT + 8 ? ' ' : h[i];

		sum += c;
		with_sign += (int8_t)c;
	}
	for (i = SUM_AT; i < SUM_AT + 8 && h[i] == ' '; i++)
		;
	for (; i < SUM_AT + 8 && h[i] >= '0' && h[i] <= '7'; i++)
		named = named * 8 + h[i] - '0';
	return (named == sum || named == with_sign) && (i == SUM_AT + 8 || !h[i] || h[i] == ' ');
}

/* An octal number, or a number to the base of 256, in a field of 12 bytes. */
static bool ccdm_tar_size(const uint8_t *field, uint64_t *value)
{
	unsigned int i = 0;

	*value = 0;
	if (field[0] == 0x80) {
		for (i = 1; i < 12; i++) {
			if (*value >> 55)
				return false;
			*value = *value << 8 | field[i];
		}
		return true;
	}
	while (i < 12 && field[i] == ' ')
		i++;
	for (; i < 12 && field[i] >= '0' && field[i] <= '7'; i++)
		*value = *value << 3 | (field[i] - '0');
	for (; i < 12; i++)
		if (field[i] && field[i] != ' ')
			return false;
	return true;
}

static bool ccdm_tar_zeros(const uint8_t *h)
{
	return !h[0] && !memcmp(h, h + 1, BLOCK - 1);
}

/* ---- extended headers ------------------------------------------------------------------ */

static int ccdm_tar_compare(const void *a, const void *b)
{
	const struct ccdm_tar_record *x = a, *y = b;
	size_t n = x->key_size < y->key_size ? x->key_size : y->key_size;
	int r = memcmp(x->key, y->key, n);

	return r ? r : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

static bool ccdm_tar_key(const struct ccdm_tar_record *record, const char *key)
{
	return record->key_size == strlen(key) && !memcmp(record->key, key, record->key_size);
}

/* A decimal number without anything else. */
static bool ccdm_tar_decimal(const char *text, size_t size, uint64_t *value)
{
	size_t i;

	for (*value = 0, i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9' || *value > INT64_MAX / 10 - 1)
			return false;
		*value = *value * 10 + (uint64_t)(text[i] - '0');
	}
	return size > 0;
}

/* Seconds, perhaps with a sign and a fraction. */
static bool ccdm_tar_time(const char *text, size_t size)
{
	size_t sign = size && text[0] == '-', n = sign;
	uint64_t value;

	while (n < size && text[n] != '.')
		n++;
	return ccdm_tar_decimal(text + sign, n - sign, &value) &&
	       (n == size || n + 1 == size || strspn(text + n + 1, "0123456789") >= size - n - 1);
}

/* Is a value one that all programs understand alike? Return: NULL, or what is wrong. */
static const char *ccdm_tar_value(const struct ccdm_tar_record *record, const char *value,
				  size_t size, struct ccdm_tar_more *more)
{
	uint64_t id;

	if ((record->key_size < 13 || memcmp(record->key, "SCHILY.xattr.", 13)) &&
	    memchr(value, 0, size))
		return "a value of a PAX header has a zero byte";
	if ((ccdm_tar_key(record, "path") || ccdm_tar_key(record, "linkpath")) && !size)
		return "a PAX header has an empty path";
	if ((ccdm_tar_key(record, "uid") || ccdm_tar_key(record, "gid")) &&
	    !ccdm_tar_decimal(value, size, &id))
		return "a PAX header has an ID that is no number";
	if (ccdm_tar_key(record, "mtime") && !ccdm_tar_time(value, size))
		return "a PAX header has a time that is no number";
	if (!ccdm_tar_key(record, "size"))
		return NULL;
	if (more->sized)
		return "a PAX header gives a size twice";
	more->sized = true;
	return ccdm_tar_decimal(value, size, &more->size)
		       ? NULL
		       : "a PAX header has a size that is no number";
}

/*
 * One record, "LENGTH KEY=VALUE\n". Values of extended attributes are binary, others have no
 * zero byte. Return: NULL, or what is wrong.
 */
static const char *ccdm_tar_record(const char *text, size_t size, struct ccdm_tar_record *record,
				   size_t *length, struct ccdm_tar_more *more)
{
	size_t digits = 0, value;
	const char *equals;
	uint64_t n = 0;

	while (digits < size && digits < 8 && text[digits] != ' ')
		digits++;
	if (!ccdm_tar_decimal(text, digits, &n) || n < digits + 4 || n > size ||
	    text[digits] != ' ' || text[n - 1] != '\n')
		return "a record of a PAX header is malformed";
	*length = (size_t)n;
	record->key = text + digits + 1;
	equals = memchr(record->key, '=', *length - digits - 2);
	if (!equals || equals == record->key)
		return "a record of a PAX header has no key";
	record->key_size = (size_t)(equals - record->key);
	value = (size_t)(text + n - 1 - (equals + 1));
	if (memchr(record->key, 0, record->key_size))
		return "a key of a PAX header has a zero byte";
	return ccdm_tar_value(record, equals + 1, value, more);
}

/* A record that GNU tar 1.14 wrote for each piece of a sparse file. */
static bool ccdm_tar_repeats(const struct ccdm_tar_record *record)
{
	return ccdm_tar_key(record, "GNU.sparse.offset") ||
	       ccdm_tar_key(record, "GNU.sparse.numbytes");
}

static const char *ccdm_tar_records(const char *text, size_t size, bool global,
				    struct ccdm_tar_more *more)
{
	struct ccdm_tar_record *records = calloc(size / 5 + 1, sizeof(*records));
	const char *why = NULL;
	size_t count = 0, n = 0, i;

	if (!records)
		return "";
	for (; !why && size; text += n, size -= n) {
		why = ccdm_tar_record(text, size, &records[count], &n, more);
		if (!why && global && !ccdm_tar_key(&records[count], "comment"))
			why = "a global PAX header sets more than a comment";
		count += !why;
		if (why)
			n = size;
	}
	if (!why)
		qsort(records, count, sizeof(*records), ccdm_tar_compare);
	for (i = 1; !why && i < count; i++)
		if (!ccdm_tar_compare(&records[i - 1], &records[i]) &&
		    !ccdm_tar_repeats(&records[i]))
			why = "a PAX header has a key twice";
	free(records);
	return why;
}

/* A header that belongs to the next entry, with @size bytes of content. */
static int ccdm_tar_extended(struct ccdm_tar *tar, char type, uint64_t size,
			     struct ccdm_tar_more *more, struct ccdm_err *err)
{
	bool *seen = type == 'x' ? &more->pax : type == 'L' ? &more->name : &more->link;
	const char *why = NULL;
	uint8_t *text;
	int r;

	if (size > CCDM_TAR_MORE)
		return ccdm_tar_bad(tar, "expected at most 1 MiB of extended headers", err);
	if (type != 'g' && *seen)
		return ccdm_tar_bad(tar, "an entry has two extended headers of the same kind", err);
	if (type != 'g')
		*seen = true;
	if (more->pax && (more->name || more->link))
		return ccdm_tar_bad(tar, "an entry has extended headers of PAX and of GNU tar",
				    err);
	if (size > tar->end - tar->at)
		return ccdm_tar_bad(tar, "the archive is cut off", err);
	if (type == 'x' || type == 'g') {
		r = ccdm_source_load(tar->source, tar->at, (size_t)size, "the tar archive", &text,
				     err);
		if (r)
			return r;
		why = ccdm_tar_records((char *)text, (size_t)size, type == 'g', more);
		free(text);
	}
	if (why)
		return *why ? ccdm_tar_bad(tar, why, err) : ccdm_err_memory(err);
	return 0;
}

/* ---- entries --------------------------------------------------------------------------- */

/* Read the block at @at. */
static int ccdm_tar_block(struct ccdm_tar *tar, uint8_t *block, struct ccdm_err *err)
{
	int r;

	if (tar->end - tar->at < BLOCK)
		return ccdm_tar_bad(tar, "the archive is cut off", err);
	r = ccdm_source_read(tar->source, tar->at, block, BLOCK, "the tar archive", err);
	if (!r)
		tar->at += BLOCK;
	return r;
}

/* Two blocks of zeros end an archive, or its last byte does. */
static int ccdm_tar_end(struct ccdm_tar *tar, const struct ccdm_tar_more *more,
			struct ccdm_err *err)
{
	uint8_t block[BLOCK];
	int r;

	if (more->pax || more->name || more->link)
		return ccdm_tar_bad(tar, "the archive ends after an extended header", err);
	if (tar->at == tar->end)
		return -ENODATA;
	r = ccdm_tar_block(tar, block, err);
	if (!r && !ccdm_tar_zeros(block))
		return ccdm_tar_bad(tar, "expected a second block of zeros at the end", err);
	return r ? r : -ENODATA;
}

/* Skip the blocks that describe a sparse file of GNU tar. */
static int ccdm_tar_sparse(struct ccdm_tar *tar, const uint8_t *header, struct ccdm_err *err)
{
	bool follows = header[SPARSE_AT];
	uint8_t block[BLOCK];
	int r = 0;

	while (!r && follows) {
		r = ccdm_tar_block(tar, block, err);
		follows = !r && block[MORE_AT];
	}
	return r;
}

int ccdm_tar_next(struct ccdm_tar *tar, struct ccdm_tar_entry *entry, struct ccdm_err *err)
{
	struct ccdm_tar_more more = { 0 };
	uint8_t h[BLOCK];
	uint64_t size, padded;
	int r;

	for (;;) {
		if (tar->at == tar->end)
			return ccdm_tar_end(tar, &more, err);
		r = ccdm_tar_block(tar, h, err);
		if (r)
			return r;
		if (ccdm_tar_zeros(h))
			return ccdm_tar_end(tar, &more, err);
		memcpy(tar->name, h, sizeof(tar->name) - 1);
		if (!ccdm_tar_sum(h))
			return ccdm_tar_bad(tar, "a header has a wrong checksum", err);
		if (!ccdm_tar_size(h + SIZE_AT, &size))
			return ccdm_tar_bad(tar, "a header has a size that is no number", err);
		entry->type = h[TYPE_AT] ? (char)h[TYPE_AT] : '0';
		if (!strchr("xgLK", entry->type))
			break;
		r = ccdm_tar_extended(tar, entry->type, size, &more, err);
		if (r)
			return r;
		tar->at += (size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
		if (tar->at > tar->end)
			return ccdm_tar_bad(tar, "the archive is cut off", err);
	}
	if (!strchr("01234567S", entry->type))
		return ccdm_tar_bad(tar, "an entry is of a kind that is not known", err);
	if (more.sized)
		size = more.size;
	if (size && strchr("123456", entry->type))
		return ccdm_tar_bad(tar, "an entry that is no file has a content", err);
	r = entry->type == 'S' ? ccdm_tar_sparse(tar, h, err) : 0;
	if (r)
		return r;
	entry->content = tar->at;
	entry->size = size;
	if (size > tar->end - tar->at)
		return ccdm_tar_bad(tar, "the archive is cut off", err);
	/* (the last content need not be padded) */
	padded = (size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
	tar->at = padded > tar->end - tar->at ? tar->end : tar->at + padded;
	return 0;
}
