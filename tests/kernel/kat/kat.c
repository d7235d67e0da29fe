// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * kat.c - known answers for the cipher suites and the key derivation
 *
 * A separate test module that includes the product's own sources. It loads only if each answer is
 * correct, and prints KTAP to the kernel log.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../../../kmod/suite.c"
#include "../../../kmod/key.c"
#include "kat.h"

static unsigned int blocks;
module_param(blocks, uint, 0);
MODULE_PARM_DESC(blocks, "seal and open so many with each suite, and say what one takes");

static int nr, failed;

static void ok(bool good, const char *what, int kind)
{
	pr_info("ccdm-kat: %s %d %s (%d)\n", good ? "ok" : "not ok", ++nr, what, kind);
	failed += !good;
}

struct kat_mem {
	struct ccdm_cipher cipher;
	struct ccdm_key key;
	struct ccdm_creqs q;
	struct ccdm_creq *creq;
	struct page *plain, *sealed, *opened;
	u8 tag[CCDM_TAG_SIZE];
};

static int kat_open(struct kat_mem *m, const struct ccdm_place *place, const u8 *tag)
{
	memset(page_address(m->opened), 0xee, CCDM_BLOCK_SIZE);
	return ccdm_open(&m->cipher, m->creq, place, tag, m->sealed, m->opened, 0, false);
}

static void kat_one(struct kat_mem *m, const struct ccdm_kat *k)
{
	struct ccdm_place place = { .domain = k->domain, .index = k->index, .seq = k->seq };
	struct ccdm_place other = place;
	u8 *c = page_address(m->sealed), tag[CCDM_TAG_SIZE];
	int r;

	r = ccdm_seal(&m->cipher, m->creq, &place, m->plain, 0, m->sealed, m->tag);
	ok(!r && !memcmp(c, k->first, 32) && !memcmp(c + 4064, k->last, 32) &&
	   !memcmp(m->tag, k->tag, 16), "seal", k->kind);
	r = kat_open(m, &place, m->tag);
	ok(!r && !memcmp(page_address(m->opened), page_address(m->plain), CCDM_BLOCK_SIZE), "open",
	   k->kind);

	c[1234] ^= 0x10;
	ok(kat_open(m, &place, m->tag) == -EBADMSG, "a flipped bit of the ciphertext", k->kind);
	c[1234] ^= 0x10;
	memcpy(tag, m->tag, sizeof(tag));
	tag[15] ^= 1;
	ok(kat_open(m, &place, tag) == -EBADMSG, "a flipped bit of the tag", k->kind);
	other.seq++;
	ok(kat_open(m, &other, m->tag) == -EBADMSG, "another sequence number", k->kind);
	other = place;
	other.domain++;
	ok(kat_open(m, &other, m->tag) == -EBADMSG, "another domain", k->kind);
	ok(!kat_open(m, &place, m->tag), "and the right one again", k->kind);
}

/* Measure the time of the cipher suites alone, for the bench. */
static void kat_cost(struct kat_mem *m, enum ccdm_construction kind)
{
	struct ccdm_place place = { .domain = CCDM_DOMAIN_BLOCK, .seq = CCDM_SEQ_FIRST };
	u64 start, sealed, opened;
	unsigned int i;
	int r = 0;

	start = ktime_get_ns();
	for (i = 0; i < blocks && !r; i++) {
		place.seq++;
		r = ccdm_seal(&m->cipher, m->creq, &place, m->plain, 0, m->sealed, m->tag);
	}
	sealed = ktime_get_ns();
	for (i = 0; i < blocks && !r; i++)
		r = ccdm_open(&m->cipher, m->creq, &place, m->tag, m->sealed, m->opened, 0, false);
	opened = ktime_get_ns();
	if (!r)
		pr_info("ccdm-kat: cost %d seal %llu open %llu\n", kind,
			(sealed - start) / blocks, (opened - sealed) / blocks);
}

static void kat_hkdf(void)
{
	/* RFC 5869, test case 1 */
	static const u8 ikm[22] = { [0 ... 21] = 0x0b };
	static const u8 salt[13] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	static const u8 info[10] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9 };
	static const u8 okm[42] = {
		0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36,
		0x2f, 0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56,
		0xec, 0xc4, 0xc5, 0xbf, 0x34, 0x00, 0x72, 0x08, 0xd5, 0xb8, 0x87, 0x18, 0x58, 0x65,
	};
	u8 prk[32], out[42];
	int r = ccdm_hkdf_extract(salt, sizeof(salt), ikm, sizeof(ikm), prk);

	if (!r)
		r = ccdm_hkdf_expand(prk, info, sizeof(info), out, sizeof(out));
	ok(!r && !memcmp(out, okm, sizeof(okm)), "HKDF-SHA-256, RFC 5869 case 1", 0);
}

static void kat_key(void)
{
	struct ccdm_secret *a = ccdm_key_birth(), *b = ccdm_key_birth();

	ok(!IS_ERR(a) && !IS_ERR(b) && memcmp(a, b, sizeof(*a)), "two keys are born and differ", 0);
	if (!IS_ERR(a))
		ccdm_key_death(a);
	if (!IS_ERR(b))
		ccdm_key_death(b);
}

static int __init kat_init(void)
{
	struct kat_mem *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned int i;
	u8 *p;

	if (!m)
		return -ENOMEM;
	m->plain = alloc_page(GFP_KERNEL);
	m->sealed = alloc_page(GFP_KERNEL);
	m->opened = alloc_page(GFP_KERNEL);
	for (i = 0; i < 64; i++)
		m->key.xts[i] = i;
	for (i = 0; i < 32; i++)
		m->key.mac[i] = 0x80 + i;
	p = page_address(m->plain);
	for (i = 0; i < CCDM_BLOCK_SIZE; i++)
		p[i] = i * 7 + (i >> 8);

	for (i = 0; i < ARRAY_SIZE(ccdm_kats); i++) {
		if (ccdm_cipher_init(&m->cipher, ccdm_kats[i].kind, &m->key)) {
			ok(false, "cipher", ccdm_kats[i].kind);
			continue;
		}
		m->q.size = ccdm_creq_size(&m->cipher);
		m->q.scratch = ccdm_creq_scratch(&m->cipher);
		m->creq = ccdm_creq_alloc(GFP_KERNEL, &m->q);
		kat_one(m, &ccdm_kats[i]);
		if (blocks && (!i || ccdm_kats[i].kind != ccdm_kats[i - 1].kind))
			kat_cost(m, ccdm_kats[i].kind);
		ccdm_creq_free(m->creq, &m->q);
		ccdm_cipher_exit(&m->cipher);
	}
	kat_hkdf();
	kat_key();
	__free_page(m->plain);
	__free_page(m->sealed);
	__free_page(m->opened);
	kfree(m);
	pr_info("ccdm-kat: 1..%d, %d failed\n", nr, failed);
	return failed ? -EINVAL : 0;
}

static void __exit kat_exit(void)
{
}

module_init(kat_init);
module_exit(kat_exit);
MODULE_DESCRIPTION("known-answer tests of ccdm; not for production");
MODULE_LICENSE("GPL");
