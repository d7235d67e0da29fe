/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * kbs.h - messages of the KBS protocol between guest and broker, 0.4.0 and 0.2.0
 *
 * Texts only; http.h carries them. (github.com/confidential-containers/trustee,
 * kbs/docs/kbs_attestation_protocol.md)
 */
#ifndef CCDM_KBS_H
#define CCDM_KBS_H

#include <stdbool.h>
#include "base/compiler.h"
#include "crypto/digest.h"
#include "jwe.h"

#define CCDM_KBS_PREFIX	     "/kbs/v0"
#define CCDM_KBS_NONCE_MAX   256       /* bytes of its text */
#define CCDM_KBS_PATH_MAX    256       /* bytes of REPO/TYPE/TAG */
#define CCDM_KBS_MESSAGE_MAX (4 << 20) /* bytes of a message */
#define CCDM_KBS_TOKEN_MAX   65536     /* bytes of a token */

/* Versions; they differ in what is hashed and in the members of "attest". */
enum ccdm_kbs_version {
	CCDM_KBS_0_2,
	CCDM_KBS_0_4,
};

/* "0.4.0" */
const char *ccdm_kbs_version_name(enum ccdm_kbs_version version);

/* The other way round; false for an unknown name. */
bool __must_check ccdm_kbs_version_of(const char *name, enum ccdm_kbs_version *version);

/**
 * ccdm_kbs_request() - make the first message, for a POST to "auth"
 * @tee: "snp", "tdx", "tpm", "az-snp-vtpm", "az-tdx-vtpm"
 * @extra: "extra-params", or NULL; borrowed
 *
 * Return: the text, which the caller frees; NULL: out of memory.
 */
char *ccdm_kbs_request(enum ccdm_kbs_version version, const char *tee, json_t *extra);

/**
 * ccdm_kbs_challenge() - parse the answer
 * @text, @size: untrusted
 * @nonce: set; opaque, must be returned unchanged
 * @extra: set to "extra-params" if it is an object, else NULL; the caller drops it. May be NULL
 *
 * Return: 0, -EINVAL.
 */
int __must_check ccdm_kbs_challenge(const char *text, size_t size, char nonce[CCDM_KBS_NONCE_MAX],
				    json_t **extra, struct ccdm_err *err);

/**
 * ccdm_kbs_report_data() - compute the data to which evidence must be bound
 * @nonce: of the challenge
 * @jwk: the guest's public key; borrowed
 * @additional: text of the additional evidence, "" if there is none; not in version 0.2
 * @digest: filled: SHA-384
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int __must_check ccdm_kbs_report_data(enum ccdm_kbs_version version, const char *nonce, json_t *jwk,
				      const char *additional, struct ccdm_digest *digest);

/**
 * ccdm_kbs_attestation() - make the second message, for a POST to "attest"
 * @evidence: of the TEE; borrowed
 *
 * Return: the text, which the caller frees; NULL: out of memory.
 */
char *ccdm_kbs_attestation(enum ccdm_kbs_version version, const char *nonce, json_t *jwk,
			   json_t *evidence, const char *additional);

/* The token of {"token": "..."}; the caller frees it. Return: 0, -EINVAL, -ENOMEM. */
int __must_check ccdm_kbs_token(const char *text, size_t size, char **token, struct ccdm_err *err);

/**
 * ccdm_kbs_token_time() - get the time at which the broker made a token
 * @token: from ccdm_kbs_token(). Not verified: TLS has authenticated the broker
 * @at: set to its "iat", seconds since 1970
 *
 * Return: 0, -EINVAL if there is none, -ENOMEM.
 */
int __must_check ccdm_kbs_token_time(const char *token, int64_t *at, struct ccdm_err *err);

/* Kinds of failure that a guest distinguishes. */
enum ccdm_kbs_failure {
	CCDM_KBS_OTHER,	   /* try again */
	CCDM_KBS_DENIED,   /* refused by policy: do not retry */
	CCDM_KBS_REJECTED, /* the evidence is refused; the broker's trust directory may change */
	CCDM_KBS_VERSION,  /* the broker requires another version of the protocol */
	CCDM_KBS_SESSION,  /* the session or token is unknown or expired: open a new session */
	CCDM_KBS_MISSING,  /* no such resource, or no such path */
};

/**
 * ccdm_kbs_failure() - classify an answer with an error
 * @status: of HTTP
 * @text, @size: its body, untrusted; may be anything
 * @detail: set to its text for a person, printable, shortened
 */
enum ccdm_kbs_failure __must_check ccdm_kbs_failure(long status, const char *text, size_t size,
						    char detail[256]);

/* True if it is a valid REPO/TYPE/TAG. */
bool __must_check ccdm_kbs_path_good(const char *path);

#endif
