// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_fetch.c - see base_fetch.h */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base_fetch.h"
#include "program.h"

#define FETCH_ARGS  40
#define FETCH_TEXTS 24

/* Packages that need not be fetched. (apt only looks at the size of a .deb that is there.) */
static const char fetch_before[] =
	"--setup-hook=mkdir -p \"$1/var/cache/apt/archives\"; if [ -d \"$CCDM_BASE_HAVE\" ]; then "
	"find \"$CCDM_BASE_HAVE\" -name '*.deb' -exec cp -l -t \"$1/var/cache/apt/archives\" {} +; "
	"fi";
static const char fetch_after[] =
	"--customize-hook=if [ -n \"$CCDM_BASE_CACHE\" ]; then find \"$1/var/cache/apt/archives\" "
	"-maxdepth 1 -name '*.deb' -exec cp -n -t \"$CCDM_BASE_CACHE\" {} +; fi";

/* A folder that everybody may enter takes the place of the closed one around it. */
static const char fetch_open[] =
	"mount --bind \"$1/" CCDM_BASE_OPEN "\" \"$1\" && shift && exec \"$@\"";

static const struct {
	const char *name;
	bool pockets; /* -updates and -security */
} fetch_suites[] = { { "trixie", true }, { "bookworm", true }, { "sid", false } };

bool ccdm_base_suite(const char *suite)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fetch_suites); i++)
		if (!strcmp(fetch_suites[i].name, suite))
			return true;
	return false;
}

int ccdm_base_stamp(const char *stamp, int64_t *date)
{
	struct tm tm = { 0 };
	char again[32];
	const char *end = strptime(stamp, "%Y%m%dT%H%M%SZ", &tm);

	/* (strptime() takes fewer digits, too) */
	if (!end || *end || strlen(stamp) != 16)
		return -EINVAL;
	*date = timegm(&tm);
	if (!strftime(again, sizeof(again), "%Y%m%dT%H%M%SZ", &tm) || strcmp(again, stamp) ||
	    *date <= 0)
		return -EINVAL;
	return 0;
}

/* The words of a command line, some of which are made here. */
struct fetch_line {
	const char *arg[FETCH_ARGS];
	unsigned int args;
	char *text[FETCH_TEXTS];
	unsigned int texts;
	bool lost;
};

static void fetch_word(struct fetch_line *line, const char *word)
{
	if (word && line->args < FETCH_ARGS - 1)
		line->arg[line->args++] = word;
	else
		line->lost = true;
}

static void __attribute__((format(printf, 2, 3)))
fetch_format(struct fetch_line *line, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (line->texts == FETCH_TEXTS || vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		line->text[line->texts++] = text;
	fetch_word(line, text);
}

static bool fetch_has_pockets(const char *suite)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fetch_suites); i++)
		if (!strcmp(fetch_suites[i].name, suite))
			return fetch_suites[i].pockets;
	return false;
}

static void fetch_sources(struct fetch_line *line, const struct ccdm_base_source *s)
{
	char *archive, *security;

	/* full addresses for each pocket: apt's option Snapshot falls back to the newest packages */
	if (s->snapshot) {
		if (asprintf(&archive, "%s/debian/%s", s->server, s->snapshot) < 0)
			archive = NULL;
		if (asprintf(&security, "%s/debian-security/%s", s->server, s->snapshot) < 0)
			security = NULL;
	} else {
		/* (apt does not copy packages of file:///, and they are hashed and kept) */
		bool file = !strncmp(s->mirror, "file:", 5);
		const char *method = file ? "copy" : "", *from = s->mirror + (file ? 4 : 0);

		if (asprintf(&archive, "%s%s", method, from) < 0)
			archive = NULL;
		if (asprintf(&security, "%s%s-security", method, from) < 0)
			security = NULL;
	}
	if (archive && security) {
		fetch_format(line, "deb %s %s main", archive, s->suite);
		if (fetch_has_pockets(s->suite)) {
			fetch_format(line, "deb %s %s-updates main", archive, s->suite);
			fetch_format(line, "deb %s %s-security main", security, s->suite);
		}
	} else {
		line->lost = true;
	}
	free(archive);
	free(security);
}

/* The first line that begins with "E: ", or NULL. Then come errors that follow from that one. */
static const char *fetch_first(const char *messages)
{
	const char *line = messages;

	while (line && strncmp(line, "E: ", 3)) {
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	return line;
}

/* What apt and mmdebstrap call errors. Failures of the network are known by their words. */
static int fetch_why(int r, const struct ccdm_base_source *source, const char *messages,
		     struct ccdm_err *err)
{
	static const char *const words[] = { "Failed to fetch",
					     "Unable to connect",
					     "Could not resolve",
					     "apt-get update",
					     "NO_PUBKEY",
					     "is not signed",
					     "does not have a Release file" };
	char text[sizeof(err->text)];
	const char *first;
	size_t i;

	/* (apt warns that it was denied permission, and goes on) */
	if (r != -EIO && r != -EACCES)
		return r;
	r = -EIO;
	first = fetch_first(messages);
	if (first)
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(first, "\n"), first);
	else
		snprintf(text, sizeof(text), "%s", err->text);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(first ? first : text, words[i]))
			r = -EHOSTUNREACH;
	return ccdm_err_set(err, r, "packages of %s: %s", source->suite, text);
}

/* (apt takes a folder of keys as another setting, and would then trust this machine's file of keys) */
static int fetch_keyring(const struct ccdm_base_source *source, char keyring[PATH_MAX],
			 struct ccdm_err *err)
{
	struct stat st;

	if (!realpath(source->keyring, keyring) || stat(keyring, &st))
		return ccdm_err_set(err, -errno, "%s: %s", source->keyring, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return ccdm_err_set(err, -EINVAL, "%s: expected a file with keys, found a folder",
				    source->keyring);
	return 0;
}

int ccdm_base_fetch(const struct ccdm_base_source *source, const char *packages, const char *closed,
		    const char *name, int64_t date, struct ccdm_err *err)
{
	/* --keyring takes the place of apt's file of keys, but not of its folder of keys */
	static const char *const fixed[] = { "--mode=root",
					     "--variant=essential",
					     "--format=directory",
					     "--skip=cleanup/apt,download/empty,essential/unlink",
					     "--architectures=amd64",
					     "--aptopt=APT::Install-Recommends \"false\"",
					     "--aptopt=Dir::Etc::TrustedParts \"/nonexistent\"",
					     "--dpkgopt=path-exclude=/usr/share/man/*",
					     "--dpkgopt=path-exclude=/usr/share/locale/*",
					     "--dpkgopt=path-exclude=/usr/share/doc/*" };
	struct ccdm_program_found unshare, mmdebstrap;
	struct fetch_line line = { 0 };
	char messages[CCDM_PROGRAM_MESSAGES + 1] = "";
	char epoch[48], cache[PATH_MAX + 32], have[PATH_MAX + 32], folder[PATH_MAX] = "",
								   keyring[PATH_MAX];
	const char *const env[] = {
		epoch, cache, have, "INITRD=No", "DEBIAN_FRONTEND=noninteractive", NULL
	};
	unsigned int i;
	int r = ccdm_program_find("unshare", &unshare, err);

	if (!r)
		r = ccdm_program_find("mmdebstrap", &mmdebstrap, err);
	if (r)
		return r;
	/* (hooks and apt see absolute paths) */
	if (source->cache && !realpath(source->cache, folder))
		return ccdm_err_set(err, -errno, "%s: %s", source->cache, strerror(errno));
	r = fetch_keyring(source, keyring, err);
	if (r)
		return r;
	snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%" PRId64, date);
	snprintf(cache, sizeof(cache), "CCDM_BASE_CACHE=%s", folder);
	snprintf(have, sizeof(have), "CCDM_BASE_HAVE=%s/" CCDM_BASE_HAVE, closed);
	/* its mounts and processes end with it, whatever ends it */
	fetch_word(&line, unshare.path);
	fetch_word(&line, "--mount");
	fetch_word(&line, "--pid");
	fetch_word(&line, "--fork");
	fetch_word(&line, "--kill-child");
	fetch_word(&line, "--mount-proc");
	fetch_word(&line, "--");
	fetch_word(&line, "/bin/sh");
	fetch_word(&line, "-c");
	fetch_word(&line, fetch_open);
	fetch_word(&line, "sh");
	fetch_word(&line, closed);
	fetch_word(&line, mmdebstrap.path);
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		fetch_word(&line, fixed[i]);
	if (!source->mirror || strncmp(source->mirror, "file:", 5))
		fetch_word(&line, "--aptopt=Acquire::Retries \"3\"");
	/* a snapshot stays valid */
	if (source->snapshot)
		fetch_word(&line, "--aptopt=Acquire::Check-Valid-Until \"false\"");
	fetch_word(&line, fetch_before);
	fetch_word(&line, fetch_after);
	fetch_format(&line, "--keyring=%s", keyring);
	fetch_format(&line, "--include=%s", packages);
	fetch_word(&line, source->suite);
	fetch_format(&line, "%s/%s", closed, name);
	fetch_sources(&line, source);
	r = line.lost ? ccdm_err_memory(err)
		      : ccdm_program_run_messages(line.arg, env, messages, err);
	for (i = 0; i < line.texts; i++)
		free(line.text[i]);
	return fetch_why(r, source, messages, err);
}
