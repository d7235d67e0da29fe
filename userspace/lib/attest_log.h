/* SPDX-License-Identifier: Apache-2.0 */
/* attest_log.h - what evidence of every kind carries beside its signature: logs */
#ifndef CCDM_ATTEST_LOG_H
#define CCDM_ATTEST_LOG_H

#include <stddef.h>
#include "ui.h"

/* Text of bytes, as a value; NULL: out of memory. */
json_t *ccdm_attest_base64(const void *bytes, size_t size);

/**
 * ccdm_attest_file() - a file as a member of an object
 * @o: the object
 * @key: name of the member
 * @file: path; one that there is not adds nothing
 * @max: most bytes it may have
 * @text: as it is, else in base64
 *
 * Return: 0, -EFBIG, -ENOMEM, or what reading it says.
 */
int ccdm_attest_file(json_t *o, const char *key, const char *file, size_t max, bool text,
		     struct ccdm_err *err);

/* "ccdm_log" and "systemd_log", as far as they are here. */
int ccdm_attest_logs(json_t *o, struct ccdm_err *err);

#endif
