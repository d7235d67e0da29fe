// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* policy_fields.c - the conditions of a policy: names, members and values */
#include <errno.h>
#include <string.h>
#include "base/compiler.h"
#include "crypto/digest.h"
#include "policy_fields.h"

/* ---- names ---------------------------------------------------------------------- */

static const char *const ccdm_cond_names[] = {
	[CCDM_COND_TEE] = "tee",
	[CCDM_COND_DEBUG] = "debug",
	[CCDM_COND_VMPL] = "vmpl",
	[CCDM_COND_TCB] = "tcb",
	[CCDM_COND_MEASUREMENT] = "measurement",
	[CCDM_COND_ENCLAVE_ID] = "enclave-id",
	[CCDM_COND_SIGNER] = "signer",
	[CCDM_COND_PCR] = "pcr",
	[CCDM_COND_RTMR] = "rtmr",
	[CCDM_COND_EVENT] = "event",
	[CCDM_COND_BANK] = "bank",
	[CCDM_COND_HOST_DATA] = "host-data",
	[CCDM_COND_ID_KEY] = "id-key",
	[CCDM_COND_AUTHOR_KEY] = "author-key",
	[CCDM_COND_CHIP] = "chip",
	[CCDM_COND_GENERATION] = "generation",
	[CCDM_COND_ALIAS_CHECK] = "alias-check",
	[CCDM_COND_IDENTITY] = "identity",
	[CCDM_COND_BINDING] = "binding",
	[CCDM_COND_PHASE] = "phase",
	[CCDM_COND_ALL] = "all",
	[CCDM_COND_ANY] = "any",
	[CCDM_COND_NOT] = "not",
};

#define CCDM_CONDS (ARRAY_SIZE(ccdm_cond_names))

const char *ccdm_cond_name(enum ccdm_cond_kind kind)
{
	return ccdm_cond_names[kind];
}

bool ccdm_cond_find(const char *word, enum ccdm_cond_kind *kind)
{
	for (*kind = 0; *kind < CCDM_CONDS; (*kind)++)
		if (!strcmp(word, ccdm_cond_names[*kind]))
			return true;
	return false;
}

/* ---- members of conditions ------------------------------------------------------ */

static const char *const ccdm_banks[] = { "sha256", "sha384", "sha512", NULL };
static const char *const ccdm_covers[] = { "image", "firmware", NULL };
static const char *const ccdm_statuses[] = { "UpToDate",
					     "SWHardeningNeeded",
					     "ConfigurationNeeded",
					     "ConfigurationAndSWHardeningNeeded",
					     "OutOfDate",
					     "OutOfDateConfigurationNeeded",
					     NULL };
/*
 * Members of signer, pcr, rtmr, event, tcb, measurement and enclave-id: one of the words, or @min
 * to @max hexadecimal digits; a number up to @most; a name; a register.
 */
static const struct ccdm_member {
	enum ccdm_cond_kind kind;
	enum { A_WORD, A_NUMBER, A_NAME, A_REGISTER } is;
	const char *name;
	const char *const *words;
	unsigned int min, max;
	unsigned int most;
} ccdm_members[] = {
	{ CCDM_COND_SIGNER, A_WORD, "key", NULL, 64, 64, 0 },
	{ CCDM_COND_SIGNER, A_NAME, "product", NULL, 0, 0, 0 },
	{ CCDM_COND_SIGNER, A_NUMBER, "svn", NULL, 0, 0, UINT32_MAX },
	{ CCDM_COND_SIGNER, A_NUMBER, "base-svn", NULL, 0, 0, UINT32_MAX },
	{ CCDM_COND_PCR, A_WORD, "bank", ccdm_banks, 0, 0, 0 },
	/* the running system can reset PCRs 16 to 23 */
	{ CCDM_COND_PCR, A_NUMBER, "index", NULL, 0, 0, 15 },
	{ CCDM_COND_PCR, A_WORD, "value", NULL, 64, 2 * CCDM_DIGEST_MAX, 0 },
	{ CCDM_COND_RTMR, A_NUMBER, "index", NULL, 0, 0, 3 },
	{ CCDM_COND_RTMR, A_WORD, "value", NULL, 96, 96, 0 },
	{ CCDM_COND_MEASUREMENT, A_WORD, "value", NULL, 96, 96, 0 },
	{ CCDM_COND_MEASUREMENT, A_WORD, "covers", ccdm_covers, 0, 0, 0 },
	{ CCDM_COND_ENCLAVE_ID, A_WORD, "value", NULL, 64, 96, 0 },
	{ CCDM_COND_ENCLAVE_ID, A_WORD, "covers", ccdm_covers, 0, 0, 0 },
	{ CCDM_COND_EVENT, A_REGISTER, "register", NULL, 0, 0, 0 },
	{ CCDM_COND_EVENT, A_NAME, "name", NULL, 0, 0, 0 },
	{ CCDM_COND_EVENT, A_WORD, "digest", NULL, 64, 2 * CCDM_DIGEST_MAX, 0 },
	{ CCDM_COND_TCB, A_WORD, "status", ccdm_statuses, 0, 0, 0 },
	{ CCDM_COND_TCB, A_NUMBER, "fmc", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "bootloader", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "tee", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "snp", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "microcode", NULL, 0, 0, 255 },
};

/* The condition whose members are parsed, and the result. */
struct ccdm_part {
	enum ccdm_cond_kind kind;
	json_t *to;
};

static int ccdm_part_take(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			  const yaml_node_t *n, void *arg)
{
	const struct ccdm_member *m, *end = ccdm_members + ARRAY_SIZE(ccdm_members);
	struct ccdm_part *part = arg;
	json_t *value;
	int r;

	for (m = ccdm_members; m < end; m++)
		if (m->kind == part->kind && !strcmp(word, m->name))
			break;
	if (m == end)
		return ccdm_yaml_bad(y, key, "unknown key:", word);
	if (m->is == A_WORD)
		value = ccdm_value_words(y, n, m->words, m->min, m->max, &r);
	else if (m->is == A_NUMBER)
		value = ccdm_value_number(y, n, m->most, &r);
	else if (m->is == A_REGISTER)
		value = ccdm_value_register(y, n, &r);
	else
		value = ccdm_value_name(y, n, &r);
	if (!value)
		return r ? r : -ENOMEM;
	if (json_object_set_new(part->to, word, value))
		return -ENOMEM;
	return r;
}

/* Check that all required members exist. */
static int ccdm_parts_all(struct ccdm_yaml *y, const yaml_node_t *n, const json_t *o,
			  const char *const *need, const char *why)
{
	for (; *need; need++)
		if (!json_object_get(o, *need))
			return ccdm_yaml_bad(y, n, why, *need);
	return 0;
}

static json_t *ccdm_value_parts(struct ccdm_yaml *y, const yaml_node_t *n, enum ccdm_cond_kind kind,
				int *r)
{
	static const char *const signer[] = { "key", "product", "svn", NULL };
	static const char *const reg[] = { "index", "value", NULL };
	static const char *const covered[] = { "value", "covers", NULL };
	static const char *const event[] = { "register", NULL };
	struct ccdm_part part = { kind, json_object() };

	*r = part.to ? ccdm_yaml_members(y, n, ccdm_part_take, &part) : -ENOMEM;
	if (*r)
		return part.to;
	/* the same key also signed old images with vulnerabilities, so require product and svn */
	if (kind == CCDM_COND_SIGNER)
		*r = ccdm_parts_all(y, n, part.to, signer, "a signer must have the key");
	else if (kind == CCDM_COND_PCR)
		*r = ccdm_parts_all(y, n, part.to, reg, "a PCR must have the key");
	else if (kind == CCDM_COND_RTMR)
		*r = ccdm_parts_all(y, n, part.to, reg, "an RTMR must have the key");
	else if (kind == CCDM_COND_MEASUREMENT || kind == CCDM_COND_ENCLAVE_ID)
		*r = ccdm_parts_all(y, n, part.to, covered, "missing key");
	else if (kind == CCDM_COND_EVENT)
		*r = ccdm_parts_all(y, n, part.to, event, "an event must have the key");
	if (!*r && kind == CCDM_COND_PCR && !json_object_get(part.to, "bank") &&
	    json_object_set_new(part.to, "bank", json_pack("[s]", "sha256")))
		*r = -ENOMEM;
	if (!*r && kind == CCDM_COND_PCR && json_array_size(json_object_get(part.to, "bank")) != 1)
		*r = ccdm_yaml_bad(y, n, "expected one bank for a PCR", NULL);
	if (!*r && kind != CCDM_COND_PCR && json_array_size(json_object_get(part.to, "covers")) > 1)
		*r = ccdm_yaml_bad(y, n, "covers: expected image or firmware", NULL);
	if (!*r && kind == CCDM_COND_EVENT && !json_object_get(part.to, "name") &&
	    !json_object_get(part.to, "digest"))
		*r = ccdm_yaml_bad(y, n, "an event must have a name or a digest", NULL);
	if (!*r && !json_object_size(part.to))
		*r = ccdm_yaml_bad(y, n, "expected at least one member", NULL);
	return part.to;
}

/* ---- values --------------------------------------------------------------------- */

json_t *ccdm_cond_value(struct ccdm_yaml *y, const yaml_node_t *n, enum ccdm_cond_kind kind, int *r)
{
	static const char *const tees[] = { "snp", "tdx", "tpm", NULL };
	static const char *const bindings[] = { "paravisor", "svsm",	 "provider",
						"none",	     "tpm-only", NULL };
	static const char *const phases[] = { "initrd", "running", "unknown", NULL };
	static const char *const generations[] = { "Milan", "Genoa", "Turin", "Venice", NULL };
	static const char *const any[] = { "any", NULL };

	switch (kind) {
	case CCDM_COND_TEE:
		return ccdm_value_words(y, n, tees, 0, 0, r);
	case CCDM_COND_DEBUG:
	case CCDM_COND_ALIAS_CHECK:
		return ccdm_value_bool(y, n, r);
	case CCDM_COND_VMPL:
		return ccdm_value_number(y, n, 3, r);
	case CCDM_COND_MEASUREMENT:
		return n->type == YAML_MAPPING_NODE ? ccdm_value_parts(y, n, kind, r)
						    : ccdm_value_words(y, n, NULL, 96, 96, r);
	case CCDM_COND_ENCLAVE_ID:
		return n->type == YAML_MAPPING_NODE ? ccdm_value_parts(y, n, kind, r)
						    : ccdm_value_words(y, n, NULL, 64, 96, r);
	case CCDM_COND_BANK:
		return ccdm_value_words(y, n, ccdm_banks, 0, 0, r);
	case CCDM_COND_HOST_DATA:
		return ccdm_value_words(y, n, NULL, 64, 64, r);
	case CCDM_COND_ID_KEY:
	case CCDM_COND_AUTHOR_KEY:
		return ccdm_value_words(y, n, NULL, 96, 96, r);
	case CCDM_COND_CHIP:
		return ccdm_value_words(y, n, NULL, 16, 128, r);
	case CCDM_COND_GENERATION:
		return ccdm_value_words(y, n, generations, 0, 0, r);
	case CCDM_COND_IDENTITY:
		return ccdm_value_words(y, n, any, 0, 0, r);
	case CCDM_COND_BINDING:
		return ccdm_value_words(y, n, bindings, 0, 0, r);
	case CCDM_COND_PHASE:
		return ccdm_value_words(y, n, phases, 0, 0, r);
	default:
		return ccdm_value_parts(y, n, kind, r);
	}
}
