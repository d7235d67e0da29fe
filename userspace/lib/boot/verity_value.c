// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verity_value.c - the base's parameters as texts; see verity.h */
#include <stdio.h>
#include "verity.h"

void ccdm_verity_tail(const struct ccdm_config *c, char *text, size_t size)
{
	snprintf(text, size, "%llu %llu %llu %llu %s %s %s", (unsigned long long)c->data_block_size,
		 (unsigned long long)c->hash_block_size, (unsigned long long)c->data_blocks,
		 (unsigned long long)c->hash_start, c->algorithm, c->roothash, c->salt);
}

void ccdm_verity_value(const struct ccdm_config *config, char *text, size_t size)
{
	char tail[1024];

	ccdm_verity_tail(config, tail, sizeof(tail));
	snprintf(text, size, "1 %s" CCDM_VERITY_PANIC, tail);
}
