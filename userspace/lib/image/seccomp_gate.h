/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * seccomp_gate.h - take from a seccomp filter what a container without more rights does not get
 *
 * Debian's profile is made for Podman, which allows system calls of namespaces, mounts and keys to
 * every container. Docker allows them only to a container with the capability, or to none. This is
 * that narrower set. A filter that is as narrow stays as it is.
 */
#ifndef CCDM_SECCOMP_GATE_H
#define CCDM_SECCOMP_GATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"

/**
 * ccdm_seccomp_gate() - narrow the rules of a filter
 * @caps: the container's bounding set, bits of capabilities.h
 * @ret: error number of the filter's default action; -1: it has none
 * @rules: resolved rules of runtime-spec, with checked members; replaced
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_seccomp_gate(uint64_t caps, int ret, json_t **rules);

/* True if an action lets no call through. */
bool __must_check ccdm_seccomp_refuses(const char *action);

#endif
