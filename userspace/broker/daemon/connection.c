// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* connection.c - see connection.h */
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "base/clock.h"
#include "connection.h"
#include "proxied.h"

#define SEARCH 1024 /* idle connections that are looked at for one that makes room */

struct ccdm_connection {
	struct ccdm_connections *all;
	struct bufferevent *bev;
	struct event *admit, *timer;
	struct ccdm_source *source; /* NULL: not admitted, or no longer */
	struct ccdm_connection *prev, *next;
	int64_t begun;			   /* milliseconds */
	enum ccdm_refusal why;		   /* if it ends without a request */
	struct ccdm_connection_list *list; /* that it is in; NULL: it makes no room */
	bool busy, asked;
	char peer[64];
};

/* ---- idle connections ------------------------------------------------------------------ */

static void ccdm_connection_unlink(struct ccdm_connection *c)
{
	struct ccdm_connection_list *list = c->list;

	if (!list)
		return;
	*(c->prev ? &c->prev->next : &list->first) = c->next;
	*(c->next ? &c->next->prev : &list->last) = c->prev;
	c->prev = NULL;
	c->next = NULL;
	c->list = NULL;
}

static void ccdm_connection_link(struct ccdm_connection *c, struct ccdm_connection_list *list)
{
	ccdm_connection_unlink(c);
	if (!c->source)
		return;
	c->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = c;
	list->last = c;
	c->list = list;
}

static void ccdm_connection_rest(struct ccdm_connection *c)
{
	c->all->busy -= c->busy;
	c->busy = false;
}

void ccdm_connection_idle(struct ccdm_connection *c)
{
	ccdm_connection_rest(c);
	if (c->list != &c->all->idle)
		ccdm_connection_link(c, &c->all->idle);
}

void ccdm_connection_sending(struct ccdm_connection *c)
{
	ccdm_connection_link(c, &c->all->sending);
}

void ccdm_connection_busy(struct ccdm_connection *c)
{
	c->asked = true;
	c->all->busy += !c->busy;
	c->busy = true;
	ccdm_connection_unlink(c);
}

/* Count the connection no longer. */
static void ccdm_connection_leave(struct ccdm_connection *c)
{
	ccdm_connection_unlink(c);
	ccdm_connection_rest(c);
	if (!c->source)
		return;
	ccdm_source_hold(c->source, CCDM_HELD_CONNECTIONS, -1);
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
	if (c->asked && c->all->refusals)
		c->all->refusals->late++;
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
 * Find the connection that makes room for one more of @source: of the address that has the most, the oldest
 * idle one, or else the one whose answer began first. Return: NULL if @source itself would have the most,
 * and has none of these.
 */
static struct ccdm_connection *ccdm_connection_victim(const struct ccdm_connections *all,
						      const struct ccdm_source *source)
{
	const struct ccdm_connection_list *lists[] = { &all->idle, &all->sending };
	const struct ccdm_source *most = source;
	struct ccdm_connection *c, *victim = NULL;
	unsigned int i, n;

	for (i = 0; i < 2; i++)
		for (c = lists[i]->first, n = 0; c && n < SEARCH; c = c->next, n++)
			if ((!victim && c->source == source) ||
			    ccdm_source_yields(c->source, most, source, CCDM_HELD_CONNECTIONS)) {
				victim = c;
				most = c->source;
			}
	return victim;
}

/* Count the connection as one of @source; another one makes room. Return: CCDM_REFUSALS if it may stay. */
static enum ccdm_refusal ccdm_connection_enter(struct ccdm_connection *c,
					       struct ccdm_source *source)
{
	struct ccdm_connections *all = c->all;
	struct ccdm_connection *victim;

	if (all->count >= all->most) {
		victim = ccdm_connection_victim(all, source);
		if (!victim)
			return CCDM_REFUSED_CONNECTIONS;
		if (all->refusals)
			all->refusals->evicted++;
		ccdm_connection_drop(victim, CCDM_REFUSED_CONNECTIONS);
	}
	c->source = source;
	ccdm_source_hold(source, CCDM_HELD_CONNECTIONS, 1);
	all->count++;
	ccdm_connection_idle(c);
	return CCDM_REFUSALS;
}

static void ccdm_connection_name(struct ccdm_connection *c, const struct sockaddr *name)
{
	if (getnameinfo(name, sizeof(struct sockaddr_storage), c->peer, sizeof(c->peer), NULL, 0,
			NI_NUMERICHOST))
		c->peer[0] = '\0';
}

/* Let an address in, or not. Return: CCDM_REFUSALS if it may stay. */
static enum ccdm_refusal ccdm_connection_judge(struct ccdm_connection *c,
					       const struct sockaddr *name)
{
	struct ccdm_connections *all = c->all;
	struct ccdm_source *source;

	ccdm_connection_name(c, name);
	source = ccdm_limit_connect(&all->limits, all->sources, name, ccdm_clock_ms() * 1000);
	return source ? ccdm_connection_enter(c, source) : CCDM_REFUSED_RATE;
}

/*
 * The load balancer's header has come. OpenSSL is reading, so this connection must not be closed here: it
 * ends when OpenSSL reports the error. @address: NULL: the load balancer is the peer.
 */
static bool ccdm_connection_proxied(void *arg, bool valid, const struct sockaddr *address)
{
	struct ccdm_connection *c = arg;
	enum ccdm_refusal why = CCDM_REFUSED_PROXY;

	/* Until now it was the load balancer's; if it has made room for another one, it ends. */
	if (!c->source)
		return false;
	if (valid && !address)
		return true;
	ccdm_connection_leave(c);
	if (valid)
		why = ccdm_connection_judge(c, address);
	if (why != CCDM_REFUSALS)
		c->why = why;
	return why == CCDM_REFUSALS;
}

/* A connection of a load balancer: it has no limit of connections in a second. */
static enum ccdm_refusal ccdm_connection_balancer(struct ccdm_connection *c,
						  const struct sockaddr *name)
{
	struct ccdm_source *source =
		ccdm_sources_find(c->all->sources, name, NULL, NULL, ccdm_clock_ms() * 1000);

	ccdm_connection_name(c, name);
	if (ccdm_proxied_start(bufferevent_openssl_get_ssl(c->bev), ccdm_connection_proxied, c))
		return CCDM_REFUSED_TLS;
	return ccdm_connection_enter(c, source);
}

/* Admit a connection whose socket is known, or close it. */
static void ccdm_connection_admit(evutil_socket_t fd, short what, void *arg)
{
	struct sockaddr_storage name = { 0 };
	struct ccdm_connection *c = arg;
	enum ccdm_refusal why = CCDM_REFUSED_TLS;
	socklen_t size = sizeof(name);

	(void)fd;
	(void)what;
	if (!getpeername(bufferevent_getfd(c->bev), (struct sockaddr *)&name, &size)) {
		if (ccdm_proxies_has(&c->all->proxies, (struct sockaddr *)&name))
			why = ccdm_connection_balancer(c, (struct sockaddr *)&name);
		else
			why = ccdm_connection_judge(c, (struct sockaddr *)&name);
	}
	if (why != CCDM_REFUSALS)
		ccdm_connection_drop(c, why);
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

const char *ccdm_connection_peer(const struct ccdm_connection *c)
{
	return c->peer;
}
