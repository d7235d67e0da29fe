// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Azure's evidence as JSON: its members, its first version, and the HCL report in it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include "base/base64.h"
#include "forge_azure.h"
#include "seed.h"

/* A member that is missing, of another type or too long is an error. */
static void members(void **state)
{
	static const char *const members[] = { "version", "tpm_quote", "hcl_report", "vcek" };
	static const int versions[] = { -1, 0, 3 };
	static const char *const inner[] = { "signature", "message", "pcrs" };
	struct ccdm_anchor anchor = { .name = "Milan" };
	const struct ccdm_cert *vcek;
	struct azure_spoil good = { 0 };
	struct ccdm_azure az;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&good, certs, &anchor, NULL);

		json_object_set_new(o, "version", json_integer(versions[i]));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
		assert_string_equal(err.text, "version: expected 1 or 2");
		ccdm_certs_free(certs);
		json_decref(o);
	}
	for (i = 0; i < 2; i++) { /* 24 registers, and 25 */
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&good, certs, &anchor, NULL);
		json_t *pcrs = json_object_get(json_object_get(o, "tpm_quote"), "pcrs");

		while (json_array_size(pcrs) < CCDM_TPM_PCRS + i)
			json_array_append(pcrs, json_array_get(pcrs, 0));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), i ? -EINVAL : 0);
		if (!i)
			ccdm_azure_drop(&az);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	for (i = 0; i < 7; i++)
		for (k = 0; k < 7; k++) {
			struct ccdm_certs *certs = ccdm_certs_new();
			json_t *o = make_azure(&good, certs, &anchor, NULL), *at = o, *value = NULL;
			const char *key = i < 4 ? members[i] : inner[i - 4];
			char *longer = calloc(1, 300001);

			memset(longer, 'A', 300000);
			if (i >= 4)
				at = json_object_get(o, "tpm_quote");
			if (k == 0)
				json_object_del(at, key);
			else
				value = k == 1	 ? json_null()
					: k == 2 ? json_integer(-1)
					: k == 3 ? json_string(longer)
					: k == 4 ? json_string("no")
					: k == 5 ? json_array()
						 : json_pack("[[]]");
			if (value)
				json_object_set_new(at, key, value);
			if (k != 3)
				seed_json("azure", o);
			if (ccdm_azure_parse(o, &az, certs, &vcek, &err) != -EINVAL)
				fail_msg("%s: %zu is taken", key, k);
			free(longer);
			ccdm_certs_free(certs);
			json_decref(o);
		}
}

/* A message that is valid hexadecimal but not a quote. */
static void message(void **state)
{
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct ccdm_certs *certs = ccdm_certs_new();
	struct azure_spoil good = { 0 };
	json_t *o = make_azure(&good, certs, &anchor, NULL);
	const struct ccdm_cert *vcek;
	struct ccdm_azure az;

	(void)state;
	json_object_set_new(json_object_get(o, "tpm_quote"), "message", json_string("00"));
	seed_json("azure", o);
	assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
	assert_string_equal(err.text, "the message of the quote: expected a TPMS_ATTEST");
	ccdm_certs_free(certs);
	json_decref(o);
}

static json_t *numbers(const uint8_t *bytes, size_t size)
{
	json_t *o = json_array();
	size_t i;

	for (i = 0; i < size; i++)
		json_array_append_new(o, json_integer(bytes[i]));
	return o;
}

/* Version 0 has arrays of numbers: valid evidence, then with each member wrong. */
static void version_0(void **state)
{
	static const char *const says[] = { NULL,
					    "quote: expected an object",
					    "pcrs",
					    "pcrs",
					    "pcrs",
					    "message",
					    "vcek",
					    "vcek",
					    "report",
					    "pcrs",
					    "report: expected an array of at most" };
	static const struct quote_spoil good;
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct azure_spoil new = { 0 };
	const struct ccdm_cert *vcek;
	struct ccdm_tpm_quote q;
	struct ccdm_azure az;
	uint8_t *hcl;
	size_t i, k, size;

	(void)state;
	make_quote(&good, &q);
	for (i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&new, certs, &anchor, NULL), *pcrs = json_array(), *quote;
		struct pki_want w = { .cn = "SEV-VCEK", .key = ecc_key, .serial = 1 };
		X509 *x = pki_cert(&w);
		struct pki_pem pem = pki_pem(x, NULL);

		assert_int_equal(
			ccdm_base64_decode(json_string_value(json_object_get(o, "hcl_report")),
					   true, CCDM_HCL_MAX, &hcl, &size),
			0);
		json_decref(o);
		for (k = 0; k < CCDM_TPM_PCRS; k++)
			json_array_append_new(pcrs, numbers(q.pcrs[k], 32));
		quote = json_pack("{s:o, s:o, s:o}", "message", numbers(q.message, q.size),
				  "signature", numbers(q.signature.bytes, q.signature.size), "pcrs",
				  pcrs);
		o = json_pack("{s:o, s:o, s:s}", "quote", quote, "report", numbers(hcl, size),
			      "vcek", pem.text);
		if (i == 1)
			json_object_set_new(o, "quote", json_array());
		else if (i == 2)
			json_object_set_new(quote, "pcrs", json_array());
		else if (i == 3)
			json_array_append_new(pcrs, numbers(q.pcrs[0], 32));
		else if (i == 4)
			json_array_set_new(pcrs, 3, numbers(q.pcrs[0], 31));
		else if (i == 5)
			json_array_append_new(json_object_get(quote, "message"), json_integer(256));
		else if (i == 6)
			json_object_set_new(o, "vcek", json_integer(7));
		else if (i == 7)
			json_object_set_new(o, "vcek", json_string("x"));
		else if (i == 8)
			json_object_del(o, "report");
		else if (i == 9)
			json_object_set_new(quote, "pcrs", json_string("x"));
		else if (i == 10)
			while (json_array_size(json_object_get(o, "report")) <= CCDM_HCL_MAX)
				json_array_append_new(json_object_get(o, "report"),
						      json_integer(0));
		seed_json("azure", o);
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err),
				 says[i] ? -EINVAL : 0);
		if (says[i] && !strstr(err.text, says[i]))
			fail_msg("%zu: %s", i, err.text);
		if (!says[i]) {
			assert_int_equal(az.hcl_size, size);
			assert_memory_equal(az.hcl, hcl, size);
			assert_int_equal(az.quote.nr_pcrs, CCDM_TPM_PCRS);
			assert_memory_equal(az.quote.pcrs, q.pcrs, sizeof(q.pcrs));
			assert_non_null(vcek);
			ccdm_azure_drop(&az);
		}
		json_decref(o);
		ccdm_certs_free(certs);
		X509_free(x);
		free(hcl);
	}
}

/* HCL reports with one error each, and one that was read during an update. */
static void hcl_report(void **state)
{
	static const struct {
		size_t at;
		const char *bytes, *said, *in_place_of; /* its first occurrence is replaced */
	} all[] = {
		{ 0, "HCLAkPxb", "hcl_report: expected an RSA key HCLAkPub", "HCLAkPub" },
		{ 0, "kix\":\"HCLAkPub", "hcl_report: expected an RSA key HCLAkPub",
		  "kid\":\"HCLAkPub" },
		{ 0, "HCLAkPub\",\"kty\":\"RSX", "hcl_report: expected an RSA key HCLAkPub",
		  "HCLAkPub\",\"kty\":\"RSA" },
		{ 0, "HCLAkPub\",\"ktx", "hcl_report: expected an RSA key HCLAkPub",
		  "HCLAkPub\",\"kty" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"x", "hcl_report: expected an RSA key HCLAkPub",
		  "HCLAkPub\",\"kty\":\"RSA\",\"e" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"m",
		  "hcl_report: expected an RSA key HCLAkPub",
		  "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"A!AB",
		  "hcl_report: expected an RSA key HCLAkPub",
		  "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"!",
		  "hcl_report: expected an RSA key HCLAkPub",
		  "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" },
		{ 0, "HCLB", "expected an HCL report", NULL },
		{ 1224, "\3", "found type 3", NULL },
		{ 1228, "\4", "unknown hash 4", NULL },
		{ 1235, "\1", "truncated", NULL },
		{ 1224, "\4", "of TDX, but there is no td_quote", NULL },
		{ 1236, "[", "hcl_report: ", NULL },
		{ 1236, "[]", "hcl_report: the runtime data: expected an object", NULL },
		{ 1228, "", "unknown hash 0", NULL },
		{ 1250, "x", "hcl_report: ", NULL },
		{ 32 + 80, NULL, NULL, NULL },
	};
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct azure_spoil good = { 0 };
	const struct ccdm_cert *vcek;
	struct ccdm_azure az;
	size_t i, k, size;
	uint8_t *hcl;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&good, certs, &anchor, NULL);

		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), 0);
		assert_true(ccdm_azure_whole(&az));
		ccdm_azure_drop(&az);
		assert_int_equal(
			ccdm_base64_decode(json_string_value(json_object_get(o, "hcl_report")),
					   true, CCDM_HCL_MAX, &hcl, &size),
			0);
		if (all[i].in_place_of) {
			uint8_t *at =
				memmem(hcl, size, all[i].in_place_of, strlen(all[i].in_place_of));

			assert_non_null(at);
			memcpy(at, all[i].bytes, strlen(all[i].bytes));
		} else if (all[i].said) {
			if (all[i].bytes[0] && all[i].bytes[1] == ']') /* blanks after it */
				memset(hcl + all[i].at, ' ', size - all[i].at);
			/* an empty string writes its zero byte */
			memcpy(hcl + all[i].at, all[i].bytes,
			       strlen(all[i].bytes) + !all[i].bytes[0]);
		} else
			hcl[all[i].at] ^= 1; /* a byte of a hash: any value parses */
		text = base64(hcl, size, true);
		json_object_set_new(o, "hcl_report", json_string(text));
		seed_json("azure", o);
		if (all[i].said) {
			assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
			if (!strstr(err.text, all[i].said))
				fail_msg("%zu: %s", i, err.text);
		} else {
			assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), 0);
			assert_false(ccdm_azure_whole(&az));
			ccdm_azure_drop(&az);
		}
		free(text);
		/* cut off: one byte too short, and without runtime data */
		for (k = 0; k < 2; k++) {
			text = base64(hcl, k ? 1236 : 1235, true);
			json_object_set_new(o, "hcl_report", json_string(text));
			assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
			free(text);
		}
		free(hcl);
		ccdm_certs_free(certs);
		json_decref(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members),
		cmocka_unit_test(message),
		cmocka_unit_test(version_0),
		cmocka_unit_test(hcl_report),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
