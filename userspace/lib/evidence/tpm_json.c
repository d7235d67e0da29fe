// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm_json.c - see tpm_json.h */
#include <stdlib.h>
#include "base/compiler.h"
#include "base/bytes.h"
#include "base/json.h"
#include "tpm_json.h"

static uint16_t ccdm_bank_of(size_t digits)
{
	static const uint16_t banks[] = { CCDM_ALG_SHA1, CCDM_ALG_SHA256, CCDM_ALG_SHA384,
					  CCDM_ALG_SHA512 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(banks); i++)
		if (digits == 2UL * ccdm_digest_size(banks[i]))
			return banks[i];
	return 0;
}

int ccdm_tpm_json_pcrs(const json_t *pcrs, struct ccdm_tpm_quote *quote, struct ccdm_err *err)
{
	size_t i, n = json_array_size(pcrs);

	if (!json_is_array(pcrs) || !n || n > CCDM_TPM_PCRS)
		return ccdm_err_set(err, -EINVAL,
				    "tpm_quote.pcrs: expected an array of 1 to %u registers",
				    CCDM_TPM_PCRS);
	quote->bank = ccdm_bank_of(json_string_length(json_array_get(pcrs, 0)));
	for (i = 0; i < n; i++) {
		const char *hex = json_string_value(json_array_get(pcrs, i));

		if (!quote->bank || !hex ||
		    ccdm_unhex(hex, quote->pcrs[i], ccdm_digest_size(quote->bank)))
			return ccdm_err_set(err, -EINVAL,
					    "tpm_quote.pcrs: register %zu: expected a digest", i);
	}
	quote->nr_pcrs = n;
	return 0;
}

int ccdm_tpm_json_parse(const json_t *evidence, struct ccdm_tpm_quote *quote,
			struct ccdm_pubkey **ak, struct ccdm_err *err)
{
	const json_t *o = json_object_get(evidence, "tpm_quote");
	uint8_t *bytes;
	size_t size;
	int r;

	*ak = NULL;
	memset(quote, 0, sizeof(*quote));
	if (!json_is_object(o))
		return ccdm_err_set(err, -EINVAL, "tpm_quote: expected an object");
	r = ccdm_json_base64(json_object_get(o, "message"), "tpm_quote.message",
			     sizeof(quote->message), &bytes, &size, err);
	if (r)
		return r;
	memcpy(quote->message, bytes, size);
	quote->size = size;
	free(bytes);
	r = ccdm_tpm_quote_parse(quote, err);
	if (!r)
		r = ccdm_tpm_json_pcrs(json_object_get(o, "pcrs"), quote, err);
	if (!r)
		r = ccdm_json_base64(json_object_get(o, "signature"), "tpm_quote.signature", 2048,
				     &bytes, &size, err);
	if (r)
		return r;
	r = ccdm_tpm_signature_parse(bytes, size, &quote->signature, err);
	free(bytes);
	if (!r)
		r = ccdm_json_base64(json_object_get(evidence, "ak_public"), "ak_public", 4096,
				     &bytes, &size, err);
	if (r)
		return r;
	*ak = ccdm_pubkey_spki(bytes, size);
	free(bytes);
	if (!*ak)
		return ccdm_err_set(err, -EINVAL, "ak_public: expected an RSA, P-256 or P-384 key");
	return 0;
}
