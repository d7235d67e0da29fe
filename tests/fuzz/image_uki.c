// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/pe.c lib/image/uki.c lib/image/uki_memory.c - a UEFI program, and a UKI as its stub loads it */
#include "image/uki.h"
#include "fuzz.h"

static void hashed(const struct ccdm_pe *pe)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest digest;

	if (!ccdm_pe_digest(pe, CCDM_ALG_SHA256, &digest)) {
		ccdm_hex(digest.bytes, digest.size, hex);
		fuzz_said("authenticode", hex);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_uki *uki = fuzz_own(malloc(sizeof(*uki)));
	struct ccdm_pe *pe = fuzz_own(malloc(sizeof(*pe)));
	struct ccdm_err err = { 0 };
	struct ccdm_digest digest;
	struct ccdm_piece piece[3];
	uint8_t *bytes = NULL;
	const char *why, *name;
	char text[256];
	size_t n, count;
	unsigned int i;

	if (!ccdm_pe_parse("x.efi", data, size, pe, &err))
		hashed(pe);
	if (!ccdm_uki_parse("x.efi", data, size, uki, &err)) {
		ccdm_uki_unknown(uki, text, sizeof(text));
		for (i = 0; (name = ccdm_uki_measured(uki, i)); i++) {
			const uint8_t *content = ccdm_uki_content(uki, name, &n);

			if (content)
				(void)!ccdm_digest_of(CCDM_ALG_SHA256, content, n, NULL, 0,
						      &digest);
		}
		if (!ccdm_uki_options(uki, &bytes, &n, &why))
			free(bytes);
		if (!ccdm_uki_initrd(uki, piece, &bytes, &count)) {
			(void)!ccdm_digest_pieces(CCDM_ALG_SHA384, piece, count, &digest);
			free(bytes);
		}
	}
	free(uki);
	free(pe);
	return 0;
}
