/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * sched.h - coroutines in place of CPUs, workers and interrupts
 *
 * One coroutine runs at a time. At each sim_yield() another may run; which one, and when
 * the device takes a step, is drawn. Time stands still while a coroutine can run, except for a
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
/* Run until no coroutine is left. @device takes a step of the device; false: there is none. */
void sim_run(bool (*device)(void));
/* Free the stacks; all coroutines must have ended. */
void sim_sched_exit(void);

/* Take choices from @data until it is used up, then from a generator with @seed. */
void sim_choices(u64 seed, const u8 *data, size_t size);
/* Between a begin and an end this coroutine is in map(): it must not sleep. */
void sim_map(bool in);
/* Bios that are sent in map() wait here until it has returned; NULL elsewhere. */
struct list_head *sim_map_bios(void);
/* True if the caller is a worker of @wq. */
bool sim_on_queue(const struct workqueue_struct *wq);
/* Count a finished operation: a run without progress is a bug. */
void sim_progress(void);
/* For the text of a bug. */
extern char sim_what[256];
extern bool sim_verbose;

#endif /* CCDM_TEST_SCHED_H */
