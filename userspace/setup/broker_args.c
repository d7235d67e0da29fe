// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* broker_args.c - see broker_args.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "attest/attesters.h"
#include "base/bytes.h"
#include "boot/credstore.h"
#include "boot/manifest_part.h"
#include "base/file.h"
#include "evidence/manifest.h"
#include "broker_args.h"
#include "setup.h"

#define REQUEST_SECONDS 30

bool ccdm_broker_args_take(struct ccdm_broker_args *a, int option, const char *value)
{
	char *end;

	switch (option) {
	case OPT_BROKER:
		a->broker = value;
		return true;
	case OPT_CA:
		a->ca = value;
		return true;
	case OPT_PIN:
		a->pin = value;
		return true;
	case OPT_PROTOCOL:
		a->protocol = value;
		return true;
	case OPT_TIMEOUT:
		a->timeout = strtoul(value, &end, 10);
		return !*end && a->timeout && a->timeout <= 3600;
	case OPT_MANIFEST:
		a->manifest_file = value;
		return true;
	case OPT_CERTIFICATE:
		a->certificate = value;
		return true;
	case OPT_NO_ACTIVATION:
		a->no_activation = true;
		return true;
	case OPT_ATTEST_CONFIG:
		a->config_file = value;
		return true;
	default:
		return false;
	}
}

/* Read from the configuration what no option sets. */
static int ccdm_broker_args_config(struct ccdm_broker_args *a, struct ccdm_err *err)
{
	const char *file = a->config_file ? a->config_file : CCDM_CONFIG_FILE;
	int r = ccdm_config_load(file, &a->config, err);

	if (r)
		return r;
	if (a->broker)
		return 0;
	if (!a->config.broker[0])
		return ccdm_err_set(err, -EINVAL,
				    "%s: no section [attest]; add it, or give --broker", file);
	a->broker = a->config.broker;
	if (!a->ca && !a->pin) {
		a->ca = a->config.ca[0] ? a->config.ca : NULL;
		a->pin = a->config.pin[0] ? a->config.pin : NULL;
	}
	if (!a->protocol)
		a->protocol = a->config.protocol ? "0.2.0" : "0.4.0";
	if (!a->timeout)
		a->timeout = a->config.attest_timeout;
	if (!a->certificate && a->config.certificate[0])
		a->certificate = a->config.certificate;
	a->no_activation |= a->config.no_activation;
	return 0;
}

/*
 * The host controls the clock. A time before the image's configuration file was made cannot be
 * true.
 */
static int64_t ccdm_broker_args_earliest(const struct ccdm_broker_args *a)
{
	struct stat st;

	return stat(a->config_file ? a->config_file : CCDM_CONFIG_FILE, &st) ? 0 : st.st_mtime;
}

int ccdm_broker_args_manifest(const char *file, char **text, struct ccdm_err *err)
{
	size_t size;
	int r = ccdm_file_read(file, CCDM_MANIFEST_MAX, text, &size, err);

	if (r)
		return r;
	/* an editor may have added a newline */
	(*text)[strcspn(*text, "\r\n")] = '\0';
	if ((*text)[strspn(*text,
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")] ==
	    '\0')
		return 0;
	free(*text);
	*text = NULL;
	return ccdm_err_set(err, -EINVAL, "%s: expected a manifest: a JWS in compact form", file);
}

int ccdm_broker_args_certs(const char *file, struct ccdm_certs **certs, struct ccdm_err *err)
{
	const struct ccdm_cert *first;
	char *text;
	size_t size;
	int r = ccdm_file_read(file, CCDM_CERT_MAX, &text, &size, err);

	if (r)
		return r;
	*certs = ccdm_certs_new();
	r = *certs ? ccdm_certs_add(*certs, file, text, size, &first, err) : ccdm_err_memory(err);
	free(text);
	if (!r && !first)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a certificate, found none", file);
	return r;
}

void ccdm_broker_args_left_out(const struct ccdm_err *why)
{
	fprintf(stderr, CCDM_PROGRAM ": warning: the evidence leaves out the TPM: %s\n", why->text);
}

void ccdm_broker_args_drop(struct ccdm_broker_args *a)
{
	ccdm_certs_free(a->certs);
	a->certs = NULL;
	free(a->manifest);
	a->manifest = NULL;
}

int ccdm_broker_args_conf(struct ccdm_broker_args *a, bool need_config, struct ccdm_err *err)
{
	struct ccdm_session_conf *s = &a->session;
	int r = 0;

	/* Protect the secrets to come: no core dump, no access by a debugger, no environment. */
	prctl(PR_SET_DUMPABLE, 0);
	clearenv();
	if (need_config || !a->broker)
		r = ccdm_broker_args_config(a, err);
	/* use the manifest that the boot found */
	if (!a->manifest_file && !access(CCDM_MANIFEST_PART_FILE, F_OK))
		a->manifest_file = CCDM_MANIFEST_PART_FILE;
	if (!r && a->manifest_file)
		r = ccdm_broker_args_manifest(a->manifest_file, &a->manifest, err);
	if (!r && a->certificate)
		r = ccdm_broker_args_certs(a->certificate, &a->certs, err);
	if (r)
		return r;
	s->left_out = ccdm_broker_args_left_out;
	s->manifest = a->manifest;
	s->certs = a->certs;
	s->no_activation = a->no_activation;
	if (!a->ca == !a->pin)
		return ccdm_err_set(
			err, -EINVAL,
			"expected one of --ca and --pin, by which the guest knows the broker");
	if (a->pin && ccdm_unhex(a->pin, a->pin_bytes, CCDM_PIN_SIZE))
		return ccdm_err_set(err, -EINVAL, "--pin: expected 64 hexadecimal digits");
	if (!ccdm_kbs_version_of(a->protocol ? a->protocol : "0.4.0", &s->version))
		return ccdm_err_set(err, -EINVAL, "protocol: expected 0.4.0 or 0.2.0, found %s",
				    a->protocol);
	s->deadline = a->timeout ? a->timeout : 120;
	s->http = (struct ccdm_http_conf){
		.url = a->broker,
		.ca = a->ca,
		.pin = a->pin ? a->pin_bytes : NULL,
		.earliest = ccdm_broker_args_earliest(a),
		.timeout = s->deadline < REQUEST_SECONDS ? s->deadline : REQUEST_SECONDS,
		.max = CCDM_KBS_MESSAGE_MAX,
	};
	return ccdm_attesters_choose(&s->primary, &s->beside, err);
}

int ccdm_broker_args_fetch(const struct ccdm_broker_args *a, struct ccdm_session *session,
			   struct ccdm_err *err)
{
	const struct ccdm_config *c = &a->config;
	struct ccdm_err why;
	unsigned int i;
	uint8_t *bytes;
	size_t size;
	int r = ccdm_credstore_open(err);

	for (i = 0; !r && i < c->nr_secrets; i++) {
		r = ccdm_session_secret(session, c->secret[i].path, &bytes, &size, err);
		if (r)
			break;
		r = ccdm_credstore_put(c->secret[i].name, c->secret[i].path, bytes, size, err);
		OPENSSL_clear_free(bytes, size);
	}
	if (r && ccdm_credstore_drop(&why))
		ccdm_err_hint(err, "the secrets before it stay in the credential store: %s",
			      why.text);
	return r;
}
