// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* compare.c - see compare.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compare.h"

#define EVENTS 16384 /* events of both logs, at most */

static const unsigned int ccdm_compare_pcrs[] = { 2, 4, 5, 8, 9, 11, 12, 13, 14, CCDM_EVENT_PCR };
static const unsigned int ccdm_compare_rtmrs[] = { 1, 2, CCDM_EVENT_RTMR };

/* State of reading the logs. */
struct ccdm_compare_reader {
	struct ccdm_comparison *c;
	struct ccdm_known_events known[CCDM_PREDICT_BANKS];
	size_t room;
	unsigned int number;
	struct ccdm_err *err;
};

/* ---- reading ------------------------------------------------------------------------ */

static bool ccdm_compare_wanted(bool rtmr, unsigned int reg)
{
	const unsigned int *regs = rtmr ? ccdm_compare_rtmrs : ccdm_compare_pcrs;
	size_t i, n = rtmr ? ARRAY_SIZE(ccdm_compare_rtmrs) : ARRAY_SIZE(ccdm_compare_pcrs);

	for (i = 0; i < n; i++)
		if (regs[i] == reg)
			return true;
	return false;
}

static struct ccdm_compare_found *ccdm_compare_new(struct ccdm_compare_reader *r)
{
	struct ccdm_comparison *c = r->c;
	struct ccdm_compare_found *more;
	size_t room = r->room ? 2 * r->room : 64;

	if (c->found_count == EVENTS) {
		ccdm_err_set(r->err, -EINVAL, "the logs have more than %u events", EVENTS);
		return NULL;
	}
	if (c->found_count == r->room) {
		more = realloc(c->found, room * sizeof(*more));
		if (!more) {
			ccdm_err_memory(r->err);
			return NULL;
		}
		c->found = more;
		r->room = room;
	}
	more = &c->found[c->found_count++];
	memset(more, 0, sizeof(*more));
	more->number = r->number;
	return more;
}

static void ccdm_compare_digests(struct ccdm_compare_found *f, const struct ccdm_digests *digests)
{
	unsigned int i, k;

	for (i = 0; i < digests->count; i++)
		for (k = 0; k < CCDM_PREDICT_BANKS; k++)
			if (digests->digest[i].alg == ccdm_predict_bank(k)) {
				f->digest[k] = digests->digest[i];
				f->has |= 1U << k;
			}
}

static bool ccdm_compare_constant(const struct ccdm_compare_reader *r,
				  const struct ccdm_compare_found *f)
{
	const struct ccdm_known_event *known;
	unsigned int k;

	for (k = 0; k < CCDM_PREDICT_BANKS; k++) {
		if (!(f->has & 1U << k))
			continue;
		known = ccdm_known_event(&r->known[k], f->digest[k].bytes);
		if (!known || known->origin != CCDM_EVENT_OF_FIRMWARE)
			return false;
	}
	return true;
}

/* As log/bootlog.c decides it: an event of a GPT is not part of the enclave ID of a TD. */
static bool ccdm_compare_gpt(const struct ccdm_compare_found *f)
{
	struct ccdm_digest d;
	unsigned int k;

	if (f->size < 8 || memcmp(f->data, "EFI PART", 8))
		return false;
	for (k = 0; k < CCDM_PREDICT_BANKS; k++)
		if (f->has & 1U << k &&
		    (ccdm_digest_of(ccdm_predict_bank(k), f->data, f->size, NULL, 0, &d) ||
		     memcmp(d.bytes, f->digest[k].bytes, d.size)))
			return false;
	return f->has != 0;
}

/* The banks of the first event are the banks of the log: each event must have exactly these. */
static int ccdm_compare_banks(struct ccdm_compare_reader *r, const struct ccdm_compare_found *f)
{
	if (!r->c->banks)
		r->c->banks = f->has;
	if (!f->has)
		return ccdm_err_set(r->err, -EINVAL,
				    "event %u: expected a digest of SHA-256 or SHA-384", f->number);
	if (f->has != r->c->banks)
		return ccdm_err_set(r->err, -EINVAL,
				    "event %u: it has other banks than the events before it",
				    f->number);
	return 0;
}

static int ccdm_compare_firmware(const struct ccdm_tcg_event *event, void *arg)
{
	struct ccdm_compare_reader *r = arg;
	bool rtmr = r->c->rtmr;
	struct ccdm_compare_found *f;
	int e;

	r->number++;
	if (event->type == CCDM_EV_NO_ACTION || event->index < rtmr ||
	    !ccdm_compare_wanted(rtmr, event->index - rtmr))
		return 0;
	f = ccdm_compare_new(r);
	if (!f)
		return r->err->text[0] && r->c->found_count == EVENTS ? -EINVAL : -ENOMEM;
	f->reg = event->index - rtmr;
	f->type = event->type;
	f->data = event->data;
	f->size = event->size;
	ccdm_compare_digests(f, &event->digests);
	e = ccdm_compare_banks(r, f);
	f->known = !e && ccdm_compare_constant(r, f);
	f->gpt = !e && ccdm_compare_gpt(f);
	return e;
}

/* Reading stops at ccdm-ready: later events are not part of the identity. */
static int ccdm_compare_record(const struct ccdm_event *event, void *arg)
{
	struct ccdm_compare_reader *r = arg;
	unsigned int ours = r->c->rtmr ? CCDM_EVENT_RTMR : CCDM_EVENT_PCR;
	struct ccdm_compare_found *f;

	r->number++;
	if (event->rtmr != r->c->rtmr || event->index != ours)
		return 0;
	f = ccdm_compare_new(r);
	if (!f)
		return r->err->text[0] && r->c->found_count == EVENTS ? -EINVAL : -ENOMEM;
	f->reg = event->index;
	memcpy(f->text, event->text, sizeof(f->text));
	ccdm_compare_digests(f, &event->digests);
	f->has &= r->c->banks;
	return !strncmp(event->text, CCDM_EVENT_READY ":", strlen(CCDM_EVENT_READY ":"));
}

static int ccdm_compare_read(struct ccdm_compare_reader *r, const struct ccdm_compare_logs *logs)
{
	unsigned int k;
	int e = 0;

	for (k = 0; !e && k < CCDM_PREDICT_BANKS; k++)
		e = ccdm_known_events_init(ccdm_predict_bank(k), &r->known[k]);
	if (!e)
		e = ccdm_tcglog_parse(logs->firmware, logs->firmware_size, ccdm_compare_firmware, r,
				      r->err);
	if (!e && !r->c->found_count)
		e = ccdm_err_set(r->err, -EINVAL,
				 "the log has no event of the registers that are compared");
	r->c->end = r->number + 1;
	r->number = 0;
	if (!e && logs->ccdm)
		e = ccdm_eventlog_parse(logs->ccdm, logs->ccdm_size, ccdm_compare_record, r,
					r->err);
	return e > 0 ? 0 : e;
}

/* ---- comparing -------------------------------------------------------------------------- */

/* The walk through the events of one register. */
struct ccdm_compare_walk {
	struct ccdm_comparison *c;
	const struct ccdm_prediction *p;
	unsigned int reg;
	size_t next_found, next_expected;
	unsigned int number;
};

static bool ccdm_compare_equal(const struct ccdm_compare_found *f, const struct ccdm_predicted *e)
{
	unsigned int k;

	for (k = 0; k < CCDM_PREDICT_BANKS; k++)
		if (f->has & 1U << k &&
		    memcmp(f->digest[k].bytes, e->digest[k].bytes, e->digest[k].size))
			return false;
	return f->has != 0;
}

/* The next event of the register from @from on, or NULL after the last; *@at: its index */
static const struct ccdm_compare_found *ccdm_compare_found_from(const struct ccdm_compare_walk *w,
								size_t from, size_t *at)
{
	for (*at = from; *at < w->c->found_count; ++*at)
		if (w->c->found[*at].reg == w->reg)
			return &w->c->found[*at];
	return NULL;
}

static const struct ccdm_predicted *ccdm_compare_expected_from(const struct ccdm_compare_walk *w,
							       size_t from, size_t *at)
{
	for (*at = from; *at < w->p->events; ++*at)
		if ((w->c->rtmr ? ccdm_predict_rtmr(w->p->event[*at].pcr) : w->p->event[*at].pcr) ==
		    w->reg)
			return &w->p->event[*at];
	return NULL;
}

/* @place: the event of the log at which it departs from the prediction, or NULL after the last */
static void ccdm_compare_depart(struct ccdm_compare_walk *w, const struct ccdm_predicted *expected,
				const struct ccdm_compare_found *found,
				const struct ccdm_compare_found *place)
{
	struct ccdm_departure *d;

	if (w->c->count == CCDM_COMPARE_MAX)
		return;
	d = &w->c->departure[w->c->count++];
	memset(d, 0, sizeof(*d));
	d->reg = w->reg;
	d->number = w->number;
	d->log_number = place ? place->number : w->c->end;
	d->expected = expected;
	d->found = found;
}

/* Does a later event of the log equal the event that is expected now? */
static bool ccdm_compare_later_found(const struct ccdm_compare_walk *w,
				     const struct ccdm_predicted *expected)
{
	const struct ccdm_compare_found *f;
	size_t at;

	for (f = ccdm_compare_found_from(w, w->next_found + 1, &at); f;
	     f = ccdm_compare_found_from(w, at + 1, &at))
		if (ccdm_compare_equal(f, expected))
			return true;
	return false;
}

static bool ccdm_compare_later_expected(const struct ccdm_compare_walk *w,
					const struct ccdm_compare_found *found)
{
	const struct ccdm_predicted *e;
	size_t at;

	for (e = ccdm_compare_expected_from(w, w->next_expected + 1, &at); e;
	     e = ccdm_compare_expected_from(w, at + 1, &at))
		if (ccdm_compare_equal(found, e))
			return true;
	return false;
}

/* Event by event; after a difference, the walk continues at the next event that both sides have. */
static void ccdm_compare_register(struct ccdm_compare_walk *w)
{
	const struct ccdm_predicted *e = ccdm_compare_expected_from(w, 0, &w->next_expected);
	const struct ccdm_compare_found *f = ccdm_compare_found_from(w, 0, &w->next_found);
	bool take_e, take_f;

	for (w->number = 1; e || f;) {
		take_e = take_f = true;
		if (e && f && ccdm_compare_equal(f, e)) {
			w->c->equal++;
		} else if (f && f->known) {
			take_e = false;
		} else if (e && e->kind == CCDM_PREDICT_CONSTANT) {
			take_f = false;
		} else if (e && f && ccdm_compare_later_found(w, e)) {
			take_e = false;
			ccdm_compare_depart(w, NULL, f, f);
		} else if (e && f && ccdm_compare_later_expected(w, f)) {
			take_f = false;
			ccdm_compare_depart(w, e, NULL, f);
		} else {
			ccdm_compare_depart(w, e, f, f);
		}
		if (take_f && f) {
			w->number++;
			f = ccdm_compare_found_from(w, w->next_found + 1, &w->next_found);
		}
		if (take_e && e)
			e = ccdm_compare_expected_from(w, w->next_expected + 1, &w->next_expected);
	}
}

/* ---- the enclave ID ------------------------------------------------------------------------- */

/* (PCR 5 changes with the size of a disk: it is not part of any ID) */
static bool ccdm_compare_counts(bool rtmr, unsigned int reg)
{
	return rtmr || reg != 5;
}

/* Is it ccdm's own register? Each of its events counts. */
static bool ccdm_compare_ours(const struct ccdm_compare_walk *w)
{
	return w->reg == (w->c->rtmr ? CCDM_EVENT_RTMR : CCDM_EVENT_PCR);
}

/* The next event that is part of an ID; see log/enclave_id.h */
static const struct ccdm_compare_found *ccdm_compare_id_found(const struct ccdm_compare_walk *w,
							      size_t from, size_t *at)
{
	const struct ccdm_compare_found *f = ccdm_compare_found_from(w, from, at);

	while (f && !ccdm_compare_ours(w) && (f->known || (w->c->rtmr && w->reg == 1 && f->gpt)))
		f = ccdm_compare_found_from(w, *at + 1, at);
	return f;
}

static const struct ccdm_predicted *ccdm_compare_id_expected(const struct ccdm_compare_walk *w,
							     size_t from, size_t *at)
{
	const struct ccdm_predicted *e = ccdm_compare_expected_from(w, from, at);

	while (e &&
	       (e->kind == CCDM_PREDICT_CONSTANT || (w->c->rtmr && e->kind == CCDM_PREDICT_GPT)))
		e = ccdm_compare_expected_from(w, *at + 1, at);
	return e;
}

/* Does this register lead to another enclave ID? */
static bool ccdm_compare_other(struct ccdm_compare_walk *w)
{
	const struct ccdm_predicted *e = ccdm_compare_id_expected(w, 0, &w->next_expected);
	const struct ccdm_compare_found *f = ccdm_compare_id_found(w, 0, &w->next_found);

	while (e && f && ccdm_compare_equal(f, e)) {
		e = ccdm_compare_id_expected(w, w->next_expected + 1, &w->next_expected);
		f = ccdm_compare_id_found(w, w->next_found + 1, &w->next_found);
	}
	return e || f;
}

static void ccdm_compare_id(const struct ccdm_compare_walk *walk)
{
	struct ccdm_compare_walk w = *walk;

	if (ccdm_compare_counts(w.c->rtmr, w.reg) && ccdm_compare_other(&w))
		w.c->id = CCDM_COMPARE_OTHER_ID;
}

/* ---- all ------------------------------------------------------------------------------------ */

/* The reason why a register is not compared; NULL if it is compared. */
static const char *ccdm_compare_why_not(const struct ccdm_bootable *b,
					const struct ccdm_prediction *p, bool rtmr,
					unsigned int reg, bool ccdm)
{
	unsigned int i;

	for (i = 0; i < p->unknowns; i++)
		if ((rtmr ? ccdm_predict_rtmr(p->unknown[i].pcr) : p->unknown[i].pcr) == reg)
			return p->unknown[i].why;
	if (rtmr && ccdm_predict_rtmr_why(b, reg))
		return ccdm_predict_rtmr_why(b, reg);
	if (!ccdm && reg == (rtmr ? CCDM_EVENT_RTMR : CCDM_EVENT_PCR))
		return "no log of ccdm was given (--ccdm-log)";
	return NULL;
}

static void ccdm_compare_leave(struct ccdm_comparison *c, unsigned int reg, const char *why)
{
	struct ccdm_predict_unknown *u;

	if (c->left == ARRAY_SIZE(c->left_out))
		return;
	u = &c->left_out[c->left++];
	u->pcr = reg;
	snprintf(u->why, sizeof(u->why), "%s", why);
	if (ccdm_compare_counts(c->rtmr, reg) && c->id == CCDM_COMPARE_SAME_ID)
		c->id = CCDM_COMPARE_UNKNOWN_ID;
}

int ccdm_compare(const struct ccdm_bootable *b, const struct ccdm_prediction *p,
		 const struct ccdm_compare_logs *logs, struct ccdm_comparison *c,
		 struct ccdm_err *err)
{
	struct ccdm_compare_reader reader = { .c = c, .err = err };
	const unsigned int *regs = logs->rtmr ? ccdm_compare_rtmrs : ccdm_compare_pcrs;
	size_t i, n = logs->rtmr ? ARRAY_SIZE(ccdm_compare_rtmrs) : ARRAY_SIZE(ccdm_compare_pcrs);
	const char *why;
	int r;

	memset(c, 0, sizeof(*c));
	c->rtmr = logs->rtmr;
	c->id = CCDM_COMPARE_SAME_ID;
	r = ccdm_compare_read(&reader, logs);
	if (r)
		return r;
	for (i = 0; i < n; i++) {
		struct ccdm_compare_walk w = { .c = c, .p = p, .reg = regs[i] };

		why = ccdm_compare_why_not(b, p, c->rtmr, regs[i], logs->ccdm != NULL);
		if (why) {
			ccdm_compare_leave(c, regs[i], why);
			continue;
		}
		ccdm_compare_id(&w);
		ccdm_compare_register(&w);
	}
	ccdm_compare_words(b, p, c);
	return 0;
}

bool ccdm_compare_same(const struct ccdm_comparison *c)
{
	return c->equal && !c->count && !c->left;
}

void ccdm_compare_drop(struct ccdm_comparison *c)
{
	free(c->found);
	c->found = NULL;
	c->found_count = 0;
}
