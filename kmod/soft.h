/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* soft.h - run steps with interrupts on for I/O that completed with interrupts off */
#ifndef CCDM_SOFT_H
#define CCDM_SOFT_H

#include <linux/llist.h>

/**
 * struct ccdm_soft - a step to run in softirq
 * @node: place in the list of a CPU
 * @step: the step; it must not sleep, even though a worker may run it
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
