// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm_ak.c - see tpm_ak.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "base/compiler.h"
#include "base/json.h"
#include "tpm_ak.h"
#include "tpm_esys.h"

#define TRIES 8 /* attempts while registers change */

/* ---- the key ------------------------------------------------------------------ */

static const TPM2B_PUBLIC ccdm_ak_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
				    TPMA_OBJECT_NODA,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme = { .scheme = TPM2_ALG_ECDSA,
				    .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
		/* distinguishes the key from others of the same template */
		.unique.ecc.x = { .size = 7, .buffer = "ccdm-ak" },
	},
};

static int ccdm_ak_spki(const TPMS_ECC_POINT *point, struct ccdm_tpm_signed *out)
{
	struct ccdm_pubkey *key;
	uint8_t xy[64] = { 0 };
	int r = -EIO;

	if (point->x.size > 32 || point->y.size > 32)
		return r;
	memcpy(xy + 32 - point->x.size, point->x.buffer, point->x.size);
	memcpy(xy + 64 - point->y.size, point->y.buffer, point->y.size);
	key = ccdm_pubkey_p256(xy);
	if (key) {
		out->ak_size = sizeof(out->ak);
		r = ccdm_pubkey_der(key, out->ak, &out->ak_size);
	}
	ccdm_pubkey_free(key);
	return r;
}

int ccdm_tpm_ak_open(struct ccdm_tpm *tpm, ESYS_TR *ak, TPM2B_PUBLIC **public, struct ccdm_err *err)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPM2B_DATA data = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	TSS2_RC rc;

	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &sensitive, &ccdm_ak_template, &data, &pcrs, ak,
				public, NULL, NULL, NULL);
	return rc ? ccdm_tpm_error(tpm, "cannot create an attestation key", rc, err) : 0;
}

static int ccdm_ak_open(struct ccdm_tpm *tpm, ESYS_TR *ak, struct ccdm_tpm_signed *out,
			struct ccdm_err *err)
{
	TPM2B_PUBLIC *public = NULL;
	int r = ccdm_tpm_provider_open(tpm, ak, out, err);

	if (r != -ENOENT)
		return r;
	r = ccdm_tpm_ak_open(tpm, ak, &public, err);
	if (r)
		return r;
	r = ccdm_ak_spki(&public->publicArea.unique.ecc, out);
	Esys_Free(public);
	if (r) {
		Esys_FlushContext(tpm->esys, *ak);
		ccdm_err_set(err, r, "TPM %s: the attestation key is not a point on P-256",
			     tpm->device);
	}
	return r;
}

/* ---- registers -------------------------------------------------------------------- */

/* Choose the bank to quote: SHA-256 if it is active, because every verifier knows it. */
static int ccdm_quote_bank(struct ccdm_tpm *tpm, uint16_t *bank, struct ccdm_err *err)
{
	static const uint16_t banks[] = { CCDM_ALG_SHA256, CCDM_ALG_SHA384, CCDM_ALG_SHA512 };
	struct ccdm_digests values;
	unsigned int i, k;
	int r = ccdm_tpm_read(tpm, 0, &values, err);

	for (i = 0; !r && i < ARRAY_SIZE(banks); i++)
		for (k = 0; k < values.count; k++)
			if (values.digest[k].alg == banks[i]) {
				*bank = banks[i];
				return 0;
			}
	return r ? r
		 : ccdm_err_set(err, -EIO, "TPM %s: no bank of SHA-256 or longer is active",
				tpm->device);
}

static void ccdm_quote_select(uint16_t bank, uint32_t mask, TPML_PCR_SELECTION *s)
{
	*s = (TPML_PCR_SELECTION){
		.count = 1,
		.pcrSelections[0] = { .hash = bank,
				      .sizeofSelect = 3,
				      .pcrSelect = { mask & 0xff, mask >> 8 & 0xff, mask >> 16 } },
	};
}

/* Read all PCRs. One call returns only some of the PCRs that it asked for. */
static int ccdm_quote_read(struct ccdm_tpm *tpm, struct ccdm_tpm_signed *out, struct ccdm_err *err)
{
	uint16_t size = ccdm_digest_size(out->bank);
	TPML_PCR_SELECTION want, *told = NULL;
	uint32_t left = 0xffffff, version, i, k;
	TPML_DIGEST *got = NULL;
	TSS2_RC rc;

	while (left) {
		ccdm_quote_select(out->bank, left, &want);
		rc = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &want,
				   &version, &told, &got);
		if (rc)
			return ccdm_tpm_error(tpm, "cannot read PCRs", rc, err);
		for (i = 0, k = 0; i < CCDM_TPM_PCRS && told->count == 1; i++) {
			if (!(told->pcrSelections[0].pcrSelect[i / 8] & 1 << i % 8) ||
			    !(left & 1U << i) || k == got->count || got->digests[k].size != size)
				continue;
			memcpy(out->pcr[i], got->digests[k++].buffer, size);
			left &= ~(1U << i);
		}
		Esys_Free(told);
		Esys_Free(got);
		if (!k)
			return ccdm_err_set(err, -EIO, "TPM %s: it did not return all PCRs",
					    tpm->device);
	}
	return 0;
}

/* ---- quotes ------------------------------------------------------------------------- */

static int ccdm_quote_sign(struct ccdm_tpm *tpm, ESYS_TR ak, const TPM2B_DATA *nonce,
			   struct ccdm_tpm_signed *out, struct ccdm_err *err)
{
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	TPMT_SIGNATURE *signature = NULL;
	TPM2B_ATTEST *message = NULL;
	TPML_PCR_SELECTION all;
	size_t at = 0;
	TSS2_RC rc;
	int r = 0;

	ccdm_quote_select(out->bank, 0xffffff, &all);
	rc = Esys_Quote(tpm->esys, ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, nonce, &scheme,
			&all, &message, &signature);
	if (rc)
		return ccdm_tpm_error(tpm, "cannot sign a quote", rc, err);
	if (message->size > sizeof(out->message) ||
	    Tss2_MU_TPMT_SIGNATURE_Marshal(signature, out->signature, sizeof(out->signature),
					   &at)) {
		r = ccdm_err_set(err, -EIO, "TPM %s: it returned an invalid quote", tpm->device);
	} else {
		memcpy(out->message, message->attestationData, message->size);
		out->message_size = message->size;
		out->signature_size = at;
	}
	Esys_Free(message);
	Esys_Free(signature);
	return r;
}

/* Does the signed digest match the PCR values that were read? */
static bool ccdm_quote_holds(const struct ccdm_tpm_signed *out)
{
	uint16_t size = ccdm_digest_size(out->bank);
	uint8_t all[CCDM_TPM_PCRS * CCDM_DIGEST_MAX];
	const TPM2B_DIGEST *said;
	struct ccdm_digest d;
	TPMS_ATTEST attest;
	size_t at = 0, i;

	for (i = 0; i < CCDM_TPM_PCRS; i++)
		memcpy(all + i * size, out->pcr[i], size);
	if (Tss2_MU_TPMS_ATTEST_Unmarshal(out->message, out->message_size, &at, &attest) ||
	    ccdm_digest_of(CCDM_ALG_SHA256, all, CCDM_TPM_PCRS * (size_t)size, NULL, 0, &d))
		return false;
	said = &attest.attested.quote.pcrDigest;
	return said->size == d.size && !memcmp(said->buffer, d.bytes, d.size);
}

/* Open a persistent key. */
static int ccdm_ak_kept(struct ccdm_tpm *tpm, uint32_t handle, ESYS_TR *ak, struct ccdm_err *err)
{
	TSS2_RC rc = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ak);

	return rc ? ccdm_tpm_error(tpm, "cannot open the attestation key", rc, err) : 0;
}

int ccdm_tpm_quote(struct ccdm_tpm *tpm, uint32_t handle, const uint8_t *nonce, size_t size,
		   struct ccdm_tpm_signed *out, struct ccdm_err *err)
{
	size_t most = handle ? 48 : 32;
	TPM2B_DATA data = { .size = size };
	unsigned int n;
	ESYS_TR ak;
	int r;

	memset(out, 0, sizeof(*out));
	if (size > most)
		return ccdm_err_set(err, -EINVAL,
				    "nonce of a quote: expected at most %zu bytes, found %zu", most,
				    size);
	memcpy(data.buffer, nonce, size);
	r = ccdm_quote_bank(tpm, &out->bank, err);
	if (!r)
		r = handle ? ccdm_ak_kept(tpm, handle, &ak, err) : ccdm_ak_open(tpm, &ak, out, err);
	if (r)
		return r;
	for (n = 0; n < TRIES; n++) {
		r = ccdm_quote_sign(tpm, ak, &data, out, err);
		if (!r)
			r = ccdm_quote_read(tpm, out, err);
		if (r || ccdm_quote_holds(out))
			break;
	}
	if (handle)
		Esys_TR_Close(tpm->esys, &ak);
	else
		Esys_FlushContext(tpm->esys, ak);
	if (n == TRIES)
		return ccdm_err_set(
			err, -EAGAIN,
			"TPM %s: its PCRs changed at every attempt to quote them; try again",
			tpm->device);
	return r;
}

json_t *ccdm_tpm_signed_pcrs(const struct ccdm_tpm_signed *out)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *pcrs = json_array();
	unsigned int i;

	for (i = 0; i < CCDM_TPM_PCRS; i++) {
		ccdm_hex(out->pcr[i], ccdm_digest_size(out->bank), hex);
		ccdm_json_add(&pcrs, json_string(hex));
	}
	return pcrs;
}

json_t *ccdm_tpm_signed_cert(const struct ccdm_tpm_signed *out)
{
	json_t *text = ccdm_json_make(out->ak_cert, out->ak_cert_size), *made;
	char pem[2 * sizeof(out->ak_cert)];
	const char *at;
	int n = snprintf(pem, sizeof(pem), "-----BEGIN CERTIFICATE-----\n");

	for (at = json_string_value(text); at && *at; at += strnlen(at, 64))
		n += snprintf(pem + n, sizeof(pem) - n, "%.64s\n", at);
	snprintf(pem + n, sizeof(pem) - n, "-----END CERTIFICATE-----\n");
	made = text ? json_string(pem) : NULL;
	json_decref(text);
	return made;
}
