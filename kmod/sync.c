// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * sync.c - wait until every node that is dirty now was written once
 *
 * Level by level, leaves first: writing a level makes the one above it dirty.
 * Each level opens a new generation, and the dirty lists stand in the order of
 * generations, so the oldest node of the level tells whether it is done. What
 * becomes dirty later is not waited for. The writer does the work; see
 * writeback.c.
 */
#include "ccdm.h"

static bool ccdm_sync_level_done(struct ccdm_cache *k)
{
	struct ccdm_node *node;
	bool done;

	spin_lock_irq(&k->lock);
	node = list_first_entry_or_null(&k->dirty[k->sync_level], struct ccdm_node, dirty_link);
	done = !k->writing[k->sync_level] && (!node || node->dirty_gen > k->sync_gen);
	list_for_each_entry(node, &k->failed[k->sync_level], dirty_link)
		if (node->dirty_gen <= k->sync_gen)
			done = false;
	done = done || k->sync_error || READ_ONCE(k->stopped);
	spin_unlock_irq(&k->lock);
	return done;
}

int ccdm_sync(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	unsigned int level;
	int r = 0;

	mutex_lock(&k->sync_lock);
	spin_lock_irq(&k->lock);
	k->sync_error = 0;
	spin_unlock_irq(&k->lock);
	for (level = 0; level < c->g.levels && !r; level++) {
		spin_lock_irq(&k->lock);
		k->sync_gen = k->gen++;
		k->sync_level = level;
		spin_unlock_irq(&k->lock);
		ccdm_writeback_kick(c);
		r = wait_event_killable(k->sync_wait, ccdm_sync_level_done(k) || !ccdm_active(c));
		/* coverage: 50-trouble kills a waiter */
		if (!r && READ_ONCE(k->stopped))
			r = -EAGAIN;
		/* coverage: 50-trouble kills a waiter */
		else if (!r && (READ_ONCE(k->sync_error) || !ccdm_active(c)))
			r = -EIO;
	}
	spin_lock_irq(&k->lock);
	k->sync_level = -1;
	spin_unlock_irq(&k->lock);
	mutex_unlock(&k->sync_lock);
	return r;
}
