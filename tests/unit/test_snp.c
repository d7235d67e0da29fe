// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * SNP reports under a test chain, each spoilt in one place: one check must fail. Also the selection
 * of the certificate that a report needs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "failed.h"
#include "snp_judge.h"

#define ZEROS8	"\0\0\0\0\0\0\0\0"
#define ZEROS64 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8

/* In each case the named check fails, and no other. */
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
		/* a list that the issuer has not signed does not count */
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
		/* an INTEGER of one byte, or of two if the first bit of the value is set */
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
		/* TCBs below AMD's bulletins: reported, committed, at launch */
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
		/* other bytes of a TCB are in no bulletin; the current TCB is not judged */
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
			assert_int_equal(snp_status, all[i].allow & CCDM_ALLOW_TCB_OUT_OF_DATE
							     ? CCDM_SNP_OUT_OF_DATE
							     : CCDM_SNP_UP_TO_DATE);
	}
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

/* Of many certificates the chip's are selected, and among them the one for its TCB. */
static void leaf_selection(void **state)
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
		/* no certificate of the chip; one of the chip; one of the chip and its TCB */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_check_each),
		cmocka_unit_test(lengths),
		cmocka_unit_test(leaf_selection),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
