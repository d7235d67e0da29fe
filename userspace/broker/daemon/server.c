// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* server.c - see server.h */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "base/file.h"
#include "connection.h"
#include "queue.h"
#include "server.h"

#define HEADERS	 (96 << 10) /* bytes; one of the headers is the token */
#define RETRY	 2	    /* seconds until a guest may try again */
#define LINGER	 2	    /* seconds for the last answers before the end */
#define FILES	 128	    /* open files besides those of connections */
#define RESOURCE CCDM_KBS_PREFIX "/resource/"

struct ccdm_server {
	struct event_base *base;
	struct evhttp *http;
	SSL_CTX *tls;
	ccdm_server_fn answer;
	void *arg;
	struct ccdm_connections connections;
	struct ccdm_queue *queue;
	struct event *work;
	struct evhttp_bound_socket *bound;
	bool stopping;
	uint16_t port;
};

/*
 * Return: NULL on failure. evhttp then goes on without TLS, and ccdm_server_request() refuses all
 * requests of a connection without TLS.
 */
static struct bufferevent *ccdm_server_connection(struct event_base *base, void *arg)
{
	struct ccdm_server *s = arg;

	(void)base;
	return ccdm_connection_new(&s->connections, s->tls);
}

/* ---- requests ---------------------------------------------------------------------- */

/* Find the value of the broker's cookie among others; NULL if it is missing. */
static const char *ccdm_server_cookie(struct evkeyvalq *headers, char *copy, size_t size)
{
	const char *all = evhttp_find_header(headers, "Cookie");
	char *rest = copy, *one;

	if (!all || strlen(all) >= size)
		return NULL;
	memcpy(copy, all, strlen(all) + 1);
	while ((one = strsep(&rest, ";"))) {
		one += strspn(one, " \t");
		if (!strncmp(one, CCDM_COOKIE "=", strlen(CCDM_COOKIE) + 1))
			return one + strlen(CCDM_COOKIE) + 1;
	}
	return NULL;
}

static const char *ccdm_server_bearer(struct evkeyvalq *headers)
{
	const char *value = evhttp_find_header(headers, "Authorization");

	return value && !strncasecmp(value, "Bearer ", 7) ? value + 7 : NULL;
}

/* The connection of a request; NULL if it has ended, or has no TLS. */
static struct ccdm_connection *ccdm_server_of(struct evhttp_request *req)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(req);

	return connection ? ccdm_connection_of(evhttp_connection_get_bufferevent(connection))
			  : NULL;
}

/* The last byte of an answer is on its way: the connection makes room for others again. */
static void ccdm_server_sent(struct evhttp_request *req, void *arg)
{
	struct ccdm_connection *c = ccdm_server_of(req);

	(void)arg;
	if (c)
		ccdm_connection_idle(c);
}

static void ccdm_server_send(struct evhttp_request *req, const struct ccdm_reply *a)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct ccdm_connection *c = ccdm_server_of(req);
	struct evbuffer *body = evbuffer_new();
	char cookie[CCDM_NONCE_COOKIE + 128], date[64];
	time_t expires = (time_t)a->cookie_expires;
	struct tm tm;

	evhttp_add_header(headers, "Content-Type", "application/json");
	if (a->cookie[0] && gmtime_r(&expires, &tm)) {
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		snprintf(cookie, sizeof(cookie), CCDM_COOKIE "=%s; Expires=%s; Secure; HttpOnly",
			 a->cookie, date);
		evhttp_add_header(headers, "Set-Cookie", cookie);
	}
	if (a->retry) {
		snprintf(date, sizeof(date), "%u", a->retry);
		evhttp_add_header(headers, "Retry-After", date);
	}
	if (c)
		ccdm_connection_sending(c);
	evhttp_request_set_on_complete_cb(req, ccdm_server_sent, NULL);
	if (body && a->body)
		evbuffer_add(body, a->body, strlen(a->body));
	evhttp_send_reply(req, body && a->body ? a->status : 500, NULL, body);
	if (body)
		evbuffer_free(body);
}

/* Refuse a request for which there is no place in the queue, or no time before the end. */
static void ccdm_server_busy(struct ccdm_server *s, struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct ccdm_reply reply = { .retry = RETRY };

	if (s->connections.refusals)
		ccdm_refusals_add(s->connections.refusals, CCDM_REFUSED_BUSY, time(NULL));
	if (s->stopping)
		evhttp_add_header(headers, "Connection", "close");
	ccdm_reply_error(&reply, HTTP_SERVUNAVAIL, "AttestationError",
			 s->stopping ? "the broker stops; try again later"
				     : "too many requests; try again later");
	ccdm_server_send(req, &reply);
	free(reply.body);
}

/* Answer a request whose turn it is. */
static void ccdm_server_answer(struct ccdm_server *s, struct evhttp_request *req,
			       struct ccdm_source *source, const char *peer)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	const char *uri = evhttp_request_get_uri(req);
	struct ccdm_reply reply = { .status = 500 };
	struct ccdm_request q = { .now = time(NULL), .source = source, .peer = peer };
	char cookies[4096], path[1024];

	snprintf(path, sizeof(path), "%s", uri ? uri : "");
	path[strcspn(path, "?")] = '\0';
	q.post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
	q.path = path;
	q.cookie = ccdm_server_cookie(headers, cookies, sizeof(cookies));
	q.bearer = ccdm_server_bearer(headers);
	q.size = evbuffer_get_length(in);
	q.body = q.size ? (const char *)evbuffer_pullup(in, -1) : "";
	if (q.body)
		s->answer(&q, &reply, s->arg);
	ccdm_server_send(req, &reply);
	free(reply.body);
}

/* Take a request out of the queue, and answer it or say that there is no place for it. */
static void ccdm_server_end(struct ccdm_server *s, struct ccdm_wait *wait, bool busy)
{
	struct evhttp_request *req = wait->request;
	struct ccdm_connection *c = ccdm_server_of(req);

	if (!c)
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL); /* nobody waits: this frees it */
	else if (busy)
		ccdm_server_busy(s, req);
	else
		ccdm_server_answer(s, req, wait->source, ccdm_connection_peer(c));
	free(wait);
}

/*
 * Answer one request. Between two of them the loop looks at all sockets, so that requests which arrive
 * meanwhile get their place before the next one is chosen.
 */
static void ccdm_server_work(evutil_socket_t fd, short what, void *arg)
{
	struct timeval now = { 0 };
	struct ccdm_server *s = arg;
	struct ccdm_wait *wait = ccdm_queue_take(s->queue);

	(void)fd;
	(void)what;
	if (!wait)
		return;
	evtimer_add(s->work, &now);
	ccdm_server_end(s, wait, false);
}

static enum ccdm_turn ccdm_server_turn(struct evhttp_request *req)
{
	const char *uri = evhttp_request_get_uri(req);
	bool post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;

	if (uri && post && !strcmp(uri, CCDM_KBS_PREFIX "/attest"))
		return CCDM_TURN_ATTEST;
	if (uri && !post && !strncmp(uri, RESOURCE, strlen(RESOURCE)))
		return CCDM_TURN_SECRET;
	return CCDM_TURN_OTHER;
}

static void ccdm_server_request(struct evhttp_request *req, void *arg)
{
	struct ccdm_server *s = arg;
	struct ccdm_connection *c = ccdm_server_of(req);
	struct ccdm_source *source = c ? ccdm_connection_source(c) : NULL;
	struct ccdm_wait *wait = source ? calloc(1, sizeof(*wait)) : NULL, *lost;
	struct timeval now = { 0 };

	if (!wait) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	ccdm_connection_busy(c);
	if (s->stopping) {
		free(wait);
		ccdm_server_busy(s, req);
		return;
	}
	wait->request = req;
	wait->source = source;
	wait->turn = ccdm_server_turn(req);
	if (!evtimer_pending(s->work, NULL))
		evtimer_add(s->work, &now);
	lost = ccdm_queue_add(s->queue, wait);
	if (lost)
		ccdm_server_end(s, lost, true);
}

/* ---- TLS ------------------------------------------------------------------------------ */

static int ccdm_server_tls(const struct ccdm_conf *conf, SSL_CTX **tls, struct ccdm_err *err)
{
	int r = ccdm_file_private(conf->key, err);
	char why[256] = "";
	SSL_CTX *t;

	if (r)
		return r;
	t = SSL_CTX_new(TLS_server_method());
	if (!t || SSL_CTX_set_min_proto_version(t, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(t, 0) != 1) {
		r = ccdm_err_set(err, -EIO, "cannot set up TLS 1.3 with OpenSSL");
	} else if (SSL_CTX_use_certificate_chain_file(t, conf->certificate) != 1) {
		ERR_error_string_n(ERR_get_error(), why, sizeof(why));
		r = ccdm_err_set(err, -EINVAL, "%s: expected a certificate chain: %s",
				 conf->certificate, why);
	} else if (SSL_CTX_use_PrivateKey_file(t, conf->key, SSL_FILETYPE_PEM) != 1 ||
		   SSL_CTX_check_private_key(t) != 1) {
		ERR_error_string_n(ERR_get_error(), why, sizeof(why));
		r = ccdm_err_set(err, -EINVAL, "%s: expected the key of %s: %s", conf->key,
				 conf->certificate, why);
	}
	ERR_clear_error();
	if (r) {
		SSL_CTX_free(t);
		return r;
	}
	ccdm_connection_tls(t);
	SSL_CTX_set_session_cache_mode(t, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(t, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE);
	*tls = t;
	return 0;
}

int ccdm_server_check(const struct ccdm_conf *conf, struct ccdm_err *err)
{
	SSL_CTX *tls;
	int r = ccdm_server_tls(conf, &tls, err);

	if (!r)
		SSL_CTX_free(tls);
	return r;
}

/* Connections for which there are open files. It raises the soft limit if that is necessary. */
static unsigned int ccdm_server_most(const struct ccdm_conf *conf)
{
	const rlim_t want = conf->max_connections + FILES;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return (unsigned int)conf->max_connections;
	if (files.rlim_cur < want) {
		files.rlim_cur = want < files.rlim_max ? want : files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) && getrlimit(RLIMIT_NOFILE, &files))
			return 1;
	}
	if (files.rlim_cur >= want)
		return (unsigned int)conf->max_connections;
	return files.rlim_cur > FILES + FILES ? (unsigned int)(files.rlim_cur - FILES) : FILES;
}

/* Places in the queue. */
static unsigned int ccdm_server_places(const struct ccdm_conf *conf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return conf->queue ? (unsigned int)conf->queue : 64 * (cores > 0 ? (unsigned int)cores : 1);
}

int ccdm_server_reload(struct ccdm_server *s, const struct ccdm_conf *conf, struct ccdm_err *err)
{
	SSL_CTX *tls;
	int r = ccdm_server_tls(conf, &tls, err);

	if (r)
		return r;
	SSL_CTX_free(s->tls); /* connections that use the old context hold a reference */
	s->tls = tls;
	s->connections.most = ccdm_server_most(conf);
	s->connections.timeout = (unsigned int)conf->timeout;
	s->connections.handshake =
		(unsigned int)(conf->handshake < conf->timeout ? conf->handshake : conf->timeout);
	s->connections.limits = ccdm_conf_limits(conf);
	s->connections.proxies = conf->proxy_list;
	ccdm_queue_limit(s->queue, ccdm_server_places(conf));
	evhttp_set_max_body_size(s->http, (ev_ssize_t)conf->max_body);
	evhttp_set_timeout(s->http, (int)conf->timeout);
	return 0;
}

/* ---- listening -------------------------------------------------------------------------- */

static int ccdm_server_listen(struct ccdm_server *s, const struct ccdm_conf *conf,
			      struct ccdm_err *err)
{
	struct evhttp_bound_socket *bound =
		evhttp_bind_socket_with_handle(s->http, conf->listen, conf->port);
	struct sockaddr_in6 name = { 0 };
	socklen_t size = sizeof(name);
	const int on = 1;

	if (!bound ||
	    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &size))
		return ccdm_err_set(err, errno ? -errno : -EINVAL, "%s, port %u: %s", conf->listen,
				    (unsigned int)conf->port, strerror(errno));
	/*
	 * Headers and body are two packets: send the second one without waiting for the first's
	 * ACK.
	 */
	setsockopt(evhttp_bound_socket_get_fd(bound), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->bound = bound;
	/* sin6_port and sin_port have the same offset */
	s->port = ntohs(name.sin6_port);
	return 0;
}

int ccdm_server_new(struct event_base *base, const struct ccdm_conf *conf, ccdm_server_fn answer,
		    void *arg, struct ccdm_server **server, struct ccdm_err *err)
{
	struct ccdm_server *s = calloc(1, sizeof(*s));
	int r = 0;

	*server = NULL;
	if (s) {
		s->http = evhttp_new(base);
		s->queue = ccdm_queue_new(1);
		s->work = evtimer_new(base, ccdm_server_work, s);
		s->connections.sources = ccdm_sources_new();
		s->connections.base = base;
	}
	if (!s || !s->http || !s->queue || !s->work || !s->connections.sources)
		r = ccdm_err_memory(err);
	if (!r) {
		s->base = base;
		s->answer = answer;
		s->arg = arg;
		r = ccdm_server_reload(s, conf, err);
	}
	if (!r) {
		evhttp_set_bevcb(s->http, ccdm_server_connection, s);
		evhttp_set_gencb(s->http, ccdm_server_request, s);
		evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
		evhttp_set_max_headers_size(s->http, HEADERS);
		evhttp_set_default_content_type(s->http, NULL);
		r = ccdm_server_listen(s, conf, err);
	}
	if (r) {
		ccdm_server_free(s);
		return r;
	}
	*server = s;
	return 0;
}

static void ccdm_server_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/*
 * Listen no longer, and tell guests that wait to try again. The loop sends these answers, and those to
 * requests that have arrived meanwhile, for LINGER seconds at most.
 */
static void ccdm_server_stop(struct ccdm_server *s)
{
	const struct timeval linger = { .tv_sec = LINGER };
	struct ccdm_wait *wait;
	bool late = false;
	struct event *end;

	s->stopping = true;
	/* connections and requests that the shutdown ends were not refused */
	s->connections.refusals = NULL;
	evhttp_del_accept_socket(s->http, s->bound);
	while ((wait = ccdm_queue_take(s->queue)))
		ccdm_server_end(s, wait, true);
	end = evtimer_new(s->base, ccdm_server_late, &late);
	if (!end || evtimer_add(end, &linger))
		late = true;
	event_base_loop(s->base, EVLOOP_NONBLOCK);
	while (!late && s->connections.busy)
		event_base_loop(s->base, EVLOOP_ONCE);
	if (end)
		event_free(end);
}

void ccdm_server_free(struct ccdm_server *s)
{
	if (!s)
		return;
	if (s->bound)
		ccdm_server_stop(s);
	if (s->http)
		evhttp_free(s->http);
	/* libevent closes connections only in its loop. */
	if (s->base)
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	if (s->work)
		event_free(s->work);
	ccdm_queue_free(s->queue);
	ccdm_sources_free(s->connections.sources);
	SSL_CTX_free(s->tls);
	free(s);
}

void ccdm_server_count(struct ccdm_server *s, struct ccdm_refusals *refusals)
{
	s->connections.refusals = refusals;
}

uint16_t ccdm_server_port(const struct ccdm_server *s)
{
	return s->port;
}

unsigned int ccdm_server_connections(const struct ccdm_server *s)
{
	return s->connections.most;
}
