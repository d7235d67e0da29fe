// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * gcp.c - the tar.gz of format_write.h
 *
 * A disk is mostly zeros. deflate takes a second for each 300 MiB of them, so runs of zeros are
 * compressed once, and the result is repeated: between two full flushes compressed data is a
 * sequence of bytes that refers to nothing before it (RFC 1951, section 2; zlib.h, Z_FULL_FLUSH).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "format_write.h"

#define GCP_LEVEL  6
#define GCP_BUFFER 262144
#define GCP_RUNS   2
#define GCP_RECORD 10240 /* bytes of a record of tar: the file is a multiple of it */

/* A size as octal digits, or in GNU's binary form from 8 GiB on. */
static void gcp_number(uint8_t *field, unsigned int size, uint64_t value)
{
	unsigned int i;

	if (value >> (3 * (size - 1))) {
		for (i = size; i--; value >>= 8)
			field[i] = (uint8_t)value;
		field[0] = 0x80;
		return;
	}
	for (i = size - 1; i--; value >>= 3)
		field[i] = (uint8_t)('0' + (value & 7));
}

void ccdm_gcp_header(uint64_t size, int64_t date, uint8_t header[CCDM_GCP_HEADER])
{
	unsigned int i, sum = 0;

	memset(header, 0, CCDM_GCP_HEADER);
	memcpy(header, "disk.raw", 8);
	gcp_number(header + 100, 8, 0644);
	gcp_number(header + 108, 8, 0); /* user and group */
	gcp_number(header + 116, 8, 0);
	gcp_number(header + 124, 12, size);
	gcp_number(header + 136, 12, date > 0 ? (uint64_t)date : 0);
	memset(header + 148, ' ', 8);
	header[156] = '0'; /* a file */
	memcpy(header + 257, "ustar  ", 8);
	memcpy(header + 265, "root", 4);
	memcpy(header + 297, "root", 4);
	for (i = 0; i < CCDM_GCP_HEADER; i++)
		sum += header[i];
	gcp_number(header + 148, 7, sum);
	header[154] = 0;
}

/**
 * struct gcp_run - zeros, compressed
 * @size: how many
 * @crc: of them
 * @bytes, @packed: the compressed data
 */
struct gcp_run {
	uint64_t size;
	uLong crc;
	uint8_t *bytes;
	size_t packed;
};

/**
 * struct gcp_state - a gzip file that is being written
 * @out, @at: the file, and how much of it is written
 * @z: the compressor of data
 * @buffer: GCP_BUFFER bytes
 * @open: @z holds data that is not flushed
 * @crc, @size: of what was compressed
 * @run: from the longest to the shortest
 */
struct gcp_state {
	const struct ccdm_format_out *out;
	uint64_t at;
	z_stream z;
	uint8_t *buffer;
	bool open;
	uLong crc;
	uint64_t size;
	struct gcp_run run[GCP_RUNS];
};

static int gcp_put(struct gcp_state *s, const void *bytes, size_t size, struct ccdm_err *err)
{
	int r = ccdm_sparse_put(s->out->fd, s->out->name, s->at, bytes, size, err);

	s->at += size;
	return r;
}

static int gcp_deflate(struct gcp_state *s, const void *bytes, size_t size, int flush,
		       struct ccdm_err *err)
{
	int r = 0;

	s->z.next_in = (Bytef *)bytes;
	s->z.avail_in = (uInt)size;
	do {
		s->z.next_out = s->buffer;
		s->z.avail_out = GCP_BUFFER;
		if (deflate(&s->z, flush) == Z_STREAM_ERROR)
			return ccdm_err_set(err, -EIO, "%s: zlib failed", s->out->name);
		r = gcp_put(s, s->buffer, GCP_BUFFER - s->z.avail_out, err);
	} while (!r && !s->z.avail_out);
	return r;
}

static int gcp_data(struct gcp_state *s, const void *bytes, size_t size, struct ccdm_err *err)
{
	s->crc = crc32(s->crc, bytes, (uInt)size);
	s->size += size;
	s->open = true;
	return gcp_deflate(s, bytes, size, Z_NO_FLUSH, err);
}

static int gcp_block(void *arg, uint64_t at, const uint8_t *bytes, size_t size,
		     struct ccdm_err *err)
{
	(void)at;
	return gcp_data(arg, bytes, size, err);
}

static int gcp_zeros(void *arg, uint64_t size, struct ccdm_err *err)
{
	struct gcp_state *s = arg;
	unsigned int i;
	int r = 0;

	if (s->open)
		r = gcp_deflate(s, NULL, 0, Z_FULL_FLUSH, err);
	s->open = false;
	/* (the runs are multiples of each other, and the disk is one of the shortest) */
	for (i = 0; !r && i < GCP_RUNS; i++) {
		for (; !r && size >= s->run[i].size; size -= s->run[i].size) {
			s->crc = crc32_combine(s->crc, s->run[i].crc, (z_off_t)s->run[i].size);
			s->size += s->run[i].size;
			r = gcp_put(s, s->run[i].bytes, s->run[i].packed, err);
		}
	}
	return r;
}

/* Compress @size zeros so that the result can be put anywhere into a stream. */
static int gcp_run_make(struct gcp_run *run, size_t size)
{
	z_stream z = { 0 };
	uint8_t *zeros = calloc(1, size);
	int r = zeros ? 0 : -ENOMEM;
	uLong most;

	if (!r && deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		r = -ENOMEM;
	if (!r) {
		most = deflateBound(&z, size) + 16;
		run->bytes = malloc(most);
		z.next_in = zeros;
		z.avail_in = (uInt)size;
		z.next_out = run->bytes;
		z.avail_out = (uInt)most;
		if (!run->bytes || deflate(&z, Z_FULL_FLUSH) != Z_OK || !z.avail_out)
			r = -ENOMEM;
		run->packed = z.total_out;
		run->size = size;
		run->crc = crc32(0, zeros, (uInt)size);
		deflateEnd(&z);
	}
	free(zeros);
	return r;
}

static int gcp_begin(struct gcp_state *s, struct ccdm_err *err)
{
	/* RFC 1952: no name, no time, no system */
	static const uint8_t header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };

	s->buffer = malloc(GCP_BUFFER);
	if (!s->buffer || gcp_run_make(&s->run[0], (size_t)16 * CCDM_SPARSE_BLOCK) ||
	    gcp_run_make(&s->run[1], CCDM_SPARSE_BLOCK) ||
	    deflateInit2(&s->z, GCP_LEVEL, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return ccdm_err_memory(err);
	return gcp_put(s, header, sizeof(header), err);
}

static int gcp_end(struct gcp_state *s, struct ccdm_err *err)
{
	static const uint8_t zeros[GCP_RECORD];
	uint8_t trailer[8];
	unsigned int i;
	int r;

	/* two blocks of zeros end the archive, and further ones fill its record */
	r = gcp_data(s, zeros, 1024, err);
	if (!r)
		r = gcp_data(s, zeros, (GCP_RECORD - s->size % GCP_RECORD) % GCP_RECORD, err);
	if (!r)
		r = gcp_deflate(s, NULL, 0, Z_FINISH, err);
	for (i = 0; i < 4; i++) {
		trailer[i] = (uint8_t)(s->crc >> 8 * i);
		trailer[4 + i] = (uint8_t)(s->size >> 8 * i);
	}
	return r ? r : gcp_put(s, trailer, sizeof(trailer), err);
}

int ccdm_gcp_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
		   struct ccdm_err *err)
{
	struct gcp_state s = { .out = out };
	uint8_t header[CCDM_GCP_HEADER];
	unsigned int i;
	int r;

	ccdm_gcp_header(disk->size, out->date, header);
	r = gcp_begin(&s, err);
	if (!r)
		r = gcp_data(&s, header, sizeof(header), err);
	if (!r)
		r = ccdm_sparse_walk(disk, gcp_block, gcp_zeros, &s, err);
	if (!r)
		r = gcp_end(&s, err);
	deflateEnd(&s.z);
	for (i = 0; i < GCP_RUNS; i++)
		free(s.run[i].bytes);
	free(s.buffer);
	return r;
}
