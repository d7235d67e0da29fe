// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verb.c - see verb.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/trace.h"
#include "disk/tab.h"
#include "verb.h"

/* ---- what completion offers ----------------------------------------------------- */

static int setup_offer_mapping(const char *name, void *arg, struct ccdm_err *err)
{
	(void)arg;
	(void)err;
	puts(name);
	return 0;
}

static int setup_offer_tab(const struct ccdm_tab_entry *entry, void *arg, struct ccdm_err *err)
{
	(void)arg;
	(void)err;
	puts(entry->open.name);
	return 0;
}

static int setup_offer_tabs(struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r = ccdm_file_read(CCDM_TAB_FILE, CCDM_TAB_MAX, &text, &size, err);

	if (r)
		return r;
	r = ccdm_tab_parse(CCDM_TAB_FILE, text, size, setup_offer_tab, NULL, err);
	free(text);
	return r;
}

/* Offer names; offer nothing if they cannot be read. */
void ccdm_setup_offer(const char *kind)
{
	struct ccdm_err why = { 0 };

	if (strcmp(kind, "mapping") ? setup_offer_tabs(&why)
				    : ccdm_dm_list(setup_offer_mapping, NULL, &why))
		ccdm_trace("completion: %s", why.text);
}

/* ---- what the verbs share ---------------------------------------------------------- */

enum ccdm_exit ccdm_setup_usage(const struct ccdm_verb *verb, const char *what)
{
	return ccdm_verb_usage(&ccdm_setup_program, verb, what);
}

enum ccdm_exit ccdm_setup_options(const struct ccdm_verb *verb, int argc, char **argv,
				  enum ccdm_exit (*take)(int option, void *arg), void *arg,
				  bool *over)
{
	enum ccdm_exit e;

	*over = !ccdm_options(&ccdm_setup_program, verb, argc, argv, take, arg, &e);
	return e;
}

enum ccdm_exit ccdm_setup_memory(void)
{
	struct ccdm_err err = { 0 };

	return ccdm_ui_fail(CCDM_PROGRAM, &err, ccdm_err_memory(&err));
}

int ccdm_setup_root(struct ccdm_err *err)
{
	if (geteuid() == 0)
		return 0;
	ccdm_err_hint(err, "run it as root");
	return ccdm_err_set(err, -EPERM, "this verb needs CAP_SYS_ADMIN");
}

int ccdm_setup_dm(struct ccdm_err *err)
{
	int r = ccdm_setup_root(err);

	return r ? r : ccdm_dm_need(err);
}
