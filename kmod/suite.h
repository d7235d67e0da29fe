/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * suite.h - cipher suites: seal and open one block or node
 *
 * This file knows bytes, keys and the crypto API, but not bios, trees or
 * device-mapper. Sizes, domains, tweaks and nonces are defined only here and in
 * suite.c.
 */
#ifndef CCDM_SUITE_H
#define CCDM_SUITE_H

#include <linux/crypto.h>
#include <linux/mempool.h>
#include <linux/scatterlist.h>
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include "ccdm_format.h"

#define CCDM_XTS_KEY_SIZE	64
#define CCDM_MAC_KEY_SIZE	32

/* Domain of a sealing: 0 for a block of data, 1 + level for a node. */
#define CCDM_DOMAIN_BLOCK	0
#define CCDM_DOMAIN_NODE(level)	(1u + (level))

/**
 * struct ccdm_place - identity of one sealing: domain, place and sequence number
 * @domain: CCDM_DOMAIN_BLOCK or CCDM_DOMAIN_NODE(level)
 * @index: index within the domain, below 2^52
 * @seq: sequence number, never used before under the same key
 */
struct ccdm_place {
	u32 domain;
	u64 index;
	u64 seq;
};

/**
 * enum ccdm_construction - how bytes are encrypted and authenticated
 * @CCDM_XTS_GMAC: XTS, then GMAC: the ciphertext as GCM's additional data
 * @CCDM_XTS_HMAC: XTS, then HMAC
 * @CCDM_GCM: GCM
 * @CCDM_XTS_GCM_TAG: XTS, then GCM over the ciphertext; only GCM's tag is used
 */
enum ccdm_construction {
	CCDM_XTS_GMAC,
	CCDM_XTS_HMAC,
	CCDM_GCM,
	CCDM_XTS_GCM_TAG,
};

/**
 * struct ccdm_suite - a name and the two constructions behind it
 * @name: as in the table line
 * @block: how blocks are sealed
 * @node: how nodes are sealed
 */
struct ccdm_suite {
	const char *name;
	enum ccdm_construction block;
	enum ccdm_construction node;
};

/**
 * struct ccdm_key - raw keys of one construction, both always filled
 * @xts: AES-256-XTS, two halves
 * @mac: AES-256 for GMAC and GCM, or the HMAC-SHA-256 key
 */
struct ccdm_key {
	u8 xts[CCDM_XTS_KEY_SIZE];
	u8 mac[CCDM_MAC_KEY_SIZE];
};

/**
 * struct ccdm_cipher - a keyed construction; read-only after ccdm_cipher_init()
 * @kind: which of the members below are used
 * @xts: XTS transform
 * @aead: GCM transform, which is also the GMAC
 * @hmac: HMAC transform
 */
struct ccdm_cipher {
	enum ccdm_construction kind;
	struct crypto_skcipher *xts;
	struct crypto_aead *aead;
	struct crypto_shash *hmac;
};

/**
 * struct ccdm_creq - memory for one sealing or opening at a time
 * @done: called when an opening that returned -EINPROGRESS is over, in any
 *	  context, without its result: the caller must open again in process
 *	  context
 * @arg: for @done
 * @wait: for a call that may sleep
 * @plain: the plaintext
 * @sealed: the ciphertext and @tag
 * @dropped: @scratch and @tag
 * @scratch: a page for unused output of GCM, or NULL; no other request, no bio and
 *	     no device ever gets it
 */
struct ccdm_creq {
	void (*done)(void *arg);
	void *arg;
	struct crypto_wait wait;
	struct scatterlist plain[1];
	struct scatterlist sealed[2];
	struct scatterlist dropped[2];
	struct page *scratch;
	u8 iv[16];
	u8 tag[CCDM_TAG_SIZE];
	u8 req[] CRYPTO_MINALIGN_ATTR;
};

/* Find a suite by name, or NULL; the first of the list is the default. */
const struct ccdm_suite *ccdm_suite_find(const char *name);
const struct ccdm_suite *ccdm_suite_default(void);

/**
 * ccdm_cipher_init() - make a keyed construction
 * @cipher: filled
 * @kind: the construction
 * @key: its keys
 *
 * Sleeps. Return: 0; -EPERM if a driver would send the keys to a device, which the kernel log
 * names; -ENOENT if there is no driver; another -errno of the crypto API.
 */
int ccdm_cipher_init(struct ccdm_cipher *cipher, enum ccdm_construction kind,
		     const struct ccdm_key *key);
/* Sleeps. Accepts a zeroed or half built cipher. */
void ccdm_cipher_exit(struct ccdm_cipher *cipher);

/* HMAC-SHA-256 that runs on the CPU, for crypto_free_shash(). Sleeps. Return: as above. */
int ccdm_alloc_hmac(struct crypto_shash **hmac);

/* Bytes of a struct ccdm_creq for @cipher, and bytes of its separate scratch page, or 0. */
size_t ccdm_creq_size(const struct ccdm_cipher *cipher);
size_t ccdm_creq_scratch(const struct ccdm_cipher *cipher);

/**
 * struct ccdm_creqs - request memory, ready for use
 * @pool: where it comes from
 * @kept: one free request per CPU: those of the pool are allocated and cleared each time
 * @size: bytes of one
 * @scratch: bytes of its scratch page, or 0
 */
struct ccdm_creqs {
	mempool_t *pool;
	struct ccdm_creq * __percpu *kept;
	size_t size;
	size_t scratch;
};

/* Reserve @nr requests, and one for each CPU. Sleeps. */
int ccdm_creqs_init(struct ccdm_creqs *q, unsigned int nr, size_t size, size_t scratch);
void ccdm_creqs_exit(struct ccdm_creqs *q);	/* accepts one that is zeroed or half made */
/* Get a request. With GFP_NOIO wait for one; otherwise it may return NULL. */
struct ccdm_creq *ccdm_creq_get(struct ccdm_creqs *q, gfp_t gfp);
void ccdm_creq_put(struct ccdm_creqs *q, struct ccdm_creq *creq);

/**
 * ccdm_seal() - encrypt and authenticate 4096 bytes, from page to page
 * @cipher: construction and keys
 * @creq: request memory, used until this returns
 * @place: what is sealed; place->seq is used up by the call, whatever it returns
 * @src: page of the plaintext
 * @offset: where it begins in @src; linear, may reach into following pages
 * @dst: page for the ciphertext
 * @tag: set to the tag
 *
 * Context: process; allocates with GFP_NOIO at most.
 * Return: 0 or -errno of the crypto API; on error the content of @dst is undefined.
 */
int __must_check ccdm_seal(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
			   const struct ccdm_place *place, struct page *src,
			   unsigned int offset, struct page *dst, u8 *tag);

/**
 * ccdm_open() - verify and decrypt 4096 bytes, from page to page
 * @cipher: construction and keys
 * @creq: request memory, used until this returns, or until creq->done is called
 * @place: what is expected to be there
 * @tag: the tag that is expected
 * @src: page of the ciphertext; not changed
 * @dst: page for the plaintext
 * @offset: where it begins in @dst
 * @atomic: do not sleep
 *
 * Context: process, or with @atomic task or softirq; never with interrupts off.
 * Return: 0; -EBADMSG if, and only if, the tag was compared and
 * differs; -EINPROGRESS with @atomic if the crypto API continues asynchronously:
 * @src, @dst and @creq stay in use until creq->done; another -errno.
 * Unless it returns 0, nobody may see @dst.
 */
int __must_check ccdm_open(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
			   const struct ccdm_place *place, const u8 *tag,
			   struct page *src, struct page *dst, unsigned int offset,
			   bool atomic);

/* ---- gmac.c ---------------------------------------------------------------- */

/* Choose how aes-xts-gmac computes tags: as the parameter says, or measure. Sleeps. */
int ccdm_gmac_module_init(void);
/* @kind, or CCDM_XTS_GCM_TAG in place of CCDM_XTS_GMAC if that was chosen. */
enum ccdm_construction ccdm_gmac_construction(enum ccdm_construction kind);
/* For the status line: "aad", "gcm", or "none" for a construction without GMAC. */
const char *ccdm_gmac_name(enum ccdm_construction kind);

#endif /* CCDM_SUITE_H */
