// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* policy_text.c - see policy_text.h */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kbs/kbs.h"
#include "policy_text.h"

#define NAME "abcdefghijklmnopqrstuvwxyz0123456789-_."

static const char *const ccdm_policy_platforms[] = {
	[CCDM_POLICY_SNP] = "snp",
	[CCDM_POLICY_TDX] = "tdx",
	[CCDM_POLICY_TPM] = "tpm",
};

int ccdm_policy_platform(const char *word, enum ccdm_policy_platform *platform)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_policy_platforms); i++)
		if (!strcmp(word, ccdm_policy_platforms[i])) {
			*platform = i;
			return 0;
		}
	return -EINVAL;
}

/* A product as the name of a policy: other letters become "-". */
static void ccdm_policy_name(const char *product, char name[65])
{
	size_t i;

	for (i = 0; product[i] && i < 64; i++) {
		char c = product[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		name[i] = strchr(NAME, c) ? c : '-';
	}
	name[i] = '\0';
}

/* A text in double quotes, as YAML and JSON have it. */
static int ccdm_policy_quoted(FILE *to, const char *text)
{
	json_t *value = json_string(text);
	char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

	json_decref(value);
	if (!quoted)
		return -ENOMEM;
	fputs(quoted, to);
	free(quoted);
	return 0;
}

static int ccdm_policy_secrets(FILE *to, const json_t *secrets, struct ccdm_err *err)
{
	const char *text, *other;
	size_t i, k;

	fputs("secrets: [", to);
	for (i = 0; i < json_array_size(secrets); i++) {
		text = json_string_value(json_array_get(secrets, i));
		if (!text || !ccdm_kbs_path_good(text))
			return ccdm_err_set(err, -EINVAL, "secret '%.80s': expected REPO/TYPE/TAG",
					    text ? text : "");
		for (k = 0; k < i; k++) {
			other = json_string_value(json_array_get(secrets, k));
			if (!strcmp(other, text))
				break;
		}
		if (k == i)
			fprintf(to, "%s%s", i ? ", " : "", text);
	}
	fputs("]\n", to);
	return 0;
}

/* Hexadecimal digits of a list, one a line. @digits: only those with so many; 0: all */
static unsigned int ccdm_policy_list(FILE *to, const char *indent, const json_t *list,
				     size_t digits)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const char *hex = json_string_value(json_array_get(list, i));

		if (!hex || (digits && strlen(hex) != digits))
			continue;
		fprintf(to, "%s- %s\n", indent, hex);
		n++;
	}
	return n;
}

static int ccdm_policy_firmware(FILE *to, const struct ccdm_policy_words *w, struct ccdm_err *err)
{
	if (w->platform != CCDM_POLICY_TDX)
		return 0;
	fputs("  measurement:  # MRTD: the firmware\n", to);
	if (ccdm_policy_list(to, "    ", w->firmware, 96))
		return 0;
	ccdm_err_hint(err, "give the MRTD of your cloud's or your own firmware");
	return ccdm_err_set(
		err, -EINVAL,
		"a policy for tdx: expected the MRTD of the firmware: the firmware fills "
		"the registers, so they prove nothing without it");
}

static int ccdm_policy_signer(FILE *to, const struct ccdm_manifest *m)
{
	int r;

	fprintf(to, "  signer:\n    key: %s\n    product: ", m->key);
	r = ccdm_policy_quoted(to, m->product);
	fprintf(to, "\n    svn: %" PRId64 "  # the lowest: later images need no other policy\n",
		m->svn);
	if (m->base[0])
		fprintf(to, "    base-svn: %" PRId64 "\n", m->base_svn);
	return r;
}

/* IDs of this image alone. */
static int ccdm_policy_ids(FILE *to, const struct ccdm_policy_words *w, struct ccdm_err *err)
{
	const char *platform = ccdm_policy_platforms[w->platform];
	const json_t *ids = json_object_get(w->manifest->ids, platform);
	unsigned int n = 0;

	if (w->platform == CCDM_POLICY_SNP && json_array_size(ids)) {
		/* the firmware hashes the UKI */
		fputs("  enclave-id:\n    covers: image\n    value:\n", to);
		n = ccdm_policy_list(to, "    ", ids, 0);
		return n ? 0 : -EINVAL;
	}
	/* by the events in a TPM that is bound to the machine */
	if (w->platform == CCDM_POLICY_SNP)
		ids = json_object_get(w->manifest->ids, "tpm");
	fputs("  enclave-id:\n", to);
	n = ccdm_policy_list(to, "    ", ids, 64);
	if (n)
		return 0;
	return ccdm_err_set(
		err, -EINVAL,
		"a policy for %s: the image has no known enclave ID; \"ccdm-image measure\" "
		"says why",
		platform);
}

static int ccdm_policy_write(FILE *to, const struct ccdm_policy_words *w, struct ccdm_err *err)
{
	const struct ccdm_manifest *m = w->manifest;
	char name[65];
	int r;

	if (!json_array_size(w->secrets)) {
		ccdm_err_hint(err, "name its secrets in [secrets] of ccdm.conf");
		return ccdm_err_set(
			err, -ENODATA,
			"a policy: the image asks for no secret, so there is none to release");
	}
	ccdm_policy_name(m->product, name);
	fprintf(to, "# Add it to a broker: ccdm-broker policy add FILE\nname: %s\n", name);
	r = ccdm_policy_secrets(to, w->secrets, err);
	if (r)
		return r;
	fprintf(to, "require:\n  tee: %s\n", ccdm_policy_platforms[w->platform]);
	if (w->platform == CCDM_POLICY_TPM)
		fputs("  binding: tpm-only  # no confidential VM: its host can read all of it\n",
		      to);
	r = ccdm_policy_firmware(to, w, err);
	if (r)
		return r;
	return m->key[0] ? ccdm_policy_signer(to, m) : ccdm_policy_ids(to, w, err);
}

int ccdm_policy_text(const struct ccdm_policy_words *w, char **text, struct ccdm_err *err)
{
	size_t size;
	FILE *to = open_memstream(text, &size);
	int r;

	if (!to)
		return ccdm_err_memory(err);
	r = ccdm_policy_write(to, w, err);
	if (fclose(to))
		r = -ENOMEM;
	if (r) {
		free(*text);
		*text = NULL;
	}
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}
