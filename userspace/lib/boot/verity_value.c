// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verity_value.c - parameters of dm-verity as texts; see verity.h */
#include <stdio.h>
#include "verity.h"

void ccdm_verity_tail(const struct ccdm_config_verity *v, char *text, size_t size)
{
	snprintf(text, size, "%llu %llu %llu %llu %s %s %s", (unsigned long long)v->data_block_size,
		 (unsigned long long)v->hash_block_size, (unsigned long long)v->data_blocks,
		 (unsigned long long)v->hash_start, v->algorithm, v->roothash, v->salt);
}

void ccdm_verity_value(const struct ccdm_config_verity *verity, char *text, size_t size)
{
	char tail[1024];

	ccdm_verity_tail(verity, tail, sizeof(tail));
	snprintf(text, size, "1 %s" CCDM_VERITY_PANIC, tail);
}
