// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* tree.c - entries and the tree's decisions; see tree.h */
#include "tree.h"

enum ccdm_kind ccdm_tree_kind(const struct ccdm_entry *e)
{
	__u64 seq = ccdm_le64_to_cpu(e->seq);

	if (seq >= CCDM_SEQ_FIRST)
		return CCDM_KIND_SEALED;
	if (seq == CCDM_SEQ_UNWRITTEN)
		return CCDM_KIND_UNWRITTEN;
	if (seq == CCDM_SEQ_ZEROED)
		return CCDM_KIND_ZEROED;
	return CCDM_KIND_BAD;
}

void ccdm_tree_seal(struct ccdm_entry *e, __u64 seq, const __u8 *tag)
{
	e->seq = ccdm_cpu_to_le64(seq);
	memcpy(e->tag, tag, CCDM_TAG_SIZE);
	memset(e->zero, 0, sizeof(e->zero));
}

void ccdm_tree_reserve(struct ccdm_entry *e, enum ccdm_seq value)
{
	memset(e, 0, sizeof(*e));
	e->seq = ccdm_cpu_to_le64((__u64)value);
}

unsigned int ccdm_tree_run(const struct ccdm_entry *e, unsigned int first,
			   unsigned int end, enum ccdm_kind *kind)
{
	unsigned int i;

	*kind = ccdm_tree_kind(&e[first]);
	for (i = first + 1; i < end; i++)
		if (ccdm_tree_kind(&e[i]) != *kind)
			break;
	return i - first;
}

bool ccdm_tree_init_child(const struct ccdm_entry *parent, struct ccdm_entry *node)
{
	enum ccdm_kind kind = ccdm_tree_kind(parent);
	unsigned int i;

	if (kind == CCDM_KIND_UNWRITTEN) {
		memset(node, 0, CCDM_NODE_ENTRIES * sizeof(*node));
		return true;
	}
	if (kind == CCDM_KIND_ZEROED) {
		for (i = 0; i < CCDM_NODE_ENTRIES; i++)
			ccdm_tree_reserve(&node[i], CCDM_SEQ_ZEROED);
		return true;
	}
	return false;
}

bool ccdm_tree_zeroable(const struct ccdm_entry *e, bool origin)
{
	switch (ccdm_tree_kind(e)) {
	case CCDM_KIND_UNWRITTEN:
		return origin;
	case CCDM_KIND_ZEROED:
		return false;
	default:
		return true;
	}
}

bool ccdm_tree_evictable(enum ccdm_node_state state, unsigned int pins)
{
	/* Dirty nodes, parents of cached nodes and nodes in use are pinned. */
	/* coverage: the unit test of the format asks for each state */
	return state == CCDM_NODE_CLEAN && !pins;
}

bool ccdm_tree_writable(unsigned int level, enum ccdm_node_state state, bool dirty,
			const struct ccdm_mask *children, bool sync)
{
	/*
	 * coverage: the unit test of the format asks for each state; the writer asks for dirty
	 * nodes only
	 */
	if (state != CCDM_NODE_CLEAN || !dirty)
		return false;
	return !level || sync || ccdm_mask_empty(children);
}

bool ccdm_tree_grant(const struct ccdm_mask *want, const struct ccdm_mask *busy,
		     const struct ccdm_mask *earlier)
{
	return !ccdm_mask_overlaps(want, busy) && !ccdm_mask_overlaps(want, earlier);
}
