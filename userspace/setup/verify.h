/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verify.h - ccdm-setup verify: what its files share */
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

/* What was asked for. */
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
	uint32_t registers; /* of a quote that a log is compared with; 0: all */
	int64_t at;
	uint8_t report_data[64];
	size_t report_data_size;
	unsigned int allow;
	bool json;
};

/**
 * struct verify_expected - the registers that a log must lead to
 * @registers: {"sha256": {"0": HEX, ...}, ...} or {"rtmr0": HEX, ...}
 * @quote: what was looked at of the quote that they are of; NULL: somebody wrote them down
 * @only: bit i: register i counts, and no other does; 0: all count
 */
struct verify_expected {
	json_t *registers;
	struct ccdm_verdict *quote;
	uint32_t only;
};

/**
 * struct verify_source - evidence, as the KBS protocol carries it or in a capture
 * @tee: its name in the protocol
 * @evidence: untrusted; NULL: @report is all there is
 * @report, @report_size: a raw report of SNP, untrusted
 * @capture: where it comes from, or NULL
 */
struct verify_source {
	const char *tee;
	const json_t *evidence;
	const void *report;
	size_t report_size;
	const struct ccdm_capture *capture;
};

/* What was read for it. */
struct verify_input {
	char *text;
	size_t size;
	json_t *json;
	struct ccdm_capture capture; /* of @json, if that is one */
	bool captured;
	struct ccdm_certs *certs;
	struct ccdm_certs *guest; /* over them: what raw evidence brings */
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
 * @what: that FILE must be
 * @json: and nothing else
 * @text: or hex or base64 of raw bytes
 * @table: or, behind the raw bytes, a host's table of certificates
 * @verify: judge it. Return: 0, whatever the verdict; -EINVAL if it cannot be read; -errno
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

/* The options, and what takes one. */
extern const struct ccdm_option verify_options[];
enum ccdm_exit __must_check verify_take(int option, void *arg);

/* True if options were given that say what evidence is held against. */
bool __must_check verify_has_trust(const struct verify_args *a);

/**
 * verify_kbs() - judge evidence with what the options gave
 * @source: the evidence
 * @v: one check after the other
 * @proof: filled if the verdict accepts it
 *
 * Return: 0, whatever the verdict; -EINVAL if it cannot be read; -ENOMEM.
 */
int __must_check verify_kbs(const struct verify_source *source, const struct verify_args *a,
			    const struct verify_input *in, struct ccdm_verdict *v,
			    struct ccdm_proof *proof, struct ccdm_err *err);

/* True if what Intel says of the platform was given. */
bool __must_check verify_has_collateral(const struct verify_args *a);

/**
 * verify_expect() - read the registers that a log must lead to
 * @in: its @expected is filled; verify_expected_drop() ends it
 *
 * A quote is verified first, as one that is verified alone is; its registers are those that it
 * covers. One that is not accepted is an error.
 *
 * Return: 0; -EINVAL; -ENOMEM; what open(2) and read(2) say.
 */
int __must_check verify_expect(const struct verify_args *a, struct verify_input *in,
			       struct ccdm_err *err);
void verify_expected_drop(struct verify_expected *expected);

/* A kind by its word, or NULL. */
const struct verify_kind *verify_kind(const char *name);

#endif
