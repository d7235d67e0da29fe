// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_base.c - ccdm-image base */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/interrupt.h"
#include "base/json.h"
#include "image.h"
#include "image/base.h"
#include "image/base_make.h"

struct base_args {
	struct ccdm_base_ask ask;
	struct ccdm_progress progress;
	char stage[32];
	bool json;
};

enum {
	OPT_SUITE = 256,
	OPT_SNAPSHOT,
	OPT_SERVER,
	OPT_MIRROR,
	OPT_KEYRING,
	OPT_CACHE,
	OPT_SOURCE,
	OPT_LOCK,
	OPT_UPDATE_LOCK,
	OPT_NAME,
	OPT_SVN,
	OPT_PROGRESS_JSON,
};

static const struct ccdm_option base_options[] = {
	{ "output", 'o', 'o', "DIR", "folder of the base; must not exist", "@file", NULL },
	{ "source", 0, OPT_SOURCE, "DIR",
	  "ccdm's sources, which are compiled for the base (default: those of\n"
	  "this program)",
	  "@file", NULL },
	{ "lock", 0, OPT_LOCK, "FILE", "list of the packages, with versions and hashes", "@file",
	  NULL },
	{ "update-lock", 0, OPT_UPDATE_LOCK, NULL,
	  "write the installed packages into FILE; do not compare them with it", NULL, NULL },
	{ "snapshot", 0, OPT_SNAPSHOT, "STAMP",
	  "packages of Debian's archive at that time: 20261130T000000Z", NULL, NULL },
	{ "server", 0, OPT_SERVER, "URL", "server of snapshots (default: " CCDM_BASE_SERVER ")",
	  NULL, NULL },
	{ "mirror", 0, OPT_MIRROR, "URL",
	  "packages of this mirror: http://HOST/debian; security updates are\n"
	  "at URL-security (default: the mirror of this machine's apt)",
	  NULL, NULL },
	{ "keyring", 0, OPT_KEYRING, "FILE", "keys of the archive (default: " CCDM_BASE_KEYRING ")",
	  "@file", NULL },
	{ "cache", 0, OPT_CACHE, "DIR", "keep packages here, and use those of the lock file",
	  "@file", NULL },
	{ "suite", 0, OPT_SUITE, "SUITE", "trixie (the default), bookworm or sid",
	  "trixie bookworm sid", NULL },
	{ "name", 0, OPT_NAME, "NAME", "name of the base (default: SUITE-SVN)", NULL, NULL },
	{ "svn", 0, OPT_SVN, "N", "security version of the base (default: 1)", NULL, NULL },
	{ "progress-json", 0, OPT_PROGRESS_JSON, NULL, "print progress as lines of JSON", NULL,
	  NULL },
	{ "json", 0, 'j', NULL, "print base.json", NULL, NULL },
	{ "quiet", 'q', 'q', NULL, "print no progress", NULL, NULL },
	{ 0 },
};

/* Options whose argument is taken as it is; NULL: another option. */
static const char **base_text(int option, struct ccdm_base_ask *ask)
{
	switch (option) {
	case OPT_SUITE:
		return &ask->source.suite;
	case OPT_SNAPSHOT:
		return &ask->source.snapshot;
	case OPT_SERVER:
		return &ask->source.server;
	case OPT_MIRROR:
		return &ask->source.mirror;
	case OPT_KEYRING:
		return &ask->source.keyring;
	case OPT_CACHE:
		return &ask->source.cache;
	case OPT_SOURCE:
		return &ask->sources;
	case OPT_LOCK:
		return &ask->lock;
	case OPT_NAME:
		return &ask->name;
	case 'o':
		return &ask->output;
	default:
		return NULL;
	}
}

static enum ccdm_exit base_take(int option, void *arg)
{
	struct base_args *a = arg;
	const char **text = base_text(option, &a->ask);

	if (text) {
		*text = optarg;
		return CCDM_EXIT_OK;
	}
	switch (option) {
	case OPT_UPDATE_LOCK:
		a->ask.update_lock = true;
		break;
	case OPT_SVN:
		return ccdm_ui_number(optarg, UINT32_MAX, &a->ask.svn) ? CCDM_EXIT_USAGE
								       : CCDM_EXIT_OK;
	case OPT_PROGRESS_JSON:
		a->progress.json = true;
		break;
	case 'j':
		a->json = true;
		break;
	case 'q':
		a->progress.quiet = true;
		break;
	default:
		return CCDM_EXIT_USAGE;
	}
	return CCDM_EXIT_OK;
}

static bool base_url(const char *text)
{
	return !text || ((!strncmp(text, "http://", 7) || !strncmp(text, "https://", 8) ||
			  !strncmp(text, "file:///", 8)) &&
			 !strpbrk(text, " \t\n[]"));
}

static bool base_name_valid(const char *name)
{
	return !name ||
	       (*name && strlen(name) < CCDM_BASE_NAME_MAX &&
		!name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   "._-")]);
}

/* What is wrong with the options, or NULL. */
static const char *base_wrong(const struct base_args *a)
{
	const struct ccdm_base_source *s = &a->ask.source;
	int64_t date;

	if (!a->ask.output || !a->ask.lock)
		return "expected --output DIR and --lock FILE";
	if (s->snapshot && s->mirror)
		return "expected --snapshot STAMP or --mirror URL, found both";
	if (!ccdm_base_suite(s->suite))
		return "--suite: expected trixie, bookworm or sid";
	if (s->snapshot && ccdm_base_stamp(s->snapshot, &date))
		return "--snapshot: expected a time as 20261130T000000Z";
	if (!base_url(s->mirror) || !base_url(s->server))
		return "--mirror, --server: expected http://HOST/..., https://HOST/... or "
		       "file:///PATH";
	if (!base_name_valid(a->ask.name))
		return "--name: expected 1 to 64 letters, digits, '.', '_' or '-'";
	if (a->json && a->progress.json)
		return "--json and --progress-json both print to standard output";
	return NULL;
}

/* a bar for all stages, since none of them tells how far it is */
static void base_step(void *arg, const char *stage, unsigned int done, unsigned int all)
{
	struct base_args *a = arg;

	snprintf(a->stage, sizeof(a->stage), "%s", stage);
	a->progress.what = a->stage;
	ccdm_ui_progress(&a->progress, done, all);
}

static int base_say(const struct base_args *a, struct ccdm_err *err)
{
	struct ccdm_base base;
	char size[32];
	int r = ccdm_base_open(a->ask.output, &base, err);

	if (!r && a->json) {
		r = ccdm_ui_json(json_incref(base.json), err);
	} else if (!r) {
		ccdm_ui_line("%s: base %s, svn %" PRIu64 ", from %s", a->ask.output, base.name,
			     base.svn, base.source);
		ccdm_ui_line("kernel %s, ccdm %s, %zu packages", base.kernel, base.ccdm,
			     json_array_size(json_object_get(base.json, "packages")));
		ccdm_ui_line("base.img %s, roothash %s",
			     ccdm_ui_human(base.size[CCDM_BASE_IMG], size), base.verity.roothash);
		ccdm_ui_line("initrd %s", ccdm_ui_human(base.size[CCDM_BASE_INITRD], size));
	}
	ccdm_base_close(&base);
	return r;
}

static enum ccdm_exit cmd_base(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct base_args a = { .ask = { .svn = 1,
					.source = { .suite = "trixie",
						    .server = CCDM_BASE_SERVER,
						    .keyring = CCDM_BASE_KEYRING } } };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	const char *what;
	bool over;
	int r;

	e = ccdm_image_options(verb, argc, argv, base_take, &a, &over);
	if (over)
		return e;
	what = base_wrong(&a);
	if (what)
		return ccdm_image_usage(verb, what);
	a.ask.step = base_step;
	a.ask.arg = &a;
	a.progress.quiet |= a.json;
	/* the folders of the base are the same for every caller */
	umask(022);
	r = ccdm_interrupt_watch();
	if (r)
		ccdm_err_text(&err, "cannot watch for signals: %s", strerror(-r));
	if (!r)
		r = ccdm_base_make(&a.ask, &err);
	ccdm_ui_progress_end(&a.progress);
	if (!r)
		r = base_say(&a, &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_image_verb ccdm_verb_base = {
	.verb = { .name = "base",
		  .usage = "--output DIR --lock FILE [--snapshot STAMP | --mirror URL]",
		  .summary = "make a base: a minimal Debian with ccdm, for container images",
		  .text = "It needs root, a network and mmdebstrap. The same snapshot, lock file and sources give\n"
			  "the same bytes.\n",
		  .options = base_options },
	.run = cmd_base,
};
