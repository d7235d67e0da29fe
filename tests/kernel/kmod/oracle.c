// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* oracle.c - see oracle.h */
#include "block.h"
#include "oracle.h"

#define ORIGIN 1 /* the version of an origin's content */

/* struct version - a write of one block; 0 is zeros */
struct version {
	u64 id;
	u64 begin, end; /* times; end is U64_MAX while the write is under way */
	bool failed;	/* the write may or may not have happened */
	struct version *next;
};

static struct version **history;
static bool *touched;
static u64 blocks, origin_blocks, last_id, now;
static u64 oldest_op[ORACLE_WHO]; /* start time of the operation that each actor runs */

void oracle_new(u64 nr, u64 nr_origin)
{
	blocks = nr;
	origin_blocks = nr_origin;
	last_id = ORIGIN;
	now = 0;
	memset(oldest_op, 0, sizeof(oldest_op));
	history = calloc(nr, sizeof(*history));
	touched = calloc(nr, sizeof(*touched));
	assert(history && touched);
}

void oracle_free(void)
{
	struct version *v;
	u64 i;

	for (i = 0; i < blocks; i++)
		while ((v = history[i])) {
			history[i] = v->next;
			free(v);
		}
	free(history);
	free(touched);
}

u64 oracle_begin(unsigned int who)
{
	return oldest_op[who] = ++now;
}

void oracle_end(unsigned int who)
{
	oldest_op[who] = 0;
}

u64 oracle_id(void)
{
	return ++last_id;
}

bool oracle_touched(u64 block)
{
	return touched[block];
}

void oracle_written(struct version *v, bool good)
{
	v->end = ++now;
	v->failed = !good;
}

static u64 word(u64 id, u64 block, unsigned int i)
{
	return i ? (id * 0x9e3779b97f4a7c15ull) ^ (block << 9) ^ i : id;
}

void oracle_fill(u8 *bytes, u64 id, u64 block)
{
	u64 *w = (u64 *)(void *)bytes;
	unsigned int i;

	if (!id)
		memset(bytes, 0, PAGE_SIZE);
	for (i = 0; id && i < PAGE_SIZE / 8; i++)
		w[i] = word(id, block, i);
}

/* Find the write that these bytes are of. */
u64 oracle_version(const u8 *bytes, u64 block)
{
	const u64 *w = (const u64 *)(const void *)bytes;
	u64 content[PAGE_SIZE / 8];
	u64 id = w[0];
	unsigned int i;

	if (block < origin_blocks) {
		sim_origin(block, (u8 *)content);
		if (!memcmp(content, bytes, PAGE_SIZE))
			return ORIGIN;
	}
	for (i = 0; i < PAGE_SIZE / 8; i++)
		if (w[i] != (id ? word(id, block, i) : 0))
			sim_bug("block %llu: word %u is of no write: %llx", block, i, w[i]);
	return id;
}

/* Forget writes that are older than all that a running operation may still read. */
void oracle_trim(u64 block)
{
	u64 oldest = now;
	struct version **p, *v, *x;
	unsigned int i;

	for (i = 0; i < ORACLE_WHO; i++)
		if (oldest_op[i] && oldest_op[i] < oldest)
			oldest = oldest_op[i];
	for (x = history[block]; x; x = x->next)
		if (!x->failed && x->end < oldest)
			break;
	for (p = &history[block]; x && (v = *p);) {
		if (v != x && v->end < x->begin) {
			*p = v->next;
			free(v);
		} else {
			p = &v->next;
		}
	}
}

struct version *oracle_write(u64 block, u64 id)
{
	struct version *v = calloc(1, sizeof(*v));

	assert(v);
	touched[block] = true;
	if (!history[block]) {
		struct version *first = calloc(1, sizeof(*first));

		assert(first);
		first->id = block < origin_blocks ? ORIGIN : 0;
		history[block] = first;
	}
	v->id = id;
	v->begin = ++now;
	v->end = U64_MAX;
	v->next = history[block];
	history[block] = v;
	return v;
}

static bool superseded(u64 block, const struct version *v, u64 before)
{
	const struct version *x;

	for (x = history[block]; x; x = x->next)
		if (!x->failed && x->begin > v->end && x->end < before)
			return true;
	return false;
}

/* A read that began at @begin and ends now returned @id or, with @error, failed. */
void oracle_read(u64 block, u64 id, bool error, u64 begin)
{
	u64 first = block < origin_blocks ? ORIGIN : 0;
	const struct version *v;

	if (!history[block]) {
		if (error)
			sim_bug("block %llu was never written, and cannot be read", block);
		if (id != first)
			sim_bug("block %llu was never written, and reads as %llu", block, id);
		return;
	}
	for (v = history[block]; v; v = v->next)
		if ((error ? v->failed : v->id == id) && !superseded(block, v, begin))
			return;
	if (error)
		sim_bug("block %llu: no write of it failed, and it cannot be read", block);
	sim_bug("block %llu: reads as write %llu, which is not the last", block, id);
}
