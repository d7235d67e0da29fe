/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* soft.h - going on, with interrupts on, with what completed while they were off */
#ifndef CCDM_SOFT_H
#define CCDM_SOFT_H

#include <linux/llist.h>

/**
 * struct ccdm_soft - a step to be taken in softirq
 * @node: place in the list of a CPU
 * @step: the step; it must not sleep, though it may be taken by a worker
 */
struct ccdm_soft {
	struct llist_node node;
	void (*step)(struct ccdm_soft *soft);
};

int ccdm_soft_module_init(void);
void ccdm_soft_module_exit(void);
/* Context: interrupts off. @soft belongs to the step from then on. */
void ccdm_soft_queue(struct ccdm_soft *soft);

#endif /* CCDM_SOFT_H */
