/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * line.h - a waiting line with ranks that is fair between control groups
 *
 * A line serves reads first, then synchronous writes, then other writes. Within
 * a rank the groups take turns, and within a group the order is that of arrival. A
 * rank that was passed CCDM_LINE_PATIENCE times is served before the others once.
 *
 * The line has no lock: its owner has one. The functions may be called in any context.
 */
#ifndef CCDM_LINE_H
#define CCDM_LINE_H

#include <linux/list.h>
#include <linux/types.h>

/*
 * A mapping distinguishes this many block control groups with I/Os inside, less one; where
 * there are more, some share a number. Group 0 is the root group, and the mapping
 * itself.
 */
#define CCDM_GROUPS		16u
#define CCDM_LINE_PATIENCE	16

enum ccdm_rank {
	CCDM_RANK_READ,
	CCDM_RANK_SYNC,
	CCDM_RANK_REST,
	CCDM_RANKS,
};

/**
 * struct ccdm_waiter - a waiter that may stand in a line
 * @list: its place; for the owner's use while it is not in the line
 * @rank: enum ccdm_rank
 * @group: below CCDM_GROUPS
 */
struct ccdm_waiter {
	struct list_head list;
	u8 rank;
	u8 group;
};

/**
 * struct ccdm_line - the line
 * @q: for each rank and group, in order of arrival
 * @groups: for each rank a bit for each group with waiters
 * @next: for each rank the group that is next
 * @passed: for each rank how often a higher rank was served while it waited
 */
struct ccdm_line {
	struct list_head q[CCDM_RANKS][CCDM_GROUPS];
	u32 groups[CCDM_RANKS];
	u8 next[CCDM_RANKS];
	u8 passed[CCDM_RANKS];
};

void ccdm_line_init(struct ccdm_line *line);
bool ccdm_line_empty(const struct ccdm_line *line);
void ccdm_line_add(struct ccdm_line *line, struct ccdm_waiter *p);
/* Remove @p without serving it. */
void ccdm_line_remove(struct ccdm_line *line, struct ccdm_waiter *p);
/* Serve @p: remove it, and update the turns of groups and ranks. */
void ccdm_line_serve(struct ccdm_line *line, struct ccdm_waiter *p);
/* Set @order to the order in which to serve the ranks now. */
void ccdm_line_order(const struct ccdm_line *line, u8 order[CCDM_RANKS]);
/* Return the next waiter in @rank of a group without a bit in @skip, or NULL. */
struct ccdm_waiter *ccdm_line_next(struct ccdm_line *line, unsigned int rank, u32 skip);

#endif /* CCDM_LINE_H */
