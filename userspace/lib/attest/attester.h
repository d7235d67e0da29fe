/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * attester.h - sources of evidence: one interface for TEEs and TPMs
 */
#ifndef CCDM_ATTESTER_H
#define CCDM_ATTESTER_H

#include <jansson.h>
#include "crypto/digest.h"
#include "crypto/x509.h"

/**
 * struct ccdm_ask - a request for evidence
 * @data, @size: data to which it must be bound
 * @introduced: result of @introduce of struct ccdm_attester; or NULL
 * @extra: "extra-params" of the broker's challenge, untrusted; or NULL
 * @certs: certificates of the processor, for a host that provides none; or NULL
 */
struct ccdm_ask {
	const uint8_t *data;
	size_t size;
	json_t *introduced;
	const json_t *extra;
	const struct ccdm_certs *certs;
};

/**
 * struct ccdm_attester - one kind of evidence
 * @tee: its name in the KBS protocol
 * @what: description of the source
 * @exists: true if the source exists; may touch devices
 * @introduce: data for the broker before its challenge, an object for "extra-params"
 *	that the caller drops; NULL, also in place of the function: no data
 * @collect: evidence; @evidence is set, and the caller drops it. Return: 0; -ENODEV; -EIO;
 *	-ETIMEDOUT; -ENOMEM; with @err
 * @arg: argument of the callback
 */
struct ccdm_attester {
	const char *tee;
	const char *what;
	bool (*exists)(const struct ccdm_attester *attester);
	json_t *(*introduce)(const struct ccdm_attester *attester);
	int (*collect)(const struct ccdm_attester *attester, const struct ccdm_ask *ask,
		       json_t **evidence, struct ccdm_err *err);
	const void *arg;
};

#endif
