// SPDX-License-Identifier: GPL-2.0-only
#include <linux/workqueue.h>
unsigned int ccdm_probe(void) { return WQ_BH; }
