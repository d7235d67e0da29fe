// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_sources.c - see base_sources.h */
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/file.h"
#include "base/lines.h"
#include "base_sources.h"
#include "crypto/digest.h"
#include "program.h"

#define RECIPE	 "userspace/image/base"
#define LIST_MAX 65536

static int ccdm_sources_path(const char *sources, const char *name, char path[PATH_MAX],
			     struct ccdm_err *err)
{
	if (snprintf(path, PATH_MAX, "%s/%s", sources, name) < PATH_MAX)
		return 0;
	return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", sources);
}

static bool ccdm_sources_there(const char *folder, const char *place, char path[PATH_MAX])
{
	char list[2 * PATH_MAX];

	snprintf(list, sizeof(list), "%s%s/" RECIPE "/packages", folder, place);
	if (access(list, R_OK))
		return false;
	snprintf(list, sizeof(list), "%s%s", folder, place);
	return realpath(list, path);
}

int ccdm_base_sources_find(const char *given, char path[PATH_MAX], struct ccdm_err *err)
{
	char program[PATH_MAX];
	ssize_t n;

	if (given) {
		if (ccdm_sources_there(given, "", path))
			return 0;
		ccdm_err_hint(err, "--source names a folder with ccdm's sources");
		return ccdm_err_set(err, -ENOENT, "%s/" RECIPE "/packages: %s", given,
				    strerror(errno));
	}
	n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (n > 0) {
		program[n] = '\0';
		*strrchr(program, '/') = '\0';
		if (ccdm_sources_there(program, "/../share/ccdm/source", path) ||
		    ccdm_sources_there(program, "/../..", path))
			return 0;
	}
	ccdm_err_hint(err, "name a folder with ccdm's sources: --source DIR");
	return ccdm_err_set(err, -ENOENT, "found no sources of ccdm next to %s",
			    n > 0 ? program : "this program");
}

/* ---- lists ------------------------------------------------------------------------------ */

static int ccdm_sources_line(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	char **all = arg, *rest, *word, *more;

	(void)number;
	line[strcspn(line, "#")] = '\0';
	for (word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (asprintf(&more, "%s%s%s", *all ? *all : "", *all ? " " : "", word) < 0)
			return ccdm_err_memory(err);
		free(*all);
		*all = more;
	}
	return 0;
}

int ccdm_base_sources_words(const char *sources, const char *name, char **all, struct ccdm_err *err)
{
	char folder[PATH_MAX], path[PATH_MAX], *text = NULL;
	size_t size;
	int r = ccdm_sources_path(sources, RECIPE, folder, err);

	if (!r)
		r = ccdm_sources_path(folder, name, path, err);
	if (r)
		return r;
	r = ccdm_file_read(path, LIST_MAX, &text, &size, err);
	if (!r)
		r = ccdm_file_lines(path, text, size, LIST_MAX, ccdm_sources_line, all, err);
	free(text);
	return r;
}

/* ---- scripts ---------------------------------------------------------------------------- */

static int ccdm_sources_ask(const char *sources, const char *name, const char *word, char **answer,
			    struct ccdm_err *err)
{
	char path[PATH_MAX];
	const char *const argv[] = { "/bin/sh", path, word, NULL };
	int r = ccdm_sources_path(sources, name, path, err);

	return r ? r : ccdm_program_run(argv, NULL, -1, answer, err);
}

int ccdm_base_sources_needs(const char *sources, char **all, struct ccdm_err *err)
{
	char *text = NULL;
	int r = ccdm_sources_ask(sources, "scripts/need", "packages", &text, err);

	if (!r)
		r = ccdm_file_lines("scripts/need", text, strlen(text), LIST_MAX, ccdm_sources_line,
				    all, err);
	free(text);
	return r;
}

int ccdm_base_sources_mirror(const char *sources, char **mirror, struct ccdm_err *err)
{
	int r = ccdm_sources_ask(sources, "scripts/mirror", NULL, mirror, err);

	if (r == -EIO) {
		ccdm_err_hint(err, "name a source: --mirror URL or --snapshot STAMP");
		return ccdm_err_set(err, -ENOENT,
				    "the configuration of apt names no mirror of Debian");
	}
	if (!r)
		(*mirror)[strcspn(*mirror, "\n")] = '\0';
	return r;
}

/* The same files as "make install-image" installs, whatever else is in a source tree. */
int ccdm_base_sources_copy(const char *sources, const char *folder, struct ccdm_err *err)
{
	static const char script[] =
		"mkdir -p \"$2\" && cd \"$1\" && set -- \"$2\" && "
		"for man in Documentation/man/*.[0-9]; do case ${man##*/} in "
		"ccdm-broker.*|ccdm-brokerd.*|ccdm-policy.*|ccdm-image.*|ccdm-workload.*|"
		"ccdm-open.*|libccdm.*) ;; *) set -- \"$@\" \"$man\" ;; esac; done && "
		"exec cp --parents -t \"$@\" VERSION COPYING Kbuild Makefile scripts/need "
		"scripts/mirror scripts/completion LICENSES/* kmod/*.[ch] kmod/probe/*.c "
		"dracut-module/*.conf dracut-module/ccdm-* dracut-module/50ccdm/* "
		"userspace/lib/*/*.[ch] userspace/setup/* userspace/image/base/*";
	const char *const argv[] = { "/bin/sh", "-c", script, "sh", sources, folder, NULL };

	return ccdm_program_run(argv, NULL, -1, NULL, err);
}

/* ---- the hash --------------------------------------------------------------------------- */

/* Add the paths of all files to @paths, each with a NUL behind it. */
static int ccdm_sources_walk(const char *folder, FILE *paths, size_t *count, struct ccdm_err *err)
{
	char *const top[] = { (char *)folder, NULL };
	FTS *fts = fts_open(top, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	int r = 0;

	if (!fts)
		return ccdm_err_set(err, -errno, "%s: %s", folder, strerror(errno));
	while (!r && (errno = 0, entry = fts_read(fts))) {
		if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP)
			continue;
		if (entry->fts_errno)
			r = ccdm_err_set(err, -entry->fts_errno, "%s: %s", entry->fts_path,
					 strerror(entry->fts_errno));
		else if (entry->fts_info != FTS_F)
			r = ccdm_err_set(err, -EINVAL, "%s: expected a regular file",
					 entry->fts_path);
		else if (fwrite(entry->fts_path, entry->fts_pathlen + 1, 1, paths) != 1)
			r = ccdm_err_memory(err);
		(*count)++;
	}
	if (!r && errno)
		r = ccdm_err_set(err, -errno, "%s: %s", folder, strerror(errno));
	fts_close(fts);
	return r;
}

static int ccdm_sources_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "HASH  ./PATH\n", as sha256sum prints it */
static int ccdm_sources_hash(struct ccdm_digest_stream *stream, const char *folder,
			     const char *path)
{
	char hex[2 * CCDM_DIGEST_MAX + 1], line[PATH_MAX + 80];
	struct ccdm_digest digest;
	int n, r = ccdm_digest_file(CCDM_ALG_SHA256, path, &digest);

	if (r)
		return r;
	ccdm_hex(digest.bytes, digest.size, hex);
	n = snprintf(line, sizeof(line), "%s  .%s\n", hex, path + strlen(folder));
	if (n >= (int)sizeof(line))
		return -ENAMETOOLONG;
	return ccdm_digest_add(stream, line, (size_t)n);
}

/* @text: @count paths, each with a NUL behind it */
static int ccdm_sources_hash_all(const char *folder, const char *text, size_t count,
				 struct ccdm_digest *digest, struct ccdm_err *err)
{
	const char **path = calloc(count, sizeof(*path));
	struct ccdm_digest_stream stream;
	size_t i;
	int r;

	if (!path)
		return ccdm_err_memory(err);
	for (i = 0; i < count; i++, text += strlen(text) + 1)
		path[i] = text;
	qsort(path, count, sizeof(*path), ccdm_sources_order);
	r = ccdm_digest_start(CCDM_ALG_SHA256, &stream);
	for (i = 0; !r && i < count; i++)
		r = ccdm_sources_hash(&stream, folder, path[i]);
	r = ccdm_digest_finish(&stream, r, digest);
	free(path);
	return r ? ccdm_err_set(err, r, "%s: cannot hash its files: %s", folder, strerror(-r)) : 0;
}

int ccdm_base_sources_digest(const char *folder, char hex[65], struct ccdm_err *err)
{
	struct ccdm_digest digest;
	char *text = NULL;
	size_t size, count = 0;
	FILE *paths = open_memstream(&text, &size);
	int r = paths ? ccdm_sources_walk(folder, paths, &count, err) : ccdm_err_memory(err);

	if (paths && fclose(paths) && !r)
		r = ccdm_err_memory(err);
	if (!r && !count)
		r = ccdm_err_set(err, -EINVAL, "%s: expected ccdm's sources, found no file",
				 folder);
	if (!r)
		r = ccdm_sources_hash_all(folder, text, count, &digest, err);
	free(text);
	if (!r)
		ccdm_hex(digest.bytes, digest.size, hex);
	return r;
}
