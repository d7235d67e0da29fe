# SPDX-License-Identifier: Apache-2.0
"""table - one line of the code broken, and the test that must see it

Each: name, the rule that it breaks, file, what stands there once, what stands there
then, and the test: "KERNEL NAME" as tests/run takes them, or "unit NAME" for
tests/unit/test_NAME.c.
"""
MUTANTS = [
    # ---- marks, rechecks, poison: Documentation/concurrency.rst, "Marks"
    ("no-marks", "a writer has the blocks' marks to itself", "kmod/io.c",
     "	ok = ccdm_tree_grant(&io->mask, &leaf->mask, &none);",
     "	ok = ccdm_tree_grant(&io->mask, &none, &none);", "6.1 60-odd"),
    ("no-recheck", "one mismatch is no verdict", "kmod/read.c",
     "	if (io->again) {", "	if (true) {", "6.1 60-odd"),
    ("recheck-without-marks", "a second mismatch counts because the marks are held", "kmod/read.c",
     "	if (io->marked || ccdm_io_mark(io, ccdm_read_start))", "	if (true)", "6.1 60-odd"),
    ("no-second-verdict", "a second mismatch is tamper", "kmod/read.c",
     "		ccdm_tamper(c, \"block\", 0, io->block + io->at);", "", "6.1 40-attack"),
    ("no-poison", "a write that failed leaves no old content", "kmod/write.c",
     "		ccdm_tree_reserve(&leaf->entry[io->first + i], CCDM_SEQ_POISONED);", "", "6.1 50-trouble"),
    ("poison-neighbours", "only what failed alone is poisoned", "kmod/write.c",
     "	memset(&io->other, 0, sizeof(io->other));", "", "6.1 50-trouble"),
    ("write-not-dirty", "a leaf with a new entry is dirty", "kmod/write.c",
     "	dirty = ccdm_cache_set_dirty(c, leaf);\n	spin_unlock_irqrestore(&leaf->lock, flags);\n	/* First",
     "	dirty = false;\n	spin_unlock_irqrestore(&leaf->lock, flags);\n	/* First", "6.1 10-life"),
    # ---- nodes: "Life of a node"
    ("node-not-verified", "a node is compared with its parent's entry", "kmod/cache.c",
     "		if (r != -EBADMSG)\n			continue;", "		r = 0;\n		break;", "6.1 40-attack"),
    ("node-tamper-not-said", "a node that does not verify twice is tamper", "kmod/cache.c",
     "			ccdm_tamper(c, \"node\", node->level, node->index);", "", "6.1 40-attack"),
    ("no-bit", "a cached child's entry is nobody else's", "kmod/cache.c",
     "	ccdm_mask_set(&parent->mask, slot);", "", "6.1 73-discard"),
    ("failed-node-dropped", "a node whose write failed stays in memory", "kmod/writeback.c",
     "	node->dirty = true;	/* the pin of WRITING becomes the pin of dirty */",
     "	node->dirty = was_dirty;", "6.1 50-trouble"),
    ("parent-not-told", "the new entry goes to the parent", "kmod/writeback.c",
     "	ccdm_tree_seal(&parent->entry[ccdm_node_slot(node)], w->seq[i], w->tag[i]);", "", "6.1 10-life"),
    ("parent-not-dirty", "the parent of a written node is dirty", "kmod/writeback.c",
     "	newly = ccdm_cache_set_dirty(c, parent);", "	newly = false;", "6.1 20-data"),
    ("evicted-while-used", "who is pinned stays", "kmod/tree.c",
     "	return state == CCDM_NODE_CLEAN && !pins;", "	return state == CCDM_NODE_CLEAN;", "unit format"),
    ("written-twice", "one write of a node is under way at most", "kmod/tree.c",
     "	if (state != CCDM_NODE_CLEAN || !dirty)", "	if (!dirty)", "unit format"),
    ("parent-before-child", "a node goes after its children", "kmod/tree.c",
     "	return !level || sync || ccdm_mask_empty(children);", "	return true;", "unit format"),
    ("out-of-line", "one passes an earlier one only if they do not overlap", "kmod/tree.c",
     "	return !ccdm_mask_overlaps(want, busy) && !ccdm_mask_overlaps(want, earlier);",
     "	return !ccdm_mask_overlaps(want, busy);", "unit format"),
    ("born-unwritten", "below a zeroed entry all is zeroed", "kmod/tree.c",
     "			ccdm_tree_reserve(&node[i], CCDM_SEQ_ZEROED);",
     "			ccdm_tree_reserve(&node[i], CCDM_SEQ_UNWRITTEN);", "unit format"),
    ("bad-entry-is-zero", "what no entry can be is an error", "kmod/tree.c",
     "	return CCDM_KIND_BAD;", "	return CCDM_KIND_ZEROED;", "unit format"),
    # ---- discards
    ("discard-not-dirty", "a zeroed leaf is dirty", "kmod/discard.c",
     "		dirty = ccdm_cache_set_dirty(c, leaf);", "		dirty = false;", "6.1 73-discard"),
    # ---- sync
    ("sync-early", "a sync ends when what was dirty is written", "kmod/sync.c",
     "	done = !k->writing[k->sync_level] && (!node || node->dirty_gen > k->sync_gen);",
     "	done = true;", "6.1 10-life"),
    # ---- tamper
    ("tamper-without-panic", "on_tamper:panic stops the VM", "kmod/event.c",
     "	if (c->opt.on_tamper == CCDM_TAMPER_PANIC)", "	if (false)", "6.1 41-stop"),
    ("tamper-without-poweroff", "on_tamper:poweroff switches it off", "kmod/event.c",
     "			kernel_power_off();", "			;", "6.1 41-stop"),
    ("tamper-unheard", "tamper is told by netlink, dm and uevent", "kmod/event.c",
     "		ccdm_event_all(c, \"tamper\", c->tamper_kind);", "		;", "6.1 81-events"),
]
