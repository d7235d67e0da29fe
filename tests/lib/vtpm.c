// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * vtpm - what a provider stores in a virtual TPM before the machine starts (tests/forge/gce.h)
 *
 *	vtpm SOCKET ecc|rsa key			SubjectPublicKeyInfo of the key that the template makes
 *	vtpm SOCKET ecc|rsa template		the template, into NV
 *	vtpm SOCKET ecc|rsa certificate FILE	the DER of a certificate, into NV
 *	vtpm SOCKET rsa ek			SubjectPublicKeyInfo of the endorsement key
 */
#include "base/base64.h"
#include "tpm/tpm_ek.h"
#include "gce.h"
#include "tpm_socket.h"

static void print_ek(struct ccdm_tpm *tpm)
{
	struct ccdm_err err;
	uint8_t *der;
	json_t *pair;
	size_t size;

	pki_must(!ccdm_tpm_identity(tpm, &pair, &err));
	pki_must(!ccdm_base64_decode(json_string_value(json_object_get(pair, "ek-pub")), false,
				     4096, &der, &size));
	pki_must(fwrite(der, 1, size, stdout) == size);
	free(der);
	json_decref(pair);
}

int main(int argc, char **argv)
{
	const TPM2B_PUBLIC *template;
	uint8_t bytes[1024], *der = NULL;
	struct ccdm_tpm *tpm = NULL;
	struct ccdm_err err;
	uint32_t cert;
	EVP_PKEY *key;
	FILE *f;
	int n;

	if (argc < 4)
		return 1;
	template = strcmp(argv[2], "rsa") ? &gce_ecc : &gce_rsa;
	cert = strcmp(argv[2], "rsa") ? GCE_ECC_CERT : GCE_RSA_CERT;
	tpm_fd = socket_open(argv[1]);
	pki_must(tpm_fd >= 0 && !ccdm_tpm_open(CHIP_DEVICE, &tpm, &err));
	if (!strcmp(argv[3], "key")) {
		key = gce_key(tpm, template);
		n = i2d_PUBKEY(key, &der);
		pki_must(fwrite(der, 1, n, stdout) == (size_t)n);
		OPENSSL_free(der);
		EVP_PKEY_free(key);
	} else if (!strcmp(argv[3], "ek")) {
		print_ek(tpm);
	} else if (!strcmp(argv[3], "template")) {
		gce_put_template(tpm, cert + 1, template);
	} else {
		f = argc == 5 ? fopen(argv[4], "r") : NULL;
		pki_must(!!f);
		n = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		gce_put(tpm, cert, bytes, n);
	}
	ccdm_tpm_close(tpm);
	return 0;
}
