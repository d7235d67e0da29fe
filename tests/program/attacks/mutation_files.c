// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* mutation_files.c - files of a trust directory */
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/file.h"
#include "mutations.h"
#include "pki.h"

void file_put(const char *dir, const char *name, const void *bytes, size_t size)
{
	char path[512], *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	mkdir(path, 0700);
	*slash = '/';
	f = fopen(path, "w");
	pki_must(f && fwrite(bytes, 1, size, f) == size);
	fclose(f);
}

char *file_get(const char *dir, const char *name, size_t *size)
{
	struct ccdm_err err = { 0 };
	char path[512], *text;

	snprintf(path, sizeof(path), "%s%s%s", dir, *name ? "/" : "", name);
	if (ccdm_file_read(path, 4 << 20, &text, size, &err)) {
		fprintf(stderr, "mutations: %s\n", err.text);
		exit(1);
	}
	return text;
}

void file_json(const char *dir, const char *name, const json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	file_put(dir, name, text, strlen(text));
	free(text);
}

void file_cert(const char *dir, const char *name, X509 *x)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	file_put(dir, name, der, n);
	OPENSSL_free(der);
}

void file_crl(const char *dir, const char *name, X509 *issuer, EVP_PKEY *key)
{
	X509_CRL *crl = pki_crl(issuer, key, NULL, NULL, 77);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);

	file_put(dir, name, der, n);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void file_remove_all(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
