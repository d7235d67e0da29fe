// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_make.c - see base_make.h */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base_cache.h"
#include "base_make.h"
#include "base_packages.h"
#include "base_pack.h"
#include "base_release.h"
#include "base_root.h"
#include "base_sources.h"
#include "lock.h"
#include "program.h"
#include "remove_tree.h"

#define STAGES 7

/*
 * A base that is being made.
 * @source, @sources: of the question, with their defaults
 * @mirror: of this machine, or NULL
 * @closed: OUTPUT.tmp: no other user may enter it, since programs in it are setuid, and folders in it
 *	are for everybody to write to
 * @work: the folder in it, with build/ (the root that builds), root/ (the base) and out/ (its files)
 */
struct base_make {
	const struct ccdm_base_ask *ask;
	struct ccdm_base_source source;
	struct ccdm_lock lock, found;
	char sources[PATH_MAX];
	char *mirror;
	char closed[PATH_MAX - 128];
	char work[PATH_MAX - 64];
	char build[PATH_MAX];
	char root[PATH_MAX];
	char out[PATH_MAX];
	char name[CCDM_BASE_NAME_MAX];
	char sources_hash[65];
	int64_t date;
	bool mine; /* the closed folder is ours to remove */
	struct ccdm_err *err;
};

static int base_stage(struct base_make *m, const char *name, unsigned int done)
{
	if (m->ask->step)
		m->ask->step(m->ask->arg, name, done, STAGES);
	return ccdm_interrupt_check(m->err);
}

/* ---- the work folder --------------------------------------------------------------------- */

/*
 * Mounts are in namespaces of the steps; a mount that is here nevertheless is not entered. An
 * interrupted step leaves its first process to this one (base_begin()). With that process all others
 * of the step have ended, and nothing writes into the folder any more.
 */
static void base_remove(const char *path)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	ccdm_remove_tree(path);
}

static int base_folder(const char *path, struct ccdm_err *err)
{
	return mkdir(path, 0755) ? ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

static int base_programs(struct base_make *m)
{
	static const char *const programs[] = { "unshare", "mmdebstrap", "mke2fs", "veritysetup" };
	struct ccdm_program_found found;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(programs); i++)
		r = ccdm_program_find(programs[i], &found, m->err);
	return r;
}

/* The folder of the lock file, if the lock file is written. */
static int base_check_lock(struct base_make *m)
{
	char lock[PATH_MAX], *slash;

	if (snprintf(lock, sizeof(lock), "%s", m->ask->lock) >= PATH_MAX)
		return ccdm_err_set(m->err, -ENAMETOOLONG, "%s: the path is too long",
				    m->ask->lock);
	slash = strrchr(lock, '/');
	if (slash) {
		slash[1] = '\0';
		if (access(lock, W_OK))
			return ccdm_err_set(m->err, -errno, "%s: %s", lock, strerror(errno));
	}
	return 0;
}

/* What a later stage needs is missed now, and not after minutes. */
static int base_check(struct base_make *m)
{
	if (geteuid()) {
		ccdm_err_hint(m->err, "run ccdm-image base as root; build needs no root");
		return ccdm_err_set(m->err, -EPERM,
				    "expected root: packages are installed in a chroot");
	}
	if (!access(m->ask->output, F_OK)) {
		ccdm_err_hint(m->err, "remove it, or choose another --output");
		return ccdm_err_set(m->err, -EEXIST, "%s: it exists", m->ask->output);
	}
	return m->ask->update_lock ? base_check_lock(m) : 0;
}

static int base_begin(struct base_make *m)
{
	const struct ccdm_base_ask *ask = m->ask;
	char *real;
	int r;

	/* (the steps see absolute paths alone) */
	r = snprintf(m->closed, sizeof(m->closed), "%s.tmp", ask->output);
	if (r >= (int)sizeof(m->closed))
		return ccdm_err_set(m->err, -ENAMETOOLONG, "%s: the path is too long", ask->output);
	if (mkdir(m->closed, 0700)) {
		r = -errno;
		if (r == -EEXIST)
			ccdm_err_hint(m->err, "if no other run uses it, remove it");
		return ccdm_err_set(m->err, r, "%s: %s", m->closed, strerror(-r));
	}
	m->mine = true;
	real = realpath(m->closed, NULL);
	if (!real)
		return ccdm_err_set(m->err, -errno, "%s: %s", m->closed, strerror(errno));
	r = snprintf(m->closed, sizeof(m->closed), "%s", real);
	free(real);
	if (r >= (int)sizeof(m->closed))
		return ccdm_err_set(m->err, -ENAMETOOLONG, "%s: the path is too long", ask->output);
	snprintf(m->work, sizeof(m->work), "%s/" CCDM_BASE_OPEN, m->closed);
	r = base_folder(m->work, m->err);
	if (r)
		return r;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return ccdm_err_set(m->err, -errno,
				    "cannot become the parent of orphaned processes: %s",
				    strerror(errno));
	snprintf(m->build, sizeof(m->build), "%s/build", m->work);
	snprintf(m->root, sizeof(m->root), "%s/root", m->work);
	snprintf(m->out, sizeof(m->out), "%s/out", m->work);
	if (ask->name)
		snprintf(m->name, sizeof(m->name), "%s", ask->name);
	else
		snprintf(m->name, sizeof(m->name), "%s-%u", ask->source.suite,
			 (unsigned int)ask->svn);
	return base_folder(m->out, m->err);
}

/* ---- packages ------------------------------------------------------------------------------ */

static int base_read_lock(struct base_make *m)
{
	char *text = NULL;
	size_t size;
	int r = ccdm_file_read(m->ask->lock, CCDM_LOCK_MAX, &text, &size, m->err);

	if (r == -ENOENT)
		ccdm_err_hint(m->err, "--update-lock writes it");
	if (!r)
		r = ccdm_lock_parse(m->ask->lock, text, size, &m->lock, m->err);
	free(text);
	if (!r && strcmp(m->lock.suite, m->ask->source.suite)) {
		ccdm_err_hint(m->err, "each suite has a lock file of its own");
		r = ccdm_err_set(m->err, -EINVAL, "%s: expected suite %s, found %s", m->ask->lock,
				 m->ask->source.suite, m->lock.suite);
	}
	return r;
}

/* Packages of the cache that the lock file names. Without it, nothing says which hash is the right one. */
static int base_have(struct base_make *m)
{
	char have[PATH_MAX];

	if (!m->source.cache || m->ask->update_lock)
		return 0;
	snprintf(have, sizeof(have), "%s/" CCDM_BASE_HAVE, m->work);
	return ccdm_base_cache(m->source.cache, &m->lock, have, m->err);
}

/*
 * A lock file is written of what the server gave. Therefore its lists must be of the snapshot's time:
 * old ones are signed, too. (A lock file that is read names each package.)
 */
static int base_of_time(struct base_make *m, const char *root)
{
	int64_t time;
	int r;

	if (!m->source.snapshot || !m->ask->update_lock)
		return 0;
	r = ccdm_base_stamp(m->source.snapshot, &time);
	return r ? r : ccdm_base_of_time(root, time, m->err);
}

/* The date of the base: of the lock file, of the snapshot, or of the repositories. */
static int base_set_date(struct base_make *m)
{
	int r = 0;

	if (!m->ask->update_lock)
		m->date = m->lock.date;
	else if (m->ask->source.snapshot)
		r = ccdm_base_stamp(m->ask->source.snapshot, &m->date);
	else
		r = ccdm_base_date(m->build, &m->date, m->err);
	m->found.date = m->date;
	return r;
}

static int base_roots(struct base_make *m)
{
	char *build = NULL, *base = NULL;
	int r = ccdm_base_sources_words(m->sources, "packages", &base, m->err);

	if (!r)
		r = ccdm_base_sources_words(m->sources, "packages", &build, m->err);
	if (!r)
		r = ccdm_base_sources_words(m->sources, "tools", &build, m->err);
	if (!r)
		r = ccdm_base_sources_needs(m->sources, &build, m->err);
	if (!r)
		r = base_stage(m, "build root", 0);
	if (!r)
		r = base_have(m);
	/* (no time in this root matters) */
	if (!r)
		r = ccdm_base_fetch(&m->source, build, m->closed, "build", 1, m->err);
	if (!r)
		r = base_of_time(m, m->build);
	if (!r)
		r = base_set_date(m);
	if (!r)
		r = base_stage(m, "base root", 1);
	if (!r)
		r = ccdm_base_fetch(&m->source, base, m->closed, "root", m->date, m->err);
	if (!r)
		r = base_of_time(m, m->root);
	free(build);
	free(base);
	return r;
}

static int base_lock(struct base_make *m)
{
	int r = ccdm_base_packages(m->build, &m->found, m->err);

	if (!r)
		r = ccdm_base_packages(m->root, &m->found, m->err);
	if (!r)
		r = ccdm_lock_sort(&m->found, m->err);
	if (!r && !m->ask->update_lock)
		r = ccdm_lock_compare(m->ask->lock, &m->lock, &m->found, m->err);
	return r;
}

static int base_write_lock(struct base_make *m)
{
	char *text = ccdm_lock_text(&m->found);
	int r;

	if (!text)
		return ccdm_err_memory(m->err);
	r = ccdm_file_write(m->ask->lock, text, strlen(text), 0644, m->err);
	free(text);
	return r;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int base_steps(struct base_make *m)
{
	static const struct {
		const char *stage;
		const char *step;
	} steps[] = { { "ccdm", "product" }, { "initrd", "initrd" }, { "base", "root" } };
	unsigned int i;
	char copy[PATH_MAX + 16];
	int r;

	snprintf(copy, sizeof(copy), "%s/build/ccdm", m->build);
	r = ccdm_base_sources_copy(m->sources, copy, m->err);
	if (!r)
		r = ccdm_base_sources_digest(copy, m->sources_hash, m->err);
	for (i = 0; !r && i < ARRAY_SIZE(steps); i++) {
		r = base_stage(m, steps[i].stage, 3 + i);
		if (!r)
			r = ccdm_base_step(m->build, m->work, m->date, steps[i].step, m->err);
	}
	return r;
}

static int base_files(struct base_make *m)
{
	const struct ccdm_base_source *source = &m->source;
	char from[64];
	struct ccdm_base_pack pack = { .work = m->work,
				       .build = m->build,
				       .out = m->out,
				       .name = m->name,
				       .svn = m->ask->svn,
				       .date = m->date,
				       .suite = source->suite,
				       .source = from,
				       .sources = m->sources_hash,
				       .packages = ccdm_lock_json(&m->found) };
	int r = pack.packages ? base_stage(m, "files", 6) : ccdm_err_memory(m->err);

	if (source->snapshot)
		snprintf(from, sizeof(from), "snapshot %s", source->snapshot);
	else
		snprintf(from, sizeof(from), "mirror");
	if (!r)
		r = ccdm_base_pack(&pack, m->err);
	json_decref(pack.packages);
	if (!r)
		r = base_stage(m, "files", STAGES);
	if (!r && m->ask->update_lock)
		r = base_write_lock(m);
	if (!r && rename(m->out, m->ask->output))
		r = ccdm_err_set(m->err, -errno, "%s: %s", m->ask->output, strerror(errno));
	return r;
}

/* What the caller left open. */
static int base_defaults(struct base_make *m)
{
	const struct ccdm_base_ask *ask = m->ask;
	int r = ccdm_base_sources_find(ask->sources, m->sources, m->err);

	m->source = ask->source;
	snprintf(m->found.suite, sizeof(m->found.suite), "%s", ask->source.suite);
	if (!r && !ask->source.snapshot && !ask->source.mirror) {
		r = ccdm_base_sources_mirror(m->sources, &m->mirror, m->err);
		m->source.mirror = m->mirror;
	}
	return r;
}

int ccdm_base_make(const struct ccdm_base_ask *ask, struct ccdm_err *err)
{
	struct base_make m = { .ask = ask, .err = err };
	int r = base_check(&m);

	if (!r && !ask->update_lock)
		r = base_read_lock(&m);
	if (!r)
		r = base_programs(&m);
	if (!r)
		r = base_defaults(&m);
	if (!r)
		r = base_begin(&m);
	if (!r)
		r = base_roots(&m);
	if (!r)
		r = base_stage(&m, "lock", 2);
	if (!r)
		r = base_lock(&m);
	if (!r)
		r = base_steps(&m);
	if (!r)
		r = base_files(&m);
	ccdm_lock_free(&m.lock);
	ccdm_lock_free(&m.found);
	free(m.mirror);
	if (m.mine)
		base_remove(m.closed);
	return r;
}
