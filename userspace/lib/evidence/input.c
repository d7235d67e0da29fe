// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* input.c - see input.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/compiler.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/json.h"
#include "input.h"
#include "snp_json.h"

int ccdm_input_certs(struct ccdm_certs *certs, const char *file, const struct ccdm_cert **first,
		     struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r;

	if (!file)
		return 0;
	r = ccdm_file_read(file, CCDM_CERT_MAX, &text, &size, err);
	if (r)
		return r;
	r = ccdm_certs_add(certs, file, text, size, first, err);
	free(text);
	if (!r && first && !*first)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a certificate, found none", file);
	return r;
}

/* Decode hex or base64 text; leave anything else unchanged. */
static int ccdm_input_text(char **bytes, size_t *size)
{
	char *text = malloc(*size + 1);
	uint8_t *raw = NULL;
	size_t i, n = 0;
	int r;

	if (!text)
		return -ENOMEM;
	for (i = 0; i < *size; i++)
		if (!strchr(" \t\r\n", (*bytes)[i]) || !(*bytes)[i])
			text[n++] = (*bytes)[i];
	text[n] = '\0';
	/* a zero byte would end the string, and text contains none */
	r = n && strlen(text) == n ? 0 : -EINVAL;
	if (!r && strspn(text, "0123456789abcdefABCDEF") == n) {
		n /= 2;
		raw = malloc(n + 1);
		r = raw ? ccdm_unhex(text, raw, n) : -ENOMEM;
	} else if (!r) {
		r = ccdm_base64_decode(text, strpbrk(text, "-_"), n, &raw, &n);
	}
	free(text);
	if (r) {
		free(raw);
		return r == -ENOMEM ? r : 0;
	}
	free(*bytes);
	*bytes = (char *)raw;
	*size = n;
	return 0;
}

/* Unpack gzip data once. @unpacked: whether that has already happened. */
static int ccdm_input_unpack(const char *file, size_t max, char **bytes, size_t *size,
			     bool *unpacked, struct ccdm_err *err)
{
	char *plain;
	size_t n;
	int r;

	if (!ccdm_gzip_is(*bytes, *size))
		return 0;
	if (*unpacked)
		return ccdm_err_set(err, -EINVAL,
				    "%s: found gzip data inside gzip data; unpack it once", file);
	r = ccdm_gzip_unpack(file, *bytes, *size, max, &plain, &n, err);
	if (r)
		return r;
	free(*bytes);
	*bytes = plain;
	*size = n;
	*unpacked = true;
	return 0;
}

int ccdm_input_file(const char *file, size_t max, bool text, char **bytes, size_t *size,
		    struct ccdm_err *err)
{
	bool unpacked = false;
	int r = ccdm_file_read(file, max, bytes, size, err);

	if (!r)
		r = ccdm_input_unpack(file, max, bytes, size, &unpacked, err);
	if (!r && text && ccdm_input_text(bytes, size))
		r = ccdm_err_memory(err);
	/* The decoded text may be gzip data. Gzip data inside gzip data is an error. */
	if (!r)
		r = ccdm_input_unpack(file, max, bytes, size, &unpacked, err);
	if (r) {
		free(*bytes);
		*bytes = NULL;
	}
	return r;
}

int ccdm_input_json(const char *file, const char *bytes, size_t size, json_t **json,
		    struct ccdm_err *err)
{
	json_error_t where;
	size_t i = 0;

	*json = NULL;
	while (i < size && bytes[i] && strchr(" \t\r\n", bytes[i]))
		i++;
	if (i == size || bytes[i] != '{')
		return 0;
	*json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &where);
	return *json ? 0
		     : ccdm_err_set(err, -EINVAL, "%s: line %d: %s", file, where.line, where.text);
}

/* Names of TEEs in the KBS protocol, and of platforms in other tools. */
static const struct {
	const char *name;
	const char *kind;
} ccdm_input_platforms[] = {
	{ "snp", "snp" },	  { "sev-snp", "snp" },	      { "tdx", "tdx" },
	{ "tpm", "tpm" },	  { "azure", "azure" },	      { "az-snp-vtpm", "azure" },
	{ "azsnpvtpm", "azure" }, { "az-tdx-vtpm", "azure" }, { "aztdxvtpm", "azure" },
};

int ccdm_input_unwrap(const char *kind, json_t **json, const char **found, struct ccdm_err *err)
{
	json_t *evidence = json_object_get(*json, "evidence"), *name;
	size_t i;

	*found = NULL;
	/* for a capture, only "tee" counts */
	name = ccdm_capture_is(*json) ? NULL : json_object_get(*json, "platform");
	if (!name)
		name = json_object_get(*json, "tee");
	if (!json_is_string(name) || (!json_is_object(evidence) && !ccdm_capture_is(*json)))
		return 0;
	for (i = 0; i < ARRAY_SIZE(ccdm_input_platforms); i++)
		if (!strcasecmp(json_string_value(name), ccdm_input_platforms[i].name))
			*found = ccdm_input_platforms[i].kind;
	if (!*found || (kind && strcmp(*found, kind)))
		return ccdm_err_set(
			err, -EINVAL, "expected evidence of %s, found evidence of \"%s\"",
			kind ? kind : "snp, tdx, tpm or azure", json_string_value(name));
	if (ccdm_capture_is(*json))
		return 0;
	json_incref(evidence);
	json_decref(*json);
	*json = evidence;
	return 0;
}

int ccdm_input_table(const char *bytes, size_t size, json_t **json, struct ccdm_err *err)
{
	const uint8_t *raw = (const uint8_t *)bytes;

	*json = NULL;
	if (size <= CCDM_SNP_REPORT_SIZE)
		return 0;
	return ccdm_snp_json_make(raw, raw + CCDM_SNP_REPORT_SIZE, size - CCDM_SNP_REPORT_SIZE,
				  json, err);
}

int ccdm_input_quote(const char *bytes, size_t size, json_t **json, struct ccdm_err *err)
{
	*json = json_pack("{s:o}", "quote", ccdm_json_make((const uint8_t *)bytes, size));
	return *json ? 0 : ccdm_err_set(err, -ENOMEM, "out of memory");
}
