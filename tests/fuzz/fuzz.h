/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * fuzz.h - shared by the fuzz targets
 *
 * A target is a file with LLVMFuzzerTestOneInput(). Its first comment names the files that it
 * tests: "fuzzes: FILE...". It must reach 80 % of their lines.
 */
#ifndef CCDM_TEST_FUZZ_H
#define CCDM_TEST_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/x509.h"

#define FUZZ_AT	     1750000000 /* 2025-06-15 */
#define FUZZ_ANCHORS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * For nth.c, which makes allocations fail. fuzz_pause(true) exempts the allocations of the target
 * itself. fuzz_said() records a result: with a failed allocation, each result must be one of the
 * run without failures, or "no".
 */
void fuzz_pause(bool pause);
void fuzz_said(const char *what, const char *result);
void fuzz_verdict(const struct ccdm_verdict *v);

#ifndef FUZZ_NTH
__attribute__((weak)) void fuzz_pause(bool pause)
{
	(void)pause;
}

__attribute__((weak)) void fuzz_said(const char *what, const char *result)
{
	(void)what;
	(void)result;
}

__attribute__((weak)) void fuzz_verdict(const struct ccdm_verdict *v)
{
	(void)v;
}
#endif

/* Evaluate an expression of the target itself, in which no allocation fails. */
#define fuzz_own(e)                     \
	({                              \
		fuzz_pause(true);       \
		__auto_type own_ = (e); \
		fuzz_pause(false);      \
		own_;                   \
	})

static inline const char *fuzz_yes(bool yes)
{
	return yes ? "yes" : "no";
}

/* Return the input as a string with a NUL. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = fuzz_own(malloc(size + 1));

	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Trust each certificate in the set, so the checks after the chain are reached, too. */
static inline unsigned int fuzz_anchors(const struct ccdm_certs *certs,
					struct ccdm_anchor anchors[FUZZ_ANCHORS])
{
	const struct ccdm_cert *cert;
	unsigned int n = 0;

	while (n < FUZZ_ANCHORS && (cert = ccdm_certs_at(certs, n))) {
		anchors[n].name = "test";
		if (ccdm_cert_fingerprint(cert, anchors[n].sha256))
			break;
		n++;
	}
	return n;
}

/* Return part @n of an input whose parts are separated by the byte 0xff; "" after the last part. */
static inline const uint8_t *fuzz_part(const uint8_t *data, size_t size, unsigned int n,
				       size_t *length)
{
	const uint8_t *end = data + size, *stop;

	for (;;) {
		stop = data < end ? memchr(data, 0xff, end - data) : NULL;
		if (!n || !stop)
			break;
		n--;
		data = stop + 1;
	}
	*length = n ? 0 : (size_t)((stop ? stop : end) - data);
	return data;
}

#endif
