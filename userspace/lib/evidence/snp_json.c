// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* snp_json.c - see snp_json.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/bytes.h"
#include "base/json.h"
#include "snp_json.h"

/*
 * The report that is built, the path of the current JSON object ("" or "NAME."), and the first
 * error.
 */
struct ccdm_snp_out {
	uint8_t *raw;
	char above[32];
	struct ccdm_err *err;
	int error;
};

/* Write a number of @bytes bytes at @at. @none: null or a missing member means zero. */
static uint64_t ccdm_snp_number(struct ccdm_snp_out *out, const json_t *object, const char *key,
				unsigned int at, unsigned int bytes, bool none)
{
	const json_t *value = json_object_get(object, key);
	uint64_t n = 0;
	unsigned int i;

	if (out->error || (none && (!value || json_is_null(value))))
		return 0;
	if (json_is_integer(value)) {
		n = (uint64_t)json_integer_value(value);
	} else {
		out->error = ccdm_err_set(out->err, -EINVAL, "%s%s: expected a whole number",
					  out->above, key);
		return 0;
	}
	if ((bytes < 8 && n >> 8 * bytes) || json_integer_value(value) < 0) {
		out->error = ccdm_err_set(out->err, -EINVAL,
					  "%s%s: the number does not fit into %u bytes", out->above,
					  key, bytes);
		return 0;
	}
	for (i = 0; i < bytes; i++)
		out->raw[at + i] = n >> 8 * i;
	return n;
}

/* Copy an array of @size bytes to @to. */
static void ccdm_snp_array(struct ccdm_snp_out *out, const json_t *value, const char *key,
			   uint8_t *to, size_t size)
{
	if (!out->error)
		out->error = ccdm_json_octets(value, key, to, size, out->err);
}

static const json_t *ccdm_snp_object(struct ccdm_snp_out *out, const json_t *object,
				     const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!out->error && !json_is_object(value))
		out->error = ccdm_err_set(out->err, -EINVAL, "%s: expected an object", key);
	return value;
}

/* ---- the members ------------------------------------------------------------------ */

static const struct ccdm_snp_member {
	const char *key;
	unsigned int at, size;
	unsigned int since; /* first report version that has the member; in older ones it is null */
} ccdm_snp_numbers[] = {
	{ "version", 0x00, 4, 0 },
	{ "guest_svn", 0x04, 4, 0 },
	{ "policy", 0x08, 8, 0 },
	{ "vmpl", 0x30, 4, 0 },
	{ "sig_algo", 0x34, 4, 0 },
	{ "plat_info", 0x40, 8, 0 },
	{ "key_info", 0x48, 4, 0 },
	{ "cpuid_fam_id", 0x188, 1, 3 },
	{ "cpuid_mod_id", 0x189, 1, 3 },
	{ "cpuid_step", 0x18a, 1, 3 },
	{ "launch_mit_vector", 0x1f8, 8, 5 },
	{ "current_mit_vector", 0x200, 8, 5 },
}, ccdm_snp_arrays[] = {
	{ "family_id", 0x10, 16, 0 },	       { "image_id", 0x20, 16, 0 },
	{ "report_data", 0x50, 64, 0 },	       { "measurement", 0x90, 48, 0 },
	{ "host_data", 0xc0, 32, 0 },	       { "id_key_digest", 0xe0, 48, 0 },
	{ "author_key_digest", 0x110, 48, 0 }, { "report_id", 0x140, 32, 0 },
	{ "report_id_ma", 0x160, 32, 0 },      { "chip_id", 0x1a0, 64, 0 },
}, ccdm_snp_tcbs[] = {
	{ "current_tcb", 0x38, 8, 0 },
	{ "reported_tcb", 0x180, 8, 0 },
	{ "committed_tcb", 0x1e0, 8, 0 },
	{ "launch_tcb", 0x1f0, 8, 0 },
}, ccdm_snp_firmwares[] = {
	{ "current", 0x1e8, 3, 0 },
	{ "committed", 0x1ec, 3, 0 },
}, ccdm_snp_signature[] = {
	{ "signature.r", 0x2a0, 72, 0 },
	{ "signature.s", 0x2e8, 72, 0 },
};

#define MEMBERS(all) (sizeof(all) / sizeof((all)[0]))

/* The member's name without that of its object. */
static const char *ccdm_snp_within(const char *key)
{
	return strchr(key, '.') + 1;
}

#define GUID 16

/* Types of certificates in the host's table (GHCB specification, SNP Extended Guest Request). */
static const struct {
	uint8_t guid[GUID];
	const char *type;
} ccdm_snp_guids[] = {
	{ { 0xa4, 0x06, 0xb4, 0xc0, 0x03, 0xa8, 0x52, 0x49, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c,
	    0xd0, 0xae },
	  "ARK" },
	{ { 0x79, 0xb3, 0xb7, 0x4a, 0xac, 0xbb, 0xe4, 0x4f, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27,
	    0xc7, 0x82 },
	  "ASK" },
	{ { 0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8,
	    0xac, 0xcd },
	  "VCEK" },
	{ { 0xc2, 0x74, 0x80, 0xa8, 0x5a, 0xa2, 0x3e, 0x48, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0,
	    0xb8, 0xa1 },
	  "VLEK" },
	{ { 0xc3, 0x1b, 0xf8, 0x92, 0x11, 0x58, 0x3d, 0x4d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc,
	    0x67, 0xea },
	  "CRL" },
};

/* ---- from JSON --------------------------------------------------------------------- */

/* The byte order depends on the processor generation; "fmc" exists since Turin. */
static void ccdm_snp_tcb_at(struct ccdm_snp_out *out, const json_t *report, const char *key,
			    unsigned int at)
{
	const json_t *tcb = ccdm_snp_object(out, report, key);
	const json_t *fmc = json_object_get(tcb, "fmc");
	bool turin = fmc && !json_is_null(fmc);

	snprintf(out->above, sizeof(out->above), "%s.", key);
	ccdm_snp_number(out, tcb, "bootloader", at + turin, 1, false);
	ccdm_snp_number(out, tcb, "tee", at + 1 + turin, 1, false);
	ccdm_snp_number(out, tcb, "snp", at + (turin ? 3 : 6), 1, false);
	ccdm_snp_number(out, tcb, "microcode", at + 7, 1, false);
	if (turin)
		ccdm_snp_number(out, tcb, "fmc", at, 1, false);
	out->above[0] = '\0';
}

static void ccdm_snp_firmware(struct ccdm_snp_out *out, const json_t *report, const char *key,
			      unsigned int at)
{
	const json_t *version = ccdm_snp_object(out, report, key);

	snprintf(out->above, sizeof(out->above), "%s.", key);
	ccdm_snp_number(out, version, "build", at, 1, false);
	ccdm_snp_number(out, version, "minor", at + 1, 1, false);
	ccdm_snp_number(out, version, "major", at + 2, 1, false);
	out->above[0] = '\0';
}

static void ccdm_snp_report(struct ccdm_snp_out *out, const json_t *o)
{
	const struct ccdm_snp_member *m;
	const json_t *signature;

	for (m = ccdm_snp_numbers; m < ccdm_snp_numbers + MEMBERS(ccdm_snp_numbers); m++)
		ccdm_snp_number(out, o, m->key, m->at, m->size, m->since);
	for (m = ccdm_snp_arrays; m < ccdm_snp_arrays + MEMBERS(ccdm_snp_arrays); m++)
		ccdm_snp_array(out, json_object_get(o, m->key), m->key, out->raw + m->at, m->size);
	for (m = ccdm_snp_tcbs; m < ccdm_snp_tcbs + MEMBERS(ccdm_snp_tcbs); m++)
		ccdm_snp_tcb_at(out, o, m->key, m->at);
	for (m = ccdm_snp_firmwares; m < ccdm_snp_firmwares + MEMBERS(ccdm_snp_firmwares); m++)
		ccdm_snp_firmware(out, o, m->key, m->at);
	signature = ccdm_snp_object(out, o, "signature");
	for (m = ccdm_snp_signature; m < ccdm_snp_signature + MEMBERS(ccdm_snp_signature); m++)
		ccdm_snp_array(out, json_object_get(signature, ccdm_snp_within(m->key)), m->key,
			       out->raw + m->at, m->size);
}

static bool ccdm_snp_type_known(const char *kind)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_snp_guids); i++)
		if (!strcmp(kind, ccdm_snp_guids[i].type))
			return true;
	return false;
}

static int ccdm_snp_cert(const json_t *entry, struct ccdm_certs *certs,
			 const struct ccdm_cert **leaf, struct ccdm_err *err)
{
	const json_t *type = json_object_get(entry, "cert_type");
	const char *kind = json_string_value(type);
	const struct ccdm_cert *cert;
	char what[40];
	uint8_t *der;
	size_t size;
	int r;

	/* {"OTHER": uuid} and "Empty" are not certificates */
	if (json_is_object(type) || (kind && !strcmp(kind, "Empty")))
		return 0;
	if (!kind || !ccdm_snp_type_known(kind))
		return ccdm_err_set(err, -EINVAL, "cert_chain: unknown cert_type");
	r = ccdm_json_numbers(json_object_get(entry, "data"), "cert_chain: data", CCDM_CERT_MAX,
			      &der, &size, err);
	if (r)
		return r;
	snprintf(what, sizeof(what), "cert_chain: data of %s", kind);
	r = ccdm_certs_add(certs, what, der, size, &cert, err);
	free(der);
	if (!r && (!strcmp(kind, "VCEK") || !strcmp(kind, "VLEK"))) {
		if (*leaf || !cert)
			return ccdm_err_set(
				err, -EINVAL, "cert_chain: %s",
				cert ? "more than one VCEK or VLEK"
				     : "expected a certificate, found a revocation list");
		*leaf = cert;
	}
	return r;
}

int ccdm_snp_json_parse(const json_t *evidence, uint8_t raw[CCDM_SNP_REPORT_SIZE],
			struct ccdm_certs *certs, const struct ccdm_cert **leaf,
			struct ccdm_err *err)
{
	struct ccdm_snp_out out = { .raw = raw, .err = err };
	const json_t *chain = json_object_get(evidence, "cert_chain"), *report;
	size_t i;
	int r = 0;

	*leaf = NULL;
	memset(raw, 0, CCDM_SNP_REPORT_SIZE);
	report = ccdm_snp_object(&out, evidence, "attestation_report");
	ccdm_snp_report(&out, report);
	if (out.error)
		return out.error;
	if (chain && !json_is_null(chain) && !json_is_array(chain))
		return ccdm_err_set(err, -EINVAL, "cert_chain: expected an array");
	for (i = 0; !r && i < json_array_size(chain); i++)
		r = ccdm_snp_cert(json_array_get(chain, i), certs, leaf, err);
	return r;
}

/* ---- to JSON ------------------------------------------------------------------------ */

static json_t *ccdm_snp_octets(const uint8_t *bytes, size_t size)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < size; i++)
		ccdm_json_add(&array, json_integer(bytes[i]));
	return array;
}

static json_t *ccdm_snp_integer(const uint8_t *bytes, unsigned int size)
{
	uint64_t n = 0;

	while (size--)
		n = n << 8 | bytes[size];
	return json_integer((json_int_t)n);
}

static json_t *ccdm_snp_tcb_json(const uint8_t *raw, enum ccdm_snp_generation generation)
{
	struct ccdm_snp_tcb tcb = ccdm_snp_tcb(raw, generation);

	return json_pack("{s:o, s:i, s:i, s:i, s:i}", "fmc",
			 generation >= CCDM_SNP_TURIN ? json_integer(tcb.fmc) : json_null(),
			 "bootloader", tcb.bootloader, "tee", tcb.tee, "snp", tcb.snp, "microcode",
			 tcb.microcode);
}

static json_t *ccdm_snp_report_json(const struct ccdm_snp *snp)
{
	const struct ccdm_snp_member *m;
	const uint8_t *raw = snp->raw;
	json_t *o = json_object(), *signature = json_object();
	int r = 0;

	for (m = ccdm_snp_numbers; m < ccdm_snp_numbers + MEMBERS(ccdm_snp_numbers); m++)
		r |= json_object_set_new(o, m->key,
					 snp->version < m->since
						 ? json_null()
						 : ccdm_snp_integer(raw + m->at, m->size));
	for (m = ccdm_snp_arrays; m < ccdm_snp_arrays + MEMBERS(ccdm_snp_arrays); m++)
		r |= json_object_set_new(o, m->key, ccdm_snp_octets(raw + m->at, m->size));
	for (m = ccdm_snp_tcbs; m < ccdm_snp_tcbs + MEMBERS(ccdm_snp_tcbs); m++)
		r |= json_object_set_new(o, m->key,
					 ccdm_snp_tcb_json(raw + m->at, snp->generation));
	for (m = ccdm_snp_firmwares; m < ccdm_snp_firmwares + MEMBERS(ccdm_snp_firmwares); m++)
		r |= json_object_set_new(o, m->key,
					 json_pack("{s:i, s:i, s:i}", "major", raw[m->at + 2],
						   "minor", raw[m->at + 1], "build", raw[m->at]));
	for (m = ccdm_snp_signature; m < ccdm_snp_signature + MEMBERS(ccdm_snp_signature); m++)
		r |= json_object_set_new(signature, ccdm_snp_within(m->key),
					 ccdm_snp_octets(raw + m->at, m->size));
	r |= json_object_set_new(o, "signature", signature);
	if (!r)
		return o;
	json_decref(o);
	return NULL;
}

/* The index of a known GUID. Return: -1 for another one, which is not passed on as evidence. */
static int ccdm_snp_guid(const uint8_t *guid)
{
	int i;

	for (i = 0; i < (int)MEMBERS(ccdm_snp_guids); i++)
		if (!memcmp(ccdm_snp_guids[i].guid, guid, GUID))
			return i;
	return -1;
}

static int ccdm_snp_table(const uint8_t *table, size_t size, json_t *chain, struct ccdm_err *err)
{
	static const uint8_t zero[GUID];
	size_t at, offset, length;
	unsigned int seen = 0;
	int guid;

	for (at = 0; at + GUID + 8 <= size && memcmp(table + at, zero, GUID); at += GUID + 8) {
		offset = ccdm_le32(table + at + GUID);
		length = ccdm_le32(table + at + GUID + 4);
		if (offset > size || length > size - offset)
			return ccdm_err_set(err, -EINVAL,
					    "the host's certificates: entry %zu is %zu bytes at "
					    "%zu of %zu",
					    at / (GUID + 8), length, offset, size);
		guid = ccdm_snp_guid(table + at);
		if (guid < 0)
			continue;
		/* Many entries for the same bytes would inflate the JSON text. */
		if (seen & 1U << guid || length > CCDM_CERT_MAX)
			return ccdm_err_set(
				err, -EINVAL,
				"the host's certificates: entry %zu: %s appears twice, or has more than %u "
				"bytes",
				at / (GUID + 8), ccdm_snp_guids[guid].type, CCDM_CERT_MAX);
		seen |= 1U << guid;
		if (json_array_append_new(
			    chain, json_pack("{s:s, s:o}", "cert_type", ccdm_snp_guids[guid].type,
					     "data", ccdm_snp_octets(table + offset, length))))
			return -ENOMEM;
	}
	if (size && at + GUID + 8 > size)
		return ccdm_err_set(err, -EINVAL,
				    "the host's certificates: the table lacks its last entry");
	return 0;
}

/* Do the members of @evidence represent all bytes of @raw? */
static bool ccdm_snp_json_whole(const json_t *evidence, const uint8_t raw[CCDM_SNP_REPORT_SIZE])
{
	uint8_t again[CCDM_SNP_REPORT_SIZE] = { 0 };
	struct ccdm_err err = { 0 };
	struct ccdm_snp_out out = { .raw = again, .err = &err };

	ccdm_snp_report(&out, json_object_get(evidence, "attestation_report"));
	return !out.error && !memcmp(again, raw, sizeof(again));
}

int ccdm_snp_json_make(const uint8_t raw[CCDM_SNP_REPORT_SIZE], const uint8_t *table, size_t size,
		       json_t **evidence, struct ccdm_err *err)
{
	json_t *chain = json_array();
	struct ccdm_snp snp;
	int r;

	*evidence = NULL;
	r = ccdm_snp_parse(raw, CCDM_SNP_REPORT_SIZE, &snp, err);
	if (!r)
		r = chain ? ccdm_snp_table(table, size, chain, err) : -ENOMEM;
	if (!r) {
		*evidence =
			json_pack("{s:o, s:O}", "attestation_report", ccdm_snp_report_json(&snp),
				  "cert_chain", json_array_size(chain) ? chain : json_null());
		r = *evidence ? 0 : -ENOMEM;
	}
	if (!r && !ccdm_snp_json_whole(*evidence, raw)) {
		json_decref(*evidence);
		*evidence = NULL;
		r = ccdm_err_set(
			err, -EINVAL,
			"the report has reserved bytes that are not zero, which KBS evidence "
			"cannot carry");
	}
	json_decref(chain);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}

/* "VCEK" or "VLEK", from the name in AMD's certificate; NULL for another certificate. */
static const char *ccdm_snp_leaf_type(const struct ccdm_cert *cert)
{
	char cn[64];

	ccdm_cert_cn(cert, cn);
	return !strcmp(cn, "SEV-VCEK") ? "VCEK" : !strcmp(cn, "SEV-VLEK") ? "VLEK" : NULL;
}

static bool ccdm_snp_has_leaf(const json_t *chain)
{
	const char *type;
	size_t i;

	for (i = 0; i < json_array_size(chain); i++) {
		type = json_string_value(json_object_get(json_array_get(chain, i), "cert_type"));
		if (type && (!strcmp(type, "VCEK") || !strcmp(type, "VLEK")))
			return true;
	}
	return false;
}

int ccdm_snp_json_add(json_t *evidence, const struct ccdm_certs *certs, struct ccdm_err *err)
{
	json_t *chain = json_object_get(evidence, "cert_chain");
	const struct ccdm_cert *cert;
	const char *type = NULL;
	uint8_t *der;
	unsigned int i;
	size_t size;
	int r;

	if (ccdm_snp_has_leaf(chain))
		return 0;
	for (i = 0; (cert = ccdm_certs_at(certs, i)); i++) {
		type = ccdm_snp_leaf_type(cert);
		if (type)
			break;
	}
	if (!type)
		return ccdm_err_set(err, -EINVAL, "found no VCEK or VLEK among the certificates");
	r = ccdm_cert_der(cert, &der, &size);
	chain = json_is_array(chain) ? json_incref(chain) : json_array();
	if (!r && (json_array_append_new(chain, json_pack("{s:s, s:o}", "cert_type", type, "data",
							  ccdm_snp_octets(der, size))) ||
		   json_object_set(evidence, "cert_chain", chain)))
		r = -ENOMEM;
	json_decref(chain);
	free(der);
	return r ? ccdm_err_memory(err) : 0;
}
