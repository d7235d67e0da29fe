// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/crypto/x509.c lib/crypto/x509_crl.c - certificates and revocation lists, in PEM or DER */
#include "crypto/x509_crl.h"
#include "fuzz.h"

/* Check each list without a certificate, and as a replacement of the previous one. */
static void lists(const struct ccdm_certs *certs, const struct ccdm_path *path)
{
	const struct ccdm_crl *crl, *old = NULL;
	struct ccdm_crl_info info;
	struct ccdm_path each;
	unsigned int i;

	for (i = 0; i < 8 && (crl = ccdm_certs_crl(certs, i)); i++) {
		struct ccdm_verdict v = { 0 };

		ccdm_crl_info(crl, &info);
		each = *path;
		if (!ccdm_crl_check(certs, crl, &each, &v))
			fuzz_verdict(&v);
		if (old)
			fuzz_said("replace",
				  fuzz_yes(ccdm_crl_replace(crl, old, true) == CCDM_CRL_REPLACES));
		old = crl;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_certs *certs = fuzz_own(ccdm_certs_own(NULL));
	struct ccdm_anchor anchors[FUZZ_ANCHORS];
	struct ccdm_path path = { .prefix = "", .at = FUZZ_AT, .anchors = anchors };
	const struct ccdm_cert *first = NULL;
	struct ccdm_verdict v = { 0 };
	const uint8_t *bytes;
	struct ccdm_err err;
	uint8_t *der;
	char cn[64], *text;
	int64_t from, to;
	size_t n;

	if (!ccdm_certs_add(certs, "test", data, size, &first, &err) && first) {
		path.nr_anchors = fuzz_anchors(certs, anchors);
		ccdm_cert_cn(first, cn);
		if (!ccdm_cert_der(first, &der, &n))
			free(der);
		ccdm_cert_extension(first, "1.3.6.1.4.1.3704.1.2", &bytes, &n);
		ccdm_cert_key(first);
		ccdm_usage_valid(cn);
		ccdm_cert_usage(first, CCDM_USAGE_AK, true, "ak", &v);
		ccdm_cert_usage(first, CCDM_USAGE_EK, false, "ek", &v);
		fuzz_said("ecdsa", fuzz_yes(!ccdm_cert_ecdsa(first, data, data,
							     size < 48 ? size : 48, data, size)));
		ccdm_certs_path(certs, first, &path, &v);
		fuzz_verdict(&v);
		ccdm_cert_validity(first, &from, &to);
		lists(certs, &path);
		if (!ccdm_certs_text(certs, &text, &n))
			free(text);
	}
	ccdm_certs_free(certs);
	return 0;
}
