/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * seed.h - valid and invalid data of the unit tests, as seeds of the fuzzers
 *
 * With CCDM_SEEDS=DIR in the environment each seed becomes a file DIR/TARGET/...; see
 * tests/fuzz/run.py.
 */
#ifndef CCDM_TEST_SEED_H
#define CCDM_TEST_SEED_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void seed(const char *target, const void *bytes, size_t size)
{
	const char *dir = getenv("CCDM_SEEDS");
	static unsigned int n;
	char path[4096];
	FILE *f;

	if (!dir)
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%d-%u", dir, target, (int)getpid(), n++);
	f = fopen(path, "w");
	if (!f || fwrite(bytes, 1, size, f) != size || fclose(f))
		abort();
}

/* Write texts with a byte between them, after a letter unless it is 0. */
static inline void seed_texts(const char *target, char letter, int between, const char *a,
			      const char *b, const char *c, const char *d)
{
	const char *const all[] = { a, b, c, d };
	char *text;
	size_t i, at = 0, room = 8;

	for (i = 0; i < 4; i++)
		room += all[i] ? strlen(all[i]) + 1 : 0;
	text = malloc(room);
	if (letter)
		text[at++] = letter;
	for (i = 0; i < 4 && all[i]; i++) {
		if (i)
			text[at++] = between;
		memcpy(text + at, all[i], strlen(all[i]));
		at += strlen(all[i]);
	}
	seed(target, text, at);
	free(text);
}

static inline void seed_json(const char *target, const json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	seed(target, text, strlen(text));
	free(text);
}

/* Write two parts after the length of the first one, in 16 bits. */
static inline void seed_pair(const char *target, const void *a, size_t a_size, const void *b,
			     size_t b_size)
{
	unsigned char *all = malloc(2 + a_size + b_size);

	all[0] = a_size & 0xff;
	all[1] = a_size >> 8;
	memcpy(all + 2, a, a_size);
	memcpy(all + 2 + a_size, b, b_size);
	seed(target, all, 2 + a_size + b_size);
	free(all);
}

#endif
