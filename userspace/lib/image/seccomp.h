/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * seccomp.h - the seccomp filter of a container, resolved for amd64 and its capabilities
 *
 * Input is a profile in the format of containers-common (seccomp.json; Moby has the same), whose rules may
 * depend on the architecture, the kernel and the capabilities. Output is "seccomp" of OCI's
 * runtime-spec, config-linux.md, without the calls that seccomp_gate.h takes from it.
 */
#ifndef CCDM_SECCOMP_H
#define CCDM_SECCOMP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_SECCOMP_MAX (4 << 20) /* bytes of the profile */

/**
 * ccdm_seccomp_resolve() - the filter for a set of capabilities
 * @name: of the profile, for messages
 * @text: untrusted
 * @size: its bytes
 * @caps: the container's bounding set, bits of capabilities.h
 * @filter: set; the caller drops it
 *
 * Return: 0; -EINVAL if it is no profile or has a condition that is not known; -ENOMEM.
 */
int __must_check ccdm_seccomp_resolve(const char *name, const char *text, size_t size,
				      uint64_t caps, json_t **filter, struct ccdm_err *err);

#endif
