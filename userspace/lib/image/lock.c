// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* lock.c - see lock.h */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "base/json.h"
#include "base/lines.h"
#include "lock.h"

#define NAME_LETTERS	"abcdefghijklmnopqrstuvwxyz0123456789+-."
#define VERSION_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" NAME_LETTERS ":~"
#define DATE_MAX	((int64_t)UINT32_MAX)

void ccdm_lock_free(struct ccdm_lock *lock)
{
	free(lock->package);
	lock->package = NULL;
	lock->count = 0;
	lock->room = 0;
}

int ccdm_lock_add(struct ccdm_lock *lock, const struct ccdm_package *package, struct ccdm_err *err)
{
	if (lock->count == CCDM_LOCK_PACKAGES)
		return ccdm_err_set(err, -EFBIG, "expected at most %d packages",
				    CCDM_LOCK_PACKAGES);
	if (lock->count == lock->room) {
		size_t room = lock->room ? 2 * lock->room : 256;
		struct ccdm_package *more =
			reallocarray(lock->package, room, sizeof(*lock->package));

		if (!more)
			return ccdm_err_memory(err);
		lock->package = more;
		lock->room = room;
	}
	lock->package[lock->count++] = *package;
	return 0;
}

/* By what identifies a package of a root. */
static int ccdm_lock_key(const struct ccdm_package *a, const struct ccdm_package *b)
{
	int r = strcmp(a->name, b->name);

	return r ? r : strcmp(a->arch, b->arch);
}

static int ccdm_lock_order(const void *a, const void *b)
{
	return ccdm_lock_key(a, b);
}

static void ccdm_lock_arrange(struct ccdm_lock *lock)
{
	if (lock->count)
		qsort(lock->package, lock->count, sizeof(*lock->package), ccdm_lock_order);
}

int ccdm_lock_sort(struct ccdm_lock *lock, struct ccdm_err *err)
{
	size_t i, kept = 0;

	ccdm_lock_arrange(lock);
	for (i = 0; i < lock->count; i++) {
		struct ccdm_package *p = &lock->package[i];

		if (!kept || ccdm_lock_key(&lock->package[kept - 1], p)) {
			lock->package[kept++] = *p;
			continue;
		}
		if (strcmp(lock->package[kept - 1].version, p->version))
			return ccdm_err_set(err, -EINVAL,
					    "package %s: expected one version, found %s and %s",
					    p->name, lock->package[kept - 1].version, p->version);
		if (strcmp(lock->package[kept - 1].sha256, p->sha256))
			return ccdm_err_set(err, -EINVAL,
					    "package %s %s: expected one SHA-256, found %s and %s",
					    p->name, p->version, lock->package[kept - 1].sha256,
					    p->sha256);
	}
	lock->count = kept;
	return 0;
}

/* ---- text ---------------------------------------------------------------------------- */

static bool ccdm_lock_word(const char *word, const char *letters, char *to, size_t size)
{
	if (!*word || strlen(word) >= size || word[strspn(word, letters)])
		return false;
	memcpy(to, word, strlen(word) + 1);
	return true;
}

static int ccdm_lock_package(const char *where, char *const *word, struct ccdm_lock *lock,
			     struct ccdm_err *err)
{
	struct ccdm_package p = { 0 };
	uint8_t bytes[32];

	if (!ccdm_lock_word(word[1], NAME_LETTERS, p.name, sizeof(p.name)))
		return ccdm_err_set(err, -EINVAL, "%s: expected the name of a package, found '%s'",
				    where, word[1]);
	if (!ccdm_lock_word(word[2], VERSION_LETTERS, p.version, sizeof(p.version)))
		return ccdm_err_set(err, -EINVAL, "%s: expected a version, found '%s'", where,
				    word[2]);
	if (!ccdm_lock_word(word[3], NAME_LETTERS, p.arch, sizeof(p.arch)))
		return ccdm_err_set(err, -EINVAL, "%s: expected an architecture, found '%s'", where,
				    word[3]);
	if (ccdm_unhex(word[4], bytes, sizeof(bytes)))
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a SHA-256 of 64 hex digits, found '%s'", where,
				    word[4]);
	ccdm_hex(bytes, sizeof(bytes), p.sha256);
	return ccdm_lock_add(lock, &p, err);
}

static int ccdm_lock_line(const char *where, char *const *word, unsigned int words, void *arg,
			  struct ccdm_err *err)
{
	struct ccdm_lock *lock = arg;
	char *end;

	if (!strcmp(word[0], "package") && words == 5)
		return ccdm_lock_package(where, word, lock, err);
	if (!strcmp(word[0], "suite") && words == 2 && !lock->suite[0]) {
		if (ccdm_lock_word(word[1], NAME_LETTERS, lock->suite, sizeof(lock->suite)))
			return 0;
		return ccdm_err_set(err, -EINVAL, "%s: expected the name of a suite, found '%s'",
				    where, word[1]);
	}
	if (!strcmp(word[0], "date") && words == 2 && !lock->date) {
		errno = 0;
		lock->date = strtoll(word[1], &end, 10);
		if (!errno && !*end && lock->date > 0 && lock->date <= DATE_MAX)
			return 0;
		return ccdm_err_set(err, -EINVAL, "%s: expected seconds since 1970, found '%s'",
				    where, word[1]);
	}
	return ccdm_err_set(
		err, -EINVAL,
		"%s: expected one line 'suite NAME', one line 'date SECONDS', and lines "
		"'package NAME VERSION ARCHITECTURE SHA256'",
		where);
}

int ccdm_lock_parse(const char *file, const char *text, size_t size, struct ccdm_lock *lock,
		    struct ccdm_err *err)
{
	size_t i;
	int r;

	memset(lock, 0, sizeof(*lock));
	r = ccdm_lines_read(file, text, size, CCDM_LOCK_MAX, ccdm_lock_line, lock, err);
	if (r)
		return r;
	if (!lock->suite[0] || !lock->date || !lock->count)
		return ccdm_err_set(err, -EINVAL, "%s: expected %s", file,
				    !lock->suite[0] ? "a line 'suite NAME'"
				    : !lock->date   ? "a line 'date SECONDS'"
						    : "lines 'package ...'");
	ccdm_lock_arrange(lock);
	for (i = 1; i < lock->count; i++)
		if (!ccdm_lock_key(&lock->package[i - 1], &lock->package[i]))
			return ccdm_err_set(err, -EINVAL,
					    "%s: package %s: expected one line, found two", file,
					    lock->package[i].name);
	return 0;
}

char *ccdm_lock_text(const struct ccdm_lock *lock)
{
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);
	bool bad;

	if (!f)
		return NULL;
	fprintf(f,
		"# Packages of a base of ccdm-image, and those that built it\n"
		"suite %s\ndate %" PRId64 "\n",
		lock->suite, lock->date);
	for (i = 0; i < lock->count; i++)
		fprintf(f, "package %s %s %s %s\n", lock->package[i].name, lock->package[i].version,
			lock->package[i].arch, lock->package[i].sha256);
	bad = ferror(f);
	if (fclose(f) || bad) {
		free(text);
		return NULL;
	}
	return text;
}

json_t *ccdm_lock_json(const struct ccdm_lock *lock)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < lock->count; i++)
		ccdm_json_add(&all,
			      json_pack("{s:s, s:s, s:s, s:s}", "name", lock->package[i].name,
					"version", lock->package[i].version, "arch",
					lock->package[i].arch, "sha256", lock->package[i].sha256));
	return all;
}

/* ---- compare ---------------------------------------------------------------------------- */

static int ccdm_lock_differs(const char *file, const struct ccdm_package *expected,
			     const struct ccdm_package *found, struct ccdm_err *err)
{
	ccdm_err_hint(err, "use a source that has the locked packages, or accept other ones with "
			   "--update-lock");
	if (!found)
		return ccdm_err_set(err, -ECANCELED, "%s: package %s: expected %s, found none",
				    file, expected->name, expected->version);
	if (!expected)
		return ccdm_err_set(err, -ECANCELED, "%s: package %s: expected none, found %s",
				    file, found->name, found->version);
	if (strcmp(expected->version, found->version))
		return ccdm_err_set(err, -ECANCELED, "%s: package %s: expected %s, found %s", file,
				    found->name, expected->version, found->version);
	return ccdm_err_set(err, -ECANCELED, "%s: package %s %s: expected SHA-256 %s, found %s",
			    file, found->name, found->version, expected->sha256, found->sha256);
}

int ccdm_lock_compare(const char *file, const struct ccdm_lock *lock, const struct ccdm_lock *found,
		      struct ccdm_err *err)
{
	size_t i = 0, k = 0;

	while (i < lock->count || k < found->count) {
		const struct ccdm_package *a = i < lock->count ? &lock->package[i] : NULL;
		const struct ccdm_package *b = k < found->count ? &found->package[k] : NULL;
		int order = !a ? 1 : !b ? -1 : ccdm_lock_key(a, b);

		if (order || strcmp(a->version, b->version) || strcmp(a->sha256, b->sha256))
			return ccdm_lock_differs(file, order > 0 ? NULL : a, order < 0 ? NULL : b,
						 err);
		i++;
		k++;
	}
	return 0;
}
