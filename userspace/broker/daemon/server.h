/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * server.h - HTTPS for the broker, through libevent and OpenSSL
 *
 * Only TLS 1.3, without tickets or early data. A connection has a time limit in total,
 * and the number of connections has a limit.
 */
#ifndef CCDM_BROKER_SERVER_H
#define CCDM_BROKER_SERVER_H

#include "base/compiler.h"
#include "core/conf.h"
#include "core/refusals.h"
#include "core/request.h"

struct event_base;

/* A listening server; opaque. */
struct ccdm_server;

/* Answers a request. The server frees @reply's body. */
typedef void (*ccdm_server_fn)(const struct ccdm_request *request, struct ccdm_reply *reply,
			       void *arg);

/**
 * ccdm_server_new() - listen
 * @base: the loop
 * @conf: address, certificate, limits
 * @answer: called for each request
 * @arg: argument of the callback
 * @server: set
 *
 * Return: 0, -EINVAL for a certificate or key that cannot be used, -EADDRINUSE, ...
 */
int __must_check ccdm_server_new(struct event_base *base, const struct ccdm_conf *conf,
				 ccdm_server_fn answer, void *arg, struct ccdm_server **server,
				 struct ccdm_err *err);

/* Answer the requests that wait with 503, and close. Accepts NULL. */
void ccdm_server_free(struct ccdm_server *server);

/* Count connections that end without a request in @refusals; NULL (the default): do not count. */
void ccdm_server_count(struct ccdm_server *server, struct ccdm_refusals *refusals);

/* Check that certificate and key can be used. */
int __must_check ccdm_server_check(const struct ccdm_conf *conf, struct ccdm_err *err);

/* Reload certificate and key; open connections keep theirs. An error changes nothing. */
int __must_check ccdm_server_reload(struct ccdm_server *server, const struct ccdm_conf *conf,
				    struct ccdm_err *err);

/* The connections that it accepts: fewer than in the configuration if the process may not open as many. */
unsigned int ccdm_server_connections(const struct ccdm_server *server);

/* The port it listens on; useful if the configured port is 0. */
uint16_t ccdm_server_port(const struct ccdm_server *server);

#endif
