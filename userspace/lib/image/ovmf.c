// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ovmf.c - see ovmf.h */
#include <string.h>
#include "base/bytes.h"
#include "ovmf.h"

#define ENTRY	  18 /* u16 of size, GUID */
#define TABLE_END 32 /* bytes after the table */
#define SECTION	  12
#define PAGES_MAX 65536 /* of all sections: 256 MiB */

static const uint8_t ccdm_ovmf_footer[16] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
					      0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
static const uint8_t ccdm_ovmf_metadata[16] = { 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
						0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc };
static const uint8_t ccdm_ovmf_hash_table[16] = { 0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
						  0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54 };
static const uint8_t ccdm_ovmf_reset[16] = { 0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
					     0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e };

static int ccdm_ovmf_bad(const char *name, const char *why, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s: firmware: %s", name, why);
}

static int ccdm_ovmf_section(const char *name, const uint8_t *p, struct ccdm_ovmf *ovmf,
			     uint32_t *pages, struct ccdm_err *err)
{
	struct ccdm_ovmf_section *s = &ovmf->section[ovmf->count];

	s->at = ccdm_le32(p);
	s->size = ccdm_le32(p + 4);
	s->kind = ccdm_le32(p + 8);
	if (s->at % CCDM_OVMF_PAGE || s->size % CCDM_OVMF_PAGE || !s->size)
		return ccdm_ovmf_bad(name, "SEV metadata: a section is not of whole pages", err);
	if (s->size / CCDM_OVMF_PAGE > PAGES_MAX - *pages)
		return ccdm_ovmf_bad(name, "SEV metadata: expected sections of at most 256 MiB",
				     err);
	*pages += s->size / CCDM_OVMF_PAGE;
	switch (s->kind) {
	case CCDM_OVMF_SECRETS:
	case CCDM_OVMF_CPUID:
	case CCDM_OVMF_HASHES:
		if (s->size != CCDM_OVMF_PAGE)
			return ccdm_ovmf_bad(name,
					     "SEV metadata: a section for secrets, CPUID or hashes "
					     "is not one page",
					     err);
		break;
	case CCDM_OVMF_MEMORY:
	case CCDM_OVMF_CAA:
		break;
	default:
		return ccdm_err_set(
			err, -EINVAL,
			"%s: firmware: SEV metadata: a section of type %#x is not known", name,
			(unsigned int)s->kind);
	}
	ovmf->count++;
	return 0;
}

/* @offset: of the metadata, counted back from the end of the file */
static int ccdm_ovmf_sections(const char *name, uint32_t offset, struct ccdm_ovmf *ovmf,
			      struct ccdm_err *err)
{
	const uint8_t *p = ovmf->bytes + ovmf->size - offset;
	uint32_t i, n, pages = 0;
	int r = 0;

	if (offset < 16 || offset > ovmf->size || memcmp(p, "ASEV", 4))
		return ccdm_ovmf_bad(name, "the SEV metadata are not where its table points to",
				     err);
	if (ccdm_le32(p + 8) != 1)
		return ccdm_ovmf_bad(name, "SEV metadata: expected version 1", err);
	n = ccdm_le32(p + 12);
	if (n > CCDM_OVMF_SECTIONS || ccdm_le32(p + 4) > offset ||
	    ccdm_le32(p + 4) < 16 + n * SECTION)
		return ccdm_ovmf_bad(
			name, "SEV metadata: their size does not fit their number of sections",
			err);
	for (i = 0; !r && i < n; i++)
		r = ccdm_ovmf_section(name, p + 16 + (size_t)i * SECTION, ovmf, &pages, err);
	return r;
}

int ccdm_ovmf_parse(const char *name, const uint8_t *bytes, size_t size, struct ccdm_ovmf *ovmf,
		    struct ccdm_err *err)
{
	size_t end, begin, length, data;
	uint32_t metadata = 0;

	memset(ovmf, 0, sizeof(*ovmf));
	ovmf->bytes = bytes;
	ovmf->size = size;
	if (size < CCDM_OVMF_PAGE || size > CCDM_OVMF_MAX || size % CCDM_OVMF_PAGE)
		return ccdm_ovmf_bad(name, "expected whole pages of 4096 bytes, at most 64 MiB",
				     err);
	end = size - TABLE_END;
	if (memcmp(bytes + end - 16, ccdm_ovmf_footer, 16))
		return ccdm_ovmf_bad(name, "it has no table of OVMF at its end", err);
	length = ccdm_le16(bytes + end - ENTRY);
	if (length < ENTRY || length > end)
		return ccdm_ovmf_bad(name, "the size of its table does not fit", err);
	begin = end - length;
	/* backwards: the size and the GUID of an entry stand after its data */
	for (end -= ENTRY; end - begin >= ENTRY; end -= length) {
		const uint8_t *p;

		length = ccdm_le16(bytes + end - ENTRY);
		if (length < ENTRY || length > end - begin)
			return ccdm_ovmf_bad(name, "the size of an entry of its table does not fit",
					     err);
		data = length - ENTRY;
		p = bytes + end - length;
		if (data < 4)
			continue;
		if (!memcmp(bytes + end - 16, ccdm_ovmf_metadata, 16))
			metadata = ccdm_le32(p);
		else if (!memcmp(bytes + end - 16, ccdm_ovmf_hash_table, 16))
			ovmf->hashes = ccdm_le32(p);
		else if (!memcmp(bytes + end - 16, ccdm_ovmf_reset, 16))
			ovmf->reset = ccdm_le32(p);
	}
	if (!metadata)
		return ccdm_ovmf_bad(name, "it has no SEV metadata: it is not for SEV-SNP", err);
	return ccdm_ovmf_sections(name, metadata, ovmf, err);
}

bool ccdm_ovmf_has_hashes(const struct ccdm_ovmf *ovmf)
{
	unsigned int i;

	for (i = 0; ovmf->hashes && i < ovmf->count; i++)
		if (ovmf->section[i].kind == CCDM_OVMF_HASHES)
			return true;
	return false;
}
