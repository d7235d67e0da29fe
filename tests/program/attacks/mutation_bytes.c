// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* mutation_bytes.c - the bytes of a target: read from evidence or a file, and written back */
#include <string.h>
#include "base/bytes.h"
#include "base/json.h"
#include "evidence/snp_json.h"
#include "mutations.h"
#include "pki.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

size_t pem_der(const char *text, size_t size, unsigned int n, uint8_t der[DER_SIZE], size_t *at,
	       size_t *length)
{
	const char *p = text, *end;
	uint8_t *bytes = NULL;
	char *name, *header;
	long got;
	BIO *bio;

	for (;; n--) {
		p = memmem(p, size - (p - text), BEGIN, strlen(BEGIN));
		pki_must(!!p);
		if (!n)
			break;
		p++;
	}
	end = memmem(p, size - (p - text), END, strlen(END));
	pki_must(!!end);
	*at = p - text;
	*length = end + strlen(END) - p;
	bio = BIO_new_mem_buf(p, *length);
	pki_must(PEM_read_bio(bio, &name, &header, &bytes, &got));
	pki_must(got <= DER_SIZE);
	memcpy(der, bytes, got);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(bytes);
	BIO_free(bio);
	return got;
}

/* lines of 64 characters, without a newline after the last */
void pem_put(char *text, size_t at, size_t length, const uint8_t *der, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *made;

	pki_must(PEM_write_bio(bio, "CERTIFICATE", "", der, size));
	pki_must((size_t)BIO_get_mem_data(bio, &made) >= length);
	memcpy(text + at, made, length);
	BIO_free(bio);
}

/* Find the object that contains the member of this path; @last receives the member's own name. */
static json_t *member_of(json_t *o, const char *path, char last[64])
{
	const char *dot = strchr(path, '.');

	if (dot) {
		snprintf(last, 64, "%.*s", (int)(dot - path), path);
		o = json_object_get(o, last);
		path = dot + 1;
	}
	snprintf(last, 64, "%s", path);
	return o;
}

uint8_t *target_decode(const struct target *t, json_t *doc, size_t *size)
{
	char last[64];
	json_t *in = t->as == SNP ? doc : member_of(doc, t->member, last);
	const json_t *value = t->as == SNP ? NULL : json_object_get(in, last);
	struct ccdm_certs *certs;
	const struct ccdm_cert *leaf;
	struct ccdm_err err;
	uint8_t *bytes = NULL;
	size_t i, at, length;
	int r = 0;

	switch (t->as) {
	case B64:
		r = ccdm_json_base64(value, "", 1 << 20, &bytes, size, &err);
		break;
	case B64URL:
		r = ccdm_json_base64url(value, "", 1 << 20, &bytes, size, &err);
		break;
	case HEX:
		r = ccdm_json_hex(value, "", 1 << 20, &bytes, size, &err);
		break;
	case NUMBERS:
		r = ccdm_json_numbers(value, "", 1 << 20, &bytes, size, &err);
		break;
	case TEXT:
		*size = json_string_length(value);
		bytes = malloc(*size + 1);
		memcpy(bytes, json_string_value(value), *size + 1);
		break;
	case PCRS:
		*size = 32 * json_array_size(value);
		bytes = malloc(*size);
		for (i = 0; !r && i < json_array_size(value); i++)
			r = ccdm_unhex(json_string_value(json_array_get(value, i)), bytes + 32 * i,
				       32);
		break;
	case PEM:
		bytes = malloc(DER_SIZE);
		*size = pem_der(json_string_value(value), json_string_length(value), t->pem, bytes,
				&at, &length);
		break;
	default:
		certs = ccdm_certs_new();
		*size = CCDM_SNP_REPORT_SIZE;
		bytes = malloc(*size);
		r = ccdm_snp_json_parse(doc, bytes, certs, &leaf, &err);
		ccdm_certs_free(certs);
	}
	pki_must(!r && bytes);
	return bytes;
}

bool target_encode(const struct target *t, json_t *doc, const uint8_t *bytes, size_t size)
{
	char last[64], hex[65], *text;
	json_t *in = t->as == SNP ? doc : member_of(doc, t->member, last), *value = NULL, *made;
	struct ccdm_err err;
	uint8_t der[DER_SIZE];
	size_t i, at, length;

	switch (t->as) {
	case B64:
		value = ccdm_json_make(bytes, size);
		break;
	case B64URL:
		value = ccdm_json_make_url(bytes, size);
		break;
	case HEX:
		value = ccdm_json_make_hex(bytes, size);
		break;
	case NUMBERS:
		value = json_array();
		for (i = 0; i < size; i++)
			json_array_append_new(value, json_integer(bytes[i]));
		break;
	case TEXT:
		value = json_stringn((const char *)bytes, size);
		break;
	case PCRS:
		value = json_array();
		for (i = 0; i < size; i += 32) {
			ccdm_hex(bytes + i, 32, hex);
			json_array_append_new(value, json_string(hex));
		}
		break;
	case PEM:
		text = strdup(json_string_value(json_object_get(in, last)));
		pem_der(text, strlen(text), t->pem, der, &at, &length);
		pem_put(text, at, length, bytes, size);
		value = json_string(text);
		free(text);
		break;
	default:
		if (ccdm_snp_json_make(bytes, NULL, 0, &made, &err))
			return false;
		json_object_set(doc, "attestation_report",
				json_object_get(made, "attestation_report"));
		json_decref(made);
		return true;
	}
	return value && !json_object_set_new(in, last, value);
}
