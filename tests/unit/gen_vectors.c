// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* gen_vectors - print tests/kernel/kat/vectors.h: known answers, computed with OpenSSL */
#include <stdio.h>
#include "suite_openssl.h"

static void bytes(const char *name, const uint8_t *p, int n)
{
	printf("\t\t.%s = {", name);
	for (int i = 0; i < n; i++)
		printf("%s0x%02x,", i % 8 ? " " : "\n\t\t\t", p[i]);
	printf("\n\t\t},\n");
}

int main(void)
{
	static const struct {
		uint32_t domain;
		uint64_t index, seq;
	} places[] = {
		{ 0, 5, 16 },
		{ 0, 0xfedcba98765ULL, 0x0123456789abcdefULL },
		{ 1, 7, 17 },
		{ 3, 0, 0x7fffffffffffff00ULL },
	};
	uint8_t xts[64], mac[32], text[4096], out[4096], tag[16];

	for (int i = 0; i < 64; i++)
		xts[i] = i;
	for (int i = 0; i < 32; i++)
		mac[i] = 0x80 + i;
	for (int i = 0; i < 4096; i++)
		text[i] = i * 7 + (i >> 8);
	printf("/* SPDX-License-Identifier: GPL-2.0-only */\n"
	       "/* Made by tests/unit/gen_vectors.c with OpenSSL; do not edit. */\n"
	       "static const struct ccdm_kat ccdm_kats[] = {\n");
	for (int kind = 0; kind < 4; kind++)
		for (unsigned p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
			if (!ossl_seal(kind, xts, mac, places[p].domain, places[p].index,
				       places[p].seq, text, out, tag))
				return 1;
			printf("\t{\n\t\t.kind = %d, .domain = %u, .index = 0x%llxULL, .seq = 0x%llxULL,\n",
			       kind, places[p].domain, (unsigned long long)places[p].index,
			       (unsigned long long)places[p].seq);
			bytes("first", out, 32);
			bytes("last", out + 4064, 32);
			bytes("tag", tag, 16);
			printf("\t},\n");
		}
	printf("};\n");
	return 0;
}
