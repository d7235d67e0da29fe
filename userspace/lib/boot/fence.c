// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fence.c - see fence.h */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "fence.h"

#define CCDM_FENCE_BLANKS  " \t\n"
/* the variable that systemd reads, with systemd's vendor UUID */
#define CCDM_FENCE_OPTIONS "SystemdOptions-8cf2644b-4b0b-428f-9387-6d876050dc67"

/* a variable that systemd's stub sets */
#define CCDM_FENCE_STUB	  "StubInfo-"
#define CCDM_FENCE_INITRD "initrd=initrd"

/* A variable of its own: two adjacent literals in a list look like a missing comma. */
static const char ccdm_fence_root[] = "root=" CCDM_ROOT_PATH;

/*
 * Words that each command line must have; most of them close a channel of the host (ccdm.conf(5)).
 */
static const char *const ccdm_fence_words[] = {
	ccdm_fence_root,
	"rw",
	"systemd.import_credentials=no",
	"systemd.gpt_auto=no",
	"systemd.ssh_auto=no",
	"nohibernate",
	"noresume",
	NULL,
};

/* Find the next word. Return: its length; 0 at the end. */
static size_t ccdm_fence_next(const char **at)
{
	*at += strspn(*at, CCDM_FENCE_BLANKS);
	return strcspn(*at, CCDM_FENCE_BLANKS);
}

static bool ccdm_fence_has(const char *line, const char *word)
{
	size_t n, len = strlen(word);

	for (; (n = ccdm_fence_next(&line)); line += n)
		if (n == len && !strncmp(line, word, n))
			return true;
	return false;
}

/*
 * Does @line have each word that each command line must have? @missing: the first one that it
 * lacks.
 */
static bool __must_check ccdm_fence_has_all(const struct ccdm_config *config, const char *line,
					    const char **missing)
{
	/*
	 * a machine that reboots after a failure may also reboot after a panic; any other one must
	 * halt
	 */
	const char *panic = config->on_failure == CCDM_FAILURE_REBOOT ? "panic=60" : "panic=0";
	size_t i;

	for (i = 0; ccdm_fence_words[i]; i++)
		if (!ccdm_fence_has(line, ccdm_fence_words[i]))
			break;
	*missing = ccdm_fence_words[i] ? ccdm_fence_words[i] : panic;
	return !ccdm_fence_words[i] && ccdm_fence_has(line, panic);
}

int ccdm_fence_expected(const char *file, const struct ccdm_config *config, struct ccdm_err *err)
{
	const char *word;

	if (ccdm_fence_has_all(config, config->cmdline, &word))
		return 0;
	return ccdm_err_set(err, -EINVAL, "%s: cmdline has no '%s'", file, word);
}

bool ccdm_fence_direct(const char *root)
{
	char path[256];
	struct dirent *entry;
	bool any = false, stub = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/firmware/efi/efivars", root);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		any |= entry->d_name[0] != '.';
		stub |= !strncmp(entry->d_name, CCDM_FENCE_STUB, strlen(CCDM_FENCE_STUB));
	}
	if (dir)
		closedir(dir);
	return any && !stub;
}

/* Is this the word that OVMF appends? It must be the last one. */
static bool ccdm_fence_is_initrd(const char *found, size_t n)
{
	const char *next = found + n;

	return n == strlen(CCDM_FENCE_INITRD) && !strncmp(found, CCDM_FENCE_INITRD, n) &&
	       !ccdm_fence_next(&next);
}

int ccdm_fence_cmdline(const struct ccdm_config *config, const char *found, bool direct,
		       struct ccdm_err *err)
{
	const char *want = config->cmdline, *word;
	unsigned int place = 1;
	size_t n, m;

	if (!config->strict) {
		if (ccdm_fence_has_all(config, found, &word))
			return 0;
		return ccdm_err_set(err, -ECANCELED, "the command line has no '%s'", word);
	}
	for (;; place++, want += n, found += m) {
		n = ccdm_fence_next(&want);
		m = ccdm_fence_next(&found);
		if (!n && (!m || (direct && ccdm_fence_is_initrd(found, m))))
			return 0;
		if (n != m || strncmp(want, found, n))
			break;
	}
	if (!n)
		return ccdm_err_set(err, -ECANCELED,
				    "word %u of the command line: expected no word, found '%.*s'",
				    place, (int)m, found);
	if (!m)
		return ccdm_err_set(err, -ECANCELED,
				    "word %u of the command line: expected '%.*s', found none",
				    place, (int)n, want);
	return ccdm_err_set(err, -ECANCELED,
			    "word %u of the command line: expected '%.*s', found '%.*s'", place,
			    (int)n, want, (int)m, found);
}

int ccdm_fence_options(const char *root, struct ccdm_err *err)
{
	char path[256], *text;
	size_t size;

	snprintf(path, sizeof(path), "%s/run/systemd/efivars/" CCDM_FENCE_OPTIONS, root);
	if (access(path, F_OK))
		return 0;
	if (ccdm_file_read(path, 1 << 16, &text, &size, err))
		return -ECANCELED;
	ccdm_err_set(err, -ECANCELED, "expected no firmware variable SystemdOptions, found '%.*s'",
		     (int)strcspn(text, "\n"), text);
	free(text);
	return -ECANCELED;
}

/* Files that systemd's stub puts into /.extra from the UKI's own sections, which are measured. */
static const char *const ccdm_fence_own[] = { "tpm2-pcr-signature.json", "tpm2-pcr-public-key.pem",
					      "os-release", "profile", NULL };

static int ccdm_fence_folder(const char *root, const char *path, const char *const *allowed,
			     struct ccdm_err *err)
{
	struct dirent *entry;
	char folder[256];
	DIR *dir;
	int i, r = 0;

	snprintf(folder, sizeof(folder), "%s%s", root, path);
	dir = opendir(folder);
	if (!dir)
		return errno == ENOENT ? 0
				       : ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	while (!r && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		for (i = 0; allowed && allowed[i]; i++)
			if (!strcmp(entry->d_name, allowed[i]))
				break;
		if (!allowed || !allowed[i])
			r = ccdm_err_set(err, -ECANCELED,
					 "found %s/%s, which is not from the image", path,
					 entry->d_name);
	}
	closedir(dir);
	return r;
}

int ccdm_fence_files(const char *root, struct ccdm_err *err)
{
	int r = ccdm_fence_folder(root, "/.extra", ccdm_fence_own, err);

	if (!r)
		r = ccdm_fence_folder(root, "/run/credentials/@system", NULL, err);
	if (!r)
		r = ccdm_fence_folder(root, "/run/credentials/@encrypted", NULL, err);
	return r;
}
