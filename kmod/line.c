// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* line.c - a waiting line with ranks, that is fair between control groups; see line.h */
#include "line.h"

void ccdm_line_init(struct ccdm_line *line)
{
	unsigned int r, g;

	for (r = 0; r < CCDM_RANKS; r++) {
		for (g = 0; g < CCDM_GROUPS; g++)
			INIT_LIST_HEAD(&line->q[r][g]);
		line->groups[r] = 0;
		line->next[r] = 0;
		line->passed[r] = 0;
	}
}

bool ccdm_line_empty(const struct ccdm_line *line)
{
	return !(line->groups[CCDM_RANK_READ] | line->groups[CCDM_RANK_SYNC] |
		 line->groups[CCDM_RANK_REST]);
}

void ccdm_line_add(struct ccdm_line *line, struct ccdm_waiter *p)
{
	list_add_tail(&p->list, &line->q[p->rank][p->group]);
	line->groups[p->rank] |= 1u << p->group;
}

void ccdm_line_remove(struct ccdm_line *line, struct ccdm_waiter *p)
{
	list_del_init(&p->list);
	if (!list_empty(&line->q[p->rank][p->group]))
		return;
	line->groups[p->rank] &= ~(1u << p->group);
	if (!line->groups[p->rank])
		line->passed[p->rank] = 0;
}

void ccdm_line_serve(struct ccdm_line *line, struct ccdm_waiter *p)
{
	unsigned int r;

	ccdm_line_remove(line, p);
	line->passed[p->rank] = 0;
	line->next[p->rank] = (p->group + 1) % CCDM_GROUPS;
	for (r = p->rank + 1; r < CCDM_RANKS; r++)
		if (line->groups[r] && line->passed[r] < CCDM_LINE_PATIENCE)
			line->passed[r]++;
}

void ccdm_line_order(const struct ccdm_line *line, u8 order[CCDM_RANKS])
{
	unsigned int r, n = 0;

	for (r = CCDM_RANKS; r-- > 0;)
		if (line->passed[r] >= CCDM_LINE_PATIENCE)
			order[n++] = r;
	for (r = 0; r < CCDM_RANKS; r++)
		if (line->passed[r] < CCDM_LINE_PATIENCE)
			order[n++] = r;
}

struct ccdm_waiter *ccdm_line_next(struct ccdm_line *line, unsigned int rank, u32 skip)
{
	u32 ready = line->groups[rank] & ~skip;
	u32 later = ready & ~((1u << line->next[rank]) - 1);

	if (!ready)
		return NULL;
	return list_first_entry(&line->q[rank][__builtin_ctz(later ?: ready)],
				struct ccdm_waiter, list);
}
