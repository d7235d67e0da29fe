/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base_fetch.h - roots of Debian packages, by mmdebstrap */
#ifndef CCDM_BASE_FETCH_H
#define CCDM_BASE_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_BASE_OPEN	  "open"
#define CCDM_BASE_HAVE	  "have"
#define CCDM_BASE_SERVER  "https://snapshot.debian.org/archive"
#define CCDM_BASE_KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

/**
 * struct ccdm_base_source - where packages come from
 * @suite: "trixie", "bookworm" or "sid"
 * @snapshot: "20261130T000000Z", or NULL
 * @server: of snapshots; "SERVER/debian/STAMP" is Debian's archive at that time
 * @mirror: without @snapshot: "http://host/debian"; its security updates are at "...-security"
 * @keyring: file with the keys of Debian's archive; no other key is trusted
 * @cache: folder that gets a copy of each .deb, or NULL; nothing is taken from it
 */
struct ccdm_base_source {
	const char *suite;
	const char *snapshot;
	const char *server;
	const char *mirror;
	const char *keyring;
	const char *cache;
};

/* True for a suite that a base can have. */
bool __must_check ccdm_base_suite(const char *suite);

/* The time of a stamp. Return: 0, -EINVAL. */
int __must_check ccdm_base_stamp(const char *stamp, int64_t *date);

/**
 * ccdm_base_fetch() - install Debian's essential packages and others into a new root
 * @packages: names, and regular expressions of apt that begin with "^", with a blank between
 * @closed: absolute path of a folder that no other user may enter, with a folder CCDM_BASE_OPEN
 *	and perhaps CLOSED/open/have: packages in it are not fetched, and their hashes are not checked
 * @name: of the root. CLOSED/open/NAME is made; .deb files and apt's lists stay in it
 * @date: SOURCE_DATE_EPOCH
 *
 * Recommended packages are not installed. With a snapshot, each pocket (main, updates, security)
 * comes from this snapshot. apt's own account must reach the root. Therefore mmdebstrap sees
 * CLOSED/open at the place of CLOSED, in mounts of its own.
 *
 * Return: 0; -EHOSTUNREACH if packages or lists could not be fetched or their signatures are not
 * valid; -EINVAL if the keyring is a folder; -ENOENT without mmdebstrap; -ENOSPC, -EINTR, -ENOMEM;
 * -EIO with mmdebstrap's message.
 */
int __must_check ccdm_base_fetch(const struct ccdm_base_source *source, const char *packages,
				 const char *closed, const char *name, int64_t date,
				 struct ccdm_err *err);

#endif
