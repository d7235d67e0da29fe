// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* test_format - geometry, entries and the tree's decisions, in user space and in the kernel */
#ifdef __KERNEL__
#include "../kernel/kunit/cmocka.h"
#else
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#endif
#include "ccdm_format.h"
#include "tree.h"

static void geometry_known(void **state)
{
	static const struct {
		uint64_t blocks;
		unsigned int levels;
		uint64_t total;
	} k[] = {
		{ 1, 1, 2 },
		{ 128, 1, 129 },
		{ 129, 2, 129 + 2 + 1 },
		{ 128 * 128, 2, 16384 + 128 + 1 },
		{ 128 * 128 + 1, 3, 16385 + 129 + 2 + 1 },
		{ 1ULL << 32, 5, (1ULL << 32) + (1 << 25) + (1 << 18) + (1 << 11) + (1 << 4) + 1 },
	};
	struct ccdm_geometry g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++) {
		assert_int_equal(ccdm_geometry_set(&g, k[i].blocks), 0);
		assert_int_equal(g.levels, k[i].levels);
		assert_int_equal(g.total, k[i].total);
		assert_int_equal(g.first[0], k[i].blocks);
		assert_int_equal(g.nodes[g.levels - 1], 1);
	}
	assert_int_equal(ccdm_geometry_set(&g, 0), -1);
	assert_int_equal(ccdm_geometry_set(&g, 1ULL << 52), -1);
	assert_int_equal(ccdm_geometry_set(&g, (1ULL << 52) - 1), 0);
	assert_true(g.levels <= CCDM_MAX_LEVELS);
}

static void geometry_fits(void **state)
{
	struct ccdm_geometry g;
	uint64_t backing, fit;
	int i;

	(void)state;
	assert_int_equal(ccdm_geometry_fit(0), 0);
	assert_int_equal(ccdm_geometry_fit(1), 0);
	assert_int_equal(ccdm_geometry_fit(2), 1);
	for (i = 0; i < 200000; i++) {
		backing = i < 100000 ? (uint64_t)i + 2
				     : ((uint64_t)rand() << 20 ^ rand()) % (1ULL << 50) + 2;
		fit = ccdm_geometry_fit(backing);
		assert_int_equal(ccdm_geometry_set(&g, fit), 0);
		assert_true(g.total <= backing);
		assert_int_equal(ccdm_geometry_set(&g, fit + 1), 0);
		assert_true(g.total > backing);
	}
	assert_true(ccdm_geometry_fit(UINT64_MAX) < 1ULL << 52);
}

/* No two nodes share a block, and no node lies in the data area. */
static void geometry_disjoint(void **state)
{
	struct ccdm_geometry g = {};
	unsigned int l;
	uint64_t b;

	(void)state;
	for (b = 1; b < 40000; b += 37) {
		assert_int_equal(ccdm_geometry_set(&g, b), 0);
		for (l = 0; l + 1 < g.levels; l++)
			assert_int_equal(g.first[l] + g.nodes[l], g.first[l + 1]);
		assert_int_equal(g.first[g.levels - 1] + 1, g.total);
	}
}

static void entry_kinds(void **state)
{
	uint8_t tag[CCDM_TAG_SIZE] = { 1, 2, 3 };
	struct ccdm_entry e;
	uint64_t seq;

	(void)state;
	assert_int_equal(sizeof(e), 32);
	for (seq = 0; seq < 20; seq++) {
		memset(&e, 0, sizeof(e));
		e.seq = ccdm_cpu_to_le64(seq);
		assert_int_equal(ccdm_tree_kind(&e), seq == 0	? CCDM_KIND_UNWRITTEN
						     : seq == 1 ? CCDM_KIND_ZEROED
						     : seq < 16 ? CCDM_KIND_BAD
								: CCDM_KIND_SEALED);
	}
	memset(&e, 0xff, sizeof(e));
	ccdm_tree_seal(&e, 77, tag);
	assert_int_equal(ccdm_le64_to_cpu(e.seq), 77);
	assert_memory_equal(e.tag, tag, sizeof(tag));
	assert_int_equal(e.zero[0] | e.zero[7], 0);
	ccdm_tree_reserve(&e, CCDM_SEQ_POISONED);
	assert_int_equal(ccdm_tree_kind(&e), CCDM_KIND_BAD);
	assert_int_equal(e.tag[0], 0);
}

static void entry_born(void **state)
{
	static struct ccdm_entry node[CCDM_NODE_ENTRIES];
	uint8_t tag[CCDM_TAG_SIZE] = { 1 };
	struct ccdm_entry parent;
	int i;

	(void)state;
	memset(&parent, 0, sizeof(parent));
	memset(node, 0xff, sizeof(node));
	assert_true(ccdm_tree_init_child(&parent, node));
	for (i = 0; i < 128; i++)
		assert_int_equal(ccdm_tree_kind(&node[i]), CCDM_KIND_UNWRITTEN);
	ccdm_tree_reserve(&parent, CCDM_SEQ_ZEROED);
	memset(node, 0xff, sizeof(node));
	assert_true(ccdm_tree_init_child(&parent, node));
	for (i = 0; i < 128; i++)
		assert_int_equal(ccdm_tree_kind(&node[i]), CCDM_KIND_ZEROED);
	ccdm_tree_seal(&parent, 16, tag);
	assert_false(ccdm_tree_init_child(&parent, node));
	/*
	 * a poisoned inner entry is never written; if one existed, it could not initialize a node
	 */
	ccdm_tree_reserve(&parent, CCDM_SEQ_POISONED);
	assert_false(ccdm_tree_init_child(&parent, node));
}

static void entry_runs(void **state)
{
	static struct ccdm_entry e[CCDM_NODE_ENTRIES];
	enum ccdm_kind kind;
	unsigned int i, n, end, j;
	int round;

	(void)state;
	for (round = 0; round < 2000; round++) {
		memset(e, 0, sizeof(e));
		for (i = 0; i < 128; i++)
			e[i].seq = ccdm_cpu_to_le64((uint64_t)(rand() % 5) * (rand() % 5));
		end = 1 + rand() % 128;
		for (i = 0; i < end; i += n) {
			n = ccdm_tree_run(e, i, end, &kind);
			assert_true(n >= 1 && n <= end - i);
			for (j = i; j < i + n; j++)
				assert_int_equal(ccdm_tree_kind(&e[j]), kind);
			if (i + n < end)
				assert_int_not_equal(ccdm_tree_kind(&e[i + n]), kind);
		}
	}
}

static void entry_zeroable(void **state)
{
	uint8_t tag[CCDM_TAG_SIZE] = { 1 };
	struct ccdm_entry e = { 0 };

	(void)state;
	assert_false(ccdm_tree_zeroable(&e, false));
	assert_true(ccdm_tree_zeroable(&e, true));
	ccdm_tree_reserve(&e, CCDM_SEQ_ZEROED);
	assert_false(ccdm_tree_zeroable(&e, true));
	ccdm_tree_reserve(&e, CCDM_SEQ_POISONED);
	assert_true(ccdm_tree_zeroable(&e, false));
	ccdm_tree_seal(&e, 16, tag);
	assert_true(ccdm_tree_zeroable(&e, false));
}

static void masks(void **state)
{
	struct ccdm_mask m, o;
	unsigned int first, n, i;

	(void)state;
	for (first = 0; first < 128; first++)
		for (n = 1; first + n <= 128; n++) {
			m = ccdm_mask_range(first, n);
			for (i = 0; i < 128; i++)
				assert_int_equal(ccdm_mask_test(&m, i),
						 i >= first && i < first + n);
		}
	m = ccdm_mask_range(60, 8);
	o = ccdm_mask_range(67, 1);
	assert_true(ccdm_mask_overlaps(&m, &o));
	o = ccdm_mask_range(68, 60);
	assert_false(ccdm_mask_overlaps(&m, &o));
	ccdm_mask_add(&o, &m);
	assert_true(ccdm_mask_test(&o, 60) && ccdm_mask_test(&o, 127));
	ccdm_mask_remove(&o, &m);
	assert_false(ccdm_mask_test(&o, 60));
	ccdm_mask_clear(&m, 60);
	assert_false(ccdm_mask_test(&m, 60));
	ccdm_mask_set(&m, 127);
	assert_true(ccdm_mask_test(&m, 127));
	memset(&m, 0, sizeof(m));
	assert_true(ccdm_mask_empty(&m));
}

static void decisions(void **state)
{
	struct ccdm_mask none = { { 0, 0 } }, some = ccdm_mask_range(3, 1),
			 far = ccdm_mask_range(90, 9);
	int s;

	(void)state;
	for (s = CCDM_NODE_LOADING; s <= CCDM_NODE_GONE; s++) {
		assert_int_equal(ccdm_tree_evictable(s, 0), s == CCDM_NODE_CLEAN);
		assert_false(ccdm_tree_evictable(s, 1));
		assert_int_equal(ccdm_tree_writable(0, s, true, &some, false),
				 s == CCDM_NODE_CLEAN);
		assert_false(ccdm_tree_writable(0, s, false, &none, true));
	}
	assert_false(ccdm_tree_writable(1, CCDM_NODE_CLEAN, true, &some, false));
	assert_true(ccdm_tree_writable(1, CCDM_NODE_CLEAN, true, &some, true));
	assert_true(ccdm_tree_writable(1, CCDM_NODE_CLEAN, true, &none, false));
	assert_true(ccdm_tree_grant(&some, &none, &none));
	assert_true(ccdm_tree_grant(&some, &far, &far));
	assert_false(ccdm_tree_grant(&some, &some, &none));
	assert_false(ccdm_tree_grant(&some, &none, &some));
}

#ifndef __KERNEL__
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(geometry_known),    cmocka_unit_test(geometry_fits),
		cmocka_unit_test(geometry_disjoint), cmocka_unit_test(entry_kinds),
		cmocka_unit_test(entry_born),	     cmocka_unit_test(entry_runs),
		cmocka_unit_test(entry_zeroable),    cmocka_unit_test(masks),
		cmocka_unit_test(decisions),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
