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
	struct ccdm_line *next; /* whose turn is after this one's */
};

struct ccdm_queue {
	struct ccdm_line *first, **last;
	unsigned int count, most;
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

/* Unlink a line, and free it if it is empty; else it goes to the end. */
static void ccdm_queue_rotate(struct ccdm_queue *q, struct ccdm_line *l, bool empty)
{
	struct ccdm_line **at = &q->first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!l->next)
		q->last = at;
	if (empty) {
		free(l);
		return;
	}
	l->next = NULL;
	*q->last = l;
	q->last = &l->next;
}

/* Unlink a request. */
static void ccdm_line_remove(struct ccdm_queue *q, struct ccdm_line *l, struct ccdm_wait *w)
{
	struct ccdm_wait **at = &l->first[w->turn];

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (!w->next)
		l->last[w->turn] = at;
	w->next = NULL;
	w->source->waiting--;
	q->count--;
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

/*
 * Remove the newest request of the largest kind, of the address with the most requests. @longest: the line
 * of the address that loses one if no other has more
 */
static struct ccdm_wait *ccdm_queue_surplus(struct ccdm_queue *q, struct ccdm_line *longest)
{
	struct ccdm_line *l;
	struct ccdm_wait *w;

	for (l = q->first; l; l = l->next)
		if (l->source->waiting > longest->source->waiting)
			longest = l;
	for (w = longest->first[ccdm_line_largest(longest)]; w->next; w = w->next)
		;
	ccdm_line_remove(q, longest, w);
	if (!longest->source->waiting)
		ccdm_queue_rotate(q, longest, true);
	return w;
}

struct ccdm_wait *ccdm_queue_add(struct ccdm_queue *q, struct ccdm_wait *w)
{
	struct ccdm_line *l = ccdm_queue_line(q, w->source);

	if (!l)
		return w;
	w->next = NULL;
	*l->last[w->turn] = w;
	l->last[w->turn] = &w->next;
	w->source->waiting++;
	return ++q->count > q->most ? ccdm_queue_surplus(q, l) : NULL;
}

struct ccdm_wait *ccdm_queue_take(struct ccdm_queue *q)
{
	struct ccdm_line *l = q->first;
	struct ccdm_wait *w;

	if (!l)
		return NULL;
	w = l->first[ccdm_line_turn(l)];
	ccdm_line_remove(q, l, w);
	ccdm_queue_rotate(q, l, !w->source->waiting);
	return w;
}
