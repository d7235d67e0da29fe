// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* collateral_read.c - see collateral.h: reading of collateral; collateral.c checks it */
#include <stdlib.h>
#include "base/compiler.h"
#include "base/bytes.h"
#include "collateral.h"

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
