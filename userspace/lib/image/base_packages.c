// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_packages.c - see base_packages.h */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "base/file.h"
#include "base_packages.h"
#include "crypto/digest.h"

#define STATUS_MAX ((size_t)64 << 20)

/* A paragraph of dpkg's status file, as far as it was read. */
struct packages_state {
	const char *root;
	struct ccdm_lock *found;
	struct ccdm_package package;
	char status[64];
};

/* (the colon of an epoch is "%3a") */
int ccdm_base_deb(const char *folder, const struct ccdm_package *package, char path[PATH_MAX])
{
	char version[3 * sizeof(package->version)], *to = version;
	const char *from;

	for (from = package->version; *from; from++) {
		if (*from == ':')
			to = stpcpy(to, "%3a");
		else
			*to++ = *from;
	}
	*to = '\0';
	return snprintf(path, PATH_MAX, "%s/%s_%s_%s.deb", folder, package->name, version,
			package->arch) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

/* The paragraph has ended. */
static int packages_take(struct packages_state *s, struct ccdm_err *err)
{
	struct ccdm_package *p = &s->package;
	struct ccdm_digest digest;
	char folder[PATH_MAX], path[PATH_MAX];
	int r;

	if (!p->name[0] && !s->status[0])
		return 0;
	if (strcmp(s->status, "install ok installed"))
		return ccdm_err_set(err, -EINVAL, "package %s: expected it installed, found '%s'",
				    p->name, s->status);
	if (!p->name[0] || !p->version[0] || !p->arch[0])
		return ccdm_err_set(err, -EINVAL,
				    "%s/var/lib/dpkg/status: expected Package, Version and "
				    "Architecture of each package",
				    s->root);
	if (snprintf(folder, sizeof(folder), "%s/var/cache/apt/archives", s->root) >= PATH_MAX)
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", s->root);
	r = ccdm_base_deb(folder, p, path);
	if (!r)
		r = ccdm_digest_file(CCDM_ALG_SHA256, path, &digest);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
	ccdm_hex(digest.bytes, digest.size, p->sha256);
	r = ccdm_lock_add(s->found, p, err);
	memset(p, 0, sizeof(*p));
	s->status[0] = '\0';
	return r;
}

/* "Name: value" into @to, if the line has that name. */
static int packages_field(const char *line, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);

	if (strncmp(line, name, n) || line[n] != ':')
		return 0;
	line += n + 1;
	line += strspn(line, " ");
	if (strlen(line) >= size)
		return -EINVAL;
	memcpy(to, line, strlen(line) + 1);
	return 0;
}

static int packages_line(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	struct packages_state *s = arg;
	struct ccdm_package *p = &s->package;
	int r;

	if (!line[0])
		return packages_take(s, err);
	r = packages_field(line, "Package", p->name, sizeof(p->name));
	if (!r)
		r = packages_field(line, "Version", p->version, sizeof(p->version));
	if (!r)
		r = packages_field(line, "Architecture", p->arch, sizeof(p->arch));
	if (!r)
		r = packages_field(line, "Status", s->status, sizeof(s->status));
	return r ? ccdm_err_set(err, r, "%s/var/lib/dpkg/status: line %u is too long", s->root,
				number)
		 : 0;
}

int ccdm_base_packages(const char *root, struct ccdm_lock *found, struct ccdm_err *err)
{
	struct packages_state s = { .root = root, .found = found };
	char path[PATH_MAX], *text = NULL;
	size_t size;
	int r;

	if (snprintf(path, sizeof(path), "%s/var/lib/dpkg/status", root) >= PATH_MAX)
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", root);
	r = ccdm_file_read(path, STATUS_MAX, &text, &size, err);
	if (!r)
		r = ccdm_file_lines(path, text, size, STATUS_MAX, packages_line, &s, err);
	if (!r)
		r = packages_take(&s, err);
	free(text);
	return r;
}
