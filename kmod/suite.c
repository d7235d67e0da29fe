// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * suite.c - seal and open
 *
 * Layout of what goes into the primitives (all little-endian):
 *
 *	XTS tweak, 16 bytes:	le64 (domain << 56 | index)  le64 seq
 *	GCM nonce, 12 bytes:	le32 domain                  le64 seq
 *	HMAC input:		le32 domain  le32 0  le64 index  le64 seq  ciphertext
 *	GMAC input:		ciphertext, as additional data
 *	GCM-tag input:		ciphertext, as plaintext; what GCM makes of it is dropped
 *
 * Why a GCM nonce never repeats under a key: a sequence number comes from one
 * counter per mapping, is taken for one sealing of one content, and is never
 * given out again; the keys exist only as long as the mapping, and blocks and
 * nodes have keys of their own. With the domain in the nonce this holds
 * even without separate keys. The counter stops long before it wraps.
 *
 * Why GMAC and GCM need not be told the index: a number was used for one place
 * only, so a tag that verifies under the number of the entry is that place's.
 *
 * Why the tag of GCM over the ciphertext is as strong as GMAC's (which of them a mapping has
 * is chosen in gmac.c, and never changes under its keys):
 *
 *	Sealing. It is GCM, with the ciphertext of XTS for its plaintext and with the nonce
 *	above, which is new for each sealing. Not to store what GCM encrypts takes something
 *	from the attacker and gives nothing. Who can make a pair of XTS ciphertext and tag that
 *	is accepted can, with the keystream that he knows from a plaintext and its ciphertext,
 *	make one of GCM ciphertext and tag: a forgery of GCM.
 *
 *	Opening encrypts with a nonce that was used for sealing, and with input that the host
 *	chose. What that makes, the tag included, leaves no private memory: not in an error
 *	either, only whether the tags are equal. GCM's decryption of (input XOR keystream)
 *	says the same. So this is no second encryption under a nonce but a verification, and a
 *	try is worth what it is worth with GMAC: at most 257 / 2^128.
 *
 *	Nonces. Both ways use one for each sealing, and the domain and number are its parts.
 *	GCM takes 257 blocks of the block cipher where GMAC takes one. The bound on forgeries
 *	stays within a factor of two up to 2^64 blocks, which are 2^56 sealings.
 *
 * The same content sealed twice has different numbers, so tweak and nonce
 * differ, and an attacker with old copies sees two unrelated ciphertexts.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "suite.h"

static const struct ccdm_suite ccdm_suites[] = {
	{ "aes-xts-gmac",	 CCDM_XTS_GMAC, CCDM_GCM },
	{ "aes-xts-hmac-sha256", CCDM_XTS_HMAC, CCDM_XTS_HMAC },
	{ "aes-gcm",		 CCDM_GCM,	CCDM_GCM },
};

const struct ccdm_suite *ccdm_suite_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ccdm_suites); i++)
		if (!strcmp(name, ccdm_suites[i].name))
			return &ccdm_suites[i];
	return NULL;
}

const struct ccdm_suite *ccdm_suite_default(void)
{
	return &ccdm_suites[0];
}

/* ---- drivers --------------------------------------------------------------- */

/*
 * A cipher must run on the CPU. A driver of a device sends key and plaintext out of the
 * guest's private memory: to a device of the host (virtio-crypto, an accelerator that the
 * host passes through), or through pages that the host can read. The crypto API prefers
 * such a driver by its priority, and the host decides which devices there are.
 *
 * Every driver of a device that the kernel has for x86-64 has one of two flags, or both:
 *
 *	CRYPTO_ALG_KERN_DRIVER_ONLY	"hardware accelerated but not available to userspace
 *					via instruction set": CCP, Safexcel and others
 *	CRYPTO_ALG_ALLOCATES_MEMORY	it allocates for each request, for its DMA:
 *					virtio-crypto, QAT, Chelsio, Nitrox and others
 *
 * CRYPTO_ALG_ASYNC says nothing there: up to 6.15 the AES-NI code has it as well.
 *
 * On arm64 some drivers of devices have neither flag: those of Tegra and OcteonTX2, for xts(aes),
 * and more. All of them are asynchronous, and the code for the CPU is not.
 */
#ifdef CONFIG_ARM64
#define CCDM_DRIVER_REFUSED	(CRYPTO_ALG_KERN_DRIVER_ONLY | CRYPTO_ALG_ALLOCATES_MEMORY | \
				 CRYPTO_ALG_ASYNC)
#else
#define CCDM_DRIVER_REFUSED	(CRYPTO_ALG_KERN_DRIVER_ONLY | CRYPTO_ALG_ALLOCATES_MEMORY)
#endif

/* Characters of the part of a driver's name that begins at @name. */
static size_t ccdm_driver_part(const char *name)
{
	unsigned int depth = 0;
	size_t n;

	for (n = 0; name[n]; n++) {
		if (name[n] == '(')
			depth++;
		else if (!depth && (name[n] == ',' || name[n] == ')'))
			break;
		else if (name[n] == ')')
			depth--;
	}
	return n;
}

/*
 * The mask of an allocation is compared with the flags of the algorithm itself. A template's
 * instance, gcm_base(ctr-x,ghash-y) for example, does not inherit KERN_DRIVER_ONLY from what
 * it is built on. The name of its driver has the names of those drivers, so the crypto API
 * is asked for each of them, without and with one of the flags. A part that it has no driver
 * for is the kernel's own library: "ghash-lib" in 7.2. (The name of an xts instance lacks
 * the cipher of its tweak: a cipher of single blocks, which no driver for x86-64 has in a
 * device; nor has one for arm64 that is synchronous.)
 */
static int ccdm_driver_check(struct crypto_tfm *tfm)
{
	const struct crypto_alg *alg = tfm->__crt_alg;
	const char *at = alg->cra_driver_name;
	char part[CRYPTO_MAX_ALG_NAME];

	strscpy(part, at, sizeof(part));
	if (alg->cra_flags & CCDM_DRIVER_REFUSED)
		goto refused;
	if (!(alg->cra_flags & CRYPTO_ALG_INSTANCE))
		return 0;
	while ((at = strpbrk(at, "(,"))) {
		at++;
		strscpy(part, at, min(ccdm_driver_part(at) + 1, sizeof(part)));
		if (!crypto_has_alg(part, 0, CCDM_DRIVER_REFUSED | CRYPTO_NOLOAD) &&
		    crypto_has_alg(part, 0, CRYPTO_NOLOAD))
			goto refused;
	}
	return 0;
refused:
	pr_err("ccdm: %s: driver %s refused: %s does not run on the CPU, so a device may see keys and plaintext; unload its module\n",
	       alg->cra_name, alg->cra_driver_name, part);
	return -EPERM;
}

static int ccdm_alloc_xts(struct crypto_skcipher **xts)
{
	struct crypto_skcipher *tfm = crypto_alloc_skcipher("xts(aes)", 0, CCDM_DRIVER_REFUSED);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	*xts = tfm;
	return ccdm_driver_check(crypto_skcipher_tfm(tfm));
}

static int ccdm_alloc_aead(struct crypto_aead **aead)
{
	struct crypto_aead *tfm = crypto_alloc_aead("gcm(aes)", 0, CCDM_DRIVER_REFUSED);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	*aead = tfm;
	return ccdm_driver_check(crypto_aead_tfm(tfm));
}

int ccdm_alloc_hmac(struct crypto_shash **hmac)
{
	struct crypto_shash *tfm = crypto_alloc_shash("hmac(sha256)", 0, CCDM_DRIVER_REFUSED);
	int r;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	r = ccdm_driver_check(crypto_shash_tfm(tfm));
	if (r)
		crypto_free_shash(tfm);
	else
		*hmac = tfm;
	return r;
}

/* ---- constructions --------------------------------------------------------- */

int ccdm_cipher_init(struct ccdm_cipher *cipher, enum ccdm_construction kind,
		     const struct ccdm_key *key)
{
	int r = 0;

	memset(cipher, 0, sizeof(*cipher));
	cipher->kind = kind;

	if (kind != CCDM_GCM) {
		r = ccdm_alloc_xts(&cipher->xts);
		if (r)
			goto bad;
		r = crypto_skcipher_setkey(cipher->xts, key->xts, sizeof(key->xts));
		if (r)
			goto bad;
	}

	if (kind == CCDM_XTS_HMAC) {
		r = ccdm_alloc_hmac(&cipher->hmac);
		if (r)
			goto bad;
		r = crypto_shash_setkey(cipher->hmac, key->mac, sizeof(key->mac));
	} else {
		r = ccdm_alloc_aead(&cipher->aead);
		if (r)
			goto bad;
		r = crypto_aead_setauthsize(cipher->aead, CCDM_TAG_SIZE);
		if (!r)
			r = crypto_aead_setkey(cipher->aead, key->mac, sizeof(key->mac));
	}
	if (r)
		goto bad;
	return 0;
bad:
	ccdm_cipher_exit(cipher);
	return r;
}

void ccdm_cipher_exit(struct ccdm_cipher *cipher)
{
	crypto_free_skcipher(cipher->xts);
	crypto_free_aead(cipher->aead);
	crypto_free_shash(cipher->hmac);
	memset(cipher, 0, sizeof(*cipher));
}

size_t ccdm_creq_scratch(const struct ccdm_cipher *cipher)
{
	return cipher->kind == CCDM_XTS_GCM_TAG ? PAGE_SIZE : 0;
}

size_t ccdm_creq_size(const struct ccdm_cipher *cipher)
{
	size_t size = 0;

	if (cipher->xts)
		size = sizeof(struct skcipher_request) + crypto_skcipher_reqsize(cipher->xts);
	if (cipher->aead)
		size = max(size, sizeof(struct aead_request) + crypto_aead_reqsize(cipher->aead));
	return sizeof(struct ccdm_creq) + size;
}

static void ccdm_creq_free(void *element, void *q)
{
	struct ccdm_creq *creq = element;

	if (creq && creq->scratch)
		__free_page(creq->scratch);
	kfree(creq);
}

static void *ccdm_creq_alloc(gfp_t gfp, void *pool_data)
{
	struct ccdm_creqs *q = pool_data;
	struct ccdm_creq *creq = kmalloc(q->size, gfp);

	if (!creq)
		return NULL;
	crypto_init_wait(&creq->wait);
	sg_init_table(creq->plain, ARRAY_SIZE(creq->plain));
	sg_init_table(creq->sealed, ARRAY_SIZE(creq->sealed));
	sg_set_buf(&creq->sealed[1], creq->tag, CCDM_TAG_SIZE);
	creq->scratch = NULL;
	if (!q->scratch)
		return creq;

	creq->scratch = alloc_page(gfp);
	if (!creq->scratch) {
		kfree(creq);
		return NULL;
	}
	sg_init_table(creq->dropped, ARRAY_SIZE(creq->dropped));
	sg_set_page(creq->dropped, creq->scratch, CCDM_BLOCK_SIZE, 0);
	sg_set_buf(&creq->dropped[1], creq->tag, CCDM_TAG_SIZE);
	return creq;
}

int ccdm_creqs_init(struct ccdm_creqs *q, unsigned int nr, size_t size, size_t scratch)
{
	unsigned int cpu;

	q->size = size;
	q->scratch = scratch;
	q->pool = mempool_create(nr, ccdm_creq_alloc, ccdm_creq_free, q);
	q->kept = alloc_percpu(struct ccdm_creq *);
	if (!q->pool || !q->kept)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct ccdm_creq **kept = per_cpu_ptr(q->kept, cpu);

		*kept = ccdm_creq_alloc(GFP_KERNEL, q);
		if (!*kept)
			return -ENOMEM;
	}
	return 0;
}

void ccdm_creqs_exit(struct ccdm_creqs *q)
{
	unsigned int cpu;

	if (q->kept)
		for_each_possible_cpu(cpu)
			ccdm_creq_free(*per_cpu_ptr(q->kept, cpu), q);
	free_percpu(q->kept);
	mempool_destroy(q->pool);
	memset(q, 0, sizeof(*q));
}

struct ccdm_creq *ccdm_creq_get(struct ccdm_creqs *q, gfp_t gfp)
{
	struct ccdm_creq *creq = this_cpu_xchg(*q->kept, NULL);

	return likely(creq) ? creq : mempool_alloc(q->pool, gfp);
}

/*
 * One that is kept may have come from the pool while somebody waits there. There were
 * as many beside the pool's as can be kept, so what is not kept is enough for the pool.
 */
void ccdm_creq_put(struct ccdm_creqs *q, struct ccdm_creq *creq)
{
	if (unlikely(this_cpu_cmpxchg(*q->kept, NULL, creq)))
		mempool_free(creq, q->pool);
}

/*
 * An opening that was begun without sleeping ended elsewhere. The crypto API
 * also calls with -EINPROGRESS when a backlogged request starts; we never ask
 * for the backlog there.
 */
static void ccdm_creq_async_done(CCDM_CRYPTO_CALLBACK_ARG, int error)
{
	struct ccdm_creq *creq = CCDM_CRYPTO_CALLBACK_DATA;

	/* coverage: no cipher that was opened asks for the backlog */
	if (error != -EINPROGRESS)
		creq->done(creq->arg);
}

/* One call into the crypto API; IN: what differs between the request types. */
#define ccdm_crypt(type, req, op, creq, atomic) ({					\
	int __r;									\
											\
	if (atomic) {									\
		type##_request_set_callback(req, 0, ccdm_creq_async_done, creq);	\
		__r = op(req);								\
		if (__r == -EBUSY)	/* not backlogged: not taken */			\
			__r = -EAGAIN;							\
	} else {									\
		type##_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP |		\
					    CRYPTO_TFM_REQ_MAY_BACKLOG,			\
					    crypto_req_done, &(creq)->wait);		\
		__r = crypto_wait_req(op(req), &(creq)->wait);				\
	}										\
	__r;										\
})

static int ccdm_xts(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
		    const struct ccdm_place *place, bool encrypt, bool atomic)
{
	struct skcipher_request *req = (void *)creq->req;

	put_unaligned_le64((u64)place->domain << 56 | place->index, creq->iv);
	put_unaligned_le64(place->seq, creq->iv + 8);

	skcipher_request_set_tfm(req, cipher->xts);
	if (encrypt) {
		skcipher_request_set_crypt(req, creq->plain, creq->sealed, CCDM_BLOCK_SIZE,
					   creq->iv);
		return ccdm_crypt(skcipher, req, crypto_skcipher_encrypt, creq, atomic);
	}
	skcipher_request_set_crypt(req, creq->sealed, creq->plain, CCDM_BLOCK_SIZE, creq->iv);
	return ccdm_crypt(skcipher, req, crypto_skcipher_decrypt, creq, atomic);
}

static struct aead_request *ccdm_aead_request(const struct ccdm_cipher *cipher,
					      struct ccdm_creq *creq,
					      const struct ccdm_place *place)
{
	struct aead_request *req = (void *)creq->req;

	put_unaligned_le32(place->domain, creq->iv);
	put_unaligned_le64(place->seq, creq->iv + 4);
	aead_request_set_tfm(req, cipher->aead);
	return req;
}

/* GCM over the text, or GMAC (@mac_only): the ciphertext as additional data */
static int ccdm_aead(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
		     const struct ccdm_place *place, bool mac_only, bool encrypt, bool atomic)
{
	struct aead_request *req = ccdm_aead_request(cipher, creq, place);
	struct scatterlist *plain = mac_only ? creq->sealed : creq->plain;
	unsigned int text = mac_only ? 0 : CCDM_BLOCK_SIZE;

	aead_request_set_ad(req, mac_only ? CCDM_BLOCK_SIZE : 0);
	if (encrypt) {
		aead_request_set_crypt(req, plain, creq->sealed, text, creq->iv);
		return ccdm_crypt(aead, req, crypto_aead_encrypt, creq, atomic);
	}
	aead_request_set_crypt(req, creq->sealed, plain, text + CCDM_TAG_SIZE, creq->iv);
	return ccdm_crypt(aead, req, crypto_aead_decrypt, creq, atomic);
}

/*
 * The tag of GCM over the ciphertext, to creq->tag. What GCM encrypts is dropped: the ciphertext
 * with the keystream over it goes to a page of this request alone, and stays in the guest.
 */
static int ccdm_gcm_tag(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
			const struct ccdm_place *place, bool atomic)
{
	struct aead_request *req = ccdm_aead_request(cipher, creq, place);

	aead_request_set_ad(req, 0);
	aead_request_set_crypt(req, creq->sealed, creq->dropped, CCDM_BLOCK_SIZE, creq->iv);
	return ccdm_crypt(aead, req, crypto_aead_encrypt, creq, atomic);
}

static int ccdm_hmac(const struct ccdm_cipher *cipher, const struct ccdm_place *place,
		     struct page *page, u8 *tag)
{
	SHASH_DESC_ON_STACK(desc, cipher->hmac);
	u8 head[24], digest[32];
	int r;

	put_unaligned_le32(place->domain, head);
	put_unaligned_le32(0, head + 4);
	put_unaligned_le64(place->index, head + 8);
	put_unaligned_le64(place->seq, head + 16);

	desc->tfm = cipher->hmac;
	r = crypto_shash_init(desc);
	if (!r)
		r = crypto_shash_update(desc, head, sizeof(head));
	if (!r)
		r = crypto_shash_finup(desc, page_address(page), CCDM_BLOCK_SIZE, digest);
	if (!r)
		memcpy(tag, digest, CCDM_TAG_SIZE);
	shash_desc_zero(desc);
	return r;
}

int ccdm_seal(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
	      const struct ccdm_place *place, struct page *src, unsigned int offset,
	      struct page *dst, u8 *tag)
{
	unsigned int noio = memalloc_noio_save();
	int r;

	sg_set_page(creq->plain, src, CCDM_BLOCK_SIZE, offset);
	sg_set_page(creq->sealed, dst, CCDM_BLOCK_SIZE, 0);
	if (cipher->kind == CCDM_GCM) {
		r = ccdm_aead(cipher, creq, place, false, true, false);
	} else {
		r = ccdm_xts(cipher, creq, place, true, false);
		if (!r && cipher->kind == CCDM_XTS_HMAC)
			r = ccdm_hmac(cipher, place, dst, creq->tag);
		else if (!r && cipher->kind == CCDM_XTS_GCM_TAG)
			r = ccdm_gcm_tag(cipher, creq, place, false);
		else if (!r)
			r = ccdm_aead(cipher, creq, place, true, true, false);
	}
	memalloc_noio_restore(noio);
	if (!r)
		memcpy(tag, creq->tag, CCDM_TAG_SIZE);
	return r;
}

CCDM_INJECTABLE(ccdm_seal);

int ccdm_open(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
	      const struct ccdm_place *place, const u8 *tag, struct page *src,
	      struct page *dst, unsigned int offset, bool atomic)
{
	unsigned int noio = 0;
	int r;

	/* Where it may be an interrupt, the flags are somebody else's; nothing sleeps there. */
	if (!atomic)
		noio = memalloc_noio_save();
	sg_set_page(creq->sealed, src, CCDM_BLOCK_SIZE, 0);
	sg_set_page(creq->plain, dst, CCDM_BLOCK_SIZE, offset);
	memcpy(creq->tag, tag, CCDM_TAG_SIZE);
	switch (cipher->kind) {
	case CCDM_GCM:
		r = ccdm_aead(cipher, creq, place, false, false, atomic);
		break;
	case CCDM_XTS_GMAC:
		r = ccdm_aead(cipher, creq, place, true, false, atomic);
		break;
	default:
		r = cipher->kind == CCDM_XTS_HMAC ? ccdm_hmac(cipher, place, src, creq->tag) :
						    ccdm_gcm_tag(cipher, creq, place, atomic);
		if (!r && crypto_memneq(creq->tag, tag, CCDM_TAG_SIZE))
			r = -EBADMSG;
	}
	/* Only what has been verified is decrypted. */
	if (!r && cipher->kind != CCDM_GCM)
		r = ccdm_xts(cipher, creq, place, false, atomic);
	if (!atomic)
		memalloc_noio_restore(noio);
	return r;
}

CCDM_INJECTABLE(ccdm_open);
