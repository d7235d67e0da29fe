/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* trust_status.h - what is in a trust directory, and until when it is valid */
#ifndef CCDM_BROKER_TRUST_STATUS_H
#define CCDM_BROKER_TRUST_STATUS_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_TRUST_SOON (14 * INT64_C(86400)) /* seconds before something expires */

enum ccdm_trust_state {
	CCDM_TRUST_VALID,
	CCDM_TRUST_SUPERSEDED, /* expired or nearly, and another of the same takes its place */
	CCDM_TRUST_CHANGED,    /* of a daemon: it has not read what is there now */
	CCDM_TRUST_EXPIRES,    /* in less than CCDM_TRUST_SOON */
	CCDM_TRUST_EARLY,      /* not valid yet */
	CCDM_TRUST_EXPIRED,
	CCDM_TRUST_BROKEN, /* it cannot be read */
};

/* "valid", "superseded", "changed", "expires", "early", "expired", "broken" */
const char *ccdm_trust_state_name(enum ccdm_trust_state state);

/**
 * struct ccdm_trust_item - one thing in the directory
 * @kind: "list", "certificate", "tcb-info", "qe-identity", "vcek" or "file"
 * @what: common name, FMSPC or chip
 * @file: in the directory
 * @id: what has the same can take its place; zeros: nothing can
 * @from, @until: seconds since 1970; -1: it does not say
 */
struct ccdm_trust_item {
	const char *kind;
	char what[136];
	char file[256];
	uint8_t id[32];
	int64_t from, until;
	enum ccdm_trust_state state;
};

/* All of them; begins as zeros. */
struct ccdm_trust_items {
	struct ccdm_trust_item *item;
	unsigned int count;
};

/* How much of the directory is looked at, each with what is before it. */
enum ccdm_trust_look {
	CCDM_LOOK_START,     /* roots and certs/, which a daemon reads when it starts */
	CCDM_LOOK_PLATFORMS, /* collateral/: hundreds of files */
	CCDM_LOOK_ALL,	     /* vcek/: thousands */
};

/**
 * ccdm_trust_status() - look at what there is
 * @dir: the trust directory
 * @at: time of evaluation
 * @look: at how much of it
 * @items: filled; the caller drops it
 *
 * Return: 0, also with broken files; -errno.
 */
int __must_check ccdm_trust_status(const char *dir, int64_t at, enum ccdm_trust_look look,
				   struct ccdm_trust_items *items, struct ccdm_err *err);
void ccdm_trust_items_drop(struct ccdm_trust_items *items);

/* The worst state of all. */
enum ccdm_trust_state __must_check ccdm_trust_worst(const struct ccdm_trust_items *items);

/* "list of ARK-Milan (certs/x.pem) expires at 2026-12-01T00:00:00Z"; @text: at least 512 bytes. Return: @text */
char *ccdm_trust_line(const struct ccdm_trust_item *item, char *text);

#endif
