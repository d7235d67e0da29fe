/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* trust_stamp.h - has a trust directory changed since a daemon read it? */
#ifndef CCDM_BROKER_TRUST_STAMP_H
#define CCDM_BROKER_TRUST_STAMP_H

#include <stdint.h>

/**
 * ccdm_trust_stamp() - a number of what a daemon reads at its start: roots, certs/, and the lists
 * @dir: the trust directory
 *
 * Of names, sizes, times and numbers of files, whose content is not read. Two stamps that differ
 * are of a directory that changed; no decision rests on it.
 *
 * Return: the number; of what cannot be listed it is one as well.
 */
uint64_t ccdm_trust_stamp(const char *dir);

#endif
