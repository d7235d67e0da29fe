/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verify.h - declarations that the files of ccdm-setup verify share */
#ifndef CCDM_VERIFY_H
#define CCDM_VERIFY_H

#include "base/compiler.h"
#include "base/options.h"
#include "evidence/offline.h"
#include "evidence/snp.h"
#include "log/tcglog.h"
#include "evidence/tdx.h"

#define VERIFY_FILE_MAX CCDM_TCGLOG_MAX /* bytes of evidence */

/* Options and their values. */
struct verify_args {
	struct ccdm_offline_files trust;
	const char *expect;
	const char *ccdm_log;
	const char *systemd_log;
	uint32_t registers; /* registers of a quote to compare with a log; 0: all */
	bool json;
};

/**
 * struct verify_expected - the registers that a log must lead to
 * @registers: {"sha256": {"0": HEX, ...}, ...} or {"rtmr0": HEX, ...}
 * @quote: verdict on the quote that has them; NULL: they come from a file without a quote
 * @only: bit i: compare register i; 0: compare all
 */
struct verify_expected {
	json_t *registers;
	struct ccdm_verdict *quote;
	uint32_t only;
};

/* Content of the files that the options name. */
struct verify_input {
	char *text;
	size_t size;
	json_t *json;
	struct ccdm_capture capture; /* of @json, if that is one */
	bool captured;
	struct ccdm_offline trust;
	struct ccdm_banks *banks; /* of an event log */
	char *ccdm_log;
	char *systemd_log;
	struct ccdm_proof proof; /* of KBS evidence that was accepted */
	struct verify_expected expected;
};

/**
 * struct verify_kind - a kind of evidence
 * @name: its word
 * @what: describes FILE, for messages
 * @json: FILE must be JSON
 * @text: FILE may be hex or base64 of raw bytes
 * @table: a host's table of certificates may follow the raw bytes
 * @verify: verify it. Return: 0 for any verdict; -EINVAL if it is malformed; -errno
 */
struct verify_kind {
	const char *name;
	const char *what;
	bool json;
	bool text;
	bool table;
	int (*verify)(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err);
};

/* The options, and the function that takes an option. */
extern const struct ccdm_option verify_options[];
enum ccdm_exit __must_check verify_take(int option, void *arg);

/* True if there are options with which to verify evidence. */
bool __must_check verify_has_trust(const struct verify_args *a);

/**
 * verify_expect() - read the registers that a log must lead to
 * @in: its @expected is filled; free it with verify_expected_drop()
 *
 * If the file is a quote, it is verified first; the registers are those that it
 * covers. A refused quote is an error.
 *
 * Return: 0; -EINVAL; -ENOMEM; errors of open(2) and read(2).
 */
int __must_check verify_expect(const struct verify_args *a, struct verify_input *in,
			       struct ccdm_err *err);
void verify_expected_drop(struct verify_expected *expected);

/* Find a kind by its name, or NULL. */
const struct verify_kind *verify_kind(const char *name);

#endif
