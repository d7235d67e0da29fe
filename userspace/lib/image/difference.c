// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* difference.c - see difference.h */
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/ini.h"
#include "difference.h"
#include "initrd.h"

/**
 * struct ccdm_named - a thing with a name: a file of an initrd, a word of ccdm.conf
 * @name: its name
 * @number: of the entry; of one name, the first is compared with the first
 * @digest: of what it is
 * @value: of a word; NULL for a file
 */
struct ccdm_named {
	char *name;
	unsigned int number;
	uint8_t digest[32];
	char *value;
};

/* @links: a tree of the inodes that have more than one name */
struct ccdm_named_list {
	struct ccdm_named *named;
	unsigned int count, room;
	void *links;
	struct ccdm_err *err;
};

/* An inode with several names: the messages use the path of its first entry. */
struct ccdm_linked {
	uint32_t inode[4];
	char path[];
};

struct ccdm_difference {
	int (*say)(const char *line, void *arg);
	void *arg;
	struct ccdm_err *err;
	unsigned int said;
	int r;
};

__attribute__((format(printf, 2, 3))) static void ccdm_differ(struct ccdm_difference *d,
							      const char *fmt, ...)
{
	char *line;
	va_list ap;
	int n;

	if (d->r)
		return;
	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0) {
		d->r = ccdm_err_memory(d->err);
		return;
	}
	ccdm_err_plain(line);
	d->said++;
	d->r = d->say(line, d->arg);
	free(line);
}

/* ---- lists of named things ---------------------------------------------------------- */

static void ccdm_named_drop(struct ccdm_named_list *list)
{
	while (list->count) {
		free(list->named[--list->count].name);
		free(list->named[list->count].value);
	}
	free(list->named);
	tdestroy(list->links, free);
	list->links = NULL;
	list->named = NULL;
	list->room = 0;
}

static struct ccdm_named *ccdm_named_new(struct ccdm_named_list *list, const char *name)
{
	struct ccdm_named *more;

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 256;
		more = realloc(list->named, list->room * sizeof(*more));
		if (!more)
			return NULL;
		list->named = more;
	}
	more = &list->named[list->count];
	memset(more, 0, sizeof(*more));
	more->name = strdup(name);
	more->number = list->count;
	if (!more->name)
		return NULL;
	list->count++;
	return more;
}

static int ccdm_named_order(const void *a, const void *b)
{
	const struct ccdm_named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static const struct ccdm_named *ccdm_named_next(const struct ccdm_named_list *list,
						unsigned int *at)
{
	return *at < list->count ? &list->named[(*at)++] : NULL;
}

static void ccdm_named_compare(struct ccdm_difference *d, const char *what,
			       struct ccdm_named_list *a, struct ccdm_named_list *b)
{
	unsigned int i = 0, k = 0;
	const struct ccdm_named *x, *y;
	int order;

	if (a->count)
		qsort(a->named, a->count, sizeof(*a->named), ccdm_named_order);
	if (b->count)
		qsort(b->named, b->count, sizeof(*b->named), ccdm_named_order);
	x = ccdm_named_next(a, &i);
	y = ccdm_named_next(b, &k);
	while (!d->r && (x || y)) {
		order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);
		if (order < 0)
			ccdm_differ(d, "%s: -%s", what, x->name);
		else if (order > 0)
			ccdm_differ(d, "%s: +%s", what, y->name);
		else if (memcmp(x->digest, y->digest, sizeof(x->digest)) && x->value)
			ccdm_differ(d, "%s: %s: '%s' became '%s'", what, x->name, x->value,
				    y->value);
		else if (memcmp(x->digest, y->digest, sizeof(x->digest)))
			ccdm_differ(d, "%s: %s differs", what, x->name);
		if (order <= 0)
			x = ccdm_named_next(a, &i);
		if (order >= 0)
			y = ccdm_named_next(b, &k);
	}
}

/* ---- the initrd's files --------------------------------------------------------------- */

static bool ccdm_difference_want(const struct ccdm_initrd_file *file, void *arg)
{
	(void)arg;
	return (S_ISREG(file->mode) || S_ISLNK(file->mode)) && file->size <= CCDM_INITRD_ALL;
}

static int ccdm_linked_order(const void *a, const void *b)
{
	const struct ccdm_linked *x = a, *y = b;

	return memcmp(x->inode, y->inode, sizeof(x->inode));
}

/* The first path of a file with several names; "" for any other file; NULL: no memory is left */
static const char *ccdm_difference_first(struct ccdm_named_list *list,
					 const struct ccdm_initrd_file *file)
{
	struct ccdm_linked *n, **place;

	if (S_ISDIR(file->mode) || file->links < 2)
		return "";
	n = malloc(sizeof(*n) + strlen(file->path) + 1);
	if (!n)
		return NULL;
	memcpy(n->inode, file->inode, sizeof(n->inode));
	memcpy(n->path, file->path, strlen(file->path) + 1);
	place = tsearch(n, &list->links, ccdm_linked_order);
	if (!place || *place != n)
		free(n);
	return place ? (*place)->path : NULL;
}

/* Everything that the kernel takes from an entry, except the time. */
static int ccdm_difference_digest(const struct ccdm_initrd_file *file, const char *first,
				  struct ccdm_digest *digest)
{
	/* (the number of links of a folder follows from its content) */
	const uint32_t words[] = { file->mode,	    S_ISDIR(file->mode) ? 0 : file->links,
				   file->owner[0],  file->owner[1],
				   file->device[0], file->device[1] };
	const struct ccdm_piece piece[] = { { words, sizeof(words) },
					    { first, strlen(first) + 1 },
					    { file->content, file->content ? file->size : 0 } };

	return ccdm_digest_pieces(CCDM_ALG_SHA256, piece, ARRAY_SIZE(piece), digest);
}

static int ccdm_difference_file(struct ccdm_initrd_file *file, void *arg)
{
	struct ccdm_named_list *list = arg;
	const char *first = ccdm_difference_first(list, file);
	struct ccdm_digest digest;
	struct ccdm_named *n;

	n = first ? ccdm_named_new(list, file->path) : NULL;
	if (!n)
		return ccdm_err_memory(list->err);
	if (ccdm_difference_digest(file, first, &digest))
		return ccdm_err_set(list->err, -EIO, "SHA-256 failed");
	memcpy(n->digest, digest.bytes, sizeof(n->digest));
	return 0;
}

static int ccdm_difference_list(const struct ccdm_bootable *b, struct ccdm_named_list *list,
				struct ccdm_err *err)
{
	size_t size;
	const uint8_t *bytes = ccdm_uki_content(&b->uki, ".initrd", &size);

	list->err = err;
	if (!bytes)
		return 0;
	return ccdm_initrd_walk(b->source.name, bytes, size, ccdm_difference_want,
				ccdm_difference_file, list, err);
}

static void ccdm_difference_initrd(struct ccdm_difference *d, const struct ccdm_bootable *a,
				   const struct ccdm_bootable *b)
{
	struct ccdm_named_list x = { 0 }, y = { 0 };

	if (!d->r)
		d->r = ccdm_difference_list(a, &x, d->err);
	if (!d->r)
		d->r = ccdm_difference_list(b, &y, d->err);
	if (!d->r)
		ccdm_named_compare(d, "initrd", &x, &y);
	ccdm_named_drop(&x);
	ccdm_named_drop(&y);
}

/* ---- ccdm.conf ---------------------------------------------------------------------------- */

static int ccdm_difference_word(const struct ccdm_ini_item *item, void *arg, struct ccdm_err *err)
{
	struct ccdm_named_list *list = arg;
	struct ccdm_named *n;
	struct ccdm_digest digest;
	char *name;

	if (!item->key)
		return 0;
	if (asprintf(&name, "[%s] %s", item->section, item->key) < 0)
		return ccdm_err_memory(err);
	n = ccdm_named_new(list, name);
	free(name);
	if (!n)
		return ccdm_err_memory(err);
	n->value = strdup(item->value);
	if (!n->value)
		return ccdm_err_memory(err);
	if (ccdm_digest_of(CCDM_ALG_SHA256, item->value, strlen(item->value), NULL, 0, &digest))
		return ccdm_err_set(err, -EIO, "SHA-256 failed");
	memcpy(n->digest, digest.bytes, sizeof(n->digest));
	return 0;
}

static int ccdm_difference_words(const struct ccdm_bootable *b, struct ccdm_named_list *list,
				 struct ccdm_err *err)
{
	return b->conf ? ccdm_ini_parse(CCDM_CONFIG_FILE, b->conf, b->conf_size,
					ccdm_difference_word, list, err)
		       : 0;
}

static void ccdm_difference_conf(struct ccdm_difference *d, const struct ccdm_bootable *a,
				 const struct ccdm_bootable *b)
{
	struct ccdm_named_list x = { 0 }, y = { 0 };

	if (!d->r)
		d->r = ccdm_difference_words(a, &x, d->err);
	if (!d->r)
		d->r = ccdm_difference_words(b, &y, d->err);
	if (!d->r)
		ccdm_named_compare(d, "initrd: etc/ccdm/ccdm.conf", &x, &y);
	ccdm_named_drop(&x);
	ccdm_named_drop(&y);
}

/* ---- the UKI -------------------------------------------------------------------------------- */

static bool ccdm_difference_same(const struct ccdm_uki *a, const struct ccdm_pe_section *x,
				 const struct ccdm_uki *b, const struct ccdm_pe_section *y)
{
	return x->raw_size == y->raw_size && x->virtual_size == y->virtual_size &&
	       x->flags == y->flags &&
	       !memcmp(a->pe.bytes + x->raw_at, b->pe.bytes + y->raw_at, x->raw_size);
}

/* A section of one line of text: the message shows both texts. */
static void ccdm_difference_text(struct ccdm_difference *d, const struct ccdm_bootable *a,
				 const struct ccdm_bootable *b, const char *name)
{
	size_t n, m;
	const char *x = (const char *)ccdm_uki_content(&a->uki, name, &n);
	const char *y = (const char *)ccdm_uki_content(&b->uki, name, &m);

	x = x ? x : "";
	y = y ? y : "";
	n = strnlen(x, n);
	m = strnlen(y, m);
	if (n > 4096 || m > 4096)
		ccdm_differ(d, "UKI: section %s differs", name);
	else
		ccdm_differ(d, "UKI: section %s: '%.*s' became '%.*s'", name, (int)n, x, (int)m, y);
}

/* Headers, gaps, bytes after the sections, signatures. @sections: some section differs */
static void ccdm_difference_rest(struct ccdm_difference *d, const struct ccdm_pe *a,
				 const struct ccdm_pe *b, bool sections)
{
	struct ccdm_digest all[2], rest[2];

	if (d->r)
		return;
	if (ccdm_pe_digest(a, CCDM_ALG_SHA256, &all[0]) ||
	    ccdm_pe_digest(b, CCDM_ALG_SHA256, &all[1]) || ccdm_pe_digest_rest(a, &rest[0]) ||
	    ccdm_pe_digest_rest(b, &rest[1])) {
		d->r = ccdm_err_set(d->err, -EIO, "SHA-256 failed");
		return;
	}
	/* (if no section differs, the hash of the whole UKI must be the same) */
	if (memcmp(rest[0].bytes, rest[1].bytes, 32) ||
	    (!sections && memcmp(all[0].bytes, all[1].bytes, 32)))
		ccdm_differ(d, "UKI: differs outside of its sections");
	if (a->certificates_size != b->certificates_size ||
	    memcmp(a->bytes + a->size - a->certificates_size,
		   b->bytes + b->size - b->certificates_size, a->certificates_size))
		ccdm_differ(d, "UKI: its signatures for Secure Boot differ");
}

static void ccdm_difference_uki(struct ccdm_difference *d, const struct ccdm_bootable *a,
				const struct ccdm_bootable *b)
{
	const struct ccdm_pe_section *x, *y;
	unsigned int i, before;

	if (strcmp(a->uki.stub, b->uki.stub))
		ccdm_differ(d, "UKI: its stub: '%s' became '%s'", a->uki.stub, b->uki.stub);
	before = d->said;
	for (i = 0; i < a->uki.pe.count; i++) {
		x = &a->uki.pe.section[i];
		if (!ccdm_pe_find(&b->uki.pe, x->name, &y))
			ccdm_differ(d, "UKI: -section %s", x->name);
		else if (ccdm_difference_same(&a->uki, x, &b->uki, y))
			continue;
		else if (!strcmp(x->name, ".cmdline") || !strcmp(x->name, ".uname"))
			ccdm_difference_text(d, a, b, x->name);
		else
			ccdm_differ(d, "UKI: section %s differs", x->name);
	}
	for (i = 0; i < b->uki.pe.count; i++)
		if (!ccdm_pe_find(&a->uki.pe, b->uki.pe.section[i].name, NULL))
			ccdm_differ(d, "UKI: +section %s", b->uki.pe.section[i].name);
	ccdm_difference_rest(d, &a->uki.pe, &b->uki.pe, d->said > before);
}

/* ---- the disk ---------------------------------------------------------------------------------- */

static const struct ccdm_bootable_file *ccdm_difference_find(const struct ccdm_bootable *b,
							     const char *path)
{
	unsigned int i;

	for (i = 0; i < b->files; i++)
		if (!strcmp(b->file[i].path, path))
			return &b->file[i];
	return NULL;
}

static int ccdm_difference_load(const struct ccdm_bootable *b, const struct ccdm_bootable_file *f,
				uint8_t **bytes, struct ccdm_err *err)
{
	struct ccdm_fat_entry entry = { .cluster = f->cluster, .size = f->size };
	struct ccdm_fat fat;
	int r = ccdm_fat_open(&b->source, b->esp->start, b->esp->size, &fat, err);

	snprintf(entry.name, sizeof(entry.name), "%s", f->path);
	return r ? r : ccdm_fat_load(&fat, &entry, CCDM_UKI_MAX, bytes, err);
}

/* Two files of the same size; the UKI is compared section by section. */
static void ccdm_difference_content(struct ccdm_difference *d, const struct ccdm_bootable *a,
				    const struct ccdm_bootable_file *x,
				    const struct ccdm_bootable *b,
				    const struct ccdm_bootable_file *y)
{
	uint8_t *p = NULL, *q = NULL;

	if (d->r || !strcasecmp(x->path, CCDM_BOOTABLE_UKI))
		return;
	d->r = ccdm_difference_load(a, x, &p, d->err);
	if (!d->r)
		d->r = ccdm_difference_load(b, y, &q, d->err);
	if (!d->r && memcmp(p, q, x->size))
		ccdm_differ(d, "EFI system partition: %s differs", x->path);
	free(p);
	free(q);
}

static void ccdm_difference_disk(struct ccdm_difference *d, const struct ccdm_bootable *a,
				 const struct ccdm_bootable *b)
{
	const struct ccdm_bootable_file *f;
	char what[256];
	unsigned int i;

	if (a->gpt.event_size != b->gpt.event_size ||
	    memcmp(a->gpt.event, b->gpt.event, a->gpt.event_size)) {
		ccdm_gpt_difference(&a->gpt, &b->gpt, what, sizeof(what));
		ccdm_differ(d, "partition table: %s", what);
	}
	for (i = 0; i < a->files; i++) {
		f = ccdm_difference_find(b, a->file[i].path);
		if (!f)
			ccdm_differ(d, "EFI system partition: -%s", a->file[i].path);
		else if (f->size != a->file[i].size)
			ccdm_differ(d, "EFI system partition: %s: %u bytes became %u", f->path,
				    a->file[i].size, f->size);
		else
			ccdm_difference_content(d, a, &a->file[i], b, f);
	}
	for (i = 0; i < b->files; i++)
		if (!ccdm_difference_find(a, b->file[i].path))
			ccdm_differ(d, "EFI system partition: +%s", b->file[i].path);
}

int ccdm_difference(const struct ccdm_bootable *a, const struct ccdm_bootable *b,
		    int (*say)(const char *line, void *arg), void *arg, struct ccdm_err *err)
{
	struct ccdm_difference d = { .say = say, .arg = arg, .err = err };

	if (a->disk && b->disk)
		ccdm_difference_disk(&d, a, b);
	ccdm_difference_uki(&d, a, b);
	ccdm_difference_initrd(&d, a, b);
	ccdm_difference_conf(&d, a, b);
	return d.r;
}
