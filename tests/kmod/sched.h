/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched.h - coroutines in place of CPUs, workers and interrupts
 *
 * One coroutine runs at a time. At each sim_yield() another may go on; which one, and when
 * the device does something, is drawn. Time stands still while anything can run, but for a
 * tick now and then.
 */
#ifndef CCDM_TEST_SCHED_H
#define CCDM_TEST_SCHED_H

#include "kernel.h"

enum sim_context {
	SIM_TASK,    /* may sleep */
	SIM_SOFTIRQ, /* may not */
	SIM_IRQ,     /* nor open blocks */
};

/* A coroutine that calls @fn once. */
void sim_spawn(void (*fn)(void *arg), void *arg, enum sim_context context);
/* Runs until no coroutine is left; @device does one thing of the device's, false: nothing to do. */
void sim_run(bool (*device)(void));
/* Frees the stacks; everything must have ended. */
void sim_sched_exit(void);

struct workqueue_struct *sim_workqueue(void);
void sim_workqueue_free(struct workqueue_struct *wq);

/* Choices come from @data while there is some, then from a generator that @seed begins. */
void sim_choices(u64 seed, const u8 *data, size_t size);
/* The run goes on while this grows: what has ended. */
void sim_progress(void);
/* For the text of a bug. */
extern char sim_what[256];
extern bool sim_verbose;

#endif /* CCDM_TEST_SCHED_H */
