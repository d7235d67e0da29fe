// SPDX-License-Identifier: Apache-2.0
/* fuzzes: lib/x509.c - certificates and revocation lists, in PEM or DER */
#include "fuzz.h"

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
	char cn[64];
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
	}
	ccdm_certs_free(certs);
	return 0;
}
