/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* capture.h - evidence in a file, as "ccdm-setup evidence --json" prints it */
#ifndef CCDM_CAPTURE_H
#define CCDM_CAPTURE_H

#include "base/compiler.h"
#include "evidence.h"

/**
 * struct ccdm_capture - its content; @bound and @bound_beside point into it: do not copy
 * @tee: a known name
 * @primary: evidence of the TEE
 * @additional: text of a TPM's evidence beside it, "" for none
 * @has_nonce: nonce and key are there. They are what the evidence must be bound to; that somebody
 *	asked for this nonce, now, they do not prove
 * @bound, @bound_beside: what @primary and @additional must be bound to; NULL without a nonce
 * @digest, @digest_beside: their bytes
 */
struct ccdm_capture {
	const char *tee;
	const json_t *primary;
	const char *additional;
	bool has_nonce;
	struct ccdm_bound bound;
	struct ccdm_bound bound_beside;
	struct ccdm_digest digest;
	struct ccdm_digest digest_beside;
};

/* True if the object is a capture: it has the member "tee-evidence". */
bool __must_check ccdm_capture_is(const json_t *o);

/**
 * ccdm_capture_parse() - parse a capture
 * @o: untrusted: {"version", "tee", "runtime-data"?: {"nonce"?, "tee-pubkey"},
 *	"tee-evidence": {"primary_evidence", "additional_evidence"?}}; lives as long as @c
 * @c: filled
 *
 * Return: 0; -EINVAL: a part is missing or invalid; -ENOMEM.
 */
int __must_check ccdm_capture_parse(const json_t *o, struct ccdm_capture *c, struct ccdm_err *err);

#endif
