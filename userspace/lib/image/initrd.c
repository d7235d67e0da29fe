// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* initrd.c - see initrd.h */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "base/bytes.h"
#include "initrd.h"

#define HEADER	 110 /* of "newc": 6 letters and 13 words of 8 */
#define PIECE	 (256 << 10)
#define WORDS	 13
#define LINK_MAX 4096 /* bytes of what a symbolic link points to */

#define GZIP_NAME 0x08

#define TOO_MUCH "expected at most 1 GiB of unpacked data"

/**
 * struct ccdm_initrd - the state of reading an initrd
 * @in, @in_size: the file
 * @used: bytes of the file that were read
 * @gzip, @zstd: state of the decompressor of this part, or NULL
 * @over: the compressed part has ended
 * @out, @out_size: unpacked bytes that were not taken yet
 * @buffer: room for the unpacked bytes
 * @at: bytes of this part that were taken, for the padding
 * @all: unpacked bytes so far
 * @parts, @files: of the initrd so far
 * @archives: trailers so far; the kernel forgets the inodes at each trailer
 */
struct ccdm_initrd {
	const char *name;
	const uint8_t *in;
	size_t in_size, used;
	z_stream *gzip;
	ZSTD_DStream *zstd;
	bool over;
	const uint8_t *out;
	size_t out_size;
	uint8_t *buffer;
	uint64_t at, all;
	unsigned int parts, files;
	uint32_t archives;
	struct ccdm_err *err;
};

static int ccdm_initrd_bad(struct ccdm_initrd *i, const char *why)
{
	return ccdm_err_set(i->err, -EINVAL, "%s: initrd, near byte %zu: %s", i->name, i->used,
			    why);
}

/* ---- compressed parts ------------------------------------------------------------- */

static int ccdm_initrd_gzip(struct ccdm_initrd *i)
{
	z_stream *z = i->gzip;
	uInt before;
	int r;

	z->next_in = (Bytef *)(i->in + i->used);
	z->avail_in = before = (uInt)(i->in_size - i->used);
	z->next_out = i->buffer;
	z->avail_out = PIECE;
	r = inflate(z, Z_NO_FLUSH);
	i->used += before - z->avail_in;
	i->out_size = PIECE - z->avail_out;
	if (r == Z_STREAM_END)
		i->over = true;
	else if (r == Z_MEM_ERROR)
		return ccdm_err_memory(i->err);
	else if (r != Z_OK || (!i->out_size && !z->avail_in))
		return ccdm_initrd_bad(i, "gzip: the data are damaged or cut off");
	return 0;
}

static int ccdm_initrd_zstd(struct ccdm_initrd *i)
{
	ZSTD_inBuffer in = { i->in, i->in_size, i->used };
	ZSTD_outBuffer out = { i->buffer, PIECE, 0 };
	size_t r = ZSTD_decompressStream(i->zstd, &out, &in);

	if (ZSTD_isError(r) && ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		return ccdm_err_memory(i->err);
	if (ZSTD_isError(r))
		return ccdm_initrd_bad(i, "zstd: the data are damaged");
	i->used = in.pos;
	i->out_size = out.pos;
	i->over = !r;
	if (r && !out.pos && in.pos == in.size)
		return ccdm_initrd_bad(i, "zstd: the data are cut off");
	return 0;
}

/* Unpack until there are bytes to take, or the part has ended. */
static int ccdm_initrd_fill(struct ccdm_initrd *i)
{
	int r = 0;

	while (!r && !i->out_size && !i->over) {
		i->out = i->buffer;
		if (i->gzip)
			r = ccdm_initrd_gzip(i);
		else
			r = ccdm_initrd_zstd(i);
		i->all += i->out_size;
		if (!r && i->all > CCDM_INITRD_ALL)
			r = ccdm_initrd_bad(i, TOO_MUCH);
	}
	return r;
}

static void ccdm_initrd_end(struct ccdm_initrd *i)
{
	if (i->gzip)
		inflateEnd(i->gzip);
	free(i->gzip);
	ZSTD_freeDStream(i->zstd);
	i->gzip = NULL;
	i->zstd = NULL;
	i->out_size = 0;
}

static int ccdm_initrd_begin(struct ccdm_initrd *i)
{
	const uint8_t *p = i->in + i->used;
	size_t n = i->in_size - i->used;
	static const struct {
		const char *magic;
		size_t size;
		const char *why;
	} others[] = {
		{ "\xfd"
		  "7zXZ",
		  5, "it is compressed with xz; expected gzip, zstd or none" },
		{ "BZh", 3, "it is compressed with bzip2; expected gzip, zstd or none" },
		{ "\x02\x21\x4c\x18", 4, "it is compressed with lz4; expected gzip, zstd or none" },
		{ "\x89LZO", 4, "it is compressed with lzo; expected gzip, zstd or none" },
		{ "\x5d\0\0", 3, "it is compressed with lzma; expected gzip, zstd or none" },
	};
	size_t k;

	i->over = false;
	i->at = 0;
	if (n >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4)) {
		i->zstd = ZSTD_createDStream();
		return i->zstd ? 0 : ccdm_err_memory(i->err);
	}
	if (n >= 2 && !memcmp(p, "\x1f\x8b", 2)) {
		/* (the kernel skips a name, but would unpack any other field as if it were data) */
		if (n > 3 && p[3] & ~GZIP_NAME)
			return ccdm_initrd_bad(i, "gzip: expected a header without an extra field, "
						  "comment, checksum or another flag");
		i->gzip = calloc(1, sizeof(*i->gzip));
		if (i->gzip && inflateInit2(i->gzip, 16 + MAX_WBITS) == Z_OK)
			return 0;
		free(i->gzip);
		i->gzip = NULL;
		return ccdm_err_memory(i->err);
	}
	for (k = 0; k < ARRAY_SIZE(others); k++)
		if (n >= others[k].size && !memcmp(p, others[k].magic, others[k].size))
			return ccdm_initrd_bad(i, others[k].why);
	return ccdm_initrd_bad(i, "expected a cpio archive ('070701'), gzip or zstd");
}

/* ---- taking ----------------------------------------------------------------------------- */

/* Take @size bytes into @to, or drop them if it is NULL. -ENODATA: the part has no more bytes. */
static int ccdm_initrd_take(struct ccdm_initrd *i, uint8_t *to, size_t size)
{
	bool begun = false;
	size_t n;
	int r;

	while (size) {
		if (i->gzip || i->zstd) {
			r = ccdm_initrd_fill(i);
			if (r)
				return r;
		}
		if (!i->out_size)
			return begun ? ccdm_initrd_bad(i, "an archive is cut off") : -ENODATA;
		n = size < i->out_size ? size : i->out_size;
		if (to) {
			memcpy(to, i->out, n);
			to += n;
		}
		i->out += n;
		i->out_size -= n;
		i->at += n;
		if (!i->gzip && !i->zstd)
			i->used += n;
		size -= n;
		begun = true;
	}
	return 0;
}

/* The same, but the end of the part is an error. */
static int ccdm_initrd_need(struct ccdm_initrd *i, uint8_t *to, size_t size)
{
	int r = ccdm_initrd_take(i, to, size);

	return r == -ENODATA ? ccdm_initrd_bad(i, "an archive is cut off") : r;
}

static int ccdm_initrd_pad(struct ccdm_initrd *i)
{
	return ccdm_initrd_need(i, NULL, -i->at & 3);
}

/* Word @number of a header. */
static int ccdm_initrd_word(const uint8_t *header, size_t number, uint32_t *value)
{
	const uint8_t *p = header + 6 + 8 * number;
	unsigned int k;
	int digit;

	for (*value = 0, k = 0; k < 8; k++) {
		digit = ccdm_nibble((char)p[k]);
		if (digit < 0)
			return -EINVAL;
		*value = *value << 4 | (uint32_t)digit;
	}
	return 0;
}

/* ---- entries ---------------------------------------------------------------------------- */

/* Cut off "./" or "/" before the path. False: it has an empty part, or a part "." or "..". */
static bool ccdm_initrd_strip(char *path)
{
	const char *p = path;
	size_t n;

	if (!strcmp(path, "."))
		return true;
	p += *p == '/' ? 1 : strncmp(p, "./", 2) ? 0 : 2;
	memmove(path, p, strlen(p) + 1);
	for (p = path;; p += n + 1) {
		n = strcspn(p, "/");
		if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
	}
}

/* Read the words of a header. */
static int ccdm_initrd_header(struct ccdm_initrd *i, const uint8_t *header,
			      struct ccdm_initrd_file *file, uint32_t *name_size)
{
	uint32_t word[WORDS];
	unsigned int k;

	/* (entries of the format 070702 have checksums, and the kernel stops at a wrong one) */
	if (memcmp(header, "070701", 6))
		return ccdm_initrd_bad(i, "expected a header of cpio, '070701'");
	for (k = 0; k < WORDS; k++)
		if (ccdm_initrd_word(header, k, &word[k]))
			return ccdm_initrd_bad(
				i, "a header of cpio has a character that is no hex digit");
	file->mode = word[1];
	file->links = word[4];
	memcpy(file->inode, (uint32_t[]){ i->archives, word[7], word[8], word[0] },
	       sizeof(file->inode));
	memcpy(file->owner, &word[2], sizeof(file->owner));
	memcpy(file->device, &word[9], sizeof(file->device));
	file->size = word[6];
	*name_size = word[11];
	if (!*name_size || *name_size > CCDM_INITRD_NAME)
		return ccdm_initrd_bad(i, "expected a name of 1 to 4096 bytes");
	return 0;
}

/* The fault by which the kernel would skip an entry or misread it; NULL: none */
static const char *ccdm_initrd_odd(struct ccdm_initrd_file *file, bool end)
{
	if (end)
		return file->size || S_ISLNK(file->mode)
			       ? "a trailer of cpio has a content, or is a link"
			       : NULL;
	if (!ccdm_initrd_strip(file->path))
		return "expected a path without empty parts, '.' and '..'";
	if (!strcmp(file->path, ".") && !S_ISDIR(file->mode))
		return "expected a folder '.'";
	if (S_ISLNK(file->mode) && file->size > LINK_MAX)
		return "expected a link of at most 4096 bytes";
	if (file->size && !S_ISREG(file->mode) && !S_ISLNK(file->mode))
		return "an entry that is neither a file nor a link has a content";
	return NULL;
}

/* Read the rest of an entry, after its header. *@end: it is the trailer. */
static int ccdm_initrd_entry(struct ccdm_initrd *i, const uint8_t *header,
			     struct ccdm_initrd_file *file,
			     bool (*want)(const struct ccdm_initrd_file *, void *),
			     int (*each)(struct ccdm_initrd_file *, void *), void *arg, bool *end)
{
	uint32_t name_size = 0;
	const char *odd;
	int r = ccdm_initrd_header(i, header, file, &name_size);

	if (r)
		return r;
	r = ccdm_initrd_need(i, (uint8_t *)file->path, name_size);
	if (r)
		return r;
	if (file->path[name_size - 1])
		return ccdm_initrd_bad(i, "a name has no zero at its end");
	if (i->files++ == CCDM_INITRD_FILES)
		return ccdm_initrd_bad(i, "expected at most 65536 files");
	*end = !strcmp(file->path, "TRAILER!!!");
	odd = ccdm_initrd_odd(file, *end);
	if (odd)
		return ccdm_initrd_bad(i, odd);
	r = ccdm_initrd_pad(i);
	i->archives += *end;
	if (r || *end)
		return r;
	file->content = NULL;
	/* (before memory is taken for it) */
	if (i->gzip || i->zstd ? file->size > CCDM_INITRD_ALL : file->size > i->out_size)
		return ccdm_initrd_bad(i, i->gzip || i->zstd ? TOO_MUCH : "an archive is cut off");
	if (want && want(file, arg)) {
		file->content = malloc((size_t)file->size + 1);
		if (!file->content)
			return ccdm_err_memory(i->err);
		file->content[file->size] = '\0';
	}
	r = ccdm_initrd_need(i, file->content, file->size);
	if (!r)
		r = each(file, arg);
	free(file->content);
	file->content = NULL;
	return r ? r : ccdm_initrd_pad(i);
}

static const char ccdm_initrd_place[] =
	"expected the next archive, or compressed part, at a multiple of 4 bytes";

/* Read all archives of one part, plain or unpacked; zeros may lie between them. */
static int ccdm_initrd_part(struct ccdm_initrd *i, struct ccdm_initrd_file *file,
			    bool (*want)(const struct ccdm_initrd_file *, void *),
			    int (*each)(struct ccdm_initrd_file *, void *), void *arg)
{
	bool plain = !i->gzip && !i->zstd, begun = false, end = false;
	uint8_t header[HEADER];
	int r;

	for (;;) {
		r = ccdm_initrd_take(i, header, 1);
		if (r == -ENODATA && !begun)
			return ccdm_initrd_bad(i, "a compressed part is empty");
		/* (the kernel gives up after such a part, and unpacks none of what follows) */
		if (r == -ENODATA && !plain && !end)
			return ccdm_initrd_bad(i, "a compressed part has no trailer");
		if (r)
			return r == -ENODATA ? 0 : r;
		begun = true;
		if (!header[0] && end)
			continue;
		if (end && (i->at - 1) & 3)
			return ccdm_initrd_bad(i, ccdm_initrd_place);
		if (plain && end && header[0] != '0') {
			/* another part begins: give its first byte back */
			i->used--;
			return 0;
		}
		r = ccdm_initrd_need(i, header + 1, HEADER - 1);
		if (r)
			return r;
		r = ccdm_initrd_entry(i, header, file, want, each, arg, &end);
		if (r)
			return r;
	}
}

int ccdm_initrd_walk(const char *name, const uint8_t *bytes, size_t size,
		     bool (*want)(const struct ccdm_initrd_file *file, void *arg),
		     int (*each)(struct ccdm_initrd_file *file, void *arg), void *arg,
		     struct ccdm_err *err)
{
	struct ccdm_initrd i = { .name = name, .in = bytes, .in_size = size, .err = err };
	struct ccdm_initrd_file *file = malloc(sizeof(*file));
	int r = 0;

	i.buffer = malloc(PIECE);
	if (!file || !i.buffer)
		r = ccdm_err_memory(err);
	while (!r && i.used < size) {
		if (!bytes[i.used]) {
			i.used++;
			continue;
		}
		if (i.used & 3) {
			r = ccdm_initrd_bad(&i, ccdm_initrd_place);
			break;
		}
		if (i.parts++ == CCDM_INITRD_PARTS) {
			r = ccdm_initrd_bad(&i,
					    "expected at most 64 archives and compressed parts");
			break;
		}
		if (bytes[i.used] == '0') {
			i.at = i.used;
			i.out = bytes + i.used;
			i.out_size = size - i.used;
		} else {
			r = ccdm_initrd_begin(&i);
		}
		if (!r)
			r = ccdm_initrd_part(&i, file, want, each, arg);
		ccdm_initrd_end(&i);
	}
	free(i.buffer);
	free(file);
	return r;
}
