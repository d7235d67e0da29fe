/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* mutations.h - kinds of evidence, and the fields whose bytes are changed */
#ifndef CCDM_TEST_ATTACKS_MUTATIONS_H
#define CCDM_TEST_ATTACKS_MUTATIONS_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGETS	 32
#define KINDS	 16
#define DER_SIZE 8192

enum encoding {
	B64, /* bytes in base64, as a JSON string */
	B64URL,
	HEX,
	TEXT,
	NUMBERS,
	PCRS, /* an array of strings in hexadecimal */
	PEM,  /* certificate number @pem in a string */
	SNP,  /* the report that the whole object represents */
	RAW,  /* a file, not JSON */
};

/* A field in which one byte is changed. */
struct target {
	const char *name;
	enum encoding as;
	const char *file;   /* in the trust directory; NULL: the field is in the evidence */
	const char *member; /* member of the JSON; "a.b": member b of member a */
	size_t from, to;    /* the range of bytes; to is 0: to the end */
	bool inside; /* change the DER of certificate number @pem, which is PEM in this range */
	unsigned int pem;
};

/* Evidence, with the trust directory under which it is accepted. */
struct kind {
	const char *name, *tee;
	json_t *evidence;
	uint8_t bound[48];
	bool is_bound;
	int64_t at;
	char dir[256]; /* the trust directory */
	/*
	 * real evidence without revocation lists: a file of certificates in place of a trust
	 * directory
	 */
	const char *chain;
	unsigned int nr;
	struct target target[TARGETS];
	unsigned int mutations;
};

extern struct kind kinds[KINDS];
extern unsigned int nr_kinds;

/* mutation_kinds.c: forged kinds, with trust directories below @dir; kinds of real evidence. */
void kinds_forge(const char *dir);
void kinds_real(const char *vectors);
void kinds_free(void);

/* mutation_bytes.c: the bytes of a target in @doc. */
uint8_t *target_decode(const struct target *t, json_t *doc, size_t *size);
/* Return: false if JSON cannot carry these bytes */
bool target_encode(const struct target *t, json_t *doc, const uint8_t *bytes, size_t size);

/*
 * Find certificate number @n of a text in PEM: its place, length and DER. Return: the DER's size.
 */
size_t pem_der(const char *text, size_t size, unsigned int n, uint8_t der[DER_SIZE], size_t *at,
	       size_t *length);
/* Replace that certificate by another one of the same size. */
void pem_put(char *text, size_t at, size_t length, const uint8_t *der, size_t size);

/* mutation_files.c: files of a trust directory. */
void file_put(const char *dir, const char *name, const void *bytes, size_t size);
char *file_get(const char *dir, const char *name, size_t *size);
void file_json(const char *dir, const char *name, const json_t *o);
void file_cert(const char *dir, const char *name, X509 *x);
void file_crl(const char *dir, const char *name, X509 *issuer, EVP_PKEY *key);
/* Remove a directory and its content. */
void file_remove_all(const char *dir);

#endif
