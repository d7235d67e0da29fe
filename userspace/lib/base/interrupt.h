/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * interrupt.h - SIGINT, SIGTERM and SIGHUP as a state, for work that must clean up before it ends
 */
#ifndef CCDM_INTERRUPT_H
#define CCDM_INTERRUPT_H

#include <stdbool.h>
#include "compiler.h"
#include "err.h"

/*
 * Catch the signals from here on. A second signal while the first is handled has no effect. SIGXFSZ is
 * ignored, so that a limit on the size of files does not end the program.
 * Return: 0, -errno.
 */
int __must_check ccdm_interrupt_watch(void);

/* True if a signal came after ccdm_interrupt_watch(). */
bool __must_check ccdm_interrupted(void);

/* A descriptor that is readable once a signal came, for poll(2); -1 without ccdm_interrupt_watch(). */
int __must_check ccdm_interrupt_fd(void);

/* Return: 0, or -EINTR and "interrupted" in @err if a signal came. */
int __must_check ccdm_interrupt_check(struct ccdm_err *err);

#endif
