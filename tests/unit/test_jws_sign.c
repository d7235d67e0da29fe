// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Signing a JWS: keys in files, signatures made here and elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "evidence/manifest.h"
#include "kbs/jws_sign.h"
#include "pki.h"

static struct ccdm_err err;
static char file[] = "/tmp/ccdm-unit-XXXXXX";

enum form { PKCS8, SEC1, PUBLIC, ENCRYPTED };

/* "EC PRIVATE KEY" */
static int write_sec1(FILE *f, EVP_PKEY *key)
{
	BIO *bio = BIO_new_fp(f, BIO_NOCLOSE);
	int good = PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);

	BIO_free(bio);
	return good;
}

/* Write a key into the file. */
static void put(EVP_PKEY *key, enum form form, mode_t mode)
{
	FILE *f = fopen(file, "w");
	int good = 0;

	assert_non_null(f);
	if (form == PKCS8)
		good = PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	else if (form == SEC1)
		good = write_sec1(f, key);
	else if (form == PUBLIC)
		good = PEM_write_PUBKEY(f, key);
	else
		good = PEM_write_PKCS8PrivateKey(f, key, EVP_aes_256_cbc(), "secret", 6, NULL,
						 NULL);
	assert_int_equal(good, 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(file, mode), 0);
}

static void put_text(const char *text)
{
	FILE *f = fopen(file, "w");

	fputs(text, f);
	fclose(f);
	chmod(file, 0600);
}

static void keys(void **state)
{
	EVP_PKEY *key = pki_key("P-256"), *other = pki_key("P-384");
	struct ccdm_jws_key *k, *pub;
	char a[65], b[65];

	(void)state;
	put(key, PKCS8, 0600);
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), 0);
	assert_int_equal(ccdm_jws_key_hash(k, a), 0);
	ccdm_jws_key_free(k);
	put(key, SEC1, 0600);
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), 0);
	ccdm_jws_key_free(k);
	put(key, PUBLIC, 0644);
	assert_int_equal(ccdm_jws_key_public(file, &pub, &err), 0);
	assert_int_equal(ccdm_jws_key_hash(pub, b), 0);
	assert_string_equal(a, b);
	ccdm_jws_key_free(pub);
	/* a key with a compressed point is the same key */
	assert_int_equal(EVP_PKEY_set_utf8_string_param(
				 key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
			 1);
	put(key, PUBLIC, 0644);
	assert_int_equal(ccdm_jws_key_public(file, &pub, &err), 0);
	assert_int_equal(ccdm_jws_key_hash(pub, b), 0);
	assert_string_equal(a, b);
	ccdm_jws_key_free(pub);
	/* refused */
	put(key, PUBLIC, 0600);
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected a private key on P-256"));
	put(key, PKCS8, 0600);
	assert_int_equal(ccdm_jws_key_public(file, &k, &err), -EINVAL);
	put(other, PKCS8, 0600);
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), -EINVAL);
	assert_non_null(strstr(err.text, "another kind of key"));
	put(key, ENCRYPTED, 0600);
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), -EINVAL);
	assert_non_null(strstr(err.text, "an encrypted key"));
	assert_non_null(strstr(err.hint, "openssl pkey"));
	put(key, PKCS8, 0640);
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), -EACCES);
	put_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), -EINVAL);
	put_text("");
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), -EINVAL);
	assert_int_equal(ccdm_jws_key_private("/nosuch", &k, &err), -ENOENT);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

#define ID "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"

/* Signed here, signed elsewhere in both forms: each is a manifest of this key. */
static void signatures(void **state)
{
	EVP_PKEY *key = pki_key("P-256");
	json_t *payload =
		json_pack("{s:s, s:i, s:{s:[s]}}", "product", "web", "svn", 7, "ids", "tpm", ID);
	json_t *real = json_pack("{s:f}", "svn", 7.5);
	struct ccdm_jws_key *k, *pub;
	char *text, *again, *jws, *second, hash[65];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct ccdm_manifest m;
	uint8_t der[128], raw[64];
	size_t size = sizeof(der), i;

	(void)state;
	put(key, PKCS8, 0600);
	assert_int_equal(ccdm_jws_key_private(file, &k, &err), 0);
	put(key, PUBLIC, 0600);
	assert_int_equal(ccdm_jws_key_public(file, &pub, &err), 0);
	assert_int_equal(ccdm_jws_key_hash(pub, hash), 0);
	/* the same bytes, whichever half is there */
	assert_int_equal(ccdm_jws_to_sign(k, CCDM_MANIFEST_TYP, payload, &text), 0);
	assert_int_equal(ccdm_jws_to_sign(pub, CCDM_MANIFEST_TYP, payload, &again), 0);
	assert_string_equal(text, again);
	free(again);
	assert_int_equal(ccdm_jws_to_sign(k, CCDM_MANIFEST_TYP, real, &again), -EINVAL);
	assert_int_equal(ccdm_jws_sign(k, text, &jws, &err), 0);
	assert_int_equal(ccdm_manifest_read(jws, &m, &err), 0);
	assert_string_equal(m.key, hash);
	ccdm_manifest_drop(&m);
	assert_int_equal(ccdm_jws_sign(k, text, &second, &err), 0);
	assert_int_equal(!strcmp(jws, second), ccdm_jws_deterministic());
	free(jws);
	free(second);
	/* a public key signs nothing */
	assert_int_equal(ccdm_jws_sign(pub, text, &jws, &err), -EIO);
	/* elsewhere */
	assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(md, der, &size, (uint8_t *)text, strlen(text)), 1);
	assert_int_equal(ccdm_jws_attach(text, der, size, &jws, &err), 0);
	assert_int_equal(ccdm_manifest_read(jws, &m, &err), 0);
	ccdm_manifest_drop(&m);
	free(jws);
	pki_sign(key, EVP_sha256(), text, strlen(text), raw, raw + 32, 32);
	assert_int_equal(ccdm_jws_attach(text, raw, 64, &jws, &err), 0);
	assert_int_equal(ccdm_manifest_read(jws, &m, &err), 0);
	ccdm_manifest_drop(&m);
	free(jws);
	/* over something else: whole in its form, and refused by the reader */
	pki_sign(key, EVP_sha256(), text, strlen(text) - 1, raw, raw + 32, 32);
	assert_int_equal(ccdm_jws_attach(text, raw, 64, &jws, &err), 0);
	assert_int_equal(ccdm_manifest_read(jws, &m, &err), -EINVAL);
	free(jws);
	/* cut, longer, empty */
	for (i = 0; i < size; i++)
		if (i != 64)
			assert_int_equal(ccdm_jws_attach(text, der, i, &jws, &err), -EINVAL);
	der[size] = 0;
	assert_int_equal(ccdm_jws_attach(text, der, size + 1, &jws, &err), -EINVAL);
	assert_non_null(strstr(err.text, "of another form"));
	/* numbers of more than 32 bytes */
	memcpy(der, "\x30\x26\x02\x21\x01", 5);
	memset(der + 5, 1, 32);
	memcpy(der + 37, "\x02\x01\x01", 3);
	assert_int_equal(ccdm_jws_attach(text, der, 40, &jws, &err), -EINVAL);
	EVP_MD_CTX_free(md);
	ccdm_jws_key_free(k);
	ccdm_jws_key_free(pub);
	json_decref(payload);
	json_decref(real);
	free(text);
	EVP_PKEY_free(key);
}

static int setup(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(signatures),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
