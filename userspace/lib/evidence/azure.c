// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* azure.c - see azure.h */
#include <stdio.h>
#include <stdlib.h>
#include "azure.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/json.h"
#include "tpm_json.h"

/* Offsets in an HCL report. */
enum {
	HCL_REPORT = 32,
	HCL_RUNTIME = 1216,
	HCL_CLAIMS = 1236,
	HCL_SNP_DATA = HCL_REPORT + 80,	 /* report data, in the SNP report */
	HCL_TDX_DATA = HCL_REPORT + 128, /* report data, in the TDREPORT */
	HCL_SNP = 2,
	HCL_TDX = 4,
	AK_MAX = 1024, /* bytes of a modulus, at most */
};

void ccdm_azure_drop(struct ccdm_azure *az)
{
	free(az->hcl);
	free(az->td_quote);
	json_decref(az->claims);
	ccdm_pubkey_free(az->ak);
	memset(az, 0, sizeof(*az));
}

/* ---- the HCL report ---------------------------------------------------------- */

/* Find the RSA key with this "kid" among the claims' JWKs. */
static struct ccdm_pubkey *ccdm_hcl_key(const json_t *claims, const char *kid)
{
	const json_t *keys = json_object_get(claims, "keys"), *jwk = NULL;
	struct ccdm_pubkey *key = NULL;
	uint8_t *n = NULL, *e = NULL;
	const char *text[2], *id, *type;
	size_t n_size, e_size, i;

	for (i = 0; i < json_array_size(keys); i++) {
		jwk = json_array_get(keys, i);
		id = json_string_value(json_object_get(jwk, "kid"));
		if (id && !strcmp(id, kid))
			break;
	}
	if (i == json_array_size(keys))
		return NULL;
	type = json_string_value(json_object_get(jwk, "kty"));
	text[0] = json_string_value(json_object_get(jwk, "n"));
	text[1] = json_string_value(json_object_get(jwk, "e"));
	if (type && !strcmp(type, "RSA") && text[0] && text[1] &&
	    !ccdm_base64_decode(text[0], true, AK_MAX, &n, &n_size) &&
	    !ccdm_base64_decode(text[1], true, 8, &e, &e_size))
		key = ccdm_pubkey_rsa(n, n_size, e, e_size);
	free(n);
	free(e);
	return key;
}

int ccdm_azure_hcl(struct ccdm_azure *az, struct ccdm_err *err)
{
	static const uint16_t hashes[] = { 0, CCDM_ALG_SHA256, CCDM_ALG_SHA384, CCDM_ALG_SHA512 };
	uint32_t type, hash, size;
	json_error_t where;

	/* coverage: the caller has already read a report */
	if (!az->hcl || az->hcl_size < HCL_CLAIMS || memcmp(az->hcl, "HCLA", 4))
		return ccdm_err_set(err, -EINVAL,
				    "hcl_report: expected an HCL report, found %zu other bytes",
				    az->hcl_size);
	type = ccdm_le32(az->hcl + HCL_RUNTIME + 8);
	hash = ccdm_le32(az->hcl + HCL_RUNTIME + 12);
	size = ccdm_le32(az->hcl + HCL_RUNTIME + 16);
	if (type != HCL_SNP && type != HCL_TDX)
		return ccdm_err_set(err, -EINVAL,
				    "hcl_report: expected type SNP or TDX, found type %u", type);
	if (!hash || hash > 3)
		return ccdm_err_set(err, -EINVAL, "hcl_report: unknown hash %u", hash);
	if (size > az->hcl_size - HCL_CLAIMS)
		return ccdm_err_set(err, -EINVAL, "hcl_report: the runtime data is truncated");
	az->is_tdx = type == HCL_TDX;
	az->hash = hashes[hash];
	az->runtime = az->hcl + HCL_CLAIMS;
	az->runtime_size = size;
	az->claims = json_loadb((const char *)az->runtime, size, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(az->claims))
		return ccdm_err_set(err, -EINVAL, "hcl_report: the runtime data: %s",
				    az->claims ? "expected an object" : where.text);
	az->ak = ccdm_hcl_key(az->claims, "HCLAkPub");
	if (!az->ak)
		return ccdm_err_set(err, -EINVAL, "hcl_report: expected an RSA key HCLAkPub");
	return 0;
}

/* ---- JSON ---------------------------------------------------------------------- */

static int ccdm_azure_quote(const json_t *o, ccdm_json_fn bytes_of, struct ccdm_azure *az,
			    struct ccdm_err *err)
{
	struct ccdm_tpm_quote *q = &az->quote;
	uint8_t *bytes;
	size_t size;
	int r;

	if (!json_is_object(o))
		return ccdm_err_set(err, -EINVAL, "quote: expected an object");
	r = bytes_of(json_object_get(o, "message"), "message", sizeof(q->message), &bytes, &size,
		     err);
	if (r)
		return r;
	memcpy(q->message, bytes, size);
	q->size = size;
	free(bytes);
	r = ccdm_tpm_quote_parse(q, err);
	if (!r)
		r = bytes_of(json_object_get(o, "signature"), "signature",
			     sizeof(q->signature.bytes), &bytes, &size, err);
	if (r)
		return r;
	/* The paravisor's key always signs with RSASSA and SHA-256; the bytes have no header. */
	q->signature.scheme = CCDM_RSASSA;
	q->signature.hash = CCDM_ALG_SHA256;
	q->signature.size = size;
	memcpy(q->signature.bytes, bytes, size);
	free(bytes);
	return 0;
}

static int ccdm_azure_pcrs_v0(const json_t *pcrs, struct ccdm_tpm_quote *q, struct ccdm_err *err)
{
	size_t i;
	int r = 0;

	if (!json_is_array(pcrs) || !json_array_size(pcrs) || json_array_size(pcrs) > CCDM_TPM_PCRS)
		return ccdm_err_set(err, -EINVAL, "pcrs: expected an array of 1 to %u registers",
				    CCDM_TPM_PCRS);
	q->bank = CCDM_ALG_SHA256;
	q->nr_pcrs = json_array_size(pcrs);
	for (i = 0; !r && i < q->nr_pcrs; i++)
		r = ccdm_json_octets(json_array_get(pcrs, i), "pcrs", q->pcrs[i], 32, err);
	return r;
}

/* TDX evidence of version 0 has the members of version 1, as arrays of numbers. */
static int ccdm_azure_tdx_v0(const json_t *o, struct ccdm_azure *az, struct ccdm_err *err)
{
	const json_t *quote = json_object_get(o, "tpm_quote");
	int r = ccdm_azure_quote(quote, ccdm_json_numbers, az, err);

	if (!r)
		r = ccdm_azure_pcrs_v0(json_object_get(quote, "pcrs"), &az->quote, err);
	if (!r)
		r = ccdm_json_numbers(json_object_get(o, "hcl_report"), "hcl_report", CCDM_HCL_MAX,
				      &az->hcl, &az->hcl_size, err);
	if (!r)
		r = ccdm_json_numbers(json_object_get(o, "td_quote"), "td_quote",
				      CCDM_TDX_QUOTE_MAX, &az->td_quote, &az->td_quote_size, err);
	return r;
}

static int ccdm_azure_v0(const json_t *o, struct ccdm_azure *az, struct ccdm_certs *certs,
			 const struct ccdm_cert **vcek, struct ccdm_err *err)
{
	const json_t *pem = json_object_get(o, "vcek"), *quote = json_object_get(o, "quote");
	int r = ccdm_azure_quote(quote, ccdm_json_numbers, az, err);

	if (!r)
		r = ccdm_azure_pcrs_v0(json_object_get(quote, "pcrs"), &az->quote, err);
	if (!r)
		r = ccdm_json_numbers(json_object_get(o, "report"), "report", CCDM_HCL_MAX,
				      &az->hcl, &az->hcl_size, err);
	if (!r && !json_is_string(pem))
		r = ccdm_err_set(err, -EINVAL, "vcek: expected a string");
	if (!r)
		r = ccdm_certs_add(certs, "vcek", json_string_value(pem), json_string_length(pem),
				   vcek, err);
	return r;
}

static int ccdm_azure_v1(const json_t *o, struct ccdm_azure *az, struct ccdm_certs *certs,
			 const struct ccdm_cert **vcek, struct ccdm_err *err)
{
	const json_t *quote = json_object_get(o, "tpm_quote");
	uint8_t *der;
	size_t size;
	int r;

	r = ccdm_azure_quote(quote, ccdm_json_hex, az, err);
	if (!r)
		r = ccdm_tpm_json_pcrs(json_object_get(quote, "pcrs"), &az->quote, err);
	if (!r)
		r = ccdm_json_base64url(json_object_get(o, "hcl_report"), "hcl_report",
					CCDM_HCL_MAX, &az->hcl, &az->hcl_size, err);
	if (!r && json_object_get(o, "td_quote"))
		return ccdm_json_base64url(json_object_get(o, "td_quote"), "td_quote",
					   CCDM_TDX_QUOTE_MAX, &az->td_quote, &az->td_quote_size,
					   err);
	if (!r)
		r = ccdm_json_base64url(json_object_get(o, "vcek"), "vcek", CCDM_CERT_MAX, &der,
					&size, err);
	if (r)
		return r;
	r = ccdm_certs_add(certs, "vcek", der, size, vcek, err);
	free(der);
	return r;
}

int ccdm_azure_parse(const json_t *o, struct ccdm_azure *az, struct ccdm_certs *certs,
		     const struct ccdm_cert **vcek, struct ccdm_err *err)
{
	const json_t *version = json_object_get(o, "version");
	int r;

	memset(az, 0, sizeof(*az));
	*vcek = NULL;
	if (version && (!json_is_integer(version) || json_integer_value(version) < 1 ||
			json_integer_value(version) > 2))
		return ccdm_err_set(err, -EINVAL, "version: expected 1 or 2");
	az->version = json_integer_value(version);
	if (az->version)
		r = ccdm_azure_v1(o, az, certs, vcek, err);
	else if (json_object_get(o, "td_quote"))
		r = ccdm_azure_tdx_v0(o, az, err);
	else
		r = ccdm_azure_v0(o, az, certs, vcek, err);
	if (!r)
		r = ccdm_azure_hcl(az, err);
	if (!r && az->is_tdx != !!az->td_quote)
		r = ccdm_err_set(err, -EINVAL, "hcl_report is of %s, but there is %s td_quote",
				 az->is_tdx ? "TDX" : "SNP", az->td_quote ? "a" : "no");
	if (!r && az->is_tdx)
		r = ccdm_tdx_parse(az->td_quote, az->td_quote_size, &az->tdx, err);
	else if (!r)
		r = ccdm_snp_parse(az->hcl + HCL_REPORT, CCDM_SNP_REPORT_SIZE, &az->snp, err);
	if (r)
		ccdm_azure_drop(az);
	return r;
}

/* ---- checks ----------------------------------------------------------------------- */

bool ccdm_azure_whole(const struct ccdm_azure *az)
{
	const uint8_t *data = az->hcl + (az->is_tdx ? HCL_TDX_DATA : HCL_SNP_DATA);
	struct ccdm_digest d;

	return !ccdm_digest_of(az->hash, az->runtime, az->runtime_size, NULL, 0, &d) &&
	       !memcmp(data, d.bytes, d.size);
}

bool ccdm_azure_bound(const struct ccdm_azure *az, const uint8_t *nonce, size_t size)
{
	const char *data = json_string_value(json_object_get(az->claims, "user-data"));
	char hex[2 * CCDM_DIGEST_MAX + 1];
	bool good;
	size_t i;

	ccdm_hex(nonce, size, hex);
	good = data && strlen(data) >= 2 * size;
	for (i = 0; good && i < 2 * size; i++)
		good = ccdm_nibble(data[i]) == ccdm_nibble(hex[i]);
	return good;
}

/* In version 2 the nonce must also be in the user data, which the TEE's report covers. */
static void ccdm_azure_user_data(const struct ccdm_azure *az, const struct ccdm_azure_want *want,
				 struct ccdm_verdict *v)
{
	const char *data = json_string_value(json_object_get(az->claims, "user-data"));
	char hex[2 * CCDM_DIGEST_MAX + 1];

	ccdm_hex(want->nonce, want->nonce_size, hex);
	ccdm_verdict_add(v, "user-data", ccdm_azure_bound(az, want->nonce, want->nonce_size), 0,
			 hex, "%.128s", data ? data : "none");
}

int ccdm_azure_verify(struct ccdm_azure *az, const struct ccdm_azure_want *want,
		      struct ccdm_tpm_facts *facts, struct ccdm_verdict *v, struct ccdm_err *err)
{
	struct ccdm_snp_want snp_want = want->snp;
	struct ccdm_tdx_want tdx_want = want->tdx;
	struct ccdm_digest runtime;
	bool tee;
	int r;

	if (want->nonce_size > CCDM_DIGEST_MAX)
		return -EINVAL;
	r = ccdm_digest_of(az->hash, az->runtime, az->runtime_size, NULL, 0, &runtime);
	if (r)
		return r;
	/* The TEE's report covers the runtime data: its report data is their hash. */
	if (az->is_tdx) {
		tdx_want.report_data = runtime.bytes;
		tdx_want.report_data_size = runtime.size;
		r = ccdm_tdx_verify(&az->tdx, &tdx_want, v, err);
	} else {
		snp_want.report_data = runtime.bytes;
		snp_want.report_data_size = runtime.size;
		r = ccdm_snp_verify(&az->snp, &snp_want, v);
	}
	tee = v->complete;
	v->complete = false;
	if (!r)
		r = ccdm_tpm_quote_verify(&az->quote, az->ak, want->nonce, want->nonce_size, "tpm-",
					  facts, v);
	if (!r && want->nonce && az->version == 2)
		ccdm_azure_user_data(az, want, v);
	/* coverage: no memory */
	v->complete = tee && !r;
	return r;
}
