/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* events.h - events of the module, through libnl */
#ifndef CCDM_EVENTS_H
#define CCDM_EVENTS_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_event - one event; the strings live until the callback returns
 * @event: opened closed tamper failed unwritable scrub-done; "lost": there were more than could be
 *         kept, and the other members say nothing
 * @name: mapping
 * @uuid: its UUID
 * @dev: its major:minor
 * @kind: tamper: "block" or "node", else NULL
 * @level: tamper: level of the node
 * @index: tamper: index within the level
 */
struct ccdm_event {
	const char *event;
	const char *name;
	const char *uuid;
	const char *dev;
	const char *kind;
	uint32_t level;
	uint64_t index;
};

struct ccdm_events;

/* -ENOENT: the module is not loaded. -EPERM: needs CAP_NET_ADMIN. */
int __must_check ccdm_events_open(struct ccdm_events **events, struct ccdm_err *err);
void ccdm_events_close(struct ccdm_events *events);

/* Waits and calls @each for every event until that returns nonzero, which is returned. */
int __must_check ccdm_events_run(struct ccdm_events *events,
				 int (*each)(const struct ccdm_event *event, void *arg), void *arg,
				 struct ccdm_err *err);

#endif
