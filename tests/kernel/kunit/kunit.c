// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * kunit.c - KUnit: geometry, the tree's decisions, the cipher suites
 *
 * A separate test module that includes the product's own sources. Geometry and tree use the cases
 * of tests/unit/test_format.c, which also run in user space under sanitizers. The cache needs a
 * device: see cache.c.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../../../kmod/suite.c"
#include "../../../kmod/gmac.c"
#include "../../../kmod/key.c"
#include "../../../kmod/tree.c"
/* write.c has two of the same names, so it is in cache.c */
#include "../../../kmod/writeback.c"
#include "../../unit/test_format.c"
#include "../kat/kat.h"
#include "compat.h"

CCDM_CASE(geometry_known)
CCDM_CASE(geometry_fits)
CCDM_CASE(geometry_disjoint)
CCDM_CASE(entry_kinds)
CCDM_CASE(entry_born)
CCDM_CASE(entry_runs)
CCDM_CASE(entry_zeroable)
CCDM_CASE(masks)
CCDM_CASE(decisions)

static struct kunit_case format_cases[] = {
	KUNIT_CASE(kunit_geometry_known),    KUNIT_CASE(kunit_geometry_fits),
	KUNIT_CASE(kunit_geometry_disjoint), KUNIT_CASE(kunit_entry_kinds),
	KUNIT_CASE(kunit_entry_born),	     KUNIT_CASE(kunit_entry_runs),
	KUNIT_CASE(kunit_entry_zeroable),    KUNIT_CASE(kunit_masks),
	KUNIT_CASE(kunit_decisions),	     {}
};

static struct kunit_suite format_suite = { .name = "ccdm-format", .test_cases = format_cases };

/* ---- cipher suites --------------------------------------------------------- */

#define GUARD 0xa5

/* A block between two guard pages, which must never change. */
struct guarded {
	struct page *pages; /* four pages: 1 is the block, 2 is needed by a block at an offset */
};

static void *guarded_at(struct guarded *g, unsigned int page)
{
	return page_address(g->pages + page);
}

static void guarded_make(struct kunit *test, struct guarded *g)
{
	g->pages = alloc_pages(GFP_KERNEL, 2);
	KUNIT_ASSERT_NOT_NULL(test, g->pages);
	memset(guarded_at(g, 0), GUARD, 4 * PAGE_SIZE);
}

/* Is everything unchanged, except for @size bytes at @offset of the second page? */
static bool guarded_whole(struct guarded *g, unsigned int offset, unsigned int size)
{
	u8 *p = guarded_at(g, 0);
	u8 *block = p + PAGE_SIZE + offset;

	return !memchr_inv(p, GUARD, block - p) &&
	       !memchr_inv(block + size, GUARD, 4 * PAGE_SIZE - (block + size - p));
}

struct suites {
	struct ccdm_cipher cipher;
	struct ccdm_key key;
	struct ccdm_creqs q;
	struct ccdm_creq *creq;
	struct guarded plain, sealed, opened;
	struct {
		u8 before[CCDM_TAG_SIZE], tag[CCDM_TAG_SIZE], after[CCDM_TAG_SIZE];
	} t;
};

static void suite_one(struct kunit *test, struct suites *s, const struct ccdm_kat *k,
		      unsigned int offset)
{
	struct ccdm_place place = { .domain = k->domain, .index = k->index, .seq = k->seq };
	u8 *plain, *sealed = guarded_at(&s->sealed, 1), *opened;
	unsigned int i;
	int r;

	plain = guarded_at(&s->plain, 1) + offset;
	opened = guarded_at(&s->opened, 1) + offset;
	memset(guarded_at(&s->plain, 0), GUARD, 4 * PAGE_SIZE);
	memset(guarded_at(&s->sealed, 0), GUARD, 4 * PAGE_SIZE);
	memset(guarded_at(&s->opened, 0), GUARD, 4 * PAGE_SIZE);
	memset(&s->t, GUARD, sizeof(s->t));
	for (i = 0; i < CCDM_BLOCK_SIZE; i++)
		plain[i] = i * 7 + (i >> 8);

	/* the known answer, and no write outside of the block */
	r = ccdm_seal(&s->cipher, s->creq, &place, s->plain.pages + 1, offset, s->sealed.pages + 1,
		      s->t.tag);
	KUNIT_ASSERT_EQ(test, r, 0);
	KUNIT_EXPECT_MEMEQ(test, sealed, k->first, 32);
	KUNIT_EXPECT_MEMEQ(test, sealed + 4064, k->last, 32);
	KUNIT_EXPECT_MEMEQ(test, s->t.tag, k->tag, CCDM_TAG_SIZE);
	KUNIT_EXPECT_TRUE(test, guarded_whole(&s->plain, offset, CCDM_BLOCK_SIZE));
	KUNIT_EXPECT_TRUE(test, guarded_whole(&s->sealed, 0, CCDM_BLOCK_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(s->t.before, GUARD, CCDM_TAG_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(s->t.after, GUARD, CCDM_TAG_SIZE));
	for (i = 0; i < CCDM_BLOCK_SIZE && plain[i] == (u8)(i * 7 + (i >> 8)); i++)
		;
	KUNIT_EXPECT_EQ(test, i, CCDM_BLOCK_SIZE);

	/* opened again, exactly the block's bytes */
	r = ccdm_open(&s->cipher, s->creq, &place, s->t.tag, s->sealed.pages + 1, s->opened.pages + 1,
		      offset, false);
	KUNIT_ASSERT_EQ(test, r, 0);
	KUNIT_EXPECT_MEMEQ(test, opened, plain, CCDM_BLOCK_SIZE);
	KUNIT_EXPECT_TRUE(test, guarded_whole(&s->opened, offset, CCDM_BLOCK_SIZE));
	KUNIT_EXPECT_TRUE(test, guarded_whole(&s->sealed, 0, CCDM_BLOCK_SIZE));
	KUNIT_EXPECT_MEMEQ(test, s->t.tag, k->tag, CCDM_TAG_SIZE);

	/* a refused block: still no write outside of it */
	memset(opened, GUARD, CCDM_BLOCK_SIZE);
	sealed[1234] ^= 0x10;
	r = ccdm_open(&s->cipher, s->creq, &place, s->t.tag, s->sealed.pages + 1, s->opened.pages + 1,
		      offset, false);
	KUNIT_EXPECT_EQ(test, r, -EBADMSG);
	KUNIT_EXPECT_TRUE(test, guarded_whole(&s->opened, offset, CCDM_BLOCK_SIZE));
}

static void suite_guards(struct kunit *test)
{
	static const unsigned int offsets[] = { 0, 512, 2048, 3584 };
	struct suites *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, s);
	guarded_make(test, &s->plain);
	guarded_make(test, &s->sealed);
	guarded_make(test, &s->opened);
	for (i = 0; i < 64; i++)
		s->key.xts[i] = i;
	for (i = 0; i < 32; i++)
		s->key.mac[i] = 0x80 + i;
	for (i = 0; i < ARRAY_SIZE(ccdm_kats); i++) {
		KUNIT_ASSERT_EQ(test, ccdm_cipher_init(&s->cipher, ccdm_kats[i].kind, &s->key), 0);
		s->q.size = ccdm_creq_size(&s->cipher);
		s->q.scratch = ccdm_creq_scratch(&s->cipher);
		s->creq = ccdm_creq_alloc(GFP_KERNEL, &s->q);
		KUNIT_ASSERT_NOT_NULL(test, s->creq);
		for (j = 0; j < ARRAY_SIZE(offsets); j++)
			suite_one(test, s, &ccdm_kats[i], offsets[j]);
		ccdm_creq_free(s->creq, &s->q);
		ccdm_cipher_exit(&s->cipher);
		/* no part of the key stays in memory */
		KUNIT_EXPECT_NULL(test, memchr_inv(&s->cipher, 0, sizeof(s->cipher)));
	}
	__free_pages(s->plain.pages, 2);
	__free_pages(s->sealed.pages, 2);
	__free_pages(s->opened.pages, 2);
}

static void suite_keys(struct kunit *test)
{
	struct ccdm_secret *a = ccdm_key_birth(), *b = ccdm_key_birth();
	struct ccdm_key block, node, other;

	KUNIT_ASSERT_FALSE(test, IS_ERR(a) || IS_ERR(b));
	KUNIT_ASSERT_EQ(test, ccdm_key_derive(a, "block", &block), 0);
	KUNIT_ASSERT_EQ(test, ccdm_key_derive(a, "node", &node), 0);
	KUNIT_ASSERT_EQ(test, ccdm_key_derive(b, "block", &other), 0);
	KUNIT_EXPECT_MEMNEQ(test, &block, &node, sizeof(block));
	KUNIT_EXPECT_MEMNEQ(test, &block, &other, sizeof(block));
	KUNIT_EXPECT_MEMNEQ(test, block.xts, block.xts + 32, 32);
	KUNIT_EXPECT_MEMNEQ(test, block.xts, block.mac, 32);
	KUNIT_ASSERT_EQ(test, ccdm_key_derive(a, "block", &other), 0);
	KUNIT_EXPECT_MEMEQ(test, &block, &other, sizeof(block));
	ccdm_key_death(a);
	ccdm_key_death(b);
}

static struct kunit_case suite_cases[] = { KUNIT_CASE(suite_guards), KUNIT_CASE(suite_keys), {} };

static struct kunit_suite suite_suite = { .name = "ccdm-suite", .test_cases = suite_cases };

kunit_test_suites(&format_suite, &suite_suite);
MODULE_DESCRIPTION("KUnit tests of ccdm; not for production");
MODULE_LICENSE("GPL");
