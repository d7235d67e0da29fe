// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* pe.c - see pe.h */
#include <string.h>
#include "base/bytes.h"
#include "pe.h"

#define DOS_HEADER	64
#define COFF_HEADER	24 /* bytes, with the signature before it */
#define SECTION_HEADER	40
#define MAGIC_PE32	0x10b
#define MAGIC_PE32_PLUS 0x20b

static int ccdm_pe_bad(const struct ccdm_pe *pe, const char *why, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s: PE: %s", pe->name, why);
}

/* Read the optional header: @size bytes at @at, after the header of COFF. */
static int ccdm_pe_optional(struct ccdm_pe *pe, size_t at, size_t size, struct ccdm_err *err)
{
	const uint8_t *p = pe->bytes + at;
	uint16_t magic = size >= 2 ? ccdm_le16(p) : 0;
	size_t directories = magic == MAGIC_PE32_PLUS ? 112 : 96;
	uint32_t count, start;

	if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
		return ccdm_pe_bad(pe, "expected an optional header of PE32 or PE32+", err);
	if (size < directories)
		return ccdm_pe_bad(pe, "the optional header is too short", err);
	count = ccdm_le32(p + directories - 4);
	if (count > 16 || directories + (size_t)count * 8 > size)
		return ccdm_pe_bad(pe, "the optional header has no room for its directories", err);
	pe->optional = at;
	pe->table = at + size;
	pe->directory = at + directories;
	pe->directories = count;
	pe->headers_size = ccdm_le32(p + 60);
	pe->checksum = at + 64;
	if (pe->headers_size > pe->size || pe->headers_size < at + size)
		return ccdm_pe_bad(pe, "SizeOfHeaders does not fit the file", err);
	if (count < 5)
		return 0;
	pe->certificates = at + directories + 32;
	start = ccdm_le32(pe->bytes + pe->certificates);
	pe->certificates_size = ccdm_le32(pe->bytes + pe->certificates + 4);
	if (pe->certificates_size &&
	    (start < pe->headers_size || pe->certificates_size > pe->size ||
	     start != pe->size - pe->certificates_size))
		return ccdm_pe_bad(pe, "the signatures are not at the end of the file", err);
	return 0;
}

static int ccdm_pe_section(struct ccdm_pe *pe, const uint8_t *p, struct ccdm_err *err)
{
	struct ccdm_pe_section *s = &pe->section[pe->count++];
	size_t end = pe->size - pe->certificates_size;

	memcpy(s->name, p, 8);
	s->virtual_size = ccdm_le32(p + 8);
	s->virtual_at = ccdm_le32(p + 12);
	s->raw_size = ccdm_le32(p + 16);
	s->raw_at = ccdm_le32(p + 20);
	s->flags = ccdm_le32(p + 36);
	if (!s->raw_size)
		return 0;
	if (s->raw_at < pe->headers_size || s->raw_at > end || s->raw_size > end - s->raw_at)
		return ccdm_err_set(
			err, -EINVAL,
			"%s: PE: section '%s' lies outside of the file, or in its headers",
			pe->name, s->name);
	return 0;
}

/* List the sections that have bytes in the file, in the order of the file. Return: how many */
static size_t ccdm_pe_sorted(const struct ccdm_pe *pe, const struct ccdm_pe_section **sorted)
{
	const struct ccdm_pe_section *s;
	size_t i, k, n = 0;

	for (i = 0; i < pe->count; i++) {
		s = &pe->section[i];
		if (!s->raw_size)
			continue;
		for (k = n++; k && sorted[k - 1]->raw_at > s->raw_at; k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = s;
	}
	return n;
}

int ccdm_pe_parse(const char *name, const uint8_t *bytes, size_t size, struct ccdm_pe *pe,
		  struct ccdm_err *err)
{
	const struct ccdm_pe_section *sorted[CCDM_PE_SECTIONS_MAX];
	size_t at, optional, table, i, n;
	int r;

	memset(pe, 0, sizeof(*pe));
	pe->name = name;
	pe->bytes = bytes;
	pe->size = size;
	if (size < DOS_HEADER || memcmp(bytes, "MZ", 2))
		return ccdm_pe_bad(pe, "expected a program for UEFI, which begins with MZ", err);
	at = ccdm_le32(bytes + 60);
	if (at < DOS_HEADER || at > size || size - at < COFF_HEADER ||
	    memcmp(bytes + at, "PE\0\0", 4))
		return ccdm_pe_bad(pe,
				   "expected a PE header at the offset that the DOS header "
				   "gives",
				   err);
	n = ccdm_le16(bytes + at + 6);
	optional = ccdm_le16(bytes + at + 20);
	at += COFF_HEADER;
	if (!n || n > CCDM_PE_SECTIONS_MAX)
		return ccdm_pe_bad(pe, "expected 1 to 96 sections", err);
	if (optional > size - at || n * SECTION_HEADER > size - at - optional)
		return ccdm_pe_bad(pe, "the headers are cut off", err);
	r = ccdm_pe_optional(pe, at, optional, err);
	table = at + optional;
	if (!r && table + n * SECTION_HEADER > pe->headers_size)
		r = ccdm_pe_bad(pe, "SizeOfHeaders does not cover the table of sections", err);
	for (i = 0; !r && i < n; i++)
		r = ccdm_pe_section(pe, bytes + table + i * SECTION_HEADER, err);
	if (r)
		return r;
	n = ccdm_pe_sorted(pe, sorted);
	for (i = 1; i < n; i++)
		if (sorted[i]->raw_at - sorted[i - 1]->raw_at < sorted[i - 1]->raw_size)
			return ccdm_err_set(err, -EINVAL, "%s: PE: sections '%s' and '%s' overlap",
					    name, sorted[i - 1]->name, sorted[i]->name);
	return 0;
}

/* Bytes of the file from @from up to @to, as the next piece. */
static size_t ccdm_pe_piece(const struct ccdm_pe *pe, size_t from, size_t to,
			    struct ccdm_piece *piece)
{
	piece->bytes = pe->bytes + from;
	piece->size = to - from;
	return 1;
}

int ccdm_pe_digest(const struct ccdm_pe *pe, uint16_t alg, struct ccdm_digest *digest)
{
	const struct ccdm_pe_section *sorted[CCDM_PE_SECTIONS_MAX];
	struct ccdm_piece piece[CCDM_PE_SECTIONS_MAX + 4];
	size_t i, n = 0, sections, sum = pe->headers_size;

	n += ccdm_pe_piece(pe, 0, pe->checksum, piece);
	if (pe->certificates) {
		n += ccdm_pe_piece(pe, pe->checksum + 4, pe->certificates, piece + n);
		n += ccdm_pe_piece(pe, pe->certificates + 8, pe->headers_size, piece + n);
	} else {
		n += ccdm_pe_piece(pe, pe->checksum + 4, pe->headers_size, piece + n);
	}
	sections = ccdm_pe_sorted(pe, sorted);
	for (i = 0; i < sections; i++) {
		n += ccdm_pe_piece(pe, sorted[i]->raw_at,
				   (size_t)sorted[i]->raw_at + sorted[i]->raw_size, piece + n);
		sum += sorted[i]->raw_size;
	}
	/* (sections neither overlap nor reach into the signatures: the sum ends before them) */
	n += ccdm_pe_piece(pe, sum, pe->size - pe->certificates_size, piece + n);
	return ccdm_digest_pieces(alg, piece, n, digest);
}

int ccdm_pe_digest_rest(const struct ccdm_pe *pe, struct ccdm_digest *digest)
{
	const struct ccdm_pe_section *sorted[CCDM_PE_SECTIONS_MAX];
	struct ccdm_piece piece[CCDM_PE_SECTIONS_MAX + 8];
	/* the fields of the headers that are left out, as pairs of beginning and end */
	const size_t out[][2] = {
		{ pe->optional - COFF_HEADER + 6, pe->optional - COFF_HEADER + 8 }, /* sections */
		{ pe->optional + 4, pe->optional + 12 },  /* SizeOfCode, SizeOfInitializedData */
		{ pe->optional + 56, pe->optional + 68 }, /* SizeOfImage, SizeOfHeaders, CheckSum */
		{ pe->certificates ? pe->certificates : pe->table,
		  pe->certificates ? pe->certificates + 8 : pe->table },
		{ pe->table, pe->table + (size_t)pe->count * SECTION_HEADER },
	};
	size_t i, n = 0, at = 0, sections;

	for (i = 0; i < ARRAY_SIZE(out); i++) {
		n += ccdm_pe_piece(pe, at, out[i][0], piece + n);
		at = out[i][1];
	}
	/* (the number of zeros after the headers depends on the length of the section table) */
	for (i = pe->headers_size; i > at && !pe->bytes[i - 1]; i--)
		;
	n += ccdm_pe_piece(pe, at, i, piece + n);
	at = pe->headers_size;
	sections = ccdm_pe_sorted(pe, sorted);
	for (i = 0; i < sections; i++) {
		n += ccdm_pe_piece(pe, at, sorted[i]->raw_at, piece + n);
		at = (size_t)sorted[i]->raw_at + sorted[i]->raw_size;
	}
	n += ccdm_pe_piece(pe, at, pe->size - pe->certificates_size, piece + n);
	return ccdm_digest_pieces(CCDM_ALG_SHA256, piece, n, digest);
}

unsigned int ccdm_pe_find(const struct ccdm_pe *pe, const char *name,
			  const struct ccdm_pe_section **section)
{
	unsigned int i, n = 0;

	for (i = 0; i < pe->count; i++) {
		if (strcmp(pe->section[i].name, name))
			continue;
		if (!n && section)
			*section = &pe->section[i];
		n++;
	}
	return n;
}
