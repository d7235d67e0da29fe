// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Built-in data of AMD and Intel: certificates, and the URLs of certificates and lists. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "evidence/tdx.h"
#include "evidence/vendor_certs.h"
#include "evidence/vendor_url.h"
#include "failed.h"
#include "snp_judge.h"

/*
 * If the chip's certificate is missing and the report identifies the chip, the check names its URL.
 */
static void leaf_url(void **state)
{
#define CHIP "c0c1c2c3c4c5c6c7"
	static const struct {
		struct spoil spoil;
		const char *found;
	} all[] = {
		{ { .no_leaf = true },
		  "none; fetch https://kdsintf.amd.com/vcek/v1/Milan/" CHIP
		  "c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedee"
		  "eff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
		  "?blSPL=03&teeSPL=01&snpSPL=29&ucodeSPL=219" },
		{ { .no_leaf = true, .turin = true },
		  "none; fetch https://kdsintf.amd.com/vcek/v1/Turin/" CHIP
		  "?fmcSPL=03&blSPL=01&teeSPL=00&snpSPL=05&ucodeSPL=219" },
		{ { .no_leaf = true, .version = 2 }, "none" },
		{ { .no_leaf = true, .vlek = true }, "none" },
		{ { .no_leaf = true, .no_chip = true }, "none" },
	};
	static struct ccdm_verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		judge(&all[i].spoil, &v);
		assert_string_equal(v.check[v.count - 1].name, "certificate");
		assert_string_equal(v.check[v.count - 1].found, all[i].found);
	}
#undef CHIP
}

/*
 * The URL of a revocation list, from the name of its issuer and the name of a certificate below it.
 */
static void list_url(void **state)
{
	static const struct {
		const char *issuer, *subject, *url;
	} all[] = {
		{ "ARK-Milan", "SEV-Milan", "https://kdsintf.amd.com/vcek/v1/Milan/crl" },
		{ "ARK-Genoa", "SEV-Genoa", "https://kdsintf.amd.com/vcek/v1/Genoa/crl" },
		{ "ARK-Turin", "SEV-VLEK-Turin", "https://kdsintf.amd.com/vlek/v1/Turin/crl" },
		{ "Intel SGX Root CA", "Intel SGX PCK Platform CA",
		  "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der" },
		{ "Intel SGX PCK Platform CA", "Intel SGX PCK Certificate",
		  "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?"
		  "ca=platform&encoding=der" },
		{ "Intel SGX PCK Processor CA", "",
		  "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?"
		  "ca=processor&encoding=der" },
		{ "ARK-Milano", "SEV-Milan", NULL },
		{ "Milan", "SEV-Milan", NULL },
		{ "SEV-Milan", "SEV-VCEK", NULL },
		{ "", "", NULL },
	};
	struct spoil lacks = { .no_crl = true }, stale = { .crl_to = "20250101000000Z" };
	static struct ccdm_verdict v;
	char url[CCDM_URL_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(ccdm_url_crl(all[i].issuer, all[i].subject, url), !!all[i].url);
		if (all[i].url)
			assert_string_equal(url, all[i].url);
	}
	judge(&lacks, &v);
	assert_string_equal(failed(&v), "crl");
	for (i = 0; strcmp(v.check[i].name, "crl"); i++)
		;
	assert_string_equal(
		v.check[i].found,
		"no list of ARK-Milan; fetch https://kdsintf.amd.com/vcek/v1/Milan/crl; "
		"run \"ccdm-broker trust fetch\"");
	judge(&stale, &v);
	assert_non_null(strstr(v.check[i].found, "2025-01-01T00:00:00Z; run \"ccdm-broker trust"));
}

/* Built-in certificates lead to the pinned roots, and do not count under other roots. */
static void built_in(void **state)
{
	const struct ccdm_certs *certs = ccdm_vendor_certs();
	struct ccdm_certs *none = ccdm_certs_new();
	struct ccdm_path path = { .prefix = "", .at = AT };
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	unsigned int i, k, n[4] = { 0 };
	struct spoil bare = { .no_chain = true };
	const struct ccdm_cert *cert;
	struct ccdm_snp_want want = { .at = AT };
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	struct ccdm_snp snp;
	char cn[64];
	X509 *x;

	(void)state;
	assert_non_null(certs);
	assert_ptr_equal(certs, ccdm_vendor_certs());
	for (i = 0; (cert = ccdm_certs_at(certs, i)); i++) {
		path.anchors = i < 9 ? ccdm_snp_anchors(&path.nr_anchors)
				     : ccdm_tdx_anchors(&path.nr_anchors);
		assert_int_equal(path.nr_anchors, i < 9 ? 3 : 1);
		memset(v, 0, sizeof(*v));
		v->allow = CCDM_ALLOW_NO_CRL;
		v->complete = true;
		path.builtin = certs;
		assert_int_equal(ccdm_certs_path(none, cert, &path, v), 0);
		assert_true(ccdm_verdict_accepted(v));
		ccdm_cert_cn(cert, cn);
		if (i == 9) {
			assert_string_equal(cn, "Intel SGX Root CA");
			continue;
		}
		/* each certificate is below the root of its own generation */
		assert_string_equal(strrchr(cn, '-') + 1, path.anchor->name);
		for (k = 0; k < path.nr_anchors; k++)
			n[k] += path.anchor == &path.anchors[k];
		memset(v, 0, sizeof(*v));
		path.builtin = NULL;
		assert_int_equal(ccdm_certs_path(none, cert, &path, v), 0);
		assert_false(ccdm_verdict_accepted(v));
	}
	assert_int_equal(i, 10);
	assert_true(n[0] == 3 && n[1] == 3 && n[2] == 3);

	/* a leaf that names AMD's ASK as its issuer, signed by another key */
	make_report(&bare, NULL, raw);
	x = make_leaf(&bare, raw, (X509 *)ccdm_certs_at(certs, 1));
	pki_add_cert(none, x, &want.leaf);
	want.certs = none;
	assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_snp_verify(&snp, &want, v), 0);
	assert_false(ccdm_verdict_accepted(v));
	assert_string_equal(failed(v), "chain");

	/* AMD's ASK as the leaf: a caller that names roots, even AMD's, must bring the chain */
	want.leaf = ccdm_certs_at(certs, 1);
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_snp_verify(&snp, &want, v), 0);
	assert_null(strstr(failed(v), "chain"));
	want.anchors = ccdm_snp_anchors(&want.nr_anchors);
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_snp_verify(&snp, &want, v), 0);
	assert_int_equal(strncmp(failed(v), "chain", 5), 0);
	X509_free(x);
	ccdm_certs_free(none);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_url),
		cmocka_unit_test(list_url),
		cmocka_unit_test(built_in),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
