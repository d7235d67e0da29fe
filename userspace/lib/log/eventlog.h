/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * eventlog.h - ccdm's event log, for a verifier to replay
 *
 * The log is CEL-JSON as systemd writes it: records that begin with RS (0x1e)
 * and end with a newline,
 *
 *	{"pcr":15,"digests":[{"hashAlg":"sha256","digest":"HEX"},...],
 *	 "content_type":"ccdm","content":{"ccdm":"NAME:VALUE"}}
 *
 * with "rtmr" in place of "pcr" for a register of TDX. A digest is the bank's
 * hash over NAME:VALUE. Records of another content_type, systemd's, are foreign:
 * their digests are taken as they stand. (TCG Canonical Event Log Format 1.0; systemd.io/TPM2_PCR_MEASUREMENTS)
 */
#ifndef CCDM_EVENTLOG_H
#define CCDM_EVENTLOG_H

#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_EVENTLOG_DIR  "/run/ccdm"
#define CCDM_EVENTLOG_FILE CCDM_EVENTLOG_DIR "/tpm2-measure.log"
#define CCDM_EVENTLOG_MAX  (1 << 20) /* bytes of a log */
#define CCDM_EVENT_PCR	   15	     /* the registers of our own events */
#define CCDM_EVENT_RTMR	   3
#define CCDM_EVENT_MAX	   1024 /* bytes of NAME:VALUE; TPM2_PCR_Event takes no more */

/**
 * struct ccdm_event - a measured event
 * @rtmr: it went to a register of TDX, not to a PCR
 * @index: number of the register
 * @digests: what the register was extended with
 * @foreign: not ours: @text is empty
 * @text: NAME:VALUE
 */
struct ccdm_event {
	bool rtmr;
	unsigned int index;
	struct ccdm_digests digests;
	bool foreign;
	char text[CCDM_EVENT_MAX + 1];
};

/* Append a record to a log, which is made if there is none. */
int __must_check ccdm_eventlog_append(const char *file, const struct ccdm_event *event,
				      struct ccdm_err *err);

/**
 * ccdm_eventlog_parse() - walk through a log
 * @text: untrusted
 * @size: its bytes
 * @each: called for every record; a nonzero result ends the walk and is returned
 * @arg: argument of the callback
 *
 * A digest that is not the hash of our record's text is an error, too.
 *
 * Return: 0, -EINVAL with the record's number in @err, -ENOMEM.
 */
int __must_check ccdm_eventlog_parse(const char *text, size_t size,
				     int (*each)(const struct ccdm_event *event, void *arg),
				     void *arg, struct ccdm_err *err);

/**
 * ccdm_eventlog_extend() - compute a register's value after an event
 * @value: before; replaced. All zeros is the register's beginning
 * @digest: of the event, of the same algorithm
 */
int __must_check ccdm_eventlog_extend(struct ccdm_digest *value, const struct ccdm_digest *digest);

/* The value with which a register of a bank begins. -ENOTSUP for an unknown hash. */
int __must_check ccdm_eventlog_begin(uint16_t alg, struct ccdm_digest *value, struct ccdm_err *err);

/**
 * ccdm_eventlog_replay() - the value of a register after all records of a log
 * @text, @size: the log, untrusted
 * @rtmr, @index: the register
 * @value: before; replaced. It says which bank
 */
int __must_check ccdm_eventlog_replay(const char *text, size_t size, bool rtmr, unsigned int index,
				      struct ccdm_digest *value, struct ccdm_err *err);

#endif
