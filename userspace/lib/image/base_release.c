// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_release.c - see base_release.h */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/file.h"
#include "base_release.h"

#define RELEASE_MAX ((size_t)16 << 20)

/**
 * struct release - a Release file
 * @path: of the file
 * @part: of an InRelease file: headers of the signed text, the signed text, the signature. A server
 *	can add lines to the other parts
 * @date, @until: seconds since 1970; 0: there is none
 */
struct release {
	const char *path;
	enum { RELEASE_HEADERS = 1, RELEASE_SIGNED = 0, RELEASE_SIGNATURE = 2 } part;
	int64_t date, until;
};

/* "Date: Sat, 06 Sep 2025 09:56:31 UTC"; the words are English in the C locale alone. */
static int release_time(const struct release *f, const char *line, const char *name, int64_t *to,
			struct ccdm_err *err)
{
	struct tm tm = { 0 };
	size_t n = strlen(name);
	const char *end;

	if (strncasecmp(line, name, n) || line[n] != ':')
		return 0;
	end = strptime(line + n + 1, " %a, %d %b %Y %H:%M:%S UTC", &tm);
	if (!end || *end || *to || timegm(&tm) <= 0)
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected one line '%s: Sat, 06 Sep 2025 09:56:31 UTC', "
				    "found '%s'",
				    f->path, name, line);
	*to = timegm(&tm);
	return 0;
}

static int release_line(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	struct release *f = arg;
	int r = 0;

	line[strcspn(line, "\r")] = '\0';
	if (number == 1 && !strcmp(line, "-----BEGIN PGP SIGNED MESSAGE-----")) {
		f->part = RELEASE_HEADERS;
	} else if (f->part == RELEASE_HEADERS) {
		if (!line[strspn(line, " \t")])
			f->part = RELEASE_SIGNED;
	} else if (!strncmp(line, "-----", 5)) {
		f->part = RELEASE_SIGNATURE;
	} else if (f->part == RELEASE_SIGNED) {
		r = release_time(f, line, "Date", &f->date, err);
		if (!r)
			r = release_time(f, line, "Valid-Until", &f->until, err);
	}
	return r;
}

static int release_read(const char *path, struct release *f, struct ccdm_err *err)
{
	char *text = NULL;
	size_t size;
	int r = ccdm_file_read(path, RELEASE_MAX, &text, &size, err);

	*f = (struct release){ .path = path };
	if (!r)
		r = ccdm_file_lines(path, text, size, RELEASE_MAX, release_line, f, err);
	free(text);
	if (!r && !f->date)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a line 'Date: ...', found none", path);
	return r;
}

static bool release_is(const char *name)
{
	const char *end = strrchr(name, '_');

	return end && (!strcmp(end, "_InRelease") || !strcmp(end, "_Release"));
}

/* Call @each for each Release file of @root. */
static int release_all(const char *root,
		       int (*each)(const struct release *f, int64_t *time, struct ccdm_err *err),
		       int64_t *time, struct ccdm_err *err)
{
	char folder[PATH_MAX], path[PATH_MAX];
	const struct dirent *entry;
	struct release f;
	unsigned int found = 0;
	DIR *dir;
	int r = 0;

	if (snprintf(folder, sizeof(folder), "%s/var/lib/apt/lists", root) >= PATH_MAX)
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", root);
	dir = opendir(folder);
	if (!dir)
		return ccdm_err_set(err, -errno, "%s: %s", folder, strerror(errno));
	while (!r && (errno = 0, entry = readdir(dir))) {
		if (!release_is(entry->d_name))
			continue;
		found++;
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= PATH_MAX)
			r = ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", folder);
		if (!r)
			r = release_read(path, &f, err);
		if (!r)
			r = each(&f, time, err);
	}
	if (!r && errno)
		r = ccdm_err_set(err, -errno, "%s: %s", folder, strerror(errno));
	closedir(dir);
	if (!r && !found)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a Release file, found none", folder);
	return r;
}

static int release_newest(const struct release *f, int64_t *newest, struct ccdm_err *err)
{
	(void)err;
	if (f->date > *newest)
		*newest = f->date;
	return 0;
}

int ccdm_base_date(const char *root, int64_t *date, struct ccdm_err *err)
{
	*date = 0;
	return release_all(root, release_newest, date, err);
}

/* "20251201T000000Z" */
static const char *release_stamp(int64_t seconds, char text[32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, 32, "%Y%m%dT%H%M%SZ", &tm))
		text[0] = '\0';
	return text;
}

static int release_of_time(const struct release *f, int64_t *time, struct ccdm_err *err)
{
	bool later = f->date > *time;
	char wanted[32], found[32];

	if (!later && (!f->until || f->until >= *time))
		return 0;
	ccdm_err_hint(err, "choose another --snapshot, or another --server");
	return ccdm_err_set(err, -EHOSTUNREACH,
			    "%s: expected a list that was valid at %s, found one %s %s", f->path,
			    release_stamp(*time, wanted), later ? "of" : "that was valid until",
			    release_stamp(later ? f->date : f->until, found));
}

int ccdm_base_of_time(const char *root, int64_t time, struct ccdm_err *err)
{
	return release_all(root, release_of_time, &time, err);
}
