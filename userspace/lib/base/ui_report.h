/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* ui_report.h - print results: JSON for --json, and the checks of a verdict */
#ifndef CCDM_UI_REPORT_H
#define CCDM_UI_REPORT_H

#include <jansson.h>
#include "compiler.h"
#include "err.h"
#include "verdict.h"

/**
 * ccdm_ui_json() - print an object as one JSON text with a newline
 * @object: taken; NULL: its creation failed
 *
 * Return: 0, -ENOMEM, -EIO.
 */
int __must_check ccdm_ui_json(json_t *object, struct ccdm_err *err);

/* Print each check of a verdict as a line: "ok", "allowed" or "FAILED", its name, what was found. */
void ccdm_ui_checks(const struct ccdm_verdict *v);

#endif
