// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_sources.c - see base_sources.h */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/lines.h"
#include "base_sources.h"
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
		"mkdir -p \"$2\" && cd \"$1\" && exec cp -r --parents -t \"$2\" VERSION COPYING "
		"LICENSES Kbuild Makefile kmod scripts/need scripts/mirror scripts/completion "
		"dracut-module userspace/lib userspace/setup userspace/image/base "
		"Documentation/man";
	const char *const argv[] = { "/bin/sh", "-c", script, "sh", sources, folder, NULL };

	return ccdm_program_run(argv, NULL, -1, NULL, err);
}
