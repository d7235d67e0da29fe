// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* snp.c - see snp.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/compiler.h"
#include "base/bytes.h"
#include "snp.h"
#include "snp_floor.h"
#include "vendor_certs.h"
#include "vendor_url.h"

/* Offsets in a report. */
enum {
	AT_VERSION = 0x00,
	AT_GUEST_SVN = 0x04,
	AT_POLICY = 0x08,
	AT_FAMILY_ID = 0x10,
	AT_IMAGE_ID = 0x20,
	AT_VMPL = 0x30,
	AT_SIG_ALGO = 0x34,
	AT_CURRENT_TCB = 0x38,
	AT_PLATFORM_INFO = 0x40,
	AT_KEY_INFO = 0x48,
	AT_REPORT_DATA = 0x50,
	AT_MEASUREMENT = 0x90,
	AT_HOST_DATA = 0xc0,
	AT_ID_KEY_DIGEST = 0xe0,
	AT_AUTHOR_KEY_DIGEST = 0x110,
	AT_REPORTED_TCB = 0x180,
	AT_CPUID = 0x188,
	AT_CHIP_ID = 0x1a0,
	AT_COMMITTED_TCB = 0x1e0,
	AT_LAUNCH_TCB = 0x1f0,
	AT_SIGNATURE = 0x2a0, /* the signature covers all bytes before it */
	SIG_NUMBER = 72,      /* bytes of r and of s */
	P384 = 48,
};

/* AMD's roots (https://kdsintf.amd.com/vcek/v1/NAME/cert_chain). */
static const struct ccdm_anchor ccdm_snp_roots[] = {
	{ "Milan", { 0x69, 0xd0, 0x63, 0xb4, 0x53, 0x44, 0xd2, 0x6a, 0x2e, 0x94, 0xe1,
		     0xf4, 0x21, 0x0d, 0xe4, 0x9e, 0xf5, 0x55, 0x30, 0x82, 0x87, 0xd4,
		     0xc1, 0x74, 0x44, 0x5c, 0x95, 0x63, 0x9a, 0x54, 0x0b, 0xcd } },
	{ "Genoa", { 0x4c, 0x65, 0x98, 0xd1, 0x9c, 0x18, 0x71, 0x9c, 0x5d, 0xfd, 0x4a,
		     0x7d, 0x33, 0x5f, 0x67, 0x4e, 0x5b, 0xfe, 0x1d, 0x8f, 0x80, 0x0c,
		     0xea, 0x2c, 0xf2, 0x70, 0xc1, 0x0d, 0x10, 0x3d, 0xb2, 0xf1 } },
	{ "Turin", { 0x1f, 0x08, 0x41, 0x61, 0xa4, 0x4b, 0xb6, 0xd9, 0x37, 0x78, 0xa9,
		     0x04, 0x87, 0x7d, 0x48, 0x19, 0xca, 0xfa, 0x5d, 0x05, 0xef, 0x41,
		     0x93, 0xb2, 0xde, 0xd9, 0xdd, 0x9c, 0x73, 0xdd, 0x3f, 0x6a } },
};

#define CCDM_SNP_ROOTS (ARRAY_SIZE(ccdm_snp_roots))

const struct ccdm_anchor *ccdm_snp_anchors(unsigned int *count)
{
	*count = CCDM_SNP_ROOTS;
	return ccdm_snp_roots;
}

static const char *const ccdm_snp_names[] = { "unknown", "Milan", "Genoa", "Turin", "Venice" };

const char *ccdm_snp_generation_name(enum ccdm_snp_generation generation)
{
	return ccdm_snp_names[generation];
}

/* Parse "Milan" or "Milan-B0". */
static enum ccdm_snp_generation ccdm_snp_generation_of(const char *name, size_t size)
{
	enum ccdm_snp_generation g;

	for (g = CCDM_SNP_MILAN; g <= CCDM_SNP_VENICE; g++) {
		size_t n = strlen(ccdm_snp_names[g]);

		if (size >= n && !memcmp(name, ccdm_snp_names[g], n) &&
		    (size == n || name[n] == '-'))
			return g;
	}
	return CCDM_SNP_UNKNOWN;
}

enum ccdm_snp_generation ccdm_snp_cpuid(uint8_t family, uint8_t model)
{
	static const struct {
		uint8_t family, first, last;
		enum ccdm_snp_generation generation;
	} table[] = {
		{ 0x19, 0x00, 0x0f, CCDM_SNP_MILAN },  { 0x19, 0x10, 0x1f, CCDM_SNP_GENOA },
		{ 0x19, 0xa0, 0xaf, CCDM_SNP_GENOA },  { 0x1a, 0x00, 0x11, CCDM_SNP_TURIN },
		{ 0x1a, 0x50, 0x57, CCDM_SNP_VENICE }, { 0x1a, 0x90, 0xaf, CCDM_SNP_VENICE },
		{ 0x1a, 0xc0, 0xc7, CCDM_SNP_VENICE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].family == family && model >= table[i].first && model <= table[i].last)
			return table[i].generation;
	return CCDM_SNP_UNKNOWN;
}

/* ---- parsing -------------------------------------------------------------- */

int ccdm_snp_parse(const void *raw, size_t size, struct ccdm_snp *snp, struct ccdm_err *err)
{
	const uint8_t *p = raw;
	uint32_t key_info;

	if (size != CCDM_SNP_REPORT_SIZE)
		return ccdm_err_set(err, -EINVAL, "SNP report: expected %u bytes, found %zu",
				    CCDM_SNP_REPORT_SIZE, size);
	memset(snp, 0, sizeof(*snp));
	memcpy(snp->raw, raw, size);
	snp->version = ccdm_le32(p + AT_VERSION);
	snp->guest_svn = ccdm_le32(p + AT_GUEST_SVN);
	snp->policy = ccdm_le64(p + AT_POLICY);
	memcpy(snp->family_id, p + AT_FAMILY_ID, sizeof(snp->family_id));
	memcpy(snp->image_id, p + AT_IMAGE_ID, sizeof(snp->image_id));
	snp->vmpl = ccdm_le32(p + AT_VMPL);
	snp->sig_algo = ccdm_le32(p + AT_SIG_ALGO);
	snp->platform_info = ccdm_le64(p + AT_PLATFORM_INFO);
	key_info = ccdm_le32(p + AT_KEY_INFO);
	snp->author_key = key_info & 1;
	snp->mask_chip_key = key_info >> 1 & 1;
	snp->signing_key = key_info >> 2 & 7;
	memcpy(snp->report_data, p + AT_REPORT_DATA, sizeof(snp->report_data));
	memcpy(snp->measurement, p + AT_MEASUREMENT, sizeof(snp->measurement));
	memcpy(snp->host_data, p + AT_HOST_DATA, sizeof(snp->host_data));
	memcpy(snp->id_key_digest, p + AT_ID_KEY_DIGEST, sizeof(snp->id_key_digest));
	memcpy(snp->author_key_digest, p + AT_AUTHOR_KEY_DIGEST, sizeof(snp->author_key_digest));
	memcpy(snp->chip_id, p + AT_CHIP_ID, sizeof(snp->chip_id));
	memcpy(snp->tcb_raw.reported, p + AT_REPORTED_TCB, 8);
	memcpy(snp->tcb_raw.committed, p + AT_COMMITTED_TCB, 8);
	memcpy(snp->tcb_raw.launch, p + AT_LAUNCH_TCB, 8);
	memcpy(snp->tcb_raw.current, p + AT_CURRENT_TCB, 8);
	if (snp->version >= 3) {
		snp->cpuid_family = p[AT_CPUID];
		snp->cpuid_model = p[AT_CPUID + 1];
		snp->cpuid_stepping = p[AT_CPUID + 2];
		snp->generation = ccdm_snp_cpuid(snp->cpuid_family, snp->cpuid_model);
	}
	return 0;
}

struct ccdm_snp_tcb ccdm_snp_tcb(const uint8_t raw[8], enum ccdm_snp_generation generation)
{
	struct ccdm_snp_tcb tcb = { .microcode = raw[7] };

	if (generation >= CCDM_SNP_TURIN) {
		tcb.fmc = raw[0];
		tcb.bootloader = raw[1];
		tcb.tee = raw[2];
		tcb.snp = raw[3];
	} else {
		tcb.bootloader = raw[0];
		tcb.tee = raw[1];
		tcb.snp = raw[6];
	}
	return tcb;
}

static char *ccdm_snp_tcb_text(const struct ccdm_snp_tcb *tcb, char text[80])
{
	snprintf(text, 80, "fmc %u, bootloader %u, tee %u, snp %u, microcode %u", tcb->fmc,
		 tcb->bootloader, tcb->tee, tcb->snp, tcb->microcode);
	return text;
}

/* ---- extensions of the leaf certificate -------------------------------------- */

#define OID_AMD "1.3.6.1.4.1.3704.1."

/* Read a small INTEGER of an extension. Return: -ENOENT if the extension is missing. */
static int ccdm_snp_spl(const struct ccdm_cert *leaf, const char *oid, uint8_t *spl)
{
	const uint8_t *p;
	size_t size;
	int r = ccdm_cert_extension(leaf, oid, &p, &size);

	if (r)
		return r;
	/* one byte, or a leading zero and one byte from 0x80 on */
	if (size == 3 && p[0] == 2 && p[1] == 1 && p[2] < 0x80)
		*spl = p[2];
	else if (size == 4 && p[0] == 2 && p[1] == 2 && !p[2] && p[3] >= 0x80)
		*spl = p[3];
	else
		return -EINVAL;
	return 0;
}

static int ccdm_snp_cert_tcb(const struct ccdm_cert *leaf, enum ccdm_snp_generation generation,
			     struct ccdm_snp_tcb *tcb)
{
	int r;

	memset(tcb, 0, sizeof(*tcb));
	r = ccdm_snp_spl(leaf, OID_AMD "3.1", &tcb->bootloader);
	if (!r)
		r = ccdm_snp_spl(leaf, OID_AMD "3.2", &tcb->tee);
	if (!r)
		r = ccdm_snp_spl(leaf, OID_AMD "3.3", &tcb->snp);
	if (!r)
		r = ccdm_snp_spl(leaf, OID_AMD "3.8", &tcb->microcode);
	if (!r && generation >= CCDM_SNP_TURIN)
		r = ccdm_snp_spl(leaf, OID_AMD "3.9", &tcb->fmc);
	return r;
}

/* Read the product, an IA5String like "Milan-B0". */
static enum ccdm_snp_generation ccdm_snp_product(const struct ccdm_cert *leaf, char name[32])
{
	const uint8_t *p;
	size_t size;

	snprintf(name, 32, "no product name");
	if (ccdm_cert_extension(leaf, OID_AMD "2", &p, &size) || size < 2 || p[0] != 0x16 ||
	    p[1] != size - 2 || size - 2 >= 32)
		return CCDM_SNP_UNKNOWN;
	memcpy(name, p + 2, size - 2);
	name[size - 2] = '\0';
	return ccdm_snp_generation_of(name, size - 2);
}

/*
 * Read the chip ID: raw, or as an OCTET STRING; 64 bytes, since Turin 8. Return: its size; 0: none.
 */
static size_t ccdm_snp_hwid(const struct ccdm_cert *leaf, uint8_t hwid[64])
{
	const uint8_t *p;
	size_t size;

	memset(hwid, 0, 64);
	if (ccdm_cert_extension(leaf, OID_AMD "4", &p, &size))
		return 0;
	if ((size == 66 || size == 10) && p[0] == 4 && p[1] == size - 2) {
		p += 2;
		size -= 2;
	}
	if (size != 64 && size != 8)
		return 0;
	memcpy(hwid, p, size);
	return size;
}

size_t ccdm_snp_cert_chip(const struct ccdm_cert *leaf, enum ccdm_snp_generation *generation,
			  uint8_t chip[64])
{
	char product[32];

	*generation = ccdm_snp_product(leaf, product);
	return ccdm_snp_hwid(leaf, chip);
}

const struct ccdm_cert *ccdm_snp_leaf(const struct ccdm_certs *certs, const struct ccdm_snp *snp)
{
	const struct ccdm_cert *cert, *found = NULL;
	struct ccdm_snp_tcb reported, tcb;
	enum ccdm_snp_generation generation;
	char cn[64], product[32];
	uint8_t hwid[64];
	unsigned int i;

	for (i = 0; (cert = ccdm_certs_at(certs, i)); i++) {
		if (strcmp(ccdm_cert_cn(cert, cn), snp->signing_key ? "SEV-VLEK" : "SEV-VCEK"))
			continue;
		if (!snp->signing_key &&
		    (!ccdm_snp_hwid(cert, hwid) || memcmp(hwid, snp->chip_id, sizeof(hwid))))
			continue;
		generation = ccdm_snp_product(cert, product);
		reported = ccdm_snp_tcb(snp->tcb_raw.reported, generation);
		if (!ccdm_snp_cert_tcb(cert, generation, &tcb) &&
		    !memcmp(&tcb, &reported, sizeof(tcb)))
			return cert;
		found = cert;
	}
	return found;
}

/* ---- checks ----------------------------------------------------------------- */

/* Check which key signed, and the processor generation. Return: whether the generation is known. */
static bool ccdm_snp_key(struct ccdm_snp *snp, const struct ccdm_snp_want *want,
			 const struct ccdm_anchor *anchor, struct ccdm_verdict *v)
{
	static const char *const kinds[] = { "SEV-VCEK", "SEV-VLEK" };
	char cn[64], product[32], said[64];
	enum ccdm_snp_generation by_cert, by_root = CCDM_SNP_UNKNOWN, by_report = snp->generation;
	const char *kind = snp->signing_key < 2 ? kinds[snp->signing_key] : "a known key";

	ccdm_cert_cn(want->leaf, cn);
	ccdm_verdict_add(v, "signing-key", !snp->mask_chip_key && !strcmp(cn, kind), 0,
			 snp->mask_chip_key ? "a signed report" : kind, "%s%s", cn,
			 snp->mask_chip_key ? ", the report is not signed" : "");

	by_cert = ccdm_snp_product(want->leaf, product);
	if (anchor)
		by_root = ccdm_snp_generation_of(anchor->name, strlen(anchor->name));
	if (snp->version == 2)
		by_report = by_cert; /* version 2 does not contain it */
	snprintf(said, sizeof(said), "report %s, certificate %s, root %s",
		 ccdm_snp_generation_name(by_report), product,
		 by_root ? ccdm_snp_generation_name(by_root) : "any");
	snp->generation = by_cert;
	return ccdm_verdict_add(v, "generation",
				by_cert && by_report == by_cert && (!by_root || by_root == by_cert),
				0, "a known generation, the same in all", "%s", said);
}

static void ccdm_snp_signature(const struct ccdm_snp *snp, const struct ccdm_cert *leaf,
			       struct ccdm_verdict *v)
{
	const uint8_t *sig = snp->raw + AT_SIGNATURE;
	uint8_t r[P384], s[P384];
	bool tail = true, good;
	size_t i;

	for (i = 0; i < P384; i++) {
		r[P384 - 1 - i] = sig[i];
		s[P384 - 1 - i] = sig[SIG_NUMBER + i];
	}
	for (i = P384; i < CCDM_SNP_REPORT_SIZE - AT_SIGNATURE; i++)
		if (sig[i] && !(i >= SIG_NUMBER && i < SIG_NUMBER + P384))
			tail = false;
	good = tail && !ccdm_cert_ecdsa(leaf, r, s, P384, snp->raw, AT_SIGNATURE);
	ccdm_verdict_add(v, "signature", good, 0, "a valid signature of the certificate's key",
			 "%s",
			 good	? "valid"
			 : tail ? "invalid"
				: "bytes after it that are not zero");
}

static void ccdm_snp_platform(const struct ccdm_snp *snp, const struct ccdm_cert *leaf,
			      struct ccdm_verdict *v)
{
	struct ccdm_snp_tcb reported = ccdm_snp_tcb(snp->tcb_raw.reported, snp->generation), cert;
	char a[80], b[80], hex[129], want[160];
	uint8_t hwid[64];
	size_t size;
	int r = ccdm_snp_cert_tcb(leaf, snp->generation, &cert);

	ccdm_snp_tcb_text(&reported, a);
	if (r)
		snprintf(b, sizeof(b), "%s", r == -ENOENT ? "missing" : "malformed");
	else
		ccdm_snp_tcb_text(&cert, b);
	snprintf(want, sizeof(want), "reported %s", a);
	ccdm_verdict_add(v, "tcb", !r && !memcmp(&reported, &cert, sizeof(cert)), 0, want,
			 "in the certificate %s", b);

	size = ccdm_snp_hwid(leaf, hwid);
	ccdm_hex(hwid, size ? size : 1, hex);
	if (snp->signing_key == 1)
		ccdm_verdict_add(v, "chip-id", !size, 0, "none in a VLEK's certificate", "%s",
				 size ? hex : "none");
	else
		ccdm_verdict_add(v, "chip-id", size && !memcmp(hwid, snp->chip_id, sizeof(hwid)), 0,
				 "the report's chip in the VCEK's certificate", "%s",
				 size ? hex : "none");
}

/* AMD never states that a platform is up to date; its bulletins name firmware that is not. */
static void ccdm_snp_firmware(struct ccdm_snp *snp, const struct ccdm_snp_want *want,
			      struct ccdm_verdict *v)
{
	struct ccdm_snp_firmware f;

	ccdm_snp_floor_judge(want->floor, snp, &f);
	snp->status = f.status;
	ccdm_verdict_add(v, "firmware", f.status == CCDM_SNP_UP_TO_DATE, CCDM_ALLOW_TCB_OUT_OF_DATE,
			 f.expected, "%s", f.found);
}

static void ccdm_snp_guest(const struct ccdm_snp *snp, const struct ccdm_snp_want *want,
			   struct ccdm_verdict *v)
{
	bool smt = snp->platform_info & CCDM_SNP_PLATFORM_SMT;
	uint8_t data[sizeof(snp->report_data)] = { 0 };
	char expected[2 * sizeof(data) + 1], found[2 * sizeof(data) + 1];

	/* Refuse unknown bits: nobody knows what they would allow the host to do. */
	ccdm_verdict_add(
		v, "policy",
		snp->policy & CCDM_SNP_POLICY_ONE && !(snp->policy & ~CCDM_SNP_POLICY_KNOWN), 0,
		"bit 17 is set, and none above 25", "%#llx", (unsigned long long)snp->policy);
	ccdm_verdict_add(v, "debug", !(snp->policy & CCDM_SNP_POLICY_DEBUG), CCDM_ALLOW_DEBUG,
			 "a guest that its host cannot debug", "%s",
			 snp->policy & CCDM_SNP_POLICY_DEBUG ? "debugging allowed"
							     : "no debugging");
	ccdm_verdict_add(v, "migration", !(snp->policy & CCDM_SNP_POLICY_MIGRATE),
			 CCDM_ALLOW_MIGRATION, "no migration agent", "%s",
			 snp->policy & CCDM_SNP_POLICY_MIGRATE ? "allowed" : "none");
	ccdm_verdict_add(v, "smt", !smt || snp->policy & CCDM_SNP_POLICY_SMT, CCDM_ALLOW_SMT,
			 "no SMT, or a guest whose policy has it", "%s",
			 smt ? "SMT is on" : "SMT is off");
	ccdm_verdict_add(v, "vmpl", !snp->vmpl, CCDM_ALLOW_VMPL, "0", "%u", snp->vmpl);
	if (want->report_data) {
		memcpy(data, want->report_data, want->report_data_size);
		ccdm_hex(data, sizeof(data), expected);
		ccdm_hex(snp->report_data, sizeof(data), found);
		ccdm_verdict_add(v, "report-data", !memcmp(data, snp->report_data, sizeof(data)), 0,
				 expected, "%s", found);
	}
}

int ccdm_snp_verify(struct ccdm_snp *snp, const struct ccdm_snp_want *want, struct ccdm_verdict *v)
{
	struct ccdm_path path = {
		.prefix = "",
		.at = want->at,
		.anchors = want->anchors ? want->anchors : ccdm_snp_roots,
		.nr_anchors = want->anchors ? want->nr_anchors : CCDM_SNP_ROOTS,
		.builtin = want->anchors ? NULL : ccdm_vendor_certs(),
		.no_leaf_crl = true,
		.crl_url = ccdm_url_crl,
	};
	char url[CCDM_URL_MAX];
	bool known;
	int r;

	if (want->report_data_size > sizeof(snp->report_data))
		return -EINVAL;
	if (!want->anchors && !path.builtin)
		return -ENOMEM;
	/* Refuse other versions: their bytes may have another meaning. */
	if (!ccdm_verdict_add(v, "version",
			      snp->version == 2 || snp->version == 3 || snp->version == 5, 0,
			      "2, 3 or 5", "%u", snp->version))
		return 0;
	ccdm_verdict_add(v, "signature-algorithm", snp->sig_algo == 1, 0,
			 "1, ECDSA P-384 with SHA-384", "%u", snp->sig_algo);
	known = !want->leaf && ccdm_url_vcek(snp, url);
	if (!ccdm_verdict_add(v, "certificate", want->leaf, 0, "a VCEK or VLEK", "%s%s%s",
			      want->leaf ? "one" : "none", known ? "; fetch " : "",
			      known ? url : ""))
		return 0;
	r = ccdm_certs_path(want->certs, want->leaf, &path, v);
	if (r)
		return r;
	known = ccdm_snp_key(snp, want, path.anchor, v);
	ccdm_snp_signature(snp, want->leaf, v);
	ccdm_snp_platform(snp, want->leaf, v);
	if (known)
		ccdm_snp_firmware(snp, want, v);
	ccdm_snp_guest(snp, want, v);
	v->complete = true;
	return 0;
}
