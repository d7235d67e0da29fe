/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * connection.h - connections of guests: who may open one, how long it lasts, who makes room
 *
 * An address that opens connections too fast is refused before the TLS handshake. If there are too many
 * connections, the oldest idle one makes room: of the address that has the most. So an address with
 * many idle connections loses its own ones, and an address with few gets in. A connection with a request in
 * the queue makes no room. One that receives its answer does so only after the idle ones of the same address:
 * a peer that does not read its answers must not keep its place.
 *
 * A load balancer says in a header for which address it connects; this address counts.
 */
#ifndef CCDM_BROKER_CONNECTION_H
#define CCDM_BROKER_CONNECTION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/time.h>
#include "base/compiler.h"
#include "core/limit.h"
#include "core/proxy.h"
#include "core/refusals.h"

struct bufferevent;
struct event_base;

/* A connection; opaque. It is freed together with its SSL object. */
struct ccdm_connection;

/* Connections, the oldest first. */
struct ccdm_connection_list {
	struct ccdm_connection *first, *last;
};

/**
 * struct ccdm_connections - all connections
 * @base, @sources: borrowed
 * @refusals: counts connections that end without a request; NULL: do not count
 * @limits: of one address
 * @proxies: addresses of load balancers
 * @most: connections in all
 * @handshake, @timeout: seconds until TLS is up, and for the whole connection
 * @count: open connections
 * @busy: those with a request, or an answer on its way
 * @idle: without a request
 * @sending: with an answer on its way
 */
struct ccdm_connections {
	struct event_base *base;
	struct ccdm_sources *sources;
	struct ccdm_refusals *refusals;
	struct ccdm_limits limits;
	struct ccdm_proxies proxies;
	unsigned int most;
	unsigned int handshake;
	unsigned int timeout;
	unsigned int count;
	unsigned int busy;
	struct ccdm_connection_list idle, sending;
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

/* Its address, for the log. */
const char *ccdm_connection_peer(const struct ccdm_connection *c);

/* A request has arrived; then its answer begins; then its last byte is on its way. */
void ccdm_connection_busy(struct ccdm_connection *c);
void ccdm_connection_sending(struct ccdm_connection *c);
void ccdm_connection_idle(struct ccdm_connection *c);

#endif
