// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* keys.c - see keys.h */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/file.h"
#include "keys.h"

enum {
	KEY = 32,
	ID = 8,
	IV = 12,
	TAG = 16,
};

struct ccdm_key {
	uint8_t id[ID];
	uint8_t seal[KEY];
	uint8_t mac[KEY];
	uint8_t row[KEY];
};

struct ccdm_keys {
	unsigned int count;
	struct ccdm_key key[CCDM_KEYS_MAX];
};

/* ---- the file -------------------------------------------------------------- */

static int ccdm_key_derive(const uint8_t master[KEY], const char *use, uint8_t *out, size_t size)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)master, KEY),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)use, strlen(use)),
		OSSL_PARAM_construct_end(),
	};
	int good = ctx && EVP_KDF_derive(ctx, out, size, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good ? 0 : -EIO;
}

static int ccdm_key_line(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	struct ccdm_keys *keys = arg;
	struct ccdm_key *key = &keys->key[keys->count];
	uint8_t master[KEY];
	int r;

	if (!*line)
		return 0;
	if (keys->count == CCDM_KEYS_MAX)
		return ccdm_err_set(err, -EINVAL, "the key file: more than %u keys", CCDM_KEYS_MAX);
	if (ccdm_unhex(line, master, KEY))
		return ccdm_err_set(err, -EINVAL,
				    "the key file: line %u: expected 64 hexadecimal digits",
				    number);
	r = ccdm_key_derive(master, "ccdm-broker id", key->id, ID);
	if (!r)
		r = ccdm_key_derive(master, "ccdm-broker secrets", key->seal, KEY);
	if (!r)
		r = ccdm_key_derive(master, "ccdm-broker nonces", key->mac, KEY);
	if (!r)
		r = ccdm_key_derive(master, "ccdm-broker rows", key->row, KEY);
	OPENSSL_cleanse(master, sizeof(master));
	keys->count++;
	return r ? ccdm_err_set(err, r, "the key file: HKDF-SHA256 failed") : 0;
}

int ccdm_keys_load(const char *file, struct ccdm_keys **keys, struct ccdm_err *err)
{
	char *text = NULL;
	size_t size;
	int r = ccdm_file_private(file, err);

	*keys = NULL;
	if (r)
		return r;
	*keys = calloc(1, sizeof(**keys));
	if (!*keys)
		return ccdm_err_memory(err);
	r = ccdm_file_read(file, 4096, &text, &size, err);
	if (!r)
		r = ccdm_file_lines(file, text, size, 4096, ccdm_key_line, *keys, err);
	if (!r && !(*keys)->count)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a key, found none", file);
	if (text)
		OPENSSL_cleanse(text, size);
	free(text);
	if (r) {
		ccdm_keys_free(*keys);
		*keys = NULL;
	}
	return r;
}

void ccdm_keys_free(struct ccdm_keys *keys)
{
	if (keys)
		OPENSSL_cleanse(keys, sizeof(*keys));
	free(keys);
}

unsigned int ccdm_keys_count(const struct ccdm_keys *keys)
{
	return keys->count;
}

/* ---- use --------------------------------------------------------------------- */

static int ccdm_key_mac(const uint8_t key[KEY], const void *text, size_t size,
			uint8_t mac[CCDM_MAC_SIZE])
{
	size_t n;

	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, KEY, text, size, mac,
			 CCDM_MAC_SIZE, &n)
		       ? 0
		       : -EIO;
}

int ccdm_keys_mac(const struct ccdm_keys *keys, unsigned int i, const void *text, size_t size,
		  uint8_t mac[CCDM_MAC_SIZE])
{
	return ccdm_key_mac(keys->key[i].mac, text, size, mac);
}

int ccdm_keys_mac_row(const struct ccdm_keys *keys, unsigned int i, const void *row, size_t size,
		      uint8_t mac[CCDM_MAC_SIZE])
{
	return ccdm_key_mac(keys->key[i].row, row, size, mac);
}

int ccdm_keys_seal(const struct ccdm_keys *keys, const char *name, const void *bytes, size_t size,
		   uint8_t **sealed, size_t *sealed_size)
{
	const struct ccdm_key *key = &keys->key[0];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *out = malloc(ID + IV + size + TAG);
	bool good = ctx && out;
	int n;

	*sealed = NULL;
	*sealed_size = ID + IV + size + TAG;
	if (good) {
		memcpy(out, key->id, ID);
		good = RAND_bytes(out + ID, IV) == 1 &&
		       EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->seal, out + ID) == 1 &&
		       EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)name, (int)strlen(name)) ==
			       1 &&
		       EVP_EncryptUpdate(ctx, out + ID + IV, &n, bytes, (int)size) == 1 &&
		       EVP_EncryptFinal_ex(ctx, out + ID + IV + n, &n) == 1 &&
		       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + ID + IV + size) ==
			       1;
	}
	EVP_CIPHER_CTX_free(ctx);
	if (good) {
		*sealed = out;
		return 0;
	}
	free(out);
	return out ? -EIO : -ENOMEM;
}

int ccdm_keys_open(const struct ccdm_keys *keys, const char *name, const void *sealed,
		   size_t sealed_size, uint8_t **bytes, size_t *size, bool *old)
{
	const uint8_t *in = sealed;
	EVP_CIPHER_CTX *ctx;
	unsigned int i;
	uint8_t *out;
	bool good;
	int n;

	*bytes = NULL;
	if (sealed_size < ID + IV + TAG)
		return -EBADMSG;
	for (i = 0; i < keys->count; i++)
		if (!memcmp(in, keys->key[i].id, ID))
			break;
	if (i == keys->count)
		return -ENOKEY;
	*size = sealed_size - ID - IV - TAG;
	ctx = EVP_CIPHER_CTX_new();
	out = OPENSSL_malloc(*size + 1);
	good = ctx && out &&
	       EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, keys->key[i].seal, in + ID) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)name, (int)strlen(name)) == 1 &&
	       EVP_DecryptUpdate(ctx, out, &n, in + ID + IV, (int)*size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG,
				   (void *)(in + ID + IV + *size)) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!good) {
		n = ctx && out ? -EBADMSG : -ENOMEM;
		OPENSSL_clear_free(out, *size + 1);
		return n;
	}
	if (old)
		*old = i;
	*bytes = out;
	return 0;
}
