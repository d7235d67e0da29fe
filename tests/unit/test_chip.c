// SPDX-License-Identifier: Apache-2.0
/*
 * A TPM as its host may make it: what it is asked goes to a real one (swtpm), and what comes back
 * is a refusal, a lie, or nothing. Each is an error with its text; nothing of it is believed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include "chip.h"
#include "chip_questions.h"
#include "../../userspace/lib/file.h"
#include "../../userspace/lib/measure.h"
#include "../../userspace/lib/member.h"
#include "../../userspace/lib/tpm_activation.h"
#include "../../userspace/lib/tpm_esys.h"

#define EK_CERT 0x01c00002
#define EK	0x81010001
#define BANKS	4 /* of swtpm: SHA-1, SHA-256, SHA-384, SHA-512 */
#define REFUSED TPM2_RC_FAILURE

static struct ccdm_tpm *tpm;
static struct ccdm_err err;
static struct ccdm_digests values;
static struct ccdm_tpm_signed out;

static int begin(void **state)
{
	(void)state;
	chip_begin();
	return ccdm_tpm_open(CHIP_DEVICE, &tpm, &err);
}

static int end(void **state)
{
	(void)state;
	ccdm_tpm_close(tpm);
	chip_end();
	return 0;
}

/* It was r, and the text says what. */
static void is(int r, int expected, const char *text)
{
	if (r != expected || !strstr(err.text, text))
		print_error("%d: %s\nexpected %d: %s\n", r, err.text, expected, text);
	assert_int_equal(r, expected);
	assert_non_null(strstr(err.text, text));
	chip_honest();
}

static void refuse(uint32_t command, unsigned int skip)
{
	chip.of = command;
	chip.skip = skip;
	chip.refuse = REFUSED;
}

static void lie(uint32_t command, unsigned int skip, void (*how)(uint8_t *answer, size_t *size))
{
	chip.of = command;
	chip.skip = skip;
	chip.lie = how;
}

/* ---- lies ---------------------------------------------------------------------------------- */

/* An answer with a session: how long its parameters are stands before them, the session behind. */
static void parameters(uint8_t *answer, size_t *size, size_t before, size_t now)
{
	uint8_t *p = answer + CHIP_HEADER + before;
	size_t had = chip_u32(p);

	memmove(p + 4 + now, p + 4 + had, *size - CHIP_HEADER - before - 4 - had);
	chip_put_u32(p, now);
	*size += now - had;
}

static void no_bank(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + 14, 0);
	parameters(answer, size, 0, 4);
}

/* One value, of SM3. */
static void unknown_bank(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + 14, 1);
	answer[18] = 0;
	answer[19] = TPM2_ALG_SM3_256;
	parameters(answer, size, 0, 4 + 2 + 32);
}

/* PCR_Read: a count of changes, a list of selections, a list of values. */
static void no_value(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6 * chip_u32(answer + CHIP_HEADER + 4);

	chip_put_u32(answer + at, 0);
	*size = at + 4;
}

static void other_value(uint8_t *answer, size_t *size)
{
	answer[*size - 1] ^= 1;
}

/* PCR 0 alone, whatever was asked for. */
static void first_only(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6, value = answer[at + 5];

	memcpy(answer + at - 3, (uint8_t[]){ 1, 0, 0 }, 3);
	chip_put_u32(answer + at, 1);
	*size = at + 4 + 2 + value;
}

/* GetCapability: more, of what, a list. */
static void no_banks(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + CHIP_HEADER + 5, 0);
	*size = CHIP_HEADER + 9;
}

static void curves(uint8_t *answer, size_t *size)
{
	unsigned int i;

	chip_put_u32(answer + CHIP_HEADER + 1, TPM2_CAP_ECC_CURVES);
	chip_put_u32(answer + CHIP_HEADER + 5, TPM2_MAX_ECC_CURVES);
	for (i = 0; i < 2 * TPM2_MAX_ECC_CURVES; i++)
		answer[CHIP_HEADER + 9 + i] = i & 1 ? TPM2_ALG_SHA256 : 0;
	*size = CHIP_HEADER + 9 + 2 * TPM2_MAX_ECC_CURVES;
}

static void old_hash_only(uint8_t *answer, size_t *size)
{
	uint32_t i, n = chip_u32(answer + CHIP_HEADER + 5);

	for (i = 0; i < n; i++)
		if (answer[CHIP_HEADER + 10 + 6 * i] != TPM2_ALG_SHA1)
			memset(answer + CHIP_HEADER + 12 + 6 * i, 0, 3);
	(void)size;
}

/* CreatePrimary: a handle, the parameters' size, a public area, of P-256 here. */
#define POINT (CHIP_HEADER + 4 + 4 + 2 + 20)

/* The name it gives is the hash of that area, before a session of 5 bytes: the library compares. */
static void named(uint8_t *answer, size_t size)
{
	const uint8_t *area = answer + POINT - 20;

	assert_true(EVP_Digest(area, area[-2] << 8 | area[-1], answer + size - 5 - 32, NULL,
			       EVP_sha256(), NULL));
}

static void no_point(uint8_t *answer, size_t *size)
{
	answer[POINT + 2] ^= 1;
	named(answer, *size);
}

static void long_point(uint8_t *answer, size_t *size)
{
	answer[POINT + 1] = 33;
	answer[POINT + 2 + 33] = 0;
	answer[POINT + 2 + 34] = 31;
	named(answer, *size);
}

static void shorter(uint8_t *answer, size_t *size)
{
	answer[15]--;
	parameters(answer, size, 0, chip_u32(answer + CHIP_HEADER) - 1);
}

/* ---- registers ------------------------------------------------------------------------------ */

static void registers(void **state)
{
	static char text[1100];

	(void)state;
	assert_int_equal(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), 0);
	assert_int_equal(values.count, BANKS);
	memset(text, 'x', sizeof(text) - 1);
	is(ccdm_tpm_extend(tpm, 15, text, &values, &err), -E2BIG, "an event takes 1024 bytes");
	refuse(TPM2_CC_PCR_Event, 0);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "PCR cannot be extended");
	lie(TPM2_CC_PCR_Event, 0, no_bank);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "no bank of PCRs is active");
	lie(TPM2_CC_PCR_Event, 0, unknown_bank);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "no bank of PCRs is active");

	assert_int_equal(ccdm_tpm_read(tpm, 15, &values, &err), 0);
	assert_int_equal(values.count, BANKS);
	refuse(TPM2_CC_GetCapability, 0);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "does not tell its banks");
	lie(TPM2_CC_GetCapability, 0, curves);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "does not tell its banks");
	refuse(TPM2_CC_PCR_Read, 1);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "PCR cannot be read");
	lie(TPM2_CC_PCR_Read, 0, no_value);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "PCR 15: not one value of 20 bytes");
}

/* ---- quotes --------------------------------------------------------------------------------- */

static void quotes(void **state)
{
	static const uint8_t nonce[49] = "nonce";

	(void)state;
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	assert_true(out.ak_size && out.message_size && out.signature_size);
	is(ccdm_tpm_quote(tpm, 0, nonce, 33, &out, &err), -EINVAL, "signs 32 bytes");
	is(ccdm_tpm_quote(tpm, CHIP_KEPT, nonce, 49, &out, &err), -EINVAL, "signs 48 bytes");
	is(ccdm_tpm_quote(tpm, CHIP_KEPT, nonce, 48, &out, &err), -EIO, "no attestation key");
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no attestation key can be made");
	lie(TPM2_CC_CreatePrimary, 0, no_point);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no point on P-256");
	lie(TPM2_CC_CreatePrimary, 0, long_point);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no point on P-256");
	refuse(TPM2_CC_Quote, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not sign its PCRs");
	lie(TPM2_CC_GetCapability, 0, old_hash_only);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no bank of SHA-256");
	refuse(TPM2_CC_PCR_Read, BANKS);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "PCRs cannot be read");
	lie(TPM2_CC_PCR_Read, BANKS, no_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not tell all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, first_only);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not tell all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, other_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EAGAIN, "change all the time");
	/* none of them has left a key behind: a TPM holds three */
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
}

/* ---- what it keeps --------------------------------------------------------------------------- */

static void indices(void **state)
{
	uint8_t bytes[600] = { 1, 2, 3, 4, 5 }, got[600];
	size_t size;

	(void)state;
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -ENOENT,
	   "no NV index 0x1800100");
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, sizeof(bytes), &err), -EFBIG,
	   "600 bytes for an NV index");
	refuse(TPM2_CC_NV_DefineSpace, 0);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "no NV index can be made");
	refuse(TPM2_CC_NV_Write, 0);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "cannot be written");
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -ENOENT,
	   "was never written");
	assert_int_equal(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), 0);
	assert_int_equal(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(got, bytes, 5);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, 4, &size, &err), -EFBIG,
	   "has 5 bytes, more than 4");
	refuse(TPM2_CC_NV_ReadPublic, 0);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO, "NV index");
	refuse(TPM2_CC_NV_ReadPublic, 1);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "NV index");
	refuse(TPM2_CC_NV_Read, 0);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO,
	   "cannot be read");
	lie(TPM2_CC_NV_Read, 0, shorter);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO,
	   "4 bytes instead of 5");
	assert_int_equal(size, 0);
}

/* ---- its endorsement key --------------------------------------------------------------------- */

/* A key of another kind than the endorsement key where a key is kept. */
static void keep(uint32_t where)
{
	TPM2B_PUBLIC *area = NULL;
	ESYS_TR ak, kept;

	assert_int_equal(ccdm_tpm_ak_open(tpm, &ak, &area, &err), 0);
	Esys_Free(area);
	assert_int_equal(Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, ak, ESYS_TR_PASSWORD,
					   ESYS_TR_NONE, ESYS_TR_NONE, where, &kept),
			 0);
	Esys_FlushContext(tpm->esys, ak);
	Esys_TR_Close(tpm->esys, &kept);
}

static void endorsement(void **state)
{
	static const uint8_t cert[] = { 0x30, 0x82, 0, 3, 1, 2, 3, 0xff, 0xff };
	json_t *pair, *again;

	(void)state;
	assert_int_equal(ccdm_tpm_introduce(tpm, &pair, &err), 0);
	assert_non_null(json_object_get(pair, "ek-pub"));
	refuse(TPM2_CC_CreatePrimary, 1);
	is(ccdm_tpm_introduce(tpm, &again, &err), -EIO, "no endorsement key can be made");
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_introduce(tpm, &again, &err), -EIO, "no attestation key can be made");
	keep(EK);
	assert_int_equal(ccdm_tpm_introduce(tpm, &again, &err), 0);
	assert_true(json_equal(pair, again));
	json_decref(again);
	refuse(TPM2_CC_ReadPublic, 1);
	assert_int_equal(ccdm_tpm_introduce(tpm, &again, &err), 0);
	assert_true(json_equal(pair, again));
	json_decref(again);
	chip_honest();

	assert_int_equal(ccdm_tpm_nv_write(tpm, EK_CERT, cert, sizeof(cert), &err), 0);
	assert_int_equal(ccdm_tpm_introduce(tpm, &again, &err), 0);
	assert_string_equal(json_string_value(json_object_get(again, "ek-cert")), "MIIAAwECAw==");
	assert_null(json_object_get(again, "ek-pub"));
	json_decref(again);
	json_decref(pair);
}

/* What was read of a key of another kind is not given back twice. */
static void broken_off(void **state)
{
	json_t *pair;

	(void)state;
	keep(EK);
	chip.of = TPM2_CC_CreatePrimary;
	chip.skip = 1;
	chip.break_off = true;
	is(ccdm_tpm_introduce(tpm, &pair, &err), -EIO, "no endorsement key can be made");
	assert_null(pair);
}

/* A certificate that ends after the index does, or is none, is left out. */
static void no_certificate(void **state)
{
	static const uint8_t longer[] = { 0x30, 0x82, 0, 6, 1, 2, 3, 4, 5 },
			     other[] = { 0x31, 0x82, 0, 1, 1 };
	json_t *pair;

	(void)state;
	assert_int_equal(ccdm_tpm_nv_write(tpm, EK_CERT, longer, sizeof(longer), &err), 0);
	assert_int_equal(ccdm_tpm_introduce(tpm, &pair, &err), 0);
	assert_null(json_object_get(pair, "ek-cert"));
	json_decref(pair);
	assert_int_equal(ccdm_tpm_nv_write(tpm, EK_CERT, other, sizeof(other), &err), 0);
	assert_int_equal(ccdm_tpm_introduce(tpm, &pair, &err), 0);
	assert_null(json_object_get(pair, "ek-cert"));
	json_decref(pair);
}

static void activation(void **state)
{
	uint8_t value[CCDM_CREDENTIAL_MAX] = "a value that only this TPM tells";
	static const char *const names[] = { "blob", "secret" };
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_tpm_pair keys;
	json_t *pair, *credential, *got, *want, *bad;
	unsigned int i;

	(void)state;
	assert_int_equal(ccdm_tpm_introduce(tpm, &pair, &err), 0);
	assert_int_equal(ccdm_tpm_pair_parse(pair, certs, &keys, &err), 0);
	credential = ccdm_tpm_credential_make(&keys, value);
	assert_non_null(credential);
	assert_int_equal(ccdm_tpm_activate(tpm, credential, &got, &err), 0);
	want = ccdm_member_make(value, sizeof(value));
	assert_true(json_equal(got, want));
	json_decref(got);
	for (i = 0; i < 2; i++) {
		bad = json_deep_copy(credential);
		json_object_del(bad, names[i]);
		is(ccdm_tpm_activate(tpm, bad, &got, &err), -EINVAL, names[i]);
		assert_null(got);
		json_decref(bad);
	}
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "no attestation key can be made");
	refuse(TPM2_CC_CreatePrimary, 1);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "no endorsement key can be made");
	refuse(TPM2_CC_StartAuthSession, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "credential is not for it");
	refuse(TPM2_CC_PolicySecret, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "credential is not for it");
	refuse(TPM2_CC_ActivateCredential, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "credential is not for it");
	assert_null(got);
	/* nothing of them is left in it */
	assert_int_equal(ccdm_tpm_activate(tpm, credential, &got, &err), 0);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	json_decref(credential);
	json_decref(pair);
	ccdm_tpm_pair_drop(&keys);
	ccdm_certs_free(certs);
}

/* ---- none ---------------------------------------------------------------------------------------- */

static void no_tpm(void **state)
{
	struct ccdm_tpm *none = (void *)1;

	(void)state;
	is(ccdm_tpm_open("/dev/ccdm-none", &none, &err), -ENODEV,
	   "there is no TPM (/dev/ccdm-none)");
	assert_null(none);
	chip_gone = true;
	is(ccdm_tpm_open(CHIP_DEVICE, &none, &err), -EIO, "cannot be opened");
	chip_gone = false;
	assert_null(none);
}

/* ---- all of it, as seeds ------------------------------------------------------------------------ */

static void questions(void **state)
{
	static const uint8_t value[CCDM_CREDENTIAL_MAX] = "value";
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_tpm_pair keys;
	json_t *pair, *credential;
	const char *q;

	(void)state;
	assert_int_equal(ccdm_tpm_introduce(tpm, &pair, &err), 0);
	assert_int_equal(ccdm_tpm_pair_parse(pair, certs, &keys, &err), 0);
	credential = ccdm_tpm_credential_make(&keys, value);
	keep(CHIP_KEPT);
	chip.said_size = 1;
	for (q = CHIP_QUESTIONS; *q; q++) {
		assert_int_equal(chip_question(tpm, *q, credential, &err), 0);
		chip_seed(*q);
	}
	json_decref(credential);
	json_decref(pair);
	ccdm_tpm_pair_drop(&keys);
	ccdm_certs_free(certs);
}

/* ---- what was measured ----------------------------------------------------------------------- */

static void measured(void **state)
{
	char log[] = "/tmp/ccdm-chip-log-XXXXXX";
	int fd = mkstemp(log);
	struct ccdm_measure_to to = { .tpm = tpm, .log = log };
	struct ccdm_digests signer;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ccdm_measure_event(&to, "ccdm-base:1", &err), 0);
	assert_int_equal(ccdm_tpm_read(tpm, CCDM_MEASURE_SIGNER_PCR, &signer, &err), 0);
	assert_int_equal(ccdm_measure_event(&to, "ccdm-signer:1", &err), 0);
	assert_int_equal(ccdm_tpm_read(tpm, CCDM_MEASURE_SIGNER_PCR, &values, &err), 0);
	assert_memory_not_equal(values.digest[0].bytes, signer.digest[0].bytes, 20);
	assert_int_equal(ccdm_measure_check(&to, &values, &err), 0);
	assert_int_equal(values.count, BANKS);
	lie(TPM2_CC_PCR_Read, 0, other_value);
	is(ccdm_measure_check(&to, &values, &err), -EBADMSG, "the log replays to");
	lie(TPM2_CC_GetCapability, 0, no_banks);
	is(ccdm_measure_check(&to, &values, &err), -EBADMSG, "names no bank that has PCR 15");
	refuse(TPM2_CC_PCR_Event, 0);
	is(ccdm_measure_event(&to, "ccdm-ready:1", &err), -EIO, "PCR cannot be extended");
	assert_int_equal(ccdm_measure_check(&to, &values, &err), 0);
	/* somebody else's event */
	assert_int_equal(ccdm_tpm_extend(tpm, CCDM_MEASURE_PCR, "other", &values, &err), 0);
	is(ccdm_measure_check(&to, &values, &err), -EBADMSG, "the log replays to");
	unlink(log);
	is(ccdm_measure_check(&to, &values, &err), -ENOENT, log);
	ccdm_measure_close(&to);
	tpm = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registers, begin, end),
		cmocka_unit_test_setup_teardown(quotes, begin, end),
		cmocka_unit_test_setup_teardown(indices, begin, end),
		cmocka_unit_test_setup_teardown(endorsement, begin, end),
		cmocka_unit_test_setup_teardown(broken_off, begin, end),
		cmocka_unit_test_setup_teardown(no_certificate, begin, end),
		cmocka_unit_test_setup_teardown(activation, begin, end),
		cmocka_unit_test_setup_teardown(no_tpm, begin, end),
		cmocka_unit_test_setup_teardown(questions, begin, end),
		cmocka_unit_test_setup_teardown(measured, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
