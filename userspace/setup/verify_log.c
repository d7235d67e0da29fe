// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verify_log.c - see verify_log.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "base/json.h"
#include "setup.h"
#include "verify_log.h"

/* Parse a register's name. "rtmr0" is register 1 in the log of a confidential guest. */
static bool verify_register(const char *name, unsigned int *index)
{
	bool rtmr = !strncmp(name, "rtmr", 4);
	const char *digits = name + (rtmr ? 4 : 0);
	unsigned long n;
	char *end;

	n = strtoul(digits, &end, 10);
	if (!strchr("0123456789", *digits) || end == digits || *end ||
	    n >= (rtmr ? 4 : CCDM_REGISTERS))
		return false;
	*index = (unsigned int)n + rtmr;
	return true;
}

/* One expected register. */
struct verify_register {
	const char *bank;
	const char *name;
	const char *hex;
	uint16_t alg;
	bool rtmr;
	unsigned int index; /* the register's number in a bank of the log */
	uint8_t value[CCDM_DIGEST_MAX];
};

/* State while registers are compared. */
struct verify_log {
	const struct verify_expected *expected;
	const struct ccdm_banks *banks;
	const struct ccdm_bootlog *log;
	struct ccdm_registers regs;
	struct ccdm_proof *proof;
	struct ccdm_verdict *v;
	uint32_t touched[2]; /* PCRs and RTMRs with an event in the log of ccdm or systemd */
	uint32_t covered;    /* registers that the quote covers, in its one bank */
	uint16_t alg;
	bool rtmr;
};

/* Facts need the registers of one bank only: prefer RTMRs, then SHA-256, then another. */
static void verify_register_note(struct verify_log *l, const struct verify_register *one)
{
	struct ccdm_registers *regs = &l->regs;
	bool better = !regs->bank || (one->rtmr && !regs->rtmr) ||
		      (!regs->rtmr && one->alg == ccdm_digest_alg("sha256"));
	unsigned int index = one->index - one->rtmr;

	if (one->alg == ccdm_digest_alg("sha1"))
		return;
	if (better && (regs->bank != one->alg || regs->rtmr != one->rtmr)) {
		memset(regs, 0, sizeof(*regs));
		regs->bank = one->alg;
		regs->rtmr = one->rtmr;
	}
	if (regs->bank != one->alg || regs->rtmr != one->rtmr)
		return;
	regs->covered |= 1U << index;
	memcpy(regs->value[index], one->value, ccdm_digest_size(one->alg));
}

/* Do all logs together replay to the register's value? Only then are its events facts. */
static bool verify_register_proved(const struct verify_log *l, const struct verify_register *one,
				   bool firmware)
{
	const json_t *said;
	const char *text;
	char want[16];
	size_t i;

	snprintf(want, sizeof(want), "%s%u", one->rtmr ? "rtmr" : "pcr", one->index - one->rtmr);
	json_array_foreach(json_object_get(l->proof->facts, "events"), i, said)
	{
		text = json_string_value(json_object_get(said, "register"));
		if (text && !strcmp(text, want))
			return true;
	}
	/* The register has no event, or (as a note says) its events replay to another value. */
	json_array_foreach(l->proof->notes, i, said)
	{
		text = json_string_value(said);
		if (text && !strncmp(text, want, strlen(want)) && text[strlen(want)] == ':')
			return false;
	}
	return firmware;
}

/* Does any log have an event of the register? */
static bool verify_register_touched(const struct verify_log *l, const struct ccdm_bank *bank,
				    bool rtmr, unsigned int number)
{
	return (bank && bank->used[number + rtmr]) || l->touched[rtmr] >> number & 1;
}

/*
 * Does the register still have its initial value? PCRs 17 to 22 start with ones, for a dynamic root
 * of trust.
 */
static bool verify_register_first(const struct verify_register *one, uint16_t size)
{
	uint8_t first[CCDM_DIGEST_MAX];

	memset(first, !one->rtmr && one->index >= 17 && one->index <= 22 ? 0xff : 0, size);
	return !memcmp(one->value, first, size);
}

static bool verify_register_counts(const struct verify_log *l, unsigned int number)
{
	return !l->expected->only || l->expected->only >> number & 1;
}

static void verify_register_check(const struct verify_log *l, const struct verify_register *one)
{
	const struct ccdm_bank *bank = ccdm_banks_find(l->banks, one->alg);
	char value[2 * CCDM_DIGEST_MAX + 1], check[40];
	const char *found = "the log has no such bank";
	uint16_t size = ccdm_digest_size(one->alg);
	bool good = bank && !memcmp(bank->value[one->index].bytes, one->value, size);

	if (bank) {
		ccdm_hex(bank->value[one->index].bytes, size, value);
		found = value;
	}
	if (l->expected->quote && bank &&
	    !verify_register_touched(l, bank, one->rtmr, one->index - one->rtmr)) {
		good = verify_register_first(one, size);
		found = good ? one->hex : "the logs have no event of it";
	} else if (l->log->ccdm || l->log->systemd) {
		bool same = one->alg == l->regs.bank && one->rtmr == l->regs.rtmr;

		good = same && verify_register_proved(l, one, good);
		found = good   ? one->hex
			: same ? "the logs replay to another value"
			       : "not compared: several logs are compared in one bank only";
	}
	snprintf(check, sizeof(check), "%s-%s", one->bank, one->name);
	ccdm_verdict_add(l->v, check, good, 0, one->hex, "%s", found);
}

static int verify_expect_one(struct verify_log *l, const char *bank, const char *name,
			     const json_t *value, bool check, struct ccdm_err *err)
{
	struct verify_register one = { .bank = bank,
				       .name = name,
				       .hex = json_string_value(value),
				       .alg = ccdm_digest_alg(bank),
				       .rtmr = !strncmp(name, "rtmr", 4) };
	uint16_t size = ccdm_digest_size(one.alg);

	if (!size || !verify_register(name, &one.index) || !one.hex ||
	    ccdm_unhex(one.hex, one.value, size))
		return ccdm_err_set(err, -EINVAL,
				    "expected registers: %s %s is not a register with a value",
				    bank, name);
	l->alg = one.alg;
	l->rtmr = one.rtmr;
	if (!verify_register_counts(l, one.index - one.rtmr))
		return 0;
	l->covered |= 1U << (one.index - one.rtmr);
	if (check)
		verify_register_check(l, &one);
	else
		verify_register_note(l, &one);
	return 0;
}

/* @check: compare the log with the registers; else only collect them. */
static int verify_expect_all(struct verify_log *l, const json_t *o, bool check,
			     struct ccdm_err *err)
{
	const char *key, *name;
	json_t *value, *inner;
	int r = 0;

	json_object_foreach((json_t *)o, key, value)
	{
		if (!r && !json_is_object(value))
			r = verify_expect_one(l, "sha384", key, value, check, err);
		json_object_foreach(value, name, inner) if (!r) r =
			verify_expect_one(l, key, name, inner, check, err);
	}
	return r;
}

static int verify_log_facts(struct verify_log *l, struct ccdm_err *err)
{
	struct ccdm_proof *proof = l->proof;

	proof->facts = json_object();
	proof->notes = json_array();
	if (!proof->facts || !proof->notes)
		return ccdm_err_memory(err);
	return l->regs.bank
		       ? ccdm_bootlog_facts(l->log, &l->regs, proof->facts, proof->notes, NULL, err)
		       : 0;
}

static int verify_log_touch(const struct ccdm_event *event, void *arg)
{
	struct verify_log *l = arg;

	if (event->index < CCDM_REGISTERS)
		l->touched[event->rtmr] |= 1U << event->index;
	return 0;
}

/* Find the registers with events in the log of ccdm or systemd. */
static int verify_log_touched(struct verify_log *l, struct ccdm_err *err)
{
	int r = 0;

	if (l->log->ccdm)
		r = ccdm_eventlog_parse(l->log->ccdm, l->log->ccdm_size, verify_log_touch, l, err);
	if (!r && l->log->systemd)
		r = ccdm_eventlog_parse(l->log->systemd, l->log->systemd_size, verify_log_touch, l,
					err);
	return r;
}

static int verify_log_note(const struct verify_log *l, json_t *note)
{
	return json_array_append_new(l->proof->notes, note) ? -ENOMEM : 0;
}

/*
 * Report registers that the quote omits: those that logs have events of, and those that the user
 * asked for. The maker of a quote chooses what it covers, and must not choose what is compared.
 */
static int verify_log_uncovered(const struct verify_log *l)
{
	const struct ccdm_bank *bank = ccdm_banks_find(l->banks, l->alg);
	unsigned int i, registers = CCDM_REGISTERS - l->rtmr;
	char check[40];
	int r = 0;

	for (i = 0; i < registers; i++) {
		bool touched = verify_register_touched(l, bank, l->rtmr, i);

		snprintf(check, sizeof(check), "%s-%s%u", ccdm_digest_name(l->alg),
			 l->rtmr ? "rtmr" : "", i);
		if (!verify_register_counts(l, i) && touched)
			r |= verify_log_note(
				l,
				json_sprintf(
					"%s: not compared, because --registers leaves it out; its events are not "
					"proved",
					check));
		else if (verify_register_counts(l, i) && !(l->covered >> i & 1) &&
			 (touched || l->expected->only >> i & 1))
			ccdm_verdict_add(l->v, check, false, 0, "a register that the quote covers",
					 "not in the quote");
	}
	if (l->rtmr && bank && bank->used[0])
		ccdm_verdict_add(l->v, "mrtd", false, 0, "no event: the launch sets MRTD",
				 "the log has events of it");
	for (i = 0; i < l->banks->count; i++)
		if (l->banks->bank[i].alg != l->alg)
			r |= verify_log_note(l,
					     json_sprintf("%s: the quote does not cover this "
							  "bank of the log; its digests are "
							  "not proved",
							  ccdm_digest_name(l->banks->bank[i].alg)));
	if (l->touched[!l->rtmr])
		r |= verify_log_note(
			l,
			json_sprintf(
				"the logs have events of %s, which are not proved: the quote covers %s",
				l->rtmr ? "PCRs" : "RTMRs", l->rtmr ? "RTMRs" : "PCRs"));
	return r ? -ENOMEM : 0;
}

int verify_log_expect(const struct verify_expected *expected, const struct ccdm_bootlog *log,
		      const struct ccdm_banks *banks, struct ccdm_verdict *v,
		      struct ccdm_proof *proof, struct ccdm_err *err)
{
	struct verify_log l = {
		.expected = expected, .banks = banks, .log = log, .proof = proof, .v = v
	};
	int r = 0;

	if (!json_object_size(expected->registers))
		r = ccdm_err_set(err, -EINVAL, "expected registers: found none");
	if (!r)
		r = verify_log_touched(&l, err);
	if (!r)
		r = verify_expect_all(&l, expected->registers, false, err);
	if (!r)
		r = verify_log_facts(&l, err);
	if (!r)
		r = verify_expect_all(&l, expected->registers, true, err);
	if (!r && expected->quote)
		r = verify_log_uncovered(&l);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}

enum ccdm_exit verify_log_print(const struct ccdm_banks *banks, bool as_json)
{
	char hex[2 * CCDM_DIGEST_MAX + 1], index[4];
	json_t *all = json_object(), *values;
	unsigned int i, k;

	for (i = 0; i < banks->count; i++) {
		const struct ccdm_bank *bank = &banks->bank[i];
		const char *name = ccdm_digest_name(bank->alg);

		values = json_object();
		for (k = 0; k < CCDM_REGISTERS; k++) {
			if (!bank->used[k])
				continue;
			ccdm_hex(bank->value[k].bytes, bank->value[k].size, hex);
			snprintf(index, sizeof(index), "%u", k);
			ccdm_json_put(&values, index, json_string(hex));
			if (!as_json)
				printf("%s %u %s\n", name, k, hex);
		}
		ccdm_json_put(&all, name, values);
	}
	if (as_json)
		return ccdm_setup_print(all);
	json_decref(all);
	return CCDM_EXIT_OK;
}
