// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * TDX quotes under a test chain, each spoilt in one place: one check must fail. Also quotes that
 * are cut off.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include "failed.h"
#include "forge_tdx.h"
#include "seed.h"

#define AT 1750000000 /* 2025-06-15T15:06:40Z */

static struct ccdm_err err;
static int setup(void **state)
{
	(void)state;
	tdx_keys_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tdx_keys_free();
	return 0;
}

/* ---- one case ----------------------------------------------------------------------------- */

static void judge(const struct tdx_spoil *s, struct ccdm_verdict *v)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_anchor anchor = { .name = "test" };
	struct ccdm_tdx_want want = {
		.certs = certs, .at = AT, .anchors = &anchor, .nr_anchors = 1
	};
	struct ccdm_collateral collateral = { 0 };
	uint8_t *quote = calloc(1, 16384), data[48];
	struct ccdm_tdx tdx;
	struct tdx_chain c;
	size_t size;

	tdx_chain_make(s, &c);
	assert_int_equal(ccdm_cert_fingerprint((struct ccdm_cert *)c.root, anchor.sha256), 0);
	size = tdx_quote(s, &c, quote);
	if (!s->no_collateral) {
		pki_add_cert(certs, c.tcb, NULL);
		pki_add_cert(certs, c.qe, NULL);
		if (!s->no_tcb_info)
			tdx_tcb(s, &collateral);
		if (!s->no_qe_identity)
			tdx_qe(s, &collateral);
		want.collateral = &collateral;
	}
	/* the vendor's root is always known, independent of the quote */
	if (s->no_chain || s->fake_root)
		pki_add_cert(certs, c.root, NULL);
	if (s->tcb_by == BY_FAKE || s->qe_by == BY_FAKE)
		pki_add_cert(certs, c.fake, NULL);
	if (s->tcb_by == BY_CA || s->qe_by == BY_CA)
		pki_add_cert(certs, c.other_ca, NULL);
	if (s->fake_root || s->tcb_by == BY_FAKE || s->qe_by == BY_FAKE)
		pki_add_crl(certs, c.fake, tdx_other_key, NULL, NULL, 77);
	if (!s->no_crl) {
		pki_add_crl(certs, c.root, tdx_root_key, NULL, s->crl_to,
			    s->revoked_tcb  ? 4
			    : s->revoked_qe ? 5
					    : 77);
		if (!s->no_ca_crl)
			pki_add_crl(certs, c.ca, tdx_ca_key, NULL, NULL, s->revoked ? 3 : 77);
	}
	if (s->platform_flip % 64 == 0) {
		json_t *bundle = tdx_bundle(&c, want.collateral);
		char *text = json_dumps(bundle, 0);

		seed_pair("tdx", quote, size, text, strlen(text));
		free(text);
		json_decref(bundle);
	}
	memset(v, 0, sizeof(*v));
	v->allow = s->allow;
	assert_int_equal(ccdm_tdx_parse(quote, size, &tdx, &err), 0);
	if (s->report_data) {
		memcpy(data, tdx.report_data, sizeof(data));
		data[0] = s->report_data;
		want.report_data = data;
		want.report_data_size = sizeof(data);
	}
	assert_int_equal(ccdm_tdx_verify(&tdx, &want, v, &err), 0);
	ccdm_collateral_drop(&collateral);
	ccdm_certs_free(certs);
	tdx_chain_drop(&c);
	free(quote);
}

#define OLD   "20250101000000Z"
#define PAST  "2025-06-10T00:00:00Z"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES \
	"111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"

static void one_check_each(void **state)
{
	static const struct tdx_spoil all[] = {
		{ 0 },
		{ .version = 5 },
		{ .version = 5, .body_type = 2 },
		{ .fails = "version", .at = 0, .value = 0, .version = 6 },
		{ .fails = "version", .version = 3 },
		{ .fails = "tee-type", .at = 4, .value = 0x80 },
		{ .fails = "key-type", .at = 2, .value = 3 },
		{ .fails = "body-type", .version = 5, .body_type = 4 },
		{ .fails = "qe-vendor", .at = 12, .value = 0 },
		{ .fails = "pck-chain", .no_chain = true },
		{ .fails = "pck-root", .fake_root = true },
		{ .fails = "pck-validity", .pck_to = OLD },
		{ .fails = "pck-validity", .ca_to = OLD },
		{ .pck_to = OLD, .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "pck-revocation", .revoked = true },
		{ .no_crl = true, .allow = CCDM_ALLOW_NO_CRL },
		{ .crl_to = OLD, .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "pck-crl", .no_ca_crl = true },
		/* lists in the quote neither satisfy a check nor disturb one */
		{ .fails = "pck-crl", .no_ca_crl = true, .own_crls = true },
		{ .own_crls = true },
		{ .fails = "tcb-info-chain", .tcb_by = BY_NOBODY },
		{ .fails = "tcb-info-root", .tcb_by = BY_FAKE },
		{ .fails = "tcb-info-crl", .tcb_by = BY_CA },
		{ .fails = "qe-identity-chain", .qe_by = BY_NOBODY },
		{ .fails = "qe-identity-root", .qe_by = BY_FAKE },
		{ .fails = "qe-identity-crl", .qe_by = BY_CA },
		{ .fails = "qe-identity-revocation", .revoked_qe = true },
		{ .fails = "qe-report-signature", .flip_qe_signature = true },
		{ .fails = "signature", .flip_signature = true },
		{ .fails = "signature", .other_ak = true },
		{ .fails = "key-binding", .qe_at = 320, .qe_value = 0 },
		{ .fails = "key-binding", .qe_at = 383, .qe_value = 1 },
		{ .fails = "debug", .at = 1120, .value = 1 },
		{ .fails = "debug", .at = 1120, .value = 0x80 },
		{ .at = 1120, .value = 1, .allow = CCDM_ALLOW_DEBUG },
		{ .fails = "migration", .at = 1123, .value = 0x30, .allow = CCDM_ALLOW_SEPT_VE },
		{ .at = 1123, .value = 0x30, .allow = CCDM_ALLOW_MIGRATION },
		{ .fails = "migration", .version = 5, .at = 1600, .value = 1 },
		{ .fails = "migration", .version = 5, .at = 1647, .value = 1 },
		{ .version = 5, .at = 1647, .value = 1, .allow = CCDM_ALLOW_MIGRATION },
		{ .fails = "sept-ve", .at = 1123, .value = 0 },
		{ .fails = "sept-ve", .at = 1123, .value = 0xc0, .allow = CCDM_ALLOW_MIGRATION },
		{ .at = 1123, .value = 0, .allow = CCDM_ALLOW_SEPT_VE },
		{ .fails = "attributes", .at = 1121, .value = 1, .allow = 0xffff },
		{ .fails = "attributes", .at = 1122, .value = 0x80, .allow = 0xffff },
		{ .fails = "attributes", .at = 1123, .value = 0x14, .allow = 0xffff },
		/* PKS, KL and PERFMON concern only the guest */
		{ .at = 1123, .value = 0xd0 },
		{ .at = 1127, .value = 0x80 },
		{ .report_data = 0x80 },
		{ .fails = "report-data", .report_data = 0x81 },
		{ .fails = "report-data", .report_data = 0x80, .at = 1520 + 63, .value = 1 },
		{ .fails = "pck-platform", .no_platform = true },
		{ .fails = "pck-platform", .bad_platform = true },
		{ .fails = "pck-platform", .platform_twice = true },
		{ .fails = "collateral", .no_collateral = true },
		{ .fails = "tcb-info", .no_tcb_info = true },
		{ .fails = "tcb-info-signature", .flip_tcb_info = true },
		{ .fails = "tcb-info-signer", .tcb_cn = "Intel SGX PCK Certificate" },
		{ .fails = "tcb-info-validity", .tcb_cert_to = OLD },
		{ .fails = "tcb-info-revocation", .revoked_tcb = true },
		{ .fails = "tcb-info-date", .tcb_next = PAST },
		{ .tcb_next = PAST, .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "tcb-info-date", .tcb_next = "never", .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "tcb-info-date",
		  .tcb_edit = { "2025-06-01T00", "2025-06-16T00" },
		  .allow = CCDM_ALLOW_TCB_CONFIG },
		{ .fails = "tcb-info-date",
		  .tcb_edit = { "2025-06-01T00", "June" },
		  .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "tcb-info-version", .tcb_version = 2 },
		{ .fails = "tcb-info-version", .tcb_version = -3 },
		{ .fails = "tcb-info-version",
		  .tcb_edit = { "\"version\":3", "\"version\":\"3\"" } },
		{ .fails = "tcb-info-version", .tcb_id = "SGX" },
		{ .fails = "tcb-info-platform", .fmspc = "0A0B0C0D0E10" },
		{ .fails = "tcb-info-platform", .fmspc = "0A0B0C0D0E0" },
		{ .fails = "tcb-info-platform", .pceid = "0001" },
		{ .fails = "tcb-info-platform", .pceid = "000x" },
		{ .fails = "tcb", .status = "OutOfDate" },
		{ .fails = "tcb", .status = "Revoked", .allow = 0xffff },
		{ .fails = "tcb", .status = "Splendid", .allow = 0xffff },
		{ .fails = "tcb", .status = "SWHardeningNeeded" },
		{ .fails = "tcb",
		  .status = "ConfigurationAndSWHardeningNeeded",
		  .allow = CCDM_ALLOW_TCB_CONFIG },
		{ .status = "ConfigurationAndSWHardeningNeeded",
		  .allow = CCDM_ALLOW_TCB_CONFIG | CCDM_ALLOW_TCB_SW_HARDENING },
		{ .status = "OutOfDate", .allow = CCDM_ALLOW_TCB_OUT_OF_DATE },
		{ .fails = "tcb",
		  .status = "OutOfDateConfigurationNeeded",
		  .allow = CCDM_ALLOW_TCB_OUT_OF_DATE },
		{ .fails = "tcb", .pcesvn = 12, .allow = 0xffff },
		{ .fails = "tcb", .pcesvn = -1, .allow = 0xffff },
		{ .fails = "tcb", .sgx_svn = -1, .allow = 0xffff },
		{ .fails = "tcb", .status = "", .allow = 0xffff },
		{ .fails = "tcb", .sgx_svn = 4, .allow = 0xffff },
		{ .fails = "tcb", .at = 1002, .value = 4, .allow = 0xffff },
		/* a module from before module versions: its version counts as a component */
		{ .fails = "tcb", .at = 1001, .value = 0, .allow = 0xffff },
		{ .at = 1001, .value = 0, .tcb_edit = { "{\"svn\":9}", "{\"svn\":4}" } },
		{ .fails = "tcb", .components = 15, .allow = 0xffff },
		{ .fails = "tcb", .components = 17, .allow = 0xffff },
		{ .fails = "module", .module = "TDX_02" },
		{ .fails = "module-signer", .module_signer = ONES },
		{ .fails = "module-signer", .module_signer = "00" },
		{ .fails = "module-signer", .at = 1064, .value = 1 },
		{ .fails = "module-attributes", .at = 1112, .value = 1 },
		{ .fails = "module-attributes", .module_attributes = "01" },
		{ .fails = "module-attributes",
		  .tcb_edit = { "Mask\":\"FFFFFFFFFFFFFFFF\",\"tcbL", "Mask\":\"FF\",\"tcbL" } },
		{ .fails = "module-tcb", .module_status = "OutOfDate" },
		{ .fails = "module-tcb", .module_svn = -1, .allow = 0xffff },
		{ .fails = "module-tcb", .module_svn = 5, .allow = 0xffff },
		{ .fails = "qe-identity", .no_qe_identity = true },
		{ .fails = "qe-identity-signature", .flip_qe_identity = true },
		{ .fails = "qe-identity-signer", .qe_cn = "Somebody" },
		{ .fails = "qe-identity-validity", .qe_cert_to = OLD },
		{ .fails = "qe-identity-date", .qe_next = PAST },
		{ .fails = "qe-identity-version", .qe_id = "QE" },
		{ .fails = "qe-identity-version", .qe_edit = { "\"version\":2", "\"version\":3" } },
		{ .fails = "qe-signer", .qe_at = 128, .qe_value = 0 },
		/* an identity with a zero signer is invalid, even if the QE has the same */
		{ .fails = "qe-signer", .qe_signer = ZEROS, .qe_nobody = true },
		{ .fails = "qe-signer", .qe_signer = "d0" },
		{ .fails = "qe-product", .qe_product = 1 },
		{ .fails = "qe-miscselect", .qe_at = 16, .qe_value = 1 },
		{ .fails = "qe-miscselect", .qe_misc = "00000001" },
		{ .qe_at = 16, .qe_value = 1, .qe_misc = "01000000" },
		{ .fails = "qe-miscselect", .qe_at = 16, .qe_value = 1, .qe_misc = "00000001" },
		{ .fails = "qe-miscselect", .qe_misc = "0000" },
		{ .fails = "qe-attributes", .qe_at = 48, .qe_value = 0x13 },
		{ .fails = "qe-attributes", .qe_attributes = "11" },
		{ .fails = "qe-attributes", .qe_edit = { "attributesMask", "mask" } },
		{ .qe_at = 63, .qe_value = 0x13 },
		{ .fails = "qe-tcb", .qe_svn = 5, .allow = 0xffff },
		{ .fails = "qe-tcb", .qe_status = "OutOfDate" },
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
	}
}

#define SIG                                                                \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Flip a bit in each byte of the platform extension: it names another platform, or is invalid. */
static void platforms(void **state)
{
	struct tdx_spoil s = { 0 };
	struct ccdm_verdict v;
	unsigned int passed = 0;
	uint8_t der[800];
	size_t n = tdx_platform(&s, der);

	(void)state;
	for (s.platform_flip = 1; s.platform_flip <= n; s.platform_flip++) {
		judge(&s, &v);
		passed += ccdm_verdict_accepted(&v);
		if (strcmp(failed(&v), "") && strcmp(failed(&v), "pck-platform") &&
		    strcmp(failed(&v), "tcb-info-platform"))
			fail_msg("byte %u: failed: '%s'", s.platform_flip - 1, failed(&v));
	}
	/* CPUSVN repeats the components, so its bytes do not matter */
	assert_int_equal(passed, 16);
}

/* Other encodings of the platform extension: any deviation is refused. */
static void platform_forms(void **state)
{
#define DER(bytes) bytes, sizeof(bytes) - 1
	static const struct tdx_spoil all[] = {
		/* PCESVN; leading zeros are accepted */
		{ .arc = 17, .item = DER("\x02\x02\x00\x0b") },
		{ .arc = 17, .item = DER("\x02\x03\x00\x00\x0b") },
		{ .arc = 17, .item = DER("\x02\x02\x01\x00") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x02\x03\x01\x00\x00") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x02\x04\x00\x00\x00\x0b") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x02\x01\x8b") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x02\x00") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x02\x01\x0b\x00") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x02\x02\x0b") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x02") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("") },
		{ .fails = "pck-platform", .arc = 17, .item = DER("\x0a\x01\x0b") },
		/* a component, which is one byte */
		{ .arc = 1, .item = DER("\x02\x02\x00\xff") },
		{ .fails = "pck-platform", .arc = 1, .item = DER("\x02\x02\x01\x00") },
		{ .fails = "pck-platform", .arc = 16, .item_times = 2 },
		{ .fails = "pck-platform", .arc = 16, .item_times = 9 },
		/* CPUSVN, PCE-ID and FMSPC */
		{ .fails = "pck-platform", .arc = 18, .item = DER("\x04\x01\x00") },
		{ .arc = 18, .item_times = 9 },
		{ .fails = "pck-platform", .arc = 23, .item_times = 9 },
		{ .fails = "pck-platform", .platform_raw = DER("\x30\x05\x30\x03\x06\x01\x2a") },
		{ .fails = "pck-platform", .arc = 23, .item = DER("\x04\x02\x00\x00\x00") },
		{ .fails = "pck-platform", .arc = 23, .item = DER("\x04\x03\x00\x00\x00") },
		{ .fails = "pck-platform", .arc = 24, .item_times = 2 },
		/* the whole extension: invalid lengths */
		{ .fails = "pck-platform", .platform_raw = DER("\x30") },
		{ .fails = "pck-platform", .platform_raw = DER("\x30\x00") },
		{ .fails = "pck-platform", .platform_raw = DER("\x30\x80\x00\x00") },
		{ .fails = "pck-platform", .platform_raw = DER("\x30\x83\x00\x00\x00") },
		{ .fails = "pck-platform", .platform_raw = DER("\x30\x82\x00") },
		{ .fails = "pck-platform", .platform_raw = DER("\x30\x03\x30\x01\x00") },
		{ .fails = "pck-platform", .platform_raw = DER("\x30\x02\x30\x00") },
	};
#undef DER
	struct ccdm_verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		judge(&all[i], &v);
		if (strcmp(failed(&v), all[i].fails ? all[i].fails : ""))
			fail_msg("case %zu: failed: '%s'", i, failed(&v));
	}
}

/* All collateral in one object, with one defect: the error names the place. */
static void bundle_texts(void **state)
{
	static const struct {
		const char *tcb, *tcb_signature, *qe, *qe_signature, *more, *said;
	} all[] = {
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", "", NULL },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", ", 'pck_crl': null", NULL },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", ", 'pck_certificate_chain': null",
		  NULL },
		{ "{}", "'" SIG "'", "'{}'", "'" SIG "'", "", "tcb_info: expected a string" },
		{ "'{}'", "'" SIG "'", "7", "'" SIG "'", "", "qe_identity: expected a string" },
		{ "'{}'", "'12'", "'{}'", "'" SIG "'", "", "tcb_info: the signature: expected" },
		{ "'{}'", "null", "'{}'", "'" SIG "'", "", "tcb_info: the signature: expected" },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "0'", "",
		  "qe_identity: the signature: expected" },
		{ "'[]'", "'" SIG "'", "'{}'", "'" SIG "'", "", "tcb_info: line" },
		{ "'{}'", "'" SIG "'", "'{'", "'" SIG "'", "", "qe_identity: line 1" },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", ", 'pck_crl_issuer_chain': 1",
		  "pck_crl_issuer_chain: expected a string" },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", ", 'pck_certificate_chain': 'x'",
		  "pck_certificate_chain" },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", ", 'root_ca_crl': 'xy'",
		  "root_ca_crl: expected hex" },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", ", 'pck_crl': []",
		  "pck_crl: expected hex" },
		{ "'{}'", "'" SIG "'", "'{}'", "'" SIG "'", "} x", "line 1" },
	};
	struct ccdm_collateral c = { 0 };
	struct ccdm_err e = { 0 };
	struct ccdm_certs *certs;
	char text[1024], *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(text, sizeof(text),
			 "{'tcb_info': %s, 'tcb_info_signature': %s, 'qe_identity': %s, "
			 "'qe_identity_signature': %s%s}",
			 all[i].tcb, all[i].tcb_signature, all[i].qe, all[i].qe_signature,
			 all[i].more);
		for (p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
		certs = ccdm_certs_new();
		e = (struct ccdm_err){ 0 };
		if (!all[i].said) {
			assert_int_equal(
				ccdm_collateral_bundle("b", text, strlen(text), &c, certs, &e), 0);
			/* a second bundle for the same set */
			assert_int_equal(
				ccdm_collateral_bundle("b", text, strlen(text), &c, certs, &e),
				-EINVAL);
			assert_non_null(
				strstr(e.text, "tcb_info: found a second one, expected one"));
		} else if (ccdm_collateral_bundle("b", text, strlen(text), &c, certs, &e) !=
				   -EINVAL ||
			   !strstr(e.text, all[i].said)) {
			fail_msg("%s: %s", text, e.text);
		}
		ccdm_collateral_drop(&c);
		ccdm_certs_free(certs);
	}
	assert_int_equal(ccdm_collateral_bundle("b", "[]", 2, &c, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "expected an object"));
}

/* The signature covers the bytes of the member, however they are formatted. */
static void signed_texts(void **state)
{
	static const struct {
		const char *text, *inner;
	} all[] = {
		{ "{\"tcbInfo\":{\"a\":[{}]},\"signature\":\"" SIG "\"}", "{\"a\":[{}]}" },
		{ " { \"x\\\"tcbInfo\" : \"}\" , \"signature\" : \"" SIG
		  "\" , \"tcbInfo\" : { \"tcbInfo\" : \"{\\\\\" } } ",
		  "{ \"tcbInfo\" : \"{\\\\\" }" },
		{ "{\"tcb\\u0049nfo\":{},\"signature\":\"" SIG "\"}", NULL },
		{ "{\"tcbInfo\":{},\"tcb\\u0049nfo\":{},\"signature\":\"" SIG "\"}", NULL },
		{ "{\"tcbInfo\":[],\"signature\":\"" SIG "\"}", NULL },
		{ "{\"tcbInfo\":{}}", NULL },
		/* another member whose name has the same length; a member that is not an object */
		{ "{\"tcbInfa\":{},\"tcbInfo\":{},\"signature\":\"" SIG "\"}", "{}" },
		{ "{\"x\":{\"tcbInfo\":{\"y\":1}},\"tcbInfo\":{},\"signature\":\"" SIG "\"}",
		  "{}" },
		{ "[]", NULL },
		{ "{", NULL },
	};
	struct ccdm_collateral c = { 0 };
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		r = ccdm_collateral_tcb("t", all[i].text, strlen(all[i].text), &c, &err);
		if (r != (all[i].inner ? 0 : -EINVAL))
			fail_msg("%s: %s", all[i].text, err.text);
		if (!r) {
			assert_int_equal(c.tcb.size, strlen(all[i].inner));
			assert_memory_equal(c.tcb.text, all[i].inner, c.tcb.size);
		}
		ccdm_collateral_drop(&c);
	}
}

static void odd_quotes(void **state)
{
	struct ccdm_anchor anchor = { .name = "test" };
	struct ccdm_tdx_want want = { .at = AT, .anchors = &anchor, .nr_anchors = 1 };
	struct tdx_spoil five = { .version = 5 }, crl = { .only_crl = true };
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	uint8_t *quote = calloc(1, CCDM_TDX_QUOTE_MAX + 1);
	struct ccdm_tdx tdx;
	struct tdx_chain c;
	size_t size;

	(void)state;
	tdx_chain_make(&five, &c);
	size = tdx_quote(&five, &c, quote);
	assert_int_equal(ccdm_tdx_parse(quote, CCDM_TDX_QUOTE_MAX + 1, &tdx, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected at most"));
	quote[50] ^= 1;
	assert_int_equal(ccdm_tdx_parse(quote, size, &tdx, &err), -EINVAL);
	assert_non_null(strstr(err.text, "a body of the size of its type is missing"));
	size = tdx_quote(&crl, &c, quote);
	assert_int_equal(ccdm_tdx_parse(quote, size, &tdx, &err), 0);
	want.certs = ccdm_certs_new();
	assert_int_equal(ccdm_tdx_verify(&tdx, &want, v, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected a certificate, found none"));
	assert_false(ccdm_verdict_accepted(v));
	ccdm_certs_free((struct ccdm_certs *)want.certs);
	tdx_chain_drop(&c);
	free(quote);
	free(v);
}

/* Each shorter quote is an error, and no read goes beyond the end. */
static void cut_off(void **state)
{
	static const struct tdx_spoil good[] = { { 0 }, { .version = 5 } };
	uint8_t *quote = calloc(1, 16384), *copy;
	struct ccdm_tdx tdx;
	struct tdx_chain c;
	size_t size, n, i;

	(void)state;
	tdx_chain_make(&good[0], &c);
	for (i = 0; i < 2; i++) {
		size = tdx_quote(&good[i], &c, quote) - 70;
		for (n = 0; n < size; n++) {
			copy = malloc(n + 1);
			memcpy(copy, quote, n);
			/* the sanitizer sees a read beyond the copy */
			copy = realloc(copy, n ? n : 1);
			assert_int_equal(ccdm_tdx_parse(copy, n, &tdx, &err), -EINVAL);
			free(copy);
		}
		assert_int_equal(ccdm_tdx_parse(quote, size, &tdx, &err), 0);
	}
	tdx_chain_drop(&c);
	free(quote);
}

/* If something is missing, the error names its URL. */
static void where_from(void **state)
{
#define PCS "https://api.trustedservices.intel.com/tdx/certification/v4/"
	static const struct {
		struct tdx_spoil spoil;
		const char *check, *found;
	} all[] = {
		{ { .no_collateral = true },
		  "collateral",
		  "neither; fetch " PCS "tcb?fmspc=0a0b0c0d0e0f and " PCS
		  "qe/identity; run \"ccdm-broker trust fetch --fmspc 0a0b0c0d0e0f\"" },
		{ { .no_tcb_info = true },
		  "tcb-info",
		  "none; fetch " PCS "tcb?fmspc=0a0b0c0d0e0f" },
		{ { .no_qe_identity = true }, "qe-identity", "none; fetch " PCS "qe/identity" },
	};
	static struct ccdm_verdict v;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		judge(&all[i].spoil, &v);
		assert_string_equal(failed(&v), all[i].check);
		for (k = 0; v.check[k].passed; k++)
			;
		assert_string_equal(v.check[k].found, all[i].found);
	}
#undef PCS
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_check_each), cmocka_unit_test(platforms),
		cmocka_unit_test(platform_forms), cmocka_unit_test(bundle_texts),
		cmocka_unit_test(signed_texts),	  cmocka_unit_test(odd_quotes),
		cmocka_unit_test(cut_off),	  cmocka_unit_test(where_from),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
