// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_sign.c - ccdm-image sign */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/file.h"
#include "base/json.h"
#include "image.h"
#include "image/base.h"
#include "image/manifest_disk.h"
#include "image/policy_text.h"
#include "kbs/jws_sign.h"
#include "launches.h"

#define SIGNATURE_MAX 4096 /* bytes of a file with one */
#define MRTDS	      16

struct sign_args {
	struct ccdm_manifest manifest;
	struct ccdm_image_launches launches;
	const char *key;
	const char *signer;
	const char *to_sign;
	const char *signature;
	const char *base;
	const char *output;
	const char *policy;
	enum ccdm_policy_platform platform;
	json_t *firmware; /* MRTDs */
	bool policy_words;
	bool allow_unknown;
	bool json;
};

enum {
	OPT_SIGNING_KEY = 256,
	OPT_SIGNER,
	OPT_TO_SIGN,
	OPT_SIGNATURE,
	OPT_PRODUCT,
	OPT_SVN,
	OPT_IMAGE_DIGEST,
	OPT_BASE,
	OPT_OUTPUT,
	OPT_POLICY,
	OPT_PLATFORM,
	OPT_MRTD,
	OPT_ALLOW_UNKNOWN,
};

static const struct ccdm_option sign_options[] = {
	{ "signing-key", 0, OPT_SIGNING_KEY, "KEY",
	  "sign with this private key: PEM, P-256, without a passphrase", "@file", NULL },
	{ "to-sign", 0, OPT_TO_SIGN, "FILE",
	  "write the bytes to sign into FILE; with --signature: read them from it", "@file", NULL },
	{ "signer", 0, OPT_SIGNER, "PUB", "with --to-sign: the public key, PEM", "@file", NULL },
	{ "signature", 0, OPT_SIGNATURE, "SIG",
	  "the signature of these bytes: ECDSA with SHA-256, in DER or 64 bytes", "@file", NULL },
	{ "product", 0, OPT_PRODUCT, "NAME", "name of the product (default: as on the disk)", NULL,
	  NULL },
	{ "svn", 0, OPT_SVN, "N", "its security version (default: as on the disk)", NULL, NULL },
	{ "image-digest", 0, OPT_IMAGE_DIGEST, "DIGEST",
	  "digest of the container image (default: as on the disk)", NULL, NULL },
	{ "base", 0, OPT_BASE, "DIR",
	  "the base of the image, for name and version (default: as on the\n"
	  "disk); the disk must have its root hash",
	  "@file", NULL },
	{ "output", 'o', OPT_OUTPUT, "FILE", "also write the manifest into FILE", "@file", NULL },
	{ "policy", 0, OPT_POLICY, "FILE", "also write a policy for ccdm-broker into FILE", "@file",
	  NULL },
	{ "platform", 0, OPT_PLATFORM, "P",
	  "what the policy asks for: snp (the default), tdx, or tpm:\n"
	  "a TPM alone, which proves no confidential VM",
	  "snp tdx tpm", NULL },
	{ "mrtd", 0, OPT_MRTD, "HEX", "tdx: MRTD of the firmware; may be repeated", NULL, NULL },
	{ "allow-unknown", 0, OPT_ALLOW_UNKNOWN, NULL,
	  "sign even if the enclave ID for a TPM is unknown", NULL, NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

/* ---- options ------------------------------------------------------------------------ */

static enum ccdm_exit sign_number(const char *text, int64_t *number)
{
	uint64_t svn;

	if (ccdm_ui_number(text, CCDM_MANIFEST_SVN, &svn))
		return CCDM_EXIT_USAGE;
	*number = (int64_t)svn;
	return CCDM_EXIT_OK;
}

static enum ccdm_exit sign_word(const char *text, char *to, size_t size)
{
	if (!text[0] || strlen(text) >= size)
		return CCDM_EXIT_USAGE;
	memcpy(to, text, strlen(text) + 1);
	return CCDM_EXIT_OK;
}

static enum ccdm_exit sign_mrtd(struct sign_args *a, const char *text)
{
	if (strlen(text) != 96 || strspn(text, "0123456789abcdef") != 96 ||
	    json_array_size(a->firmware) == MRTDS)
		return CCDM_EXIT_USAGE;
	return json_array_append_new(a->firmware, json_string(text)) ? CCDM_EXIT_MEMORY
								     : CCDM_EXIT_OK;
}

static enum ccdm_exit sign_take(int option, void *arg)
{
	struct sign_args *a = arg;

	a->policy_words |= option == OPT_PLATFORM || option == OPT_MRTD;
	switch (option) {
	case OPT_SIGNING_KEY:
		a->key = optarg;
		break;
	case OPT_SIGNER:
		a->signer = optarg;
		break;
	case OPT_TO_SIGN:
		a->to_sign = optarg;
		break;
	case OPT_SIGNATURE:
		a->signature = optarg;
		break;
	case OPT_PRODUCT:
		return sign_word(optarg, a->manifest.product, sizeof(a->manifest.product));
	case OPT_SVN:
		return sign_number(optarg, &a->manifest.svn);
	case OPT_IMAGE_DIGEST:
		return sign_word(optarg, a->manifest.image, sizeof(a->manifest.image));
	case OPT_BASE:
		a->base = optarg;
		break;
	case OPT_OUTPUT:
		a->output = optarg;
		break;
	case OPT_POLICY:
		a->policy = optarg;
		break;
	case OPT_PLATFORM:
		return ccdm_policy_platform(optarg, &a->platform) ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
	case OPT_MRTD:
		return sign_mrtd(a, optarg);
	case OPT_ALLOW_UNKNOWN:
		a->allow_unknown = true;
		break;
	case 'j':
		a->json = true;
		break;
	default:
		return ccdm_image_launches_take(option, &a->launches);
	}
	return CCDM_EXIT_OK;
}

/* The usage error if the options do not fit together; NULL if they do. */
static const char *sign_usage(struct sign_args *a)
{
	if (a->signature)
		return a->key || a->signer || !a->to_sign
			       ? "--signature needs --to-sign, without --signing-key and --signer"
		       : a->manifest.product[0] || a->manifest.svn >= 0 || a->manifest.image[0] ||
				       a->base || a->launches.firmware
			       ? "with --signature, product, svn and IDs come from the file of "
				 "--to-sign"
			       : NULL;
	if (a->to_sign && (a->key || !a->signer))
		return "--to-sign needs --signer PUB, or --signature SIG";
	if (!a->to_sign && !a->key)
		return "expected --signing-key KEY, or --to-sign FILE";
	if (a->signer && !a->to_sign)
		return "--signer needs --to-sign FILE";
	if (a->policy_words && !a->policy)
		return "--platform and --mrtd need --policy FILE";
	if (a->to_sign && (a->output || a->policy))
		return "--output and --policy need a signature";
	return ccdm_image_launches_end(&a->launches);
}

/* ---- making the manifest --------------------------------------------------------------- */

/* The name and version of a base count only for a disk with its root hash. */
static int sign_base(struct sign_args *a, const struct ccdm_bootable *b, struct ccdm_err *err)
{
	struct ccdm_base *base;
	int r;

	if (!a->base)
		return 0;
	base = calloc(1, sizeof(*base));
	if (!base)
		return ccdm_err_memory(err);
	r = ccdm_base_open(a->base, base, err);
	if (!r && (b->no_conf[0] || strcasecmp(b->config.base.roothash, base->verity.roothash)))
		r = ccdm_err_set(err, -EINVAL,
				 "%s: the disk has another base: expected root hash %s, found %s",
				 a->base, base->verity.roothash,
				 b->no_conf[0] ? "none" : b->config.base.roothash);
	if (!r && base->svn > CCDM_MANIFEST_SVN)
		r = ccdm_err_set(err, -EINVAL, "%s: svn: expected at most %d", a->base,
				 CCDM_MANIFEST_SVN);
	if (!r) {
		snprintf(a->manifest.base, sizeof(a->manifest.base), "%s", base->name);
		a->manifest.base_svn = (int64_t)base->svn;
	}
	ccdm_base_close(base);
	free(base);
	return r;
}

static int sign_with_key(struct sign_args *a, const struct ccdm_bootable *b, const json_t *proving,
			 char **jws, char *why, size_t why_size, struct ccdm_err *err)
{
	return ccdm_manifest_sign(b, a->key, &a->manifest, proving, a->allow_unknown, jws, why,
				  why_size, err);
}

/* The bytes that somebody signs elsewhere. */
static int sign_write(struct sign_args *a, const struct ccdm_bootable *b, const json_t *proving,
		      char *why, size_t why_size, struct ccdm_err *err)
{
	struct ccdm_jws_key *key;
	char *text = NULL;
	int r = ccdm_jws_key_public(a->signer, &key, err);

	if (r)
		return r;
	r = ccdm_manifest_text(b, key, &a->manifest, proving, a->allow_unknown, &text, why,
			       why_size, err);
	if (!r)
		r = ccdm_file_write(a->to_sign, text, strlen(text), 0644, err);
	ccdm_jws_key_free(key);
	free(text);
	return r;
}

/* *@jws: NULL: the bytes to sign were written */
static int sign_make(struct sign_args *a, const struct ccdm_bootable *b, char **jws,
		     struct ccdm_err *err)
{
	json_t *proving = NULL;
	char why[700] = "";
	int r = ccdm_image_launches_proving(&a->launches, b, &proving, err);

	*jws = NULL;
	if (!r)
		r = sign_base(a, b, err);
	if (!r)
		r = a->key ? sign_with_key(a, b, proving, jws, why, sizeof(why), err)
			   : sign_write(a, b, proving, why, sizeof(why), err);
	if (!r && why[0])
		fprintf(stderr, "%s: not in the manifest: %s\n", CCDM_PROGRAM, why);
	json_decref(proving);
	return r;
}

static int sign_attach(const struct sign_args *a, char **jws, struct ccdm_err *err)
{
	char *text = NULL, *signature = NULL;
	size_t size, text_size;
	int r = ccdm_file_read(a->to_sign, CCDM_MANIFEST_MAX, &text, &text_size, err);

	if (r)
		return r;
	r = ccdm_file_read(a->signature, SIGNATURE_MAX, &signature, &size, err);
	if (r)
		signature = NULL;
	if (!r && strlen(text) != text_size)
		r = ccdm_err_set(err, -EINVAL, "%s: expected the file that --to-sign wrote",
				 a->to_sign);
	if (!r)
		r = ccdm_jws_attach(text, signature, size, jws, err);
	free(text);
	free(signature);
	return r;
}

/*
 * Check a manifest that was signed on another machine: its own key signed it, and it is of this
 * disk.
 */
static int sign_check(struct sign_args *a, const struct ccdm_bootable *b, const char *jws,
		      struct ccdm_err *err)
{
	json_t *ids = NULL, *events = NULL;
	char why[700];
	int r = ccdm_manifest_read(jws, &a->manifest, err);

	if (!r)
		r = ccdm_manifest_predict(b, &ids, &events, why, sizeof(why), err);
	if (!r && json_object_size(ids) && !ccdm_manifest_is_of(&a->manifest, ids))
		r = ccdm_err_set(
			err, -EINVAL,
			"%s: the manifest is not of this disk: it lists none of its enclave "
			"IDs",
			a->to_sign);
	json_decref(ids);
	json_decref(events);
	return r;
}

/* ---- output ----------------------------------------------------------------------------- */

static int sign_policy(const struct sign_args *a, const struct ccdm_bootable *b,
		       struct ccdm_err *err)
{
	json_t *secrets = json_array();
	struct ccdm_policy_words words = { .platform = a->platform,
					   .manifest = &a->manifest,
					   .secrets = secrets,
					   .firmware = a->firmware };
	char *text = NULL;
	unsigned int i;
	int r;

	for (i = 0; !b->no_conf[0] && i < b->config.nr_secrets; i++)
		ccdm_json_add(&secrets, json_string(b->config.secret[i].path));
	r = secrets ? ccdm_policy_text(&words, &text, err) : ccdm_err_memory(err);
	if (!r)
		r = ccdm_file_write(a->policy, text, strlen(text), 0644, err);
	free(text);
	json_decref(secrets);
	return r;
}

static int sign_store(const struct sign_args *a, const struct ccdm_bootable *b, const char *jws,
		      struct ccdm_err *err)
{
	int r = 0;

	if (a->policy)
		r = sign_policy(a, b, err);
	if (!r && a->output)
		r = ccdm_file_write(a->output, jws, strlen(jws), 0644, err);
	if (!r && b->disk)
		r = ccdm_manifest_store(b->source.name, jws, err);
	return r;
}

static enum ccdm_exit sign_print(const struct sign_args *a, const struct ccdm_bootable *b)
{
	const struct ccdm_manifest *m = &a->manifest;
	json_t *payload;
	struct ccdm_err err = { 0 };
	int r;

	if (a->json) {
		r = ccdm_manifest_payload(m, &payload, &err);
		if (r)
			return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
		ccdm_json_put(&payload, "key", json_string(m->key));
		return ccdm_image_print(payload);
	}
	ccdm_ui_line("%s: %s: product %s, svn %" PRId64, b->source.name,
		     a->to_sign && !a->signature ? "to be signed" : "signed", m->product, m->svn);
	printf("signer.key %s\n", m->key);
	if (a->key && !ccdm_jws_deterministic())
		puts("note: this OpenSSL signs with random nonces: another signing of the same disk "
		     "gives another manifest; all that is measured stays the same");
	return CCDM_EXIT_OK;
}

static enum ccdm_exit sign_do(struct sign_args *a, const struct ccdm_bootable *b)
{
	struct ccdm_err err = { 0 };
	char *jws = NULL;
	int r;

	r = a->signature ? sign_attach(a, &jws, &err) : sign_make(a, b, &jws, &err);
	if (!r && a->signature)
		r = sign_check(a, b, jws, &err);
	if (!r && jws)
		r = sign_store(a, b, jws, &err);
	free(jws);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : sign_print(a, b);
}

static enum ccdm_exit cmd_sign(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct sign_args a = { .manifest = { .svn = -1, .base_svn = -1 },
			       .firmware = json_array() };
	struct ccdm_image_disk *disk;
	const char *wrong;
	enum ccdm_exit e;
	bool over;

	ccdm_image_launches_init(&a.launches);
	e = ccdm_image_options(verb, argc, argv, sign_take, &a, &over);
	wrong = over ? NULL : sign_usage(&a);
	disk = over || wrong ? NULL : ccdm_image_load(argv[optind], false, &e);
	if (disk && !disk->boot.disk && !a.output && !a.to_sign)
		wrong = "a UKI alone has no manifest partition: expected --output FILE";
	if (wrong)
		e = ccdm_image_usage(verb, wrong);
	else if (disk)
		e = sign_do(&a, &disk->boot);
	ccdm_image_free(disk);
	ccdm_manifest_drop(&a.manifest);
	json_decref(a.firmware);
	return e;
}

const struct ccdm_image_verb ccdm_verb_sign = {
	.verb = { .name = "sign",
		  .usage = "DISK",
		  .summary = "write a signed manifest of the image: product, version, enclave IDs",
		  .intro =
			  "  DISK is a disk image, a block device, or a UKI alone (with --output)\n",
		  .text = "Only the manifest partition is written, and nothing of it is measured.\n"
			  "With a key on another machine:\n"
			  "  ccdm-image sign DISK --signer pub.pem --to-sign FILE --product web --svn 1\n"
			  "  openssl dgst -sha256 -sign key.pem -out SIG FILE\n"
			  "  ccdm-image sign DISK --to-sign FILE --signature SIG\n",
		  .options = sign_options,
		  .offer = "@file",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_sign,
};
