// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* http.c - see http.h */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/compiler.h"
#include "base/trace.h"
#include "crypto/digest.h"
#include "http.h"

#define LIBCURL "libcurl.so.4"

/* The functions of libcurl and of its OpenSSL, looked up at run time. */
#define CALLS(X)                              \
	X(curl_easy_init)                     \
	X(curl_easy_setopt)                   \
	X(curl_easy_perform)                  \
	X(curl_easy_getinfo)                  \
	X(curl_easy_header)                   \
	X(curl_easy_unescape)                 \
	X(curl_free)                          \
	X(curl_easy_cleanup)                  \
	X(curl_easy_strerror)                 \
	X(curl_global_init)                   \
	X(curl_slist_append)                  \
	X(curl_slist_free_all)                \
	X(SSL_CTX_set_cert_verify_callback)   \
	X(SSL_get_ex_data_X509_STORE_CTX_idx) \
	X(SSL_get_version)

static struct {
	void *library;
#define X(name) __typeof__ (&(name))(name);
	CALLS(X)
#undef X
} curl;

struct ccdm_http {
	const struct ccdm_http_conf *conf;
	CURL *easy;
	struct ccdm_http_answer *answer;
	bool full;   /* the answer was larger than the limit */
	bool denied; /* the server's certificate was refused */
	char why[CURL_ERROR_SIZE];
};

static int ccdm_http_load(struct ccdm_err *err)
{
	bool all = true;

	if (curl.library)
		return 0;
	curl.library = dlopen(LIBCURL, RTLD_NOW | RTLD_LOCAL);
	if (!curl.library)
		return ccdm_err_set(err, -ENOSYS, "%s", dlerror());
#define X(name)                                                        \
	curl.name = (__typeof__(curl.name))dlsym(curl.library, #name); \
	all = all && curl.name;
	CALLS(X)
#undef X
	if (all && !curl.curl_global_init(CURL_GLOBAL_DEFAULT))
		return 0;
	dlclose(curl.library);
	curl.library = NULL;
	return ccdm_err_set(err, -ENOSYS, "%s: expected libcurl built with OpenSSL", LIBCURL);
}

/* ---- the server's identity ----------------------------------------------------------- */

static int ccdm_http_pinned(X509_STORE_CTX *store, const uint8_t pin[CCDM_PIN_SIZE])
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	struct ccdm_digest d;
	uint8_t *der = NULL;
	/* coverage: with TLS 1.3 a server always has a certificate */
	int n = leaf ? i2d_PUBKEY(X509_get0_pubkey(leaf), &der) : 0, good;

	/* coverage: no memory in OpenSSL */
	good = n > 0 && !ccdm_digest_of(CCDM_ALG_SHA256, der, n, NULL, 0, &d) &&
	       !memcmp(d.bytes, pin, CCDM_PIN_SIZE);
	OPENSSL_free(der);
	if (!good)
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return good;
}

static void ccdm_http_peer(const struct ccdm_http *h, X509_STORE_CTX *store, int good)
{
	const SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, curl.SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	char name[256] = "";

	if (ccdm_trace_level == CCDM_TRACE_OFF)
		return;
	if (leaf)
		X509_NAME_oneline(X509_get_subject_name(leaf), name, sizeof(name));
	ccdm_trace("tls: %s, %s: the server's certificate names %s; %s by its %s",
		   ssl ? curl.SSL_get_version(ssl) : "TLS", h->conf->url, name,
		   good ? "known" : "not known", h->conf->pin ? "pin" : "CA");
}

/* The only place that accepts a server's certificate. Afterwards libcurl checks the host name. */
static int ccdm_http_verify(X509_STORE_CTX *store, void *arg)
{
	struct ccdm_http *h = arg;
	int64_t now = time(NULL);
	int good;

	if (h->conf->pin) {
		good = ccdm_http_pinned(store, h->conf->pin);
	} else {
		if (now < h->conf->earliest)
			now = h->conf->earliest;
		X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(store), now);
		good = X509_verify_cert(store) == 1;
	}
	h->denied = !good;
	ccdm_http_peer(h, store, good);
	return good;
}

static CURLcode ccdm_http_tls(CURL *easy, void *ctx, void *arg)
{
	(void)easy;
	curl.SSL_CTX_set_cert_verify_callback(ctx, ccdm_http_verify, arg);
	return CURLE_OK;
}

/* ---- opening ------------------------------------------------------------------------ */

/* Set what all requests have in common. Fail closed: libcurl must accept each option. */
static bool ccdm_http_options(struct ccdm_http *h)
{
	const struct ccdm_http_conf *c = h->conf;
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_SSLVERSION,
		  c->published ? CURL_SSLVERSION_TLSv1_2 : CURL_SSLVERSION_TLSv1_3 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, c->pin ? 0 : 2 },
		{ CURLOPT_SSL_SESSIONID_CACHE, 0 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_TIMEOUT, c->timeout },
		{ CURLOPT_CONNECTTIMEOUT, c->timeout },
	};
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
		{ CURLOPT_PROTOCOLS_STR, c->metadata ? "http" : "https" },
		{ CURLOPT_PROXY, "" },
		{ CURLOPT_NOPROXY, "*" },
		{ CURLOPT_COOKIEFILE, "" },
		{ CURLOPT_CAPATH, NULL },
		{ CURLOPT_CAINFO, c->ca },
		{ CURLOPT_USERAGENT, "ccdm-setup/" CCDM_VERSION },
	};
	bool good = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		good &= !curl.curl_easy_setopt(h->easy, numbers[i].option, numbers[i].value);
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		good &= !curl.curl_easy_setopt(h->easy, texts[i].option, texts[i].value);
	return good && !curl.curl_easy_setopt(h->easy, CURLOPT_SSL_CTX_FUNCTION, ccdm_http_tls) &&
	       !curl.curl_easy_setopt(h->easy, CURLOPT_SSL_CTX_DATA, h) &&
	       !curl.curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
}

int ccdm_http_open(const struct ccdm_http_conf *conf, struct ccdm_http **http, struct ccdm_err *err)
{
	struct ccdm_http *h;
	int r;

	*http = NULL;
	if (conf->metadata ? strcmp(conf->url, CCDM_HTTP_METADATA)
			   : strncmp(conf->url, "https://", 8) || !conf->url[8])
		return ccdm_err_set(err, -EINVAL, "expected a URL with https, found %.200s",
				    conf->url);
	/* A password in the URL would also appear in messages. */
	if (!conf->metadata && memchr(conf->url + 8, '@', strcspn(conf->url + 8, "/?#")))
		return ccdm_err_set(err, -EINVAL,
				    "the URL: expected https://HOST[:PORT], found a user name");
	if (!conf->metadata && !conf->pin && (!conf->ca || access(conf->ca, R_OK)))
		return ccdm_err_set(err, -EINVAL, "%s: %s",
				    conf->ca ? conf->ca : "found neither CA nor pin",
				    conf->ca ? strerror(errno) : "they verify the server");
	r = ccdm_http_load(err);
	if (r)
		return r;
	h = calloc(1, sizeof(*h));
	if (h) {
		h->conf = conf;
		h->easy = curl.curl_easy_init();
	}
	if (h && h->easy && ccdm_http_options(h)) {
		*http = h;
		return 0;
	}
	r = ccdm_err_set(err, h && h->easy ? -ENOSYS : -ENOMEM, "libcurl refuses an option");
	ccdm_http_close(h);
	return r;
}

void ccdm_http_close(struct ccdm_http *h)
{
	if (h && h->easy)
		curl.curl_easy_cleanup(h->easy);
	free(h);
}

/* ---- asking --------------------------------------------------------------------------- */

void ccdm_http_drop(struct ccdm_http_answer *a)
{
	if (a->body)
		OPENSSL_clear_free(a->body, a->size + 1);
	memset(a, 0, sizeof(*a));
}

static size_t ccdm_http_write(char *bytes, size_t one, size_t n, void *arg)
{
	struct ccdm_http *h = arg;
	struct ccdm_http_answer *a = h->answer;
	char *more;

	n *= one;
	h->full = n > h->conf->max - a->size;
	more = h->full ? NULL
		       : OPENSSL_clear_realloc(a->body, a->body ? a->size + 1 : 0, a->size + n + 1);
	if (!more)
		return 0;
	memcpy(more + a->size, bytes, n);
	a->body = more;
	a->size += n;
	a->body[a->size] = '\0';
	return n;
}

static int ccdm_http_error(const struct ccdm_http *h, CURLcode code, struct ccdm_err *err)
{
	const char *why = h->why[0] ? h->why : curl.curl_easy_strerror(code);
	int r;

	if (h->denied || code == CURLE_PEER_FAILED_VERIFICATION) {
		ccdm_err_hint(err, h->conf->pin ? "check that the pin is that of this server"
						: "check the CA, the server's name, and the clock");
		return ccdm_err_set(err, -EKEYREJECTED, "%s: cannot verify the %s: %s",
				    h->conf->url, h->conf->published ? "server" : "broker", why);
	}
	if (h->full)
		return ccdm_err_set(err, -EFBIG, "%s: the answer is larger than %zu bytes",
				    h->conf->url, h->conf->max);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		r = -EHOSTUNREACH;
		break;
	case CURLE_OPERATION_TIMEDOUT:
		r = -ETIMEDOUT;
		break;
	case CURLE_SSL_CACERT_BADFILE:
		r = -EINVAL;
		break;
	case CURLE_OUT_OF_MEMORY:
		r = -ENOMEM;
		break;
	default:
		r = -ECONNREFUSED;
	}
	return ccdm_err_set(err, r, "%s: %s", h->conf->url, why);
}

/* Return: NULL if out of memory. */
static struct curl_slist *ccdm_http_headers(const struct ccdm_http *h, const char *bearer)
{
	struct curl_slist *one = curl.curl_slist_append(NULL, "Content-Type: application/json");
	struct curl_slist *both = NULL;
	char *line = NULL;

	if (!one || (!bearer && !h->conf->metadata))
		return one;
	if (h->conf->metadata)
		both = curl.curl_slist_append(one, "Metadata: true");
	else if (asprintf(&line, "Authorization: Bearer %s", bearer) > 0) {
		both = curl.curl_slist_append(one, line);
		OPENSSL_cleanse(line, strlen(line));
		free(line);
	}
	if (!both)
		curl.curl_slist_free_all(one);
	return both;
}

int ccdm_http_ask(struct ccdm_http *h, const char *path, const char *post, const char *bearer,
		  struct ccdm_http_answer *answer, struct ccdm_err *err)
{
	struct curl_slist *headers = ccdm_http_headers(h, bearer);
	CURLcode code = CURLE_OUT_OF_MEMORY;
	char *url = NULL;

	memset(answer, 0, sizeof(*answer));
	h->answer = answer;
	h->full = false;
	h->denied = false;
	h->why[0] = '\0';
	if (asprintf(&url, "%s%s", h->conf->url, path) < 0)
		url = NULL;
	if (url)
		ccdm_trace("http: %s %s%s%s", post ? "POST" : "GET", url,
			   bearer ? ", with a token" : "", h->conf->metadata ? ", metadata" : "");
	if (url && headers && !curl.curl_easy_setopt(h->easy, CURLOPT_URL, url) &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers) &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, ccdm_http_write) &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h) &&
	    !(post ? curl.curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, post)
		   : curl.curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L)))
		code = curl.curl_easy_perform(h->easy);
	if (!code)
		code = curl.curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	curl.curl_slist_free_all(headers);
	free(url);
	if (!code) {
		ccdm_trace("http: status %ld, %zu bytes", answer->status, answer->size);
		return 0;
	}
	ccdm_trace("http: no answer: %s", curl.curl_easy_strerror(code));
	ccdm_http_drop(answer);
	return ccdm_http_error(h, code, err);
}

int ccdm_http_header(struct ccdm_http *h, const char *name, char **value)
{
	struct curl_header *header;
	char *text;
	int size;

	*value = NULL;
	if (curl.curl_easy_header(h->easy, name, 0, CURLH_HEADER, -1, &header))
		return 0;
	text = curl.curl_easy_unescape(h->easy, header->value, 0, &size);
	if (!text)
		return -ENOMEM;
	if (strlen(text) == (size_t)size)
		*value = strdup(text);
	curl.curl_free(text);
	return *value ? 0 : -EINVAL;
}
