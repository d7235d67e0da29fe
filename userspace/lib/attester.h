/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attester.h - where a guest gets evidence from: one interface for TEEs and TPMs
 */
#ifndef CCDM_ATTESTER_H
#define CCDM_ATTESTER_H

#include "digest.h"

/**
 * struct ccdm_attester - one kind of evidence
 * @tee: as the KBS protocol names it
 * @what: where it comes from, for a person
 * @exists: is it here? May touch devices, and says nothing if not
 * @collect: evidence bound to @size bytes of @data; @evidence is set, and the caller drops
 *	it. Return: 0; -ENODEV; -EIO; -ETIMEDOUT; -ENOMEM; with @err
 * @arg: passed on
 */
struct ccdm_attester {
	const char *tee;
	const char *what;
	bool (*exists)(const struct ccdm_attester *attester);
	int (*collect)(const struct ccdm_attester *attester, const uint8_t *data, size_t size,
		       json_t **evidence, struct ccdm_err *err);
	void *arg;
};

#endif
