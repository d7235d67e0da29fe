/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * http.h - HTTPS to the broker, through libcurl
 *
 * Only TLS 1.3, to a server with a known CA or public key; there is no way to connect
 * without TLS, except to CCDM_HTTP_METADATA. No redirects, proxy or resumption. libcurl is loaded
 * when it is first needed, so that programs without attestation do not need it.
 */
#ifndef CCDM_HTTP_H
#define CCDM_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_PIN_SIZE 32

/*
 * The metadata service of a cloud. It is not trusted and receives
 * no secret. This is the only address for plain HTTP.
 */
#define CCDM_HTTP_METADATA "http://169.254.169.254"

/**
 * struct ccdm_http_conf - a server
 * @url: https://HOST[:PORT]
 * @ca: file of the CA's certificate, PEM; NULL with @pin
 * @pin: SHA-256 of the server's public key (SubjectPublicKeyInfo); with it dates are ignored
 * @earliest: seconds since 1970; if the clock is before it, dates are checked against this
 * @timeout: seconds for one request
 * @max: size limit of an answer in bytes
 * @metadata: @url is CCDM_HTTP_METADATA, and there is no TLS
 * @published: a vendor's server with public, signed data: TLS 1.2 is enough
 */
struct ccdm_http_conf {
	const char *url;
	const char *ca;
	const uint8_t *pin;
	int64_t earliest;
	unsigned int timeout;
	size_t max;
	bool metadata;
	bool published;
};

/* A connection, with its cookies; opaque. */
struct ccdm_http;

/* @conf must live as long. Return: 0; -EINVAL for an invalid URL or CA; -ENOSYS without libcurl. */
int __must_check ccdm_http_open(const struct ccdm_http_conf *conf, struct ccdm_http **http,
				struct ccdm_err *err);
void ccdm_http_close(struct ccdm_http *http); /* accepts NULL */

/**
 * struct ccdm_http_answer - an answer
 * @status: of HTTP
 * @body, @size: untrusted; a NUL after it
 */
struct ccdm_http_answer {
	long status;
	char *body;
	size_t size;
};

/* Frees and wipes what it holds; accepts zeros. */
void ccdm_http_drop(struct ccdm_http_answer *answer);

/**
 * ccdm_http_ask() - send a request
 * @path: appended to the URL
 * @post: JSON for a POST; NULL: GET
 * @bearer: token, or NULL
 * @answer: filled; the caller drops it
 *
 * Return: 0 for any HTTP status; -ECONNREFUSED, -EHOSTUNREACH, -ETIMEDOUT; -EKEYREJECTED
 * if the server cannot be verified; -EFBIG; -EIO.
 */
int __must_check ccdm_http_ask(struct ccdm_http *http, const char *path, const char *post,
			       const char *bearer, struct ccdm_http_answer *answer,
			       struct ccdm_err *err);

/**
 * ccdm_http_header() - a header of the last answer
 * @name: of the header
 * @value: set to what it has, percent signs decoded, or to NULL if there is none; the caller frees it
 *
 * Return: 0; -EINVAL for one with a zero byte; -ENOMEM.
 */
int __must_check ccdm_http_header(struct ccdm_http *http, const char *name, char **value);

#endif
