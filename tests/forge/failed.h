/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* failed.h - names of a verdict's failed checks */
#ifndef CCDM_TEST_FAILED_H
#define CCDM_TEST_FAILED_H

#include <stdio.h>
#include <string.h>
#include "base/verdict.h"

/* The names of the failed checks, separated by spaces. */
static const char *failed(const struct ccdm_verdict *v)
{
	static char text[512];
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < v->count; i++)
		if (!v->check[i].passed)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? " " : "", v->check[i].name);
	return text;
}

#endif
