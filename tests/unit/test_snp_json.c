// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * SNP reports in the form of the protocol: JSON, the host's certificate table, and the certificates
 * that a broker adds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "snp_judge.h"

struct entry {
	const uint8_t *guid; /* NULL: end of the table */
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

/* The host gave no certificate: a VCEK or VLEK from a file is added, once. */
static void add_leaf(json_t *o, X509 *leaf, const uint8_t *raw)
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

/* The JSON of a report parses to the same report, and its certificate is found. */
static void round_trip(void **state)
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
		/* two entries of one kind would let a small table grow to a large text */
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
		/* two VCEKs */
		certs = ccdm_certs_new();
		chain = json_object_get(o, "cert_chain");
		json_array_append(chain, json_array_get(chain, 1));
		assert_int_equal(ccdm_snp_json_parse(o, back, certs, &leaf, &err), -EINVAL);
		assert_non_null(strstr(err.text, "more than one VCEK"));
		/* the maximum number of certificates */
		while (!ccdm_certs_at(certs, CCDM_CERTS_MAX - 1))
			pki_add_cert(certs, ask, NULL);
		assert_int_equal(ccdm_certs_add(certs, "table", table + 96, n, NULL, &err), -E2BIG);
		assert_non_null(strstr(err.text, "table: more than 32 certificates"));
		ccdm_certs_free(certs);
		json_decref(o);

		assert_int_equal(ccdm_snp_json_make(raw, NULL, 0, &o, &err), 0);
		assert_true(json_is_null(json_object_get(o, "cert_chain")));
		add_leaf(o, x, raw);
		json_decref(o);
		X509_free(x);
	}
	X509_free(ask);
}

/* A byte without a JSON member must lead to an error; it must not be dropped. */
static void no_byte_lost(void **state)
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
	/* at least the last 368 bytes are reserved */
	assert_true(refused >= 368 && refused <= 700);
}

/* The entries that cert_chain may hold, and a VLEK that joins them. */
static void chain_entries(void **state)
{
	static const struct {
		const char *entry; /* without "data": use a revocation list */
		const char *said;
	} all[] = {
		{ "{\"cert_type\": \"Empty\", \"data\": 7}", NULL },
		{ "{\"cert_type\": {\"OTHER\": \"x\"}}", NULL },
		{ "{\"cert_type\": \"CRL\"}", NULL },
		{ "{\"cert_type\": \"VCEK\"}", "expected a certificate, found a revocation list" },
		{ "{\"cert_type\": \"VLEK\"}", "expected a certificate, found a revocation list" },
		{ "{\"cert_type\": \"VXEK\"}", "cert_chain: unknown cert_type" },
		{ "{\"cert_type\": 7}", "cert_chain: unknown cert_type" },
		{ "{\"data\": []}", "cert_chain: unknown cert_type" },
		{ "{\"cert_type\": \"ASK\", \"data\": [48, 256]}", "data" },
		{ "7", "cert_chain: unknown cert_type" },
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
	/* a VLEK joins the ASK, once */
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
	assert_non_null(strstr(err.text, "cert_chain: expected an array"));
	ccdm_certs_free(certs);
	json_decref(o);
	X509_free(x);
	X509_free(ask);
}

/* The host writes the table: its offsets and sizes are checked. */
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
		{ { guid_vcek, 0, 24 },
		  24,
		  "the host's certificates: the table lacks its last entry" },
		{ { guid_vcek, 0, 24 },
		  47,
		  "the host's certificates: the table lacks its last entry" },
		{ { guid_vcek, 0, 23 },
		  23,
		  "the host's certificates: the table lacks its last entry" },
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
		/* exactly this size: the sanitizer sees a read beyond it */
		table = malloc(all[i].size);
		memcpy(table, whole, all[i].size);
		assert_int_equal(ccdm_snp_json_make(raw, table, all[i].size, &o, &err), -EINVAL);
		if (!strstr(err.text, all[i].says))
			fail_msg("case %zu: '%s'", i, err.text);
		assert_null(o);
		free(table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(no_byte_lost),
		cmocka_unit_test(chain_entries),
		cmocka_unit_test(bad_tables),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
