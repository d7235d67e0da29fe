// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* connection.c - see connection.h */
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include "base/clock.h"
#include "connection.h"

#define SEARCH 1024 /* idle connections that are looked at for one that makes room */

struct ccdm_connection {
	struct ccdm_connections *all;
	struct bufferevent *bev;
	struct event *admit, *timer;
	struct ccdm_source *source; /* NULL: not admitted, or no longer */
	struct ccdm_connection *prev, *next;
	int64_t begun;	       /* milliseconds */
	enum ccdm_refusal why; /* if it ends without a request */
	bool idle, asked;
};

/* ---- idle connections ------------------------------------------------------------------ */

static void ccdm_connection_unlink(struct ccdm_connection *c)
{
	struct ccdm_connections *all = c->all;

	if (!c->idle)
		return;
	*(c->prev ? &c->prev->next : &all->first) = c->next;
	*(c->next ? &c->next->prev : &all->last) = c->prev;
	c->prev = NULL;
	c->next = NULL;
	c->idle = false;
}

void ccdm_connection_idle(struct ccdm_connection *c)
{
	struct ccdm_connections *all = c->all;

	if (c->idle || !c->source)
		return;
	c->prev = all->last;
	*(all->last ? &all->last->next : &all->first) = c;
	all->last = c;
	c->idle = true;
}

void ccdm_connection_busy(struct ccdm_connection *c)
{
	c->asked = true;
	ccdm_connection_unlink(c);
}

/* Count the connection no longer. */
static void ccdm_connection_leave(struct ccdm_connection *c)
{
	ccdm_connection_unlink(c);
	if (!c->source)
		return;
	c->source->connections--;
	c->source = NULL;
	c->all->count--;
}

/* ---- the end ------------------------------------------------------------------------------ */

static void ccdm_connection_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
				 void *argp)
{
	struct ccdm_connection *c = ptr;

	(void)parent;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	if (!c)
		return;
	if (c->all->refusals && !c->asked)
		ccdm_refusals_add(c->all->refusals, c->why, time(NULL));
	ccdm_connection_leave(c);
	event_free(c->admit);
	event_free(c->timer);
	free(c);
}

static int ccdm_connection_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, ccdm_connection_free);
	return index;
}

/* Close it at once: evhttp sees the end of the connection, whatever the peer has sent. */
static void ccdm_connection_drop(struct ccdm_connection *c, enum ccdm_refusal why)
{
	c->why = why;
	ccdm_connection_leave(c);
	bufferevent_trigger_event(c->bev, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
}

/* The time limit has passed: shut the socket down, and evhttp notices the end. */
static void ccdm_connection_late(evutil_socket_t fd, short what, void *arg)
{
	struct ccdm_connection *c = arg;
	evutil_socket_t socket = bufferevent_getfd(c->bev);

	(void)fd;
	(void)what;
	c->why = CCDM_REFUSED_LATE;
	if (socket >= 0)
		shutdown(socket, SHUT_RDWR);
}

static void ccdm_connection_info(const SSL *ssl, int where, int ret)
{
	struct ccdm_connection *c = SSL_get_ex_data(ssl, ccdm_connection_index());
	struct timeval left = { 0 };
	int64_t ms;

	(void)ret;
	if (!c || !(where & SSL_CB_HANDSHAKE_DONE) || c->why != CCDM_REFUSED_TLS)
		return;
	c->why = CCDM_REFUSED_REQUEST;
	ms = c->begun + 1000LL * c->all->timeout - ccdm_clock_ms();
	if (ms > 0)
		left = (struct timeval){ ms / 1000, ms % 1000 * 1000 };
	evtimer_add(c->timer, &left);
}

/* ---- the beginning -------------------------------------------------------------------------- */

/*
 * Find the connection that makes room for one more of @source: the oldest idle one of the address that
 * has the most. Return: NULL if @source itself would have the most, and has no idle one.
 */
static struct ccdm_connection *ccdm_connection_victim(const struct ccdm_connections *all,
						      const struct ccdm_source *source)
{
	unsigned int most = source->connections, i = 0, n;
	struct ccdm_connection *c, *victim = NULL;

	for (c = all->first; c && i < SEARCH; c = c->next, i++) {
		n = c->source->connections + (c->source == source);
		if (n > most) {
			most = n;
			victim = c;
		}
	}
	return victim;
}

/* Admit a connection whose socket is known, or close it. */
static void ccdm_connection_admit(evutil_socket_t fd, short what, void *arg)
{
	struct sockaddr_storage name = { 0 };
	struct ccdm_connection *c = arg, *victim;
	struct ccdm_connections *all = c->all;
	socklen_t size = sizeof(name);
	struct ccdm_source *source;
	int64_t us = ccdm_clock_ms() * 1000;

	(void)fd;
	(void)what;
	if (getpeername(bufferevent_getfd(c->bev), (struct sockaddr *)&name, &size)) {
		ccdm_connection_drop(c, CCDM_REFUSED_TLS);
		return;
	}
	source = ccdm_sources_find(all->sources, (struct sockaddr *)&name, us);
	if (!ccdm_limit_connect(&all->limits, source, us)) {
		ccdm_connection_drop(c, CCDM_REFUSED_RATE);
		return;
	}
	if (all->count >= all->most) {
		victim = ccdm_connection_victim(all, source);
		if (!victim) {
			ccdm_connection_drop(c, CCDM_REFUSED_CONNECTIONS);
			return;
		}
		ccdm_connection_drop(victim, CCDM_REFUSED_CONNECTIONS);
	}
	c->source = source;
	source->connections++;
	all->count++;
	ccdm_connection_idle(c);
}

void ccdm_connection_tls(SSL_CTX *tls)
{
	SSL_CTX_set_info_callback(tls, ccdm_connection_info);
}

struct bufferevent *ccdm_connection_new(struct ccdm_connections *all, SSL_CTX *tls)
{
	struct timeval handshake = { .tv_sec = (time_t)all->handshake };
	struct ccdm_connection *c = calloc(1, sizeof(*c));
	SSL *ssl = c ? SSL_new(tls) : NULL;
	struct bufferevent *bev;

	if (ssl) {
		c->all = all;
		c->why = CCDM_REFUSED_TLS;
		c->begun = ccdm_clock_ms();
		c->admit = evtimer_new(all->base, ccdm_connection_admit, c);
		c->timer = evtimer_new(all->base, ccdm_connection_late, c);
	}
	if (!ssl || !c->admit || !c->timer ||
	    SSL_set_ex_data(ssl, ccdm_connection_index(), c) != 1) {
		SSL_free(ssl);
		if (c && c->admit)
			event_free(c->admit);
		if (c && c->timer)
			event_free(c->timer);
		free(c);
		return NULL;
	}
	evtimer_add(c->timer, &handshake);
	/* On failure this call has freed the SSL object and with it the connection. */
	bev = bufferevent_openssl_socket_new(all->base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		return NULL;
	c->bev = bev;
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	/* The caller sets the socket; this event runs before any event of the socket. */
	event_active(c->admit, EV_TIMEOUT, 0);
	return bev;
}

struct ccdm_connection *ccdm_connection_of(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	return ssl ? SSL_get_ex_data(ssl, ccdm_connection_index()) : NULL;
}

struct ccdm_source *ccdm_connection_source(const struct ccdm_connection *c)
{
	return c->source;
}
