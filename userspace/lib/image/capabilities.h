/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* capabilities.h - capabilities(7) by name, as sets of bits */
#ifndef CCDM_CAPABILITIES_H
#define CCDM_CAPABILITIES_H

#include <jansson.h>
#include <stdint.h>
#include "base/compiler.h"

/* The 14 capabilities that Docker gives a container. */
#define CCDM_CAPABILITIES_DOCKER 0xa80425fbULL

/* All that Linux 6.12 has. */
#define CCDM_CAPABILITIES_ALL ((1ULL << 41) - 1)

/* The bit of "CAP_CHOWN" or "CHOWN"; 0: there is no such capability. */
uint64_t ccdm_capabilities_find(const char *name);

/* An array of names, "CAP_CHOWN", sorted; NULL: out of memory. */
json_t *ccdm_capabilities_json(uint64_t set);

#endif
