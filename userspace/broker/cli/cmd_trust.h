/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* cmd_trust.h - output of the verbs of ccdm-broker trust */
#ifndef CCDM_BROKER_CMD_TRUST_H
#define CCDM_BROKER_CMD_TRUST_H

#include "base/compiler.h"
#include "cli.h"
#include "trust/trust_keep.h"

/* The output so far; initialise @json, and @list with an array. */
struct trust_output {
	bool json;
	json_t *list;
	unsigned int count, failed;
	bool reload;
	struct ccdm_err unused;
};

/* Report the result for a piece. @err: NULL if it was stored. */
void trust_said(struct trust_output *out, const char *from, const struct ccdm_kept *kept,
		const struct ccdm_err *err);

/* End the output. @r: the first error. Return: the verb's result. */
int __must_check trust_end(struct trust_output *out, int r, struct ccdm_err *err);

#endif
