// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* queue.c - see queue.h */
#include <stdlib.h>
#include "queue.h"

#define PATIENCE 4 /* requests of other kinds, and then one of a kind that waits has its turn */

/* The requests of one address. @passed: turns of other kinds while this kind waited */
struct ccdm_line {
	const struct ccdm_source *source;
	struct ccdm_wait *first[CCDM_TURNS];
	struct ccdm_wait **last[CCDM_TURNS];
	unsigned int passed[CCDM_TURNS];
	struct ccdm_line *next;
};

struct ccdm_queue {
	struct ccdm_line *first, **last;
	unsigned int count, most;
	uint64_t clock; /* the latest turn */
};

struct ccdm_queue *ccdm_queue_new(unsigned int most)
{
	struct ccdm_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->last = &q->first;
	q->most = most;
	return q;
}

void ccdm_queue_free(struct ccdm_queue *q)
{
	free(q);
}

void ccdm_queue_limit(struct ccdm_queue *q, unsigned int most)
{
	q->most = most;
}

static struct ccdm_line *ccdm_queue_line(struct ccdm_queue *q, const struct ccdm_source *source)
{
	struct ccdm_line *l;
	unsigned int i;

	for (l = q->first; l; l = l->next)
		if (l->source == source)
			return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->source = source;
	for (i = 0; i < CCDM_TURNS; i++)
		l->last[i] = &l->first[i];
	*q->last = l;
	q->last = &l->next;
	return l;
}

/* Free a line without requests. */
static void ccdm_queue_drop(struct ccdm_queue *q, struct ccdm_line *l)
{
	struct ccdm_line **at = &q->first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!l->next)
		q->last = at;
	free(l);
}

static bool ccdm_line_empty(const struct ccdm_line *l)
{
	unsigned int i;

	for (i = 0; i < CCDM_TURNS; i++)
		if (l->first[i])
			return false;
	return true;
}

/* Unlink a request, and free its line if it was the last one. */
static void ccdm_line_remove(struct ccdm_queue *q, struct ccdm_line *l, struct ccdm_wait *w)
{
	struct ccdm_wait **at = &l->first[w->turn];

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (!w->next)
		l->last[w->turn] = at;
	w->next = NULL;
	ccdm_source_hold(w->source, CCDM_HELD_REQUESTS, -1);
	q->count--;
	if (ccdm_line_empty(l))
		ccdm_queue_drop(q, l);
}

/* The kind with the most requests; of several, the least important one. */
static unsigned int ccdm_line_largest(const struct ccdm_line *l)
{
	unsigned int turn, largest = 0, n, most = 0;
	const struct ccdm_wait *w;

	for (turn = 0; turn < CCDM_TURNS; turn++) {
		for (n = 0, w = l->first[turn]; w; w = w->next)
			n++;
		if (n && n >= most) {
			most = n;
			largest = turn;
		}
	}
	return largest;
}

/*
 * The kind whose turn it is: the most important one, or one that waits too long. A peer chooses the kind
 * of its requests, so no kind may keep out another one of the same address.
 */
static unsigned int ccdm_line_turn(struct ccdm_line *l)
{
	unsigned int i, turn = CCDM_TURNS;

	for (i = 0; i < CCDM_TURNS; i++)
		if (l->first[i] && (turn == CCDM_TURNS ||
				    (l->passed[i] >= PATIENCE && l->passed[i] > l->passed[turn])))
			turn = i;
	for (i = 0; i < CCDM_TURNS; i++)
		l->passed[i] = l->first[i] && i != turn ? l->passed[i] + 1 : 0;
	return turn;
}

/* The line that loses a request if one more of @to is too many; it may be @own, the line of @to. */
static struct ccdm_line *ccdm_queue_loser(const struct ccdm_queue *q, struct ccdm_line *own,
					  const struct ccdm_source *to)
{
	struct ccdm_line *l, *loser = own;

	for (l = q->first; l; l = l->next)
		if (ccdm_source_yields(l->source, loser->source, to, CCDM_HELD_REQUESTS))
			loser = l;
	return loser;
}

struct ccdm_wait *ccdm_queue_add(struct ccdm_queue *q, struct ccdm_wait *w)
{
	struct ccdm_line *own = ccdm_queue_line(q, w->source), *loser = NULL;
	struct ccdm_source *a;
	struct ccdm_wait *lost;

	if (!own)
		return w;
	if (q->count >= q->most)
		loser = ccdm_queue_loser(q, own, w->source);
	w->next = NULL;
	*own->last[w->turn] = w;
	own->last[w->turn] = &w->next;
	/* One that had no request is behind all others. */
	for (a = w->source; a; a = a->network)
		if (!a->held[CCDM_HELD_REQUESTS])
			a->turn = ++q->clock;
	ccdm_source_hold(w->source, CCDM_HELD_REQUESTS, 1);
	q->count++;
	if (!loser)
		return NULL;
	for (lost = loser->first[ccdm_line_largest(loser)]; lost->next; lost = lost->next)
		;
	ccdm_line_remove(q, loser, lost);
	return lost;
}

/* Is the turn of @a before that of @b? The largest networks in which they differ take turns. */
static bool ccdm_queue_before(const struct ccdm_source *a, const struct ccdm_source *b)
{
	return ccdm_source_part(&a, &b) && a->turn < b->turn;
}

struct ccdm_wait *ccdm_queue_take(struct ccdm_queue *q)
{
	struct ccdm_line *l, *first = q->first;
	struct ccdm_source *a;
	struct ccdm_wait *w;

	if (!first)
		return NULL;
	for (l = first->next; l; l = l->next)
		if (ccdm_queue_before(l->source, first->source))
			first = l;
	w = first->first[ccdm_line_turn(first)];
	ccdm_line_remove(q, first, w);
	for (a = w->source; a; a = a->network)
		a->turn = ++q->clock;
	return w;
}
