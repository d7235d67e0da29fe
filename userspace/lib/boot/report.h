/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* report.h - /run/ccdm/boot.json, the results of the boot's steps */
#ifndef CCDM_REPORT_H
#define CCDM_REPORT_H

#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_RUN	 "/run/ccdm"
#define CCDM_REPORT_FILE CCDM_RUN "/boot.json"
#define CCDM_REPORT_MAX	 65536

/* Put @value, which is taken over, under @key; the file is replaced in one step. */
int __must_check ccdm_report_put(const char *key, json_t *value, struct ccdm_err *err);

/* The whole report; the caller drops it. NULL: none (@err says why). */
json_t *ccdm_report_load(struct ccdm_err *err);

#endif
