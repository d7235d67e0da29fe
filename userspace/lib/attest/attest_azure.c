// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* attest_azure.c - see attest_azure.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "attest_azure.h"
#include "attest_log.h"
#include "attest_tpm.h"
#include "evidence/azure.h"
#include "base/clock.h"
#include "net/http.h"
#include "base/json.h"
#include "tpm/tpm_ak.h"
#include "tpm/tpm_nv.h"

#define HCL_INDEX     0x01400001
#define DATA_INDEX    0x01400002
#define AK_HANDLE     0x81000003
#define DATA_SIZE     64
#define TDREPORT_SIZE 1024
#define REPORT_AT     32    /* offset in the HCL report */
#define PATIENCE      10000 /* ms to wait until the report has the new user data */
#define METADATA_MAX  (1 << 20)

/* ---- the vTPM ------------------------------------------------------------------------ */

static int ccdm_az_read(struct ccdm_tpm *tpm, struct ccdm_azure *az, struct ccdm_err *err)
{
	int r;

	memset(az, 0, sizeof(*az));
	az->hcl = malloc(CCDM_HCL_MAX);
	r = az->hcl ? ccdm_tpm_nv_read(tpm, HCL_INDEX, az->hcl, CCDM_HCL_MAX, &az->hcl_size, err)
		    : ccdm_err_memory(err);
	if (!r)
		r = ccdm_azure_hcl(az, err);
	if (r)
		ccdm_azure_drop(az);
	return r;
}

static bool ccdm_az_exists(const struct ccdm_attester *attester)
{
	struct ccdm_tpm *tpm = NULL;
	struct ccdm_err ignored;
	struct ccdm_azure az;
	bool is = false;

	if (access(CCDM_TPM_DEVICE, R_OK | W_OK) || ccdm_tpm_open(CCDM_TPM_DEVICE, &tpm, &ignored))
		return false;
	if (!ccdm_az_read(tpm, &az, &ignored)) {
		is = az.is_tdx == !!attester->arg;
		ccdm_azure_drop(&az);
	}
	ccdm_tpm_close(tpm);
	return is;
}

/*
 * Read a report that holds the user data. The paravisor gives no signal when a new report is
 * complete, so poll for it. On a VM without a user data index, only the vTPM's quote binds the
 * data.
 */
static int ccdm_az_report(struct ccdm_tpm *tpm, const struct ccdm_ask *ask, struct ccdm_azure *az,
			  bool *bound, struct ccdm_err *err)
{
	const struct timespec pause = { 0, 100000000 };
	uint8_t data[DATA_SIZE] = { 0 };
	int64_t end = ccdm_clock_ms() + PATIENCE;
	struct ccdm_err ignored;
	bool takes;
	int r;

	memcpy(data, ask->data, ask->size < DATA_SIZE ? ask->size : DATA_SIZE);
	*bound = false;
	takes = !ccdm_tpm_nv_write(tpm, DATA_INDEX, data, sizeof(data), &ignored);
	for (;;) {
		/* A report that is read during an update may be a mixture of two, or invalid. */
		r = ccdm_az_read(tpm, az, err);
		*bound = !r && takes && ccdm_azure_whole(az) &&
			 ccdm_azure_bound(az, ask->data, ask->size);
		if (*bound || !takes || (r && r != -EINVAL) || ccdm_clock_ms() >= end)
			return r;
		ccdm_azure_drop(az);
		nanosleep(&pause, NULL);
	}
}

/* ---- the platform's metadata service -------------------------------------------------- */

/* The guest does not trust the answers; the broker verifies what they contain. */
static int ccdm_az_metadata(const char *path, const char *post, json_t **answer,
			    struct ccdm_err *err)
{
	const struct ccdm_http_conf conf = {
		.url = CCDM_HTTP_METADATA, .timeout = 10, .max = METADATA_MAX, .metadata = true
	};
	struct ccdm_http_answer a = { 0 };
	struct ccdm_http *http = NULL;
	int r = ccdm_http_open(&conf, &http, err);

	*answer = NULL;
	if (!r)
		r = ccdm_http_ask(http, path, post, NULL, &a, err);
	if (!r) {
		*answer = json_loadb(a.body ? a.body : "", a.size, JSON_REJECT_DUPLICATES, NULL);
		if (a.status != 200 || !json_is_object(*answer)) {
			json_decref(*answer);
			*answer = NULL;
			r = ccdm_err_set(
				err, -EIO,
				"%s%s: expected status 200 and a JSON object, found status %ld",
				CCDM_HTTP_METADATA, path, a.status);
		}
	}
	ccdm_http_drop(&a);
	ccdm_http_close(http);
	return r;
}

static int ccdm_az_vcek_member(const struct ccdm_certs *certs, json_t *o, struct ccdm_err *err)
{
	const struct ccdm_cert *cert = ccdm_certs_at(certs, 0);
	uint8_t *der;
	size_t size;
	int r;

	if (!cert)
		return ccdm_err_set(
			err, -EINVAL,
			"the processor's certificate: expected a certificate, found none");
	r = ccdm_cert_der(cert, &der, &size);
	if (!r && json_object_set_new(o, "vcek", ccdm_json_make_url(der, size)))
		r = -ENOMEM;
	free(der);
	return r ? ccdm_err_memory(err) : 0;
}

static int ccdm_az_vcek(const struct ccdm_ask *ask, json_t *o, struct ccdm_err *err)
{
	struct ccdm_certs *certs;
	const char *pem;
	json_t *said;
	int r;

	if (ask->certs)
		return ccdm_az_vcek_member(ask->certs, o, err);
	r = ccdm_az_metadata("/metadata/THIM/amd/certification", NULL, &said, err);
	if (r)
		return r;
	pem = json_string_value(json_object_get(said, "vcekCert"));
	certs = ccdm_certs_new();
	r = certs ? ccdm_certs_add(certs, "vcekCert", pem ? pem : "", pem ? strlen(pem) : 0, NULL,
				   err)
		  : ccdm_err_memory(err);
	if (!r)
		r = ccdm_az_vcek_member(certs, o, err);
	ccdm_certs_free(certs);
	json_decref(said);
	return r;
}

/* The TDREPORT can be verified only on the same machine; the platform turns it into a quote. */
static int ccdm_az_quote(const struct ccdm_azure *az, json_t *o, struct ccdm_err *err)
{
	json_t *ask, *said = NULL, *quote;
	char *text;
	int r;

	ask = json_pack("{s:o}", "report", ccdm_json_make_url(az->hcl + REPORT_AT, TDREPORT_SIZE));
	text = ask ? ccdm_json_dump(ask, JSON_COMPACT) : NULL;
	json_decref(ask);
	if (!text)
		return ccdm_err_memory(err);
	r = ccdm_az_metadata("/acc/tdquote", text, &said, err);
	free(text);
	if (r)
		return r;
	quote = json_object_get(said, "quote");
	if (!json_is_string(quote) || json_object_set(o, "td_quote", quote))
		r = ccdm_err_set(err, -EIO,
				 CCDM_HTTP_METADATA "/acc/tdquote: quote: expected a string");
	json_decref(said);
	return r;
}

/* ---- evidence ---------------------------------------------------------------------------- */

struct ccdm_az_signing {
	struct ccdm_tpm *tpm;
	const struct ccdm_ask *ask;
	struct ccdm_tpm_signed out;
};

static int ccdm_az_sign(void *arg, struct ccdm_err *err)
{
	struct ccdm_az_signing *s = arg;

	return ccdm_tpm_quote(s->tpm, AK_HANDLE, s->ask->data, s->ask->size, &s->out, err);
}

/* Add "tpm_quote". Its signature has only the bytes, without the header of TPMT_SIGNATURE. */
static int ccdm_az_signed(const struct ccdm_tpm_signed *out, json_t *o, struct ccdm_err *err)
{
	struct ccdm_signature signature;
	int r = ccdm_tpm_signature_parse(out->signature, out->signature_size, &signature, err);

	if (r)
		return r;
	if (signature.scheme != CCDM_RSASSA || out->bank != CCDM_ALG_SHA256)
		return ccdm_err_set(err, -EIO,
				    "the paravisor's key does not sign by RSASSA, or the vTPM has "
				    "no SHA-256");
	return json_object_set_new(o, "tpm_quote",
				   json_pack("{s:o, s:o, s:o}", "signature",
					     ccdm_json_make_hex(signature.bytes, signature.size),
					     "message",
					     ccdm_json_make_hex(out->message, out->message_size),
					     "pcrs", ccdm_tpm_signed_pcrs(out)))
		       ? ccdm_err_memory(err)
		       : 0;
}

static int ccdm_az_make(struct ccdm_az_signing *s, const struct ccdm_azure *az, bool bound,
			json_t *o, struct ccdm_err *err)
{
	const struct ccdm_attest_logs logs = { "firmware_log", CCDM_BIOS_LOG, ccdm_az_sign, s };
	int version = az->is_tdx || !bound ? 1 : 2;
	int r = az->is_tdx ? ccdm_az_quote(az, o, err) : ccdm_az_vcek(s->ask, o, err);

	if (!r)
		r = ccdm_attest_steady(&logs, o, err);
	if (!r)
		r = ccdm_az_signed(&s->out, o, err);
	if (!r && (json_object_set_new(o, "version", json_integer(version)) ||
		   json_object_set_new(o, "hcl_report", ccdm_json_make_url(az->hcl, az->hcl_size))))
		r = ccdm_err_memory(err);
	return r;
}

static int ccdm_az_collect(const struct ccdm_attester *attester, const struct ccdm_ask *ask,
			   json_t **evidence, struct ccdm_err *err)
{
	struct ccdm_az_signing *s = calloc(1, sizeof(*s));
	struct ccdm_azure az = { 0 };
	json_t *o = json_object();
	bool bound;
	int r = s && o ? ccdm_tpm_open(CCDM_TPM_DEVICE, &s->tpm, err) : ccdm_err_memory(err);

	(void)attester;
	if (!r) {
		s->ask = ask;
		r = ccdm_az_report(s->tpm, ask, &az, &bound, err);
	}
	if (!r)
		r = ccdm_az_make(s, &az, bound, o, err);
	ccdm_azure_drop(&az);
	if (s)
		ccdm_tpm_close(s->tpm);
	free(s);
	if (r) {
		json_decref(o);
		o = NULL;
	}
	*evidence = o;
	return r;
}

const struct ccdm_attester ccdm_attest_azure_snp = {
	.tee = "az-snp-vtpm",
	.what = "AMD SEV-SNP under Azure's paravisor (vTPM)",
	.exists = ccdm_az_exists,
	.collect = ccdm_az_collect,
};

const struct ccdm_attester ccdm_attest_azure_tdx = {
	.tee = "az-tdx-vtpm",
	.what = "Intel TDX under Azure's paravisor (vTPM)",
	.exists = ccdm_az_exists,
	.collect = ccdm_az_collect,
	.arg = "tdx",
};
