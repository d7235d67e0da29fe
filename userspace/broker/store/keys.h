/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * keys.h - the broker's own keys: the key file, and keys derived from it
 *
 * The key file has one key per line, 64 hexadecimal digits. The first is used, the others
 * are still accepted, so a new key can be put before an old one at any time. Each
 * gives a key for nonces, one for secrets at rest and one for rows of the database (HKDF-SHA256).
 */
#ifndef CCDM_BROKER_KEYS_H
#define CCDM_BROKER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_KEYS_MAX 4
#define CCDM_MAC_SIZE 32

/* The keys; opaque, wiped by ccdm_keys_free(). */
struct ccdm_keys;

/**
 * ccdm_keys_load() - read a key file
 * @file: must be a regular file of the caller or root that only its owner can read or write
 * @keys: set
 *
 * Return: 0, -EACCES if others can read it, -EINVAL, -ENOENT, -ENOMEM.
 */
int __must_check ccdm_keys_load(const char *file, struct ccdm_keys **keys, struct ccdm_err *err);
void ccdm_keys_free(struct ccdm_keys *keys); /* accepts NULL */

/* Number of keys; key 0 is used. */
unsigned int ccdm_keys_count(const struct ccdm_keys *keys);

/* HMAC-SHA256 for nonces, under key number @i. Return: 0, -EIO */
int __must_check ccdm_keys_mac(const struct ccdm_keys *keys, unsigned int i, const void *text,
			       size_t size, uint8_t mac[CCDM_MAC_SIZE]);

/* The same for a row of the database, under a key of its own. Return: 0, -EIO */
int __must_check ccdm_keys_mac_row(const struct ccdm_keys *keys, unsigned int i, const void *row,
				   size_t size, uint8_t mac[CCDM_MAC_SIZE]);

/**
 * ccdm_keys_seal() - encrypt a secret for the database
 * @name: its path, which is bound to it
 * @sealed: set: key's ID, IV, ciphertext, tag (AES-256-GCM); the caller frees it
 *
 * Return: 0, -ENOMEM, -EIO.
 */
int __must_check ccdm_keys_seal(const struct ccdm_keys *keys, const char *name, const void *bytes,
				size_t size, uint8_t **sealed, size_t *sealed_size);

/**
 * ccdm_keys_open() - decrypt a sealed secret
 * @bytes: set; to be freed with OPENSSL_clear_free()
 * @old: set if it is sealed under an older key; may be NULL
 *
 * Return: 0; -ENOKEY: the key is not in the file; -EBADMSG: changed, or
 * sealed for another name; -ENOMEM.
 */
int __must_check ccdm_keys_open(const struct ccdm_keys *keys, const char *name, const void *sealed,
				size_t sealed_size, uint8_t **bytes, size_t *size, bool *old);

#endif
