/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * trust_keep.h - put what vendors publish into the trust directory, once it is verified
 *
 * A piece is a revocation list, a chip's certificate (VCEK), or the collateral of a platform. It is
 * stored in one step, and only if it is genuine, in force, and not older than what it replaces: a
 * piece that is refused changes nothing.
 */
#ifndef CCDM_BROKER_TRUST_KEEP_H
#define CCDM_BROKER_TRUST_KEEP_H

#include "base/compiler.h"
#include "evidence/vendor_url.h"
#include "trust.h"

/* A revocation list that a vendor publishes, and its file in certs/. */
struct ccdm_slot {
	const char *file;    /* in certs/ */
	const char *issuer;  /* common name */
	const char *subject; /* common name of one that the issuer has certified */
	const char *what;    /* for a person */
	bool tdx;	     /* Intel's, else AMD's */
	bool root;	     /* the issuer is a root: what it has revoked stays so */
};

/* Slot number @i, or NULL after the last. */
const struct ccdm_slot *ccdm_slot(unsigned int i);

/* The slot of an issuer, by its common name, or NULL. @vlek: of AMD's two the one for VLEKs */
const struct ccdm_slot *ccdm_slot_of(const char *issuer, bool vlek);

/**
 * struct ccdm_kept - what became of a piece
 * @what: for a person
 * @path: its file
 * @until: when it expires, seconds since 1970
 * @changed: it is new; false: the file had it already
 * @reload: a daemon that runs reads it when it reloads; false: when it needs it
 */
struct ccdm_kept {
	char what[96];
	char path[512];
	int64_t until;
	bool changed;
	bool reload;
};

/* A trust directory that pieces are put into; opaque. */
struct ccdm_keep;

/**
 * ccdm_keep_open() - lock a trust directory and read it
 * @at: time at which pieces must be in force
 *
 * Return: 0; what ccdm_trust_load() says; -EBUSY if another one holds it.
 */
int __must_check ccdm_keep_open(const char *dir, int64_t at, struct ccdm_keep **keep,
				struct ccdm_err *err);
void ccdm_keep_close(struct ccdm_keep *keep); /* accepts NULL */

/* Certificates that came beside pieces: issuers are looked for among them, too. */
int __must_check ccdm_keep_certs(struct ccdm_keep *keep, const char *what, const void *bytes,
				 size_t size, struct ccdm_err *err);

/**
 * ccdm_keep_list() - a revocation list
 * @slot: which one it is; NULL: the first one of its issuer
 * @what: whose bytes they are, for messages
 * @bytes, @size: untrusted: one list, DER or PEM
 * @chain: PEM of its issuer's certificates, untrusted; NULL for none
 * @kept: filled
 *
 * Return: 0; -EINVAL if it is malformed; -ECANCELED if a check refuses it; -ESTALE if the one in
 * its place is newer; -ENOMEM, -errno.
 */
int __must_check ccdm_keep_list(struct ccdm_keep *keep, const struct ccdm_slot *slot,
				const char *what, const void *bytes, size_t size, const char *chain,
				struct ccdm_kept *kept, struct ccdm_err *err);

/**
 * ccdm_keep_vcek() - a chip's certificate
 * @snp: a report that it must be the certificate of; NULL: of any chip
 *
 * Return: as ccdm_keep_list().
 */
int __must_check ccdm_keep_vcek(struct ccdm_keep *keep, const char *what, const void *bytes,
				size_t size, const struct ccdm_snp *snp, struct ccdm_kept *kept,
				struct ccdm_err *err);

/**
 * ccdm_keep_collateral() - TCB info and the identity of the quoting enclave
 * @bundle: as ccdm_collateral_bundle() reads it, untrusted
 * @fmspc: of which platform it must be; NULL: of any
 *
 * Return: as ccdm_keep_list().
 */
int __must_check ccdm_keep_collateral(struct ccdm_keep *keep, const char *what, const char *bundle,
				      size_t size, const uint8_t fmspc[6], struct ccdm_kept *kept,
				      struct ccdm_err *err);

/**
 * struct ccdm_answers - what Intel's service said, piece by piece
 * @c: TCB info and the identity of the quoting enclave
 * @tcb_chain, @qe_chain: PEM of who signed them, or NULL
 */
struct ccdm_answers {
	struct ccdm_collateral c;
	const char *tcb_chain, *qe_chain;
};

/* All of it as one bundle, without lists: those are in certs/. Return: text that the caller frees; NULL: out of memory. */
char *ccdm_keep_assemble(const struct ccdm_answers *answers);

/* DIR/SUB/NAME.END, with the name in hexadecimal. Return: 0, -ENAMETOOLONG */
int __must_check ccdm_keep_path(const char *dir, const char *sub, const uint8_t *name, size_t size,
				const char *end, char path[512]);

#endif
