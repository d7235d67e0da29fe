// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* broker_here_tpm.c - the TPM that a broker on this machine trusts: see broker_here.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/file.h"
#include "broker_here.h"
#include "crypto/pubkey.h"
#include "crypto/x509.h"
#include "program.h"

#define HERE_CERT_MAX 16384
#define HERE_KEY_MAX  4096

/* The public key of a certificate, under the name by which the broker finds it. */
static int here_trust(const struct ccdm_broker_here *b, const char *file, struct ccdm_err *err)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	uint8_t der[HERE_KEY_MAX];
	size_t size, der_size = sizeof(der);
	const struct ccdm_pubkey *key = NULL;
	const struct ccdm_cert *cert = NULL;
	struct ccdm_digest digest;
	char *text = NULL, hex[65], path[PATH_MAX];
	int r = certs ? ccdm_file_read(file, HERE_CERT_MAX, &text, &size, err)
		      : ccdm_err_memory(err);

	if (!r)
		r = ccdm_certs_add(certs, file, text, size, &cert, err);
	if (!r && cert)
		key = ccdm_cert_key(cert);
	if (!r && (!key || ccdm_pubkey_der(key, der, &der_size) || ccdm_pubkey_hash(key, &digest)))
		r = ccdm_err_set(err, -EIO, "%s: expected the certificate of an RSA key", file);
	if (!r) {
		ccdm_hex(digest.bytes, 32, hex);
		snprintf(path, sizeof(path), "%s/trust/tpm-keys/%s.der", b->dir, hex);
		r = ccdm_file_write(path, der, der_size, 0600, err);
	}
	free(text);
	ccdm_certs_free(certs);
	return r;
}

static int here_write(const struct ccdm_broker_here *b, const char *name, const char *text,
		      char path[PATH_MAX], struct ccdm_err *err)
{
	snprintf(path, PATH_MAX, "%s/%s", b->dir, name);
	return ccdm_file_write(path, text, strlen(text), 0600, err);
}

/* Configuration of swtpm_setup, with a CA that is used once. */
static int here_setup_conf(const struct ccdm_broker_here *b, const char *localca,
			   char conf[PATH_MAX], struct ccdm_err *err)
{
	char *text = NULL, path[PATH_MAX];
	int r = here_write(
		b, "tpm-options",
		"--platform-manufacturer ccdm\n--platform-version 1\n--platform-model run\n", path,
		err);

	if (!r && asprintf(&text,
			   "statedir = %s/tpm-ca\nsigningkey = %s/tpm-ca/key.pem\n"
			   "issuercert = %s/tpm-ca/cert.pem\ncertserial = %s/tpm-ca/serial\n",
			   b->dir, b->dir, b->dir, b->dir) < 0)
		r = ccdm_err_memory(err);
	if (!r)
		r = here_write(b, "tpm-ca.conf", text, path, err);
	free(text);
	if (!r && asprintf(&text,
			   "create_certs_tool = %s\ncreate_certs_tool_config = %s/tpm-ca.conf\n"
			   "create_certs_tool_options = %s/tpm-options\n",
			   localca, b->dir, b->dir) < 0)
		r = ccdm_err_memory(err);
	if (r)
		return r;
	r = here_write(b, "tpm-setup.conf", text, conf, err);
	free(text);
	return r;
}

int ccdm_broker_here_tpm(const struct ccdm_broker_here *b, struct ccdm_err *err)
{
	struct ccdm_program_found setup, localca, certtool;
	char conf[PATH_MAX], state[PATH_MAX], cert[PATH_MAX], *said = NULL;
	int r = ccdm_program_find("swtpm_setup", &setup, err);

	if (!r)
		r = ccdm_program_find("swtpm_localca", &localca, err);
	if (!r)
		r = ccdm_program_find("certtool", &certtool, err);
	if (!r)
		r = here_setup_conf(b, localca.path, conf, err);
	snprintf(cert, sizeof(cert), "%s/tpm-ca", b->dir);
	snprintf(state, sizeof(state), "%s/tpm", b->dir);
	if (!r && (mkdir(cert, 0700) || mkdir(state, 0700)))
		r = ccdm_err_set(err, -errno, "%s: %s", b->dir, strerror(errno));
	if (!r) {
		const char *const argv[] = { setup.path,
					     "--tpm2",
					     "--tpmstate",
					     state,
					     "--create-ek-cert",
					     "--config",
					     conf,
					     "--write-ek-cert-files",
					     b->dir,
					     "--pcr-banks",
					     "sha256,sha384",
					     "--not-overwrite",
					     NULL };

		r = ccdm_program_run(argv, NULL, -1, &said, err);
		free(said);
	}
	snprintf(cert, sizeof(cert), "%s/ek-rsa2048.crt", b->dir);
	return r ? r : here_trust(b, cert, err);
}
