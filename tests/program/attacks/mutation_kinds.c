// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* mutation_kinds.c - each kind of evidence, forged or real, and its targets */
#include <stdio.h>
#include <sys/stat.h>
#include "forge.h"
#include "mutations.h"

#define AT 1750000000 /* 2025-06-15 */

struct kind kinds[KINDS];
unsigned int nr_kinds;
static const char *top; /* folder that contains the trust directories */

/* ---- targets ---------------------------------------------------------------------------- */

static struct kind *kind_new(const char *name, const char *tee, int64_t at, bool bound)
{
	struct kind *k = &kinds[nr_kinds++];
	unsigned int i;

	pki_must(nr_kinds <= KINDS);
	k->name = name;
	k->tee = tee;
	k->at = at;
	k->is_bound = bound;
	for (i = 0; i < 48; i++)
		k->bound[i] = 0x80 + i;
	snprintf(k->dir, sizeof(k->dir), "%s/%u", top, nr_kinds);
	mkdir(k->dir, 0700);
	return k;
}

static void target(struct kind *k, struct target t)
{
	pki_must(k->nr < TARGETS);
	k->target[k->nr++] = t;
}

/* Targets in a report that begins at byte @base. */
static void targets_snp(struct kind *k, enum encoding as, const char *member, size_t base)
{
	target(k, (struct target){ "the report", as, NULL, member, base, base + 0x2a0, 0, 0 });
	target(k, (struct target){ "the guest's policy", as, NULL, member, base + 8, base + 16, 0,
				   0 });
	target(k, (struct target){ "the measurement", as, NULL, member, base + 0x90, base + 0xc0, 0,
				   0 });
	target(k, (struct target){ "the report's signature, r", as, NULL, member, base + 0x2a0,
				   base + 0x2e8, 0, 0 });
	target(k, (struct target){ "the report's signature, s", as, NULL, member, base + 0x2e8,
				   base + 0x330, 0, 0 });
}

static void targets_snp_trust(struct kind *k)
{
	file_cert(k->dir, "roots/ark.pem", forge_ark);
	file_cert(k->dir, "certs/ask.der", forge_ask);
	file_crl(k->dir, "certs/ark.crl", forge_ark, ark_key);
	target(k, (struct target){ .name = "the ASK", .as = RAW, .file = "certs/ask.der" });
	target(k, (struct target){ .name = "the ARK's list", .as = RAW, .file = "certs/ark.crl" });
}

/* @body: the body's size, 584 or 648; the header of version 5 is 6 bytes longer. */
static void targets_quote(struct kind *k, enum encoding as, const char *member, size_t header,
			  size_t body)
{
	size_t data = header + body + 4, qe = data + 128 + 6, auth = qe + 448 + 2;

	target(k, (struct target){ "the quote's header", as, NULL, member, 0, header, 0, 0 });
	target(k, (struct target){ "the quote's body", as, NULL, member, header, header + body, 0,
				   0 });
	target(k, (struct target){ "RTMRs", as, NULL, member, header + 328, header + 520, 0, 0 });
	target(k,
	       (struct target){ "the quote's signature", as, NULL, member, data, data + 64, 0, 0 });
	target(k, (struct target){ "the attestation key", as, NULL, member, data + 64, data + 128,
				   0, 0 });
	target(k, (struct target){ "QE report", as, NULL, member, qe, qe + 384, 0, 0 });
	target(k, (struct target){ "QE report's signature", as, NULL, member, qe + 384, qe + 448, 0,
				   0 });
	/* hashed together with the key; the quote contains its length */
	target(k, (struct target){ "QE authentication data", as, NULL, member, auth,
				   auth + (k->is_bound ? 2 : 32), 0, 0 });
	target(k, (struct target){ "the PCK certificate", as, NULL, member, auth, 0, true, 0 });
	target(k, (struct target){ "the PCK's CA", as, NULL, member, auth, 0, true, 1 });
}

static void targets_collateral(struct kind *k, const char *file)
{
	target(k, (struct target){ "TCB info", TEXT, file, "tcb_info", 0, 0, 0, 0 });
	target(k, (struct target){ "TCB info's signature", HEX, file, "tcb_info_signature", 0, 0, 0,
				   0 });
	target(k, (struct target){ "QE identity", TEXT, file, "qe_identity", 0, 0, 0, 0 });
	target(k, (struct target){ "QE identity's signature", HEX, file, "qe_identity_signature", 0,
				   0, 0, 0 });
	target(k, (struct target){ "the root's list", HEX, file, "root_ca_crl", 0, 0, 0, 0 });
	target(k, (struct target){ "the PCK's CA's list", HEX, file, "pck_crl", 0, 0, 0, 0 });
	target(k, (struct target){ "TCB info's signer", PEM, file, "tcb_info_issuer_chain", 0, 0, 0,
				   0 });
}

static void targets_tdx_trust(struct kind *k)
{
	static const char file[] = "collateral/0a0b0c0d0e0f.json";
	struct ccdm_collateral c = { 0 };
	json_t *bundle;

	tdx_tcb(&forge_collateral, &c);
	tdx_qe(&forge_collateral, &c);
	bundle = tdx_bundle(&forge_tdx, &c);
	/* the quote contains this CA */
	json_object_del(bundle, "pck_crl_issuer_chain");
	file_json(k->dir, file, bundle);
	json_decref(bundle);
	ccdm_collateral_drop(&c);
	file_cert(k->dir, "roots/intel.pem", forge_tdx.root);
	targets_collateral(k, file);
	target(k, (struct target){ "QE identity's signer", PEM, file, "qe_identity_issuer_chain", 0,
				   0, 0, 0 });
}

static void targets_tpm(struct kind *k, enum encoding as)
{
	target(k,
	       (struct target){ "the TPM's message", as, NULL, "tpm_quote.message", 0, 0, 0, 0 });
	target(k, (struct target){ "the TPM's signature", as, NULL, "tpm_quote.signature", 0, 0, 0,
				   0 });
	target(k, (struct target){ "registers", PCRS, NULL, "tpm_quote.pcrs", 0, 0, 0, 0 });
}

/* ---- forged evidence ---------------------------------------------------------------------- */

/* Add registers of a TPM to the evidence @o. */
static json_t *registers(json_t *o)
{
	json_t *pcrs = json_array();
	uint8_t value[32];
	char hex[65];
	unsigned int i;

	for (i = 0; i < CCDM_TPM_PCRS; i++) {
		memset(value, 0x40 + i, 32);
		ccdm_hex(value, 32, hex);
		json_array_append_new(pcrs, json_string(hex));
	}
	json_object_set_new(o, "pcr", pcrs);
	return o;
}

static void evidence_of(struct kind *k, json_t *is)
{
	k->evidence = forge_evidence(k->tee, is, k->bound);
	json_decref(is);
}

static void kinds_snp(void)
{
	struct kind *k = kind_new("SNP", "snp", AT, true);
	uint8_t raw[CCDM_SNP_REPORT_SIZE], data[64] = { 0 };
	char name[200], hex[129];
	X509 *vcek;

	evidence_of(k, json_pack("{s:i}", "vmpl", 0));
	json_object_del(k->evidence, "cert_chain");
	json_object_set_new(k->evidence, "cert_chain", json_array());
	targets_snp(k, SNP, "", 0);
	targets_snp_trust(k);
	forge_report(NULL, data, raw);
	vcek = forge_vcek(raw);
	ccdm_hex(raw + 0x1a0, 64, hex);
	snprintf(name, sizeof(name), "vcek/%s.der", hex);
	file_cert(k->dir, name, vcek);
	X509_free(vcek);
	target(k, (struct target){ .name = "the VCEK", .as = RAW, .file = strdup(name) });
}

static void kind_tdx(const char *name, unsigned int version, unsigned int type)
{
	struct kind *k = kind_new(name, "tdx", AT, true);

	evidence_of(k, json_pack("{s:i, s:i}", "version", version, "body_type", type));
	targets_quote(k, B64, "quote", version == 5 ? 54 : 48,
		      version == 5 && type == 3 ? 648 : 584);
	targets_tdx_trust(k);
}

static void kinds_tpm(void)
{
	static const uint8_t usage[] = { 0x30, 7, 6, 5, 0x67, 0x81, 5, 8, 3 },
			     sign[] = { 3, 2, 7, 0x80 };
	const struct pki_ext ext[] = { { "2.5.29.37", usage, sizeof(usage) },
				       { "2.5.29.15", sign, sizeof(sign) },
				       { 0 } };
	struct kind *k = kind_new("TPM, a known key", "tpm", AT, true);
	EVP_PKEY *ca_key = pki_key("P-384");
	struct ccdm_digest d;
	struct pki_pem pem;
	char name[300], hex[65];
	uint8_t *der = NULL;
	X509 *ca, *leaf;
	int n;

	evidence_of(k, registers(json_object()));
	n = i2d_PUBKEY(forge_ak[0], &der);
	pki_must(!ccdm_digest_of(CCDM_ALG_SHA256, der, n, NULL, 0, &d));
	ccdm_hex(d.bytes, 32, hex);
	snprintf(name, sizeof(name), "tpm-keys/%s.der", hex);
	file_put(k->dir, name, der, n);
	OPENSSL_free(der);
	targets_tpm(k, B64);
	target(k, (struct target){ "the AK", B64, NULL, "ak_public", 0, 0, 0, 0 });

	k = kind_new("TPM, a provider's certificate", "tpm", AT, true);
	evidence_of(k, registers(json_pack("{s:i}", "ak", 1)));
	ca = pki_cert(
		&(struct pki_want){ .cn = "Provider", .key = ca_key, .serial = 1, .ca = true });
	leaf = pki_cert(&(struct pki_want){ .cn = "AK",
					    .key = forge_ak[1],
					    .issuer = ca,
					    .issuer_key = ca_key,
					    .serial = 2,
					    .ext = ext });
	pem = pki_pem(leaf, NULL);
	json_object_set_new(k->evidence, "ak_cert", json_stringn(pem.text, pem.size));
	file_cert(k->dir, "ak-roots/provider.pem", ca);
	file_crl(k->dir, "certs/provider.crl", ca, ca_key);
	targets_tpm(k, B64);
	target(k, (struct target){ "the AK", B64, NULL, "ak_public", 0, 0, 0, 0 });
	target(k, (struct target){ "the AK's certificate", PEM, NULL, "ak_cert", 0, 0, 0, 0 });
	target(k, (struct target){
			  .name = "the provider's list", .as = RAW, .file = "certs/provider.crl" });
	X509_free(ca);
	X509_free(leaf);
	EVP_PKEY_free(ca_key);
}

static void kind_azure(const char *name, bool td)
{
	static const char launch[] =
		"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
	struct kind *k = kind_new(name, td ? "az-tdx-vtpm" : "az-snp-vtpm", AT, true);
	char list[128];
	uint8_t *hcl;
	size_t size;

	evidence_of(k, registers(json_pack("{s:s}", td ? "mrtd" : "measurement", launch)));
	snprintf(list, sizeof(list), "%s %s\n", td ? "mrtd" : "measurement", launch);
	file_put(k->dir, "paravisors", list, strlen(list));
	pki_must(!ccdm_json_base64url(json_object_get(k->evidence, "hcl_report"), "", 65536, &hcl,
				      &size, NULL));
	size = ccdm_le32(hcl + 1232);
	free(hcl);
	targets_tpm(k, HEX);
	target(k, (struct target){ "the runtime data", B64URL, NULL, "hcl_report", 1236,
				   1236 + size, 0, 0 });
	target(k, (struct target){ "type, hash and size of the runtime data", B64URL, NULL,
				   "hcl_report", 1224, 1236, 0, 0 });
	if (td) {
		targets_quote(k, B64URL, "td_quote", 48, 584);
		targets_tdx_trust(k);
	} else {
		targets_snp(k, B64URL, "hcl_report", 32);
		targets_snp_trust(k);
		target(k, (struct target){ "the VCEK", B64URL, NULL, "vcek", 0, 0, 0, 0 });
	}
}

void kinds_forge(const char *dir)
{
	top = dir;
	forge_all();
	kinds_snp();
	kind_tdx("TDX, version 4", 4, 3);
	kind_tdx("TDX, version 5", 5, 3);
	kinds_tpm();
	kind_azure("Azure SNP", false);
	kind_azure("Azure TDX", true);
}

/* ---- real evidence ---------------------------------------------------------------------- */

void kinds_real(const char *v)
{
	static char chain[512];
	uint8_t table[4096] = { 0 };
	static const uint8_t vcek[16] = { 0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	struct ccdm_err err;
	struct kind *k;
	char *text, *cert;
	size_t size, n;

	snprintf(chain, sizeof(chain), "%s/trustee-snp/milan_ask_ark_asvk.pem", v);
	k = kind_new("real SNP, version 2", "snp", 1748736000, false); /* 2025-06-01 */
	k->chain = chain;
	text = file_get(v, "trustee-snp/test-report.bin", &size);
	cert = file_get(v, "trustee-snp/test-vcek.der", &n);
	pki_must(size == CCDM_SNP_REPORT_SIZE && n < sizeof(table) - 48);
	memcpy(table, vcek, 16);
	table[16] = 48;
	table[20] = n & 0xff;
	table[21] = n >> 8;
	memcpy(table + 48, cert, n);
	pki_must(!ccdm_snp_json_make((uint8_t *)text, table, 48 + n, &k->evidence, &err));
	free(text);
	free(cert);
	targets_snp(k, SNP, "", 0);

	k = kind_new("real Azure SNP, version 0", "az-snp-vtpm", 1748736000, false);
	k->chain = chain;
	text = file_get(v, "trustee-az/snp-evidence-v0.json", &size);
	k->evidence = json_loadb(text, size, 0, NULL);
	free(text);
	targets_snp(k, NUMBERS, "report", 32);
	target(k,
	       (struct target){ "the TPM's message", NUMBERS, NULL, "quote.message", 0, 0, 0, 0 });
	target(k, (struct target){ "the TPM's signature", NUMBERS, NULL, "quote.signature", 0, 0, 0,
				   0 });
	target(k, (struct target){ "the VCEK", PEM, NULL, "vcek", 0, 0, 0, 0 });

	k = kind_new("real TDX, version 4", "tdx", 1751328000, false); /* 2025-07-01 */
	text = file_get(v, "dcap-qvl/tdx_quote_collateral.json", &size);
	file_put(k->dir, "collateral/b0c06f000000.json", text, size);
	free(text);
	text = file_get(v, "dcap-qvl/tdx_quote", &size);
	k->evidence = json_pack("{s:o}", "quote", ccdm_json_make(text, size));
	free(text);
	targets_quote(k, B64, "quote", 48, 584);
	k->nr--; /* the collateral contains this CA, too */
	targets_collateral(k, "collateral/b0c06f000000.json");
	k->nr--; /* the QE identity's signer has a copy of this certificate */
}

void kinds_free(void)
{
	unsigned int i;

	for (i = 0; i < nr_kinds; i++)
		json_decref(kinds[i].evidence);
	forge_all_free();
}
