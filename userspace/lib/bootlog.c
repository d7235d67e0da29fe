// SPDX-License-Identifier: Apache-2.0
/* bootlog.c - see bootlog.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bootlog.h"
#include "measure.h"

#define READY	"ccdm-ready"
#define CAP	"ccdm-cap"
#define WORD	64    /* bytes of an event's name */
#define ENTRIES 16384 /* events of all logs */
#define TRIES	128   /* places where the cap may be among systemd's events */

/* Where an event stands in its register. */
enum ccdm_part {
	PART_FIRMWARE,
	PART_CCDM,
	PART_SYSTEMD,
	PART_CAP,
};

struct ccdm_entry {
	enum ccdm_part part;
	unsigned int reg;
	uint8_t digest[CCDM_DIGEST_MAX];
	char name[WORD]; /* what the digest covers, or "" */
};

/* All that is known while the logs are read. */
struct ccdm_reader {
	const struct ccdm_registers *regs;
	struct ccdm_entry *entry;
	size_t count;
	enum ccdm_part part;
	struct ccdm_digest begin; /* what register 0 begins with */
	uint32_t lacking;	  /* bit i: an event of register i is not of the bank */
};

static size_t ccdm_part_count(const struct ccdm_reader *r, unsigned int reg, enum ccdm_part part)
{
	size_t i, n = 0;

	for (i = 0; i < r->count; i++)
		n += r->entry[i].reg == reg && r->entry[i].part == part;
	return n;
}

/* ---- reading --------------------------------------------------------------- */

static int ccdm_reader_add(struct ccdm_reader *r, enum ccdm_part part, unsigned int reg,
			   const struct ccdm_digests *digests, const char *name)
{
	struct ccdm_entry *e, *more;
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
	if (i < digests->count)
		memcpy(e->digest, digests->digest[i].bytes, digests->digest[i].size);
	else
		r->lacking |= 1U << reg;
	snprintf(e->name, sizeof(e->name), "%.*s", (int)strcspn(name, ":"), name);
	return 0;
}

/* In a confidential guest's log register 0 is the guest's own measurement, and then come RTMRs. */
static int ccdm_reader_firmware(const struct ccdm_tcg_event *event, void *arg)
{
	struct ccdm_reader *r = arg;
	int locality = ccdm_tcg_locality(event);

	/* It comes before what is measured there, or it is not true. */
	if (locality >= 0 && !r->regs->rtmr && !ccdm_part_count(r, 0, PART_FIRMWARE))
		r->begin.bytes[r->begin.size - 1] = locality;
	if (event->type == CCDM_EV_NO_ACTION || (r->regs->rtmr && !event->index))
		return 0;
	return ccdm_reader_add(r, PART_FIRMWARE, event->index - r->regs->rtmr, &event->digests, "");
}

static int ccdm_reader_record(const struct ccdm_event *event, void *arg)
{
	struct ccdm_reader *r = arg;
	size_t cap = strlen(CAP);

	if (event->rtmr != r->regs->rtmr)
		return 0;
	if (r->part == PART_CCDM && !strncmp(event->text, CAP, cap) &&
	    (!event->text[cap] || event->text[cap] == ':'))
		r->part = PART_CAP;
	return ccdm_reader_add(r, r->part, event->index, &event->digests, event->text);
}

static int ccdm_reader_read(struct ccdm_reader *r, const struct ccdm_bootlog *log,
			    struct ccdm_err *err)
{
	int e = ccdm_eventlog_begin(r->regs->bank, &r->begin, err);

	if (!e && log->firmware)
		e = ccdm_tcglog_parse(log->firmware, log->firmware_size, ccdm_reader_firmware, r,
				      err);
	r->part = PART_CCDM;
	if (!e && log->ccdm)
		e = ccdm_eventlog_parse(log->ccdm, log->ccdm_size, ccdm_reader_record, r, err);
	r->part = PART_SYSTEMD;
	if (!e && log->systemd)
		e = ccdm_eventlog_parse(log->systemd, log->systemd_size, ccdm_reader_record, r,
					err);
	if (e == -E2BIG)
		return ccdm_err_set(err, -EINVAL, "the logs have more than %u events", ENTRIES);
	if (e == -ENOMEM)
		return ccdm_err_set(err, e, "out of memory");
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

/* Is there an order in which the register's events lead to its value? */
static int ccdm_replay(const struct ccdm_reader *r, unsigned int reg, bool *good)
{
	size_t systemd = ccdm_part_count(r, reg, PART_SYSTEMD), before, last;
	bool cap = ccdm_part_count(r, reg, PART_CAP);
	struct ccdm_digest start = r->begin, value;
	int e;

	*good = false;
	if (reg)
		memset(start.bytes, 0, sizeof(start.bytes));
	e = ccdm_replay_part(r, reg, PART_FIRMWARE, 0, ENTRIES, &start);
	if (!e)
		e = ccdm_replay_part(r, reg, PART_CCDM, 0, ENTRIES, &start);
	last = cap && systemd > TRIES ? TRIES : systemd;
	for (before = cap ? 0 : systemd; !e && !*good && before <= last; before++) {
		value = start;
		e = ccdm_replay_part(r, reg, PART_SYSTEMD, 0, before, &value);
		if (!e)
			e = ccdm_replay_part(r, reg, PART_CAP, 0, ENTRIES, &value);
		if (!e)
			e = ccdm_replay_part(r, reg, PART_SYSTEMD, before, ENTRIES, &value);
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
		const struct ccdm_entry *e = &r->entry[i];

		if (e->reg != reg)
			continue;
		ccdm_digest_hex(e->digest, size, hex);
		event = json_pack("{s:o, s:s}", "register", ccdm_register_name(r->regs, reg),
				  "digest", hex);
		/* (without an event nothing can be appended) */
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

/* Of the register that replays, and into which ccdm measures. */
static const char *ccdm_register_phase(const struct ccdm_reader *r, unsigned int reg)
{
	bool ready = false, cap = false;
	size_t i;

	for (i = 0; i < r->count; i++) {
		const struct ccdm_entry *e = &r->entry[i];

		if (e->reg != reg)
			continue;
		ready |= !strcmp(e->name, READY);
		cap |= !strcmp(e->name, CAP);
	}
	return cap ? "running" : ready ? "initrd" : "unknown";
}

int ccdm_bootlog_facts(const struct ccdm_bootlog *log, const struct ccdm_registers *regs,
		       json_t *facts, json_t *notes, struct ccdm_err *err)
{
	unsigned int reg, ours = regs->rtmr ? CCDM_MEASURE_RTMR : CCDM_MEASURE_PCR;
	struct ccdm_reader r = { .regs = regs };
	json_t *events = json_array();
	const char *phase = "unknown";
	bool good;
	int e;

	e = events ? ccdm_reader_read(&r, log, err) : -ENOMEM;
	for (reg = 0; !e && reg < CCDM_REGISTERS; reg++) {
		bool covered = regs->covered & 1U << reg;

		good = false;
		if (covered && !(r.lacking & 1U << reg))
			e = ccdm_replay(&r, reg, &good);
		if (e)
			break;
		if (covered && good) {
			e = ccdm_register_facts(&r, reg, events);
			if (reg == ours)
				phase = ccdm_register_phase(&r, reg);
		} else if (covered) {
			e = ccdm_register_note(regs, reg, "the log does not replay to its value",
					       notes);
		} else if (ccdm_part_count(&r, reg, PART_FIRMWARE) ||
			   ccdm_part_count(&r, reg, PART_CCDM)) {
			e = ccdm_register_note(regs, reg, "nothing proves its value", notes);
		}
	}
	if (!e && (json_object_set(facts, "events", events) ||
		   json_object_set_new(facts, "phase", json_string(phase))))
		e = -ENOMEM;
	json_decref(events);
	free(r.entry);
	return e;
}
