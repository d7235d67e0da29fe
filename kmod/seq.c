// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* seq.c - the sequence numbers of a mapping: no sealing has the same number as another */
#include "ccdm.h"

static ccdm_injectable int ccdm_seq_check(u64 last)
{
	/* coverage: 2^56 blocks would have to be written; 74-faults lets the check itself fail */
	return last < CCDM_SEQ_LIMIT - CCDM_NODE_ENTRIES ? 0 : -EOVERFLOW;
}

CCDM_INJECTABLE(ccdm_seq_check);

u64 ccdm_take_seq(struct ccdm *c, unsigned int n)
{
	u64 last = atomic64_add_return(n, &c->seq);

	if (unlikely(ccdm_seq_check(last))) {
		ccdm_failed(c);
		return 0;
	}
	return last - n + 1;
}
