// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
#include <linux/bvec.h>
unsigned int ccdm_probe(struct bvec_iter *i) { return i->bi_offset; }
