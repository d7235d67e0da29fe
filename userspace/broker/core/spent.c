// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* spent.c - see spent.h */
#include <string.h>
#include "spent.h"

bool ccdm_spent_has(const struct ccdm_spent *s, const struct ccdm_nonce *nonce)
{
	unsigned int i;

	for (i = 0; i < s->count && i < CCDM_SPENT; i++)
		if (!memcmp(s->id[i], nonce->id, CCDM_NONCE_ID))
			return true;
	return false;
}

void ccdm_spent_add(struct ccdm_spent *s, const struct ccdm_nonce *nonce)
{
	memcpy(s->id[s->count % CCDM_SPENT], nonce->id, CCDM_NONCE_ID);
	/* keep it small: the number of entries, and the place of the next one */
	if (++s->count == 2 * CCDM_SPENT)
		s->count = CCDM_SPENT;
}
