// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm_quote.c - see tpm_quote.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "tpm_quote.h"

static int ccdm_signature_rsa(const TPMS_SIGNATURE_RSA *rsa, enum ccdm_scheme scheme,
			      struct ccdm_signature *s)
{
	s->scheme = scheme;
	s->hash = rsa->hash;
	s->size = rsa->sig.size;
	memcpy(s->bytes, rsa->sig.buffer, s->size);
	return 0;
}

/* A TPM drops leading zeros; here both numbers are padded to the same length. */
static int ccdm_signature_ecdsa(const TPMS_SIGNATURE_ECC *ecc, struct ccdm_signature *s)
{
	size_t r = ecc->signatureR.size, t = ecc->signatureS.size, n = r > t ? r : t;

	s->scheme = CCDM_ECDSA;
	s->hash = ecc->hash;
	s->size = 2 * n;
	memset(s->bytes, 0, s->size);
	memcpy(s->bytes + n - r, ecc->signatureR.buffer, r);
	memcpy(s->bytes + 2 * n - t, ecc->signatureS.buffer, t);
	return 0;
}

int ccdm_tpm_signature_parse(const void *bytes, size_t size, struct ccdm_signature *s,
			     struct ccdm_err *err)
{
	TPMT_SIGNATURE sig = { 0 };
	size_t at = 0;

	memset(s, 0, sizeof(*s));
	if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(bytes, size, &at, &sig) || at != size)
		return ccdm_err_set(err, -EINVAL, "the signature: expected a TPMT_SIGNATURE");
	switch (sig.sigAlg) {
	case TPM2_ALG_RSASSA:
		return ccdm_signature_rsa(&sig.signature.rsassa, CCDM_RSASSA, s);
	case TPM2_ALG_RSAPSS:
		return ccdm_signature_rsa(&sig.signature.rsapss, CCDM_RSAPSS, s);
	case TPM2_ALG_ECDSA:
		return ccdm_signature_ecdsa(&sig.signature.ecdsa, s);
	default:
		return ccdm_err_set(err, -EINVAL,
				    "the signature: expected RSA or ECDSA, found scheme %#x",
				    sig.sigAlg);
	}
}

static int ccdm_attest(const struct ccdm_tpm_quote *quote, TPMS_ATTEST *attest)
{
	size_t at = 0;

	memset(attest, 0, sizeof(*attest));
	return Tss2_MU_TPMS_ATTEST_Unmarshal(quote->message, quote->size, &at, attest) ||
			       at != quote->size
		       ? -EINVAL
		       : 0;
}

int ccdm_tpm_quote_parse(const struct ccdm_tpm_quote *quote, struct ccdm_err *err)
{
	TPMS_ATTEST attest;

	if (ccdm_attest(quote, &attest))
		return ccdm_err_set(err, -EINVAL,
				    "the message of the quote: expected a TPMS_ATTEST");
	return 0;
}

/* ---- checks ----------------------------------------------------------------- */

static const char *ccdm_quote_name(const char *prefix, const char *what, char name[40])
{
	snprintf(name, 40, "%s%s", prefix, what);
	return name;
}

/* Read which registers of the bank are selected. A bank that is selected twice is refused. */
static bool ccdm_quote_selection(const TPML_PCR_SELECTION *list, uint16_t bank, uint32_t *covered)
{
	bool found = false;
	uint32_t i, k;

	*covered = 0;
	for (i = 0; i < list->count; i++) {
		const TPMS_PCR_SELECTION *s = &list->pcrSelections[i];

		if (s->hash != bank)
			return false; /* its registers are in the digest, and not in the evidence */
		if (found || s->sizeofSelect > 3)
			return false;
		found = true;
		for (k = 0; k < s->sizeofSelect; k++)
			*covered |= (uint32_t)s->pcrSelect[k] << 8 * k;
	}
	return found && *covered;
}

/* The list holds all registers, or only the selected ones in ascending order. */
static bool ccdm_quote_list(const struct ccdm_tpm_quote *quote, struct ccdm_tpm_facts *facts)
{
	unsigned int i, at = 0, selected = __builtin_popcount(facts->covered);
	bool all = quote->nr_pcrs == CCDM_TPM_PCRS;

	if (!all && quote->nr_pcrs != selected)
		return false;
	for (i = 0; i < CCDM_TPM_PCRS; i++)
		if (facts->covered >> i & 1)
			memcpy(facts->pcr[i], quote->pcrs[all ? i : at++], CCDM_DIGEST_MAX);
	return true;
}

static int ccdm_quote_registers(const struct ccdm_tpm_quote *quote, const TPMS_QUOTE_INFO *info,
				uint16_t hash, const char *prefix, struct ccdm_tpm_facts *facts,
				struct ccdm_verdict *v)
{
	char name[40];
	uint8_t all[CCDM_TPM_PCRS * CCDM_DIGEST_MAX];
	size_t size = ccdm_digest_size(quote->bank), n = 0;
	struct ccdm_digest d;
	unsigned int i;
	bool selected;
	int r;

	selected = ccdm_quote_selection(&info->pcrSelect, quote->bank, &facts->covered);
	if (!ccdm_verdict_add(v, ccdm_quote_name(prefix, "pcr-selection", name), selected, 0,
			      "registers of this bank only", "%s, %u banks, registers %#x",
			      ccdm_digest_name(quote->bank), info->pcrSelect.count, facts->covered))
		return 0;
	ccdm_verdict_add(v, ccdm_quote_name(prefix, "pcr-bank", name), quote->bank != CCDM_ALG_SHA1,
			 CCDM_ALLOW_SHA1, "SHA-256 or longer", "%s", ccdm_digest_name(quote->bank));
	if (!ccdm_verdict_add(v, ccdm_quote_name(prefix, "pcr-list", name),
			      ccdm_quote_list(quote, facts), 0,
			      "all registers, or those that were quoted", "%u", quote->nr_pcrs))
		return 0;
	for (i = 0; i < CCDM_TPM_PCRS; i++)
		if (facts->covered >> i & 1) {
			memcpy(all + n, facts->pcr[i], size);
			n += size;
		}
	r = ccdm_digest_of(hash, all, n, NULL, 0, &d);
	if (r)
		return r;
	ccdm_verdict_add(v, ccdm_quote_name(prefix, "pcr-digest", name),
			 info->pcrDigest.size == d.size &&
				 !memcmp(info->pcrDigest.buffer, d.bytes, d.size),
			 0, "the hash of the registers", "%u bytes", info->pcrDigest.size);
	return 0;
}

int ccdm_tpm_quote_verify(const struct ccdm_tpm_quote *quote, const struct ccdm_pubkey *ak,
			  const uint8_t *nonce, size_t nonce_size, const char *prefix,
			  struct ccdm_tpm_facts *facts, struct ccdm_verdict *v)
{
	char expected[2 * CCDM_DIGEST_MAX + 1], found[2 * sizeof(TPMU_HA) + 1], name[40];
	const char *hash = ccdm_digest_name(quote->signature.hash);
	TPMS_ATTEST a;
	bool good;
	int r;

	memset(facts, 0, sizeof(*facts));
	facts->bank = quote->bank;
	if (ccdm_attest(quote, &a))
		return -EINVAL;
	if (!ccdm_verdict_add(v, ccdm_quote_name(prefix, "quote-type", name),
			      a.magic == TPM2_GENERATED_VALUE && a.type == TPM2_ST_ATTEST_QUOTE, 0,
			      "a quote that a TPM made", "magic %#x, type %#x", a.magic, a.type))
		return 0;
	ccdm_verdict_add(v, ccdm_quote_name(prefix, "signature-hash", name),
			 hash && quote->signature.hash != CCDM_ALG_SHA1, hash ? CCDM_ALLOW_SHA1 : 0,
			 "SHA-256 or longer", "%s", hash ? hash : "unknown");
	good = !ccdm_pubkey_verify(ak, &quote->signature, quote->message, quote->size);
	ccdm_verdict_add(v, ccdm_quote_name(prefix, "signature", name), good, 0,
			 "a valid signature of the attestation key", "%s",
			 good ? "valid" : "invalid");
	if (nonce) {
		ccdm_hex(nonce, nonce_size, expected);
		ccdm_hex(a.extraData.buffer,
			 a.extraData.size > sizeof(TPMU_HA) ? sizeof(TPMU_HA) : a.extraData.size,
			 found);
		ccdm_verdict_add(v, ccdm_quote_name(prefix, "report-data", name),
				 a.extraData.size == nonce_size &&
					 !memcmp(a.extraData.buffer, nonce, nonce_size),
				 0, expected, "%s", found);
	}
	r = hash ? ccdm_quote_registers(quote, &a.attested.quote, quote->signature.hash, prefix,
					facts, v)
		 : 0;
	return r;
}
