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
#define FAT12_MAX  4085			/* FAT12 has fewer clusters than this */
#define FAT16_MAX  65525

static int ccdm_fat_bad(const struct ccdm_fat *fat, const char *why, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s: FAT file system at byte %" PRIu64 ": %s",
			    fat->source->name, fat->at, why);
}

/* ---- the first sector -------------------------------------------------------------- */

static bool ccdm_fat_power(unsigned int n)
{
	return n && !(n & (n - 1));
}

bool ccdm_fat_maybe(const uint8_t b[512])
{
	unsigned int bytes = ccdm_le16(b + 11), media = b[21];

	return bytes >= 512 && bytes <= 4096 && ccdm_fat_power(bytes) && ccdm_fat_power(b[13]) &&
	       ccdm_le16(b + 14) && b[16] && (ccdm_le16(b + 19) || ccdm_le32(b + 32)) &&
	       (media >= 0xf8 || media == 0xf0 || media <= 0x01);
}

/* What EDK II refuses or reads differently in the first sector. NULL: nothing */
static const char *ccdm_fat_odd(const uint8_t *b, uint32_t clusters)
{
	bool fat32 = !ccdm_le16(b + 22);

	if (!ccdm_fat_maybe(b))
		return "its kind of media is unknown";
	if (!fat32 && !ccdm_le16(b + 17))
		return "its root folder has no entries";
	if (!fat32)
		return clusters < FAT16_MAX ? NULL : "it has too many clusters for FAT16";
	if (ccdm_le16(b + 17))
		return "FAT32: expected no entries of a root folder in its first sector";
	if (clusters < FAT16_MAX)
		return "it has too few clusters for FAT32";
	if (b[40] & 0x80 || ccdm_le16(b + 42))
		return "FAT32: expected version 0, and tables with the same content";
	return NULL;
}

int ccdm_fat_open(const struct ccdm_source *source, uint64_t at, uint64_t size,
		  struct ccdm_fat *fat, struct ccdm_err *err)
{
	uint64_t table_sectors, sectors, reserved, root_sectors, meta;
	const char *odd;
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
	if (bytes < 512 || bytes > 4096 || !ccdm_fat_power(bytes))
		return ccdm_fat_bad(fat, "expected sectors of 512, 1024, 2048 or 4096 bytes", err);
	if (!ccdm_fat_power(b[13]))
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
	/* (EDK II decides it in this way: FAT32 has no 16-bit size of its tables) */
	fat->bits = !ccdm_le16(b + 22) ? 32 : fat->clusters < FAT12_MAX ? 12 : 16;
	fat->root_cluster = fat->bits == 32 ? ccdm_le32(b + 44) : 0;
	if (((uint64_t)fat->clusters + 2) * fat->bits > table_sectors * bytes * 8)
		return ccdm_fat_bad(fat,
				    "its table has fewer entries than the file system has "
				    "clusters",
				    err);
	odd = ccdm_fat_odd(b, fat->clusters);
	return odd ? ccdm_fat_bad(fat, odd, err) : 0;
}

/* ---- chains of clusters --------------------------------------------------------------- */

/* The cluster after @cluster; 0 after the last. */
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
	else if (*next < 2 || *next >= fat->clusters + 2 || *next >= (end & ~0xfU))
		return ccdm_fat_bad(fat,
				    "a chain of clusters leads to a cluster that does not "
				    "exist",
				    err);
	return 0;
}

/* Read @size bytes of a chain into @to. A chain that loops counts as longer than its file. */
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
 * struct ccdm_fat_long - a long name, while its pieces are read from the last to the first
 * @letter: UTF-16
 * @next: number of the piece that must follow; 0: the name is whole; -1: there is no long name
 * @sum: checksum of the short name to which it belongs
 */
struct ccdm_fat_long {
	uint16_t letter[LETTERS + 13];
	int next;
	uint8_t sum;
};

/* False: the piece does not follow the piece before it. */
static bool ccdm_fat_piece(struct ccdm_fat_long *name, const uint8_t *e)
{
	static const uint8_t places[13] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	int i, number = e[0] & ~0x40;

	if (e[11] != 0x0f || ccdm_le16(e + 26) || (e[0] & 0x40 && name->next != -1))
		return false;
	if (e[0] & 0x40) {
		memset(name, 0, sizeof(*name));
		name->next = number;
		name->sum = e[13];
	}
	if (!number || number > 20 || number != name->next || e[13] != name->sum)
		return false;
	name->next--;
	for (i = 0; i < 13; i++)
		name->letter[13 * (number - 1) + i] = ccdm_le16(e + places[i]);
	return true;
}

static uint8_t ccdm_fat_sum(const uint8_t *e)
{
	uint8_t sum = 0;
	int i;

	for (i = 0; i < 11; i++)
		sum = (uint8_t)((sum << 7) | (sum >> 1)) + e[i];
	return sum;
}

/* The UTF-8 of a letter; half of a surrogate pair becomes "?" */
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

static void ccdm_fat_short(const uint8_t *e, char *to)
{
	size_t i, n = 0, end;

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

/* Write the name of an entry to @to. NULL: no fault. Firmware finds a file by either name. */
static const char *ccdm_fat_name(const struct ccdm_fat_long *name, const uint8_t *e, char *to)
{
	char alias[13] = "";
	size_t i, n = 0;

	for (i = 0; i < 11; i++)
		if (e[i] < ' ')
			return "a name has a control character";
	ccdm_fat_short(e, alias);
	if (name->next == -1) {
		memcpy(to, alias, sizeof(alias));
		return NULL;
	}
	if (name->next || name->sum != ccdm_fat_sum(e))
		return "a long name is damaged";
	for (i = 0; i < LETTERS && name->letter[i]; i++)
		n += ccdm_fat_utf8(name->letter[i], to + n);
	to[n] = '\0';
	if (strcasecmp(to, alias) && !strchr(alias, '~'))
		return "a file has a short name that is not made from its long name";
	return NULL;
}

/* ---- folders and files ---------------------------------------------------------------------- */

/* Kinds of entries of a folder. */
enum ccdm_fat_kind {
	CCDM_FAT_END,
	CCDM_FAT_NONE, /* deleted, a label, "." or ".." */
	CCDM_FAT_PIECE,
	CCDM_FAT_FILE,
};

static enum ccdm_fat_kind ccdm_fat_kind(const uint8_t *e)
{
	if (!e[0])
		return CCDM_FAT_END;
	if (e[0] == 0xe5)
		return CCDM_FAT_NONE;
	if ((e[11] & 0x3f) == 0x0f)
		return CCDM_FAT_PIECE;
	if (e[11] & 0x08 || !memcmp(e, ".          ", 11) || !memcmp(e, "..         ", 11))
		return CCDM_FAT_NONE;
	return CCDM_FAT_FILE;
}

/* One entry; @name: the long name before it. @found is filled if it is a file. NULL: no fault */
static const char *ccdm_fat_entry(const struct ccdm_fat *fat, const uint8_t *e,
				  enum ccdm_fat_kind kind, struct ccdm_fat_long *name,
				  struct ccdm_fat_entry *found)
{
	const char *why;

	if (kind == CCDM_FAT_PIECE)
		return ccdm_fat_piece(name, e) ? NULL : "a long name is damaged";
	/* (EDK II reads on after an end that has the bit of a label) */
	if (kind == CCDM_FAT_END && e[11] & 0x08)
		return "the last entry of a folder is a label";
	if (kind != CCDM_FAT_FILE)
		return name->next == -1 ? NULL : "a long name is damaged";
	memset(found, 0, sizeof(*found));
	why = ccdm_fat_name(name, e, found->name);
	name->next = -1;
	found->folder = e[11] & 0x10;
	found->cluster = ccdm_le16(e + 26);
	if (fat->bits == 32)
		found->cluster |= (uint32_t)ccdm_le16(e + 20) << 16;
	found->size = ccdm_le32(e + 28);
	return why;
}

int ccdm_fat_list(const struct ccdm_fat *fat, const struct ccdm_fat_entry *folder,
		  int (*each)(const struct ccdm_fat_entry *entry, void *arg), void *arg,
		  struct ccdm_err *err)
{
	struct ccdm_fat_long name = { .next = -1 };
	enum ccdm_fat_kind kind = CCDM_FAT_NONE;
	struct ccdm_fat_entry entry;
	uint8_t *bytes = NULL, *e;
	const char *why;
	size_t size = 0;
	int r;

	if (folder && (!folder->folder || !folder->cluster))
		return ccdm_fat_bad(fat, "a folder has no cluster", err);
	r = ccdm_fat_folder(fat, folder ? folder->cluster : fat->root_cluster, &bytes, &size, err);
	for (e = bytes; !r && kind != CCDM_FAT_END && e < bytes + size; e += 32) {
		kind = ccdm_fat_kind(e);
		why = ccdm_fat_entry(fat, e, kind, &name, &entry);
		if (why)
			r = ccdm_fat_bad(fat, why, err);
		else if (kind == CCDM_FAT_FILE)
			r = each(&entry, arg);
	}
	free(bytes);
	return r;
}

/* The search for one component of a path in a folder. */
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
