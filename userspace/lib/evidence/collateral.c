// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* collateral.c - see collateral.h */
#include <stdio.h>
#include <stdlib.h>
#include "base/compiler.h"
#include "base/bytes.h"
#include "base/ui.h"
#include "collateral.h"
#include "vendor_url.h"

/* ---- reading ------------------------------------------------------------- */

void ccdm_collateral_drop(struct ccdm_collateral *c)
{
	free(c->tcb.text);
	free(c->qe.text);
	json_decref(c->tcb.json);
	json_decref(c->qe.json);
	memset(c, 0, sizeof(*c));
}

static int ccdm_signed_set(const char *what, struct ccdm_signed *s, const char *text, size_t size,
			   const char *signature, struct ccdm_err *err)
{
	json_error_t where;

	if (s->json)
		return ccdm_err_set(err, -EINVAL, "%s: found a second one, expected one", what);
	if (!signature || ccdm_unhex(signature, s->signature, sizeof(s->signature)))
		return ccdm_err_set(err, -EINVAL,
				    "%s: the signature: expected 128 hexadecimal digits", what);
	s->text = malloc(size + 1);
	if (!s->text)
		return ccdm_err_memory(err);
	memcpy(s->text, text, size);
	s->text[size] = '\0';
	s->size = size;
	s->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(s->json))
		return ccdm_err_set(err, -EINVAL, "%s: line %d: %s", what, where.line,
				    s->json ? "expected an object" : where.text);
	return 0;
}

static int ccdm_bundle_chain(const char *what, const json_t *o, const char *key,
			     struct ccdm_certs *certs, struct ccdm_err *err)
{
	const json_t *value = json_object_get(o, key);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return ccdm_err_set(err, -EINVAL, "%s: %s: expected a string", what, key);
	return ccdm_certs_add(certs, key, json_string_value(value), json_string_length(value), NULL,
			      err);
}

static int ccdm_bundle_crl(const char *what, const json_t *o, const char *key,
			   struct ccdm_certs *certs, struct ccdm_err *err)
{
	const json_t *value = json_object_get(o, key);
	size_t size = json_string_length(value) / 2;
	uint8_t *der;
	int r;

	if (!value || json_is_null(value))
		return 0;
	der = malloc(size + 1);
	if (!der)
		return ccdm_err_memory(err);
	if (!json_is_string(value) || ccdm_unhex(json_string_value(value), der, size))
		r = ccdm_err_set(err, -EINVAL, "%s: %s: expected hexadecimal digits", what, key);
	else
		r = ccdm_certs_add(certs, key, der, size, NULL, err);
	free(der);
	return r;
}

int ccdm_collateral_bundle(const char *what, const char *text, size_t size,
			   struct ccdm_collateral *c, struct ccdm_certs *certs,
			   struct ccdm_err *err)
{
	static const char *const chains[] = { "tcb_info_issuer_chain", "qe_identity_issuer_chain",
					      "pck_crl_issuer_chain", "pck_certificate_chain" };
	static const char *const crls[] = { "root_ca_crl", "pck_crl" };
	const json_t *tcb, *qe;
	json_error_t where;
	json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	size_t i;
	int r = 0;

	if (!json_is_object(o)) {
		r = ccdm_err_set(err, -EINVAL, "%s: line %d: %s", what, where.line,
				 o ? "expected an object" : where.text);
		json_decref(o);
		return r;
	}
	tcb = json_object_get(o, "tcb_info");
	qe = json_object_get(o, "qe_identity");
	if (!json_is_string(tcb) || !json_is_string(qe))
		r = ccdm_err_set(err, -EINVAL, "%s: %s: expected a string", what,
				 json_is_string(tcb) ? "qe_identity" : "tcb_info");
	if (!r)
		r = ccdm_signed_set(
			"tcb_info", &c->tcb, json_string_value(tcb), json_string_length(tcb),
			json_string_value(json_object_get(o, "tcb_info_signature")), err);
	if (!r)
		r = ccdm_signed_set(
			"qe_identity", &c->qe, json_string_value(qe), json_string_length(qe),
			json_string_value(json_object_get(o, "qe_identity_signature")), err);
	for (i = 0; !r && i < ARRAY_SIZE(chains); i++)
		r = ccdm_bundle_chain(what, o, chains[i], certs, err);
	for (i = 0; !r && i < ARRAY_SIZE(crls); i++)
		r = ccdm_bundle_crl(what, o, crls[i], certs, err);
	json_decref(o);
	return r;
}

/*
 * Return the position behind the JSON string that begins at @p. The text has already been parsed,
 * so the string is valid.
 */
static const char *ccdm_text_string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

/*
 * Find the bytes of member @key, an object, in a JSON text that has already been parsed. The
 * signature covers exactly these bytes.
 */
static const char *ccdm_text_member(const char *text, size_t size, const char *key, size_t *length)
{
	const char *p = text, *end = text + size, *begin = NULL;
	size_t n = strlen(key);
	unsigned int depth = 0;

	while (p < end) {
		if (*p == '"') {
			const char *stop = ccdm_text_string_end(p, end);
			const char *next = stop + strspn(stop, " \t\r\n");

			/* the key must be written without escapes */
			if (depth == 1 && !begin && *next == ':' && (size_t)(stop - p) == n + 2 &&
			    !memcmp(p + 1, key, n)) {
				begin = next + 1 + strspn(next + 1, " \t\r\n");
				if (*begin != '{')
					return NULL;
				stop = begin;
			}
			p = stop;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		if (*p == '}' || *p == ']') {
			depth--;
			if (begin && depth == 1) {
				*length = p + 1 - begin;
				return begin;
			}
		}
		p++;
	}
	return NULL;
}

/* Parse an answer. @text has a NUL behind its @size bytes. */
static int ccdm_collateral_answer(const char *what, const char *key, const char *text, size_t size,
				  struct ccdm_signed *s, struct ccdm_err *err)
{
	json_error_t where;
	json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	const char *inner = NULL;
	size_t length = 0;
	int r;

	if (json_is_object(o) && json_is_object(json_object_get(o, key)))
		inner = ccdm_text_member(text, size, key, &length);
	if (inner)
		r = ccdm_signed_set(what, s, inner, length,
				    json_string_value(json_object_get(o, "signature")), err);
	else
		r = ccdm_err_set(err, -EINVAL, "%s: line %d: %s%s", what, o ? 1 : where.line,
				 o ? "expected an object " : where.text, o ? key : "");
	json_decref(o);
	return r;
}

int ccdm_collateral_tcb(const char *what, const char *text, size_t size, struct ccdm_collateral *c,
			struct ccdm_err *err)
{
	return ccdm_collateral_answer(what, "tcbInfo", text, size, &c->tcb, err);
}

int ccdm_collateral_qe(const char *what, const char *text, size_t size, struct ccdm_collateral *c,
		       struct ccdm_err *err)
{
	return ccdm_collateral_answer(what, "enclaveIdentity", text, size, &c->qe, err);
}

/* ---- members of a text ----------------------------------------------------- */

/* Read bytes in hexadecimal. Return: false if the member is missing or malformed. */
static bool ccdm_json_hex(const json_t *o, const char *key, uint8_t *bytes, size_t size)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && !ccdm_unhex(text, bytes, size);
}

/* Return: the number, or -1 if the member is not a number from 0 on. */
static json_int_t ccdm_json_number(const json_t *o, const char *key)
{
	const json_t *n = json_object_get(o, key);

	return json_is_integer(n) && json_integer_value(n) >= 0 ? json_integer_value(n) : -1;
}

static const char *ccdm_json_word(const json_t *o, const char *key)
{
	const char *word = json_string_value(json_object_get(o, key));

	return word ? word : "";
}

static bool ccdm_is_zero(const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* ---- signer and dates -------------------------------------------------------- */

#define TCB_SIGNER "Intel SGX TCB Signing"

/* Does the certificate's key verify the signature? */
static bool ccdm_signed_by(const struct ccdm_signed *s, const struct ccdm_cert *signer)
{
	return !ccdm_cert_ecdsa(signer, s->signature, s->signature + 32, 32, s->text, s->size);
}

/*
 * Find the certificate of the signer. A key may have several certificates, for example an expired
 * one: prefer the first with a valid path, else take the first.
 */
static int ccdm_signed_who(const struct ccdm_signed *s, const struct ccdm_certs *certs,
			   const struct ccdm_path *path, unsigned int allow,
			   const struct ccdm_cert **signer)
{
	const struct ccdm_cert *cert, *other = NULL, *first = NULL;
	bool good = false, named;
	unsigned int i;
	char cn[64];
	int r = 0;

	*signer = NULL;
	for (i = 0; !r && !good && (cert = ccdm_certs_at(certs, i)); i++) {
		named = !strcmp(ccdm_cert_cn(cert, cn), TCB_SIGNER);
		if (!named && (first || other))
			continue;
		if (!ccdm_signed_by(s, cert))
			continue;
		if (!named) {
			other = cert;
			continue;
		}
		r = ccdm_certs_path_good(certs, cert, path, allow, &good);
		if (good || !first)
			first = cert;
	}
	*signer = first ? first : other;
	return r;
}

/* Check the signature, its signer and the dates. */
static int ccdm_signed_check(const struct ccdm_signed *s, const char *prefix,
			     const struct ccdm_certs *certs, const struct ccdm_anchor *anchors,
			     unsigned int nr_anchors, int64_t at, struct ccdm_verdict *v)
{
	struct ccdm_path path = {
		.prefix = prefix,
		.at = at,
		.anchors = anchors,
		.nr_anchors = nr_anchors,
		.crl_url = ccdm_url_crl,
	};
	char name[40], cn[64], from_text[32], to_text[32], now[32], expected[64];
	const struct ccdm_cert *signer;
	int64_t from, to;
	bool dates;
	int r;

	r = ccdm_signed_who(s, certs, &path, v->allow & ~CCDM_ALLOW_EXPIRED, &signer);
	if (r)
		return r;
	snprintf(name, sizeof(name), "%ssignature", prefix);
	if (!ccdm_verdict_add(v, name, signer, 0,
			      "a valid signature of a certificate that came with it", "%s",
			      signer ? "one" : "no certificate verifies it"))
		return 0;
	/* The root also signs the CAs of platforms' keys, so check the signer's name. */
	snprintf(name, sizeof(name), "%ssigner", prefix);
	ccdm_cert_cn(signer, cn);
	ccdm_verdict_add(v, name, !strcmp(cn, TCB_SIGNER), 0, TCB_SIGNER, "%s", cn);
	r = ccdm_certs_path(certs, signer, &path, v);
	if (r)
		return r;
	dates = !ccdm_ui_time(ccdm_json_word(s->json, "issueDate"), &from) &&
		!ccdm_ui_time(ccdm_json_word(s->json, "nextUpdate"), &to);
	snprintf(name, sizeof(name), "%sdate", prefix);
	snprintf(expected, sizeof(expected), "in force at %s", ccdm_ui_date(at, now));
	ccdm_verdict_add(v, name, dates && from <= at && at <= to, dates ? CCDM_ALLOW_EXPIRED : 0,
			 expected, "%s to %s", dates ? ccdm_ui_date(from, from_text) : "no date",
			 dates ? ccdm_ui_date(to, to_text) : "no date");
	return 0;
}

/* ---- levels -------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned int needs;
	bool good;
} ccdm_statuses[] = {
	{ "UpToDate", 0, true },
	{ "SWHardeningNeeded", CCDM_ALLOW_TCB_SW_HARDENING, false },
	{ "ConfigurationNeeded", CCDM_ALLOW_TCB_CONFIG, false },
	{ "ConfigurationAndSWHardeningNeeded", CCDM_ALLOW_TCB_CONFIG | CCDM_ALLOW_TCB_SW_HARDENING,
	  false },
	{ "OutOfDate", CCDM_ALLOW_TCB_OUT_OF_DATE, false },
	{ "OutOfDateConfigurationNeeded", CCDM_ALLOW_TCB_OUT_OF_DATE | CCDM_ALLOW_TCB_CONFIG,
	  false },
	{ "Revoked", 0, false },
};

/* Add a check of the level's status. @level: NULL if the platform is below each level. */
static void ccdm_level_check(struct ccdm_verdict *v, const char *name, const json_t *level)
{
	const char *status = ccdm_json_word(level, "tcbStatus");
	unsigned int needs = 0;
	bool good = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_statuses); i++)
		if (!strcmp(status, ccdm_statuses[i].name)) {
			good = ccdm_statuses[i].good;
			needs = ccdm_statuses[i].needs;
		}
	ccdm_verdict_add(v, name, level && good, level ? needs : 0, "UpToDate", "%s%s%s",
			 level ? (status[0] ? status : "no status") : "below every level",
			 level ? " since " : "", level ? ccdm_json_word(level, "tcbDate") : "");
}

/* Are the components of @have, from @first on, at least those of the level? The level has 16. */
static bool ccdm_components(const json_t *tcb, const char *key, const uint8_t *have,
			    unsigned int first)
{
	const json_t *list = json_object_get(tcb, key);
	unsigned int i;

	if (json_array_size(list) != 16)
		return false;
	for (i = first; i < 16; i++) {
		json_int_t n = ccdm_json_number(json_array_get(list, i), "svn");

		if (n < 0 || have[i] < n)
			return false;
	}
	return true;
}

static const json_t *ccdm_platform_level(const json_t *info, const struct ccdm_platform *p)
{
	const json_t *levels = json_object_get(info, "tcbLevels");
	size_t i;

	for (i = 0; i < json_array_size(levels); i++) {
		const json_t *level = json_array_get(levels, i);
		const json_t *tcb = json_object_get(level, "tcb");
		json_int_t pcesvn = ccdm_json_number(tcb, "pcesvn");

		/*
		 * If the TDX module has a major version, its own identity judges components 0 and
		 * 1.
		 */
		if (ccdm_components(tcb, "sgxtcbcomponents", p->sgx_svn, 0) && pcesvn >= 0 &&
		    p->pcesvn >= pcesvn &&
		    ccdm_components(tcb, "tdxtcbcomponents", p->tdx_svn, p->tdx_svn[1] ? 2 : 0))
			return level;
	}
	return NULL;
}

/* Return the first level whose "isvsvn" is not above @svn. */
static const json_t *ccdm_svn_level(const json_t *levels, unsigned int svn)
{
	size_t i;

	for (i = 0; i < json_array_size(levels); i++) {
		const json_t *level = json_array_get(levels, i);
		json_int_t n = ccdm_json_number(json_object_get(level, "tcb"), "isvsvn");

		if (n >= 0 && svn >= n)
			return level;
	}
	return NULL;
}

/* ---- the TDX module -------------------------------------------------------------- */

static const json_t *ccdm_module_identity(const json_t *info, unsigned int version, char id[8])
{
	const json_t *list = json_object_get(info, "tdxModuleIdentities");
	size_t i;

	snprintf(id, 8, "TDX_%02X", version);
	for (i = 0; i < json_array_size(list); i++)
		if (!strcmp(ccdm_json_word(json_array_get(list, i), "id"), id))
			return json_array_get(list, i);
	return NULL;
}

static void ccdm_module_check(const json_t *info, const struct ccdm_platform *p,
			      struct ccdm_verdict *v)
{
	uint8_t signer[48], attributes[8], mask[8], masked[8];
	unsigned int version = p->tdx_svn[1], i;
	const json_t *module = json_object_get(info, "tdxModule");
	char found[129], id[8] = "TDX";
	bool good;

	if (version)
		module = ccdm_module_identity(info, version, id);
	if (!ccdm_verdict_add(v, "module", module, 0, "an identity of the TDX module", "%s%s", id,
			      module ? "" : ": none"))
		return;
	good = ccdm_json_hex(module, "mrsigner", signer, sizeof(signer)) &&
	       !memcmp(signer, p->mrsignerseam, sizeof(signer));
	ccdm_hex(p->mrsignerseam, 48, found);
	ccdm_verdict_add(v, "module-signer", good, 0, "the signer of its identity", "%s", found);
	good = ccdm_json_hex(module, "attributes", attributes, 8) &&
	       ccdm_json_hex(module, "attributesMask", mask, 8);
	for (i = 0; good && i < 8; i++)
		masked[i] = p->seamattributes[i] & mask[i];
	ccdm_hex(p->seamattributes, 8, found);
	ccdm_verdict_add(v, "module-attributes", good && !memcmp(masked, attributes, 8), 0,
			 "those of its identity", "%s", found);
	if (version)
		ccdm_level_check(
			v, "module-tcb",
			ccdm_svn_level(json_object_get(module, "tcbLevels"), p->tdx_svn[0]));
}

/* ---- TCB info ----------------------------------------------------------------------- */

static void ccdm_tcb_check(const json_t *info, const struct ccdm_platform *p,
			   struct ccdm_verdict *v)
{
	json_int_t version = ccdm_json_number(info, "version");
	uint8_t fmspc[6], pceid[2];
	char want[32], have[24];

	if (!ccdm_verdict_add(v, "tcb-info-version",
			      version == 3 && !strcmp(ccdm_json_word(info, "id"), "TDX"), 0,
			      "TDX, version 3", "%.20s, version %lld", ccdm_json_word(info, "id"),
			      (long long)version))
		return;
	ccdm_hex(p->fmspc, 6, want);
	want[12] = ' ';
	ccdm_hex(p->pceid, 2, want + 13);
	snprintf(have, sizeof(have), "%.12s %.4s", ccdm_json_word(info, "fmspc"),
		 ccdm_json_word(info, "pceId"));
	ccdm_verdict_add(v, "tcb-info-platform",
			 ccdm_json_hex(info, "fmspc", fmspc, 6) &&
				 ccdm_json_hex(info, "pceId", pceid, 2) &&
				 !memcmp(fmspc, p->fmspc, 6) && !memcmp(pceid, p->pceid, 2),
			 0, want, "%s", have);
	ccdm_level_check(v, "tcb", ccdm_platform_level(info, p));
	ccdm_module_check(info, p, v);
}

/* ---- the quoting enclave ----------------------------------------------------------------- */

enum {
	QE_MISCSELECT = 16,
	QE_ATTRIBUTES = 48,
	QE_MRSIGNER = 128,
	QE_PRODUCT = 256,
	QE_SVN = 258,
};

/*
 * Do the bytes of @have under the mask equal the identity's value? Both use the report's byte
 * order.
 */
static bool ccdm_masked(const json_t *o, const char *key, const char *mask_key, const uint8_t *have,
			size_t size)
{
	uint8_t want[16] = { 0 }, mask[16] = { 0 };
	size_t i;

	/* coverage: the callers compare 4 and 16 bytes */
	if (size > sizeof(want) || !ccdm_json_hex(o, key, want, size) ||
	    !ccdm_json_hex(o, mask_key, mask, size))
		return false;
	for (i = 0; i < size; i++)
		if ((have[i] & mask[i]) != want[i])
			return false;
	return true;
}

static void ccdm_qe_check(const json_t *id, const struct ccdm_platform *p, struct ccdm_verdict *v)
{
	json_int_t version = ccdm_json_number(id, "version");
	const uint8_t *qe = p->qe_report;
	uint8_t signer[32];
	char hex[65];

	if (!ccdm_verdict_add(v, "qe-identity-version",
			      version == 2 && !strcmp(ccdm_json_word(id, "id"), "TD_QE"), 0,
			      "TD_QE, version 2", "%.20s, version %lld", ccdm_json_word(id, "id"),
			      (long long)version))
		return;
	ccdm_hex(qe + QE_MRSIGNER, 32, hex);
	ccdm_verdict_add(v, "qe-signer",
			 ccdm_json_hex(id, "mrsigner", signer, 32) &&
				 !memcmp(signer, qe + QE_MRSIGNER, 32) && !ccdm_is_zero(signer, 32),
			 0, "the signer of its identity", "%s", hex);
	ccdm_verdict_add(v, "qe-product",
			 ccdm_json_number(id, "isvprodid") == ccdm_le16(qe + QE_PRODUCT), 0,
			 "the product of its identity", "%u", ccdm_le16(qe + QE_PRODUCT));
	ccdm_hex(qe + QE_MISCSELECT, 4, hex);
	ccdm_verdict_add(v, "qe-miscselect",
			 ccdm_masked(id, "miscselect", "miscselectMask", qe + QE_MISCSELECT, 4), 0,
			 "that of its identity", "%s", hex);
	ccdm_hex(qe + QE_ATTRIBUTES, 16, hex);
	ccdm_verdict_add(v, "qe-attributes",
			 ccdm_masked(id, "attributes", "attributesMask", qe + QE_ATTRIBUTES, 16), 0,
			 "those of its identity", "%s", hex);
	ccdm_level_check(v, "qe-tcb",
			 ccdm_svn_level(json_object_get(id, "tcbLevels"), ccdm_le16(qe + QE_SVN)));
}

int ccdm_collateral_check(const struct ccdm_collateral *c, const struct ccdm_certs *certs,
			  const struct ccdm_anchor *anchors, unsigned int nr_anchors, int64_t at,
			  const struct ccdm_platform *p, struct ccdm_verdict *v)
{
	char url[CCDM_URL_MAX];
	int r = 0;

	ccdm_url_tcb_info(p->fmspc, url);
	if (ccdm_verdict_add(v, "tcb-info", c->tcb.json, 0, "TCB info of the platform", "%s%s",
			     c->tcb.json ? "one" : "none; fetch ", c->tcb.json ? "" : url)) {
		r = ccdm_signed_check(&c->tcb, "tcb-info-", certs, anchors, nr_anchors, at, v);
		if (!r)
			ccdm_tcb_check(c->tcb.json, p, v);
	}
	if (!r &&
	    ccdm_verdict_add(v, "qe-identity", c->qe.json, 0, "the identity of the quoting enclave",
			     "%s", c->qe.json ? "one" : "none; fetch " CCDM_URL_QE)) {
		r = ccdm_signed_check(&c->qe, "qe-identity-", certs, anchors, nr_anchors, at, v);
		if (!r)
			ccdm_qe_check(c->qe.json, p, v);
	}
	return r;
}

/* ---- collateral without a quote ------------------------------------------------------- */

int ccdm_collateral_genuine(const struct ccdm_collateral *c, const struct ccdm_certs *certs,
			    const struct ccdm_anchor *anchors, unsigned int nr_anchors, int64_t at,
			    struct ccdm_verdict *v)
{
	const struct {
		const struct ccdm_signed *s;
		const char *name, *prefix, *id;
		json_int_t version;
	} both[] = {
		{ &c->tcb, "tcb-info", "tcb-info-", "TDX", 3 },
		{ &c->qe, "qe-identity", "qe-identity-", "TD_QE", 2 },
	};
	char name[40], expected[32];
	size_t i;
	int r = 0;

	for (i = 0; !r && i < 2; i++) {
		const json_t *o = both[i].s->json;
		json_int_t version = ccdm_json_number(o, "version");
		const char *id = ccdm_json_word(o, "id");

		if (!ccdm_verdict_add(v, both[i].name, o, 0, "one", "%s", o ? "one" : "none"))
			continue;
		r = ccdm_signed_check(both[i].s, both[i].prefix, certs, anchors, nr_anchors, at, v);
		snprintf(name, sizeof(name), "%sversion", both[i].prefix);
		snprintf(expected, sizeof(expected), "%s, version %lld", both[i].id,
			 (long long)both[i].version);
		ccdm_verdict_add(v, name, version == both[i].version && !strcmp(id, both[i].id), 0,
				 expected, "%.20s, version %lld", id, (long long)version);
	}
	v->complete = !r;
	return r;
}

bool ccdm_collateral_fmspc(const struct ccdm_collateral *c, uint8_t fmspc[6])
{
	return ccdm_json_hex(c->tcb.json, "fmspc", fmspc, 6);
}

void ccdm_signed_info(const struct ccdm_signed *s, struct ccdm_signed_info *info)
{
	info->number = ccdm_json_number(s->json, "tcbEvaluationDataNumber");
	if (ccdm_ui_time(ccdm_json_word(s->json, "issueDate"), &info->from))
		info->from = -1;
	if (ccdm_ui_time(ccdm_json_word(s->json, "nextUpdate"), &info->to))
		info->to = -1;
}
