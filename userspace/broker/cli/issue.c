// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* issue.c - see issue.h */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crypto/digest.h"
#include "base/file.h"
#include "issue.h"

int ccdm_issue_key(const char *file, const char *curve, struct ccdm_err *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	EVP_PKEY *key;
	bool good;

	if (!f) {
		ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
		if (fd < 0)
			return -errno;
		close(fd);
		unlink(file);
		return -ENOMEM;
	}
	key = EVP_EC_gen(curve);
	good = key && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && !fflush(f) &&
	       !fsync(fd);
	good &= !fclose(f);
	EVP_PKEY_free(key);
	if (good)
		return 0;
	unlink(file);
	return ccdm_err_set(err, -EIO, "%s: cannot create or write a key", file);
}

static EVP_PKEY *ccdm_issue_read_key(const char *file)
{
	FILE *f = fopen(file, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	if (f)
		fclose(f);
	return key;
}

static X509 *ccdm_issue_read_cert(const char *file)
{
	FILE *f = fopen(file, "re");
	X509 *cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	if (f)
		fclose(f);
	return cert;
}

/* ---- certificates ------------------------------------------------------------- */

static bool ccdm_issue_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	bool good;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	good = e && X509_add_ext(cert, e, -1) == 1;
	X509_EXTENSION_free(e);
	return good;
}

/*
 * Format "DNS:broker.example,IP:192.0.2.1". Accept only characters that cannot start another entry.
 */
static int ccdm_issue_names(const struct ccdm_issue *w, char *text, size_t size,
			    struct ccdm_err *err)
{
	struct in6_addr address;
	unsigned int i;
	size_t n = 0;

	for (i = 0; i < w->nr_names; i++) {
		const char *name = w->names[i];
		bool ip = inet_pton(AF_INET, name, &address) == 1 ||
			  inet_pton(AF_INET6, name, &address) == 1;

		if (!ip &&
		    (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "0123456789-.") != strlen(name)))
			return ccdm_err_set(err, -EINVAL,
					    "'%s': expected a host name or an address", name);
		n += snprintf(text + n, size - n, "%s%s:%s", n ? "," : "", ip ? "IP" : "DNS", name);
		if (n >= size)
			return ccdm_err_set(err, -EINVAL, "too many names");
	}
	return 0;
}

static bool ccdm_issue_fill(X509 *cert, X509 *issuer, const struct ccdm_issue *w, const char *names,
			    EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(cert);
	uint8_t serial[16];
	ASN1_INTEGER *number;
	BIGNUM *bn;
	bool good;

	good = RAND_bytes(serial, sizeof(serial)) == 1;
	serial[0] = (serial[0] & 0x7f) | 0x40;
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	number = bn ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	good = good && number && X509_set_version(cert, 2) && X509_set_serialNumber(cert, number) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)w->cn, -1, -1,
					  0) &&
	       X509_set_issuer_name(cert, X509_get_subject_name(issuer)) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -3600L) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * w->days) &&
	       X509_set_pubkey(cert, key) &&
	       ccdm_issue_extension(cert, issuer, NID_subject_key_identifier, "hash");
	ASN1_INTEGER_free(number);
	BN_free(bn);
	if (!w->names)
		return good &&
		       ccdm_issue_extension(cert, issuer, NID_basic_constraints,
					    "critical,CA:TRUE") &&
		       ccdm_issue_extension(cert, issuer, NID_key_usage,
					    "critical,keyCertSign,cRLSign");
	return good && ccdm_issue_extension(cert, issuer, NID_authority_key_identifier, "keyid") &&
	       ccdm_issue_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       ccdm_issue_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
	       ccdm_issue_extension(cert, issuer, NID_ext_key_usage, "serverAuth") &&
	       ccdm_issue_extension(cert, issuer, NID_subject_alt_name, names);
}

/* Replace the old file in one step. */
static int ccdm_issue_write(const char *file, X509 *cert, struct ccdm_err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;
	int r;

	if (!bio || PEM_write_bio_X509(bio, cert) != 1) {
		BIO_free(bio);
		return ccdm_err_memory(err);
	}
	n = BIO_get_mem_data(bio, &text);
	r = ccdm_file_write(file, text, n, 0644, err);
	BIO_free(bio);
	return r;
}

int ccdm_issue_cert(const struct ccdm_issue *w, struct ccdm_err *err)
{
	EVP_PKEY *key = ccdm_issue_read_key(w->key);
	EVP_PKEY *ca_key = ccdm_issue_read_key(w->ca_key ? w->ca_key : w->key);
	X509 *ca = w->ca ? ccdm_issue_read_cert(w->ca) : NULL, *cert = X509_new();
	char names[2048] = "";
	int r = 0;

	if (!key || !ca_key || (w->ca && !ca))
		r = ccdm_err_set(err, -EINVAL, "cannot read %s",
				 !key	   ? w->key
				 : !ca_key ? w->ca_key
					   : w->ca);
	if (!r)
		r = ccdm_issue_names(w, names, sizeof(names), err);
	if (!r && (!cert || !ccdm_issue_fill(cert, ca ? ca : cert, w, names, key) ||
		   !X509_sign(cert, ca_key, EVP_sha384())))
		r = ccdm_err_set(err, -EIO, "%s: cannot create a certificate", w->file);
	if (!r)
		r = ccdm_issue_write(w->file, cert, err);
	ERR_clear_error();
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return r;
}

/* Copy a host name, or an address as text. Return: NULL for another kind of name. */
static char *ccdm_issue_name(const GENERAL_NAME *name)
{
	const ASN1_STRING *value;
	char text[INET6_ADDRSTRLEN];
	const uint8_t *bytes;
	int size;

	if (name->type != GEN_DNS && name->type != GEN_IPADD)
		return NULL;
	value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
	bytes = ASN1_STRING_get0_data(value);
	size = ASN1_STRING_length(value);
	if (name->type == GEN_DNS)
		return memchr(bytes, '\0', (size_t)size)
			       ? NULL
			       : strndup((const char *)bytes, (size_t)size);
	if ((size != 4 && size != 16) ||
	    !inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)))
		return NULL;
	return strdup(text);
}

int ccdm_issue_names_of(const char *file, char *names[], unsigned int most, unsigned int *count,
			struct ccdm_err *err)
{
	X509 *cert = ccdm_issue_read_cert(file);
	GENERAL_NAMES *all = cert ? X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL) : NULL;
	int i, n = all ? sk_GENERAL_NAME_num(all) : 0, r = 0;

	*count = 0;
	if (n < 1 || n > (int)most)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a certificate with 1 to %u names",
				 file, most);
	for (i = 0; !r && i < n; i++) {
		names[*count] = ccdm_issue_name(sk_GENERAL_NAME_value(all, i));
		if (names[*count])
			++*count;
		else
			r = ccdm_err_set(err, -EINVAL, "%s: expected only host names and addresses",
					 file);
	}
	ERR_clear_error();
	GENERAL_NAMES_free(all);
	X509_free(cert);
	return r;
}

int ccdm_issue_pin(const char *file, char pin[65], struct ccdm_err *err)
{
	X509 *cert = ccdm_issue_read_cert(file);
	struct ccdm_digest d;
	uint8_t *der = NULL;
	int n, r;

	n = cert ? i2d_PUBKEY(X509_get0_pubkey(cert), &der) : 0;
	r = n > 0 ? ccdm_digest_of(CCDM_ALG_SHA256, der, n, NULL, 0, &d)
		  : ccdm_err_set(err, -EINVAL, "%s: expected a certificate, found none", file);
	if (!r)
		ccdm_hex(d.bytes, 32, pin);
	OPENSSL_free(der);
	X509_free(cert);
	return r;
}
