// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* uki_make.c - see uki_make.h */
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "uki.h"
#include "uki_make.h"

#define COFF_HEADER    20 /* before the optional header */
#define SECTION_HEADER 40
#define PAGE	       4096
#define SPACE_MAX      0xf0000000 /* of addresses in memory */

/* Characteristics of a section */
#define CODE	0x00000020
#define DATA	0x00000040
#define EXECUTE 0x20000000
#define READ	0x40000000

/*
 * A file under construction.
 * @stub: the stub, read
 * @to, @size: what is written; @to is NULL while sizes are summed up
 * @file_unit, @memory_unit: FileAlignment, SectionAlignment
 * @headers: bytes of the headers, in the file and in memory
 * @sections: how many entries the table has so far
 * @memory: first address after the last section
 * @code, @data: sums for the optional header
 */
struct uki_make {
	struct ccdm_pe stub;
	uint8_t *to;
	uint64_t size;
	uint32_t file_unit, memory_unit;
	uint32_t headers;
	unsigned int sections;
	uint64_t memory;
	uint64_t code, data;
};

static void ccdm_uki_le16(uint8_t *p, uint16_t n)
{
	p[0] = (uint8_t)n;
	p[1] = (uint8_t)(n >> 8);
}

static void ccdm_uki_le32(uint8_t *p, uint32_t n)
{
	ccdm_uki_le16(p, (uint16_t)n);
	ccdm_uki_le16(p + 2, (uint16_t)(n >> 16));
}

static uint64_t ccdm_uki_up(uint64_t n, uint32_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static int ccdm_uki_bad(const struct uki_make *m, const char *why, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s: cannot be the stub of a UKI: %s", m->stub.name, why);
}

/* A power of two of at least @least. */
static bool ccdm_uki_unit(uint32_t unit, uint32_t least)
{
	return unit >= least && unit <= 1 << 16 && !(unit & (unit - 1));
}

/* Read the fields of the stub's headers that are needed here. */
static int ccdm_uki_stub(struct uki_make *m, unsigned int parts, struct ccdm_err *err)
{
	const struct ccdm_pe *pe = &m->stub;
	const uint8_t *optional = pe->bytes + pe->optional;
	const struct ccdm_pe_section *s;
	uint64_t first = UINT64_MAX;
	unsigned int i;

	if (ccdm_le16(optional) != 0x20b || ccdm_le16(pe->bytes + pe->optional - 20) != 0x8664)
		return ccdm_uki_bad(m, "expected a program for x86-64", err);
	m->memory_unit = ccdm_le32(optional + 32);
	m->file_unit = ccdm_le32(optional + 36);
	if (!ccdm_uki_unit(m->file_unit, 512) || !ccdm_uki_unit(m->memory_unit, m->file_unit))
		return ccdm_uki_bad(m, "FileAlignment or SectionAlignment is wrong", err);
	if (pe->certificates_size)
		return ccdm_uki_bad(m, "it is signed; the signature would not fit the UKI", err);
	if (pe->count + parts > CCDM_PE_SECTIONS_MAX)
		return ccdm_uki_bad(m, "it has too many sections", err);
	for (i = 0; i < pe->count; i++) {
		s = &pe->section[i];
		/* (252 has sections that are not aligned) */
		if (s->virtual_at < m->memory)
			return ccdm_uki_bad(m, "its sections are not in their order in memory",
					    err);
		if (s->virtual_at < first)
			first = s->virtual_at;
		m->memory =
			(uint64_t)s->virtual_at + (s->virtual_size ? s->virtual_size : s->raw_size);
	}
	m->headers = (uint32_t)ccdm_uki_up(pe->table + (size_t)(pe->count + parts) * SECTION_HEADER,
					   m->file_unit);
	if (m->headers < pe->headers_size)
		m->headers = (uint32_t)ccdm_uki_up(pe->headers_size, m->file_unit);
	if (m->headers > first)
		return ccdm_uki_bad(m, "its headers have no room for more sections", err);
	return 0;
}

/* An entry of the table, for a section whose content begins at the file's present end. */
static void ccdm_uki_entry(struct uki_make *m, const char *name, uint64_t virtual_at,
			   uint64_t virtual_size, uint64_t raw_size, uint32_t flags)
{
	uint8_t *p;

	if (m->to) {
		p = m->to + m->stub.table + (size_t)m->sections * SECTION_HEADER;
		memset(p, 0, SECTION_HEADER);
		memcpy(p, name, strnlen(name, 8));
		ccdm_uki_le32(p + 8, (uint32_t)virtual_size);
		ccdm_uki_le32(p + 12, (uint32_t)virtual_at);
		ccdm_uki_le32(p + 16, (uint32_t)raw_size);
		ccdm_uki_le32(p + 20, raw_size ? (uint32_t)m->size : 0);
		ccdm_uki_le32(p + 36, flags);
	}
	m->sections++;
	if (flags & CODE)
		m->code += raw_size;
	else if (flags & DATA)
		m->data += raw_size;
}

static void ccdm_uki_bytes(struct uki_make *m, const void *bytes, size_t size)
{
	if (m->to && size)
		memcpy(m->to + m->size, bytes, size);
	m->size += size;
}

/* (what is padded is zero since calloc) */
static void ccdm_uki_end(struct uki_make *m, uint64_t raw_end)
{
	m->size = raw_end;
}

static void ccdm_uki_own(struct uki_make *m, const struct ccdm_pe_section *s)
{
	uint64_t raw = ccdm_uki_up(s->raw_size, m->file_unit), end = m->size + raw;

	ccdm_uki_entry(m, s->name, s->virtual_at, s->virtual_size, raw, s->flags);
	ccdm_uki_bytes(m, m->stub.bytes + s->raw_at, s->raw_size);
	ccdm_uki_end(m, end);
}

static void ccdm_uki_part(struct uki_make *m, const struct ccdm_uki_part *part)
{
	bool code = !strcmp(part->name, ".linux");
	/* (pages of their own, even if the stub's sections have none) */
	uint32_t unit = m->memory_unit < PAGE ? PAGE : m->memory_unit;
	uint64_t size = 0, raw, end, at = ccdm_uki_up(m->memory, unit);
	unsigned int i;

	for (i = 0; i < part->pieces; i++)
		size += part->piece[i].size;
	raw = ccdm_uki_up(size, m->file_unit);
	end = m->size + raw;
	ccdm_uki_entry(m, part->name, at, size, raw, code ? CODE | EXECUTE | READ : DATA | READ);
	for (i = 0; i < part->pieces; i++)
		ccdm_uki_bytes(m, part->piece[i].bytes, part->piece[i].size);
	ccdm_uki_end(m, end);
	m->memory = at + size;
}

/* The whole file, or its size alone while m->to is NULL. */
static void ccdm_uki_all(struct uki_make *m, const struct ccdm_uki_part *part, unsigned int parts)
{
	const struct ccdm_pe_section *last = &m->stub.section[m->stub.count - 1];
	unsigned int i;

	m->size = m->headers;
	m->sections = 0;
	m->code = 0;
	m->data = 0;
	m->memory = (uint64_t)last->virtual_at +
		    (last->virtual_size ? last->virtual_size : last->raw_size);
	for (i = 0; i < m->stub.count; i++)
		ccdm_uki_own(m, &m->stub.section[i]);
	for (i = 0; i < parts; i++)
		ccdm_uki_part(m, &part[i]);
}

/* The checksum that Windows' ImageHlp computes; firmware does not look at it. */
static uint32_t ccdm_uki_checksum(const uint8_t *bytes, size_t size)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < size; i += 2)
		sum += ccdm_le16(bytes + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)(sum + size);
}

static void ccdm_uki_headers(struct uki_make *m)
{
	uint8_t *optional = m->to + m->stub.optional, *coff = optional - COFF_HEADER;

	ccdm_uki_le16(coff + 2, (uint16_t)m->sections);
	memset(coff + 8, 0, 8); /* symbols */
	ccdm_uki_le32(optional + 4, (uint32_t)m->code);
	ccdm_uki_le32(optional + 8, (uint32_t)m->data);
	ccdm_uki_le32(optional + 56, (uint32_t)ccdm_uki_up(m->memory, m->memory_unit));
	ccdm_uki_le32(optional + 60, m->headers);
	memset(optional + 64, 0, 4);
	ccdm_uki_le32(optional + 64, ccdm_uki_checksum(m->to, m->size));
}

int ccdm_uki_make(const char *name, const uint8_t *stub, size_t stub_size,
		  const struct ccdm_uki_part *part, unsigned int parts, uint8_t **bytes,
		  size_t *size, struct ccdm_err *err)
{
	struct uki_make m = { 0 };
	struct ccdm_uki uki;
	unsigned int i;
	int r = ccdm_pe_parse(name, stub, stub_size, &m.stub, err);

	if (!r)
		r = ccdm_uki_stub(&m, parts, err);
	for (i = 0; !r && i < parts; i++)
		if (ccdm_pe_find(&m.stub, part[i].name, NULL))
			r = ccdm_err_set(err, -EINVAL, "%s: has a section %s already", name,
					 part[i].name);
	if (r)
		return r;
	ccdm_uki_all(&m, part, parts);
	if (m.size > CCDM_UKI_MAX || m.memory > SPACE_MAX)
		return ccdm_err_set(err, -EFBIG, "the UKI would be larger than 1 GiB");
	m.to = calloc(1, (size_t)m.size);
	if (!m.to)
		return ccdm_err_memory(err);
	/* (headers up to the table; what was between the table and the sections is not kept) */
	memcpy(m.to, stub, m.stub.table);
	ccdm_uki_all(&m, part, parts);
	ccdm_uki_headers(&m);
	r = ccdm_uki_parse(name, m.to, (size_t)m.size, &uki, err);
	if (r) {
		free(m.to);
		return r;
	}
	*bytes = m.to;
	*size = (size_t)m.size;
	return 0;
}
