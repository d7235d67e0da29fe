// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * tpm_provider.c - an attestation key that the provider of a virtual TPM has certified
 *
 * Google's vTPM stores the key's template and its certificate in NV. The guest creates the key from
 * the template in the endorsement hierarchy; the result is the same key at every boot.
 * (google/go-tpm-tools, client/handles.go, client/keys.go.)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "base/compiler.h"
#include "tpm_ak.h"
#include "tpm_esys.h"
#include "tpm_nv.h"
#include "crypto/x509.h"

#define TEMPLATE_MAX 1024
#define CERT_MAX     4096

static const struct ccdm_provider_indices {
	uint32_t cert, template;
} ccdm_provider_indices[] = {
	{ 0x01c10002, 0x01c10003 }, /* P-256 */
	{ 0x01c10000, 0x01c10001 }, /* RSA */
};

struct ccdm_provider {
	TPM2B_PUBLIC template;
	uint8_t cert[CERT_MAX];
	size_t cert_size;
};

/* The certificate ends where its DER says; the index may be longer. */
static int ccdm_provider_cert(struct ccdm_tpm *tpm, uint32_t index, struct ccdm_provider *p,
			      struct ccdm_err *err)
{
	size_t size, n;
	int r = ccdm_tpm_nv_read(tpm, index, p->cert, sizeof(p->cert), &size, err);

	if (r)
		return r;
	n = size >= 4 && p->cert[0] == 0x30 && p->cert[1] == 0x82
		    ? 4 + (size_t)(p->cert[2] << 8 | p->cert[3])
		    : SIZE_MAX;
	if (n > size)
		return ccdm_err_set(err, -EIO, "TPM %s: NV index %#x: expected a certificate",
				    tpm->device, index);
	p->cert_size = n;
	return 0;
}

/* Return: -ENOENT if the template or the certificate does not exist. */
static int ccdm_provider_read(struct ccdm_tpm *tpm, const struct ccdm_provider_indices *at,
			      struct ccdm_provider *p, struct ccdm_err *err)
{
	const TPMA_OBJECT needed = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_RESTRICTED |
				   TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_SENSITIVEDATAORIGIN;
	uint8_t bytes[TEMPLATE_MAX];
	size_t size, used = 0;
	int r = ccdm_tpm_nv_read(tpm, at->template, bytes, sizeof(bytes), &size, err);

	if (!r)
		r = ccdm_provider_cert(tpm, at->cert, p, err);
	if (r)
		return r;
	memset(&p->template, 0, sizeof(p->template));
	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes, size, &used, &p->template.publicArea) ||
	    (p->template.publicArea.type != TPM2_ALG_RSA &&
	     p->template.publicArea.type != TPM2_ALG_ECC) ||
	    (p->template.publicArea.objectAttributes & needed) != needed)
		return ccdm_err_set(
			err, -EIO,
			"TPM %s: NV index %#x: expected a template of an attestation key",
			tpm->device, at->template);
	return 0;
}

static int ccdm_provider_find(struct ccdm_tpm *tpm, struct ccdm_provider *p, struct ccdm_err *err)
{
	size_t i;
	int r = -ENOENT;

	for (i = 0; r == -ENOENT && i < ARRAY_SIZE(ccdm_provider_indices); i++)
		r = ccdm_provider_read(tpm, &ccdm_provider_indices[i], p, err);
	return r;
}

bool ccdm_tpm_ak_certified(struct ccdm_tpm *tpm)
{
	struct ccdm_provider *p = malloc(sizeof(*p));
	struct ccdm_err ignored;
	bool found = p && ccdm_provider_find(tpm, p, &ignored) != -ENOENT;

	free(p);
	return found;
}

static struct ccdm_pubkey *ccdm_provider_key(const TPMT_PUBLIC *area)
{
	static const uint8_t e[] = { 1, 0, 1 };
	const TPMS_ECC_POINT *point = &area->unique.ecc;
	uint8_t xy[64] = { 0 };

	if (area->type == TPM2_ALG_RSA)
		return area->parameters.rsaDetail.exponent &&
				       area->parameters.rsaDetail.exponent != 65537
			       ? NULL
			       : ccdm_pubkey_rsa(area->unique.rsa.buffer, area->unique.rsa.size, e,
						 sizeof(e));
	if (area->parameters.eccDetail.curveID != TPM2_ECC_NIST_P256 || point->x.size > 32 ||
	    point->y.size > 32)
		return NULL;
	memcpy(xy + 32 - point->x.size, point->x.buffer, point->x.size);
	memcpy(xy + 64 - point->y.size, point->y.buffer, point->y.size);
	return ccdm_pubkey_p256(xy);
}

/* Check that the certificate is of this key; a verifier would refuse quotes of another one. */
static int ccdm_provider_same(struct ccdm_tpm *tpm, const struct ccdm_provider *p,
			      const TPMT_PUBLIC *area, struct ccdm_tpm_signed *out,
			      struct ccdm_err *err)
{
	struct ccdm_pubkey *key = ccdm_provider_key(area);
	struct ccdm_certs *certs = ccdm_certs_new();
	const struct ccdm_cert *cert = NULL;
	struct ccdm_err ignored;
	int r = 0;

	if (!certs)
		r = ccdm_err_memory(err);
	else if (ccdm_certs_add(certs, "NV", p->cert, p->cert_size, &cert, &ignored) || !cert)
		r = ccdm_err_set(err, -EIO, "TPM %s: its attestation key has no X.509 certificate",
				 tpm->device);
	else if (!key || !ccdm_pubkey_equal(key, ccdm_cert_key(cert)))
		r = ccdm_err_set(err, -EIO,
				 "TPM %s: the attestation key of its template is not the one in "
				 "its certificate",
				 tpm->device);
	out->ak_size = sizeof(out->ak);
	if (!r && ccdm_pubkey_der(key, out->ak, &out->ak_size))
		r = ccdm_err_memory(err);
	ccdm_pubkey_free(key);
	ccdm_certs_free(certs);
	return r;
}

static int ccdm_provider_make(struct ccdm_tpm *tpm, const struct ccdm_provider *p, ESYS_TR *ak,
			      struct ccdm_tpm_signed *out, struct ccdm_err *err)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA data = { 0 };
	TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc;
	int r;

	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &sensitive, &p->template, &data, &pcrs, ak, &public,
				NULL, NULL, NULL);
	if (rc)
		return ccdm_tpm_error(tpm, "cannot create an attestation key from its template", rc,
				      err);
	r = ccdm_provider_same(tpm, p, &public->publicArea, out, err);
	Esys_Free(public);
	if (r)
		Esys_FlushContext(tpm->esys, *ak);
	return r;
}

int ccdm_tpm_provider_open(struct ccdm_tpm *tpm, ESYS_TR *ak, struct ccdm_tpm_signed *out,
			   struct ccdm_err *err)
{
	struct ccdm_provider *p = malloc(sizeof(*p));
	int r = p ? ccdm_provider_find(tpm, p, err) : ccdm_err_memory(err);

	if (!r)
		r = ccdm_provider_make(tpm, p, ak, out, err);
	if (!r) {
		memcpy(out->ak_cert, p->cert, p->cert_size);
		out->ak_cert_size = p->cert_size;
	}
	free(p);
	return r;
}
