/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verify.h - declarations that the files of ccdm-setup verify share */
#ifndef CCDM_VERIFY_H
#define CCDM_VERIFY_H

#include "base/compiler.h"
#include "base/options.h"
#include "evidence/capture.h"
#include "evidence/evidence.h"
#include "evidence/snp.h"
#include "log/tcglog.h"
#include "evidence/tdx.h"

#define VERIFY_FILE_MAX CCDM_TCGLOG_MAX /* bytes of evidence */

/* Options and their values. */
struct verify_args {
	const char *cert[CCDM_CERTS_MAX];
	unsigned int nr_certs;
	const char *chain;
	const char *crl;
	const char *root;
	const char *ak_root;
	const char *ak_usage;
	const char *ek_root;
	const char *collateral;
	const char *tcb_info;
	const char *qe_identity;
	const char *expect;
	const char *ccdm_log;
	const char *systemd_log;
	const char *paravisors;
	const char *tcb_floor;
	const char *svsms;
	uint32_t registers; /* registers of a quote to compare with a log; 0: all */
	int64_t at;
	uint8_t report_data[64];
	size_t report_data_size;
	unsigned int allow;
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

/**
 * struct verify_source - evidence in the form of the KBS protocol or of a capture
 * @tee: its name in the protocol
 * @evidence: untrusted; NULL: there is only @report
 * @report, @report_size: a raw report of SNP, untrusted
 * @capture: the capture with the evidence, or NULL
 */
struct verify_source {
	const char *tee;
	const json_t *evidence;
	const void *report;
	size_t report_size;
	const struct ccdm_capture *capture;
};

/* Content of the files that the options name. */
struct verify_input {
	char *text;
	size_t size;
	json_t *json;
	struct ccdm_capture capture; /* of @json, if that is one */
	bool captured;
	struct ccdm_certs *certs;
	struct ccdm_certs *guest; /* certificates in raw evidence; its base is @certs */
	const struct ccdm_cert *leaf;
	struct ccdm_anchor root;
	struct ccdm_anchor ak_root, ek_root;
	bool has_root, has_ak_root, has_ek_root;
	struct ccdm_collateral collateral;
	struct ccdm_banks *banks; /* of an event log */
	char *ccdm_log;
	char *systemd_log;
	struct ccdm_launches paravisors;
	struct ccdm_snp_floor floor;
	struct ccdm_launches svsms;
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
 * verify_kbs() - verify evidence as the options say
 * @source: the evidence
 * @v: gets one check after the other
 * @proof: filled if the verdict accepts it
 *
 * Return: 0 for any verdict; -EINVAL if it is malformed; -ENOMEM.
 */
int __must_check verify_kbs(const struct verify_source *source, const struct verify_args *a,
			    const struct verify_input *in, struct ccdm_verdict *v,
			    struct ccdm_proof *proof, struct ccdm_err *err);

/* True if there is collateral of the platform. */
bool __must_check verify_has_collateral(const struct verify_args *a);

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
