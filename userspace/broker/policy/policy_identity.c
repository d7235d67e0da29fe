// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* policy_identity.c - see policy_identity.h */
#include <string.h>
#include "base/compiler.h"
#include "policy_identity.h"

/*
 * What a condition guarantees whenever it holds, as a set of these bits. A condition that can never
 * hold guarantees everything, so IMPOSSIBLE has all bits.
 */
enum {
	PINS = 1 << 0, /* which image runs */
	PINS_PCR4 = 1 << 1,
	PINS_PCR9 = 1 << 2,
	ZERO_PCR12 = 1 << 3,
	ZERO_PCR13 = 1 << 4,
	PINS_RTMR1 = 1 << 5,
	PINS_RTMR2 = 1 << 6,
	PINS_PCR2 = 1 << 8,
	PINS_FIRMWARE = 1 << 7, /* which firmware filled the RTMRs; needed for TDX only */
	IMPOSSIBLE = ~0,
};

#define PCRS  (PINS_PCR2 | PINS_PCR4 | PINS_PCR9 | ZERO_PCR12 | ZERO_PCR13)
#define RTMRS (PINS_RTMR1 | PINS_RTMR2)

/* Guarantees are computed for one kind of TEE, with the policy's banks and bindings. */
struct ccdm_way {
	const char *tee;
	const json_t *banks;
	const json_t *bindings;
};

static bool ccdm_way_is(const struct ccdm_way *way, const char *tee)
{
	return !strcmp(way->tee, tee);
}

static bool ccdm_has_word(const json_t *words, const char *word)
{
	size_t i;

	for (i = 0; i < json_array_size(words); i++)
		if (!strcmp(json_string_value(json_array_get(words, i)), word))
			return true;
	return false;
}

/* Is each of @words in @some, which ends with NULL? */
static bool ccdm_only_words(const json_t *words, const char *const *some)
{
	size_t i, k;

	for (i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));

		for (k = 0; some[k] && strcmp(some[k], word); k++)
			;
		if (!some[k])
			return false;
	}
	return json_array_size(words);
}

/* Are all values zero? */
static bool ccdm_all_zero(const json_t *values)
{
	size_t i;

	for (i = 0; i < json_array_size(values); i++) {
		const char *text = json_string_value(json_array_get(values, i));

		if (text[strspn(text, "0")])
			return false;
	}
	return json_array_size(values);
}

static bool ccdm_covers_image(const json_t *value)
{
	return ccdm_has_word(json_object_get(value, "covers"), "image");
}

/* Bindings of guests below another layer; an SVSM exists only on SNP. */
static const char *const ccdm_below[] = { "paravisor", "svsm", NULL };

/* Below a paravisor or an SVSM the launch measurement is theirs, so it never covers the image. */
static bool ccdm_covers_never(const struct ccdm_way *way, const json_t *value)
{
	return json_is_object(value) &&
	       (!ccdm_way_is(way, "snp") ||
		(ccdm_covers_image(value) && ccdm_only_words(way->bindings, ccdm_below)));
}

/*
 * The guarantee of a launch measurement. SNP's pins the image if the firmware hashes kernel, initrd
 * and command line. TDX's pins the firmware; without that, the RTMRs prove nothing, since the
 * firmware fills them.
 */
static int ccdm_way_measurement(const struct ccdm_way *way, const json_t *value)
{
	if (ccdm_way_is(way, "tpm") || ccdm_covers_never(way, value))
		return IMPOSSIBLE;
	return ccdm_way_is(way, "tdx") ? PINS_FIRMWARE : ccdm_covers_image(value) ? PINS : 0;
}

/* An ID of 64 digits covers events; one of 96 digits is SNP's launch measurement. */
static int ccdm_way_enclave_id(const struct ccdm_way *way, const json_t *value)
{
	const json_t *ids = json_is_object(value) ? json_object_get(value, "value") : value;
	size_t i, launches = 0, n = json_array_size(ids);

	for (i = 0; i < n; i++)
		launches += strlen(json_string_value(json_array_get(ids, i))) == 96;
	if (ccdm_covers_never(way, value))
		return IMPOSSIBLE;
	if (launches == n && !ccdm_way_is(way, "snp"))
		return IMPOSSIBLE;
	return !launches || !ccdm_way_is(way, "snp") || ccdm_covers_image(value) ? PINS : 0;
}

static int ccdm_way_pcr(const struct ccdm_way *way, const json_t *value)
{
	const char *bank = json_string_value(json_array_get(json_object_get(value, "bank"), 0));
	const json_t *values = json_object_get(value, "value");

	if (!ccdm_has_word(way->banks, bank))
		return IMPOSSIBLE;
	switch (json_integer_value(json_object_get(value, "index"))) {
	case 2: /* drivers, which run before the programs in PCR 4 */
		return PINS_PCR2;
	case 4:
		return PINS_PCR4;
	case 9:
		return PINS_PCR9;
	case 12:
		return ccdm_all_zero(values) ? ZERO_PCR12 : 0;
	case 13:
		return ccdm_all_zero(values) ? ZERO_PCR13 : 0;
	default:
		return 0;
	}
}

static int ccdm_way_rtmr(const struct ccdm_way *way, const json_t *value)
{
	json_int_t index = json_integer_value(json_object_get(value, "index"));

	if (!ccdm_way_is(way, "tdx"))
		return IMPOSSIBLE;
	return index == 1 ? PINS_RTMR1 : index == 2 ? PINS_RTMR2 : 0;
}

/* An SVSM exists only on AMD processors. */
static int ccdm_way_binding(const struct ccdm_way *way, const json_t *words)
{
	if (ccdm_way_is(way, "tpm"))
		return ccdm_has_word(words, "tpm-only") ? 0 : IMPOSSIBLE;
	/* then the launch measurement is listed, and it covers the firmware */
	if (ccdm_way_is(way, "tdx") && ccdm_has_word(words, "paravisor") &&
	    ccdm_only_words(words, ccdm_below))
		return PINS_FIRMWARE;
	return ccdm_has_word(words, "paravisor") || ccdm_has_word(words, "provider") ||
			       ccdm_has_word(words, "none") ||
			       (ccdm_way_is(way, "snp") && ccdm_has_word(words, "svsm"))
		       ? 0
		       : IMPOSSIBLE;
}

static int ccdm_way_tcb(const struct ccdm_way *way, const struct ccdm_cond *c)
{
	const json_t *status = json_object_get(c->value, "status");
	bool floor = json_object_size(c->value) > !!status;

	if (!c->line)
		return 0;
	if ((floor && !ccdm_way_is(way, "snp")) || ccdm_way_is(way, "tpm"))
		return IMPOSSIBLE;
	/* the other statuses exist only on TDX */
	if (status && ccdm_way_is(way, "snp") && !ccdm_has_word(status, "UpToDate") &&
	    !ccdm_has_word(status, "OutOfDate"))
		return IMPOSSIBLE;
	return 0;
}

static int ccdm_way_cond(const struct ccdm_way *way, const struct ccdm_cond *c);

static int ccdm_way_many(const struct ccdm_way *way, const struct ccdm_cond *c)
{
	int all = 0, any = IMPOSSIBLE, one;
	const struct ccdm_cond *child;

	for (child = c->child; child; child = child->next) {
		one = ccdm_way_cond(way, child);
		all |= one;
		any &= one;
	}
	if ((all & PCRS) == PCRS || (all & RTMRS) == RTMRS)
		all |= PINS;
	/* A negated condition excludes something, but guarantees nothing. */
	if (c->kind == CCDM_COND_NOT)
		return 0;
	return c->kind == CCDM_COND_ANY ? any : all;
}

static int ccdm_way_cond(const struct ccdm_way *way, const struct ccdm_cond *c)
{
	switch (c->kind) {
	case CCDM_COND_ALL:
	case CCDM_COND_ANY:
	case CCDM_COND_NOT:
		return ccdm_way_many(way, c);
	case CCDM_COND_TEE:
		return ccdm_has_word(c->value, way->tee) ? 0 : IMPOSSIBLE;
	case CCDM_COND_MEASUREMENT:
		return ccdm_way_measurement(way, c->value);
	case CCDM_COND_ENCLAVE_ID:
		return ccdm_way_enclave_id(way, c->value);
	case CCDM_COND_PCR:
		return ccdm_way_pcr(way, c->value);
	case CCDM_COND_RTMR:
		return ccdm_way_rtmr(way, c->value);
	case CCDM_COND_EVENT:
		return !strncmp(json_string_value(json_object_get(c->value, "register")), "rtmr",
				4) && !ccdm_way_is(way, "tdx")
			       ? IMPOSSIBLE
			       : 0;
	case CCDM_COND_BINDING:
		return ccdm_way_binding(way, c->value);
	case CCDM_COND_TCB:
		return ccdm_way_tcb(way, c);
	case CCDM_COND_VMPL:
		return c->line && !ccdm_way_is(way, "snp") ? IMPOSSIBLE : 0;
	case CCDM_COND_DEBUG:
		return c->line && ccdm_way_is(way, "tpm") ? IMPOSSIBLE : 0;
	case CCDM_COND_HOST_DATA:
	case CCDM_COND_ID_KEY:
	case CCDM_COND_AUTHOR_KEY:
	case CCDM_COND_CHIP:
	case CCDM_COND_GENERATION:
	case CCDM_COND_ALIAS_CHECK:
		return ccdm_way_is(way, "snp") ? 0 : IMPOSSIBLE;
	case CCDM_COND_SIGNER:
		return PINS;
	case CCDM_COND_IDENTITY:
		return PINS | PINS_FIRMWARE;
	default:
		return 0;
	}
}

/* The words of a condition that each policy has, given or by default. */
static const json_t *ccdm_policy_words(const struct ccdm_cond *require, enum ccdm_cond_kind kind)
{
	const struct ccdm_cond *c;

	for (c = require->child; c; c = c->next)
		if (c->kind == kind)
			return c->value;
	return NULL;
}

enum ccdm_policy_outcome ccdm_policy_outcome(const struct ccdm_cond *require)
{
	static const char *const tees[] = { "snp", "tdx", "tpm" };
	bool possible = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tees); i++) {
		const struct ccdm_way way = { tees[i], ccdm_policy_words(require, CCDM_COND_BANK),
					      ccdm_policy_words(require, CCDM_COND_BINDING) };
		int all = ccdm_way_cond(&way, require);

		if (all == IMPOSSIBLE)
			continue;
		possible = true;
		if (!(all & PINS))
			return CCDM_POLICY_NO_IMAGE;
		if (ccdm_way_is(&way, "tdx") && !(all & PINS_FIRMWARE))
			return CCDM_POLICY_NO_FIRMWARE;
	}
	return possible ? CCDM_POLICY_MAY_OPEN : CCDM_POLICY_NEVER;
}

const char *ccdm_policy_reason(enum ccdm_policy_outcome outcome)
{
	switch (outcome) {
	case CCDM_POLICY_NO_IMAGE:
		return "no condition pins the image: expected an enclave-id, a signer, a "
		       "measurement with covers: image (SNP), PCR 2, 4 and 9 with 12 and "
		       "13 zero, or RTMR 1 and 2; say \"identity: any\" if any guest may "
		       "have the secrets";
	case CCDM_POLICY_NO_FIRMWARE:
		return "no condition pins the image: on TDX the firmware fills the RTMRs, and "
		       "other firmware of the host can fill them with the same values; add the "
		       "measurement of the firmware (MRTD)";
	case CCDM_POLICY_NEVER:
		return "it can never hold: its conditions exclude each other, or require "
		       "something that no evidence proves on that platform";
	case CCDM_POLICY_MAY_OPEN:
		return "it may open secrets";
	case CCDM_POLICY_UNJUDGED:
		break;
	}
	return "its conditions were not checked";
}
