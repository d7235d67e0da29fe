// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
#include <linux/kthread.h>
void *ccdm_probe(void) { return kthread_run_worker(0, "probe")->task; }
