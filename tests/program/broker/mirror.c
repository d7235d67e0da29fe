// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * mirror - the files that AMD and Intel would publish, under test keys
 *
 *	mirror DIR
 *
 * Writes DIR/roots in the form of a broker's trust/roots; DIR/good, a vendor's files; DIR/bad, the
 * same files from an untrusted maker. All are valid from June 2025 to 2039, unless their name says
 * otherwise.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "evidence/snp_json.h"
#include "forge_snp.h"
#include "forge_tdx.h"

static const char *top;

static void put(const char *name, const void *bytes, size_t size)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	pki_must(f && fwrite(bytes, 1, size, f) == size && !fclose(f));
}

static void put_cert(const char *name, X509 *x)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	put(name, der, n);
	OPENSSL_free(der);
}

static void put_json(const char *name, json_t *o)
{
	char *text = json_dumps(o, 0);

	pki_must(!!text);
	put(name, text, strlen(text));
	free(text);
}

static void put_chain(const char *name, X509 *one, X509 *root)
{
	json_t *text = tdx_pem(one, root);

	put(name, json_string_value(text), json_string_length(text));
	json_decref(text);
}

/* ---- lists --------------------------------------------------------------------------- */

struct list {
	const char *from, *to;
	long number;  /* 0: none */
	long revoked; /* 0: none */
	bool delta, critical, indirect, other_key;
};

static void list_number(X509_CRL *crl, int nid, long number, int critical)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	pki_must(ASN1_INTEGER_set(n, number) && X509_CRL_add1_ext_i2d(crl, nid, n, critical, 0));
	ASN1_INTEGER_free(n);
}

static void put_list(const char *name, X509 *issuer, EVP_PKEY *key, const struct list *l)
{
	X509_CRL *crl = pki_crl(issuer, key, l->from ? l->from : "20250601000000Z",
				l->to ? l->to : "20390101000000Z", l->revoked);
	X509_EXTENSION *e;
	uint8_t *der = NULL;
	int n;

	if (l->number)
		list_number(crl, NID_crl_number, l->number, 0);
	/* a critical extension would be a reason of its own to refuse the list */
	if (l->delta)
		list_number(crl, NID_delta_crl, 1, 0);
	if (l->indirect) {
		e = X509V3_EXT_conf_nid(NULL, NULL, NID_issuing_distribution_point,
					"critical,indirectCRL:TRUE");
		pki_must(e && X509_CRL_add_ext(crl, e, -1));
		X509_EXTENSION_free(e);
	}
	if (l->critical) {
		e = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, "critical,x");
		pki_must(e && X509_CRL_add_ext(crl, e, -1));
		X509_EXTENSION_free(e);
	}
	/* keep the bytes that were signed */
	pki_must(X509_CRL_sign(crl, l->other_key ? other_key : key,
			       l->other_key ? EVP_sha384() : EVP_sha256()));
	n = i2d_X509_CRL(crl, &der);
	put(name, der, n);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

/* ---- AMD --------------------------------------------------------------------------------- */

static void amd(void)
{
	static const char *const names[] = { "milan", "genoa", "turin" };
	static const char *const titles[] = { "Milan", "Genoa", "Turin" };
	EVP_PKEY *keys[] = { ark_key, pki_key("P-384"), pki_key("P-384") };
	struct spoil good = { 0 }, other = { .at = 0x1a5, .value = 7 };
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	struct ccdm_err err;
	char cn[32], name[64];
	json_t *json;
	X509 *ark[3], *ask, *x;
	struct pki_want w;
	int i;

	for (i = 0; i < 3; i++) {
		snprintf(cn, sizeof(cn), "ARK-%s", titles[i]);
		w = (struct pki_want){ .cn = cn, .key = keys[i], .ca = true, .serial = 1 };
		ark[i] = pki_cert(&w);
		snprintf(name, sizeof(name), "roots/%s.der", names[i]);
		put_cert(name, ark[i]);
		snprintf(name, sizeof(name), "good/vcek-%s.crl", names[i]);
		put_list(name, ark[i], keys[i], &(struct list){ .number = 5 });
		snprintf(name, sizeof(name), "good/vlek-%s.crl", names[i]);
		put_list(name, ark[i], keys[i], &(struct list){ .number = 3 });
	}
	put_list("good/newer.crl", ark[0], keys[0],
		 &(struct list){ .number = 6, .from = "20250615000000Z", .revoked = 9 });
	put_list("bad/delta.crl", ark[0], keys[0], &(struct list){ .number = 7, .delta = true });
	put_list("bad/critical.crl", ark[0], keys[0],
		 &(struct list){ .number = 7, .critical = true });
	put_list("bad/indirect.crl", ark[0], keys[0],
		 &(struct list){ .number = 7, .indirect = true });
	put_list("bad/forged.crl", ark[0], keys[0],
		 &(struct list){ .number = 7, .other_key = true });
	put_list("bad/expired.crl", ark[0], keys[0],
		 &(struct list){ .number = 7, .to = "20250620000000Z" });
	put_list("bad/early.crl", ark[0], keys[0],
		 &(struct list){ .number = 7, .from = "20250720000000Z" });
	put_list("bad/older-number.crl", ark[0], keys[0],
		 &(struct list){ .number = 4, .from = "20250616000000Z", .revoked = 9 });
	put_list("bad/no-number.crl", ark[0], keys[0],
		 &(struct list){ .from = "20250616000000Z", .revoked = 9 });
	put_list("bad/older-date.crl", ark[0], keys[0],
		 &(struct list){ .number = 7, .from = "20250531000000Z", .revoked = 9 });
	put_list("bad/forgets.crl", ark[0], keys[0],
		 &(struct list){ .number = 7, .from = "20250616000000Z" });

	w = (struct pki_want){ .cn = "SEV-Milan",
			       .key = ask_key,
			       .issuer = ark[0],
			       .issuer_key = ark_key,
			       .ca = true,
			       .serial = 2 };
	ask = pki_cert(&w);
	put_cert("good/ask.der", ask);
	make_report(&good, NULL, raw);
	put("good/report.bin", raw, sizeof(raw));
	pki_must(!ccdm_snp_json_make(raw, NULL, 0, &json, &err));
	put_json("good/report.json", json);
	json = json_pack("{s:{s:o}}", "tee-evidence", "primary_evidence", json);
	put_json("good/evidence.json", json);
	json_decref(json);
	x = make_leaf(&good, raw, ask);
	put_cert("good/vcek.der", x);
	X509_free(x);
	good.other_leaf = true;
	x = make_leaf(&good, raw, ask);
	put_cert("bad/vcek-key.der", x);
	X509_free(x);
	good = (struct spoil){ .bootloader = 9 };
	x = make_leaf(&good, raw, ask);
	put_cert("bad/vcek-tcb.der", x);
	X509_free(x);
	good = (struct spoil){ .leaf_to = "20250601000000Z" };
	x = make_leaf(&good, raw, ask);
	put_cert("bad/vcek-expired.der", x);
	X509_free(x);
	make_report(&other, NULL, raw);
	good = (struct spoil){ 0 };
	x = make_leaf(&good, raw, ask);
	put_cert("bad/vcek-chip.der", x);
	X509_free(x);
	X509_free(ask);
	for (i = 0; i < 3; i++) {
		X509_free(ark[i]);
		if (i)
			EVP_PKEY_free(keys[i]);
	}
}

/* ---- Intel --------------------------------------------------------------------------------- */

static void put_answer(const char *name, const char *key, struct ccdm_signed *s)
{
	char hex[129], *text;

	ccdm_hex(s->signature, 64, hex);
	pki_must(asprintf(&text, "{\"%s\":%s,\"signature\":\"%s\"}", key, s->text, hex) > 0);
	put(name, text, strlen(text));
	free(text);
}

static void put_tcb(const char *name, const struct tdx_spoil *s)
{
	struct ccdm_collateral c = { 0 };

	tdx_tcb(s, &c);
	put_answer(name, "tcbInfo", &c.tcb);
	ccdm_collateral_drop(&c);
}

static void put_qe(const char *name, const struct tdx_spoil *s)
{
	struct ccdm_collateral c = { 0 };

	tdx_qe(s, &c);
	put_answer(name, "enclaveIdentity", &c.qe);
	ccdm_collateral_drop(&c);
}

/* Write the quote of a TD on the platform of this collateral. */
static void put_quote(const struct tdx_chain *c, X509 *ca)
{
	static const struct tdx_spoil good;
	uint8_t *quote = calloc(1, 16384), der[800];
	struct pki_ext ext[2] = { { "1.2.840.113741.1.13.1", der, tdx_platform(&good, der) } };
	struct tdx_chain whole = *c;
	struct pki_want w = { .cn = "Intel SGX PCK Certificate",
			      .key = tdx_pck_key,
			      .issuer = ca,
			      .issuer_key = tdx_ca_key,
			      .serial = 3,
			      .ext = ext };

	whole.ca = ca;
	whole.pck = pki_cert(&w);
	put("good/quote.bin", quote, tdx_quote(&good, &whole, quote));
	X509_free(whole.pck);
	free(quote);
}

#define TO   "2039-01-01T00:00:00Z"
#define DATE "\"issueDate\":\"2025-06-01T00:00:00Z\""

static void intel(void)
{
	static const char *const cas[] = { "Platform", "Processor" };
	struct pki_want w = {
		.cn = "Intel SGX Root CA", .key = tdx_root_key, .ca = true, .serial = 1
	};
	struct tdx_chain c = { .root = pki_cert(&w), .fake = pki_cert(&w) };
	char cn[64], name[64];
	X509 *ca;
	int i;

	put_cert("roots/intel.der", c.root);
	put_list("bad/root-expired.crl", c.root, tdx_root_key,
		 &(struct list){ .number = 1, .to = "20250620000000Z" });
	put_list("good/root.crl", c.root, tdx_root_key, &(struct list){ .number = 1 });
	put_list("bad/revoking.crl", c.root, tdx_root_key,
		 &(struct list){ .number = 1, .from = "20250602000000Z", .revoked = 20 });
	for (i = 0; i < 2; i++) {
		snprintf(cn, sizeof(cn), "Intel SGX PCK %s CA", cas[i]);
		w = (struct pki_want){ .cn = cn,
				       .key = tdx_ca_key,
				       .issuer = c.root,
				       .issuer_key = tdx_root_key,
				       .ca = true,
				       .serial = 20 + i };
		ca = pki_cert(&w);
		snprintf(name, sizeof(name), "good/%c%s.chain", cas[i][0] | 0x20, cas[i] + 1);
		put_chain(name, ca, c.root);
		snprintf(name, sizeof(name), "good/%c%s.crl", cas[i][0] | 0x20, cas[i] + 1);
		put_list(name, ca, tdx_ca_key, &(struct list){ .number = 1 });
		if (!i)
			put_quote(&c, ca);
		if (!i)
			put_list("good/platform-newer.crl", ca, tdx_ca_key,
				 &(struct list){ .number = 1, .from = "20250610000000Z" });
		X509_free(ca);
	}
	c.tcb = tdx_signer(&c, NULL, tdx_tcb_key, BY_ROOT, 4, NULL);
	c.qe = tdx_signer(&c, NULL, tdx_qe_key, BY_ROOT, 5, NULL);
	put_chain("good/tcb.chain", c.tcb, c.root);
	put_chain("good/qe.chain", c.qe, c.root);
	X509_free(c.tcb);
	c.tcb = tdx_signer(&c, NULL, tdx_tcb_key, BY_FAKE, 4, NULL);
	put_chain("bad/tcb.chain", c.tcb, c.fake);
	put_tcb("good/tcb.json", &(struct tdx_spoil){ .tcb_next = TO });
	put_tcb("good/tcb-newer.json",
		&(struct tdx_spoil){ .tcb_next = TO,
				     .tcb_edit = { DATE, "\"issueDate\":\"2025-06-10T00:00:00Z\","
							 "\"tcbEvaluationDataNumber\":18" } });
	put_tcb("bad/tcb-number.json",
		&(struct tdx_spoil){ .tcb_next = TO,
				     .tcb_edit = { DATE, "\"issueDate\":\"2025-06-11T00:00:00Z\","
							 "\"tcbEvaluationDataNumber\":17" } });
	put_tcb("bad/tcb-other.json",
		&(struct tdx_spoil){ .tcb_next = TO, .fmspc = "0A0B0C0D0E0E" });
	put_tcb("bad/tcb-nowhere.json", &(struct tdx_spoil){ .tcb_next = TO, .fmspc = "0A0B" });
	put_tcb("bad/tcb-forged.json",
		&(struct tdx_spoil){ .tcb_next = TO, .flip_tcb_info = true });
	put_tcb("bad/tcb-expired.json", &(struct tdx_spoil){ .tcb_next = "2025-06-20T00:00:00Z" });
	put_tcb("bad/tcb-sgx.json", &(struct tdx_spoil){ .tcb_next = TO, .tcb_id = "SGX" });
	put_qe("good/qe.json", &(struct tdx_spoil){ .qe_next = TO });
	put_qe("bad/qe-forged.json",
	       &(struct tdx_spoil){ .qe_next = TO, .flip_qe_identity = true });
	put_qe("bad/qe-expired.json", &(struct tdx_spoil){ .qe_next = "2025-06-20T00:00:00Z" });
	tdx_chain_drop(&c);
}

int main(int argc, char **argv)
{
	static const char *const dirs[] = { "", "/roots", "/good", "/bad" };
	char path[4096];
	size_t i;

	if (argc != 2)
		return 1;
	top = argv[1];
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", top, dirs[i]);
		pki_must(!mkdir(path, 0755) || errno == EEXIST);
	}
	forge_keys();
	tdx_keys_make();
	amd();
	intel();
	forge_keys_free();
	tdx_keys_free();
	return 0;
}
