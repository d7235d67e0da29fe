/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * server.h - HTTPS for the broker, through libevent and OpenSSL
 *
 * TLS 1.3 alone, without tickets or early data. A connection has so many seconds in all,
 * whatever it does; there are so many of them and no more.
 */
#ifndef CCDM_BROKER_SERVER_H
#define CCDM_BROKER_SERVER_H

#include "base/compiler.h"
#include "core/conf.h"
#include "core/refusals.h"
#include "core/request.h"

struct event_base;

/* Listens, and answers; opaque. */
struct ccdm_server;

/* Who answers: @reply's body is freed by the server. */
typedef void (*ccdm_server_fn)(const struct ccdm_request *request, struct ccdm_reply *reply,
			       void *arg);

/**
 * ccdm_server_new() - listen
 * @base: the loop
 * @conf: address, certificate, limits
 * @answer: called for each request
 * @arg: passed on
 * @server: set
 *
 * Return: 0, -EINVAL for a certificate or key that cannot be used, -EADDRINUSE, ...
 */
int __must_check ccdm_server_new(struct event_base *base, const struct ccdm_conf *conf,
				 ccdm_server_fn answer, void *arg, struct ccdm_server **server,
				 struct ccdm_err *err);
void ccdm_server_free(struct ccdm_server *server); /* accepts NULL */

/* Where to count connections that end without a request; NULL, as at first: nowhere. */
void ccdm_server_count(struct ccdm_server *server, struct ccdm_refusals *refusals);

/* Can certificate and key be used? */
int __must_check ccdm_server_check(const struct ccdm_conf *conf, struct ccdm_err *err);

/* Certificate and key anew; connections that there are keep theirs. After an error nothing is changed. */
int __must_check ccdm_server_reload(struct ccdm_server *server, const struct ccdm_conf *conf,
				    struct ccdm_err *err);

/* The port it listens on, which is of use if it was 0. */
uint16_t ccdm_server_port(const struct ccdm_server *server);

#endif
