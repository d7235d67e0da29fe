// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * uki_memory.c - is a section in memory the same as in the file? The stub measures it in memory
 *
 * Firmware copies the sections to their places in the order of the section table, and then changes
 * each word to which a relocation points. (EDK II, MdePkg/Library/BasePeCoffLib)
 */
#include "base/bytes.h"
#include "uki.h"

#define CERTIFICATES	4 /* numbers of directories */
#define RELOCATIONS	5
#define RELOCATIONS_MAX (1 << 20) /* bytes */
#define BLOCK		8	  /* bytes before the entries of a block of relocations */

/* A range of bytes in memory. */
struct ccdm_uki_range {
	uint64_t from, to;
};

static struct ccdm_uki_range ccdm_uki_range(const struct ccdm_pe_section *s)
{
	/* (firmware copies all bytes of a section whose size is 0) */
	uint32_t size = s->virtual_size ? s->virtual_size : s->raw_size;

	return (struct ccdm_uki_range){ s->virtual_at, (uint64_t)s->virtual_at + size };
}

static bool ccdm_uki_meets(struct ccdm_uki_range a, struct ccdm_uki_range b)
{
	return a.from < b.to && b.from < a.to;
}

/* The section other than @own, or the headers, with which @range overlaps; NULL: none */
static const char *ccdm_uki_shares(const struct ccdm_pe *pe, const struct ccdm_pe_section *own,
				   struct ccdm_uki_range range)
{
	unsigned int i;

	if (range.from < pe->headers_size)
		return "the headers";
	for (i = 0; i < pe->count; i++)
		if (&pe->section[i] != own &&
		    ccdm_uki_meets(range, ccdm_uki_range(&pe->section[i])))
			return pe->section[i].name;
	return NULL;
}

static int ccdm_uki_sections(const struct ccdm_uki *uki, struct ccdm_err *err)
{
	const struct ccdm_pe_section *s;
	const char *name, *other;
	unsigned int i;

	for (i = 0; (name = ccdm_uki_measured(uki, i)); i++) {
		if (!ccdm_pe_find(&uki->pe, name, &s) || !s->virtual_size)
			continue;
		other = ccdm_uki_shares(&uki->pe, s, ccdm_uki_range(s));
		if (other)
			return ccdm_err_set(err, -EINVAL,
					    "%s: section %s overlaps with '%s' in memory",
					    uki->pe.name, name, other);
	}
	return 0;
}

/* A relocation changes the word at @at. Return: the part that it must not change; NULL: it may */
static const char *ccdm_uki_changed(const struct ccdm_uki *uki, struct ccdm_uki_range relocations,
				    uint64_t at)
{
	const struct ccdm_uki_range word = { at, at + 8 };
	const struct ccdm_pe_section *s;
	const char *name;
	unsigned int i;

	if (at < uki->pe.headers_size)
		return "the headers";
	if (ccdm_uki_meets(word, relocations))
		return "the relocations";
	for (i = 0; (name = ccdm_uki_measured(uki, i)); i++)
		if (ccdm_pe_find(&uki->pe, name, &s) && ccdm_uki_meets(word, ccdm_uki_range(s)))
			return name;
	return NULL;
}

static int ccdm_uki_blocks(const struct ccdm_uki *uki, const uint8_t *p,
			   struct ccdm_uki_range range, struct ccdm_err *err)
{
	const uint8_t *end = p + (range.to - range.from);
	const char *whose;
	uint32_t page, size, k;

	for (; p < end; p += size) {
		size = end - p < BLOCK ? 0 : ccdm_le32(p + 4);
		if (size < BLOCK || size % 2 || size > (size_t)(end - p))
			return ccdm_err_set(err, -EINVAL, "%s: PE: the relocations are cut off",
					    uki->pe.name);
		page = ccdm_le32(p);
		for (k = BLOCK; k < size; k += 2) {
			uint16_t entry = ccdm_le16(p + k);

			/* (entries of type 0 only fill up a block) */
			whose = entry >> 12 ? ccdm_uki_changed(uki, range,
							       (uint64_t)page + (entry & 0xfff))
					    : NULL;
			if (whose)
				return ccdm_err_set(err, -EINVAL, "%s: PE: a relocation changes %s",
						    uki->pe.name, whose);
		}
	}
	return 0;
}

static int ccdm_uki_relocations(const struct ccdm_uki *uki, struct ccdm_uki_range range,
				struct ccdm_err *err)
{
	const struct ccdm_pe *pe = &uki->pe;
	unsigned int i;

	if (range.to - range.from > RELOCATIONS_MAX)
		return ccdm_err_set(err, -EINVAL, "%s: PE: expected relocations of at most 1 MiB",
				    pe->name);
	for (i = 0; i < pe->count; i++) {
		const struct ccdm_pe_section *s = &pe->section[i];
		struct ccdm_uki_range in = ccdm_uki_range(s);

		/* (bytes that are not in the file are zero) */
		if (in.to > (uint64_t)s->virtual_at + s->raw_size)
			in.to = (uint64_t)s->virtual_at + s->raw_size;
		if (range.from >= in.from && range.to <= in.to && !ccdm_uki_shares(pe, s, range))
			return ccdm_uki_blocks(uki, pe->bytes + s->raw_at + (range.from - in.from),
					       range, err);
	}
	return ccdm_err_set(err, -EINVAL, "%s: PE: the relocations do not lie in one section",
			    pe->name);
}

int ccdm_uki_memory(const struct ccdm_uki *uki, struct ccdm_err *err)
{
	struct ccdm_uki_range relocations = { 0 };
	unsigned int i;
	int r = ccdm_uki_sections(uki, err);

	for (i = 0; !r && i < uki->pe.directories; i++) {
		const uint8_t *p = uki->pe.bytes + uki->pe.directory + 8 * (size_t)i;
		uint32_t at = ccdm_le32(p), size = ccdm_le32(p + 4);

		if (i == RELOCATIONS)
			relocations = (struct ccdm_uki_range){ at, (uint64_t)at + size };
		else if (i != CERTIFICATES && (at || size))
			r = ccdm_err_set(
				err, -EINVAL,
				"%s: PE: directory %u: expected signatures (4) and relocations (5) alone",
				uki->pe.name, i);
	}
	if (r || relocations.from == relocations.to)
		return r;
	return ccdm_uki_relocations(uki, relocations, err);
}
