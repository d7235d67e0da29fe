// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_scrub.c - ccdm-setup scrub NAME */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ccdm_format.h"
#include "setup.h"

struct scrub_args {
	bool detach;
	bool stop;
	struct ccdm_progress progress;
};

static const struct ccdm_option scrub_options[] = {
	{ "detach", 0, 'd', NULL, "start the scrub and return", NULL, NULL },
	{ "stop", 0, 's', NULL, "stop a running scrub", NULL, NULL },
	{ "progress-json", 0, 'j', NULL, "print progress as lines of JSON", NULL, NULL },
	{ "quiet", 'q', 'q', NULL, "print no progress", NULL, NULL },
	{ 0 },
};

static volatile sig_atomic_t scrub_interrupted;

static void scrub_signal(int sig)
{
	(void)sig;
	scrub_interrupted = 1;
}

static enum ccdm_exit scrub_take(int option, void *arg)
{
	struct scrub_args *a = arg;

	switch (option) {
	case 'd':
		a->detach = true;
		break;
	case 's':
		a->stop = true;
		break;
	case 'j':
		a->progress.json = true;
		break;
	case 'q':
		a->progress.quiet = true;
		break;
	default:
		return CCDM_EXIT_USAGE;
	}
	return CCDM_EXIT_OK;
}

static uint64_t scrub_errors(const struct ccdm_dm_info *info)
{
	return ccdm_dm_number(info->status, "data_errors") +
	       ccdm_dm_number(info->status, "node_errors");
}

/* The result: 0, -EIO after errors, -EBADMSG after tamper, -EINTR if some blocks were not read. */
static int scrub_verdict(const struct ccdm_dm_info *before, const struct ccdm_dm_info *info,
			 struct ccdm_err *err)
{
	uint64_t errors = scrub_errors(info) - scrub_errors(before);
	char state[16];

	/* A mapping that does not report its state may hide that it is "tampered". */
	if (!ccdm_dm_word(info->status, "state", state, sizeof(state)) ||
	    !strcmp(state, "tampered")) {
		ccdm_err_hint(
			err, "the device did not return what was last written; see the kernel log");
		return ccdm_err_set(err, -EBADMSG, "%s: tamper", info->name);
	}
	if (errors)
		return ccdm_err_set(err, -EIO, "%s: %" PRIu64 " device errors", info->name, errors);
	if (ccdm_dm_number(info->status, "scrubs") == ccdm_dm_number(before->status, "scrubs")) {
		ccdm_err_hint(
			err,
			"scrub --stop, a suspended mapping or a lack of memory ends a scrub; see "
			"the kernel log");
		return ccdm_err_set(err, -EINTR, "%s: the scrub ended before it read everything",
				    info->name);
	}
	return 0;
}

static int scrub_watch(struct scrub_args *a, const char *name, const struct ccdm_dm_info *before,
		       struct ccdm_err *err)
{
	const struct timespec pause = { 0, 250000000 };
	struct ccdm_dm_info info;
	uint64_t v[2];
	char text[64];
	int r;

	for (;;) {
		if (scrub_interrupted) {
			ccdm_ui_progress_end(&a->progress);
			r = ccdm_dm_message(name, "scrub stop", err);
			return r ? r
				 : ccdm_err_set(err, -EINTR, "interrupted; the scrub was stopped");
		}
		r = ccdm_dm_info(name, &info, err);
		if (r)
			break;
		if (!ccdm_dm_word(info.status, "scrub", text, sizeof(text)) ||
		    ccdm_dm_values(text, v) != 2)
			break;
		ccdm_ui_progress(&a->progress, v[0] << CCDM_BLOCK_SHIFT, v[1] << CCDM_BLOCK_SHIFT);
		nanosleep(&pause, NULL);
	}
	if (!r) {
		r = scrub_verdict(before, &info, err);
		if (!r)
			ccdm_ui_progress(&a->progress, info.length * 512, info.length * 512);
	}
	ccdm_ui_progress_end(&a->progress);
	return r;
}

static int scrub_run(struct scrub_args *a, const char *name, struct ccdm_err *err)
{
	struct sigaction sa = { .sa_handler = scrub_signal };
	struct ccdm_dm_info info;
	int r = ccdm_setup_dm(err);

	if (!r)
		r = ccdm_dm_info(name, &info, err);
	if (r)
		return r;
	if (a->stop)
		return ccdm_dm_message(name, "scrub stop", err);
	r = ccdm_dm_message(name, "scrub start", err);
	if (r == -EBUSY) {
		ccdm_err_hint(
			err,
			"show its progress: ccdm-setup status %s; stop it: ccdm-setup scrub --stop %s",
			name, name);
		ccdm_err_set(err, r, "%s: a scrub is already running", name);
	} else if (r == -EAGAIN) {
		r = ccdm_err_set(err, -EBUSY, "%s is suspended", name);
	}
	if (r || a->detach)
		return r;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	return scrub_watch(a, name, &info, err);
}

static enum ccdm_exit cmd_scrub(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct scrub_args a = { .progress.what = "scrub" };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, scrub_take, &a, &over);
	if (over)
		return e;
	if (a.detach && a.stop)
		return ccdm_setup_usage(verb, "--detach and --stop cannot be combined");
	r = scrub_run(&a, argv[optind], &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_scrub = {
	.verb = { .name = "scrub",
		  .usage = "NAME",
		  .summary = "read and verify everything that was written",
		  .options = scrub_options,
		  .offer = "@mapping|",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_scrub,
};
