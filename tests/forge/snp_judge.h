/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* snp_judge.h - judge a forged SNP report (forge_snp.h) under a forged chain */
#ifndef CCDM_TEST_SNP_JUDGE_H
#define CCDM_TEST_SNP_JUDGE_H

#include <errno.h>
#include "evidence/snp_floor.h"
#include "evidence/snp_json.h"
#include "forge_snp.h"
#include "seed.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;
static const struct ccdm_snp_floor *snp_floor; /* floor for judge(); NULL: AMD's */
static enum ccdm_snp_status snp_status;	       /* status of the report that judge() judged last */

static inline int setup(void **state)
{
	(void)state;
	forge_keys();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	forge_keys_free();
	return 0;
}

/* Bytes in the protocol's form: an array of numbers. */
static inline json_t *octets(const uint8_t *bytes, int size)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < size; i++)
		json_array_append_new(list, json_integer(bytes[i]));
	return list;
}

/* Write the report with the certificates of @certs as a seed, in the form of the protocol. */
static inline void seed_report(const uint8_t *raw, const struct ccdm_certs *certs)
{
	static const char *const types[] = { "VCEK", "ASK", "ARK" };
	const struct ccdm_cert *cert;
	json_t *o, *chain;
	unsigned int i;
	uint8_t *der;
	int n;

	if (ccdm_snp_json_make(raw, NULL, 0, &o, &err))
		return; /* The protocol cannot carry this spoilt report. */
	chain = json_array();
	for (i = 0; i < 3 && (cert = ccdm_certs_at(certs, i)); i++) {
		der = NULL;
		n = i2d_X509((X509 *)cert, &der);
		seed("x509", der, n);
		json_array_append_new(chain, json_pack("{s:s, s:o}", "cert_type", types[i], "data",
						       octets(der, n)));
		OPENSSL_free(der);
	}
	json_object_set_new(o, "cert_chain", chain);
	seed_json("snp", o);
	json_decref(o);
}

/* Make the report of @s with its certificates and lists, and judge it. */
static inline void judge(const struct spoil *s, struct ccdm_verdict *v)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	const struct ccdm_cert *leaf = NULL;
	struct pki_want w = { .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 };
	uint8_t raw[CCDM_SNP_REPORT_SIZE], data[48];
	struct ccdm_anchor anchor = { .name = s->root ? s->root : s->turin ? "Turin" : "Milan" };
	X509 *ark = pki_cert(&w), *fake, *ask, *x;
	struct ccdm_snp_want want = {
		.certs = certs, .at = AT, .anchors = &anchor, .nr_anchors = 1, .floor = snp_floor
	};
	struct ccdm_snp snp;
	int i;

	assert_int_equal(ccdm_cert_fingerprint((struct ccdm_cert *)ark, anchor.sha256), 0);
	w.serial = 3;
	fake = pki_cert(&w);
	w = (struct pki_want){ .cn = "SEV-Milan",
			       .key = ask_key,
			       .issuer = ark,
			       .issuer_key = ark_key,
			       .ca = true,
			       .serial = 2,
			       .to = s->ask_to };
	ask = pki_cert(&w);
	make_report(s, NULL, raw);
	x = make_leaf(s, raw, ask);
	pki_add_cert(certs, x, &leaf);
	X509_free(x);
	if (s->other_ask) {
		w.key = other_key;
		X509_free(ask);
		ask = pki_cert(&w);
	}
	if (!s->no_chain) {
		pki_add_cert(certs, ask, NULL);
		pki_add_cert(certs, s->fake_root ? fake : ark, NULL);
	}
	for (i = 0; i < 1 + s->old_crls && !s->no_crl; i++) {
		/* An old list that is still valid does not name the ASK. */
		bool old = s->old_crls && i != s->newest;

		pki_add_crl(certs, ark, ark_key, old ? "20190101000000Z" : s->crl_from, s->crl_to,
			    s->revoked && !old ? 2 : 77);
	}
	if (s->forged_crl)
		pki_add_crl(certs, ark, other_key, "20240101000000Z", NULL, 77);
	X509_free(ask);
	X509_free(ark);
	X509_free(fake);

	seed_report(raw, certs);
	memset(v, 0, sizeof(*v));
	v->allow = s->allow;
	memcpy(data, raw + 0x50, sizeof(data));
	if (s->report_data) {
		data[0] = s->report_data;
		want.report_data = data;
		want.report_data_size = sizeof(data);
	}
	want.leaf = s->no_leaf ? NULL : leaf;
	assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
	assert_int_equal(snp.status, CCDM_SNP_NO_FLOOR);
	assert_int_equal(ccdm_snp_verify(&snp, &want, v), 0);
	snp_status = snp.status;
	/* A report holds no more data than this. */
	want.report_data_size = sizeof(snp.report_data) + 1;
	assert_int_equal(ccdm_snp_verify(&snp, &want, v), -EINVAL);
	ccdm_certs_free(certs);
}

#endif
