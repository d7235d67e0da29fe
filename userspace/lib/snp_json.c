// SPDX-License-Identifier: Apache-2.0
/* snp_json.c - see snp_json.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "member.h"
#include "snp_json.h"

/* What is being built, and the first error. */
struct ccdm_snp_out {
	uint8_t *raw;
	struct ccdm_err *err;
	int error;
};

/* A number of @bytes bytes at @at. @none: null and absence are zero. */
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
		out->error = ccdm_err_set(out->err, -EINVAL, "%s is no whole number", key);
		return 0;
	}
	if ((bytes < 8 && n >> 8 * bytes) || json_integer_value(value) < 0) {
		out->error = ccdm_err_set(out->err, -EINVAL, "%s does not fit into %u bytes", key,
					  bytes);
		return 0;
	}
	for (i = 0; i < bytes; i++)
		out->raw[at + i] = n >> 8 * i;
	return n;
}

/* An array of @size bytes into @to. */
static void ccdm_snp_array(struct ccdm_snp_out *out, const json_t *value, const char *key,
			   uint8_t *to, size_t size)
{
	if (!out->error)
		out->error = ccdm_member_octets(value, key, to, size, out->err);
}

static const json_t *ccdm_snp_object(struct ccdm_snp_out *out, const json_t *object,
				     const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!out->error && !json_is_object(value))
		out->error = ccdm_err_set(out->err, -EINVAL, "%s is no object", key);
	return value;
}

/* The order of the bytes depends on the processors; "fmc" is there since Turin. */
static void ccdm_snp_tcb_at(struct ccdm_snp_out *out, const json_t *report, const char *key,
			    unsigned int at)
{
	const json_t *tcb = ccdm_snp_object(out, report, key);
	const json_t *fmc = json_object_get(tcb, "fmc");
	bool turin = fmc && !json_is_null(fmc);

	ccdm_snp_number(out, tcb, "bootloader", at + turin, 1, false);
	ccdm_snp_number(out, tcb, "tee", at + 1 + turin, 1, false);
	ccdm_snp_number(out, tcb, "snp", at + (turin ? 3 : 6), 1, false);
	ccdm_snp_number(out, tcb, "microcode", at + 7, 1, false);
	if (turin)
		ccdm_snp_number(out, tcb, "fmc", at, 1, false);
}

static void ccdm_snp_firmware(struct ccdm_snp_out *out, const json_t *report, const char *key,
			      unsigned int at)
{
	const json_t *version = ccdm_snp_object(out, report, key);

	ccdm_snp_number(out, version, "build", at, 1, false);
	ccdm_snp_number(out, version, "minor", at + 1, 1, false);
	ccdm_snp_number(out, version, "major", at + 2, 1, false);
}

static void ccdm_snp_report(struct ccdm_snp_out *out, const json_t *o)
{
	static const struct {
		const char *key;
		unsigned int at, size;
	} arrays[] = {
		{ "family_id", 0x10, 16 },	    { "image_id", 0x20, 16 },
		{ "report_data", 0x50, 64 },	    { "measurement", 0x90, 48 },
		{ "host_data", 0xc0, 32 },	    { "id_key_digest", 0xe0, 48 },
		{ "author_key_digest", 0x110, 48 }, { "report_id", 0x140, 32 },
		{ "report_id_ma", 0x160, 32 },	    { "chip_id", 0x1a0, 64 },
	};
	const json_t *signature;
	size_t i;

	ccdm_snp_number(out, o, "version", 0x00, 4, false);
	ccdm_snp_number(out, o, "guest_svn", 0x04, 4, false);
	ccdm_snp_number(out, o, "policy", 0x08, 8, false);
	ccdm_snp_number(out, o, "vmpl", 0x30, 4, false);
	ccdm_snp_number(out, o, "sig_algo", 0x34, 4, false);
	ccdm_snp_number(out, o, "plat_info", 0x40, 8, false);
	ccdm_snp_number(out, o, "key_info", 0x48, 4, false);
	for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		ccdm_snp_array(out, json_object_get(o, arrays[i].key), arrays[i].key,
			       out->raw + arrays[i].at, arrays[i].size);
	ccdm_snp_tcb_at(out, o, "current_tcb", 0x38);
	ccdm_snp_tcb_at(out, o, "reported_tcb", 0x180);
	ccdm_snp_number(out, o, "cpuid_fam_id", 0x188, 1, true);
	ccdm_snp_number(out, o, "cpuid_mod_id", 0x189, 1, true);
	ccdm_snp_number(out, o, "cpuid_step", 0x18a, 1, true);
	ccdm_snp_tcb_at(out, o, "committed_tcb", 0x1e0);
	ccdm_snp_firmware(out, o, "current", 0x1e8);
	ccdm_snp_firmware(out, o, "committed", 0x1ec);
	ccdm_snp_tcb_at(out, o, "launch_tcb", 0x1f0);
	ccdm_snp_number(out, o, "launch_mit_vector", 0x1f8, 8, true);
	ccdm_snp_number(out, o, "current_mit_vector", 0x200, 8, true);
	signature = ccdm_snp_object(out, o, "signature");
	ccdm_snp_array(out, json_object_get(signature, "r"), "signature.r", out->raw + 0x2a0, 72);
	ccdm_snp_array(out, json_object_get(signature, "s"), "signature.s", out->raw + 0x2e8, 72);
}

static int ccdm_snp_cert(const json_t *entry, struct ccdm_certs *certs,
			 const struct ccdm_cert **leaf, struct ccdm_err *err)
{
	const json_t *type = json_object_get(entry, "cert_type");
	const char *kind = json_string_value(type);
	const struct ccdm_cert *cert;
	uint8_t *der;
	size_t size;
	int r;

	/* {"OTHER": uuid} and "Empty" are nobody's certificate */
	if (json_is_object(type) || (kind && !strcmp(kind, "Empty")))
		return 0;
	if (!kind)
		return ccdm_err_set(err, -EINVAL, "cert_chain: cert_type is no word");
	r = ccdm_member_numbers(json_object_get(entry, "data"), "cert_chain: data", CCDM_CERT_MAX,
				&der, &size, err);
	if (r)
		return r;
	r = ccdm_certs_add(certs, kind, der, size, &cert, err);
	free(der);
	if (!r && (!strcmp(kind, "VCEK") || !strcmp(kind, "VLEK"))) {
		if (*leaf || !cert)
			return ccdm_err_set(err, -EINVAL, "cert_chain: %s",
					    cert ? "more than one VCEK or VLEK"
						 : "a list in place of a certificate");
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
		return ccdm_err_set(err, -EINVAL, "cert_chain is no array");
	for (i = 0; !r && i < json_array_size(chain); i++)
		r = ccdm_snp_cert(json_array_get(chain, i), certs, leaf, err);
	return r;
}
