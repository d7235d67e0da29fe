// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
#include <linux/blkdev.h>
void ccdm_probe(struct queue_limits *l) { l->features &= ~(BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA | BLK_FEAT_STABLE_WRITES | BLK_FEAT_POLL); }
