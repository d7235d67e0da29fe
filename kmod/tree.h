/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * tree.h - entries, block masks and the decisions of the tree
 *
 * Pure arithmetic on memory: no bio, page, lock or allocation. The same
 * file compiles in user space, where the unit tests and the fuzzers use it.
 * Every function here may be called in any context.
 */
#ifndef CCDM_TREE_H
#define CCDM_TREE_H

#include "ccdm_format.h"
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <stdbool.h>
#include <string.h>
#endif

/**
 * enum ccdm_kind - what an entry says about its child
 * @CCDM_KIND_UNWRITTEN: never written
 * @CCDM_KIND_ZEROED: reads as zeros
 * @CCDM_KIND_BAD: poisoned, or an invalid number
 * @CCDM_KIND_SEALED: on the device; the tag verifies it
 */
enum ccdm_kind {
	CCDM_KIND_UNWRITTEN,
	CCDM_KIND_ZEROED,
	CCDM_KIND_BAD,
	CCDM_KIND_SEALED,
};

/**
 * enum ccdm_node_state - the life of a node in the cache
 * @CCDM_NODE_LOADING: in the hash, not yet verified: its entries must not be read
 * @CCDM_NODE_CLEAN: usable; "dirty" is a flag beside the state
 * @CCDM_NODE_WRITING: usable; a copy of it is on its way to the device
 * @CCDM_NODE_LEAVING: being evicted; a walk that finds it waits
 * @CCDM_NODE_GONE: out of the hash; its waiters retry or fail
 */
enum ccdm_node_state {
	CCDM_NODE_LOADING,
	CCDM_NODE_CLEAN,
	CCDM_NODE_WRITING,
	CCDM_NODE_LEAVING,
	CCDM_NODE_GONE,
};

/**
 * struct ccdm_mask - a set of the 128 children of one node
 * @w: bit i of the set is bit i % 64 of w[i / 64]
 */
struct ccdm_mask {
	__u64 w[2];
};

static inline struct ccdm_mask ccdm_mask_range(unsigned int first, unsigned int n)
{
	struct ccdm_mask m = { { 0, 0 } };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		unsigned int lo = i * 64, hi = lo + 64;
		unsigned int a = first > lo ? first : lo;
		unsigned int b = first + n < hi ? first + n : hi;

		if (a < b)
			m.w[i] = (~0ULL >> (64 - (b - a))) << (a - lo);
	}
	return m;
}

static inline bool ccdm_mask_empty(const struct ccdm_mask *m)
{
	return !(m->w[0] | m->w[1]);
}

static inline bool ccdm_mask_overlaps(const struct ccdm_mask *a, const struct ccdm_mask *b)
{
	return (a->w[0] & b->w[0]) | (a->w[1] & b->w[1]);
}

static inline void ccdm_mask_add(struct ccdm_mask *a, const struct ccdm_mask *b)
{
	a->w[0] |= b->w[0];
	a->w[1] |= b->w[1];
}

static inline void ccdm_mask_remove(struct ccdm_mask *a, const struct ccdm_mask *b)
{
	a->w[0] &= ~b->w[0];
	a->w[1] &= ~b->w[1];
}

static inline bool ccdm_mask_test(const struct ccdm_mask *m, unsigned int i)
{
	return m->w[i >> 6] >> (i & 63) & 1;
}

static inline void ccdm_mask_set(struct ccdm_mask *m, unsigned int i)
{
	m->w[i >> 6] |= 1ULL << (i & 63);
}

static inline void ccdm_mask_clear(struct ccdm_mask *m, unsigned int i)
{
	m->w[i >> 6] &= ~(1ULL << (i & 63));
}

/* tree.c */

/* ccdm_tree_kind() - what @e says about its child */
enum ccdm_kind ccdm_tree_kind(const struct ccdm_entry *e);

/* ccdm_tree_seal() - record a sealing: @seq is at least CCDM_SEQ_FIRST */
void ccdm_tree_seal(struct ccdm_entry *e, __u64 seq, const __u8 *tag);

/* ccdm_tree_reserve() - set a reserved value; never CCDM_SEQ_UNWRITTEN */
void ccdm_tree_reserve(struct ccdm_entry *e, enum ccdm_seq value);

/**
 * ccdm_tree_run() - entries of one kind in a row
 * @e: entries of a leaf
 * @first: where to begin
 * @end: where to stop, at most CCDM_NODE_ENTRIES
 * @kind: set to the kind of the run
 *
 * Return: number of entries from @first that are of that kind, at least 1.
 */
unsigned int ccdm_tree_run(const struct ccdm_entry *e, unsigned int first,
			   unsigned int end, enum ccdm_kind *kind);

/**
 * ccdm_tree_init_child() - initialise a node that is not on the device
 * @parent: the parent's entry for the node
 * @node: the node's CCDM_NODE_ENTRIES entries, set if the result is true
 *
 * A node under a reserved entry is not on the device: every entry of the
 * child has that value, too. So a mapping opens without writing.
 *
 * Return: true if initialised, false if the node must be read and verified.
 */
bool ccdm_tree_init_child(const struct ccdm_entry *parent, struct ccdm_entry *node);

/* ccdm_tree_zeroable() - true if a discard changes anything under entry @e */
bool ccdm_tree_zeroable(const struct ccdm_entry *e, bool origin);

/* ccdm_tree_evictable() - true if the node may be evicted; the only place with this rule */
bool ccdm_tree_evictable(enum ccdm_node_state state, unsigned int pins);

/**
 * ccdm_tree_writable() - true if the node should be written back now
 * @level: level of the node
 * @state: its state
 * @dirty: its flag
 * @children: its children in the cache (inner nodes)
 * @sync: a sync asks for it
 *
 * At most one write per node is in flight. An inner node with children in the
 * cache will soon change again, so only a sync writes it.
 */
bool ccdm_tree_writable(unsigned int level, enum ccdm_node_state state, bool dirty,
			const struct ccdm_mask *children, bool sync);

/* ccdm_tree_grant() - true if the marks @want conflict neither with @busy nor with @earlier */
bool ccdm_tree_grant(const struct ccdm_mask *want, const struct ccdm_mask *busy,
		     const struct ccdm_mask *earlier);

#endif /* CCDM_TREE_H */
