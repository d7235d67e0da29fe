// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * key.c - generation of a mapping's keys
 *
 * A host can manipulate every source of the kernel's random pool, but not
 * the generator of a confidential VM's CPU (cpu_seed.h). The kernel's generator in
 * turn covers for a CPU that is broken. Both go into HKDF; either alone is
 * enough for the result to be unpredictable.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include "key.h"
#include "cpu_seed.h"

#define CCDM_SEED_WORDS		8	/* 512 bits asked of RDSEED or RNDRRS */
#define CCDM_RAND_PER_SEED	8	/* RDRAND words for a missing RDSEED word */

struct ccdm_seed {
	u64 cpu[CCDM_SEED_WORDS * CCDM_RAND_PER_SEED];
	u8 kernel[64];
};

static int ccdm_seed_cpu(struct ccdm_seed *seed)
{
	bool have_seed = ccdm_have_rdseed();
	bool have_rand = ccdm_have_rdrand();
	unsigned int i, j, n = 0;

	for (i = 0; i < CCDM_SEED_WORDS; i++) {
		if (have_seed && ccdm_rdseed(&seed->cpu[n])) {
			n++;
			continue;
		}
		for (j = 0; j < CCDM_RAND_PER_SEED; j++)
			if (!have_rand || !ccdm_rdrand(&seed->cpu[n++]))
				return -ENODEV;
	}
	/* A stuck generator returns the same word twice; a working one does so once in 2^64. */
	for (i = 1; i < n; i++)
		if (seed->cpu[i] == seed->cpu[i - 1])
			return -ENODEV;
	return 0;
}

static int ccdm_hmac_sha256(const u8 *key, size_t key_len, const u8 *a, size_t a_len,
			    const u8 *b, size_t b_len, const u8 *c, size_t c_len, u8 *out)
{
	struct crypto_shash *tfm;
	int r = ccdm_alloc_hmac(&tfm);

	if (r)
		return r;
	r = crypto_shash_setkey(tfm, key, key_len);
	if (!r) {
		SHASH_DESC_ON_STACK(desc, tfm);

		desc->tfm = tfm;
		r = crypto_shash_init(desc);
		if (!r)
			r = crypto_shash_update(desc, a, a_len);
		if (!r)
			r = crypto_shash_update(desc, b, b_len);
		if (!r)
			r = crypto_shash_finup(desc, c, c_len, out);
		shash_desc_zero(desc);
	}
	crypto_free_shash(tfm);
	return r;
}

int ccdm_hkdf_extract(const u8 *salt, size_t salt_len, const u8 *ikm, size_t ikm_len, u8 *prk)
{
	return ccdm_hmac_sha256(salt, salt_len, ikm, ikm_len, NULL, 0, NULL, 0, prk);
}

int ccdm_hkdf_expand(const u8 *prk, const u8 *info, size_t info_len, u8 *out, size_t out_len)
{
	size_t done = 0, n, t_len = 0;
	u8 t[32], counter = 0;
	int r = 0;

	while (done < out_len) {
		counter++;
		r = ccdm_hmac_sha256(prk, 32, t, t_len, info, info_len, &counter, 1, t);
		if (r)
			break;
		t_len = sizeof(t);
		n = min(out_len - done, sizeof(t));
		memcpy(out + done, t, n);
		done += n;
	}
	memzero_explicit(t, sizeof(t));
	return r;
}

struct ccdm_secret *ccdm_key_birth(void)
{
	static const u8 salt[] = "ccdm mapping 1";
	struct ccdm_secret *secret = kzalloc(sizeof(*secret), GFP_KERNEL);
	struct ccdm_seed *seed = kzalloc(sizeof(*seed), GFP_KERNEL);
	int r = -ENOMEM;

	if (secret && seed)
		r = ccdm_seed_cpu(seed);
	if (!r)
		r = wait_for_random_bytes();
	if (!r) {
		get_random_bytes(seed->kernel, sizeof(seed->kernel));
		r = ccdm_hkdf_extract(salt, sizeof(salt) - 1, (u8 *)seed, sizeof(*seed),
				      secret->prk);
	}
	kfree_sensitive(seed);
	if (!r)
		return secret;
	kfree_sensitive(secret);
	return ERR_PTR(r);
}

void ccdm_key_death(struct ccdm_secret *secret)
{
	kfree_sensitive(secret);
}

int ccdm_key_derive(const struct ccdm_secret *secret, const char *use, struct ccdm_key *key)
{
	char info[32];
	int r;

	snprintf(info, sizeof(info), "ccdm %s xts", use);
	r = ccdm_hkdf_expand(secret->prk, info, strlen(info), key->xts, sizeof(key->xts));
	if (r)
		return r;
	snprintf(info, sizeof(info), "ccdm %s mac", use);
	return ccdm_hkdf_expand(secret->prk, info, strlen(info), key->mac, sizeof(key->mac));
}
