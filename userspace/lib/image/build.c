// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build.c - see build.h */
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "build.h"
#include "crypto/x509.h"
#include "evidence/manifest.h"
#include "kbs/jws_sign.h"
#include "program.h"

/* The endings that follow the stem of the output's name. */
static const char *const build_endings[CCDM_BUILD_FILES] = {
	[CCDM_BUILD_EFI] = ".efi",
	[CCDM_BUILD_MANIFEST] = ".manifest",
	[CCDM_BUILD_POLICY] = ".policy.yaml",
	[CCDM_BUILD_JSON] = ".json",
};

/* Endings of disks; another one is part of the stem. */
static const char *const build_disks[] = { ".img", ".raw", ".vhd", ".vmdk", ".tar.gz" };

static const char *const build_tools[] = { "mke2fs", "veritysetup", "mkfs.vfat",
					   "mmd",    "mcopy",	    "sbsign" };
static char build_versions[ARRAY_SIZE(build_tools)][32];

void ccdm_build_path(const struct ccdm_build *b, const char *name, char path[PATH_MAX])
{
	/* (the working folder's name is short enough: ccdm_build_begin()) */
	snprintf(path, PATH_MAX, "%s/%s", b->work, name);
}

void ccdm_build_made(const struct ccdm_build *b, enum ccdm_build_file file, char *path)
{
	ccdm_build_path(b, file == CCDM_BUILD_DISK ? "disk" : build_endings[file] + 1, path);
}

void ccdm_build_named(const struct ccdm_build_ask *ask, enum ccdm_build_file file, char *path)
{
	size_t length = strlen(ask->output), i, n;

	if (file == CCDM_BUILD_DISK) {
		snprintf(path, PATH_MAX, "%s", ask->output);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(build_disks); i++) {
		n = strlen(build_disks[i]);
		if (length > n && ask->output[length - n - 1] != '/' &&
		    !strcmp(ask->output + length - n, build_disks[i])) {
			length -= n;
			break;
		}
	}
	snprintf(path, PATH_MAX, "%.*s%s", (int)length, ask->output, build_endings[file]);
}

int ccdm_build_product(struct ccdm_build *b, const char *name, size_t n, struct ccdm_err *err)
{
	const char *end = b->ask->debug ? "-debug" : "";
	size_t most = CCDM_MANIFEST_PRODUCT - strlen(end), i = 0;

	while (i < n && name[i] > ' ' && name[i] <= '~')
		i++;
	if (!n || n > most || i < n) {
		ccdm_err_hint(err, "give another name with --product NAME");
		return ccdm_err_set(err, -EINVAL,
				    "product '%.*s': expected 1 to %zu characters of ASCII without "
				    "blanks%s",
				    (int)(n < 256 ? n : 256), name, most,
				    *end ? ", since --debug adds -debug" : "");
	}
	snprintf(b->product, sizeof(b->product), "%.*s%s", (int)n, name, end);
	return 0;
}

int ccdm_build_step(const struct ccdm_build *b, const char *stage, uint64_t done, uint64_t all,
		    struct ccdm_err *err)
{
	if (b->ask->step)
		b->ask->step(b->ask->arg, stage, done, all);
	return ccdm_interrupt_check(err);
}

/* ---- inputs ----------------------------------------------------------------------------- */

void ccdm_build_input(struct ccdm_build *b, const char *name, const struct ccdm_digest *digest)
{
	if (b->inputs == CCDM_BUILD_INPUTS)
		return;
	b->input[b->inputs].name = name;
	ccdm_hex(digest->bytes, 32, b->input[b->inputs].sha256);
	b->inputs++;
}

int ccdm_build_input_file(struct ccdm_build *b, const char *name, const char *file,
			  struct ccdm_err *err)
{
	struct ccdm_digest digest;
	int r = ccdm_digest_file(CCDM_ALG_SHA256, file, &digest);

	if (r)
		return ccdm_err_set(err, r, "%s: %s", file, strerror(-r));
	ccdm_build_input(b, name, &digest);
	return 0;
}

/* ---- begin ------------------------------------------------------------------------------ */

const char *ccdm_build_tool(unsigned int number, const char **version)
{
	if (number >= ARRAY_SIZE(build_tools))
		return NULL;
	*version = build_versions[number];
	return build_tools[number];
}

/* All programs before any work. */
static int ccdm_build_programs(const struct ccdm_build_ask *ask, struct ccdm_err *err)
{
	struct ccdm_program_found found;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(build_tools); i++) {
		if (!strcmp(build_tools[i], "sbsign") && !ask->secureboot_key)
			continue;
		r = ccdm_program_find(build_tools[i], &found, err);
		memcpy(build_versions[i], found.version, sizeof(build_versions[i]));
	}
	if (!r && ask->kind == CCDM_FORMAT_VMDK)
		r = ccdm_program_find("qemu-img", &found, err);
	return r;
}

/* SOURCE_DATE_EPOCH; the steps set another date if it is not there. */
static int ccdm_build_date(int64_t *date, struct ccdm_err *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end;

	*date = -1;
	if (!text)
		return 0;
	errno = 0;
	*date = strtoll(text, &end, 10);
	/* (FAT knows the years from 1980 to 2107) */
	if (errno || *end || !*text || *date < 315532800 || *date > 4354819199)
		return ccdm_err_set(err, -EINVAL,
				    "SOURCE_DATE_EPOCH: expected seconds since 1970, of a time "
				    "from 1980 to 2107, found '%s'",
				    text);
	return 0;
}

/* The key that is measured as ccdm-signer. */
static int ccdm_build_signer(struct ccdm_build *b, struct ccdm_err *err)
{
	const struct ccdm_build_ask *ask = b->ask;
	struct ccdm_jws_key *key;
	int r;

	if (!ask->signing_key && !ask->signer)
		return 0;
	r = ask->signing_key ? ccdm_jws_key_private(ask->signing_key, &key, err)
			     : ccdm_jws_key_public(ask->signer, &key, err);
	if (r)
		return r;
	r = ccdm_jws_key_pem(key, &b->signer);
	ccdm_jws_key_free(key);
	return r ? ccdm_err_memory(err) : 0;
}

/* The file of the broker's CA: a guest with another file could not reach its broker. */
static int ccdm_build_ca(const char *file, struct ccdm_err *err)
{
	const struct ccdm_cert *first = NULL;
	struct ccdm_certs *certs;
	size_t size;
	char *text;
	int r;

	if (!file)
		return 0;
	r = ccdm_file_read(file, CCDM_BUILD_CA_MAX, &text, &size, err);
	if (r)
		return r;
	certs = ccdm_certs_new();
	r = certs ? ccdm_certs_add(certs, file, text, size, &first, err) : ccdm_err_memory(err);
	if (!r && !first)
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected a CA's certificate in PEM, found no certificate",
				 file);
	ccdm_certs_free(certs);
	free(text);
	return r;
}

int ccdm_build_begin(struct ccdm_build *b, const struct ccdm_build_ask *ask, struct ccdm_err *err)
{
	char to[PATH_MAX];
	int file, r;

	memset(b, 0, sizeof(*b));
	b->ask = ask;
	r = ccdm_build_date(&b->date, err);
	if (!r)
		r = ccdm_build_ca(ask->ca, err);
	if (!r)
		r = ccdm_build_programs(ask, err);
	if (!r)
		r = ccdm_build_signer(b, err);
	if (r)
		return r;
	if (strlen(ask->output) > PATH_MAX - 128)
		return ccdm_err_set(err, -EINVAL, "--output: the path is too long");
	for (file = 0; !r && file < CCDM_BUILD_FILES; file++) {
		ccdm_build_named(ask, (enum ccdm_build_file)file, to);
		r = ccdm_file_replaceable(to, err);
	}
	if (r)
		return r;
	if (asprintf(&b->work, "%s.tmp.XXXXXX", ask->output) < 0) {
		b->work = NULL;
		return ccdm_err_memory(err);
	}
	if (mkdtemp(b->work))
		return 0;
	r = ccdm_err_set(err, -errno, "%s: %s", b->work, strerror(errno));
	free(b->work);
	b->work = NULL;
	return r;
}

/* ---- end -------------------------------------------------------------------------------- */

static void ccdm_build_formatted(void *arg, uint64_t done, uint64_t all)
{
	const struct ccdm_build_ask *ask = arg;

	if (ask->step)
		ask->step(ask->arg, ccdm_format_name(ask->kind), done, all);
}

/* The disk in its format, in its own place. */
static int ccdm_build_format(struct ccdm_build *b, struct ccdm_err *err)
{
	const struct ccdm_format_progress progress = { .step = ccdm_build_formatted,
						       .arg = (void *)b->ask };
	char from[PATH_MAX], to[PATH_MAX];
	int r;

	if (b->ask->kind == CCDM_FORMAT_RAW)
		return 0;
	ccdm_build_made(b, CCDM_BUILD_DISK, from);
	ccdm_build_path(b, "formatted", to);
	r = ccdm_format_write(b->ask->kind, from, to, b->date, &progress, err);
	if (!r && rename(to, from))
		r = ccdm_err_set(err, -errno, "%s: %s", from, strerror(errno));
	return r;
}

int ccdm_build_place(struct ccdm_build *b, struct ccdm_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	int file, placed = CCDM_BUILD_FILES, r = ccdm_build_format(b, err);

	if (r)
		return r;
	/* rename the disk last: once it is there, all files are there */
	for (file = CCDM_BUILD_FILES - 1; !r && file >= 0; file--) {
		if (!b->there[file])
			continue;
		ccdm_build_made(b, file, from);
		ccdm_build_named(b->ask, file, to);
		r = ccdm_interrupt_check(err);
		if (r)
			break;
		r = ccdm_file_rename(from, to);
		if (r != -EEXIST)
			placed = file;
		if (r)
			r = ccdm_err_set(err, r, "%s: %s", to, strerror(-r));
	}
	/* (a file of another build that was replaced is lost) */
	for (file = placed; r && file < CCDM_BUILD_FILES; file++) {
		ccdm_build_named(b->ask, file, to);
		if (b->there[file])
			unlink(to);
	}
	return r;
}

static int ccdm_build_remove(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	remove(path);
	return 0;
}

void ccdm_build_end(struct ccdm_build *b)
{
	if (b->work)
		nftw(b->work, ccdm_build_remove, 16, FTW_DEPTH | FTW_PHYS);
	if (b->from)
		ccdm_base_close(b->from);
	free(b->from);
	ccdm_workload_drop(&b->workload);
	json_decref(b->said);
	free(b->work);
	free(b->signer);
	free(b->own_conf);
	free(b->conf);
	b->work = NULL;
	b->own_conf = NULL;
	b->conf = NULL;
}
