/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* client.h - the admin tool's end of the broker's socket */
#ifndef CCDM_BROKER_CLIENT_H
#define CCDM_BROKER_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_client_ask() - ask a running broker
 * @socket: its path
 * @question: as admin.h says; dropped
 * @answer: set; the caller drops it
 *
 * Return: 0; -ECONNREFUSED if no broker listens; what the broker answers, as -errno of
 * the same exit code.
 */
int __must_check ccdm_client_ask(const char *socket, json_t *question, json_t **answer,
				 struct ccdm_err *err);

/* Does a broker listen there? */
bool __must_check ccdm_client_there(const char *socket);

#endif
