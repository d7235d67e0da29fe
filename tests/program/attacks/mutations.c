// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * mutations - genuine evidence with one byte changed, as a broker judges it: accepted nowhere
 *
 *	mutations [--seed N] [--count N] [--vectors DIR]
 *
 * Each mutation changes one byte of a field that is signed, or that decides: in the evidence,
 * or in the certificates, lists and collateral beside it. Before and after all of them the
 * evidence as it was made is accepted. Fields that nothing covers are not mutated; they are
 * named, with the reason. --vectors: real evidence as well. The same seed makes the same
 * mutations of real evidence; our own is signed by new keys each time.
 */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "trust/trust.h"
#include "base/file.h"
#include "forge.h"

#define AT	 1750000000 /* 2025-06-15 */
#define SHOWN	 20
#define TARGETS	 32
#define KINDS	 16
#define DER_SIZE 8192

enum encoding {
	B64, /* of a member of JSON */
	B64URL,
	HEX,
	TEXT,
	NUMBERS,
	PCRS, /* a list of texts in hexadecimal */
	PEM,  /* certificate number @pem of a text */
	SNP,  /* the report that the object says */
	RAW,  /* no JSON: a file */
};

/* Where a byte may be changed. */
struct target {
	const char *name;
	enum encoding as;
	const char *file;   /* of the trust directory; NULL: in the evidence */
	const char *member; /* of the JSON, with one dot at most */
	size_t from, to;    /* bytes of it; 0: to its end */
	bool inside;	    /* these bytes are text that has certificate number @pem in PEM */
	unsigned int pem;
};

struct kind {
	const char *name, *tee;
	json_t *evidence;
	uint8_t bound[48];
	bool is_bound;
	int64_t at;
	char dir[256];
	const char *
		chain; /* real, and there is no revocation list: judged without the broker's rules */
	unsigned int nr;
	struct target target[TARGETS];
	unsigned int mutations;
};

static struct kind kinds[KINDS];
static unsigned int nr_kinds;
static uint64_t state;
static char tmp[] = "/tmp/ccdm-mutations-XXXXXX";
static unsigned int passed, failed, skipped;

static void result(bool good, const char *what)
{
	passed += good;
	failed += !good;
	printf("%s %u %s\n", good ? "ok" : "not ok", passed + failed + skipped, what);
}

static uint64_t chance(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

/* ---- files ------------------------------------------------------------------------ */

static void file_put(const char *dir, const char *name, const void *bytes, size_t size)
{
	char path[512], *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	mkdir(path, 0700);
	*slash = '/';
	f = fopen(path, "w");
	pki_must(f && fwrite(bytes, 1, size, f) == size);
	fclose(f);
}

static char *file_get(const char *dir, const char *name, size_t *size)
{
	struct ccdm_err err = { 0 };
	char path[512], *text;

	snprintf(path, sizeof(path), "%s%s%s", dir, *name ? "/" : "", name);
	if (ccdm_file_read(path, 4 << 20, &text, size, &err)) {
		fprintf(stderr, "mutations: %s\n", err.text);
		exit(1);
	}
	return text;
}

static void file_json(const char *dir, const char *name, const json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	file_put(dir, name, text, strlen(text));
	free(text);
}

static void file_cert(const char *dir, const char *name, X509 *x)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	file_put(dir, name, der, n);
	OPENSSL_free(der);
}

static void file_crl(const char *dir, const char *name, X509 *issuer, EVP_PKEY *key)
{
	X509_CRL *crl = pki_crl(issuer, key, NULL, NULL, 77);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);

	file_put(dir, name, der, n);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static int gone(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* ---- bytes of a target ------------------------------------------------------------------ */

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

/* Certificate number @n of a text in PEM: where it stands, and its DER. */
static size_t pem_der(const char *text, size_t size, unsigned int n, uint8_t der[DER_SIZE],
		      size_t *at, size_t *length)
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

/* As long as it was: lines of 64 characters, and no line behind the last. */
static void pem_put(char *text, size_t at, size_t length, const uint8_t *der, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *made;

	pki_must(PEM_write_bio(bio, "CERTIFICATE", "", der, size));
	pki_must((size_t)BIO_get_mem_data(bio, &made) >= length);
	memcpy(text + at, made, length);
	BIO_free(bio);
}

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

static uint8_t *decode(const struct target *t, json_t *doc, size_t *size)
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

/* Return: false if JSON cannot say it */
static bool encode(const struct target *t, json_t *doc, const uint8_t *bytes, size_t size)
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

/* ---- judging ---------------------------------------------------------------------------------- */

static bool accepted(const struct kind *k, const json_t *evidence)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_proof proof = { 0 };
	struct ccdm_trust_dir *dir = NULL;
	struct ccdm_err err = { 0 };
	const struct ccdm_bound bound = { k->is_bound ? k->bound : NULL,
					  k->is_bound ? ccdm_tee_bound(k->tee) : 0 };
	struct ccdm_claim claim = {
		.tee = k->tee, .primary = evidence, .additional = "", .bound = bound
	};
	struct ccdm_trust trust = { .at = k->at };
	bool good = false;
	size_t size;
	char *chain;
	int r;

	if (k->chain) {
		/* (the platforms are of years ago) */
		v->allow = CCDM_ALLOW_NO_CRL | CCDM_ALLOW_TCB_OUT_OF_DATE;
		trust.certs = ccdm_certs_new();
		chain = file_get(k->chain, "", &size);
		pki_must(!ccdm_certs_add(trust.certs, k->chain, chain, size, NULL, &err));
		free(chain);
		r = ccdm_evidence_judge(k->tee, evidence, &trust, &bound, v, &proof, &err);
		ccdm_certs_free(trust.certs);
	} else {
		r = ccdm_trust_load(k->dir, &dir, &err);
		if (!r)
			r = ccdm_trust_judge(dir, &claim, k->at, v, &proof, &err);
		ccdm_trust_free(dir);
	}
	good = !r && proof.facts;
	if (!good && getenv("CCDM_VERBOSE")) {
		for (size = 0; size < v->count; size++)
			if (!v->check[size].passed)
				fprintf(stderr, "# %s: %s: expected %s, found %s\n", k->name,
					v->check[size].name, v->check[size].expected,
					v->check[size].found);
		fprintf(stderr, "# %s: %d %s\n", k->name, r, err.text);
	}
	ccdm_proof_drop(&proof);
	free(v);
	return good;
}

/* One byte of one field. Return: false if nothing was changed that arrives */
static bool mutate(struct kind *k, bool *survived)
{
	const struct target *t = &k->target[chance(k->nr)];
	uint8_t *bytes, der[DER_SIZE], *at, flip = chance(2) ? 1U << chance(8) : 1 + chance(255);
	size_t size, from = t->from, to, n, pem_at = 0, pem_size = 0, file_size = 0;
	char *file = t->file ? file_get(k->dir, t->file, &file_size) : NULL;
	json_t *doc = NULL, *again;
	bool said = true;

	if (t->as != RAW)
		doc = t->file ? json_loadb(file, file_size, 0, NULL) : json_deep_copy(k->evidence);
	if (t->as == RAW) {
		size = file_size;
		bytes = malloc(size);
		memcpy(bytes, file, size);
	} else {
		bytes = decode(t, doc, &size);
	}
	to = t->to ? t->to : size;
	at = bytes;
	if (t->inside) {
		from = 0;
		to = pem_der((char *)bytes + t->from, size - t->from, t->pem, der, &pem_at,
			     &pem_size);
		at = der;
	}
	n = from + chance(to - from);
	/* (JSON has no other text than UTF-8) */
	if (t->as == TEXT)
		flip = flip & 0x7f ? flip & 0x7f : 1;
	at[n] ^= flip;
	if (t->inside)
		pem_put((char *)bytes + t->from, pem_at, pem_size, der, to);
	if (t->as == RAW) {
		file_put(k->dir, t->file, bytes, size);
	} else {
		said = encode(t, doc, bytes, size);
		again = said && !t->file ? k->evidence : NULL;
		if (again && json_equal(again, doc))
			said = false;
		if (said && t->file)
			file_json(k->dir, t->file, doc);
	}
	if (said) {
		*survived = accepted(k, t->file ? k->evidence : doc);
		if (*survived && failed < SHOWN)
			printf("# %s: accepted with byte %zu of %s changed by %#x\n", k->name, n,
			       t->name, flip);
	}
	if (t->file && said)
		file_put(k->dir, t->file, file, file_size);
	json_decref(doc);
	free(file);
	free(bytes);
	return said;
}

/* ---- kinds --------------------------------------------------------------------------------------- */

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
	snprintf(k->dir, sizeof(k->dir), "%s/%u", tmp, nr_kinds);
	mkdir(k->dir, 0700);
	return k;
}

static void target(struct kind *k, struct target t)
{
	pki_must(k->nr < TARGETS);
	k->target[k->nr++] = t;
}

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

/* @body: 584, or 648 behind a header that is 6 longer */
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
	/* what is hashed beside the key, as long as the quote says */
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
	/* the CA stands in the quote */
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

/* ---- real evidence -------------------------------------------------------------------------------- */

static void kinds_real(const char *v)
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
	k->nr--; /* the CA stands in the collateral, too */
	targets_collateral(k, "collateral/b0c06f000000.json");
	k->nr--; /* Intel's one signer stands beside the QE identity, too */
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

/* What is not mutated, and why. */
static const struct {
	const char *field, *why;
	size_t size;
} unsigned_fields[] = {
	{ "SNP: what stands behind the signature", "no field of the report", 1184 - 0x330 },
	{ "SNP in KBS's JSON: reserved bytes", "JSON does not carry them: zeros are judged", 0 },
	{ "TDX: length of the signature data, of the QE's certification data",
	  "places, not contents: what they place is covered", 4 + 6 + 2 + 6 },
	{ "TDX: what stands behind the signature data", "providers pad the quote", 70 },
	{ "TDX: the root in the quote's chain", "a copy: the root that counts is the broker's", 0 },
	{ "Azure: HCL header, version and size of its data", "nothing reads them", 28 + 8 },
	{ "Azure TDX: the TDREPORT in the HCL report", "a hint for the guest: the quote counts",
	  1184 },
	{ "Azure: what stands behind the runtime data", "nothing reads it", 0 },
	{ "logs", "judged by replay against registers: tests/program/attacks/run.py", 0 },
};

int main(int argc, char **argv)
{
	unsigned int count = 300, i, survivors;
	uint64_t seed = time(NULL);
	const char *vectors = NULL;
	char line[200];
	size_t bytes = 0;
	bool survived;
	int a;

	for (a = 1; a + 1 < argc; a += 2)
		if (!strcmp(argv[a], "--seed"))
			seed = strtoull(argv[a + 1], NULL, 0);
		else if (!strcmp(argv[a], "--count"))
			count = strtoul(argv[a + 1], NULL, 0);
		else if (!strcmp(argv[a], "--vectors"))
			vectors = argv[a + 1];
		else
			break;
	if (a != argc || !mkdtemp(tmp)) {
		fprintf(stderr, "usage: mutations [--seed N] [--count N] [--vectors DIR]\n");
		return 1;
	}
	state = seed;
	printf("KTAP version 1\n# seed %llu\n", (unsigned long long)seed);
	forge_all();
	kinds_snp();
	kind_tdx("TDX, version 4", 4, 3);
	kind_tdx("TDX, version 5", 5, 3);
	kinds_tpm();
	kind_azure("Azure SNP", false);
	kind_azure("Azure TDX", true);
	snprintf(line, sizeof(line), "%s/README.md", vectors ? vectors : "");
	if (vectors && !access(line, R_OK)) {
		kinds_real(vectors);
	} else if (vectors) {
		skipped++;
		printf("ok %u real evidence # SKIP there is none in %s\n", skipped, vectors);
	}
	for (i = 0; i < nr_kinds; i++) {
		snprintf(line, sizeof(line), "control: %s is accepted", kinds[i].name);
		result(accepted(&kinds[i], kinds[i].evidence), line);
	}
	for (i = 0; i < nr_kinds; i++) {
		struct kind *k = &kinds[i];

		for (survivors = 0; k->mutations < (count + nr_kinds - 1) / nr_kinds;) {
			survived = false;
			k->mutations += mutate(k, &survived);
			survivors += survived;
		}
		snprintf(line, sizeof(line), "%s: %u mutations, %u accepted", k->name, k->mutations,
			 survivors);
		result(!survivors, line);
	}
	for (i = 0; i < nr_kinds; i++) {
		snprintf(line, sizeof(line), "control: %s is accepted still", kinds[i].name);
		result(accepted(&kinds[i], kinds[i].evidence), line);
	}
	for (i = 0; i < sizeof(unsigned_fields) / sizeof(unsigned_fields[0]); i++) {
		printf("# not mutated: %s: %s\n", unsigned_fields[i].field, unsigned_fields[i].why);
		bytes += unsigned_fields[i].size;
	}
	printf("# not mutated: %u fields, %zu bytes and those whose length varies\n", i, bytes);
	for (i = 0; i < nr_kinds; i++)
		json_decref(kinds[i].evidence);
	forge_all_free();
	nftw(tmp, gone, 16, FTW_DEPTH | FTW_PHYS);
	printf("1..%u\n", passed + failed + skipped);
	return failed ? 1 : 0;
}
