// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/manifest.c lib/kbs/jws.c - a builder's manifest, as it is or signed with the test key */
#include <errno.h>
#include "base/base64.h"
#include "evidence/manifest.h"
#include "pki.h"
#include "fuzz.h"

static EVP_PKEY *key;

/* Sign the second part of the input with the test key. */
static char *resigned(const char *text)
{
	const char *dot = strchr(text, '.'), *last = dot ? strchr(dot + 1, '.') : NULL;
	char *x, *y, *header, *part, *both, *all, *signature;
	uint8_t point[65], sig[64];
	size_t n;

	if (!last)
		return NULL;
	if (!key)
		key = pki_key("P-256");
	EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n);
	x = ccdm_base64url(point + 1, 32);
	y = ccdm_base64url(point + 33, 32);
	if (asprintf(
		    &header,
		    "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}",
		    x, y) < 0)
		abort();
	part = ccdm_base64url(header, strlen(header));
	if (asprintf(&both, "%s.%.*s", part, (int)(last - dot - 1), dot + 1) < 0)
		abort();
	pki_sign(key, EVP_sha256(), both, strlen(both), sig, sig + 32, 32);
	signature = ccdm_base64url(sig, 64);
	if (asprintf(&all, "%s.%s", both, signature) < 0)
		abort();
	free(x);
	free(y);
	free(header);
	free(part);
	free(both);
	free(signature);
	return all;
}

/* What was read can be written, and an own text is the nearest to itself. */
static void written(const struct ccdm_manifest *m)
{
	const char *text = json_string_value(json_array_get(m->events, 0)), *nearest;
	json_t *payload;
	struct ccdm_err err;
	unsigned int count;
	int r = ccdm_manifest_payload(m, &payload, &err);

	if (!r)
		json_decref(payload);
	else if (r != -ENOMEM)
		abort();
	if (text && !ccdm_manifest_nearest(m, text, &nearest, &count) && (!nearest || count))
		abort();
}

static void read_it(const char *text)
{
	json_t *ids = fuzz_own(json_pack("[s]", "a1"));
	struct ccdm_manifest m;
	struct ccdm_err err;

	if (!ccdm_manifest_read(text, &m, &err)) {
		fuzz_said("lists", fuzz_yes(ccdm_manifest_lists(&m, "snp", ids)));
		written(&m);
		ccdm_manifest_drop(&m);
	}
	json_decref(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *ours = fuzz_own(resigned(text));

	read_it(text);
	if (ours)
		read_it(ours);
	free(ours);
	free(text);
	return 0;
}
