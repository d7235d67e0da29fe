/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* adminsock.h - the socket of the admin tool: requests and answers as lines */
#ifndef CCDM_BROKER_ADMINSOCK_H
#define CCDM_BROKER_ADMINSOCK_H

#include "base/compiler.h"
#include "base/err.h"

struct ccdm_broker;
struct event_base;

/* A listening socket; opaque. */
struct ccdm_adminsock;

/**
 * ccdm_adminsock_new() - listen
 * @path: replaced if it exists; mode 0660, for a group of its own
 * @broker: the broker that requests administer
 *
 * Return: 0, or errors of bind(2).
 */
int __must_check ccdm_adminsock_new(struct event_base *base, const char *path,
				    struct ccdm_broker *broker, struct ccdm_adminsock **sock,
				    struct ccdm_err *err);
void ccdm_adminsock_free(struct ccdm_adminsock *sock); /* accepts NULL */

#endif
