/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* signal_name.h - signals by name or number: STOPSIGNAL of an image, stop_signal of a workload */
#ifndef CCDM_SIGNAL_NAME_H
#define CCDM_SIGNAL_NAME_H

#include "base/compiler.h"

#define CCDM_SIGNAL_NAME 24 /* with the zero */

/**
 * ccdm_signal_name() - the one name of a signal
 * @text: untrusted: "TERM", "SIGTERM", "15", "RTMIN+3", "SIGRTMAX-1", "37"
 * @name: set to "SIGTERM", "SIGRTMIN+3"
 *
 * Return: 0, -EINVAL.
 */
int __must_check ccdm_signal_name(const char *text, char name[CCDM_SIGNAL_NAME]);

#endif
