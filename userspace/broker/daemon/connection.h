/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * connection.h - connections of guests: who may open one, how long it lasts, who makes room
 *
 * An address that opens connections too fast is refused before the TLS handshake. If there are too many
 * connections, the oldest idle one makes room: of the address that has the most. So an address with
 * many idle connections loses its own ones, and an address with few gets in.
 */
#ifndef CCDM_BROKER_CONNECTION_H
#define CCDM_BROKER_CONNECTION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/time.h>
#include "base/compiler.h"
#include "core/limit.h"
#include "core/refusals.h"

struct bufferevent;
struct event_base;

/* A connection; opaque. It is freed together with its SSL object. */
struct ccdm_connection;

/**
 * struct ccdm_connections - all connections
 * @base, @sources: borrowed
 * @refusals: counts connections that end without a request; NULL: do not count
 * @limits: of one address
 * @most: connections in all
 * @handshake, @timeout: seconds until TLS is up, and for the whole connection
 * @count: open connections
 * @first, @last: idle connections, the oldest first
 */
struct ccdm_connections {
	struct event_base *base;
	struct ccdm_sources *sources;
	struct ccdm_refusals *refusals;
	struct ccdm_limits limits;
	unsigned int most;
	unsigned int handshake;
	unsigned int timeout;
	unsigned int count;
	struct ccdm_connection *first, *last;
};

/* Make SSL objects of @tls report the end of the handshake. */
void ccdm_connection_tls(SSL_CTX *tls);

/**
 * ccdm_connection_new() - make the bufferevent of a new connection
 *
 * Its socket is not known yet. As soon as it is, and before TLS, the connection is admitted or closed.
 *
 * Return: NULL on failure.
 */
struct bufferevent *ccdm_connection_new(struct ccdm_connections *all, SSL_CTX *tls);

/* Return: NULL if @bev has no TLS. */
struct ccdm_connection *ccdm_connection_of(struct bufferevent *bev);

struct ccdm_source *ccdm_connection_source(const struct ccdm_connection *c);

/* A request has arrived: the connection makes no room until it is idle again. */
void ccdm_connection_busy(struct ccdm_connection *c);
void ccdm_connection_idle(struct ccdm_connection *c);

#endif
