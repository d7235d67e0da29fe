/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * queue.h - requests that wait for their answer, one queue for each address
 *
 * The addresses take turns, so an address with many requests delays its own. IPv6 networks take turns, too:
 * those of 48 bits, in each of them those of 64 bits, and in each of these the addresses. If there are too
 * many requests in all, one of the network or address that has the most loses its place: to one that has
 * fewer.
 */
#ifndef CCDM_BROKER_QUEUE_H
#define CCDM_BROKER_QUEUE_H

#include "base/compiler.h"
#include "core/source.h"

/*
 * What a request says that it is about. Of one address, the first ones are answered first, but the others
 * have a turn now and then: anybody can ask for a secret.
 */
enum ccdm_turn {
	CCDM_TURN_SECRET, /* a secret */
	CCDM_TURN_ATTEST, /* evidence */
	CCDM_TURN_OTHER,  /* a nonce, or anything else */
	CCDM_TURNS
};

/**
 * struct ccdm_wait - a request in the queue
 * @request: of the caller
 * @source: its address
 * @turn: what it is about
 * @next: of the same address and turn
 */
struct ccdm_wait {
	void *request;
	struct ccdm_source *source;
	enum ccdm_turn turn;
	struct ccdm_wait *next;
};

/* A queue; opaque. */
struct ccdm_queue;

/* @most: requests in all. Return: NULL if out of memory. */
struct ccdm_queue *ccdm_queue_new(unsigned int most);
void ccdm_queue_free(struct ccdm_queue *queue); /* accepts NULL; the queue must be empty */
void ccdm_queue_limit(struct ccdm_queue *queue, unsigned int most);

/**
 * ccdm_queue_add() - add a request
 * @w: owned by the queue until it is taken
 *
 * Return: the request that loses its place, which may be @w; NULL if there is room.
 */
struct ccdm_wait *__must_check ccdm_queue_add(struct ccdm_queue *queue, struct ccdm_wait *w);

/* Take the request whose turn it is. Return: NULL if there is none. */
struct ccdm_wait *__must_check ccdm_queue_take(struct ccdm_queue *queue);

#endif
