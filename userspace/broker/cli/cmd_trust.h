/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* cmd_trust.h - what the verbs of ccdm-broker trust share */
#ifndef CCDM_BROKER_CMD_TRUST_H
#define CCDM_BROKER_CMD_TRUST_H

#include "base/compiler.h"
#include "cli.h"
#include "trust/trust_keep.h"

/* What was said so far; begins with @json and an array in @list. */
struct trust_output {
	bool json;
	json_t *list;
	unsigned int count, failed;
	bool reload;
	struct ccdm_err unused;
};

/* Say what became of a piece. @err: NULL if it was kept. */
void trust_said(struct trust_output *out, const char *from, const struct ccdm_kept *kept,
		const struct ccdm_err *err);

/* The end of it; @r: the first error. Return: the verb's result. */
int __must_check trust_end(struct trust_output *out, int r, struct ccdm_err *err);

#endif
