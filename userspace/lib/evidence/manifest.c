// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* manifest.c - see manifest.h */
#include <errno.h>
#include <string.h>
#include "kbs/jwe.h"
#include "kbs/jws.h"
#include "manifest.h"

#define SVN_MOST 1000000000

/* The signature of the key in the header, which may be anybody's: its hash says whose. */
static int ccdm_manifest_signed(const char *text, const char *signature, const json_t *header,
				struct ccdm_manifest *m, struct ccdm_err *err)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	struct ccdm_tee_key *key = NULL;
	struct ccdm_digest hash;
	int r;

	if (!alg || strcmp(alg, "ES256"))
		return ccdm_err_set(err, -EINVAL, "the manifest is not signed with ES256");
	r = ccdm_tee_key_from_jwk(json_object_get(header, "jwk"), &key, err);
	if (r)
		return r;
	/* (both are a key of OpenSSL's) */
	r = ccdm_pubkey_hash((struct ccdm_pubkey *)key, &hash);
	if (!r && !ccdm_jws_signed((struct ccdm_pubkey *)key, text, signature))
		r = ccdm_err_set(err, -EINVAL,
				 "the manifest: its key does not verify its signature");
	if (!r)
		ccdm_hex(hash.bytes, hash.size, m->key);
	ccdm_tee_key_free(key);
	return r;
}

static bool ccdm_manifest_id(const json_t *id)
{
	const char *hex = json_string_value(id);

	return hex && strlen(hex) >= 64 && strlen(hex) <= 2UL * CCDM_DIGEST_MAX &&
	       strspn(hex, "0123456789abcdef") == json_string_length(id);
}

static int ccdm_manifest_ids(const json_t *ids, struct ccdm_err *err)
{
	const char *platform;
	json_t *list, *id;
	size_t i;

	if (!json_object_size(ids))
		return ccdm_err_set(err, -EINVAL, "the manifest has no ids");
	json_object_foreach((json_t *)ids, platform, list)
	{
		if (strcmp(platform, "snp") && strcmp(platform, "tdx") && strcmp(platform, "tpm"))
			return ccdm_err_set(
				err, -EINVAL,
				"the manifest: unknown platform '%.40s'; expected snp, tdx or tpm",
				platform);
		if (!json_is_array(list))
			return ccdm_err_set(err, -EINVAL, "the manifest: ids.%s: expected a list",
					    platform);
		json_array_foreach(list, i, id)
		{
			if (!ccdm_manifest_id(id))
				return ccdm_err_set(
					err, -EINVAL,
					"the manifest: ids.%s: number %zu: expected an identity",
					platform, i + 1);
		}
	}
	return 0;
}

static int ccdm_manifest_says(json_t *o, struct ccdm_manifest *m, struct ccdm_err *err)
{
	const json_t *product = json_object_get(o, "product"), *svn = json_object_get(o, "svn");
	size_t size = json_string_length(product);

	/* coverage: jansson refuses a text with a zero byte in it */
	if (!size || size >= sizeof(m->product) || strlen(json_string_value(product)) != size)
		return ccdm_err_set(err, -EINVAL,
				    "the manifest: product: expected a string of 1 to %zu bytes",
				    sizeof(m->product) - 1);
	if (!json_is_integer(svn) || json_integer_value(svn) < 0 ||
	    json_integer_value(svn) > SVN_MOST)
		return ccdm_err_set(err, -EINVAL,
				    "the manifest: svn: expected a number from 0 to %d", SVN_MOST);
	memcpy(m->product, json_string_value(product), size + 1);
	m->svn = json_integer_value(svn);
	m->ids = json_incref(json_object_get(o, "ids"));
	return ccdm_manifest_ids(m->ids, err);
}

int ccdm_manifest_read(const char *text, struct ccdm_manifest *m, struct ccdm_err *err)
{
	const char *payload, *signature;
	json_t *header, *o = NULL;
	int r;

	memset(m, 0, sizeof(*m));
	if (!ccdm_jws_split(text, CCDM_MANIFEST_MAX, &payload, &signature))
		return ccdm_err_set(err, -EINVAL, "the manifest: expected a JWS of three parts");
	header = ccdm_jws_part(text, payload - 1 - text);
	r = ccdm_manifest_signed(text, signature, header, m, err);
	if (!r) {
		o = ccdm_jws_part(payload, signature - 1 - payload);
		r = ccdm_manifest_says(o, m, err);
	}
	json_decref(header);
	json_decref(o);
	if (r)
		ccdm_manifest_drop(m);
	return r;
}

void ccdm_manifest_drop(struct ccdm_manifest *m)
{
	json_decref(m->ids);
	memset(m, 0, sizeof(*m));
}

bool ccdm_manifest_lists(const struct ccdm_manifest *m, const char *platform, const json_t *ids)
{
	const json_t *listed = json_object_get(m->ids, platform), *a, *b;
	size_t i, k;

	json_array_foreach(listed, i, a)
		json_array_foreach(ids, k, b) if (json_equal(a, b)) return true;
	return false;
}
