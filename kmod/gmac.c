// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * gmac.c - which of two ways makes the tags of aes-xts-gmac
 *
 * Both ways are of equal strength (suite.c), and which one is faster depends on the CPU and on
 * the kernel's code for it: GMAC through associated data is one or two blocks at a time in most
 * kernels, GCM is many blocks at a time but also encrypts. So both are measured when the module
 * is loaded, as raid6 does, unless the parameter names one. Loaded again, the module may take
 * the other; a mapping keeps the way that it was made with, and its keys end with it.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "suite.h"

#define CCDM_MEASURE_NS		NSEC_PER_MSEC	/* for each way */
#define CCDM_MEASURE_ROUNDS	3		/* at least, however long they take */
#define CCDM_MEASURE_BLOCKS	8		/* of a round */

static const char * const ccdm_gmac_names[] = { "auto", "aad", "gcm" };

enum ccdm_gmac { CCDM_GMAC_AUTO, CCDM_GMAC_AAD, CCDM_GMAC_GCM };

static enum ccdm_gmac ccdm_gmac;

static int ccdm_gmac_set(const char *value, const struct kernel_param *kp)
{
	int i = sysfs_match_string(ccdm_gmac_names, value);

	if (i < 0) {
		pr_err("ccdm: gmac: expected auto, aad or gcm, found %s\n", value);
		return i;
	}
	ccdm_gmac = i;
	return 0;
}

static int ccdm_gmac_get(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%s\n", ccdm_gmac_names[ccdm_gmac]);
}

static const struct kernel_param_ops ccdm_gmac_ops = {
	.set = ccdm_gmac_set,
	.get = ccdm_gmac_get,
};

module_param_cb(gmac, &ccdm_gmac_ops, NULL, 0444);
MODULE_PARM_DESC(gmac, "how aes-xts-gmac computes tags: auto (default: the faster way), aad or gcm; reads back the chosen way");

/* Nanoseconds to seal a block, the least of some rounds; U64_MAX if it cannot be measured. */
static u64 ccdm_gmac_measure(enum ccdm_construction kind, const struct ccdm_key *key,
			     struct page *text, struct page *sealed)
{
	struct ccdm_place place = { .domain = CCDM_DOMAIN_BLOCK, .seq = CCDM_SEQ_FIRST };
	u64 best = U64_MAX, begin, start, now;
	struct ccdm_creqs creqs = { };
	struct ccdm_cipher cipher;
	struct ccdm_creq *creq;
	u8 tag[CCDM_TAG_SIZE];
	unsigned int round, i;
	int r;

	if (ccdm_cipher_init(&cipher, kind, key))
		return U64_MAX;
	r = ccdm_creqs_init(&creqs, 1, ccdm_creq_size(&cipher), ccdm_creq_scratch(&cipher));
	if (r)
		goto out;
	creq = ccdm_creq_get(&creqs, GFP_NOIO);
	begin = ktime_get_ns();
	for (round = 0, now = begin; !r && (round < CCDM_MEASURE_ROUNDS ||
					    now < begin + CCDM_MEASURE_NS); round++) {
		start = ktime_get_ns();
		for (i = 0; !r && i < CCDM_MEASURE_BLOCKS; i++) {
			r = ccdm_seal(&cipher, creq, &place, text, 0, sealed, tag);
			place.seq++;
		}
		now = ktime_get_ns();
		best = min(best, now - start);
	}
	ccdm_creq_put(&creqs, creq);
out:
	ccdm_creqs_exit(&creqs);
	ccdm_cipher_exit(&cipher);
	return r ? U64_MAX : best / CCDM_MEASURE_BLOCKS;
}

int ccdm_gmac_module_init(void)
{
	struct page *text, *sealed;
	struct ccdm_key *key;
	u64 aad, gcm;
	int r = 0;

	if (ccdm_gmac != CCDM_GMAC_AUTO) {
		pr_info("ccdm: aes-xts-gmac computes tags with gmac:%s, as the parameter says\n",
			ccdm_gmac_names[ccdm_gmac]);
		return 0;
	}
	key = kmalloc(sizeof(*key), GFP_KERNEL);
	text = alloc_page(GFP_KERNEL | __GFP_ZERO);
	sealed = alloc_page(GFP_KERNEL);
	if (!key || !text || !sealed) {
		r = -ENOMEM;
		goto out;
	}
	get_random_bytes(key, sizeof(*key));
	aad = ccdm_gmac_measure(CCDM_XTS_GMAC, key, text, sealed);
	gcm = ccdm_gmac_measure(CCDM_XTS_GCM_TAG, key, text, sealed);
	/* Where neither can be measured, opening says why. */
	ccdm_gmac = gcm < aad ? CCDM_GMAC_GCM : CCDM_GMAC_AAD;
	if (aad == U64_MAX || gcm == U64_MAX)
		pr_info("ccdm: aes-xts-gmac could not be measured here; it uses gmac:%s\n",
			ccdm_gmac_names[ccdm_gmac]);
	else
		pr_info("ccdm: aes-xts-gmac computes tags with gmac:%s (to seal 4096 bytes: aad %llu ns, gcm %llu ns)\n",
			ccdm_gmac_names[ccdm_gmac], aad, gcm);
out:
	kfree_sensitive(key);
	if (text)
		__free_page(text);
	if (sealed)
		__free_page(sealed);
	return r;
}

enum ccdm_construction ccdm_gmac_construction(enum ccdm_construction kind)
{
	return kind == CCDM_XTS_GMAC && ccdm_gmac == CCDM_GMAC_GCM ? CCDM_XTS_GCM_TAG : kind;
}

const char *ccdm_gmac_name(enum ccdm_construction kind)
{
	switch (kind) {
	case CCDM_XTS_GMAC:
		return ccdm_gmac_names[CCDM_GMAC_AAD];
	case CCDM_XTS_GCM_TAG:
		return ccdm_gmac_names[CCDM_GMAC_GCM];
	default:
		return "none";
	}
}
