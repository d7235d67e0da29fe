// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_secret.c - ccdm-setup secret get|fetch|drop */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "boot/credstore.h"
#include "broker_args.h"

struct secret_args {
	struct ccdm_broker_args with;
	bool force;
};

static const struct ccdm_option secret_options[] = {
	CCDM_BROKER_ARGS_OPTIONS,
	{ "force", 0, 'f', NULL, "get: write to a terminal, too", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit secret_take(int option, void *arg)
{
	struct secret_args *a = arg;

	if (option == 'f')
		a->force = true;
	else if (!ccdm_broker_args_take(&a->with, option, optarg))
		return CCDM_EXIT_USAGE;
	return CCDM_EXIT_OK;
}

static int secret_write(const uint8_t *bytes, size_t size, struct ccdm_err *err)
{
	ssize_t n = 0;

	for (; size && n >= 0; bytes += n, size -= n)
		n = write(STDOUT_FILENO, bytes, size);
	return size ? ccdm_err_set(err, -errno, "standard output: %s", strerror(errno)) : 0;
}

/* Print the secrets one after the other, unchanged and without separators. */
static int secret_get(struct secret_args *a, char **names, int count, struct ccdm_err *err)
{
	struct ccdm_session *s = NULL;
	uint8_t *bytes;
	size_t size;
	int i, r;

	if (isatty(STDOUT_FILENO) && !a->force) {
		ccdm_err_hint(err, "write it to a file or a pipe, or give --force");
		return ccdm_err_set(err, -EINVAL,
				    "standard output is a terminal, which would show the secret");
	}
	r = ccdm_broker_args_conf(&a->with, false, err);
	if (!r)
		r = ccdm_session_open(&a->with.session, &s, err);
	for (i = 0; !r && i < count; i++) {
		r = ccdm_session_secret(s, names[i], &bytes, &size, err);
		if (r)
			break;
		r = secret_write(bytes, size, err);
		OPENSSL_clear_free(bytes, size);
	}
	ccdm_session_close(s);
	return r;
}

static int secret_fetch(struct secret_args *a, struct ccdm_err *err)
{
	struct ccdm_session *s = NULL;
	int r = ccdm_setup_root(err);

	if (!r)
		r = ccdm_broker_args_conf(&a->with, true, err);
	if (!r)
		r = ccdm_session_open(&a->with.session, &s, err);
	if (!r)
		r = ccdm_broker_args_fetch(&a->with, s, err);
	ccdm_session_close(s);
	return r;
}

static int secret_do(struct secret_args *a, char **words, int count, struct ccdm_err *err)
{
	int r;

	if (!strcmp(words[0], "get") && count > 1)
		return secret_get(a, words + 1, count - 1, err);
	if (!strcmp(words[0], "fetch") && count == 1)
		return secret_fetch(a, err);
	if (!strcmp(words[0], "drop") && count == 1) {
		r = ccdm_setup_root(err);
		return r ? r : ccdm_credstore_drop(err);
	}
	return ccdm_err_set(err, -EINVAL, "expected one of: get NAME..., fetch, drop");
}

static enum ccdm_exit cmd_secret(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct secret_args *a = calloc(1, sizeof(*a));
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	if (!a)
		return ccdm_setup_memory();
	e = ccdm_setup_options(verb, argc, argv, secret_take, a, &over);
	if (!over) {
		r = secret_do(a, argv + optind, argc - optind, &err);
		e = r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
	}
	ccdm_broker_args_drop(&a->with);
	free(a);
	return e;
}

const struct ccdm_setup_verb ccdm_verb_secret = {
	.verb = { .name = "secret",
		  .usage = "get NAME...|fetch|drop",
		  .summary = "get secrets from the broker",
		  .intro =
			  "  get NAME...   write the named secrets to standard output, unchanged\n"
			  "  fetch         store the secrets of the configuration in /run/credstore, "
			  "for services\n"
			  "  drop          remove the secrets from /run/credstore\n",
		  .options = secret_options,
		  .offer = "get fetch drop|",
		  .min_args = 1,
		  .max_args = 1 << 10 },
	.run = cmd_secret,
};
