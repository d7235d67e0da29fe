// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* measure_events.c - the events of a configuration; see measure.h */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "measure.h"
#include "verity.h"

#define CCDM_MEASURE_FILE_MAX (16 << 20)

static int ccdm_measure_hash(const void *bytes, size_t size, char *hex, struct ccdm_err *err)
{
	struct ccdm_digest digest;

	if (ccdm_digest_of(CCDM_ALG_SHA256, bytes, size, NULL, 0, &digest))
		return ccdm_err_set(err, -EIO, "SHA-256 failed");
	ccdm_hex(digest.bytes, digest.size, hex);
	return 0;
}

/* Hash a public key's SubjectPublicKeyInfo, whatever the form of the file. */
static int ccdm_measure_key(const char *file, const char *text, size_t size, char *hex,
			    struct ccdm_err *err)
{
	BIO *bio = BIO_new_mem_buf(text, (int)size);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	unsigned char *der = NULL;
	int n, r;

	BIO_free(bio);
	n = key ? i2d_PUBKEY(key, &der) : -1;
	EVP_PKEY_free(key);
	if (n <= 0)
		return ccdm_err_set(err, -EINVAL, "%s: expected a public key in PEM", file);
	r = ccdm_measure_hash(der, n, hex, err);
	OPENSSL_free(der);
	return r;
}

/* @value: set to the hash of the file. */
static int ccdm_measure_file(const struct ccdm_measure_files *files, const char *file, bool key,
			     char *value, struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r = files->read(file, CCDM_MEASURE_FILE_MAX, &text, &size, files->arg, err);

	if (r)
		return r;
	r = key ? ccdm_measure_key(file, text, size, value, err)
		: ccdm_measure_hash(text, size, value, err);
	free(text);
	return r;
}

static int ccdm_measure_add(struct ccdm_measure_list *list, const char *name, const char *value,
			    struct ccdm_err *err)
{
	char *text = list->text[list->count];
	int n = snprintf(text, sizeof(list->text[0]), "%s:%s", name, value);

	if (n < 0 || (size_t)n >= sizeof(list->text[0]))
		return ccdm_err_set(err, -E2BIG, "event %s: more than %u bytes", name,
				    CCDM_EVENT_MAX);
	list->count++;
	return 0;
}

int ccdm_measure_events_of(const struct ccdm_config *config, const struct ccdm_measure_files *files,
			   struct ccdm_measure_list *list, struct ccdm_err *err)
{
	char value[CCDM_EVENT_MAX];
	int r;

	list->count = 0;
	ccdm_verity_value(&config->base, value, sizeof(value));
	r = ccdm_measure_add(list, "ccdm-base", value, err);
	if (!r && config->workload.device[0]) {
		ccdm_verity_value(&config->workload, value, sizeof(value));
		r = ccdm_measure_add(list, "ccdm-workload", value, err);
	}
	if (!r && config->workload_file[0]) {
		r = ccdm_measure_file(files, config->workload_file, false, value, err);
		if (!r)
			r = ccdm_measure_add(list, "ccdm-workload", value, err);
	}
	if (!r && config->signer[0]) {
		r = ccdm_measure_file(files, config->signer, true, value, err);
		if (!r)
			r = ccdm_measure_add(list, "ccdm-signer", value, err);
	}
	if (!r && config->policy_url[0])
		r = ccdm_measure_add(list, "ccdm-policy-url", config->policy_url, err);
	/* the event shows a verifier that the command line was not compared */
	return r ? r
		 : ccdm_measure_add(list, "ccdm-ready", config->strict ? "1" : "not-strict", err);
}

static int ccdm_measure_read(const char *file, size_t max, char **text, size_t *size, void *arg,
			     struct ccdm_err *err)
{
	(void)arg;
	return ccdm_file_read(file, max, text, size, err);
}

int ccdm_measure_events(const struct ccdm_config *config, struct ccdm_measure_list *list,
			struct ccdm_err *err)
{
	static const struct ccdm_measure_files here = { .read = ccdm_measure_read };

	return ccdm_measure_events_of(config, &here, list, err);
}
