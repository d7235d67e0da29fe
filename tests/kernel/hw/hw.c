// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * hw.c - a crypto driver that pretends to be the driver of a device
 *
 *	insmod ccdm-hw.ko algs=xts,gcm make='pcrypt(ccdm-hw-gcm)'
 *
 * Registers xts(aes), gcm(aes), ctr(aes) or sha256 with the flags and the priority of an
 * accelerator's driver, and counts requests. The CPU's implementation does the work, so the crypto
 * API's own tests pass. /sys/module/ccdm_hw/parameters/keys and requests show what a device would
 * have received. Afterwards the module uses the crypto API like a caller that refuses no driver: it
 * allocates the algorithm named by "make", and sets a key. The parameter "control" shows how many
 * keys the device received by that. An instance of a template stays after that. (Newer kernels
 * refuse both to AF_ALG.)
 */
#include <linux/err.h>
#include <linux/module.h>
#include <crypto/internal/aead.h>
#include <crypto/internal/hash.h>
#include <crypto/internal/skcipher.h>
#include <crypto/sha2.h>

#define HW_PRIORITY	10000
/* The driver for Tegra has no other flag; x86-64 has no such driver. */
#ifdef CONFIG_ARM64
#define HW_FLAGS	CRYPTO_ALG_ASYNC
#else
#define HW_FLAGS	(CRYPTO_ALG_KERN_DRIVER_ONLY | CRYPTO_ALG_ASYNC)
#endif

static char *algs = "xts,gcm";
module_param(algs, charp, 0444);
MODULE_PARM_DESC(algs, "what to register: xts, gcm, ctr, sha256");

static char *make = "";
module_param(make, charp, 0444);
MODULE_PARM_DESC(make, "an aead, or an hmac, to ask for afterwards");

static unsigned long keys, requests, control;
module_param(control, ulong, 0444);
MODULE_PARM_DESC(control, "keys that came through what was made");
module_param(keys, ulong, 0444);
MODULE_PARM_DESC(keys, "keys that were set");
module_param(requests, ulong, 0444);
MODULE_PARM_DESC(requests, "requests that were made");

/* ---- xts, ctr -------------------------------------------------------------- */

struct hw_skcipher {
	struct crypto_skcipher *cpu;
};

/*
 * Drivers of the CPU. They are looked up before anything is registered: a later lookup could find a
 * template around the driver below, which in turn waits for this one.
 */
static char hw_cpu_xts[CRYPTO_MAX_ALG_NAME], hw_cpu_ctr[CRYPTO_MAX_ALG_NAME];

static int hw_skcipher_find(const char *name, char *driver)
{
	struct crypto_skcipher *cpu = crypto_alloc_skcipher(name, 0, CRYPTO_ALG_KERN_DRIVER_ONLY);

	if (IS_ERR(cpu))
		return PTR_ERR(cpu);
	strscpy(driver, crypto_tfm_alg_driver_name(crypto_skcipher_tfm(cpu)), CRYPTO_MAX_ALG_NAME);
	crypto_free_skcipher(cpu);
	return 0;
}

static int hw_skcipher_init(struct crypto_skcipher *tfm)
{
	struct hw_skcipher *ctx = crypto_skcipher_ctx(tfm);

	ctx->cpu = crypto_alloc_skcipher(crypto_skcipher_blocksize(tfm) == 1 ?
					 hw_cpu_ctr : hw_cpu_xts, 0, 0);
	if (IS_ERR(ctx->cpu))
		return PTR_ERR(ctx->cpu);
	crypto_skcipher_set_reqsize(tfm, sizeof(struct skcipher_request) +
					 crypto_skcipher_reqsize(ctx->cpu));
	return 0;
}

static void hw_skcipher_exit(struct crypto_skcipher *tfm)
{
	struct hw_skcipher *ctx = crypto_skcipher_ctx(tfm);

	crypto_free_skcipher(ctx->cpu);
}

static int hw_skcipher_setkey(struct crypto_skcipher *tfm, const u8 *key, unsigned int len)
{
	struct hw_skcipher *ctx = crypto_skcipher_ctx(tfm);

	WRITE_ONCE(keys, READ_ONCE(keys) + 1);
	crypto_skcipher_clear_flags(ctx->cpu, CRYPTO_TFM_REQ_MASK);
	crypto_skcipher_set_flags(ctx->cpu, crypto_skcipher_get_flags(tfm) & CRYPTO_TFM_REQ_MASK);
	return crypto_skcipher_setkey(ctx->cpu, key, len);
}

static int hw_skcipher_crypt(struct skcipher_request *req, bool encrypt)
{
	struct hw_skcipher *ctx = crypto_skcipher_ctx(crypto_skcipher_reqtfm(req));
	struct skcipher_request *sub = skcipher_request_ctx(req);

	WRITE_ONCE(requests, READ_ONCE(requests) + 1);
	skcipher_request_set_tfm(sub, ctx->cpu);
	skcipher_request_set_callback(sub, req->base.flags, req->base.complete, req->base.data);
	skcipher_request_set_crypt(sub, req->src, req->dst, req->cryptlen, req->iv);
	return encrypt ? crypto_skcipher_encrypt(sub) : crypto_skcipher_decrypt(sub);
}

static int hw_skcipher_encrypt(struct skcipher_request *req)
{
	return hw_skcipher_crypt(req, true);
}

static int hw_skcipher_decrypt(struct skcipher_request *req)
{
	return hw_skcipher_crypt(req, false);
}

#define HW_SKCIPHER(name, driver, block, min, max)				\
{										\
	.base.cra_name = name,							\
	.base.cra_driver_name = driver,						\
	.base.cra_priority = HW_PRIORITY,					\
	.base.cra_flags = HW_FLAGS,						\
	.base.cra_blocksize = block,						\
	.base.cra_ctxsize = sizeof(struct hw_skcipher),				\
	.base.cra_module = THIS_MODULE,						\
	.init = hw_skcipher_init,						\
	.exit = hw_skcipher_exit,						\
	.setkey = hw_skcipher_setkey,						\
	.encrypt = hw_skcipher_encrypt,						\
	.decrypt = hw_skcipher_decrypt,						\
	.min_keysize = min,							\
	.max_keysize = max,							\
	.ivsize = 16,								\
	.chunksize = 16,							\
}

static struct skcipher_alg hw_xts = HW_SKCIPHER("xts(aes)", "ccdm-hw-xts", 16, 32, 64);
static struct skcipher_alg hw_ctr = HW_SKCIPHER("ctr(aes)", "ccdm-hw-ctr", 1, 16, 32);

/* ---- gcm -------------------------------------------------------------------- */

struct hw_aead {
	struct crypto_aead *cpu;
};

static char hw_cpu_gcm[CRYPTO_MAX_ALG_NAME];

static int hw_aead_find(void)
{
	struct crypto_aead *cpu = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_KERN_DRIVER_ONLY);

	if (IS_ERR(cpu))
		return PTR_ERR(cpu);
	strscpy(hw_cpu_gcm, crypto_tfm_alg_driver_name(crypto_aead_tfm(cpu)), CRYPTO_MAX_ALG_NAME);
	crypto_free_aead(cpu);
	return 0;
}

static int hw_aead_init(struct crypto_aead *tfm)
{
	struct hw_aead *ctx = crypto_aead_ctx(tfm);

	ctx->cpu = crypto_alloc_aead(hw_cpu_gcm, 0, 0);
	if (IS_ERR(ctx->cpu))
		return PTR_ERR(ctx->cpu);
	crypto_aead_set_reqsize(tfm, sizeof(struct aead_request) + crypto_aead_reqsize(ctx->cpu));
	return 0;
}

static void hw_aead_exit(struct crypto_aead *tfm)
{
	struct hw_aead *ctx = crypto_aead_ctx(tfm);

	crypto_free_aead(ctx->cpu);
}

static int hw_aead_setkey(struct crypto_aead *tfm, const u8 *key, unsigned int len)
{
	struct hw_aead *ctx = crypto_aead_ctx(tfm);

	WRITE_ONCE(keys, READ_ONCE(keys) + 1);
	crypto_aead_clear_flags(ctx->cpu, CRYPTO_TFM_REQ_MASK);
	crypto_aead_set_flags(ctx->cpu, crypto_aead_get_flags(tfm) & CRYPTO_TFM_REQ_MASK);
	return crypto_aead_setkey(ctx->cpu, key, len);
}

static int hw_aead_setauthsize(struct crypto_aead *tfm, unsigned int size)
{
	struct hw_aead *ctx = crypto_aead_ctx(tfm);

	return crypto_aead_setauthsize(ctx->cpu, size);
}

static int hw_aead_crypt(struct aead_request *req, bool encrypt)
{
	struct hw_aead *ctx = crypto_aead_ctx(crypto_aead_reqtfm(req));
	struct aead_request *sub = aead_request_ctx(req);

	WRITE_ONCE(requests, READ_ONCE(requests) + 1);
	aead_request_set_tfm(sub, ctx->cpu);
	aead_request_set_callback(sub, req->base.flags, req->base.complete, req->base.data);
	aead_request_set_ad(sub, req->assoclen);
	aead_request_set_crypt(sub, req->src, req->dst, req->cryptlen, req->iv);
	return encrypt ? crypto_aead_encrypt(sub) : crypto_aead_decrypt(sub);
}

static int hw_aead_encrypt(struct aead_request *req)
{
	return hw_aead_crypt(req, true);
}

static int hw_aead_decrypt(struct aead_request *req)
{
	return hw_aead_crypt(req, false);
}

static struct aead_alg hw_gcm = {
	.base.cra_name = "gcm(aes)",
	.base.cra_driver_name = "ccdm-hw-gcm",
	.base.cra_priority = HW_PRIORITY,
	.base.cra_flags = HW_FLAGS,
	.base.cra_blocksize = 1,
	.base.cra_ctxsize = sizeof(struct hw_aead),
	.base.cra_module = THIS_MODULE,
	.init = hw_aead_init,
	.exit = hw_aead_exit,
	.setkey = hw_aead_setkey,
	.setauthsize = hw_aead_setauthsize,
	.encrypt = hw_aead_encrypt,
	.decrypt = hw_aead_decrypt,
	.ivsize = 12,
	.maxauthsize = 16,
	.chunksize = 16,
};

/* ---- sha256: completes synchronously, as drivers of a few devices do --------- */

static struct crypto_shash *hw_sha256_cpu;

static struct shash_desc *hw_sha256_desc(struct shash_desc *desc)
{
	struct shash_desc *sub = shash_desc_ctx(desc);

	sub->tfm = hw_sha256_cpu;
	return sub;
}

static int hw_sha256_init(struct shash_desc *desc)
{
	return crypto_shash_init(hw_sha256_desc(desc));
}

static int hw_sha256_update(struct shash_desc *desc, const u8 *text, unsigned int bytes)
{
	WRITE_ONCE(requests, READ_ONCE(requests) + 1);
	return crypto_shash_update(hw_sha256_desc(desc), text, bytes);
}

static int hw_sha256_final(struct shash_desc *desc, u8 *out)
{
	return crypto_shash_final(hw_sha256_desc(desc), out);
}

static int hw_sha256_export(struct shash_desc *desc, void *out)
{
	return crypto_shash_export(hw_sha256_desc(desc), out);
}

static int hw_sha256_import(struct shash_desc *desc, const void *in)
{
	return crypto_shash_import(hw_sha256_desc(desc), in);
}

static struct shash_alg hw_sha256 = {
	.base.cra_name = "sha256",
	.base.cra_driver_name = "ccdm-hw-sha256",
	.base.cra_priority = HW_PRIORITY,
	.base.cra_flags = CRYPTO_ALG_KERN_DRIVER_ONLY,
	.base.cra_blocksize = SHA256_BLOCK_SIZE,
	.base.cra_module = THIS_MODULE,
	.init = hw_sha256_init,
	.update = hw_sha256_update,
	.final = hw_sha256_final,
	.export = hw_sha256_export,
	.import = hw_sha256_import,
	.digestsize = SHA256_DIGEST_SIZE,
};

static int hw_sha256_register(void)
{
	int r;

	hw_sha256_cpu = crypto_alloc_shash("sha256", 0, CRYPTO_ALG_KERN_DRIVER_ONLY);
	if (IS_ERR(hw_sha256_cpu))
		return PTR_ERR(hw_sha256_cpu);
	hw_sha256.descsize = sizeof(struct shash_desc) + crypto_shash_descsize(hw_sha256_cpu);
	hw_sha256.statesize = crypto_shash_statesize(hw_sha256_cpu);
	r = crypto_register_shash(&hw_sha256);
	if (r)
		crypto_free_shash(hw_sha256_cpu);
	return r;
}

/* ---- the module --------------------------------------------------------------- */

static bool hw_has(const char *name)
{
	const char *at = strstr(algs, name);

	return at && (at == algs || at[-1] == ',');
}

static void hw_unregister(bool xts, bool gcm, bool ctr, bool sha256)
{
	if (xts)
		crypto_unregister_skcipher(&hw_xts);
	if (gcm)
		crypto_unregister_aead(&hw_gcm);
	if (ctr)
		crypto_unregister_skcipher(&hw_ctr);
	if (sha256) {
		crypto_unregister_shash(&hw_sha256);
		crypto_free_shash(hw_sha256_cpu);
	}
}

static int hw_make_aead(const u8 *key, unsigned int bytes)
{
	struct crypto_aead *tfm = crypto_alloc_aead(make, 0, 0);
	int r;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	r = crypto_aead_setkey(tfm, key, bytes);
	crypto_free_aead(tfm);
	return r;
}

static int hw_make_shash(const u8 *key, unsigned int bytes)
{
	struct crypto_shash *tfm = crypto_alloc_shash(make, 0, 0);
	int r;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	r = crypto_shash_setkey(tfm, key, bytes);
	crypto_free_shash(tfm);
	return r;
}

static int hw_make(void)
{
	static const u8 key[32] = { 1 };
	unsigned long before = READ_ONCE(keys);
	int r = 0;

	if (*make)
		r = strstarts(make, "hmac(") ? hw_make_shash(key, sizeof(key)) :
					       hw_make_aead(key, sizeof(key));
	control = READ_ONCE(keys) - before;
	return r;
}

static int __init hw_init(void)
{
	bool xts = hw_has("xts"), gcm = hw_has("gcm"), ctr = hw_has("ctr");
	int r;

	r = hw_skcipher_find("xts(aes)", hw_cpu_xts) ?: hw_skcipher_find("ctr(aes)", hw_cpu_ctr) ?:
	    hw_aead_find();
	if (r)
		return r;
	if (xts)
		r = crypto_register_skcipher(&hw_xts);
	if (r)
		return r;
	if (gcm)
		r = crypto_register_aead(&hw_gcm);
	if (r) {
		hw_unregister(xts, false, false, false);
		return r;
	}
	if (ctr)
		r = crypto_register_skcipher(&hw_ctr);
	if (r) {
		hw_unregister(xts, gcm, false, false);
		return r;
	}
	if (hw_has("sha256"))
		r = hw_sha256_register();
	if (r) {
		hw_unregister(xts, gcm, ctr, false);
		return r;
	}
	r = hw_make();
	if (r)
		hw_unregister(xts, gcm, ctr, hw_has("sha256"));
	return r;
}

static void __exit hw_exit(void)
{
	hw_unregister(hw_has("xts"), hw_has("gcm"), hw_has("ctr"), hw_has("sha256"));
}

module_init(hw_init);
module_exit(hw_exit);
MODULE_DESCRIPTION("a crypto driver that pretends to be one of a device; for the tests of ccdm");
MODULE_LICENSE("GPL");
