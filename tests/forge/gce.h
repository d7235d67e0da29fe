/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * gce.h - NV indices of Google's vTPM: the template of an attestation key and its certificate
 *
 * (google/go-tpm-tools, client/handles.go.) An index may be longer than what it holds.
 */
#ifndef CCDM_TEST_GCE_H
#define CCDM_TEST_GCE_H

#include <openssl/x509.h>
#include <tss2/tss2_mu.h>
#include "crypto/pubkey.h"
#include "tpm/tpm_esys.h"
#include "pki.h"

#define GCE_RSA_CERT 0x01c10000
#define GCE_ECC_CERT 0x01c10002
#define GCE_SIGNS                                                                           \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
	 TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT)

static const TPM2B_PUBLIC gce_ecc = { .publicArea = { .type = TPM2_ALG_ECC,
						      .nameAlg = TPM2_ALG_SHA256,
						      .objectAttributes = GCE_SIGNS,
						      .parameters.eccDetail = {
							      .symmetric.algorithm = TPM2_ALG_NULL,
							      .scheme = { .scheme = TPM2_ALG_ECDSA,
									  .details.ecdsa.hashAlg =
										  TPM2_ALG_SHA256 },
							      .curveID = TPM2_ECC_NIST_P256,
							      .kdf.scheme = TPM2_ALG_NULL } } };

static const TPM2B_PUBLIC gce_rsa = {
	.publicArea = { .type = TPM2_ALG_RSA,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = GCE_SIGNS,
			.parameters.rsaDetail = { .symmetric.algorithm = TPM2_ALG_NULL,
						  .scheme = { .scheme = TPM2_ALG_RSASSA,
							      .details.rsassa.hashAlg =
								      TPM2_ALG_SHA256 },
						  .keyBits = 2048 },
			.unique.rsa.size = 256 }
};

/*
 * The SubjectPublicKeyInfo of the key that the template makes; the library and OpenSSL must agree.
 */
static inline EVP_PKEY *gce_key(struct ccdm_tpm *tpm, const TPM2B_PUBLIC *template)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const uint8_t *der, e[] = { 1, 0, 1 };
	const TPM2B_DATA data = { 0 };
	TPM2B_PUBLIC *public = NULL;
	struct ccdm_pubkey *key;
	uint8_t spki[1024], xy[64];
	size_t size = sizeof(spki);
	EVP_PKEY *out;
	ESYS_TR ak;

	pki_must(!Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
				     ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, template, &data, &pcrs,
				     &ak, &public, NULL, NULL, NULL));
	Esys_FlushContext(tpm->esys, ak);
	if (template == &gce_rsa) {
		key = ccdm_pubkey_rsa(public->publicArea.unique.rsa.buffer,
				      public->publicArea.unique.rsa.size, e, 3);
	} else {
		memcpy(xy, public->publicArea.unique.ecc.x.buffer, 32);
		memcpy(xy + 32, public->publicArea.unique.ecc.y.buffer, 32);
		key = ccdm_pubkey_p256(xy);
	}
	Esys_Free(public);
	pki_must(!ccdm_pubkey_der(key, spki, &size));
	ccdm_pubkey_free(key);
	der = spki;
	out = d2i_PUBKEY(NULL, &der, size);
	pki_must(!!out);
	return out;
}

/*
 * Define an index of 1024 bytes that its owner may read and write. Write it in two pieces, filled
 * up with 0xff.
 */
static inline void gce_put(struct ccdm_tpm *tpm, uint32_t index, const uint8_t *bytes, size_t size)
{
	const TPM2B_AUTH auth = { 0 };
	const TPM2B_NV_PUBLIC nv_public = {
		.nvPublic = { .nvIndex = index,
			      .nameAlg = TPM2_ALG_SHA256,
			      .attributes = TPMA_NV_OWNERWRITE | TPMA_NV_AUTHWRITE |
					    TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD,
			      .dataSize = 1024 }
	};
	TPM2B_MAX_NV_BUFFER piece = { .size = 512 };
	uint8_t all[1024];
	ESYS_TR nv;
	int i;

	pki_must(size <= sizeof(all));
	memset(all, 0xff, sizeof(all));
	memcpy(all, bytes, size);
	if (Esys_TR_FromTPMPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv))
		pki_must(!Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
					      ESYS_TR_NONE, ESYS_TR_NONE, &auth, &nv_public, &nv));
	for (i = 0; i < 2; i++) {
		memcpy(piece.buffer, all + 512 * i, 512);
		pki_must(!Esys_NV_Write(tpm->esys, nv, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					ESYS_TR_NONE, &piece, 512 * i));
	}
	Esys_TR_Close(tpm->esys, &nv);
}

static inline void gce_put_template(struct ccdm_tpm *tpm, uint32_t index,
				    const TPM2B_PUBLIC *template)
{
	uint8_t bytes[1024];
	size_t size = 0;

	pki_must(!Tss2_MU_TPMT_PUBLIC_Marshal(&template->publicArea, bytes, sizeof(bytes), &size));
	gce_put(tpm, index, bytes, size);
}

#endif
