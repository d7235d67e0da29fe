// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* bootable.c - see bootable.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/bytes.h"
#include "base/ini.h"
#include "bootable.h"
#include "initrd.h"

#define DEPTH	  8 /* folders in folders */
#define PATH_SIZE 4096
#define ESP_FILES 512	      /* files and folders, at most */
#define DISC	  (32768 + 1) /* byte of "CD001" or "BEA01" (ECMA-119, ECMA-167) */

/* ---- files of the EFI system partition -------------------------------------------- */

static bool ccdm_bootable_ends(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n >= m && !strcasecmp(path + n - m, end);
}

/* The files that systemd-stub reads from the UKI's folder; systemd-stub(7), section "Files" */
static const char *ccdm_bootable_beside(const char *path)
{
	static const char extra[] = CCDM_BOOTABLE_UKI ".extra.d/";
	static const char *const folders[] = { extra, "loader/addons/", "loader/credentials/",
					       "loader/extensions/" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++)
		if (!strncasecmp(path, folders[i], strlen(folders[i])))
			break;
	if (i == ARRAY_SIZE(folders))
		return NULL;
	if (ccdm_bootable_ends(path, ".efi"))
		return "an addon";
	if (ccdm_bootable_ends(path, ".cred"))
		return "a credential";
	return ccdm_bootable_ends(path, ".raw") ? "an extension" : NULL;
}

/* The walk through the folders, with a list of the folders that it has yet to read. */
struct ccdm_bootable_walk {
	struct ccdm_bootable *b;
	const char *folder;
	unsigned int depth, seen, count;
	struct {
		char *path;
		unsigned int depth;
		struct ccdm_fat_entry entry;
	} left[ESP_FILES];
	struct ccdm_err *err;
};

static int ccdm_bootable_entry(const struct ccdm_fat_entry *entry, void *arg)
{
	struct ccdm_bootable_walk *w = arg;
	struct ccdm_bootable *b = w->b;
	char *path;

	if (w->seen++ == ESP_FILES || (!entry->folder && b->files == CCDM_BOOTABLE_FILES))
		return ccdm_err_set(w->err, -EINVAL,
				    "%s: EFI system partition: expected at most %u files",
				    b->source.name, CCDM_BOOTABLE_FILES);
	if (entry->folder && w->depth == DEPTH)
		return ccdm_err_set(
			w->err, -EINVAL,
			"%s: EFI system partition: %s: expected at most %u levels of folders",
			b->source.name, w->folder, DEPTH);
	if (asprintf(&path, "%s%s", w->folder, entry->name) < 0)
		return ccdm_err_memory(w->err);
	ccdm_err_plain(path);
	if (entry->folder) {
		w->left[w->count].path = path;
		w->left[w->count].depth = w->depth + 1;
		w->left[w->count++].entry = *entry;
		return 0;
	}
	b->file[b->files].path = path;
	b->file[b->files].cluster = entry->cluster;
	b->file[b->files].size = entry->size;
	b->file[b->files++].beside = ccdm_bootable_beside(path);
	return 0;
}

static int ccdm_bootable_files(struct ccdm_bootable *b, const struct ccdm_fat *fat,
			       struct ccdm_err *err)
{
	struct ccdm_bootable_walk *w = calloc(1, sizeof(*w));
	char folder[PATH_SIZE] = "";
	unsigned int next;
	int r;

	if (!w)
		return ccdm_err_memory(err);
	w->b = b;
	w->err = err;
	w->folder = folder;
	r = ccdm_fat_list(fat, NULL, ccdm_bootable_entry, w, err);
	for (next = 0; !r && next < w->count; next++) {
		snprintf(folder, sizeof(folder), "%s/", w->left[next].path);
		w->depth = w->left[next].depth;
		r = ccdm_fat_list(fat, &w->left[next].entry, ccdm_bootable_entry, w, err);
	}
	while (w->count)
		free(w->left[--w->count].path);
	free(w);
	return r;
}

/* ---- the UKI ------------------------------------------------------------------------ */

static int ccdm_bootable_esp(struct ccdm_bootable *b, struct ccdm_err *err)
{
	unsigned int i;

	for (i = 0; i < b->gpt.count; i++) {
		if (strcmp(b->gpt.part[i].type, CCDM_GPT_ESP))
			continue;
		if (b->esp)
			return ccdm_err_set(
				err, -EINVAL,
				"%s: partitions %u and %u: expected one EFI system partition",
				b->source.name, b->esp->number, b->gpt.part[i].number);
		b->esp = &b->gpt.part[i];
	}
	if (!b->esp)
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a partition of type %s (EFI system), found none",
				    b->source.name, CCDM_GPT_ESP);
	return 0;
}

/* Is there a header of a GPT, the first one or its copy at the end? Firmware needs one of them. */
static int ccdm_bootable_table(const struct ccdm_bootable *b, const struct ccdm_gpt_part *part,
			       bool *found, struct ccdm_err *err)
{
	const uint64_t place[] = { CCDM_GPT_SECTOR, part->size - CCDM_GPT_SECTOR };
	char magic[8];
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(place) && part->size > CCDM_GPT_SECTOR; i++) {
		r = ccdm_source_read(&b->source, part->start + place[i], magic, sizeof(magic),
				     "partition", err);
		if (r)
			return r;
		*found |= !memcmp(magic, "EFI PART", sizeof(magic));
	}
	return 0;
}

/*
 * Firmware also looks for partition tables within a partition: a GPT, an MBR whose entries fit into
 * the partition, and the tables of CDs. It could then start a file of a file system in there.
 */
static int ccdm_bootable_nested(const struct ccdm_bootable *b, const struct ccdm_gpt_part *part,
				const uint8_t sector[512], struct ccdm_err *err)
{
	char disc[5] = "";
	unsigned int i;
	bool found = false, protected = false;
	int r;

	for (i = 0; i < 4 && sector[510] == 0x55 && sector[511] == 0xaa; i++) {
		const uint8_t *p = sector + 446 + 16 * (size_t)i;

		found |= p[4] && ccdm_le32(p + 12) &&
			 ((uint64_t)ccdm_le32(p + 8) + ccdm_le32(p + 12)) * CCDM_GPT_SECTOR <=
				 part->size;
	}
	/* (this byte alone stands in one of 64 hash trees by chance) */
	for (i = 0; i < 4; i++)
	protected |= sector[446 + 16 * (size_t)i + 4] == 0xee;
	r = protected ? ccdm_bootable_table(b, part, &found, err) : 0;
	if (r)
		return r;
	if (part->size >= DISC + sizeof(disc)) {
		r = ccdm_source_read(&b->source, part->start + DISC, disc, sizeof(disc),
				     "partition", err);
		if (r)
			return r;
	}
	if (!found && memcmp(disc, "CD001", 5) && memcmp(disc, "BEA01", 5))
		return 0;
	return ccdm_err_set(
		err, -EINVAL,
		"%s: partition %u: expected a plain partition, found a partition table or a file "
		"system of a CD in it",
		b->source.name, part->number);
}

/* Firmware looks for the file on every FAT file system, whatever type its partition has. */
static int ccdm_bootable_other(const struct ccdm_bootable *b, const struct ccdm_gpt_part *part,
			       struct ccdm_err *err)
{
	struct ccdm_fat_entry entry;
	struct ccdm_err why = { 0 };
	struct ccdm_fat fat;
	int r = ccdm_fat_open(&b->source, part->start, part->size, &fat, &why);

	if (!r)
		r = ccdm_fat_find(&fat, CCDM_BOOTABLE_UKI, &entry, &why);
	if (!r)
		return ccdm_err_set(
			err, -EINVAL,
			"%s: partitions %u and %u: both have a file %s; firmware may start either",
			b->source.name, b->esp->number, part->number, CCDM_BOOTABLE_UKI);
	if (r == -ENOENT)
		return 0;
	*err = why;
	return r;
}

/* Is the EFI system partition the only place from which firmware may start a program? */
static int ccdm_bootable_alone(const struct ccdm_bootable *b, struct ccdm_err *err)
{
	uint8_t sector[CCDM_GPT_SECTOR];
	unsigned int i;
	int r = ccdm_source_read(&b->source, 0, sector, sizeof(sector), "its beginning", err);

	if (!r && ccdm_fat_maybe(sector))
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected only a protective MBR in the first sector, found "
				    "a FAT file system, too",
				    b->source.name);
	for (i = 0; !r && i < b->gpt.count; i++) {
		const struct ccdm_gpt_part *part = &b->gpt.part[i];

		r = ccdm_source_read(&b->source, part->start, sector, sizeof(sector), "partition",
				     err);
		if (!r)
			r = ccdm_bootable_nested(b, part, sector, err);
		if (!r && part != b->esp && ccdm_fat_maybe(sector))
			r = ccdm_bootable_other(b, part, err);
	}
	return r;
}

static int ccdm_bootable_disk(struct ccdm_bootable *b, size_t *size, struct ccdm_err *err)
{
	struct ccdm_fat_entry entry;
	struct ccdm_fat fat;
	int r;

	b->disk = true;
	b->path = CCDM_BOOTABLE_UKI;
	r = ccdm_gpt_read(&b->source, &b->gpt, err);
	if (!r)
		r = ccdm_bootable_esp(b, err);
	if (!r)
		r = ccdm_fat_open(&b->source, b->esp->start, b->esp->size, &fat, err);
	if (!r)
		r = ccdm_bootable_files(b, &fat, err);
	if (!r)
		r = ccdm_bootable_alone(b, err);
	if (!r)
		r = ccdm_fat_find(&fat, b->path, &entry, err);
	if (r == -ENOENT)
		r = -EINVAL;
	if (!r)
		r = ccdm_fat_load(&fat, &entry, CCDM_UKI_MAX, &b->bytes, err);
	*size = r ? 0 : entry.size;
	return r;
}

/* ---- ccdm.conf -------------------------------------------------------------------------- */

static int ccdm_bootable_find(const struct ccdm_bootable *b, const char *path, size_t max,
			      char **text, size_t *size, struct ccdm_err *err)
{
	size_t n;
	const uint8_t *initrd = ccdm_uki_content(&b->uki, ".initrd", &n);

	if (!initrd)
		return ccdm_err_set(err, -ENOENT, "%s: there is no .initrd", b->path);
	return ccdm_initrd_find(b->path, initrd, n, path, max, text, size, err);
}

int ccdm_bootable_initrd_file(const char *file, size_t max, char **text, size_t *size, void *arg,
			      struct ccdm_err *err)
{
	return ccdm_bootable_find(arg, file + strspn(file, "/"), max, text, size, err);
}

/* A UKI without ccdm.conf is no error: it is not one of ccdm's UKIs. */
static int ccdm_bootable_conf(struct ccdm_bootable *b, struct ccdm_err *err)
{
	struct ccdm_err why = { 0 };
	int r = ccdm_bootable_find(b, &CCDM_CONFIG_FILE[1], CCDM_INI_MAX, &b->conf, &b->conf_size,
				   &why);

	if (!r)
		r = ccdm_config_parse(CCDM_CONFIG_FILE, b->conf, b->conf_size, &b->config, &why);
	if (r == -ENOMEM) {
		*err = why;
		return r;
	}
	if (r)
		snprintf(b->no_conf, sizeof(b->no_conf), "%s", why.text);
	return 0;
}

/* ---- all ----------------------------------------------------------------------------------- */

int ccdm_bootable_read(const struct ccdm_source *source, struct ccdm_bootable *b,
		       struct ccdm_err *err)
{
	uint8_t magic[2], table[8] = { 0 };
	size_t size = 0;
	int r;

	memset(b, 0, sizeof(*b));
	b->source = *source;
	r = ccdm_source_read(source, 0, magic, sizeof(magic), "its beginning", err);
	if (!r && source->size >= CCDM_GPT_SECTOR + sizeof(table))
		r = ccdm_source_read(source, CCDM_GPT_SECTOR, table, sizeof(table),
				     "partition table", err);
	if (r)
		return r;
	if (!memcmp(magic, "MZ", 2) && !memcmp(table, "EFI PART", 8)) {
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected a disk or a UKI, found the magic numbers of both",
				 source->name);
	} else if (memcmp(magic, "MZ", 2)) {
		r = ccdm_bootable_disk(b, &size, err);
	} else if (source->size > CCDM_UKI_MAX) {
		r = ccdm_err_set(err, -EINVAL, "%s: expected a UKI of at most 1 GiB", source->name);
	} else {
		b->path = source->name;
		size = (size_t)source->size;
		r = ccdm_source_load(source, 0, size, "UKI", &b->bytes, err);
	}
	if (!r)
		r = ccdm_uki_parse(b->path, b->bytes, size, &b->uki, err);
	return r ? r : ccdm_bootable_conf(b, err);
}

int ccdm_bootable_open(const char *file, struct ccdm_bootable *b, struct ccdm_err *err)
{
	struct ccdm_source source;
	int r = ccdm_source_open(file, &source, err);

	if (r) {
		memset(b, 0, sizeof(*b));
		b->source.fd = -1;
		return r;
	}
	return ccdm_bootable_read(&source, b, err);
}

void ccdm_bootable_close(struct ccdm_bootable *b)
{
	while (b->files)
		free(b->file[--b->files].path);
	ccdm_gpt_drop(&b->gpt);
	ccdm_source_close(&b->source);
	free(b->bytes);
	free(b->conf);
	b->bytes = NULL;
	b->conf = NULL;
}
