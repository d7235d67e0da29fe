// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/kbs/kbs.c lib/kbs/jwe.c lib/base/jcs.c lib/base/base64.c - messages of a broker to a guest; a letter selects one */
#include "base/base64.h"
#include "base/jcs.h"
#include "kbs/kbs.h"
#include "fuzz.h"

static struct ccdm_tee_key *own;

static void values(const char *text, size_t size)
{
	json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	char *canonical = NULL, *sealed = NULL, *message;
	struct ccdm_tee_key *key = NULL;
	struct ccdm_digest bound;
	struct ccdm_err err;
	uint8_t *bytes;
	size_t n;

	if (!o)
		return;
	if (!ccdm_jcs(o, &canonical))
		free(canonical);
	if (!ccdm_tee_key_from_jwk(o, &key, &err)) {
		if (!ccdm_jwe_seal(key, "secret", 6, &sealed))
			free(sealed);
		ccdm_tee_key_free(key);
	}
	ccdm_kbs_report_data(CCDM_KBS_0_4, "nonce", o, "", &bound);
	message = ccdm_kbs_attestation(CCDM_KBS_0_2, "nonce", o, o, "");
	free(message);
	message = ccdm_kbs_attestation(CCDM_KBS_0_4, "nonce", o, o, "");
	free(message);
	message = ccdm_kbs_request(CCDM_KBS_0_4, "snp", o);
	free(message);
	if (!ccdm_jwe_open(own, o, &bytes, &n, &err))
		free(bytes);
	json_decref(o);
}

/* A message that the target encrypted itself, with one byte changed. */
static void sealed(const uint8_t *data, size_t size)
{
	struct ccdm_err err;
	uint8_t *bytes;
	char *text;
	json_t *o;
	size_t n;

	if (ccdm_jwe_seal(own, data, size, &text))
		return;
	if (size > 1 && data[0] < strlen(text))
		text[data[0]] = data[1];
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!ccdm_jwe_open(own, o, &bytes, &n, &err))
		free(bytes);
	json_decref(o);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char nonce[CCDM_KBS_NONCE_MAX], detail[256], *text, *token;
	enum ccdm_kbs_version version;
	struct ccdm_err err;
	json_t *extra;
	uint8_t *bytes;
	int64_t at;
	size_t n;

	if (!own)
		own = fuzz_own(ccdm_tee_key_new());
	if (!size)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	switch (data[0]) {
	case 'c':
		if (!ccdm_kbs_challenge(text, size - 1, nonce, &extra, &err))
			json_decref(extra);
		break;
	case 't':
		if (!ccdm_kbs_token(text, size - 1, &token, &err)) {
			ccdm_kbs_token_time(token, &at, &err);
			free(token);
		}
		ccdm_kbs_token_time(text, &at, &err);
		break;
	case 'f':
		ccdm_kbs_failure(401, text, size - 1, detail);
		break;
	case 'p':
		ccdm_kbs_path_good(text);
		if (ccdm_kbs_version_of(text, &version))
			ccdm_kbs_version_name(version);
		break;
	case 'b':
	case 'u':
		if (!ccdm_base64_decode(text, data[0] == 'u', 1 << 20, &bytes, &n)) {
			token = data[0] == 'u' ? ccdm_base64url(bytes, n) : ccdm_base64(bytes, n);
			free(token);
			free(bytes);
		}
		break;
	case 's':
		sealed(data + 1, size - 1);
		break;
	default:
		values(text, size - 1);
	}
	free(text);
	return 0;
}
