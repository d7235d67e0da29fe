// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_difference.c - see base_difference.h */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base_difference.h"
#include "initrd.h"

#define CHUNK	  (1 << 20)
#define FILE_MAX  (512 << 20)
#define BY_NUMBER "PARTUUID="

struct ccdm_base_walk {
	const struct ccdm_bootable *b;
	const struct ccdm_base *base;
	int (*say)(const char *line, void *arg);
	void *arg;
	unsigned int *count;
	struct ccdm_err *err;
};

__attribute__((format(printf, 2, 3))) static int ccdm_base_differ(struct ccdm_base_walk *w,
								  const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ccdm_err_plain(line);
	(*w->count)++;
	return w->say(line, w->arg);
}

/* ---- partitions ------------------------------------------------------------------------ */

static const struct ccdm_gpt_part *ccdm_base_part(const struct ccdm_bootable *b, const char *device)
{
	unsigned int i;

	if (strncmp(device, BY_NUMBER, strlen(BY_NUMBER)))
		return NULL;
	for (i = 0; i < b->gpt.count; i++)
		if (!strcasecmp(b->gpt.part[i].uuid, device + strlen(BY_NUMBER)))
			return &b->gpt.part[i];
	return NULL;
}

/* The first byte that differs in two pieces of @size bytes. */
static size_t ccdm_base_first(const uint8_t *a, const uint8_t *b, size_t size)
{
	size_t i;

	for (i = 0; i < size && a[i] == b[i]; i++)
		;
	return i;
}

/*
 * Compare a partition with a file. Behind the file's end the partition must have zeros.
 * @a, @z: CHUNK bytes each
 */
static int ccdm_base_bytes(struct ccdm_base_walk *w, const char *what,
			   const struct ccdm_gpt_part *part, const struct ccdm_source *file,
			   uint8_t *a, uint8_t *z)
{
	uint64_t at, mine;
	size_t n, i;
	int r;

	for (at = 0; at < part->size; at += n) {
		n = part->size - at < CHUNK ? (size_t)(part->size - at) : CHUNK;
		mine = at >= file->size ? 0 : file->size - at;
		memset(z, 0, n);
		r = ccdm_source_read(&w->b->source, part->start + at, a, n, what, w->err);
		if (!r && mine)
			r = ccdm_source_read(file, at, z, mine < n ? (size_t)mine : n, what,
					     w->err);
		if (r)
			return r;
		i = ccdm_base_first(a, z, n);
		if (i < n)
			return ccdm_base_differ(w,
						"%s: partition %u differs from %s at byte %" PRIu64,
						what, part->number, file->name, at + i);
	}
	return 0;
}

static int ccdm_base_partition(struct ccdm_base_walk *w, const char *what, const char *device,
			       enum ccdm_base_file number)
{
	const struct ccdm_gpt_part *part = ccdm_base_part(w->b, device);
	uint8_t *chunks = malloc(2 * (size_t)CHUNK);
	struct ccdm_source file;
	int r;

	if (!chunks)
		return ccdm_err_memory(w->err);
	if (!part) {
		free(chunks);
		return ccdm_base_differ(
			w, "%s: ccdm.conf names '%s', which is no partition of the disk", what,
			device);
	}
	r = ccdm_source_open(w->base->path[number], &file, w->err);
	if (!r) {
		if (file.size > part->size)
			r = ccdm_base_differ(
				w, "%s: partition %u has %" PRIu64 " bytes, %s has %" PRIu64, what,
				part->number, part->size, file.name, file.size);
		else
			r = ccdm_base_bytes(w, what, part, &file, chunks, chunks + CHUNK);
		ccdm_source_close(&file);
	}
	free(chunks);
	return r;
}

/* ---- ccdm.conf -------------------------------------------------------------------------- */

static int ccdm_base_number(struct ccdm_base_walk *w, const char *key, uint64_t found,
			    uint64_t expected)
{
	if (found == expected)
		return 0;
	return ccdm_base_differ(w, "ccdm.conf: [base] %s: expected %" PRIu64 ", found %" PRIu64,
				key, expected, found);
}

static int ccdm_base_text(struct ccdm_base_walk *w, const char *key, const char *found,
			  const char *expected)
{
	if (!strcasecmp(found, expected))
		return 0;
	return ccdm_base_differ(w, "ccdm.conf: [base] %s: expected %s, found %s", key, expected,
				found);
}

static int ccdm_base_conf(struct ccdm_base_walk *w)
{
	const struct ccdm_config_verity *c = &w->b->config.base;
	const struct ccdm_hashtree *t = &w->base->verity;
	int r;

	if (w->b->no_conf[0])
		return ccdm_base_differ(w, "ccdm.conf: %s", w->b->no_conf);
	r = ccdm_base_text(w, "roothash", c->roothash, t->roothash);
	if (!r)
		r = ccdm_base_text(w, "salt", c->salt, t->salt);
	if (!r)
		r = ccdm_base_text(w, "algorithm", c->algorithm, t->algorithm);
	if (!r)
		r = ccdm_base_number(w, "data_blocks", c->data_blocks, t->data_blocks);
	if (!r)
		r = ccdm_base_number(w, "hash_start", c->hash_start, t->hash_start);
	if (!r)
		r = ccdm_base_number(w, "data_block_size", c->data_block_size, t->data_block_size);
	if (!r)
		r = ccdm_base_number(w, "hash_block_size", c->hash_block_size, t->hash_block_size);
	if (!r && w->b->disk)
		r = ccdm_base_partition(w, "base", c->device, CCDM_BASE_IMG);
	if (!r && w->b->disk)
		r = ccdm_base_partition(w, "hash tree of the base",
					c->hash_device[0] ? c->hash_device : c->device,
					CCDM_BASE_HASH);
	return r;
}

/* ---- the UKI ------------------------------------------------------------------------------ */

static int ccdm_base_load(struct ccdm_base_walk *w, enum ccdm_base_file number, char **bytes,
			  size_t *size)
{
	uint64_t most = w->base->size[number];

	return ccdm_file_read(w->base->path[number], most < FILE_MAX ? (size_t)most : FILE_MAX,
			      bytes, size, w->err);
}

static int ccdm_base_section(struct ccdm_base_walk *w, const char *section, const char *expected,
			     size_t expected_size, const char *of)
{
	size_t size = 0, i;
	const uint8_t *found = ccdm_uki_content(&w->b->uki, section, &size);

	if (!found)
		return ccdm_base_differ(w, "UKI: it has no section %s", section);
	i = ccdm_base_first(found, (const uint8_t *)expected,
			    size < expected_size ? size : expected_size);
	if (i == size && size == expected_size)
		return 0;
	return ccdm_base_differ(w, "UKI: section %s differs from %s at byte %zu", section, of, i);
}

static int ccdm_base_file(struct ccdm_base_walk *w, const char *section, enum ccdm_base_file number)
{
	size_t size;
	char *bytes;
	int r = ccdm_base_load(w, number, &bytes, &size);

	if (r)
		return r;
	r = ccdm_base_section(w, section, bytes, size, w->base->path[number]);
	free(bytes);
	return r;
}

/* Each section of the stub is one of the UKI. */
static int ccdm_base_stub(struct ccdm_base_walk *w)
{
	const struct ccdm_pe_section *found;
	struct ccdm_pe pe;
	unsigned int i;
	size_t size;
	char *bytes;
	int r = ccdm_base_load(w, CCDM_BASE_STUB, &bytes, &size);

	if (r)
		return r;
	r = ccdm_pe_parse(w->base->path[CCDM_BASE_STUB], (uint8_t *)bytes, size, &pe, w->err);
	for (i = 0; !r && i < pe.count; i++) {
		const struct ccdm_pe_section *s = &pe.section[i];
		const struct ccdm_pe *mine = &w->b->uki.pe;

		if (ccdm_pe_find(mine, s->name, &found) != 1 || found->raw_size != s->raw_size ||
		    found->virtual_size != s->virtual_size || found->flags != s->flags ||
		    memcmp(mine->bytes + found->raw_at, pe.bytes + s->raw_at, s->raw_size))
			r = ccdm_base_differ(w, "UKI: section %s differs from that of %s", s->name,
					     w->base->path[CCDM_BASE_STUB]);
	}
	free(bytes);
	return r;
}

/* ---- the initrd ---------------------------------------------------------------------------- */

/* What "build" puts behind the base's initrd. */
static bool ccdm_base_own(const char *path)
{
	return !strcmp(path, "etc") || !strcmp(path, "etc/ccdm") ||
	       !strcmp(path, "etc/ccdm/ccdm.conf") || !strcmp(path, "etc/ccdm/ca.pem") ||
	       !strcmp(path, "etc/ccdm/signer.pem");
}

static int ccdm_base_entry(struct ccdm_initrd_file *file, void *arg)
{
	struct ccdm_base_walk *w = arg;

	if (ccdm_base_own(file->path) && (S_ISDIR(file->mode) || S_ISREG(file->mode)))
		return 0;
	return ccdm_base_differ(w, "initrd: behind the base's: %s", file->path);
}

static int ccdm_base_initrd(struct ccdm_base_walk *w)
{
	size_t size = 0, expected_size, padded, i;
	const uint8_t *found = ccdm_uki_content(&w->b->uki, ".initrd", &size);
	char *expected;
	int r;

	if (!found)
		return ccdm_base_differ(w, "UKI: it has no section .initrd");
	r = ccdm_base_load(w, CCDM_BASE_INITRD, &expected, &expected_size);
	if (r)
		return r;
	i = ccdm_base_first(found, (uint8_t *)expected,
			    size < expected_size ? size : expected_size);
	free(expected);
	if (i < expected_size)
		return ccdm_base_differ(w, "initrd: it does not begin with %s: byte %zu differs",
					w->base->path[CCDM_BASE_INITRD], i);
	for (padded = expected_size; padded & 3 && padded < size && !found[padded]; padded++)
		;
	if (padded & 3)
		return ccdm_base_differ(w,
					"initrd: the base's is not padded to 4 bytes with zeros");
	if (padded == size)
		return ccdm_base_differ(w,
					"initrd: nothing stands behind the base's: no ccdm.conf");
	return ccdm_initrd_walk(w->b->path, found + padded, size - padded, NULL, ccdm_base_entry, w,
				w->err);
}

/* ---- the command line ------------------------------------------------------------------------ */

static bool ccdm_base_has_word(const char *line, const char *word, size_t size)
{
	size_t n;

	for (; *line; line += n) {
		line += strspn(line, " \n");
		n = strcspn(line, " \n");
		if (n && n == size && !memcmp(line, word, size))
			return true;
	}
	return false;
}

/* Words of @a that @b lacks. */
static int ccdm_base_words(struct ccdm_base_walk *w, char sign, const char *a, const char *b)
{
	size_t n;
	int r;

	for (; *a; a += n) {
		a += strspn(a, " \n");
		n = strcspn(a, " \n");
		if (!n || ccdm_base_has_word(b, a, n))
			continue;
		r = ccdm_base_differ(w, "command line: %c%.*s", sign, (int)n, a);
		if (r)
			return r;
	}
	return 0;
}

static int ccdm_base_cmdline(struct ccdm_base_walk *w)
{
	size_t size = 0;
	const uint8_t *found = ccdm_uki_content(&w->b->uki, ".cmdline", &size);
	char *line = found ? strndup((const char *)found, size) : strdup("");
	int r;

	if (!line)
		return ccdm_err_memory(w->err);
	r = ccdm_base_words(w, '-', w->base->words, line);
	if (!r)
		r = ccdm_base_words(w, '+', line, w->base->words);
	free(line);
	return r;
}

int ccdm_base_difference(const struct ccdm_bootable *b, const struct ccdm_base *base,
			 int (*say)(const char *line, void *arg), void *arg, unsigned int *count,
			 struct ccdm_err *err)
{
	struct ccdm_base_walk w = { b, base, say, arg, count, err };
	int r;

	*count = 0;
	r = ccdm_base_conf(&w);
	if (!r)
		r = ccdm_base_stub(&w);
	if (!r)
		r = ccdm_base_file(&w, ".linux", CCDM_BASE_VMLINUZ);
	if (!r)
		r = ccdm_base_file(&w, ".osrel", CCDM_BASE_OS_RELEASE);
	if (!r)
		r = ccdm_base_section(&w, ".uname", base->kernel, strlen(base->kernel),
				      "the base's kernel");
	if (!r)
		r = ccdm_base_initrd(&w);
	return r ? r : ccdm_base_cmdline(&w);
}
