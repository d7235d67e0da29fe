/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * admin.h - requests of administrators to a running broker
 *
 * One JSON object a line over a socket of AF_UNIX, {"do": WORD, ...}, and one back:
 * {"error": TEXT, "code": exit code} or the result. A user who can open the socket is an
 * administrator; it is never reached over TCP.
 *
 *	policy-add {text, dry-run}	policy-list	policy-remove {name}
 *	secret-put {path, value}	secret-list	secret-remove {path}	secrets-reseal
 *	explain {evidence}	status: see status.h
 *	note {what, result, name, ...}: see note.h
 */
#ifndef CCDM_BROKER_ADMIN_H
#define CCDM_BROKER_ADMIN_H

#include <jansson.h>
#include "broker.h"

#define CCDM_ADMIN_MAX (8 << 20) /* bytes of a line */

/**
 * ccdm_admin_answer() - execute the request in a line
 * @line, @size: untrusted in form; may hold a secret, which is wiped
 * @who: user, for the audit log
 * @now: seconds since 1970
 *
 * Return: the answer, which the caller drops; NULL: out of memory.
 */
json_t *ccdm_admin_answer(struct ccdm_broker *broker, char *line, size_t size, const char *who,
			  int64_t now);

#endif
