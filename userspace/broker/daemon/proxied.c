// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * proxied.c - see proxied.h
 *
 * OpenSSL reads through a BIO between itself and the socket. This BIO keeps the first bytes, which are the
 * header, and never reads more of them than the header has.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <stdbool.h>
#include <stdlib.h>
#include "core/proxy.h"
#include "proxied.h"

/* @done: NULL: it was called. @ended: it wants the connection to end */
struct ccdm_proxied {
	uint8_t bytes[CCDM_PROXY_MAX];
	size_t size;
	ccdm_proxied_fn done;
	void *arg;
	bool ended;
};

static void ccdm_proxied_call(struct ccdm_proxied *p, enum ccdm_proxy_said said,
			      const struct sockaddr_storage *address)
{
	ccdm_proxied_fn done = p->done;

	p->done = NULL;
	p->ended = !done(p->arg, said != CCDM_PROXY_BAD,
			 said == CCDM_PROXY_ADDRESS ? (const struct sockaddr *)address : NULL);
}

/* Read the header. Return: 1; else the result of reading from the socket. */
static int ccdm_proxied_header(struct ccdm_proxied *p, BIO *socket)
{
	struct sockaddr_storage address;
	enum ccdm_proxy_said said;
	size_t length;
	int n;

	while (p->done) {
		said = ccdm_proxy_read(p->bytes, p->size, &address, &length);
		if (said != CCDM_PROXY_MORE) {
			ccdm_proxied_call(p, said, &address);
			break;
		}
		n = BIO_read(socket, p->bytes + p->size, (int)(length - p->size));
		if (n <= 0)
			return n;
		p->size += (size_t)n;
	}
	return p->ended ? -1 : 1;
}

static int ccdm_proxied_read(BIO *bio, char *to, int size)
{
	struct ccdm_proxied *p = BIO_get_data(bio);
	BIO *socket = BIO_next(bio);
	int n;

	BIO_clear_retry_flags(bio);
	n = ccdm_proxied_header(p, socket);
	if (n > 0)
		n = BIO_read(socket, to, size);
	if (!p->ended)
		BIO_copy_next_retry(bio);
	return n;
}

static long ccdm_proxied_ctrl(BIO *bio, int command, long number, void *arg)
{
	return BIO_ctrl(BIO_next(bio), command, number, arg);
}

static int ccdm_proxied_free(BIO *bio)
{
	free(BIO_get_data(bio));
	return 1;
}

static const BIO_METHOD *ccdm_proxied_method(void)
{
	static BIO_METHOD *method;

	if (method)
		return method;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "PROXY header");
	if (method && (BIO_meth_set_read(method, ccdm_proxied_read) != 1 ||
		       BIO_meth_set_ctrl(method, ccdm_proxied_ctrl) != 1 ||
		       BIO_meth_set_destroy(method, ccdm_proxied_free) != 1)) {
		BIO_meth_free(method);
		method = NULL;
	}
	return method;
}

int ccdm_proxied_start(SSL *ssl, ccdm_proxied_fn done, void *arg)
{
	struct ccdm_proxied *p = calloc(1, sizeof(*p));
	const BIO_METHOD *method = ccdm_proxied_method();
	BIO *bio = p && method ? BIO_new(method) : NULL, *socket = SSL_get_rbio(ssl);

	if (!p || !bio || BIO_up_ref(socket) != 1) {
		BIO_free(bio);
		free(p);
		return -ENOMEM;
	}
	p->done = done;
	p->arg = arg;
	BIO_set_data(bio, p);
	BIO_set_init(bio, 1);
	SSL_set0_rbio(ssl, BIO_push(bio, socket));
	return 0;
}
