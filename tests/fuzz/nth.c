// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * nth.c - the n-th allocation fails: a main() for the fuzz targets
 *
 *	TARGET FILE...		for each input, let each allocation fail once
 *
 * This includes allocations of libraries. No failure may crash, leak memory, or lead to a result
 * that the run without failures lacks; only refusals are allowed. Afterwards, a run without
 * failures must have the same results as before. Of many allocations, later ones are tried less and
 * less often, since a loop makes them.
 */
#include <archive.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <sanitizer/allocator_interface.h>
#include <sanitizer/lsan_interface.h>
#include <stdbool.h>
#include <stdio.h>
#define FUZZ_NTH
#include "fuzz.h"

#define SAID 4096

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t n, size_t size);
void *__interceptor_realloc(void *p, size_t size);

/* struct said - the results of a run, in order */
struct said {
	unsigned int n;
	char *what[SAID];
};

static struct said normal, now;
static unsigned long count, fail_at;
static unsigned int paused = 1;
static long live; /* of all allocations, including those that bypass this file */

static bool fails(void)
{
	if (paused || ++count != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __interceptor_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __interceptor_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __interceptor_realloc(p, size);
}

/* jansson's parser writes through NULL if memory is short; that is not tested here. */
json_t *json_loadb(const char *text, size_t size, size_t flags, json_error_t *error)
{
	json_t *(*real)(const char *, size_t, size_t, json_error_t *);

	fuzz_pause(true);
	*(void **)&real = dlsym(RTLD_NEXT, "json_loadb");
	fuzz_pause(false);
	return fuzz_own(real(text, size, flags, error));
}

json_t *json_loads(const char *text, size_t flags, json_error_t *error)
{
	return json_loadb(text, strlen(text), flags, error);
}

/* libarchive ends the process when memory is short for a name: that is not looked at here. */
int archive_read_next_header2(struct archive *a, struct archive_entry *entry)
{
	int (*real)(struct archive *, struct archive_entry *);

	fuzz_pause(true);
	*(void **)&real = dlsym(RTLD_NEXT, "archive_read_next_header2");
	fuzz_pause(false);
	return fuzz_own(real(a, entry));
}

static void allocated(const volatile void *p, size_t size)
{
	(void)p;
	(void)size;
	live++;
}

static void freed(const volatile void *p)
{
	live -= !!p;
}

void fuzz_pause(bool pause)
{
	paused += pause ? 1 : -1;
}

void fuzz_said(const char *what, const char *result)
{
	fuzz_pause(true);
	if (now.n == SAID || asprintf(&now.what[now.n++], "%s: %s", what, result) < 0)
		abort();
	fuzz_pause(false);
}

void fuzz_verdict(const struct ccdm_verdict *v)
{
	unsigned int i;

	if (!v->complete)
		return;
	for (i = 0; i < v->count; i++)
		fuzz_said(v->check[i].name, v->check[i].passed ? "yes" : "no");
	fuzz_said("evidence", ccdm_verdict_accepted(v) ? "accepted" : "refused");
}

static void forget(struct said *s)
{
	while (s->n)
		free(s->what[--s->n]);
}

/* A refusal is always allowed. */
static bool refuses(const char *what)
{
	const char *result = strrchr(what, ' ');

	return result && (!strcmp(result, " no") || !strcmp(result, " refused"));
}

static bool has(const struct said *s, const char *what)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->what[i], what))
			return true;
	return false;
}

/*
 * Run the target once. The copy ends exactly at its last byte, so the sanitizer sees a read beyond
 * it.
 */
static void run(const uint8_t *data, size_t size, unsigned long n)
{
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	count = 0;
	fail_at = n;
	fuzz_pause(false);
	LLVMFuzzerTestOneInput(copy, size);
	fuzz_pause(true);
	free(copy);
}

static void __attribute__((noreturn)) bad(const char *file, const char *what, const char *more)
{
	fprintf(stderr, "%s, allocation %lu fails: %s %s\n", file, fail_at, what, more);
	exit(1);
}

static unsigned long input(const char *file, const uint8_t *data, size_t size)
{
	unsigned long n, all, runs = 0;
	unsigned int i;
	long before;

	/* run once before: some libraries allocate on first use, and keep it */
	run(data, size, 0);
	forget(&now);
	run(data, size, 0);
	all = count;
	forget(&normal);
	normal = now;
	now.n = 0;
	for (n = 1; n <= all; n += 1 + n / 24) {
		forget(&now);
		before = live;
		run(data, size, n);
		runs++;
		for (i = 0; i < now.n; i++)
			if (!has(&normal, now.what[i]) && !refuses(now.what[i]))
				bad(file, "it says", now.what[i]);
		/* a library may have kept something; the leak check is slow, so run it only then */
		forget(&now);
		if (live > before && __lsan_do_recoverable_leak_check())
			bad(file, "something is lost", "");
	}
	forget(&now);
	run(data, size, 0);
	for (i = 0; i < now.n && i < normal.n && !strcmp(now.what[i], normal.what[i]); i++)
		;
	if (i < now.n || i < normal.n)
		bad(file, "afterwards it does not say", i < normal.n ? normal.what[i] : "so much");
	return runs;
}

int main(int argc, char **argv)
{
	unsigned long runs = 0;
	int i;

	if (!__sanitizer_install_malloc_and_free_hooks(allocated, freed))
		return 1;
	for (i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		static uint8_t data[1 << 20];
		size_t size;

		if (!f)
			return 1;
		size = fread(data, 1, sizeof(data), f);
		fclose(f);
		runs += input(argv[i], data, size);
	}
	printf("%lu\n", runs);
	return 0;
}
