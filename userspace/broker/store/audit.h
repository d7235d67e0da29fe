/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * audit.h - append-only log of decisions and reasons; changes are detected
 *
 * One JSON object a line. "prev" is the SHA-256 of the line before, in hexadecimal, zeros
 * in the first; each CCDM_AUDIT_HEAD-th line, and no other, is of "event": "head" and carries
 * a token (ES256) over that hash and the number of lines before. No secret is in it.
 */
#ifndef CCDM_BROKER_AUDIT_H
#define CCDM_BROKER_AUDIT_H

#include <jansson.h>
#include <stdint.h>
#include "base/compiler.h"
#include "token.h"

#define CCDM_AUDIT_HEAD 64
#define CCDM_AUDIT_LINE (1 << 18) /* bytes of a line */

/* An open log; opaque. */
struct ccdm_audit;

/**
 * ccdm_audit_open() - continue a log, or start one
 * @file: created with mode 0640
 * @signer: signs heads; must live as long
 *
 * It removes an incomplete last line, as after a power loss, and writes an entry "torn".
 *
 * Return: 0; -EBADMSG with the line's number if it was changed; errors of open(2).
 */
int __must_check ccdm_audit_open(const char *file, const struct ccdm_signer *signer,
				 struct ccdm_audit **audit, struct ccdm_err *err);
void ccdm_audit_close(struct ccdm_audit *audit); /* accepts NULL */

/**
 * ccdm_audit_add() - log a decision
 * @now: seconds since 1970
 * @event: "attest", "resource", "admin", ...
 * @entry: further members; dropped
 *
 * An entry that is longer than CCDM_AUDIT_LINE loses its largest members; "cut" names each with
 * the bytes it had. The size of an entry never keeps it out of the log.
 *
 * The line is on the disk when this returns: an action that cannot be logged must not happen.
 */
int __must_check ccdm_audit_add(struct ccdm_audit *audit, int64_t now, const char *event,
				json_t *entry, struct ccdm_err *err);

/**
 * ccdm_audit_shorten() - remove the largest members of an entry until it has at most so many bytes
 *
 * The member "cut" names each with the bytes it had.
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_audit_shorten(json_t *entry, size_t most);

/* Hash of the last line, in hexadecimal, zeros if there is none; @lines: set to their number. */
const char *ccdm_audit_end(const struct ccdm_audit *audit, uint64_t *lines);

/**
 * ccdm_audit_verify() - verify the hash chain and the signed heads
 * @signer: key of the heads; NULL: do not verify signatures
 * @lines: set to their number
 *
 * Return: 0; -EBADMSG with the number of the first invalid line.
 */
int __must_check ccdm_audit_verify(const char *file, const struct ccdm_signer *signer,
				   uint64_t *lines, struct ccdm_err *err);

#endif
