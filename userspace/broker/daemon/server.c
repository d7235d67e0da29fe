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
#include <sys/socket.h>
#include <time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "base/file.h"
#include "server.h"

#define HEADERS (96 << 10) /* bytes; one of the headers is the token */

struct ccdm_server {
	struct event_base *base;
	struct evhttp *http;
	SSL_CTX *tls;
	ccdm_server_fn answer;
	void *arg;
	struct timeval timeout;
	struct ccdm_refusals *refusals;
	unsigned int connections, max_connections;
	uint16_t port;
};

/* The state of one connection; freed together with its SSL object. */
struct ccdm_connection {
	struct ccdm_server *server;
	struct bufferevent *bev;
	struct event *timer;
	bool many, late, tls, asked;
};

/* ---- connections ------------------------------------------------------------- */

/* The time limit has passed: shut the socket down, and evhttp notices the end. */
static void ccdm_connection_late(evutil_socket_t fd, short what, void *arg)
{
	struct ccdm_connection *c = arg;
	evutil_socket_t socket = bufferevent_getfd(c->bev);

	(void)fd;
	(void)what;
	c->late = true;
	if (socket >= 0)
		shutdown(socket, SHUT_RDWR);
}

/* Count a connection that ends without a request. */
static void ccdm_connection_refused(const struct ccdm_connection *c)
{
	enum ccdm_refusal why = c->many	  ? CCDM_REFUSED_CONNECTIONS
				: c->late ? CCDM_REFUSED_LATE
				: c->tls  ? CCDM_REFUSED_REQUEST
					  : CCDM_REFUSED_TLS;

	if (c->server->refusals && !c->asked)
		ccdm_refusals_add(c->server->refusals, why, time(NULL));
}

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
	ccdm_connection_refused(c);
	c->server->connections--;
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

static void ccdm_connection_info(const SSL *ssl, int where, int ret)
{
	struct ccdm_connection *c = SSL_get_ex_data(ssl, ccdm_connection_index());

	(void)ret;
	if (c && where & SSL_CB_HANDSHAKE_DONE)
		c->tls = true;
}

/*
 * Return: NULL on failure. evhttp then goes on without TLS, and ccdm_server_request() refuses all
 * requests of a connection without TLS.
 */
static struct bufferevent *ccdm_connection_new(struct event_base *base, void *arg)
{
	struct timeval now = { 0 };
	struct ccdm_server *s = arg;
	struct ccdm_connection *c = calloc(1, sizeof(*c));
	SSL *ssl = c ? SSL_new(s->tls) : NULL;
	struct bufferevent *bev;

	if (ssl)
		c->timer = evtimer_new(base, ccdm_connection_late, c);
	if (!ssl || !c->timer || SSL_set_ex_data(ssl, ccdm_connection_index(), c) != 1) {
		if (ssl)
			SSL_free(ssl);
		if (c && c->timer)
			event_free(c->timer);
		free(c);
		return NULL;
	}
	c->server = s;
	s->connections++;
	/* A connection above the limit is closed at once. */
	c->many = s->connections > s->max_connections;
	evtimer_add(c->timer, c->many ? &now : &s->timeout);
	/* On failure this call has freed the SSL object and with it the connection. */
	bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		return NULL;
	c->bev = bev;
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
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

static void ccdm_server_send(struct evhttp_request *req, const struct ccdm_reply *a)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
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
	if (body && a->body)
		evbuffer_add(body, a->body, strlen(a->body));
	evhttp_send_reply(req, body && a->body ? a->status : 500, NULL, body);
	if (body)
		evbuffer_free(body);
}

static void ccdm_server_request(struct evhttp_request *req, void *arg)
{
	struct ccdm_server *s = arg;
	struct evhttp_connection *connection = evhttp_request_get_connection(req);
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	const char *uri = evhttp_request_get_uri(req);
	struct ccdm_reply reply = { .status = 500 };
	struct ccdm_request q = { .now = time(NULL) };
	char cookies[4096], *peer = NULL, path[1024];
	struct ccdm_connection *c;
	ev_uint16_t port;
	SSL *ssl;

	ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(connection));
	if (!ssl) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	c = SSL_get_ex_data(ssl, ccdm_connection_index());
	c->asked = true;
	evhttp_connection_get_peer(connection, &peer, &port);
	snprintf(path, sizeof(path), "%s", uri ? uri : "");
	path[strcspn(path, "?")] = '\0';
	q.post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
	q.path = path;
	q.cookie = ccdm_server_cookie(headers, cookies, sizeof(cookies));
	q.bearer = ccdm_server_bearer(headers);
	q.size = evbuffer_get_length(in);
	q.body = q.size ? (const char *)evbuffer_pullup(in, -1) : "";
	q.peer = peer ? peer : "";
	if (q.body)
		s->answer(&q, &reply, s->arg);
	ccdm_server_send(req, &reply);
	free(reply.body);
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
	SSL_CTX_set_info_callback(t, ccdm_connection_info);
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

int ccdm_server_reload(struct ccdm_server *s, const struct ccdm_conf *conf, struct ccdm_err *err)
{
	SSL_CTX *tls;
	int r = ccdm_server_tls(conf, &tls, err);

	if (r)
		return r;
	SSL_CTX_free(s->tls); /* connections that use the old context hold a reference */
	s->tls = tls;
	s->max_connections = conf->max_connections;
	s->timeout.tv_sec = (time_t)conf->timeout;
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
	if (s)
		s->http = evhttp_new(base);
	if (!s || !s->http)
		r = ccdm_err_memory(err);
	if (!r) {
		s->base = base;
		s->answer = answer;
		s->arg = arg;
		r = ccdm_server_reload(s, conf, err);
	}
	if (!r) {
		evhttp_set_bevcb(s->http, ccdm_connection_new, s);
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

void ccdm_server_free(struct ccdm_server *s)
{
	if (!s)
		return;
	s->refusals = NULL; /* connections that the shutdown ends were not refused */
	if (s->http)
		evhttp_free(s->http);
	/* libevent closes connections only in its loop. */
	if (s->base)
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	SSL_CTX_free(s->tls);
	free(s);
}

void ccdm_server_count(struct ccdm_server *s, struct ccdm_refusals *refusals)
{
	s->refusals = refusals;
}

uint16_t ccdm_server_port(const struct ccdm_server *s)
{
	return s->port;
}
