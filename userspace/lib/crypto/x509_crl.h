/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * x509_crl.h - a single revocation list: its data, its issuer, which list it may replace
 */
#ifndef CCDM_X509_CRL_H
#define CCDM_X509_CRL_H

#include "base/compiler.h"
#include "x509.h"

/* A revocation list in a set, which lives as long as the set does; opaque. */
struct ccdm_crl;

/* List number @i of the set, without its base; NULL after the last. */
const struct ccdm_crl *ccdm_certs_crl(const struct ccdm_certs *certs, unsigned int i);

/**
 * struct ccdm_crl_info - data of a list
 * @issuer: common name; "" if there is none
 * @name: SHA-256 of the issuer's whole name
 * @from, @to: thisUpdate and nextUpdate, seconds since 1970; -1 if it has none
 */
struct ccdm_crl_info {
	char issuer[64];
	uint8_t name[32];
	int64_t from, to;
};

void ccdm_crl_info(const struct ccdm_crl *crl, struct ccdm_crl_info *info);

/**
 * ccdm_crl_check() - check that a list is full, current, and of an issuer below a trusted root
 * @certs: set with the issuer
 * @crl: the list
 * @path: requirements of the issuer's chain; its prefix also names these checks
 * @v: checks "list", "list-signature", those of the chain, "list-date"; complete
 *
 * Return: 0 for any verdict; -ENOMEM.
 */
int __must_check ccdm_crl_check(const struct ccdm_certs *certs, const struct ccdm_crl *crl,
				struct ccdm_path *path, struct ccdm_verdict *v);

/* Whether a list may replace another; only CCDM_CRL_REPLACES is yes. */
enum ccdm_crl_change {
	CCDM_CRL_OTHER_ISSUER,
	CCDM_CRL_LOWER_NUMBER,
	CCDM_CRL_OLDER_DATE,
	CCDM_CRL_FORGETS,
	CCDM_CRL_REPLACES,
};

/**
 * ccdm_crl_replace() - decide whether a list may replace another
 * @crl: the new one
 * @old: the present list of the same issuer
 * @keep: @crl must revoke every certificate that @old revokes
 *
 * Return: CCDM_CRL_REPLACES if it may.
 */
enum ccdm_crl_change __must_check ccdm_crl_replace(const struct ccdm_crl *crl,
						   const struct ccdm_crl *old, bool keep);

/* Reason why it may not, as text. */
const char *ccdm_crl_change_text(enum ccdm_crl_change change);

#endif
