// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* manifest.c - see manifest.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "kbs/jwe.h"
#include "kbs/jws.h"
#include "log/enclave_difference.h"
#include "manifest.h"

#define HEX    "0123456789abcdef"
#define ID     64 /* digits of an enclave ID over events */
#define LAUNCH 96 /* of a launch digest of SNP */

/* ---- strict members ------------------------------------------------------------------ */

/* Refuse a member that is not in @known, which ends with NULL. */
static int ccdm_manifest_only(const json_t *o, const char *what, const char *const *known,
			      struct ccdm_err *err)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach((json_t *)o, key, value)
	{
		for (i = 0; known[i] && strcmp(known[i], key); i++)
			;
		if (!known[i]) {
			ccdm_err_hint(err, "a later version of ccdm may know it");
			return ccdm_err_set(err, -EINVAL, "the manifest: %sunknown member '%.40s'",
					    what, key);
		}
	}
	return 0;
}

/* A text of 1 to @size - 1 bytes. */
static int ccdm_manifest_text(const json_t *value, const char *what, char *to, size_t size,
			      struct ccdm_err *err)
{
	size_t n = json_string_length(value);

	/* coverage: jansson refuses a text with a zero byte in it */
	if (!n || n >= size || strlen(json_string_value(value)) != n)
		return ccdm_err_set(err, -EINVAL,
				    "the manifest: %s: expected a string of 1 to %zu bytes", what,
				    size - 1);
	memcpy(to, json_string_value(value), n + 1);
	return 0;
}

static int ccdm_manifest_svn(const json_t *value, const char *what, int64_t *svn,
			     struct ccdm_err *err)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > CCDM_MANIFEST_SVN)
		return ccdm_err_set(err, -EINVAL,
				    "the manifest: %s: expected a whole number from 0 to %d", what,
				    CCDM_MANIFEST_SVN);
	*svn = json_integer_value(value);
	return 0;
}

static bool ccdm_manifest_hex(const char *text, size_t min, size_t max)
{
	size_t n = strlen(text);

	return n >= min && n <= max && strspn(text, HEX) == n;
}

/* ---- the signature ------------------------------------------------------------------- */

static int ccdm_manifest_header(const json_t *header, struct ccdm_err *err)
{
	static const char *const members[] = { "alg", "jwk", "kid", "typ", NULL };
	static const char *const key[] = { "alg", "crv", "kid", "kty", "use", "x", "y", NULL };
	const char *alg = json_string_value(json_object_get(header, "alg"));
	const json_t *typ = json_object_get(header, "typ");
	int r;

	if (!alg || strcmp(alg, "ES256"))
		return ccdm_err_set(err, -EINVAL, "the manifest is not signed with ES256");
	r = ccdm_manifest_only(header, "its header: ", members, err);
	if (!r)
		r = ccdm_manifest_only(json_object_get(header, "jwk"), "its key: ", key, err);
	/* a signature of the same key over something else is no manifest */
	if (!r && typ &&
	    (!json_is_string(typ) || strcmp(json_string_value(typ), CCDM_MANIFEST_TYP)))
		r = ccdm_err_set(err, -EINVAL,
				 "the manifest: its header: typ: expected " CCDM_MANIFEST_TYP);
	return r;
}

/* The signature of the key in the header, which may be anybody's: its hash says whose. */
static int ccdm_manifest_signed(const char *text, const char *signature, const json_t *header,
				struct ccdm_manifest *m, struct ccdm_err *err)
{
	struct ccdm_tee_key *key = NULL;
	struct ccdm_digest hash;
	int r = ccdm_manifest_header(header, err);

	if (!r)
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

/* ---- identities ---------------------------------------------------------------------- */

static bool ccdm_manifest_id(const char *platform, const json_t *id)
{
	const char *hex = json_string_value(id);

	if (!hex || strlen(hex) != json_string_length(id))
		return false;
	return ccdm_manifest_hex(hex, ID, ID) ||
	       (!strcmp(platform, "snp") && ccdm_manifest_hex(hex, LAUNCH, LAUNCH));
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
			if (!ccdm_manifest_id(platform, id))
				return ccdm_err_set(
					err, -EINVAL,
					"the manifest: ids.%s: number %zu: expected an identity: %d%s "
					"hexadecimal digits",
					platform, i + 1, ID,
					strcmp(platform, "snp") ? "" : " or 96");
		}
	}
	return 0;
}

/* Each text must be that of an ID which is listed for the platform that it names. */
static int ccdm_manifest_events(const struct ccdm_manifest *m, struct ccdm_err *err)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	const char *platform;
	struct ccdm_digest d;
	json_t *one, *ids;
	size_t i;
	bool listed;
	int r;

	if (m->events && !json_is_array(m->events))
		return ccdm_err_set(err, -EINVAL, "the manifest: events: expected a list");
	json_array_foreach(m->events, i, one)
	{
		const char *text = json_string_value(one);

		platform = text ? ccdm_enclave_text_platform(text) : NULL;
		if (!platform)
			return ccdm_err_set(
				err, -EINVAL,
				"the manifest: events: number %zu: expected the text of an "
				"enclave ID",
				i + 1);
		r = ccdm_digest_of(CCDM_ALG_SHA256, text, json_string_length(one), NULL, 0, &d);
		if (r)
			return r;
		ccdm_hex(d.bytes, d.size, hex);
		ids = json_pack("[s]", hex);
		if (!ids)
			return -ENOMEM;
		listed = ccdm_manifest_lists(m, platform, ids);
		json_decref(ids);
		if (!listed)
			return ccdm_err_set(
				err, -EINVAL,
				"the manifest: events: number %zu: its hash %.16s... is not "
				"in ids.%s",
				i + 1, hex, platform);
	}
	return 0;
}

/* ---- the payload --------------------------------------------------------------------- */

static int ccdm_manifest_base(const json_t *base, struct ccdm_manifest *m, struct ccdm_err *err)
{
	static const char *const members[] = { "name", "svn", NULL };
	int r;

	if (!base)
		return 0;
	if (!json_is_object(base))
		return ccdm_err_set(err, -EINVAL, "the manifest: base: expected an object");
	r = ccdm_manifest_only(base, "base: ", members, err);
	if (!r)
		r = ccdm_manifest_text(json_object_get(base, "name"), "base.name", m->base,
				       sizeof(m->base), err);
	return r ? r
		 : ccdm_manifest_svn(json_object_get(base, "svn"), "base.svn", &m->base_svn, err);
}

static int ccdm_manifest_workload(const json_t *workload, struct ccdm_manifest *m,
				  struct ccdm_err *err)
{
	static const char *const members[] = { "image", "root", NULL };
	static const char sha256[] = "sha256:";
	int r;

	if (!workload)
		return 0;
	if (!json_is_object(workload))
		return ccdm_err_set(err, -EINVAL, "the manifest: workload: expected an object");
	r = ccdm_manifest_only(workload, "workload: ", members, err);
	if (!r)
		r = ccdm_manifest_text(json_object_get(workload, "image"), "workload.image",
				       m->image, sizeof(m->image), err);
	if (!r)
		r = ccdm_manifest_text(json_object_get(workload, "root"), "workload.root", m->root,
				       sizeof(m->root), err);
	if (r)
		return r;
	if (strncmp(m->image, sha256, strlen(sha256)) ||
	    !ccdm_manifest_hex(m->image + strlen(sha256), 64, 64))
		return ccdm_err_set(err, -EINVAL,
				    "the manifest: workload.image: expected sha256: and 64 "
				    "hexadecimal digits");
	if (!ccdm_manifest_hex(m->root, 40, 128))
		return ccdm_err_set(
			err, -EINVAL,
			"the manifest: workload.root: expected a root hash in hexadecimal "
			"digits");
	return 0;
}

static int ccdm_manifest_logs(const json_t *logs, struct ccdm_manifest *m, struct ccdm_err *err)
{
	const char *text = json_string_value(logs);

	if (!logs)
		return 0;
	if (!text || (strcmp(text, "journal") && strcmp(text, "none") && strcmp(text, "console")))
		return ccdm_err_set(err, -EINVAL,
				    "the manifest: logs: expected journal, none or console");
	return ccdm_manifest_text(logs, "logs", m->logs, sizeof(m->logs), err);
}

static int ccdm_manifest_says(json_t *o, struct ccdm_manifest *m, struct ccdm_err *err)
{
	static const char *const members[] = { "product",  "svn",  "ids",    "base",
					       "workload", "logs", "events", NULL };
	int r = 0;

	if (!json_is_object(o))
		return ccdm_err_set(
			err, -EINVAL,
			"the manifest: expected a JSON object with product, svn and ids, "
			"and no member twice");
	r = ccdm_manifest_only(o, "", members, err);
	if (!r)
		r = ccdm_manifest_text(json_object_get(o, "product"), "product", m->product,
				       sizeof(m->product), err);
	if (!r)
		r = ccdm_manifest_svn(json_object_get(o, "svn"), "svn", &m->svn, err);
	if (r)
		return r;
	m->ids = json_incref(json_object_get(o, "ids"));
	m->events = json_incref(json_object_get(o, "events"));
	r = ccdm_manifest_ids(m->ids, err);
	if (!r)
		r = ccdm_manifest_base(json_object_get(o, "base"), m, err);
	if (!r)
		r = ccdm_manifest_workload(json_object_get(o, "workload"), m, err);
	if (!r)
		r = ccdm_manifest_logs(json_object_get(o, "logs"), m, err);
	return r ? r : ccdm_manifest_events(m, err);
}

int ccdm_manifest_read(const char *text, struct ccdm_manifest *m, struct ccdm_err *err)
{
	const char *payload, *signature;
	json_t *header, *o = NULL;
	int r;

	memset(m, 0, sizeof(*m));
	m->base_svn = -1;
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
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}

void ccdm_manifest_put(const struct ccdm_manifest *m, json_t **object)
{
	if (m->base[0])
		ccdm_json_put(
			object, "base",
			json_pack("{s:s, s:I}", "name", m->base, "svn", (json_int_t)m->base_svn));
	if (m->image[0])
		ccdm_json_put(object, "workload",
			      json_pack("{s:s, s:s}", "image", m->image, "root", m->root));
	if (m->logs[0])
		ccdm_json_put(object, "logs", json_string(m->logs));
}

int ccdm_manifest_payload(const struct ccdm_manifest *m, json_t **payload, struct ccdm_err *err)
{
	struct ccdm_manifest again = { .base_svn = -1 };
	json_t *o = json_pack("{s:s, s:I, s:O}", "product", m->product, "svn", (json_int_t)m->svn,
			      "ids", m->ids);
	int r;

	ccdm_manifest_put(m, &o);
	if (m->events)
		ccdm_json_put(&o, "events", json_incref(m->events));
	r = o ? ccdm_manifest_says(o, &again, err) : -ENOMEM;
	ccdm_manifest_drop(&again);
	if (!r)
		*payload = o;
	else
		json_decref(o);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}

void ccdm_manifest_drop(struct ccdm_manifest *m)
{
	json_decref(m->ids);
	json_decref(m->events);
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

int ccdm_manifest_nearest(const struct ccdm_manifest *m, const char *text, const char **nearest,
			  unsigned int *count)
{
	unsigned int n;
	json_t *one;
	size_t i;
	int r;

	*nearest = NULL;
	*count = 0;
	json_array_foreach(m->events, i, one)
	{
		const char *other = json_string_value(one);

		if (!ccdm_enclave_text_alike(other, text))
			continue;
		r = ccdm_enclave_difference(other, text, NULL, NULL, &n);
		if (r)
			return r;
		if (!*nearest || n < *count) {
			*nearest = other;
			*count = n;
		}
	}
	return 0;
}
