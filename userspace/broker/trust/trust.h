/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * trust.h - what a broker verifies evidence with, from a directory
 *
 *	DIR/roots/	roots of TEEs in place of the vendors'; for tests, and private CAs
 *	DIR/ak-roots/	roots of providers, who certify TPMs' attestation keys and are trusted with
 *			what these TPMs say, beside a TEE as well. NAME.usage beside NAME.pem has
 *			the OID of the extended key usage of its certificates if that is not
 *			2.23.133.8.3; Google's have 2.23.133.8.1
 *	DIR/ek-roots/	roots of makers of TPMs: say that a TPM is one, not whose machine it is in,
 *			so they never tie a TPM to a TEE
 *	DIR/tpm-keys/	keys of TPMs that are known one by one, AKs or EKs: SHA256.der, the DER of
 *			the public key under its own SHA-256 in hex. They count for evidence of a
 *			TPM alone: that a TPM is known does not say that a TEE beside it is in the
 *			same machine
 *	DIR/certs/	certificates between root and leaf, revocation lists; those that trust_keep.h
 *			puts here have names of their own
 *	DIR/paravisors	list of launch values (launches.h): only below one of them does an
 *			Azure vTPM have the binding "paravisor"
 *	DIR/svsms	the same of SVSMs ("measurement" alone): only the TPM of one of them, at
 *			VMPL 0, has the binding "svsm"
 *	DIR/snp-floor	lowest firmware of SNP platforms (snp_floor.h), in place of the list that
 *			ccdm comes with
 *	DIR/collateral/	TDX: FMSPC.json for each, as "verify tdx --collateral" has it
 *	DIR/.lock	held by who changes certs/, collateral/ and vcek/ (trust_keep.h)
 *	DIR/vcek/	SNP: CHIP.pem or CHIP.der, the certificate of a chip
 *
 * All of it may be missing; what is missing fails a check. Roots and certs/ are read at the start
 * and count once for all judgements, up to CCDM_CERTS_OWN_MAX; what has a number for a name is looked up by
 * it when it is needed, however many there are. Names are in small letters. DIR/tpm-roots/, which
 * did not tell the kinds apart, is refused.
 */
#ifndef CCDM_BROKER_TRUST_H
#define CCDM_BROKER_TRUST_H

#include <dirent.h>
#include <jansson.h>
#include "base/compiler.h"
#include "evidence/evidence.h"

/* The directory's files; opaque. */
struct ccdm_trust_dir;

/* Return: 0; -EINVAL with the file's name; -EACCES; -ENOMEM */
int __must_check ccdm_trust_load(const char *dir, struct ccdm_trust_dir **trust,
				 struct ccdm_err *err);
void ccdm_trust_free(struct ccdm_trust_dir *trust); /* accepts NULL */

/* The directory. */
const char *ccdm_trust_path(const struct ccdm_trust_dir *trust);

/* For a warning. */
#define CCDM_TRUST_CHANGED_TEXT \
	"the trust directory has changed since the daemon read it; reload the daemon"

/* Is there something else in the directory than what was loaded? Looks at names and times. */
bool __must_check ccdm_trust_changed(const struct ccdm_trust_dir *trust);

/* All certificates and lists that were read. */
const struct ccdm_certs *ccdm_trust_certs(const struct ccdm_trust_dir *trust);

/* Roots of TEEs in place of the vendors'; NULL: there are none. */
const struct ccdm_anchor *ccdm_trust_anchors(const struct ccdm_trust_dir *trust,
					     unsigned int *count);

/*
 * Names of files in a directory, sorted, without hidden ones and those that are being written
 * (NAME.tmp); none if there is no such directory. Return: how many, or -errno.
 */
int __must_check ccdm_trust_names(const char *path, struct dirent ***names, struct ccdm_err *err);

/**
 * struct ccdm_claim - evidence and what it must be bound to
 * @tee: its name, known
 * @primary: of the TEE
 * @additional: text, "" for none
 * @bound: of the primary evidence
 * @bound_beside: of a TPM beside it
 * @activated, @activated_arg: as struct ccdm_trust has them
 */
struct ccdm_claim {
	const char *tee;
	const json_t *primary;
	const char *additional;
	struct ccdm_bound bound;
	struct ccdm_bound bound_beside;
	bool (*activated)(const void *arg, const struct ccdm_tpm_pair *pair, const uint8_t *value);
	const void *activated_arg;
};

/**
 * ccdm_trust_judge() - judge evidence as a broker does
 * @at: time of evaluation
 * @v: filled; what policies decide is allowed here: debug, VMPL, the TCB
 * @proof: filled if the verdict accepts it
 *
 * Return: 0 for any verdict; -EINVAL if it is malformed; -ENOMEM.
 */
int __must_check ccdm_trust_judge(const struct ccdm_trust_dir *trust,
				  const struct ccdm_claim *claim, int64_t at,
				  struct ccdm_verdict *v, struct ccdm_proof *proof,
				  struct ccdm_err *err);

#endif
