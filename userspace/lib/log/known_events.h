/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * known_events.h - events that are the same on every machine, recognised by their digests
 *
 * The writer of a log chooses the label of a record, but not a digest that replays to a
 * quoted register. So these events are recognised by their digests, whatever
 * their label is.
 */
#ifndef CCDM_KNOWN_EVENTS_H
#define CCDM_KNOWN_EVENTS_H

#include <stdbool.h>
#include "base/compiler.h"
#include "crypto/digest.h"

#define CCDM_EVENT_READY "ccdm-ready"
#define CCDM_EVENT_CAP	 "ccdm-cap"

enum ccdm_event_origin {
	CCDM_EVENT_OF_FIRMWARE,
	CCDM_EVENT_OF_SYSTEMD,
	CCDM_EVENT_OF_CCDM,
};

/**
 * struct ccdm_known_event - an event with a fixed text
 * @origin: program that measures it
 * @name: as policies name it
 * @text, @size: what is hashed
 */
struct ccdm_known_event {
	enum ccdm_event_origin origin;
	const char *name;
	const char *text;
	size_t size;
};

#define CCDM_KNOWN_EVENTS 15

/**
 * struct ccdm_known_events - their digests in one bank
 * @size: bytes of a digest
 * @digest: in the order of the table
 */
struct ccdm_known_events {
	size_t size;
	uint8_t digest[CCDM_KNOWN_EVENTS][CCDM_DIGEST_MAX];
};

/* Hashes all of them. Return: 0; -ENOTSUP for an unknown bank; -EIO. */
int __must_check ccdm_known_events_init(uint16_t bank, struct ccdm_known_events *known);

/* The event with this digest, of the bank's size; NULL if it is none of them. */
const struct ccdm_known_event *ccdm_known_event(const struct ccdm_known_events *known,
						const uint8_t *digest);

#endif
