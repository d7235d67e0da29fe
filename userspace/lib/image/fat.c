// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fat.c - see fat.h */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/bytes.h"
#include "fat.h"

#define FOLDER_MAX ((size_t)65536 * 32) /* bytes of a folder */
#define LETTERS	   255			/* of a long name */

static int ccdm_fat_bad(const struct ccdm_fat *fat, const char *why, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s: FAT file system at byte %" PRIu64 ": %s",
			    fat->source->name, fat->at, why);
}

/* ---- the first sector -------------------------------------------------------------- */

int ccdm_fat_open(const struct ccdm_source *source, uint64_t at, uint64_t size,
		  struct ccdm_fat *fat, struct ccdm_err *err)
{
	uint64_t table_sectors, sectors, reserved, root_sectors, meta;
	uint32_t bytes;
	uint8_t b[512];
	int r;

	memset(fat, 0, sizeof(*fat));
	fat->source = source;
	fat->at = at;
	fat->size = size;
	r = ccdm_source_read(source, at, b, sizeof(b), "FAT file system", err);
	if (r)
		return r;
	bytes = ccdm_le16(b + 11);
	fat->cluster_size = b[13] * bytes;
	reserved = ccdm_le16(b + 14);
	sectors = ccdm_le16(b + 19) ? ccdm_le16(b + 19) : ccdm_le32(b + 32);
	table_sectors = ccdm_le16(b + 22) ? ccdm_le16(b + 22) : ccdm_le32(b + 36);
	if (b[510] != 0x55 || b[511] != 0xaa)
		return ccdm_fat_bad(fat, "expected 55 aa at the end of its first sector", err);
	if (bytes < 512 || bytes > 4096 || (bytes & (bytes - 1)))
		return ccdm_fat_bad(fat, "expected sectors of 512, 1024, 2048 or 4096 bytes", err);
	if (!b[13] || (b[13] & (b[13] - 1)))
		return ccdm_fat_bad(fat, "expected a power of two as sectors of a cluster", err);
	if (!reserved || !b[16] || !table_sectors)
		return ccdm_fat_bad(fat, "it has no table", err);
	root_sectors = (ccdm_le16(b + 17) * 32 + bytes - 1) / bytes;
	meta = reserved + b[16] * table_sectors + root_sectors;
	if (sectors <= meta || sectors > size / bytes)
		return ccdm_fat_bad(fat, "its size does not fit its partition", err);
	fat->clusters = (uint32_t)((sectors - meta) / b[13]);
	fat->table = at + reserved * bytes;
	fat->root = fat->table + b[16] * table_sectors * bytes;
	fat->root_size = ccdm_le16(b + 17) * 32;
	fat->data = fat->root + root_sectors * bytes;
	/* (as EDK II decides: FAT32 has no 16-bit size of its tables) */
	fat->bits = !ccdm_le16(b + 22) ? 32 : fat->clusters < 4085 ? 12 : 16;
	fat->root_cluster = fat->bits == 32 ? ccdm_le32(b + 44) : 0;
	if (((uint64_t)fat->clusters + 2) * fat->bits > table_sectors * bytes * 8)
		return ccdm_fat_bad(fat, "its table is shorter than its clusters are many", err);
	return 0;
}

/* ---- chains of clusters --------------------------------------------------------------- */

/* The cluster behind @cluster; 0 behind the last. */
static int ccdm_fat_next(const struct ccdm_fat *fat, uint32_t cluster, uint32_t *next,
			 struct ccdm_err *err)
{
	uint64_t at = fat->table + (uint64_t)cluster * fat->bits / 8;
	uint32_t end = fat->bits == 32 ? 0x0ffffff8 : fat->bits == 16 ? 0xfff8 : 0xff8;
	uint8_t b[4] = { 0 };
	int r = ccdm_source_read(fat->source, at, b, fat->bits == 32 ? 4 : 2, "table of the FAT",
				 err);

	if (r)
		return r;
	*next = ccdm_le32(b);
	if (fat->bits == 12)
		*next = cluster & 1 ? *next >> 4 : *next & 0xfff;
	*next &= 0x0fffffff;
	if (*next >= end)
		*next = 0;
	else if (*next < 2 || *next >= fat->clusters + 2)
		return ccdm_fat_bad(fat, "a chain of clusters leads to one that there is not", err);
	return 0;
}

/*
 * @size bytes of a chain into @to. A chain that loops is longer than what is read of it.
 */
static int ccdm_fat_chain(const struct ccdm_fat *fat, uint32_t cluster, uint8_t *to, size_t size,
			  struct ccdm_err *err)
{
	size_t n;
	int r = 0;

	while (!r && size) {
		if (cluster < 2 || cluster >= fat->clusters + 2)
			return ccdm_fat_bad(fat, "a chain of clusters is shorter than its file",
					    err);
		n = size < fat->cluster_size ? size : fat->cluster_size;
		r = ccdm_source_read(fat->source,
				     fat->data + (uint64_t)(cluster - 2) * fat->cluster_size, to, n,
				     "cluster of the FAT", err);
		to += n;
		size -= n;
		if (!r)
			r = ccdm_fat_next(fat, cluster, &cluster, err);
	}
	if (!r && cluster)
		return ccdm_fat_bad(fat, "a chain of clusters is longer than its file", err);
	return r;
}

static int ccdm_fat_folder(const struct ccdm_fat *fat, uint32_t cluster, uint8_t **bytes,
			   size_t *size, struct ccdm_err *err)
{
	uint32_t at = cluster;
	int r = 0;

	if (!cluster && fat->bits != 32) {
		*size = fat->root_size;
		return ccdm_source_load(fat->source, fat->root, *size, "root folder of the FAT",
					bytes, err);
	}
	for (*size = 0; !r && at; *size += fat->cluster_size) {
		if (at < 2 || at >= fat->clusters + 2)
			return ccdm_fat_bad(fat, "a folder has no cluster", err);
		if (*size >= FOLDER_MAX)
			return ccdm_fat_bad(
				fat, "the clusters of a folder loop, or are more than 2 MiB", err);
		r = ccdm_fat_next(fat, at, &at, err);
	}
	if (r)
		return r;
	*bytes = calloc(1, *size ? *size : 1);
	if (!*bytes)
		return ccdm_err_memory(err);
	r = *size ? ccdm_fat_chain(fat, cluster, *bytes, *size, err) : 0;
	if (r) {
		free(*bytes);
		*bytes = NULL;
	}
	return r;
}

/* ---- names -------------------------------------------------------------------------------- */

/**
 * struct ccdm_fat_long - a long name while its pieces are read, the last of them first
 * @letter: UTF-16
 * @next: number of the piece that must come; 0: the name is whole; -1: there is none
 * @sum: of the short name that it belongs to
 */
struct ccdm_fat_long {
	uint16_t letter[LETTERS + 13];
	int next;
	uint8_t sum;
};

static void ccdm_fat_piece(struct ccdm_fat_long *name, const uint8_t *e)
{
	static const uint8_t places[13] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	int i, number = e[0] & 0x3f;

	if (e[0] & 0x40) {
		memset(name, 0, sizeof(*name));
		name->next = number;
		name->sum = e[13];
	}
	if (!number || number > 20 || number != name->next || e[13] != name->sum) {
		name->next = -1;
		return;
	}
	name->next--;
	for (i = 0; i < 13; i++)
		name->letter[13 * (number - 1) + i] = ccdm_le16(e + places[i]);
}

static uint8_t ccdm_fat_sum(const uint8_t *e)
{
	uint8_t sum = 0;
	int i;

	for (i = 0; i < 11; i++)
		sum = (uint8_t)((sum << 7) | (sum >> 1)) + e[i];
	return sum;
}

/* UTF-8 of a letter; one half of a pair is "?" */
static size_t ccdm_fat_utf8(uint16_t c, char *to)
{
	size_t n = 0;

	if (c >= 0xd800 && c < 0xe000)
		c = '?';
	if (c < 0x80) {
		to[n++] = (char)c;
	} else if (c < 0x800) {
		to[n++] = (char)(0xc0 | c >> 6);
		to[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		to[n++] = (char)(0xe0 | c >> 12);
		to[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		to[n++] = (char)(0x80 | (c & 0x3f));
	}
	return n;
}

static void ccdm_fat_name(const struct ccdm_fat_long *name, const uint8_t *e, char *to)
{
	size_t i, n = 0, end;

	if (name->next == 0 && name->sum == ccdm_fat_sum(e)) {
		for (i = 0; i < LETTERS && name->letter[i] && name->letter[i] != 0xffff; i++)
			n += ccdm_fat_utf8(name->letter[i], to + n);
		to[n] = '\0';
		if (n)
			return;
	}
	for (end = 8; end && e[end - 1] == ' '; end--)
		;
	for (i = 0; i < end; i++)
		to[n++] = e[i] > ' ' && e[i] < 0x7f ? (char)e[i] : '?';
	for (end = 11; end > 8 && e[end - 1] == ' '; end--)
		;
	if (end > 8)
		to[n++] = '.';
	for (i = 8; i < end; i++)
		to[n++] = e[i] > ' ' && e[i] < 0x7f ? (char)e[i] : '?';
	to[n] = '\0';
}

/* ---- folders and files ---------------------------------------------------------------------- */

int ccdm_fat_list(const struct ccdm_fat *fat, const struct ccdm_fat_entry *folder,
		  int (*each)(const struct ccdm_fat_entry *entry, void *arg), void *arg,
		  struct ccdm_err *err)
{
	struct ccdm_fat_long name = { .next = -1 };
	struct ccdm_fat_entry entry;
	uint8_t *bytes = NULL, *e;
	size_t size = 0;
	int r;

	if (folder && (!folder->folder || !folder->cluster))
		return ccdm_fat_bad(fat, "a folder has no cluster", err);
	r = ccdm_fat_folder(fat, folder ? folder->cluster : fat->root_cluster, &bytes, &size, err);
	for (e = bytes; !r && e < bytes + size && e[0]; e += 32) {
		if (e[0] == 0xe5) {
			name.next = -1;
			continue;
		}
		if ((e[11] & 0x3f) == 0x0f) {
			ccdm_fat_piece(&name, e);
			continue;
		}
		/* (neither the label of the volume, nor "." and "..") */
		if (!(e[11] & 0x08) && memcmp(e, ".          ", 11) &&
		    memcmp(e, "..         ", 11)) {
			memset(&entry, 0, sizeof(entry));
			ccdm_fat_name(&name, e, entry.name);
			entry.folder = e[11] & 0x10;
			entry.cluster = ccdm_le16(e + 26);
			if (fat->bits == 32)
				entry.cluster |= (uint32_t)ccdm_le16(e + 20) << 16;
			entry.size = ccdm_le32(e + 28);
			r = each(&entry, arg);
		}
		name.next = -1;
	}
	free(bytes);
	return r;
}

/* One word of a path, while a folder is walked through. */
struct ccdm_fat_search {
	const char *word;
	size_t length;
	unsigned int found;
	struct ccdm_fat_entry *entry;
};

static int ccdm_fat_match(const struct ccdm_fat_entry *entry, void *arg)
{
	struct ccdm_fat_search *s = arg;

	if (strlen(entry->name) == s->length && !strncasecmp(entry->name, s->word, s->length)) {
		*s->entry = *entry;
		s->found++;
	}
	return 0;
}

int ccdm_fat_find(const struct ccdm_fat *fat, const char *path, struct ccdm_fat_entry *entry,
		  struct ccdm_err *err)
{
	struct ccdm_fat_entry folder, *in = NULL;
	struct ccdm_fat_search s = { .entry = entry };
	const char *word;
	int r;

	for (word = path;; word += s.length + 1) {
		s.word = word;
		s.length = strcspn(word, "/");
		s.found = 0;
		r = ccdm_fat_list(fat, in, ccdm_fat_match, &s, err);
		if (r)
			return r;
		if (s.found > 1)
			return ccdm_err_set(err, -EINVAL,
					    "%s: EFI system partition: %s is there %u times",
					    fat->source->name, path, s.found);
		if (!s.found || (word[s.length] && !entry->folder))
			return ccdm_err_set(err, -ENOENT,
					    "%s: EFI system partition: there is no %s",
					    fat->source->name, path);
		if (!word[s.length])
			return 0;
		folder = *entry;
		in = &folder;
	}
}

int ccdm_fat_load(const struct ccdm_fat *fat, const struct ccdm_fat_entry *entry, size_t max,
		  uint8_t **bytes, struct ccdm_err *err)
{
	int r;

	*bytes = NULL;
	if (entry->folder)
		return ccdm_err_set(err, -EINVAL, "%s: %s: expected a file, found a folder",
				    fat->source->name, entry->name);
	if (entry->size > max || entry->size > fat->size)
		return ccdm_err_set(err, -EINVAL,
				    "%s: %s: expected at most %zu bytes, found %" PRIu32,
				    fat->source->name, entry->name, max, entry->size);
	*bytes = malloc(entry->size ? entry->size : 1);
	if (!*bytes)
		return ccdm_err_memory(err);
	r = entry->size ? ccdm_fat_chain(fat, entry->cluster, *bytes, entry->size, err) : 0;
	if (r) {
		free(*bytes);
		*bytes = NULL;
	}
	return r;
}
