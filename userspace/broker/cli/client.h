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
 * ccdm_client_ask() - send a request to a running broker
 * @socket: its path
 * @question: see admin.h; dropped
 * @answer: set; the caller drops it
 *
 * Return: 0; -ECONNREFUSED if no broker listens; the broker's error, as -errno of
 * the same exit code.
 */
int __must_check ccdm_client_ask(const char *socket, json_t *question, json_t **answer,
				 struct ccdm_err *err);

/* True if a broker listens on this socket. */
bool __must_check ccdm_client_there(const char *socket);

#endif
