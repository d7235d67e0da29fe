// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* bootlog.c - see bootlog.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bootlog.h"
#include "enclave_id.h"

#define ENTRIES 16384 /* events of all logs */
#define TRIES	128   /* positions among systemd's events that are tried for the cap */

/* State while the logs are read. */
struct ccdm_reader {
	const struct ccdm_registers *regs;
	struct ccdm_known_events known;
	struct ccdm_boot_event *entry;
	size_t count;
	enum ccdm_part part;
	struct ccdm_digest begin; /* the value of register 0 before its first event */
	uint32_t lacking;	  /* bit i: an event of register i has no digest of this bank */
};

static size_t ccdm_part_count(const struct ccdm_reader *r, unsigned int reg, enum ccdm_part part)
{
	size_t i, n = 0;

	for (i = 0; i < r->count; i++)
		n += r->entry[i].reg == reg && r->entry[i].part == part;
	return n;
}

/* ---- reading --------------------------------------------------------------- */

/*
 * Add an event. @name: the text of a record that ccdm wrote, already checked against the digest; an
 * event with a known digest takes the name of the known event.
 */
static int ccdm_reader_add(struct ccdm_reader *r, enum ccdm_part part, unsigned int reg,
			   const struct ccdm_digests *digests, const char *name, bool gpt)
{
	const struct ccdm_known_event *known;
	struct ccdm_boot_event *e, *more;
	unsigned int i;

	for (i = 0; i < digests->count && digests->digest[i].alg != r->regs->bank; i++)
		;
	if (reg >= CCDM_REGISTERS)
		return 0;
	if (r->count == ENTRIES)
		return -E2BIG;
	if (!(r->count & (r->count - 1))) {
		more = realloc(r->entry, (r->count ? 2 * r->count : 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		r->entry = more;
	}
	e = &r->entry[r->count++];
	memset(e, 0, sizeof(*e));
	e->part = part;
	e->reg = reg;
	e->gpt = gpt;
	if (i < digests->count)
		memcpy(e->digest, digests->digest[i].bytes, digests->digest[i].size);
	else
		r->lacking |= 1U << reg;
	known = i < digests->count ? ccdm_known_event(&r->known, e->digest) : NULL;
	if (known)
		name = known->name;
	/* Leave out a name that does not fit: another name could have the same beginning. */
	if (strcspn(name, ":") < sizeof(e->name))
		snprintf(e->name, sizeof(e->name), "%.*s", (int)strcspn(name, ":"), name);
	return 0;
}

/* Is this the event of the partition table, and does its digest cover its data? */
static bool ccdm_reader_gpt(const struct ccdm_reader *r, const struct ccdm_tcg_event *event)
{
	static const char magic[] = "EFI PART";
	struct ccdm_digest d;
	unsigned int i;

	if (event->size < sizeof(magic) - 1 || memcmp(event->data, magic, sizeof(magic) - 1) ||
	    ccdm_digest_of(r->regs->bank, event->data, event->size, NULL, 0, &d))
		return false;
	for (i = 0; i < event->digests.count; i++)
		if (event->digests.digest[i].alg == d.alg)
			return !memcmp(event->digests.digest[i].bytes, d.bytes, d.size);
	return false;
}

/* In a confidential guest's log, register 0 is the guest's own measurement; the RTMRs follow it. */
static int ccdm_reader_firmware(const struct ccdm_tcg_event *event, void *arg)
{
	struct ccdm_reader *r = arg;
	int locality = ccdm_tcg_locality(event);

	/* The locality is true only if it precedes all events of register 0. */
	if (locality >= 0 && !r->regs->rtmr && !ccdm_part_count(r, 0, CCDM_PART_FIRMWARE))
		r->begin.bytes[r->begin.size - 1] = locality;
	if (event->type == CCDM_EV_NO_ACTION || (r->regs->rtmr && !event->index))
		return 0;
	return ccdm_reader_add(r, CCDM_PART_FIRMWARE, event->index - r->regs->rtmr, &event->digests,
			       "", ccdm_reader_gpt(r, event));
}

static int ccdm_reader_record(const struct ccdm_event *event, void *arg)
{
	struct ccdm_reader *r = arg;
	size_t cap = strlen(CCDM_EVENT_CAP);

	if (event->rtmr != r->regs->rtmr)
		return 0;
	if (r->part == CCDM_PART_CCDM && !strncmp(event->text, CCDM_EVENT_CAP, cap) &&
	    (!event->text[cap] || event->text[cap] == ':'))
		r->part = CCDM_PART_CAP;
	return ccdm_reader_add(r, r->part, event->index, &event->digests, event->text, false);
}

static int ccdm_reader_read(struct ccdm_reader *r, const struct ccdm_bootlog *log,
			    struct ccdm_err *err)
{
	int e = ccdm_eventlog_begin(r->regs->bank, &r->begin, err);

	if (!e)
		e = ccdm_known_events_init(r->regs->bank, &r->known);
	if (!e && log->firmware)
		e = ccdm_tcglog_parse(log->firmware, log->firmware_size, ccdm_reader_firmware, r,
				      err);
	r->part = CCDM_PART_CCDM;
	if (!e && log->ccdm)
		e = ccdm_eventlog_parse(log->ccdm, log->ccdm_size, ccdm_reader_record, r, err);
	r->part = CCDM_PART_SYSTEMD;
	if (!e && log->systemd)
		e = ccdm_eventlog_parse(log->systemd, log->systemd_size, ccdm_reader_record, r,
					err);
	if (e == -E2BIG)
		return ccdm_err_set(err, -EINVAL, "the logs have more than %u events", ENTRIES);
	if (e == -ENOMEM)
		return ccdm_err_memory(err);
	return e;
}

/* ---- replaying ----------------------------------------------------------------- */

static int ccdm_replay_part(const struct ccdm_reader *r, unsigned int reg, enum ccdm_part part,
			    size_t first, size_t nr, struct ccdm_digest *value)
{
	struct ccdm_digest d = { .alg = value->alg, .size = value->size };
	size_t i, n = 0;
	int e = 0;

	for (i = 0; !e && i < r->count; i++) {
		if (r->entry[i].reg != reg || r->entry[i].part != part)
			continue;
		if (n >= first && n - first < nr) {
			memcpy(d.bytes, r->entry[i].digest, d.size);
			e = ccdm_eventlog_extend(value, &d);
		}
		n++;
	}
	return e;
}

/* Does any order of the register's events lead to its value? Only the cap's place is unknown. */
static int ccdm_replay(const struct ccdm_reader *r, unsigned int reg, bool *good)
{
	size_t systemd = ccdm_part_count(r, reg, CCDM_PART_SYSTEMD), before, last;
	bool cap = ccdm_part_count(r, reg, CCDM_PART_CAP);
	struct ccdm_digest start = r->begin, value;
	int e;

	*good = false;
	if (reg)
		memset(start.bytes, 0, sizeof(start.bytes));
	e = ccdm_replay_part(r, reg, CCDM_PART_FIRMWARE, 0, ENTRIES, &start);
	if (!e)
		e = ccdm_replay_part(r, reg, CCDM_PART_CCDM, 0, ENTRIES, &start);
	last = cap && systemd > TRIES ? TRIES : systemd;
	for (before = cap ? 0 : systemd; !e && !*good && before <= last; before++) {
		value = start;
		e = ccdm_replay_part(r, reg, CCDM_PART_SYSTEMD, 0, before, &value);
		if (!e)
			e = ccdm_replay_part(r, reg, CCDM_PART_CAP, 0, ENTRIES, &value);
		if (!e)
			e = ccdm_replay_part(r, reg, CCDM_PART_SYSTEMD, before, ENTRIES, &value);
		*good = !e && !memcmp(value.bytes, r->regs->value[reg], value.size);
	}
	return e;
}

/* ---- facts ----------------------------------------------------------------------- */

static json_t *ccdm_register_name(const struct ccdm_registers *regs, unsigned int reg)
{
	return json_sprintf("%s%u", regs->rtmr ? "rtmr" : "pcr", reg);
}

static int ccdm_register_note(const struct ccdm_registers *regs, unsigned int reg, const char *why,
			      json_t *notes)
{
	return json_array_append_new(notes, json_sprintf("%s%u: %s; its events do not count",
							 regs->rtmr ? "rtmr" : "pcr", reg, why))
		       ? -ENOMEM
		       : 0;
}

static int ccdm_register_facts(const struct ccdm_reader *r, unsigned int reg, json_t *events)
{
	uint16_t size = ccdm_digest_size(r->regs->bank);
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *event;
	size_t i;

	for (i = 0; i < r->count; i++) {
		const struct ccdm_boot_event *e = &r->entry[i];

		if (e->reg != reg)
			continue;
		ccdm_hex(e->digest, size, hex);
		event = json_pack("{s:o, s:s}", "register", ccdm_register_name(r->regs, reg),
				  "digest", hex);
		/* (a failed json_pack() makes json_array_append_new() fail, too) */
		if (event && e->name[0] &&
		    json_object_set_new(event, "name", json_string(e->name))) {
			json_decref(event);
			event = NULL;
		}
		if (json_array_append_new(events, event))
			return -ENOMEM;
	}
	return 0;
}

/*
 * The phase of a register that ccdm extends and that replays. The cap counts as a cap whatever its
 * label is. An event of an unknown digest that is not ccdm's own hides the phase: ccdm's initrd may
 * not have made it.
 */
static const char *ccdm_register_phase(const struct ccdm_reader *r, unsigned int reg)
{
	bool ready = false, cap = false, listed = true;
	size_t i;

	for (i = 0; i < r->count; i++) {
		const struct ccdm_boot_event *e = &r->entry[i];

		if (e->reg != reg)
			continue;
		ready |= !strcmp(e->name, CCDM_EVENT_READY);
		cap |= !strcmp(e->name, CCDM_EVENT_CAP);
		listed &= !strncmp(e->name, "ccdm-", 5) || ccdm_known_event(&r->known, e->digest);
	}
	return cap ? "running" : ready && listed ? "initrd" : "unknown";
}

static int ccdm_bootlog_id(const struct ccdm_reader *r, uint32_t proved, json_t *facts,
			   json_t *notes, char **id_text)
{
	const struct ccdm_boot boot = { .rtmr = r->regs->rtmr,
					.bank = r->regs->bank,
					.proved = proved,
					.event = r->entry,
					.count = r->count,
					.known = &r->known };
	char id[CCDM_ENCLAVE_ID_SIZE], why[96], *text;
	int e = ccdm_enclave_id_text(&boot, &text, why, sizeof(why));

	if (!e && !text)
		return json_array_append_new(notes,
					     json_sprintf("the enclave ID is unknown: %s", why))
			       ? -ENOMEM
			       : 0;
	if (!e)
		e = ccdm_enclave_id_of(text, id);
	if (!e && json_object_set_new(facts, "enclave-id", json_pack("[s]", id)))
		e = -ENOMEM;
	if (!e && id_text)
		*id_text = text;
	else
		free(text);
	return e;
}

int ccdm_bootlog_facts(const struct ccdm_bootlog *log, const struct ccdm_registers *regs,
		       json_t *facts, json_t *notes, char **id_text, struct ccdm_err *err)
{
	unsigned int reg, ours = regs->rtmr ? CCDM_EVENT_RTMR : CCDM_EVENT_PCR;
	struct ccdm_reader r = { .regs = regs };
	json_t *events = json_array();
	const char *phase = "unknown";
	uint32_t proved = 0;
	bool good;
	int e;

	if (id_text)
		*id_text = NULL;
	e = events ? ccdm_reader_read(&r, log, err) : -ENOMEM;
	for (reg = 0; !e && reg < CCDM_REGISTERS; reg++) {
		bool covered = regs->covered & 1U << reg;

		good = false;
		if (covered && !(r.lacking & 1U << reg))
			e = ccdm_replay(&r, reg, &good);
		if (e)
			break;
		if (covered && good) {
			proved |= 1U << reg;
			e = ccdm_register_facts(&r, reg, events);
			if (reg == ours)
				phase = ccdm_register_phase(&r, reg);
		} else if (covered) {
			e = ccdm_register_note(regs, reg,
					       "the log does not replay to the register's value",
					       notes);
		} else if (ccdm_part_count(&r, reg, CCDM_PART_FIRMWARE) ||
			   ccdm_part_count(&r, reg, CCDM_PART_CCDM)) {
			e = ccdm_register_note(regs, reg, "no quote or report proves its value",
					       notes);
		}
	}
	if (!e && (json_object_set(facts, "events", events) ||
		   json_object_set_new(facts, "phase", json_string(phase))))
		e = -ENOMEM;
	if (!e)
		e = ccdm_bootlog_id(&r, proved, facts, notes, id_text);
	json_decref(events);
	free(r.entry);
	return e;
}
