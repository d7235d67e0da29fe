// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * SNP reports: the real ones with the answers they must give; and reports of our
 * own under a chain of our own, each spoilt in one place, so that one check fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "evidence/snp_floor.h"
#include "evidence/snp_json.h"
#include "evidence/tdx.h"
#include "evidence/vendor_certs.h"
#include "evidence/vendor_url.h"
#include "failed.h"
#include "forge_snp.h"
#include "seed.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;
static const struct ccdm_snp_floor *use; /* NULL: AMD's */
static enum ccdm_snp_status status;	 /* of the report that was judged last */

static int setup(void **state)
{
	(void)state;
	forge_keys();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	forge_keys_free();
	return 0;
}

static json_t *octets(const uint8_t *bytes, int size)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < size; i++)
		json_array_append_new(list, json_integer(bytes[i]));
	return list;
}

/* As the protocol has it, with what there is of a chain. */
static void seed_report(const uint8_t *raw, const struct ccdm_certs *certs)
{
	static const char *const types[] = { "VCEK", "ASK", "ARK" };
	const struct ccdm_cert *cert;
	json_t *o, *chain;
	unsigned int i;
	uint8_t *der;
	int n;

	if (ccdm_snp_json_make(raw, NULL, 0, &o, &err))
		return; /* what is spoilt has no place there */
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

static void judge(const struct spoil *s, struct ccdm_verdict *v)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	const struct ccdm_cert *leaf = NULL;
	struct pki_want w = { .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 };
	uint8_t raw[CCDM_SNP_REPORT_SIZE], data[48];
	struct ccdm_anchor anchor = { .name = s->root ? s->root : s->turin ? "Turin" : "Milan" };
	X509 *ark = pki_cert(&w), *fake, *ask, *x;
	struct ccdm_snp_want want = {
		.certs = certs, .at = AT, .anchors = &anchor, .nr_anchors = 1, .floor = use
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
		/* (an old one that is still valid, and does not have what was revoked since) */
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
	status = snp.status;
	/* (more than a report can be bound to) */
	want.report_data_size = sizeof(snp.report_data) + 1;
	assert_int_equal(ccdm_snp_verify(&snp, &want, v), -EINVAL);
	ccdm_certs_free(certs);
}

#define ZEROS8	"\0\0\0\0\0\0\0\0"
#define ZEROS64 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8

static void one_check_each(void **state)
{
	static const struct spoil all[] = {
		{ 0 },
		{ .version = 2 },
		{ .version = 5 },
		{ .vlek = true },
		{ .turin = true },
		{ .hwid_string = true },
		{ .fails = "version", .version = 1 },
		{ .fails = "version", .version = 4 },
		{ .fails = "version", .version = 6 },
		{ .fails = "signature-algorithm", .at = 0x34, .value = 2 },
		{ .fails = "certificate", .no_leaf = true },
		{ .fails = "chain", .no_chain = true },
		{ .fails = "chain", .other_ask = true },
		{ .fails = "root", .fake_root = true },
		{ .fails = "validity", .leaf_to = "20250101000000Z" },
		{ .fails = "validity", .ask_to = "20250101000000Z" },
		{ .leaf_to = "20250101000000Z", .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "crl", .no_crl = true },
		{ .no_crl = true, .allow = CCDM_ALLOW_NO_CRL },
		{ .fails = "crl", .crl_to = "20250101000000Z" },
		{ .fails = "crl", .crl_to = "20250101000000Z", .allow = CCDM_ALLOW_NO_CRL },
		{ .fails = "revocation", .revoked = true },
		{ .fails = "revocation", .revoked = true, .old_crls = 2, .newest = 0 },
		{ .fails = "revocation", .revoked = true, .old_crls = 2, .newest = 1 },
		{ .fails = "revocation", .revoked = true, .old_crls = 2, .newest = 2 },
		/* a list that the issuer has not signed is none */
		{ .fails = "revocation", .revoked = true, .forged_crl = true },
		{ .fails = "crl", .no_crl = true, .forged_crl = true },
		{ .fails = "crl", .crl_from = "20260101000000Z" },
		{ .fails = "crl", .crl_from = "19600101000000Z" },
		{ .fails = "validity", .leaf_from = "20260101000000Z" },
		{ .fails = "validity", .leaf_from = "19600101000000Z" },
		{ .fails = "validity", .leaf_to = "19600101000000Z" },
		{ .fails = "signing-key", .leaf_cn = "SEV-VLEK" },
		{ .fails = "signing-key", .vlek = true, .leaf_cn = "SEV-VCEK" },
		{ .fails = "signing-key", .at = 0x48, .value = 2 },
		{ .fails = "signing-key", .at = 0x48, .value = 7 << 2 },
		{ .fails = "generation", .product = "Genoa" },
		{ .fails = "generation", .at = 0x189, .value = 0x11 },
		{ .fails = "generation", .at = 0x189, .value = 0x20 },
		{ .fails = "generation", .product = "Milano" },
		{ .fails = "generation", .root = "Genoa" },
		{ .root = "somebody's" },
		{ .fails = "generation", .der = { "\x0c\x08Milan-B0" }, .der_size = { 10 } },
		{ .fails = "generation", .der = { "\x16\x09Milan-B0" }, .der_size = { 10 } },
		{ .fails = "generation", .der = { "\x16" }, .der_size = { 1 } },
		{ .fails = "generation", .product = "Milan-B0Milan-B0Milan-B0Milan-B0" },
		{ .fails = "signature", .flip = 0x91 },
		{ .fails = "signature", .flip = 0x00 + 0x1f8 },
		{ .fails = "signature", .flip = 0x2a0 },
		{ .fails = "signature", .flip = 0x2a0 + 50 },
		{ .fails = "signature", .flip = 0x2e8 + 48 },
		{ .fails = "signature", .flip = 1183 },
		{ .fails = "signature", .other_leaf = true },
		{ .fails = "tcb", .bootloader = 2 },
		{ .fails = "tcb", .bootloader = 4 },
		{ .fails = "tcb", .no_tcb = true },
		/* an INTEGER of one byte, or of two if it needs a sign; and nothing else */
		{ .der = { [1] = "\x02\x01\x03" }, .der_size = { [1] = 3 } },
		{ .fails = "tcb", .der = { [1] = "\x04\x01\x03" }, .der_size = { [1] = 3 } },
		{ .fails = "tcb", .der = { [1] = "\x02\x02\x03" }, .der_size = { [1] = 3 } },
		{ .fails = "tcb", .der = { [1] = "\x02\x01\x83" }, .der_size = { [1] = 3 } },
		{ .fails = "tcb", .der = { [1] = "\x02\x02\x00\x03" }, .der_size = { [1] = 4 } },
		{ .fails = "tcb", .der = { [1] = "\x04\x02\x00\x83" }, .der_size = { [1] = 4 } },
		{ .fails = "tcb", .der = { [1] = "\x02\x01\x00\x83" }, .der_size = { [1] = 4 } },
		{ .fails = "tcb", .der = { [1] = "\x02\x02\x01\x83" }, .der_size = { [1] = 4 } },
		{ .fails = "tcb", .der = { [1] = "\x02\x01" }, .der_size = { [1] = 2 } },
		{ .fails = "tcb", .turin = true, .bootloader = 2 },
		/* reported, committed, at launch; by the words of all AMD's bulletins */
		{ .fails = "firmware", .at = 0x186, .value = 0x1c },
		{ .fails = "firmware", .at = 0x1e6, .value = 0x1c },
		{ .fails = "firmware", .at = 0x1f6, .value = 0 },
		{ .fails = "firmware", .at = 0x187, .value = 0xda },
		{ .fails = "firmware", .at = 0x1f7, .value = 0xda, .version = 2 },
		{ .fails = "firmware", .at = 0x183, .value = 3, .turin = true },
		{ .fails = "firmware", .at = 0x1e3, .value = 3, .turin = true },
		{ .fails = "firmware", .at = 0x1f3, .value = 3, .turin = true, .version = 2 },
		{ .fails = "firmware", .at = 0x1f7, .value = 0x50, .turin = true },
		{ .at = 0x1f6, .value = 0, .allow = CCDM_ALLOW_TCB_OUT_OF_DATE },
		{ .fails = "firmware",
		  .at = 0x1f6,
		  .value = 0,
		  .allow = 0x7ff & ~CCDM_ALLOW_TCB_OUT_OF_DATE },
		/* of other bytes of the TCB nobody says anything; what runs now is above what is committed */
		{ .at = 0x1e0, .value = 0 },
		{ .at = 0x3e, .value = 0xff },
		{ .turin = true, .version = 2 },
		{ .fails = "chip-id", .no_hwid = true },
		{ .fails = "chip-id", .hwid_other = true },
		{ .fails = "chip-id", .der = { [2] = ZEROS64 "\0\0" }, .der_size = { [2] = 66 } },
		{ .fails = "chip-id", .der = { [2] = "\4\77" ZEROS64 }, .der_size = { [2] = 66 } },
		{ .fails = "chip-id", .der = { [2] = ZEROS64 }, .der_size = { [2] = 16 } },
		{ .turin = true,
		  .der = { [2] = "\4\10\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7" },
		  .der_size = { [2] = 10 } },
		{ .fails = "chip-id", .vlek = true, .no_hwid = true },
		{ .fails = "chip-id", .turin = true, .at = 0x1a0 + 8, .value = 1 },
		{ .fails = "policy", .at = 0xa, .value = 0x01 },
		{ .fails = "policy", .at = 0xb, .value = 0x04 },
		{ .fails = "policy", .at = 0xb, .value = 0x80 },
		{ .fails = "policy", .at = 0xf, .value = 0x80, .allow = 0x7ff },
		{ .at = 0xb, .value = 0x03 },
		{ .at = 0xa, .value = 0xf3 },
		{ .fails = "debug", .at = 0xa, .value = 0x0b },
		{ .at = 0xa, .value = 0x0b, .allow = CCDM_ALLOW_DEBUG },
		{ .fails = "migration", .at = 0xa, .value = 0x07 },
		{ .at = 0xa, .value = 0x07, .allow = CCDM_ALLOW_MIGRATION },
		{ .fails = "smt", .at = 0xa, .value = 0x02 },
		{ .at = 0xa, .value = 0x02, .allow = CCDM_ALLOW_SMT },
		{ .at = 0x40, .value = 0 },
		{ .fails = "vmpl", .at = 0x30, .value = 1 },
		{ .fails = "vmpl", .at = 0x30, .value = 3, .allow = CCDM_ALLOW_DEBUG },
		{ .at = 0x30, .value = 2, .allow = CCDM_ALLOW_VMPL },
		{ .report_data = 0x80 },
		{ .fails = "report-data", .report_data = 0x81 },
		{ .fails = "report-data", .report_data = 0x80, .at = 0x50 + 50, .value = 1 },
	};
	struct ccdm_verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		judge(&all[i], &v);
		if (strcmp(failed(&v), all[i].fails ? all[i].fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(&v),
				 all[i].fails ? all[i].fails : "");
		assert_int_equal(ccdm_verdict_accepted(&v), !all[i].fails);
		if (!all[i].fails)
			assert_int_equal(status, all[i].allow & CCDM_ALLOW_TCB_OUT_OF_DATE
							 ? CCDM_SNP_OUT_OF_DATE
							 : CCDM_SNP_UP_TO_DATE);
	}
}

/* ---- the lowest firmware -------------------------------------------------------- */

/* A report of a processor of this kind, whose parts have these versions. */
static struct ccdm_snp of(uint8_t family, uint8_t model, uint8_t stepping, uint8_t svn,
			  uint8_t microcode)
{
	struct ccdm_snp snp = { .version = 3,
				.cpuid_family = family,
				.cpuid_model = model,
				.cpuid_stepping = stepping,
				.generation = ccdm_snp_cpuid(family, model) };
	bool turin = snp.generation >= CCDM_SNP_TURIN;

	snp.tcb_raw.reported[turin ? 3 : 6] = svn;
	snp.tcb_raw.reported[7] = microcode;
	memcpy(snp.tcb_raw.committed, snp.tcb_raw.reported, 8);
	memcpy(snp.tcb_raw.launch, snp.tcb_raw.reported, 8);
	return snp;
}

/* A list has words of whoever wrote it: they steer no terminal, and no check is lost for them. */
static void said(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	json_t *o;

	(void)state;
	assert_non_null(v);
	ccdm_verdict_add(v, "firmware", false, 0, "a\x1b[2J\xe2\x80\x93 \xc3", "%s",
			 "b\x1b\xc3\xa9");
	assert_string_equal(v->check[0].expected, "a?[2J??? ?");
	assert_string_equal(v->check[0].found, "b???");
	o = ccdm_verdict_json(v);
	assert_int_equal(json_array_size(json_object_get(o, "checks")), 1);
	json_decref(o);
	free(v);
}

/* What ccdm comes with, beside the numbers of AMD's bulletins. */
static void bulletins(void **state)
{
	static const struct {
		uint8_t cpu[3], svn, microcode;
		const char *source, *microcode_source;
	} all[] = {
		{ { 0x19, 0x01, 0x01 }, 0x1d, 0xdb, "AMD-SB-3030", "AMD-SB-3019" },
		{ { 0x19, 0x01, 0x02 }, 0x1d, 0x44, "AMD-SB-3030", "AMD-SB-3019" },
		{ { 0x19, 0x11, 0x01 }, 0x1b, 0x56, "AMD-SB-3020", "AMD-SB-3027" },
		{ { 0x19, 0x11, 0x02 }, 0x1b, 0x51, "AMD-SB-3020", "AMD-SB-3027" },
		{ { 0x19, 0xa0, 0x02 }, 0x1b, 0x19, "AMD-SB-3020", "AMD-SB-3019" },
		{ { 0x1a, 0x02, 0x01 }, 0x04, 0x51, "AMD-SB-3020", "AMD-SB-3027" },
		{ { 0x1a, 0x11, 0x00 }, 0x04, 0x00, "AMD-SB-3020", NULL },
	};
	struct ccdm_snp_firmware f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const uint8_t *cpu = all[i].cpu;
		struct ccdm_snp snp = of(cpu[0], cpu[1], cpu[2], all[i].svn, all[i].microcode);

#define STATUS() (ccdm_snp_floor_judge(NULL, &snp, &f), f.status)
		assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
		assert_string_equal(f.found, "none below it");
		assert_non_null(strstr(f.expected, all[i].source));
		assert_int_equal(!!strstr(f.expected, "microcode"), !!all[i].microcode_source);
		if (all[i].microcode_source)
			assert_non_null(
				strstr(strstr(f.expected, "microcode"), all[i].microcode_source));
		snp = of(cpu[0], cpu[1], cpu[2], all[i].svn - 1, all[i].microcode);
		assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
		assert_non_null(strstr(f.found, "snp reported"));
		assert_null(strstr(f.found, "microcode"));
		if (all[i].microcode_source) {
			snp = of(cpu[0], cpu[1], cpu[2], all[i].svn, all[i].microcode - 1);
			assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
			assert_non_null(strstr(f.found, "microcode reported"));
		}
		/* one that does not say which of them it is has to be above all of them */
		snp = of(cpu[0], cpu[1], cpu[2], 0xff, 0xff);
		snp.version = 2;
		assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
		snp.tcb_raw.launch[7] = 0x50;
		assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
	}
	/* what AMD has said nothing about is not good by that */
	{
		struct ccdm_snp snp = of(0x1a, 0x50, 0, 0xff, 0xff);

		assert_int_equal(snp.generation, CCDM_SNP_VENICE);
		assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
		assert_string_equal(f.found, "none is for Venice");
		snp.generation = CCDM_SNP_UNKNOWN;
		assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
	}
#undef STATUS
}

/* A list of one's own: what it may say, and that it stands in place of ours. */
static void own_floor(void **state)
{
	static const struct {
		const char *text, *said;
	} bad[] = {
		{ "milan snp 3", "line 1: expected generation, part, version and source" },
		{ "\nmilan snp", "line 2: expected generation, part" },
		{ "milan snp 3 a b", "line 1: expected generation, part" },
		{ "rome snp 3 a", "'rome': expected milan" },
		{ "mila snp 3 a", "'mila': expected milan" },
		{ "unknown snp 3 a", "'unknown': expected milan" },
		{ "milan: snp 3 a", "'milan:': expected" },
		{ "milan:19/01 snp 3 a", "expected milan" },
		{ "milan:19/01/1 snp 3 a", "expected milan" },
		{ "milan:19/01/01/ snp 3 a", "expected milan" },
		{ "milan:19/01/0g snp 3 a", "expected milan" },
		{ "milan:019/01/01 snp 3 a", "expected milan" },
		{ "milan:19/11/01 snp 3 a", "expected milan" }, /* (that is a Genoa) */
		{ "milan SNP 3 a", "'SNP': expected fmc, bootloader" },
		{ "milan snp 256 a", "'256': expected a version" },
		{ "milan snp 0x100 a", "expected a version" },
		{ "milan snp -1 a", "expected a version" },
		{ "milan snp 0x a", "expected a version" },
		{ "milan snp 3a a", "expected a version" },
		{ "milan snp 1000000000000000000000 a", "expected a version" },
		{ "milan snp 3 0123456789012345678901234567890123", "a source has at most" },
	};
	static struct ccdm_snp_floor floor;
	struct ccdm_snp_firmware f;
	char *many;
	static struct ccdm_verdict v;
	struct ccdm_snp snp = of(0x19, 1, 1, 20, 200);
	size_t i;

	(void)state;
#define TEXT(t)	 ccdm_snp_floor_parse("f", t, strlen(t), &floor, &err)
#define STATUS() (ccdm_snp_floor_judge(&floor, &snp, &f), f.status)
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(TEXT(bad[i].text), -EINVAL);
		if (!strstr(err.text, bad[i].said))
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(floor.count, 0);
	}
	assert_int_equal(ccdm_snp_floor_parse("f", "milan snp 3 a\0", 14, &floor, &err), -EINVAL);
	assert_int_equal(
		TEXT("# ours\n\n Milan snp 20 ours # bulletin\r\nMILAN:19/01/01 microcode 0xC8 ours\n"),
		0);
	assert_int_equal(floor.count, 2);
	assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
	assert_string_equal(f.expected, "Milan at snp 20 (ours), microcode 200 (ours) or above");
	snp.tcb_raw.committed[6] = 19;
	assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
	assert_string_equal(f.found, "snp reported 20, committed 19, at launch 20");
	/* the highest counts, wherever it stands */
	assert_int_equal(TEXT("milan snp 20 a\nmilan snp 18 b\nmilan snp 19 c"), 0);
	assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
	assert_non_null(strstr(f.expected, "snp 20 (a)"));
	/* the other parts */
	assert_int_equal(TEXT("milan fmc 0 a\nmilan bootloader 0 a\nmilan tee 0 a"), 0);
	assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
	/* of others, or empty: nobody knows */
	assert_int_equal(TEXT("genoa snp 0 a"), 0);
	assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
	assert_int_equal(TEXT(""), 0);
	assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
	use = &floor;
	judge(&(struct spoil){ 0 }, &v);
	use = NULL;
	assert_string_equal(failed(&v), "firmware");
	assert_int_equal(status, CCDM_SNP_NO_FLOOR);
	/* bounds */
	many = calloc(1, CCDM_SNP_FLOOR_FILE + 2);
	for (i = 0; i <= CCDM_SNP_FLOOR_LINES; i++)
		strcat(many, "milan snp 1 a\n");
	assert_int_equal(TEXT(many), -EINVAL);
	assert_non_null(strstr(err.text, "more than 256 lines"));
	memset(many, '\n', CCDM_SNP_FLOOR_FILE + 1);
	assert_int_equal(TEXT(many), -EINVAL);
	free(many);
#undef TEXT
#undef STATUS
}

/* Who has none learns where it is, as far as the report says whose processor it is. */
static void where_from(void **state)
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

/* The same of lists: by the names of an issuer and of one that it has certified. */
static void lists_from(void **state)
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
	assert_string_equal(v.check[i].found,
			    "none of ARK-Milan; fetch https://kdsintf.amd.com/vcek/v1/Milan/crl; "
			    "run \"ccdm-broker trust fetch\"");
	judge(&stale, &v);
	assert_non_null(strstr(v.check[i].found, "2025-01-01T00:00:00Z; run \"ccdm-broker trust"));
}

/* r or s zero, or the curve's order */
static void numbers(void **state)
{
	static const uint8_t order[48] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
		0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
	};
	struct pki_want w = { .cn = "SEV-VCEK", .key = leaf_key };
	X509 *x = pki_cert(&w);
	static const uint8_t zero[48], one[48] = { [47] = 1 };
	uint8_t r[48], s[48];

	(void)state;
	pki_sign(leaf_key, EVP_sha384(), "text", 4, r, s, 48);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, s, 48, "text", 4), 0);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, s, 48, "tex_", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, zero, s, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, zero, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, zero, zero, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, order, s, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, order, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, one, one, 48, "text", 4), -EBADMSG);
	X509_free(x);
}

static void lengths(void **state)
{
	static uint8_t raw[CCDM_SNP_REPORT_SIZE + 64];
	struct ccdm_snp snp;
	size_t n;

	(void)state;
	for (n = 0; n <= sizeof(raw); n++)
		assert_int_equal(ccdm_snp_parse(raw, n, &snp, &err),
				 n == CCDM_SNP_REPORT_SIZE ? 0 : -EINVAL);
}

/* ---- as the protocol carries it --------------------------------------------------- */

struct entry {
	const uint8_t *guid; /* NULL: the end */
	uint32_t offset, length;
};

static const uint8_t guid_vcek[16] = { 0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45,
				       0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
static const uint8_t guid_ask[16] = { 0x79, 0xb3, 0xb7, 0x4a, 0xac, 0xbb, 0xe4, 0x4f,
				      0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 };
static const uint8_t guid_other[16] = { 1, 2, 3 };

static void put_entry(uint8_t *table, unsigned int i, const uint8_t *guid, uint32_t offset,
		      uint32_t length)
{
	unsigned int b;

	memset(table + 24 * i, 0, 24);
	if (guid)
		memcpy(table + 24 * i, guid, 16);
	for (b = 0; b < 4; b++) {
		table[24 * i + 16 + b] = offset >> 8 * b;
		table[24 * i + 20 + b] = length >> 8 * b;
	}
}

/* What a name, and the text that a certificate is in, may hold. */
static void certificates(void **state)
{
	static const struct {
		const char *cn;
		int size;
		const char *want;
	} names[] = {
		{ "SEV-Milan", 9, "SEV-Milan" },
		{ "SEV-Milan\0x", 11, "" },
		{ "", 0, "" },
	};
	struct pki_want w = { .cn = "x", .key = ask_key, .ca = true, .serial = 1 };
	struct ccdm_certs *certs = ccdm_certs_new();
	const struct ccdm_cert *found;
	X509_CRL *crl;
	uint8_t *der;
	char cn[64];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		X509_NAME *name = X509_NAME_new();
		X509 *x = pki_cert(&w);

		if (names[i].size)
			X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
						   (const uint8_t *)names[i].cn, names[i].size, -1,
						   0);
		assert_int_equal(X509_set_subject_name(x, name), 1);
		pki_add_cert(certs, x, &found);
		assert_string_equal(ccdm_cert_cn(found, cn), names[i].want);
		X509_NAME_free(name);
		X509_free(x);
	}
	/* with a byte behind it, or none at all */
	for (i = 0; i < 2; i++) {
		X509 *x = pki_cert(&w);
		uint8_t more[8192];

		crl = pki_crl(x, ask_key, NULL, NULL, 0);
		der = more;
		n = i ? i2d_X509_CRL(crl, &der) : i2d_X509(x, &der);
		more[n] = 0;
		assert_int_equal(ccdm_certs_add(certs, "t", more, n, NULL, &err), 0);
		assert_int_equal(ccdm_certs_add(certs, "t", more, n + 1, NULL, &err), -EINVAL);
		assert_int_equal(ccdm_certs_add(certs, "t", more, 0, NULL, &err), -EINVAL);
		X509_CRL_free(crl);
		X509_free(x);
	}
	{
		uint8_t *large = calloc(1, CCDM_CERT_MAX + 1);

		large[0] = 0x30;
		assert_int_equal(ccdm_certs_add(certs, "t", large, CCDM_CERT_MAX + 1, NULL, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, "bytes are no certificate"));
		free(large);
	}
	ccdm_certs_free(certs);
}

/* A certificate from a file, where the host gave none: once, and no other than a VCEK or VLEK. */
static void added(json_t *o, X509 *leaf, const uint8_t *raw)
{
	struct ccdm_certs *certs = ccdm_certs_new(), *got;
	const struct ccdm_cert *found;
	uint8_t back[CCDM_SNP_REPORT_SIZE];
	struct pki_pem pem;
	X509 *ark = pki_cert(
		&(struct pki_want){ .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 });

	pem = pki_pem(ark, NULL);
	assert_int_equal(ccdm_certs_add(certs, "t", pem.text, pem.size, NULL, &err), 0);
	assert_int_equal(ccdm_snp_json_add(o, certs, &err), -EINVAL);
	assert_true(json_is_null(json_object_get(o, "cert_chain")));
	pem = pki_pem(leaf, NULL);
	assert_int_equal(ccdm_certs_add(certs, "t", pem.text, pem.size, NULL, &err), 0);
	assert_int_equal(ccdm_snp_json_add(o, certs, &err), 0);
	assert_int_equal(ccdm_snp_json_add(o, certs, &err), 0);
	assert_int_equal(json_array_size(json_object_get(o, "cert_chain")), 1);
	got = ccdm_certs_new();
	assert_int_equal(ccdm_snp_json_parse(o, back, got, &found, &err), 0);
	assert_non_null(found);
	assert_memory_equal(raw, back, sizeof(back));
	ccdm_certs_free(got);
	ccdm_certs_free(certs);
	X509_free(ark);
}

/* What is made of a report is read as that report, and its certificate is found. */
static void there_and_back(void **state)
{
	static const struct spoil all[] = {
		{ 0 }, { .version = 2 }, { .version = 5 }, { .turin = true }, { .vlek = true },
	};
	uint8_t raw[CCDM_SNP_REPORT_SIZE], back[CCDM_SNP_REPORT_SIZE], table[4096], *der;
	struct pki_want w = { .cn = "SEV-Milan", .key = ask_key, .ca = true, .serial = 1 };
	X509 *ask = pki_cert(&w), *x;
	const struct ccdm_cert *leaf;
	struct ccdm_certs *certs;
	json_t *o, *chain;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		make_report(&all[i], NULL, raw);
		raw[0x1f8] = raw[0x200] = all[i].version == 5 ? 7 : 0;
		x = make_leaf(&all[i], raw, ask);
		der = table + 96;
		n = i2d_X509(x, &der);
		/* one of a kind: a table could make much of few bytes */
		put_entry(table, 0, guid_vcek, 96, n);
		put_entry(table, 1, guid_vcek, 96, n);
		put_entry(table, 2, NULL, 0, 0);
		assert_int_equal(ccdm_snp_json_make(raw, table, 96 + n, &o, &err), -EINVAL);
		put_entry(table, 0, guid_other, 96, 5);
		put_entry(table, 1, guid_ask, 96, n);
		put_entry(table, 2, guid_vcek, 96, n);
		put_entry(table, 3, NULL, 0, 0);
		{
			uint8_t both[sizeof(raw) + sizeof(table)];

			memcpy(both, raw, sizeof(raw));
			memcpy(both + sizeof(raw), table, 96 + n);
			seed("table", both, sizeof(raw) + 96 + n);
		}
		assert_int_equal(ccdm_snp_json_make(raw, table, 96 + n, &o, &err), 0);
		certs = ccdm_certs_new();
		assert_int_equal(ccdm_snp_json_parse(o, back, certs, &leaf, &err), 0);
		assert_memory_equal(raw, back, sizeof(raw));
		assert_non_null(leaf);
		assert_int_equal(json_array_size(json_object_get(o, "cert_chain")), 2);
		ccdm_certs_free(certs);
		/* two of them: which one is it? */
		certs = ccdm_certs_new();
		chain = json_object_get(o, "cert_chain");
		json_array_append(chain, json_array_get(chain, 1));
		assert_int_equal(ccdm_snp_json_parse(o, back, certs, &leaf, &err), -EINVAL);
		assert_non_null(strstr(err.text, "more than one VCEK"));
		/* and as many as are never needed */
		while (!ccdm_certs_at(certs, CCDM_CERTS_MAX - 1))
			pki_add_cert(certs, ask, NULL);
		assert_int_equal(ccdm_certs_add(certs, "table", table + 96, n, NULL, &err), -E2BIG);
		assert_non_null(strstr(err.text, "table: more than 32 certificates"));
		ccdm_certs_free(certs);
		json_decref(o);

		assert_int_equal(ccdm_snp_json_make(raw, NULL, 0, &o, &err), 0);
		assert_true(json_is_null(json_object_get(o, "cert_chain")));
		added(o, x, raw);
		json_decref(o);
		X509_free(x);
	}
	X509_free(ask);
}

/* A report and its object say the same: what has no place in the object is not dropped. */
static void no_place(void **state)
{
	static const struct spoil vlek = { .vlek = true };
	uint8_t raw[CCDM_SNP_REPORT_SIZE], back[CCDM_SNP_REPORT_SIZE];
	const struct ccdm_cert *leaf;
	struct ccdm_certs *certs;
	unsigned int i, refused = 0;
	json_t *o;

	(void)state;
	make_report(&vlek, NULL, raw);
	for (i = 0; i < sizeof(raw); i++) {
		raw[i] ^= 1;
		if (ccdm_snp_json_make(raw, NULL, 0, &o, &err)) {
			assert_null(o);
			refused++;
		} else {
			certs = ccdm_certs_new();
			assert_int_equal(ccdm_snp_json_parse(o, back, certs, &leaf, &err), 0);
			assert_memory_equal(raw, back, sizeof(raw));
			ccdm_certs_free(certs);
			json_decref(o);
		}
		raw[i] ^= 1;
	}
	/* the last 368 bytes at least are reserved */
	assert_in_range(refused, 368, 700);
}

/* What a chain may hold, entry by entry; and a leaf beside what is there. */
static void chains(void **state)
{
	static const struct {
		const char *entry; /* of a list of revoked certificates if it has no data */
		const char *said;
	} all[] = {
		{ "{\"cert_type\": \"Empty\", \"data\": 7}", NULL },
		{ "{\"cert_type\": {\"OTHER\": \"x\"}}", NULL },
		{ "{\"cert_type\": \"CRL\"}", NULL },
		{ "{\"cert_type\": \"VCEK\"}", "a list in place of a certificate" },
		{ "{\"cert_type\": \"VLEK\"}", "a list in place of a certificate" },
		{ "{\"cert_type\": \"VXEK\"}", "no word that is known" },
		{ "{\"cert_type\": 7}", "no word that is known" },
		{ "{\"data\": []}", "no word that is known" },
		{ "{\"cert_type\": \"ASK\", \"data\": [48, 256]}", "data" },
		{ "7", "no word that is known" },
	};
	static const struct spoil vlek = { .vlek = true };
	struct pki_want w = { .cn = "SEV-Milan", .key = ask_key, .ca = true, .serial = 1 };
	uint8_t raw[CCDM_SNP_REPORT_SIZE], back[CCDM_SNP_REPORT_SIZE], *der = NULL;
	X509 *ask = pki_cert(&w), *x;
	X509_CRL *crl = pki_crl(ask, ask_key, NULL, NULL, 7);
	const struct ccdm_cert *leaf;
	struct ccdm_certs *certs;
	json_t *o, *entry;
	size_t i;
	int n = i2d_X509_CRL(crl, &der);

	(void)state;
	make_report(&vlek, NULL, raw);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(ccdm_snp_json_make(raw, NULL, 0, &o, &err), 0);
		entry = json_loads(all[i].entry, JSON_DECODE_ANY, NULL);
		if (json_is_object(entry) && !json_object_get(entry, "data"))
			json_object_set_new(entry, "data", octets(der, n));
		json_object_set_new(o, "cert_chain", json_pack("[o]", entry));
		seed_json("snp", o);
		certs = ccdm_certs_new();
		memset(&err, 0, sizeof(err));
		assert_int_equal(ccdm_snp_json_parse(o, back, certs, &leaf, &err),
				 all[i].said ? -EINVAL : 0);
		if (all[i].said && !strstr(err.text, all[i].said))
			fail_msg("case %zu: %s", i, err.text);
		assert_null(leaf);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	OPENSSL_free(der);
	X509_CRL_free(crl);
	/* a VLEK beside the ASK that is there, once */
	assert_int_equal(ccdm_snp_json_make(raw, NULL, 0, &o, &err), 0);
	der = NULL;
	n = i2d_X509(ask, &der);
	json_object_set_new(o, "cert_chain",
			    json_pack("[{s:s, s:o}, {s:i}]", "cert_type", "ASK", "data",
				      octets(der, n), "x", 1));
	OPENSSL_free(der);
	x = make_leaf(&vlek, raw, ask);
	certs = ccdm_certs_new();
	pki_add_cert(certs, x, NULL);
	for (i = 0; i < 2; i++) {
		assert_int_equal(ccdm_snp_json_add(o, certs, &err), 0);
		assert_int_equal(json_array_size(json_object_get(o, "cert_chain")), 3);
	}
	json_object_set_new(o, "cert_chain", json_integer(7));
	ccdm_certs_free(certs);
	certs = ccdm_certs_new();
	assert_int_equal(ccdm_snp_json_parse(o, back, certs, &leaf, &err), -EINVAL);
	assert_non_null(strstr(err.text, "cert_chain is no array"));
	ccdm_certs_free(certs);
	json_decref(o);
	X509_free(x);
	X509_free(ask);
}

/* The host's table is the host's. */
static void bad_tables(void **state)
{
	static const struct {
		struct entry entry;
		size_t size;
		const char *says;
	} all[] = {
		{ { guid_vcek, 200, 1 }, 200, "entry 0 is 1 bytes at 200 of 200" },
		{ { guid_vcek, 48, 153 }, 200, "entry 0 is 153 bytes at 48 of 200" },
		{ { guid_vcek, 0xffffffff, 2 }, 200, "entry 0" },
		{ { guid_vcek, 48, 0xffffffff }, 200, "entry 0" },
		{ { guid_other, 200, 1 }, 200, "entry 0" },
		{ { guid_vcek, 0, 24 }, 24, "the table has no end" },
		{ { guid_vcek, 0, 24 }, 47, "the table has no end" },
		{ { guid_vcek, 0, 23 }, 23, "the table has no end" },
	};
	static const struct spoil good;
	uint8_t raw[CCDM_SNP_REPORT_SIZE], *table;
	json_t *o;
	size_t i;

	(void)state;
	make_report(&good, NULL, raw);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint8_t whole[256] = { 0 };

		put_entry(whole, 0, all[i].entry.guid, all[i].entry.offset, all[i].entry.length);
		/* the sanitizer sees what is read behind it */
		table = malloc(all[i].size);
		memcpy(table, whole, all[i].size);
		assert_int_equal(ccdm_snp_json_make(raw, table, all[i].size, &o, &err), -EINVAL);
		if (!strstr(err.text, all[i].says))
			fail_msg("case %zu: '%s'", i, err.text);
		assert_null(o);
		free(table);
	}
}

/* Among many certificates, that of the chip, and of its TCB if there is one. */
static void leaf_among(void **state)
{
	static const struct spoil good, vlek = { .vlek = true };
	static const struct spoil others[] = {
		{ .hwid_other = true }, { .no_hwid = true }, { .bootloader = 9 },
		{ .vlek = true },	{ .no_tcb = true },  { 0 },
	};
	static const int found[] = { -1, -1, -1, 2, 2, 4 };
	struct pki_want w = { .cn = "SEV-Milan", .key = ask_key, .ca = true, .serial = 1 };
	struct ccdm_certs *certs = ccdm_certs_new();
	uint8_t raw[CCDM_SNP_REPORT_SIZE], raw_vlek[CCDM_SNP_REPORT_SIZE];
	X509 *ask = pki_cert(&w), *x;
	struct ccdm_snp snp, snp_vlek;
	size_t i;

	(void)state;
	make_report(&good, NULL, raw);
	make_report(&vlek, NULL, raw_vlek);
	assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
	assert_int_equal(ccdm_snp_parse(raw_vlek, sizeof(raw_vlek), &snp_vlek, &err), 0);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		/* none of the chip; the last of its chip; the one of its TCB, too */
		assert_ptr_equal(ccdm_snp_leaf(certs, &snp),
				 found[i] < 0 ? NULL : ccdm_certs_at(certs, found[i]));
		x = make_leaf(&others[i], others[i].vlek ? raw_vlek : raw, ask);
		pki_add_cert(certs, x, NULL);
		X509_free(x);
	}
	assert_ptr_equal(ccdm_snp_leaf(certs, &snp), ccdm_certs_at(certs, 5));
	assert_ptr_equal(ccdm_snp_leaf(certs, &snp_vlek), ccdm_certs_at(certs, 3));
	X509_free(ask);
	ccdm_certs_free(certs);
}

static void silence(void **state)
{
	struct ccdm_verdict v = { 0 };
	unsigned int i;

	(void)state;
	assert_false(ccdm_verdict_accepted(&v));
	v.complete = true;
	assert_false(ccdm_verdict_accepted(&v));
	for (i = 0; i < CCDM_CHECKS_MAX; i++)
		assert_true(ccdm_verdict_add(&v, "x", true, 0, "a", "b%u", i));
	assert_true(ccdm_verdict_accepted(&v));
	assert_false(ccdm_verdict_add(&v, "x", true, 0, "a", "b"));
	assert_false(ccdm_verdict_accepted(&v));
}

/* What is built in leads to the roots that are pinned, and helps nobody who names other roots. */
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
		/* each below the root of its own generation */
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

	/* a leaf that names AMD's ASK as its issuer, and was signed by another key */
	make_report(&bare, NULL, raw);
	x = make_leaf(&bare, raw, (X509 *)ccdm_certs_at(certs, 1));
	pki_add_cert(none, x, &want.leaf);
	want.certs = none;
	assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_snp_verify(&snp, &want, v), 0);
	assert_false(ccdm_verdict_accepted(v));
	assert_string_equal(failed(v), "chain");

	/* one that AMD's root signed; who names a root himself, be it AMD's, brings the chain, too */
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
		cmocka_unit_test(certificates),	  cmocka_unit_test(one_check_each),
		cmocka_unit_test(numbers),	  cmocka_unit_test(where_from),
		cmocka_unit_test(said),		  cmocka_unit_test(bulletins),
		cmocka_unit_test(own_floor),	  cmocka_unit_test(lengths),
		cmocka_unit_test(there_and_back), cmocka_unit_test(bad_tables),
		cmocka_unit_test(leaf_among),	  cmocka_unit_test(silence),
		cmocka_unit_test(chains),	  cmocka_unit_test(built_in),
		cmocka_unit_test(lists_from),	  cmocka_unit_test(no_place),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
