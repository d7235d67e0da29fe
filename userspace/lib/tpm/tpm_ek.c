// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm_ek.c - see tpm_ek.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "base/json.h"
#include "crypto/pubkey.h"
#include "evidence/tpm_activation.h"
#include "tpm_ek.h"
#include "tpm_esys.h"
#include "tpm_nv.h"

#define EK_HANDLE 0x81010001
#define EK_CERT	  0x01c00002

/* Template L-1. Its policy is PolicySecret of the endorsement hierarchy. */
static const TPM2B_PUBLIC ccdm_ek_template = {
	.publicArea = {
		.type = TPM2_ALG_RSA,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				    TPMA_OBJECT_SENSITIVEDATAORIGIN |
				    TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED |
				    TPMA_OBJECT_DECRYPT,
		.authPolicy = { .size = 32,
				.buffer = { 0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8,
					    0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
					    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64,
					    0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa } },
		.parameters.rsaDetail = {
			.symmetric = { .algorithm = TPM2_ALG_AES,
				       .keyBits.aes = 128,
				       .mode.aes = TPM2_ALG_CFB },
			.scheme.scheme = TPM2_ALG_NULL,
			.keyBits = 2048,
		},
		.unique.rsa.size = 256,
	},
};

/*
 * Open the persistent EK if it has this template. Else create the key again: a TPM derives the same
 * key from its seed each time.
 */
static int ccdm_ek_open(struct ccdm_tpm *tpm, ESYS_TR *ek, bool *kept, TPM2B_PUBLIC **public,
			struct ccdm_err *err)
{
	const TPMT_PUBLIC *want = &ccdm_ek_template.publicArea;
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA data = { 0 };
	TSS2_RC rc;

	*kept = !Esys_TR_FromTPMPublic(tpm->esys, EK_HANDLE, ESYS_TR_NONE, ESYS_TR_NONE,
				       ESYS_TR_NONE, ek);
	if (*kept) {
		const TPMT_PUBLIC *has;

		if (!Esys_ReadPublic(tpm->esys, *ek, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				     public, NULL, NULL)) {
			has = &(*public)->publicArea;
			if (has->type == want->type && has->nameAlg == want->nameAlg &&
			    has->objectAttributes == want->objectAttributes &&
			    has->authPolicy.size == want->authPolicy.size &&
			    !memcmp(has->authPolicy.buffer, want->authPolicy.buffer,
				    want->authPolicy.size))
				return 0;
			Esys_Free(*public);
			*public = NULL;
		}
		Esys_TR_Close(tpm->esys, ek);
		*kept = false;
	}
	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &sensitive, &ccdm_ek_template, &data, &pcrs, ek,
				public, NULL, NULL, NULL);
	return rc ? ccdm_tpm_error(tpm, "cannot create the endorsement key", rc, err) : 0;
}

static void ccdm_ek_close(struct ccdm_tpm *tpm, ESYS_TR ek, bool kept)
{
	if (kept)
		Esys_TR_Close(tpm->esys, &ek);
	else
		Esys_FlushContext(tpm->esys, ek);
}

/* ---- identity ---------------------------------------------------------------------- */

/* The certificate ends where its DER says; the index may be longer. */
static json_t *ccdm_ek_cert(struct ccdm_tpm *tpm)
{
	uint8_t der[CCDM_EK_CERT_MAX];
	struct ccdm_err ignored;
	size_t size, n;

	if (ccdm_tpm_nv_read(tpm, EK_CERT, der, sizeof(der), &size, &ignored) || size < 4 ||
	    der[0] != 0x30 || der[1] != 0x82)
		return NULL;
	n = 4 + (der[2] << 8 | der[3]);
	return n <= size ? ccdm_json_make(der, n) : NULL;
}

static json_t *ccdm_ek_pub(const TPMT_PUBLIC *area)
{
	static const uint8_t e[] = { 1, 0, 1 };
	struct ccdm_pubkey *key;
	uint8_t der[1024];
	size_t size = sizeof(der);
	json_t *o = NULL;

	key = ccdm_pubkey_rsa(area->unique.rsa.buffer, area->unique.rsa.size, e, sizeof(e));
	if (key && !ccdm_pubkey_der(key, der, &size))
		o = ccdm_json_make(der, size);
	ccdm_pubkey_free(key);
	return o;
}

static json_t *ccdm_ak_pub(const TPMT_PUBLIC *area)
{
	uint8_t bytes[CCDM_TPM_AREA_MAX];
	size_t size = 0;

	return Tss2_MU_TPMT_PUBLIC_Marshal(area, bytes, sizeof(bytes), &size)
		       ? NULL
		       : ccdm_json_make(bytes, size);
}

int ccdm_tpm_identity(struct ccdm_tpm *tpm, json_t **pair, struct ccdm_err *err)
{
	TPM2B_PUBLIC *ek_area = NULL, *ak_area = NULL;
	json_t *cert = ccdm_ek_cert(tpm);
	ESYS_TR ek, ak;
	bool kept;
	int r = ccdm_tpm_ak_open(tpm, &ak, &ak_area, err);

	*pair = NULL;
	if (!r) {
		Esys_FlushContext(tpm->esys, ak);
		r = cert ? 0 : ccdm_ek_open(tpm, &ek, &kept, &ek_area, err);
	}
	if (!r) {
		if (!cert)
			ccdm_ek_close(tpm, ek, kept);
		*pair = json_pack("{s:o, s:o}", cert ? "ek-cert" : "ek-pub",
				  cert ? json_incref(cert) : ccdm_ek_pub(&ek_area->publicArea),
				  "ak-pub", ccdm_ak_pub(&ak_area->publicArea));
		r = *pair ? 0 : ccdm_err_memory(err);
	}
	json_decref(cert);
	Esys_Free(ek_area);
	Esys_Free(ak_area);
	return r;
}

/* ---- credentials ---------------------------------------------------------------------- */

/* A session that satisfies the EK's policy with the endorsement hierarchy's authorization. */
static TSS2_RC ccdm_ek_session(struct ccdm_tpm *tpm, ESYS_TR *session)
{
	const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	TSS2_RC rc;

	rc = Esys_StartAuthSession(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none,
				   TPM2_ALG_SHA256, session);
	if (rc)
		return rc;
	rc = Esys_PolicySecret(tpm->esys, ESYS_TR_RH_ENDORSEMENT, *session, ESYS_TR_PASSWORD,
			       ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
	if (rc)
		Esys_FlushContext(tpm->esys, *session);
	return rc;
}

static int ccdm_activate_keys(struct ccdm_tpm *tpm, const TPM2B_ID_OBJECT *blob,
			      const TPM2B_ENCRYPTED_SECRET *secret, TPM2B_DIGEST **value,
			      struct ccdm_err *err)
{
	TPM2B_PUBLIC *ek_area = NULL, *ak_area = NULL;
	ESYS_TR ek, ak, session;
	bool kept;
	TSS2_RC rc;
	int r = ccdm_tpm_ak_open(tpm, &ak, &ak_area, err);

	if (r)
		return r;
	r = ccdm_ek_open(tpm, &ek, &kept, &ek_area, err);
	if (!r) {
		rc = ccdm_ek_session(tpm, &session);
		if (!rc) {
			rc = Esys_ActivateCredential(tpm->esys, ak, ek, ESYS_TR_PASSWORD, session,
						     ESYS_TR_NONE, blob, secret, value);
			Esys_FlushContext(tpm->esys, session);
		}
		if (rc)
			r = ccdm_tpm_error(tpm, "cannot activate the broker's credential", rc, err);
		ccdm_ek_close(tpm, ek, kept);
		Esys_Free(ek_area);
	}
	Esys_FlushContext(tpm->esys, ak);
	Esys_Free(ak_area);
	return r;
}

int ccdm_tpm_activate(struct ccdm_tpm *tpm, const json_t *credential, json_t **value,
		      struct ccdm_err *err)
{
	TPM2B_ENCRYPTED_SECRET secret = { 0 };
	TPM2B_ID_OBJECT blob = { 0 };
	TPM2B_DIGEST *got = NULL;
	uint8_t *bytes;
	size_t size;
	int r;

	*value = NULL;
	r = ccdm_json_base64(json_object_get(credential, "blob"), "ccdm-credential.blob",
			     sizeof(blob.credential), &bytes, &size, err);
	if (r)
		return r;
	memcpy(blob.credential, bytes, size);
	blob.size = size;
	free(bytes);
	r = ccdm_json_base64(json_object_get(credential, "secret"), "ccdm-credential.secret",
			     sizeof(secret.secret), &bytes, &size, err);
	if (r)
		return r;
	memcpy(secret.secret, bytes, size);
	secret.size = size;
	free(bytes);
	r = ccdm_activate_keys(tpm, &blob, &secret, &got, err);
	if (!r) {
		*value = got ? ccdm_json_make(got->buffer, got->size) : NULL;
		r = *value ? 0 : ccdm_err_memory(err);
	}
	Esys_Free(got);
	return r;
}
